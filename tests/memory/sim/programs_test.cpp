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
  const std::uint64_t steps = number("TANDEM_SOAK_STEPS", 1000000);
  Counters counters;
  const std::string wrong = soak(seed, steps, make_pools, &counters);
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), counters.str().c_str());
  EXPECT_EQ(wrong, "");
  EXPECT_GT(counters.moves, 0u);
}

/// What the programs do is legal, captures and other devices included.
TEST(Programs, AreLegal) {
  Counters counters;
  const MakeSubject plain = [](SimMachine& m) { return std::make_unique<PlainSubject>(m); };
  EXPECT_EQ(soak(1, number("TANDEM_SOAK_STEPS", 100000), plain, &counters), "");
  EXPECT_GT(counters.captures, 50u);
  EXPECT_GT(counters.replays, 100u);
  EXPECT_GT(counters.unwaited, 10u);
  EXPECT_GT(counters.peer_uses, 100u);
  std::printf("plain: %s\n", counters.str().c_str());
}

// ---- Every call of the driver failing once. ----

/// A short program that runs into the end of memory, and on a device that hardly gets on: where the
/// pool makes all kinds of calls.
Program tight(std::uint64_t seed) {
  Program p = generate(seed, 150);
  std::erase_if(p.ops, [&](const Op& op) {
    return op.kind == OpKind::Fault || (op.kind == OpKind::Run && seed % 2 == 0);
  });
  p.world.faults = true;
  p.world.verify_every = 16;
  if (seed % 3 != 0) p.world.machine.capacity = std::size_t{32} << 20;
  if (seed % 4 == 0) {  // segments are given back seldom otherwise
    p.world.machine.virtual_memory = false;
    for (std::size_t i = 25; i < p.ops.size(); i += 25)
      p.ops.insert(p.ops.begin() + static_cast<std::ptrdiff_t>(i), {OpKind::EmptyCache, 0, 0, 0});
  }
  return p;
}

TEST(Programs, EveryCallFailing) {
  constexpr auto kKinds = static_cast<std::uint8_t>(Call::kFallible);
  Counters counters;
  for (std::uint64_t seed = 1; seed <= 72; ++seed) {
    Program p = tight(seed);
    p.ops.insert(p.ops.begin(), {OpKind::Fault, 0, 0, 0});
    Op& fault = p.ops[0];
    for (fault.b = 0; fault.b < kKinds; ++fault.b) {
      // Until the program makes no such call any more.
      for (std::uint64_t before = ~counters.faults; before != counters.faults; ++fault.n) {
        before = counters.faults;
        for (fault.a = 0; fault.a < 2; ++fault.a) {
          const std::string wrong = run(p, make_pools, &counters);
          ASSERT_EQ(wrong, "") << print(shrink(p, make_pools));
        }
      }
      fault.n = 0;
    }
  }
  for (const Call call :
       {Call::Allocate, Call::Free, Call::MemoryInfo, Call::Reserve, Call::Release, Call::Create,
        Call::Destroy, Call::Map, Call::Unmap, Call::EventCreate, Call::EventRecord,
        Call::EventQuery, Call::StreamQuery, Call::StreamWaitEvent, Call::Synchronize}) {
    EXPECT_GT(counters.faults_of[static_cast<unsigned>(call)], 10u) << static_cast<unsigned>(call);
  }
  std::printf("%llu programs with a failing call each\n",
              static_cast<unsigned long long>(counters.programs));
}

// ---- All short programs. ----

/// All programs of `depth` ops on two streams and three blocks of a size, but for those that are
/// another with streams or blocks renamed, or with an op that does nothing.
class SmallScope {
 public:
  SmallScope(World world, std::uint32_t bytes, unsigned depth) : bytes_(bytes), depth_(depth) {
    program_.world = world;
    program_.world.streams = 2;
    program_.world.blocks = 3;
    program_.world.verify_every = 1u << 30;  // at the end
  }
  std::string explore() {
    descend(State{});
    return wrong_;
  }
  std::uint64_t programs() const { return programs_; }

 private:
  struct State {
    bool live[3] = {};
    bool used[3] = {};    // on the other stream, since the last allocation
    int on[3] = {};       // the stream it was allocated on
    bool work[2] = {};    // of a stream, behind its event
    bool event[2] = {};   // recorded
    bool waited[2] = {};  // for that event, by the other stream
    bool busy = false;    // something may run
    bool any = false;     // the first op was
  };

  void leaf() {
    ++programs_;
    if (run(program_, make_pools).empty()) return;
    const Program small = shrink(program_, make_pools);
    wrong_ = run(small, make_pools) + "\n" + print(small);
  }
  void with(OpKind kind, int a, int b, const State& next) {
    program_.ops.push_back(
        {kind, static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b), op_number(kind)});
    descend(next);
    program_.ops.pop_back();
  }
  std::uint32_t op_number(OpKind kind) const { return kind == OpKind::Allocate ? bytes_ : 0; }

  void descend(const State& s) {
    if (!wrong_.empty()) return;
    if (program_.ops.size() == depth_) return leaf();
    blocks(s);
    events(s);
    if (s.busy) {
      State n = s;
      n.busy = false;
      with(OpKind::Run, 0, 255, n);
    }
  }

  void blocks(const State& s) {
    int spare = 0;
    while (spare < 3 && s.live[spare]) ++spare;
    for (int on = 0; spare < 3 && on < (s.any ? 2 : 1); ++on) {
      State n = s;
      n.any = n.live[spare] = n.work[on] = n.busy = true;
      n.used[spare] = false;
      n.on[spare] = on;
      with(OpKind::Allocate, spare, on, n);
    }
    for (int i = 0; i < 3; ++i) {
      if (!s.live[i]) continue;
      const int other = 1 - s.on[i];
      State n = s;
      n.live[i] = false;
      with(OpKind::Free, i, 0, n);
      n.work[other] = n.busy = true;
      with(OpKind::FreeOn, i, other, n);
      n.live[i] = n.used[i] = true;
      if (!s.used[i]) with(OpKind::Use, i, other, n);
    }
  }

  void events(const State& s) {
    for (int on = 0; on < 2; ++on) {
      State n = s;
      if (s.work[on]) {
        n.event[on] = n.busy = true;
        n.waited[on] = n.work[on] = false;
        with(OpKind::Record, on, on, n);
        n = s;
        n.work[on] = false;
        with(OpKind::SyncStream, 0, on, n);
      }
      if (s.event[on] && !s.waited[on]) {
        n = s;
        n.waited[on] = n.work[1 - on] = n.busy = true;
        with(OpKind::Wait, on, 1 - on, n);
        n = s;
        n.event[on] = false;
        with(OpKind::Query, on, 0, n);
      }
    }
  }

  Program program_;
  const std::uint32_t bytes_;
  const unsigned depth_;
  std::uint64_t programs_ = 0;
  std::string wrong_;
};

TEST(Programs, AllOfASmallScope) {
  const auto depth = static_cast<unsigned>(number("TANDEM_SCOPE_DEPTH", 6));
  World tight;  // room for two of the large blocks
  tight.machine.capacity = std::size_t{90} << 20;
  for (const std::uint32_t bytes : {std::uint32_t{40} << 20, std::uint32_t{512}}) {
    SmallScope scope(tight, bytes, depth);
    ASSERT_EQ(scope.explore(), "");
    std::printf("%llu programs of %u ops, blocks of %u bytes\n",
                static_cast<unsigned long long>(scope.programs()), depth, bytes);
  }
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
    if (b->data == nullptr) return;
    const unsigned device = b->stream.device();
    PoolSubject::free(b);
    before_wait();
    device_synchronized(device);
  }
  void free(Block* b, StreamId s) override {
    PoolSubject::free(b, s);
    before_wait();
    device_synchronized(s.device());
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
  expect_found<Leaks>("reserved with nothing live");
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
