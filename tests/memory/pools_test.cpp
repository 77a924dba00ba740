// The devices' pools and the public functions of tandem/memory.h.
#include "runtime/memory/pools.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

#include "tandem/error.h"
#include "tests/memory/pool_fixture.h"

namespace tandem {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

TEST(Pools, HostPoolCountsAndReuses) {
  const MemoryStats before = memory_stats();
  Block* b = pool_for(kCPU).allocate(40 * kMiB);
  EXPECT_EQ(b->pool, &host_pool());
  EXPECT_EQ(memory_stats().requested.current, before.requested.current + 40 * kMiB);
  std::byte* where = b->data;
  host_pool().free(b);
  b = pool_for(Device(DeviceKind::CPU, 0)).allocate(40 * kMiB);
  EXPECT_EQ(b->data, where);
  host_pool().free(b);
  reset_peak_memory();
  EXPECT_EQ(memory_stats().requested.peak, memory_stats().requested.current);
  EXPECT_GE(empty_cache(), 40 * kMiB);
  EXPECT_EQ(memory_stats(kCPU).reserved.current, before.reserved.current);
}

TEST(Pools, HostLimitIsOutOfMemory) {
  empty_cache();
  set_memory_limit(kCPU, memory_stats().reserved.current + 32 * kMiB);
  EXPECT_THROW(host_pool().allocate(64 * kMiB), OutOfMemory);
  set_memory_limit(kCPU, std::numeric_limits<std::size_t>::max());
  host_pool().free(host_pool().allocate(64 * kMiB));
}

TEST(Pools, MetaHasNoMemory) {
  EXPECT_EQ(memory_stats(kMeta).reserved.total, 0u);
  EXPECT_EQ(empty_cache(kMeta), 0u);
  reset_peak_memory(kMeta);
  EXPECT_THROW(pool_for(kMeta), DeviceError);
  EXPECT_THROW(set_memory_limit(kMeta, 1), DeviceError);
}

TEST(Pools, ADeviceIsRegisteredOnce) {
  static FakeDevice device;  // outlives the pool, which is never destroyed
  const Device where(DeviceKind::Private, 3);
  EXPECT_THROW(pool_for(where), DeviceError);
  EXPECT_THROW(memory_stats(where), DeviceError);
  Pool& pool = register_pool(where, std::make_unique<FakeDriver>(device));
  EXPECT_EQ(&pool_for(where), &pool);
  EXPECT_THROW(register_pool(where, std::make_unique<FakeDriver>(device)), DeviceError);
  EXPECT_THROW(register_pool(kCPU, std::make_unique<FakeDriver>(device)), DeviceError);
  EXPECT_THROW(register_pool(kMeta, std::make_unique<FakeDriver>(device)), DeviceError);
  EXPECT_THROW(register_pool(Device(DeviceKind::Private, 64), std::make_unique<FakeDriver>(device)),
               DeviceError);
  device.capacity = 0;
  try {
    pool.allocate(1);
    FAIL() << "expected OutOfMemory";
  } catch (const OutOfMemory& e) {
    EXPECT_NE(std::string(e.what()).find(where.str()), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace tandem
