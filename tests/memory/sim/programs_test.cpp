// Random programs on the pool, on simulated devices; every failing call; all short programs; and
// that mistakes are found.
#include "tests/memory/sim/program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace tandem::test {
namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Programs, Random) {
  const std::uint64_t seed = number("TANDEM_SOAK_SEED", 1);
  const std::uint64_t steps = number("TANDEM_SOAK_STEPS", 300000);
  Counters counters;
  const std::string wrong = soak(seed, steps, make_pools, &counters);
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), counters.str().c_str());
  EXPECT_EQ(wrong, "");
}

/// What the programs do is legal, captures and other devices included.
TEST(Programs, AreLegal) {
  Counters counters;
  const MakeSubject plain = [](SimMachine& m) { return std::make_unique<PlainSubject>(m); };
  EXPECT_EQ(soak(1, number("TANDEM_SOAK_STEPS", 100000), plain, &counters), "");
  EXPECT_GT(counters.captures, 50u);
  EXPECT_GT(counters.replays, 100u);
  EXPECT_GT(counters.peer_uses, 100u);
  std::printf("plain: %s\n", counters.str().c_str());
}

}  // namespace
}  // namespace tandem::test
