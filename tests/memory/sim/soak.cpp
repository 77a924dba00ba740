// A soak of the memory pool on simulated devices: memory_soak [steps [seed]].
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "tests/memory/sim/program.h"

int main(int argc, char** argv) {
  const std::uint64_t steps = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  tandem::test::Counters counters;
  const auto start = std::chrono::steady_clock::now();
  const std::string wrong = tandem::test::soak(seed, steps, tandem::test::make_pools, &counters);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("seed %llu: %s; %.1f s, %.0f steps a second\n", static_cast<unsigned long long>(seed),
              counters.str().c_str(), seconds, static_cast<double>(counters.steps) / seconds);
  if (!wrong.empty()) std::printf("%s\n", wrong.c_str());
  return wrong.empty() ? 0 : 1;
}
