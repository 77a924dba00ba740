// Random programs on the pool, on simulated devices; every failing call; all short programs; and
// that mistakes are found.
#include "tests/memory/sim/program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "tandem/error.h"

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

// ---- That mistakes are found, and shrunk to what they need. ----

/// Knows nothing of other streams.
class ForgetsUses : public PoolSubject {
 public:
  using PoolSubject::free;
  using PoolSubject::PoolSubject;
  void record_use(Block*, StreamId) override {}
  void free(Block* b, StreamId) override { PoolSubject::free(b); }
};

/// Takes all other streams' work for done when a block is freed.
class FreesEarly : public PoolSubject {
 public:
  using PoolSubject::PoolSubject;
  void free(Block* b) override {
    Pool& pool = *b->pool;
    PoolSubject::free(b);
    pool.device_synchronized(pool.freed_mark());
  }
  void free(Block* b, StreamId s) override {
    Pool& pool = *b->pool;
    PoolSubject::free(b, s);
    pool.device_synchronized(pool.freed_mark());
  }
};

/// Takes the wait for one stream for one for all.
class ConfusesStreams : public PoolSubject {
 public:
  using PoolSubject::PoolSubject;
  void stream_synchronized(StreamId s) override { device_synchronized(s.device()); }
};

class Leaks : public PoolSubject {
 public:
  using PoolSubject::PoolSubject;
  void free(Block* b) override {
    if (b->requested < 1000000) PoolSubject::free(b);
  }
};

class GivesUpEarly : public PoolSubject {
 public:
  using PoolSubject::PoolSubject;
  Block* allocate(std::size_t bytes, StreamId s, PoolId id) override {
    if (bytes > 10000000) throw OutOfMemory("too much");
    return PoolSubject::allocate(bytes, s, id);
  }
};

class NeverReuses : public PoolSubject {
 public:
  using PoolSubject::PoolSubject;
  Block* allocate(std::size_t bytes, StreamId s, PoolId) override {
    return PoolSubject::allocate(bytes, s, PoolId{++last_});
  }

 private:
  std::uint32_t last_ = 0;
};

/// The first program that fails, shrunk.
template <class Broken>
void expect_found(const std::string& what) {
  const MakeSubject make = [](SimMachine& m) { return std::make_unique<Broken>(m); };
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Program p = generate(seed, 1000);
    if (const std::string wrong = run(p, make); wrong.find(what) == std::string::npos) continue;
    p = shrink(p, make);
    EXPECT_LE(p.ops.size(), 6u) << print(p);
    EXPECT_NE(run(p, make), "");
    EXPECT_EQ(run(p, make_pools), "");  // the mistake's fault
    return;
  }
  ADD_FAILURE() << "not found: " << what;
}

TEST(Mistakes, AreFoundAndShrunk) {
  expect_found<ForgetsUses>("use before ordered");
  expect_found<FreesEarly>("use before ordered");
  expect_found<ConfusesStreams>("use before ordered");
  expect_found<GivesUpEarly>("out of memory");
  expect_found<NeverReuses>("the pool grew");
}

TEST(Mistakes, ArePrinted) {
  const MakeSubject make = [](SimMachine& m) { return std::make_unique<ForgetsUses>(m); };
  Counters counters;
  const std::string report = soak(1, 100000, make, &counters);
  for (const char* part : {"seed ", "shrunk to ", "b0 = allocate(", "free(b0"})
    EXPECT_NE(report.find(part), std::string::npos) << report;
}

}  // namespace
}  // namespace tandem::test
