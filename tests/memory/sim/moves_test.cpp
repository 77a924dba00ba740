// Pages that move while work is pending on them: Note [Moved pages] in runtime/memory/moves.cpp.
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "tandem/error.h"
#include "tests/memory/sim/subject.h"

namespace tandem::test {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20, kPages = 20;  // of 40 MiB

/// Four blocks of 20 MiB on one stream, all under work; the first and the third are freed.
class Moves : public ::testing::Test {
 protected:
  Moves() {
    machine_.create_stream(1, &other_);
    for (Block*& b : parts_) b = allocate(20, stream_);
    pool().free(parts_[0]);
    pool().free(parts_[2]);
  }
  void TearDown() override {
    EXPECT_EQ(pool().verify(), "");
    subject_.reset();
    EXPECT_EQ(machine_.broken(), "");
    EXPECT_EQ(machine_.leaks(), "");
  }
  Pool& pool() { return subject_->pool(1); }
  Block* allocate(std::size_t mib, StreamId s) {
    Block* b = pool().allocate(mib * kMiB, s);
    machine_.kernel(s, Access{b->data, b->size, ++owners_, true});
    return b;
  }
  void free_rest(std::initializer_list<Block*> more) {
    for (Block* b : {parts_[1], parts_[3]}) pool().free(b);
    for (Block* b : more) pool().free(b);
  }
  void synchronize() {
    subject_->before_wait();
    machine_.user_synchronize(1);
    subject_->device_synchronized(1);
  }
  static SimOptions options() {
    SimOptions o;
    o.capacity = 1024 * kMiB;
    return o;
  }

  SimMachine machine_{options()};
  std::unique_ptr<PoolSubject> subject_ = std::make_unique<PoolSubject>(machine_);
  const StreamId stream_ = SimMachine::default_stream(1);
  StreamId other_;
  Block* parts_[4] = {};
  std::uint64_t owners_ = 0;
};

TEST_F(Moves, AtOnceForTheStreamItself) {
  Block* b = allocate(60, stream_);  // 40 are free in its order, apart
  EXPECT_EQ(machine_.held(1), 100 * kMiB);
  EXPECT_EQ(machine_.aliases(), kPages);
  EXPECT_EQ(machine_.calls(Call::Unmap), 0u);
  EXPECT_EQ(machine_.calls(Call::Synchronize) + machine_.calls(Call::EventWait), 0u);
  const MemoryStats s = pool().stats();
  EXPECT_EQ(s.reserved.current, 100 * kMiB);
  EXPECT_EQ(s.reserved.peak, 100 * kMiB);
  free_rest({b});
}

TEST_F(Moves, OldAddressesGoWhenTheWorkIsDone) {
  Block* b = allocate(60, stream_);
  EXPECT_EQ(pool().trim(), 0u);  // the work is pending
  EXPECT_EQ(machine_.calls(Call::Unmap), 0u);
  synchronize();
  EXPECT_EQ(pool().trim(), 0u);  // nothing is idle, but the addresses
  EXPECT_EQ(machine_.calls(Call::Unmap), kPages);
  EXPECT_EQ(machine_.held(1), 100 * kMiB);
  free_rest({b});
}

TEST_F(Moves, OnceMoreFromTheNewAddress) {
  Block* b = allocate(60, stream_);
  pool().free(b);
  pool().free(parts_[1]);
  Block* c = allocate(80, stream_);
  EXPECT_EQ(machine_.held(1), 100 * kMiB);
  EXPECT_EQ(pool().stats().reserved.peak, 100 * kMiB);
  pool().free(c);
  pool().free(parts_[3]);
  EXPECT_EQ(pool().empty_cache(), 100 * kMiB);
  EXPECT_EQ(machine_.held(1), 0u);
  EXPECT_EQ(machine_.held_elsewhere(1), 0u);
}

TEST_F(Moves, NotForAnotherStream) {
  Block* b = allocate(60, other_);
  EXPECT_EQ(machine_.held(1), 140 * kMiB);
  EXPECT_EQ(machine_.aliases(), 0u);
  free_rest({b});
}

TEST_F(Moves, NotWhileACaptureIsUnderWay) {
  const PoolId id = pool().open_private();
  Block* b = allocate(60, stream_);
  EXPECT_EQ(machine_.aliases(), 0u);
  EXPECT_EQ(machine_.held(1), 140 * kMiB);
  pool().end_private(id);
  subject_->close_private(1, id, {});
  free_rest({b});
}

TEST_F(Moves, CountUnderALimit) {
  pool().set_limit(100 * kMiB);
  Block* b = allocate(60, stream_);
  EXPECT_EQ(pool().stats().retries, 0u);
  EXPECT_EQ(machine_.calls(Call::Synchronize), 0u);
  free_rest({b});
}

/// Every page of 80 holds live ranges that end with it: all of them move.
TEST_F(Moves, AllSmallPagesWithinALimit) {
  std::vector<Block*> small;
  for (int i = 0; i < 80; ++i) {
    small.push_back(pool().allocate(512 << 10, other_));
    machine_.kernel(other_, Access{small.back()->data, 512 << 10, ++owners_, true});
  }
  const std::size_t before = machine_.held(1);
  pool().set_limit(before + 4 * kMiB);
  for (Block* b : small) pool().free(b);
  Block* b = allocate(40, other_);
  EXPECT_LE(machine_.held(1), before + 4 * kMiB);
  EXPECT_EQ(machine_.calls(Call::Synchronize), 0u);
  free_rest({b});
}

TEST_F(Moves, ThatAreRefusedDoNotBreakALimit) {
  pool().set_limit(100 * kMiB);
  machine_.set_faults({.at = 0, .only = Call::Map});
  Block* b = allocate(60, stream_);  // 40 MiB must move or be given back first
  EXPECT_LE(machine_.held(1), 100 * kMiB);
  EXPECT_LE(pool().stats().reserved.peak, 100 * kMiB);
  free_rest({b});
}

TEST_F(Moves, AreNotTakenFromTheDriver) {
  Block* b = allocate(60, stream_);
  EXPECT_EQ(pool().stats().reserved.total, 100 * kMiB);
  pool().free(b);
  pool().free(parts_[1]);
  const std::uint64_t hits = pool().stats().cache_hits;
  Block* c = allocate(80, stream_);  // all of it moves
  EXPECT_EQ(pool().stats().reserved.total, 100 * kMiB);
  EXPECT_EQ(pool().stats().cache_hits, hits + 1);
  pool().free(c);
  pool().free(parts_[3]);
}

TEST_F(Moves, GoOnAfterFailuresOfOtherKinds) {
  for (int i = 0; i < 5; ++i) {
    machine_.set_faults({.one_in = 1, .status = DriverStatus::OutOfMemory, .only = Call::Map});
    EXPECT_THROW(pool().allocate(60 * kMiB, stream_), OutOfMemory);
    machine_.set_faults({});
  }
  for (const int k : {0, 2}) parts_[k] = allocate(20, stream_);
  for (const int k : {0, 2}) pool().free(parts_[k]);
  Block* b = allocate(60, stream_);
  EXPECT_GT(machine_.aliases(), 0u);
  free_rest({b});
}

TEST_F(Moves, WhereTheDriverRefusesNewPagesDo) {
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t maps = machine_.calls(Call::Map);
    machine_.set_faults({.at = 0, .only = Call::Map});
    Block* b = allocate(60, stream_);
    // Once refused three times, none is asked for: the fault hits the first new page, and the
    // ladder is climbed again.
    if (i < 3) {
      EXPECT_EQ(machine_.calls(Call::Map), maps + 31);
      EXPECT_EQ(pool().stats().retries, 0u);
    }
    EXPECT_EQ(machine_.aliases(), 0u);
    machine_.set_faults({});
    pool().free(b);
    synchronize();
    pool().trim(40 * kMiB);
    for (const int k : {0, 2}) parts_[k] = allocate(20, stream_);
    for (const int k : {0, 2}) pool().free(parts_[k]);
  }
  free_rest({});
}

TEST_F(Moves, WhatCannotBeUnmappedStaysWithItsPage) {
  Block* b = allocate(60, stream_);
  free_rest({b});
  synchronize();
  machine_.set_faults({.one_in = 1, .only = Call::Unmap});
  EXPECT_EQ(pool().empty_cache(), 0u);  // no page goes while it has another address
  EXPECT_EQ(machine_.held(1), 100 * kMiB);
  machine_.set_faults({});
  EXPECT_EQ(pool().empty_cache(), 100 * kMiB);
}

/// Memory that is not the machine's: nothing runs on it.
class Lender final : public MemoryResource {
 public:
  void* allocate(std::size_t bytes, std::size_t align, void*) override {
    ++out;
    return std::aligned_alloc(align, bytes);
  }
  void deallocate(void* p, std::size_t, std::size_t, void*) override {
    --out;
    std::free(p);
  }
  int out = 0;
};

TEST_F(Moves, WhatCannotBeUnmappedKeepsNothingElse) {
  Lender lender;
  Block* b = allocate(60, stream_);  // leaves two places, as a block between them is live
  pool().set_resource(&lender);
  pool().free(pool().allocate(100 * kMiB, other_));
  pool().set_resource(nullptr);
  EXPECT_EQ(lender.out, 1);
  synchronize();
  machine_.set_faults({.at = 0, .only = Call::Unmap});
  const std::uint64_t unmaps = machine_.calls(Call::Unmap);
  pool().trim();
  EXPECT_EQ(lender.out, 0);
  EXPECT_EQ(machine_.calls(Call::Unmap), unmaps + 1 + kPages);  // and the first once more
  machine_.set_faults({});
  free_rest({b});
}

TEST_F(Moves, OfAStreamThatIsGone) {
  Block* mine[3];
  for (Block*& b : mine) b = allocate(20, other_);
  pool().free(mine[0]);
  pool().free(mine[2]);
  Block* b = allocate(60, other_);
  EXPECT_GT(machine_.aliases(), 0u);
  pool().free(b);
  pool().free(mine[1]);
  subject_->stream_destroyed(other_);
  machine_.destroy_stream(other_);
  synchronize();
  EXPECT_EQ(pool().trim(), 120 * kMiB);  // all but the two blocks of the other stream
  free_rest({});
}

}  // namespace
}  // namespace tandem::test
