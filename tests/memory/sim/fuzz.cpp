// Programs from bytes: for libFuzzer, which looks for bytes that reach new code, and by itself for
// files and for bytes drawn by a seed.
//
//   memory_fuzz FILE...             runs what a fuzzer found
//   memory_fuzz --draw N [SEED]     N programs of random bytes
//   tools/fuzz_memory.sh [ARGUMENT...]   with clang's fuzzer and address sanitizer
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/memory/sim/program.h"

namespace tandem::test {
namespace {

constexpr std::size_t kOpBytes = 8;
constexpr std::size_t kMostOps = 4000;

/// Four bytes choose the world, as a seed; then eight are an op.
Program program_of(const std::uint8_t* data, std::size_t size) {
  std::uint32_t seed = 0;
  std::memcpy(&seed, data, size < sizeof seed ? size : sizeof seed);
  Program p = generate(seed, 0);
  p.ops.clear();
  p.world.verify_every = 64;
  for (std::size_t at = sizeof seed; at + kOpBytes <= size && p.ops.size() < kMostOps;
       at += kOpBytes) {
    Op op;
    op.kind = static_cast<OpKind>(data[at] % static_cast<unsigned>(OpKind::kCount));
    // Small numbers, as there are few of anything.
    op.a = data[at + 1] % 16;
    op.b = data[at + 2] % 8;
    std::memcpy(&op.n, data + at + 4, sizeof op.n);
    p.ops.push_back(op);
  }
  return p;
}

/// Whether nothing went wrong; else it is told, shrunk.
bool holds(const std::uint8_t* data, std::size_t size) {
  const Program p = program_of(data, size);
  const std::string wrong = run(p, make_pools);
  if (wrong.empty()) return true;
  std::fprintf(stderr, "%s\n%s", wrong.c_str(), print(shrink(p, make_pools)).c_str());
  return false;
}

}  // namespace
}  // namespace tandem::test

#ifdef TANDEM_LIBFUZZER

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (!tandem::test::holds(data, size)) std::abort();
  return 0;
}

#else

namespace {

int draw(unsigned long count, std::uint64_t seed) {
  std::mt19937_64 rng(seed);
  std::size_t ops = 0;
  for (unsigned long i = 0; i < count; ++i) {
    std::vector<std::uint8_t> bytes(4 + 8 * (1 + rng() % 200));
    for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(rng());
    // Sizes of whole octaves, as else nearly all would be of gigabytes.
    for (std::size_t at = 8; at + 4 <= bytes.size(); at += 8) {
      std::uint32_t n = 0;
      std::memcpy(&n, &bytes[at], sizeof n);
      n >>= n % 32;
      std::memcpy(&bytes[at], &n, sizeof n);
    }
    if (!tandem::test::holds(bytes.data(), bytes.size())) return 1;
    ops += bytes.size() / 8;
  }
  std::printf("seed %llu: %lu programs of bytes, %zu ops\n", static_cast<unsigned long long>(seed),
              count, ops);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--draw") == 0) {
    return draw(std::strtoul(argv[2], nullptr, 10),
                argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  }
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "memory_fuzz: expected a file, got '%s'\n", argv[i]);
      return 2;
    }
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (!tandem::test::holds(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())) {
      std::fprintf(stderr, "memory_fuzz: %s\n", argv[i]);
      return 1;
    }
  }
  return 0;
}

#endif
