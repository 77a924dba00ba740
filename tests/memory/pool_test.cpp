// The caching pool: reuse, streams, splitting, statistics, and random programs against a reference.
#include "runtime/memory/pool.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "tandem/error.h"
#include "tests/memory/pool_fixture.h"

namespace tandem {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

TEST(SizeClasses, RoundUpTightlyAndInOrder) {
  for (const std::size_t granule : {16, 64, 512}) {
    const memory::SizeClasses classes(granule);
    ASSERT_LE(classes.count(), memory::kMaxClasses);
    int previous = 0;
    for (std::size_t n = 1; n <= memory::kLargeLimit; n += n < 8 * granule ? 1 : 13) {
      const int c = classes.of(n);
      ASSERT_GE(c, previous);
      ASSERT_LE(c, previous + 1);
      previous = c;
      ASSERT_GE(classes.bytes(c), n);
      ASSERT_EQ(classes.bytes(c) % granule, 0u);
      ASSERT_EQ(classes.of(classes.bytes(c)), c);
      ASSERT_LE(classes.bytes(c), n + granule + n / 4);
      if (c > 0) {
        ASSERT_LT(classes.bytes(c - 1), n);
      }
    }
    EXPECT_EQ(previous, classes.count() - 1);
  }
}

TEST(SizeClasses, RangesRoundWithinTheirBounds) {
  for (std::size_t n = memory::kSlabLimit + 1; n < (std::size_t{1} << 34); n += n / 7 + 1) {
    const std::size_t r = memory::range_bytes(n);
    ASSERT_GE(r, n);
    ASSERT_EQ(r % memory::kUnit, 0u);
    ASSERT_EQ(memory::range_bytes(r), r);
    ASSERT_LE(r - n, std::max(n / (n <= kMiB ? 4 : 16), memory::kUnit));
    ASSERT_LT(r - n, 2 * kMiB);
  }
}

TEST_F(PoolTest, DirectAllocationsAreTheDriversOwn) {
  device_.any_size = true;
  setenv("TANDEM_POOL", "direct", 1);
  pool();
  unsetenv("TANDEM_POOL");
  std::vector<Block*> blocks;
  const std::size_t sizes[] = {1, 100, 3 * kKiB, 300 * kKiB, 5 * kMiB + 7, 100};
  for (const std::size_t bytes : sizes) {
    blocks.push_back(pool().allocate(bytes, stream(1)));
    const auto segment = device_.segments.find(blocks.back()->data);
    ASSERT_NE(segment, device_.segments.end());
    EXPECT_GE(segment->second, bytes);
    EXPECT_LT(segment->second, bytes + 16);
  }
  EXPECT_EQ(pool().verify(), "");
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    pool().free(blocks[i]);
    EXPECT_EQ(device_.segments.size(), blocks.size() - 1 - i);  // nothing is kept
  }
  EXPECT_EQ(pool().stats().reserved.current, 0u);
  EXPECT_EQ(pool().stats().frees, std::size(sizes));
}

TEST_F(PoolTest, DirectIsForDriversThatTakeAnySize) {
  setenv("TANDEM_POOL", "direct", 1);
  pool().free(pool().allocate(100, stream(1)));
  unsetenv("TANDEM_POOL");
  EXPECT_EQ(device_.segments.size(), 1u);  // cached
}

TEST_F(PoolTest, SameStreamReusesAtOnce) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{100}, 3 * kKiB, 200 * kKiB, 300 * kKiB, 5 * kMiB, 70 * kMiB}) {
    Block* a = pool().allocate(bytes, stream(1));
    ASSERT_NE(a->data, nullptr);
    EXPECT_GE(a->size, bytes);
    EXPECT_EQ(a->requested, bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a->data) % device_.block_alignment, 0u);
    std::byte* where = a->data;
    pool().free(a);
    const int before = device_.allocations;
    Block* b = pool().allocate(bytes, stream(1));
    EXPECT_EQ(b->data, where);
    EXPECT_EQ(device_.allocations, before);
    pool().free(b);
  }
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolTest, ZeroBytesTakeNothing) {
  Block* a = pool().allocate(0);
  Block* b = pool().allocate(0, stream(4));
  EXPECT_EQ(a->data, nullptr);
  EXPECT_EQ(a->size, 0u);
  pool().record_use(a, stream(2));
  pool().free(a);
  pool().free(b, stream(2));
  const MemoryStats s = pool().stats();
  EXPECT_EQ(s.allocations, 0u);
  EXPECT_EQ(s.reserved.total, 0u);
  EXPECT_EQ(device_.calls, 0);
}

TEST_F(PoolTest, OtherStreamsDoNotReuseWhatIsInFlight) {
  device_.asynchronous = true;
  for (const std::size_t bytes : {std::size_t{64}, 300 * kKiB, 20 * kMiB}) {
    ++device_.queued[1];
    Block* a = pool().allocate(bytes, stream(1));
    std::byte* where = a->data;
    pool().free(a);
    Block* b = pool().allocate(bytes, stream(2));
    EXPECT_NE(b->data, where);
    Block* c = pool().allocate(bytes, stream(1));
    EXPECT_EQ(c->data, where);
    pool().free(b);
    pool().free(c);
  }
  // Streams that share a slot of the thread's caches (ids that differ by a multiple) stay apart
  // too.
  ++device_.queued[5];
  Block* a = pool().allocate(64, stream(5));
  std::byte* where = a->data;
  pool().free(a);
  Block* b = pool().allocate(64, stream(5 + memory::kSlots - 1));
  EXPECT_NE(b->data, where);
  pool().free(b);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolTest, OtherStreamsReuseWhatIsDone) {
  device_.asynchronous = true;
  const std::size_t bytes = 40 * kMiB;
  device_.queued[1] = device_.done[1] = 7;
  Block* a = pool().allocate(bytes, stream(1));
  std::byte* where = a->data;
  pool().free(a);
  for (std::uint64_t s = 2; s < 40; ++s) {  // a fresh stream each time
    Block* b = pool().allocate(bytes, stream(s));
    EXPECT_EQ(b->data, where);
    pool().free(b);
  }
  EXPECT_EQ(device_.allocations, 1);
  EXPECT_EQ(device_.waits + device_.synchronizations, 0);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolTest, AStreamReusesWhatItHasWaitedFor) {
  device_.asynchronous = true;
  const std::size_t bytes = 40 * kMiB;
  device_.queued[1] = device_.queued[2] = 5;
  Block* a = pool().allocate(bytes, stream(1));
  std::byte* where = a->data;
  pool().free(a);
  // Stream 3 waits for 2, which waited for 1: as a user's events would have it.
  order_.waited(stream(2), order_.recording(stream(1)));
  order_.waited(stream(3), order_.recording(stream(2)));
  Block* other = pool().allocate(bytes, stream(4));
  EXPECT_NE(other->data, where);
  Block* b = pool().allocate(bytes, stream(3));
  EXPECT_EQ(b->data, where);
  EXPECT_EQ(device_.allocations, 2);
  EXPECT_EQ(device_.waits, 0);
  pool().free(other);
  pool().free(b);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolTest, JoinsAcrossStreamsBeforeGrowing) {
  device_.asynchronous = true;
  std::vector<Block*> blocks;
  for (std::uint64_t i = 0; i < 16; ++i) blocks.push_back(pool().allocate(2 * kMiB, stream(i)));
  EXPECT_EQ(device_.allocations, 1);
  for (Block* b : blocks) pool().free(b);
  Block* all = pool().allocate(32 * kMiB, stream(20));
  EXPECT_EQ(device_.allocations, 1);
  pool().free(all);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolTest, SlabsOfOtherStreamsAreTakenOver) {
  device_.asynchronous = true;
  device_.capacity = 2 * kMiB;
  std::vector<Block*> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(pool().allocate(256 * kKiB, stream(1)));
  std::byte* where = blocks[3]->data;
  pool().free(blocks[3]);
  pool().trim(kMax);  // gives the thread's cached block back
  Block* taken = pool().allocate(256 * kKiB, stream(2));
  EXPECT_EQ(taken->data, where);
  EXPECT_EQ(taken->stream, stream(2));
  // A block of the slab that its first stream still has comes back in that stream's order.
  ++device_.queued[1];
  where = blocks[2]->data;
  pool().free(blocks[2]);
  EXPECT_EQ(pool().verify(), "");
  EXPECT_EQ(pool().stats().pending, 256 * kKiB);
  blocks[2] = pool().allocate(256 * kKiB, stream(2));  // there is no other memory
  EXPECT_EQ(blocks[2]->data, where);
  EXPECT_GE(device_.synchronizations + static_cast<int>(pool().stats().waits), 1);
  blocks[3] = taken;
  for (Block* b : blocks) pool().free(b);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolTest, PrivatePoolsAreApart) {
  Block* a = pool().allocate(1000, stream(1), PoolId{7});
  std::byte* where = a->data;
  pool().free(a);
  Block* b = pool().allocate(1000, stream(1));
  EXPECT_NE(b->data, where);
  Block* c = pool().allocate(1000, stream(1), PoolId{7});
  EXPECT_EQ(c->data, where);
  pool().free(b);
  pool().free(c);
  const std::size_t reserved = pool().stats().reserved.current;
  EXPECT_LT(pool().empty_cache(), reserved);  // what a graph may use stays
  pool().close_private(PoolId{7});
  EXPECT_EQ(pool().stats().reserved.current, 0u);
}

TEST_F(PoolTest, UseOnAnotherStreamDefersReuse) {
  device_.asynchronous = true;
  for (const std::size_t bytes : {std::size_t{64}, 300 * kKiB, 20 * kMiB}) {
    for (const std::uint64_t s : {2, 3}) ++device_.queued[s];
    Block* a = pool().allocate(bytes, stream(1));
    std::byte* where = a->data;
    pool().record_use(a, stream(1));  // its own: nothing
    pool().record_use(a, stream(2));
    pool().record_use(a, stream(3));
    pool().record_use(a, stream(2));
    pool().free(a);
    EXPECT_EQ(pool().stats().pending, a->size);
    Block* b = pool().allocate(bytes, stream(1));
    EXPECT_NE(b->data, where);
    synchronize(2);
    pool().trim(kMax);
    EXPECT_NE(pool().stats().pending, 0u);
    EXPECT_EQ(pool().verify(), "");
    synchronize(3);
    pool().trim(kMax);
    EXPECT_EQ(pool().stats().pending, 0u);
    const int before = device_.allocations;
    Block* c = pool().allocate(bytes, stream(1));
    EXPECT_EQ(device_.allocations, before);
    EXPECT_TRUE(bytes < kMiB || c->data == where);  // smaller ones have other free places
    pool().free(b);
    pool().free(c);
  }
}

TEST_F(PoolTest, EventsLetPendingBlocksGoWithoutWaiting) {
  device_.asynchronous = true;
  const std::size_t bytes = 40 * kMiB;
  for (const std::uint64_t s : {1, 2, 3}) device_.queued[s] = 10;
  Block* a = pool().allocate(bytes, stream(1));
  Block* b = pool().allocate(bytes, stream(1));
  std::byte *at_a = a->data, *at_b = b->data;
  pool().free(a, stream(2));  // stream 2 is slow: it holds back nobody else's blocks
  pool().free(b, stream(3));
  EXPECT_EQ(pool().stats().events, 0u);  // until someone wants to know
  device_.finish(3);
  Block* c = pool().allocate(bytes, stream(1));
  EXPECT_EQ(c->data, at_b);
  EXPECT_EQ(pool().stats().events, 1u);  // stream 3 is asked, and has no work
  EXPECT_EQ(device_.allocations, 2);
  EXPECT_EQ(device_.queries, 3);  // both streams, and the event on the second
  Block* d = pool().allocate(bytes, stream(1));
  EXPECT_EQ(device_.allocations, 3);
  device_.queued[2] = 20;
  device_.done[2] = 10;  // done with what it had at the free
  Block* e = pool().allocate(bytes, stream(1));
  EXPECT_EQ(e->data, at_a);
  EXPECT_EQ(device_.allocations, 3);
  EXPECT_EQ(device_.synchronizations, 0);
  for (Block* x : {c, d, e}) pool().free(x);
}

TEST_F(PoolTest, AsksABusyStreamOnce) {
  device_.asynchronous = true;
  device_.queued[2] = 1;
  std::vector<Block*> blocks;
  for (int i = 0; i < 50; ++i) blocks.push_back(pool().allocate(300 * kKiB, stream(1)));
  for (Block* b : blocks) pool().free(b, stream(2));
  Block* c = pool().allocate(100 * kMiB, stream(1));
  EXPECT_EQ(device_.queries, 2);  // the stream, and the event on it
  pool().free(c);
}

TEST_F(PoolTest, FreeOnAnotherStreamWaitsForItsSynchronisation) {
  device_.asynchronous = true;
  device_.queued[2] = 1;
  Block* a = pool().allocate(kMiB, stream(1));
  Block* late = pool().allocate(kMiB, stream(1));
  pool().free(a, stream(2));
  const memory::Point point = order_.waiting(stream(2));
  pool().free(late, stream(2));  // after the wait began: its work may not be covered
  order_.waited_for(point);
  pool().trim(kMax);
  EXPECT_EQ(pool().stats().pending, kMiB);
  EXPECT_GT(pool().empty_cache(), 0u);
  EXPECT_EQ(device_.synchronizations, 1);
  EXPECT_EQ(pool().stats().pending, 0u);
  EXPECT_EQ(pool().stats().reserved.current, 0u);
}

TEST_F(PoolTest, TrimKeepsWhatIsFreedWhileItWaits) {
  device_.asynchronous = true;
  Block* a = pool().allocate(40 * kMiB, stream(1));
  Block* b = pool().allocate(50 * kMiB, stream(1));
  pool().free(a);
  device_.during_synchronize = [&] {
    ++device_.queued[1];
    pool().free(b);  // its stream still works on it
  };
  EXPECT_EQ(pool().empty_cache(), 40 * kMiB);
  device_.during_synchronize = nullptr;
  EXPECT_EQ(pool().stats().reserved.current, 50 * kMiB);
  EXPECT_EQ(pool().empty_cache(), 50 * kMiB);
}

TEST_F(PoolTest, TrimDoesNotWait) {
  device_.asynchronous = true;
  Block* busy = pool().allocate(40 * kMiB, stream(1));
  Block* idle = pool().allocate(50 * kMiB, stream(2));
  device_.queued[1] = 1;
  pool().free(busy);
  pool().free(idle);
  EXPECT_EQ(pool().trim(), 50 * kMiB);
  EXPECT_EQ(pool().stats().reserved.current, 40 * kMiB);
  EXPECT_EQ(device_.synchronizations, 0);
  device_.finish(1);
  EXPECT_EQ(pool().trim(64 * kMiB), 0u);  // no more than that is held
  EXPECT_EQ(pool().trim(), 40 * kMiB);
}

TEST_F(PoolTest, NeighboursJoin) {
  std::vector<Block*> blocks;
  for (int i = 0; i < 16; ++i) blocks.push_back(pool().allocate(2 * kMiB));
  EXPECT_EQ(device_.allocations, 1);
  for (int i = 1; i < 16; i += 2) pool().free(blocks[i]);
  EXPECT_EQ(pool().stats().largest_free, 2 * kMiB);
  for (int i = 0; i < 16; i += 2) pool().free(blocks[i]);
  EXPECT_EQ(pool().stats().largest_free, 32 * kMiB);
  EXPECT_EQ(pool().verify(), "");
  EXPECT_EQ(pool().empty_cache(), 32 * kMiB);
}

TEST_F(PoolTest, Statistics) {
  Block* a = pool().allocate(100);
  Block* b = pool().allocate(40 * kMiB + 1);
  MemoryStats s = pool().stats();
  EXPECT_EQ(s.requested.current, 100 + 40 * kMiB + 1);
  EXPECT_EQ(s.allocated.current, 128 + 42 * kMiB);
  EXPECT_EQ(s.reserved.current, 44 * kMiB);
  EXPECT_EQ(s.driver_allocations, 2u);
  EXPECT_EQ(s.cache_hits, 0u);
  pool().free(b);
  Block* c = pool().allocate(90);
  Block* d = pool().allocate(30 * kMiB);
  s = pool().stats();
  EXPECT_EQ(s.requested.current, 190 + 30 * kMiB);
  EXPECT_EQ(s.requested.peak, 100 + 40 * kMiB + 1);
  EXPECT_EQ(s.requested.total, 190 + 70 * kMiB + 1);
  EXPECT_EQ(s.allocated.peak, 128 + 42 * kMiB);
  EXPECT_EQ(s.cache_hits, 2u);
  EXPECT_EQ(s.allocations, 4u);
  EXPECT_EQ(s.frees, 1u);
  EXPECT_EQ(s.limit, kMax);
  pool().reset_peak();
  s = pool().stats();
  EXPECT_EQ(s.requested.peak, 190 + 30 * kMiB);
  EXPECT_EQ(s.allocated.peak, 256 + 30 * kMiB);
  for (Block* x : {a, c, d}) pool().free(x);
  pool().empty_cache();
  s = pool().stats();
  EXPECT_EQ(s.requested.current + s.allocated.current + s.reserved.current, 0u);
  EXPECT_EQ(s.reserved.peak, 44 * kMiB);
  EXPECT_EQ(s.driver_frees, 2u);
  EXPECT_EQ(s.frees, 4u);
}

TEST_F(PoolTest, PeakOfSmallBlocksIsExact) {
  std::vector<Block*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(pool().allocate(64));
  for (Block* b : blocks) pool().free(b);
  for (int i = 0; i < 10; ++i) pool().free(pool().allocate(64));
  const MemoryStats s = pool().stats();
  EXPECT_EQ(s.allocated.peak, 64000u);
  EXPECT_EQ(s.allocated.current, 0u);
  EXPECT_EQ(s.allocated.total, 64u * 1010);
}

// ---- A random program against a reference of what is live. ----

class Ranges {
 public:
  bool add(const Block* b) {
    const auto from = reinterpret_cast<std::uintptr_t>(b->data);
    const auto after = at_.lower_bound(from);
    if (after != at_.end() && after->first < from + b->size) return false;
    if (after != at_.begin() && std::prev(after)->second > from) return false;
    at_[from] = from + b->size;
    return true;
  }
  void remove(const Block* b) { at_.erase(reinterpret_cast<std::uintptr_t>(b->data)); }

 private:
  std::map<std::uintptr_t, std::uintptr_t> at_;
};

/// What freed memory must wait for: its own stream's work for other streams, and every other
/// stream's that used it.
struct Freed {
  std::uintptr_t from, to;
  std::uint64_t own, own_count;
  std::map<std::uint64_t, std::uint64_t> others;
};

/// Whether work of `s` on the block's memory could meet work of the block's earlier owners.
bool conflicts(FakeDevice& device, std::vector<Freed>& freed, const Block* b, std::uint64_t s) {
  std::erase_if(freed, [&](const Freed& f) {
    bool done = device.passed(f.own, f.own_count);
    for (const auto& [other, count] : f.others) done = done && device.passed(other, count);
    return done;
  });
  const auto from = reinterpret_cast<std::uintptr_t>(b->data);
  for (const Freed& f : freed) {
    if (f.to <= from || from + b->size <= f.from) continue;
    if (!device.ordered(s, f.own, f.own_count)) return true;
    for (const auto& [other, count] : f.others) {
      if (!device.ordered(s, other, count)) return true;
    }
  }
  return false;
}

/// One random program on a pool, checked after every step against what it knows is live and in
/// flight.
class RandomProgram {
 public:
  RandomProgram(Pool& pool, FakeDevice& device, std::uint64_t seed)
      : pool_(pool), device_(device), rng_(seed), out_of_memory_(pool.stats().out_of_memory) {}

  void run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFatalFailure(); ++step) {
      SCOPED_TRACE(step);
      const std::uint64_t what = rng_() % 100, s = rng_() % 3;
      if (what < 50 || live_.empty()) {
        allocate(s);
      } else if (what < 92) {
        release(rng_() % live_.size());
      } else if (what == 92) {
        pool_.empty_cache();
      } else if (what == 93) {
        const memory::Point point = pool_.order().waiting(stream(s));
        device_.finish(s);
        pool_.order().waited_for(point);
      } else if (what < 97) {
        device_.advance(s, device_.done[s] + (device_.queued[s] - device_.done[s]) / 2);
      } else {
        const std::size_t i = rng_() % live_.size();
        pool_.record_use(live_[i].block, stream(s));
        use(live_[i].block, s);
      }
      if (step % 64 == 0) check();
    }
    while (!live_.empty()) release(live_.size() - 1);
    pool_.close_private(PoolId{1});
    pool_.empty_cache();
    check();
    ASSERT_EQ(pool_.stats().reserved.current, 0u);
    ASSERT_EQ(pool_.stats().pending, 0u);
    ASSERT_TRUE(device_.segments.empty());
  }

 private:
  void use(const Block* b, std::uint64_t s) {
    if (!device_.asynchronous) return;
    ++device_.queued[s];
    used_[b].insert(s);
  }

  void allocate(std::uint64_t s) {
    const std::size_t bytes = random_size(rng_);
    Block* b = nullptr;
    try {
      b = pool_.allocate(bytes, stream(s), rng_() % 16 == 0 ? PoolId{1} : PoolId::Shared);
    } catch (const OutOfMemory&) {
      ++out_of_memory_;
      if (!live_.empty()) release(rng_() % live_.size());
      return;
    }
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(b->data) % device_.block_alignment, 0u);
    ASSERT_GE(b->size, bytes);
    ASSERT_TRUE(ranges_.add(b)) << "two live blocks overlap";
    ASSERT_FALSE(conflicts(device_, freed_, b, s)) << "reused before another stream was done";
    live_.push_back({b, bytes, static_cast<unsigned char>(rng_())});
    fill(live_.back());
    requested_ += bytes;
    use(b, s);
  }

  void release(std::size_t i) {
    ASSERT_TRUE(intact(live_[i]));
    Block* b = live_[i].block;
    ranges_.remove(b);
    requested_ -= live_[i].bytes;
    const std::uint64_t own = FakeDevice::number(b->stream);
    const std::uint64_t where = rng_() % 8 == 0 ? rng_() % 3 : own;
    use(b, where);
    Freed f{reinterpret_cast<std::uintptr_t>(b->data),
            reinterpret_cast<std::uintptr_t>(b->data) + b->size,
            own,
            device_.queued[own],
            {}};
    for (const std::uint64_t s : used_[b]) f.others[s] = device_.queued[s];
    freed_.push_back(f);
    used_.erase(b);
    pool_.free(b, stream(where));
    live_[i] = live_.back();
    live_.pop_back();
  }

  void check() {
    ASSERT_EQ(pool_.verify(), "");
    const MemoryStats s = pool_.stats();
    ASSERT_EQ(s.requested.current, requested_);
    ASSERT_EQ(s.reserved.current, device_.used);
    ASSERT_EQ(s.out_of_memory, out_of_memory_);
    ASSERT_EQ(s.allocations - s.frees, live_.size());  // of this program: the last one freed all
  }

  Pool& pool_;
  FakeDevice& device_;
  std::mt19937_64 rng_;
  std::uint64_t out_of_memory_;
  std::vector<Live> live_;
  Ranges ranges_;
  std::map<const Block*, std::set<std::uint64_t>> used_;
  std::vector<Freed> freed_;
  std::size_t requested_ = 0;
};

TEST_F(PoolTest, RandomPrograms) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    pool_.reset();
    device_.asynchronous = seed % 2 == 0;
    device_.capacity =
        seed % 4 < 2 ? 1024 * kMiB : 96 * kMiB;  // the second runs out again and again
    RandomProgram(pool(), device_, seed).run(3000);
    if (HasFatalFailure()) return;
  }
}

TEST_F(PoolTest, DoesNotGrowWhileAFreeBlockFits) {
  std::mt19937_64 rng(5);
  std::vector<Block*> live;
  for (int step = 0; step < 4000; ++step) {
    if (rng() % 2 == 0 && !live.empty()) {
      std::swap(live[rng() % live.size()], live.back());
      pool().free(live.back());
      live.pop_back();
      continue;
    }
    const std::size_t bytes =
        kMiB + 1 + rng() % (12 * kMiB);  // one kind of segment, so that largest_free decides
    const std::size_t largest = pool().stats().largest_free;
    const int before = device_.allocations;
    try {
      live.push_back(pool().allocate(bytes));
    } catch (const OutOfMemory&) {
      ASSERT_LT(largest, bytes);
      continue;
    }
    if (largest >= memory::range_bytes(bytes)) {
      ASSERT_EQ(device_.allocations, before);
    }
  }
  for (Block* b : live) pool().free(b);
}

}  // namespace
}  // namespace tandem
