// What an out-of-memory error says, and that each piece of advice comes from the facts that call
// for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "runtime/memory/pool.h"
#include "tandem/error.h"
#include "tests/memory/pool_fixture.h"

namespace tandem {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class ReportTest : public PoolTest {
 protected:
  std::string refused(std::size_t bytes, StreamId s = kHostStream, PoolId id = PoolId::Shared) {
    try {
      pool().free(pool().allocate(bytes, s, id));
    } catch (const Error& e) {
      return e.what();
    }
    return "it had memory";
  }
  std::vector<Block*> blocks_;
  void take(std::size_t bytes, std::uint64_t s = 0) {
    blocks_.push_back(pool().allocate(bytes, s == 0 ? kHostStream : stream(s)));
  }
  void drop_all() {
    for (Block* b : blocks_) pool().free(b);
    blocks_.clear();
  }
};

#define EXPECT_SAYS(text, part) \
  EXPECT_NE((text).find(part), std::string::npos) << (part) << "\nnot in\n" << (text)

TEST_F(ReportTest, NamesTheFiveLargestTagsAndCountsTheRest) {
  device_.capacity = 64 * kMiB;
  for (std::size_t i = 1; i <= 7; ++i) {
    const MemoryTag tag("layer" + std::to_string(i));
    take(i * kMiB);
    take(i * kMiB);
  }
  const MemoryTag tag("asker");
  const std::string text = refused(50 * kMiB);
  EXPECT_SAYS(text,
              "[allocate] expected 50.00 MiB of memory on cpu, got none: requested 52428800 "
              "bytes, tag asker\n");
  EXPECT_SAYS(text,
              "\n  live 56.00 MiB: layer7 14.00 MiB in 2 blocks, layer6 12.00 MiB in 2 blocks, "
              "layer5 10.00 MiB in 2 blocks, layer4 8.00 MiB in 2 blocks, layer3 6.00 MiB in 2 "
              "blocks, 2 others 6.00 MiB\n");
  EXPECT_SAYS(text,
              "Free live memory, or work in smaller parts; most of it is of layer7 (14.00 "
              "MiB).");
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 11);
  drop_all();
}

TEST_F(ReportTest, MoreThanTheDeviceHas) {
  device_.capacity = 64 * kMiB;
  EXPECT_SAYS(refused(65 * kMiB), "It is more than the device has: work in parts.");
}

TEST_F(ReportTest, OthersHoldTheDevice) {
  device_.capacity = 64 * kMiB;
  device_.used = 60 * kMiB;  // of another process
  const std::string text = refused(10 * kMiB);
  EXPECT_SAYS(text, "device 4.00 MiB free of 64.00 MiB; this pool holds 0 bytes, others 60.00 MiB");
  EXPECT_SAYS(text, "Others hold 60.00 MiB of the device");
  device_.used = 0;
}

TEST_F(ReportTest, DeviceLimit) {
  pool().set_limit(16 * kMiB);
  take(10 * kMiB);
  EXPECT_SAYS(refused(10 * kMiB), "The limit of 16.00 MiB stops it: raise it (set_memory_limit)");
  drop_all();
}

TEST_F(ReportTest, LimitOfAPart) {
  const PoolId graph = pool().open_private();
  pool().set_limit(graph, 6 * kMiB);
  const std::string text = refused(10 * kMiB, kHostStream, graph);
  EXPECT_SAYS(text,
              "\n  of these in pool 1, which it is for: live 0 bytes, cached 0 bytes, limit "
              "6.00 MiB\n");
  EXPECT_SAYS(text, "The limit of 6.00 MiB of pool 1 stops it");
  pool().end_private(graph);
  pool().close_private(graph);
}

TEST_F(ReportTest, CaptureUnderWay) {
  device_.capacity = 64 * kMiB;
  const PoolId graph = pool().open_private();
  take(40 * kMiB);
  drop_all();
  EXPECT_SAYS(refused(40 * kMiB, kHostStream, graph), "A capture is under way");
  pool().end_private(graph);
  pool().close_private(graph);
}

TEST_F(ReportTest, KeptForGraphs) {
  device_.capacity = 64 * kMiB;
  const PoolId graph = pool().open_private();
  pool().free(pool().allocate(40 * kMiB, kHostStream, graph));
  pool().end_private(graph);
  const std::string text = refused(40 * kMiB);
  EXPECT_SAYS(text, "\n  free but kept for 1 graph: 40.00 MiB\n");
  EXPECT_SAYS(text, "40.00 MiB of free memory are kept for 1 graph: drop those");
  pool().close_private(graph);
  EXPECT_EQ(refused(40 * kMiB), "it had memory");
}

TEST_F(ReportTest, WaitsForAnotherStream) {
  device_.capacity = 64 * kMiB;
  device_.asynchronous = true;
  device_.queued[2] = 1;
  take(40 * kMiB, 1);
  pool().record_use(blocks_[0], stream(2));
  const PoolId graph = pool().open_private();  // keeps the pool from a synchronisation
  drop_all();
  const std::string text = refused(40 * kMiB, stream(1));
  EXPECT_SAYS(text, ", stream 1\n");
  EXPECT_SAYS(text, "\n  waiting for other streams 40.00 MiB: stream 2 40.00 MiB\n");
  pool().end_private(graph);
  pool().close_private(graph);
  EXPECT_EQ(refused(40 * kMiB, stream(1)), "it had memory");
}

TEST_F(ReportTest, FreeInPieces) {
  device_.capacity = 64 * kMiB;
  take(64 * kMiB);  // one segment
  drop_all();
  for (int i = 0; i < 8; ++i) take(8 * kMiB);
  for (std::size_t i = 0; i < 8; i += 2) pool().free(blocks_[i]);
  const std::string text = refused(16 * kMiB);
  EXPECT_SAYS(text, "cached 32.00 MiB, largest free range 8.00 MiB");
  EXPECT_SAYS(text,
              "32.00 MiB are free, in pieces of at most 8.00 MiB: allocate the largest first");
  blocks_ = {blocks_[1], blocks_[3], blocks_[5], blocks_[7]};
  drop_all();
}

TEST_F(ReportTest, PlainWasAskedFor) {
  device_.capacity = 32 * kMiB;
  ASSERT_EQ(setenv("TANDEM_POOL", "plain", 1), 0);
  (void)pool();
  unsetenv("TANDEM_POOL");
  take(32 * kMiB);
  drop_all();
  for (int i = 0; i < 4; ++i) take(8 * kMiB);
  pool().free(blocks_[0]);
  pool().free(blocks_[2]);
  EXPECT_SAYS(refused(16 * kMiB), "TANDEM_POOL=plain is on: the 16.00 MiB that are free");
  blocks_ = {blocks_[1], blocks_[3]};
  drop_all();
}

struct EmptyResource final : MemoryResource {
  void* allocate(std::size_t, std::size_t, void*) override { return nullptr; }
  void deallocate(void*, std::size_t, std::size_t, void*) override {}
};

TEST_F(ReportTest, ResourceIsEmpty) {
  EmptyResource resource;
  pool().set_resource(&resource);
  EXPECT_SAYS(refused(kMiB), "The resource under the pool has no more (set_memory_resource)");
  pool().set_resource(nullptr);
}

TEST_F(ReportTest, DeviceError) {
  device_.fail_with = DriverStatus::Failed;
  device_.capacity = 0;
  device_.fail_at = 0;
  const std::string text = refused(100);
  EXPECT_SAYS(text, "got a device error");
  EXPECT_SAYS(text, "The device reported an error");
}

}  // namespace
}  // namespace tandem
