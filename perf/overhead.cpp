// Fills the host's pool and reads from /proc/self/smaps_rollup what became resident.
#include "perf/overhead.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "runtime/memory/pool.h"
#include "runtime/memory/pools.h"

namespace tandem::perf {
namespace {

/// Bytes of the process that are in memory; 0 where the system does not say.
std::size_t resident() {
  std::FILE* f = std::fopen("/proc/self/smaps_rollup", "re");
  if (f == nullptr) return 0;
  char line[256];
  unsigned long long kib = 0;
  while (std::fgets(line, sizeof line, f) != nullptr) {
    if (std::sscanf(line, "Rss: %llu kB", &kib) == 1) break;
  }
  std::fclose(f);
  return kib * 1024;
}

/// Takes blocks of the sizes, touches all their pages, and compares.
double share_beside(const std::vector<std::size_t>& sizes) {
  constexpr std::size_t kPage = 4096;
  Pool& pool = host_pool();
  pool.empty_cache();
  std::vector<Block*> blocks(sizes.size());
  const std::size_t before = resident();
  std::size_t given = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    Block* b = blocks[i] = pool.allocate(sizes[i]);
    for (std::size_t at = 0; at < b->size; at += kPage) b->data[at] = std::byte{1};
    given += b->size;
  }
  const std::size_t after = resident();
  for (Block* b : blocks) pool.free(b);
  pool.empty_cache();
  if (before == 0 || after <= before + given) return 0;
  const auto taken = static_cast<double>(after - before);
  return (taken - static_cast<double>(given)) / taken;
}

}  // namespace

Overhead measure_overhead() {
  std::mt19937_64 rng(1);
  const auto draw = [&rng](double low, double high) {  // evenly between powers of two
    const double at = static_cast<double>(rng() >> 11) / 9007199254740992.0;
    return static_cast<std::size_t>(std::exp2(low + (high - low) * at));
  };
  std::vector<std::size_t> mixed, small(100000, 1024);
  for (int i = 0; i < 10000; ++i) mixed.push_back(draw(6, 16));
  for (int i = 0; i < 200; ++i) mixed.push_back(draw(18, 22));
  return {share_beside(mixed), share_beside(small)};
}

}  // namespace tandem::perf
