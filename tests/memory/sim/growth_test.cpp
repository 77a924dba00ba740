// Growing in address space: from which pages, and what it leaves alone.
#include <gtest/gtest.h>

#include "tandem/error.h"
#include "tests/memory/sim/subject.h"

namespace tandem::test {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

class Growth : public ::testing::Test {
 protected:
  static SimOptions options() {
    SimOptions o;
    o.capacity = 1024 * kMiB;
    o.asynchronous = false;
    return o;
  }
  Pool& pool() { return subject_.pool(1); }
  Block* allocate(std::size_t mib) { return pool().allocate(mib * kMiB, stream_); }
  void expect_kept() {
    EXPECT_EQ(pool().verify(), "");
    EXPECT_EQ(machine_.broken(), "");
  }

  SimMachine machine_{options()};
  PoolSubject subject_{machine_};
  const StreamId stream_ = SimMachine::default_stream(1);
};

TEST_F(Growth, LeavesTheNeighbourThatItCountsOnItsPages) {
  pool().free(allocate(40));
  Block* b = allocate(60);  // the 40 and 20 more
  EXPECT_EQ(machine_.held(1), 60 * kMiB);
  EXPECT_EQ(machine_.calls(Call::Unmap), 0u);
  EXPECT_EQ(machine_.calls(Call::Synchronize), 0u);
  EXPECT_EQ(pool().stats().retries, 0u);
  pool().free(b);
  expect_kept();
}

TEST_F(Growth, TakesTheFreePagesThatThereAre) {
  Block* parts[4];
  for (Block*& b : parts) b = allocate(20);
  pool().free(parts[0]);
  pool().free(parts[2]);
  Block* b = allocate(60);  // 40 are free, apart
  EXPECT_EQ(machine_.held(1), 100 * kMiB);
  for (Block* x : {parts[1], parts[3], b}) pool().free(x);
  expect_kept();
}

TEST_F(Growth, FreePagesCountUnderALimit) {
  Block* parts[4];
  for (Block*& b : parts) b = allocate(20);
  pool().free(parts[0]);
  pool().free(parts[2]);
  pool().set_limit(100 * kMiB);
  Block* b = allocate(60);
  EXPECT_EQ(pool().stats().retries, 0u);
  for (Block* x : {parts[1], parts[3], b}) pool().free(x);
  expect_kept();
}

TEST_F(Growth, WhatIsHopelessMovesNoPages) {
  Block* parts[4];
  for (Block*& b : parts) b = allocate(20);
  pool().free(parts[0]);
  pool().free(parts[2]);
  pool().set_limit(90 * kMiB);
  EXPECT_THROW(allocate(91), OutOfMemory);
  EXPECT_EQ(machine_.calls(Call::Unmap), 0u);
  EXPECT_EQ(machine_.held(1), 80 * kMiB);
  for (Block* x : {parts[1], parts[3]}) pool().free(x);
  expect_kept();
}

/// Two streams whose free memory lies side by side: what grows for one beside memory that is free
/// for all must find it there afterwards.
TEST_F(Growth, OfVaryingSizesGivesNothingBack) {
  std::size_t most = 0;
  for (std::size_t mib = 3; mib < 200; mib += mib / 3) {
    Block* small = allocate(3);
    Block* large = allocate(mib);
    most = std::max(most, mib + 3);
    pool().free(large);
    pool().free(small);
  }
  EXPECT_EQ(pool().stats().retries, 0u);
  EXPECT_LE(machine_.held(1), (most + 12) * kMiB);
  expect_kept();
}

TEST_F(Growth, AsksForAddressSpaceAgain) {
  machine_.set_faults({0, 0, DriverStatus::OutOfMemory, Call::Reserve});
  Block* segment = allocate(20);
  EXPECT_EQ(machine_.calls(Call::Allocate), 1u);  // whole, as there is no address space
  EXPECT_EQ(machine_.calls(Call::Map), 0u);
  Block* pages = allocate(40);
  EXPECT_EQ(machine_.calls(Call::Allocate), 1u);
  EXPECT_EQ(machine_.calls(Call::Map), 20u);
  pool().free(segment);
  pool().free(pages);
  pool().empty_cache();
  EXPECT_EQ(machine_.held(1), 0u);
  expect_kept();
}

class StreamsGrowth : public Growth {
 protected:
  StreamsGrowth() : pool_(subject_two_.pool(1)) { machine_two_.create_stream(1, &other_); }
  static SimOptions asynchronous() {
    SimOptions o = options();
    o.asynchronous = true;
    o.capacity = 8192 * kMiB;
    return o;
  }
  SimMachine machine_two_{asynchronous()};
  PoolSubject subject_two_{machine_two_};
  Pool& pool_;
  StreamId other_;
};

TEST_F(StreamsGrowth, WhatAnotherStreamMayHaveOfARangeIsAllThatItTakes) {
  Block* b = pool_.allocate(60 * kMiB, stream_);
  machine_two_.kernel(stream_, Access{b->data, b->requested, 1, true});
  pool_.free(b);
  const EventHandle e = machine_two_.user_event_create(1);
  subject_two_.event_recorded(e, stream_);
  machine_two_.user_event_record(e, stream_);
  machine_two_.user_stream_wait_event(other_, e);
  subject_two_.event_waited(e, other_);
  machine_two_.user_event_destroy(e);
  Block* theirs = pool_.allocate(20 * kMiB, other_);
  machine_two_.kernel(other_, Access{theirs->data, theirs->requested, 2, true});
  Block* own = pool_.allocate(40 * kMiB, stream_);  // the rest, at once
  machine_two_.kernel(stream_, Access{own->data, own->requested, 3, true});
  EXPECT_EQ(machine_two_.held(1), 60 * kMiB);
  pool_.free(theirs);
  pool_.free(own);
  EXPECT_EQ(pool_.verify(), "");
  EXPECT_EQ(machine_two_.broken(), "");
}

TEST_F(StreamsGrowth, StreamsDoNotKeepEachOtherFromGrowing) {
  Block* own = pool_.allocate(10 * kMiB, stream_);
  Block* theirs = pool_.allocate(10 * kMiB, other_);
  machine_two_.kernel(stream_, Access{own->data, own->requested, 1, true});
  pool_.free(own);  // its work goes on: the pages cannot move
  own = pool_.allocate(20 * kMiB, stream_);
  EXPECT_EQ(machine_two_.held(1), 30 * kMiB);
  pool_.free(theirs);
  pool_.free(own);
  EXPECT_EQ(pool_.verify(), "");
  EXPECT_EQ(machine_two_.broken(), "");
}

}  // namespace
}  // namespace tandem::test
