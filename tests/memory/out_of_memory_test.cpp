// The end of memory: each step of the ladder, limits, every driver call failing, the user's
// resource and observer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/memory/pool.h"
#include "tandem/error.h"
#include "tests/memory/pool_fixture.h"

namespace tandem {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

using OutOfMemoryTest = PoolTest;

TEST_F(OutOfMemoryTest, WaitsOnTheDeviceForOtherStreamsBeforeFailing) {
  device_.capacity = 64 * kMiB;
  device_.asynchronous = true;
  device_.queued[1] = 1;
  Block* a = pool().allocate(60 * kMiB, stream(1));
  pool().free(a);
  Block* b = pool().allocate(50 * kMiB, stream(2));
  EXPECT_EQ(device_.waits, 1);
  EXPECT_EQ(pool().stats().waits, 1u);
  EXPECT_EQ(device_.synchronizations, 0);
  EXPECT_EQ(pool().stats().retries, 0u);
  EXPECT_THROW(pool().allocate(40 * kMiB, stream(1)), OutOfMemory);
  pool().free(b);
  Block* c = pool().allocate(40 * kMiB, stream(1));
  pool().free(c);
}

TEST_F(OutOfMemoryTest, ReportSaysWhatIsHeld) {
  device_.capacity = 100 * kMiB;
  Block* a = nullptr;
  {
    const MemoryTag tag("weights");
    a = pool().allocate(48 * kMiB);
  }
  const MemoryTag tag("batch");
  pool().set_limit(90 * kMiB);
  try {
    pool().allocate(64 * kMiB);
    FAIL() << "expected OutOfMemory";
  } catch (const OutOfMemory& e) {
    const std::string text = e.what();
    for (const char* part :
         {"[allocate] expected 64.00 MiB of memory on cpu, got none", "67108864 bytes",
          "live 48.00 MiB: weights 48.00 MiB in 1 block", "cached 0 bytes",
          "largest free range 0 bytes", "limit 90.00 MiB", ", tag batch\n",
          "device 52.00 MiB free of 100.00 MiB; this pool holds 48.00 MiB, others 0 bytes",
          "The limit of 90.00 MiB stops it: raise it (set_memory_limit), or free live memory; most "
          "of it is of weights (48.00 MiB)."}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " not in: " << text;
    }
  }
  EXPECT_EQ(pool().stats().out_of_memory, 1u);
  pool().free(a);
}

TEST_F(OutOfMemoryTest, ImpossibleRequestsFailAndKeepTheCache) {
  pool().free(pool().allocate(40 * kMiB));
  for (const std::size_t bytes : {kMax, kMax - 1, kMax / 2, (kMax >> 1) + 1, std::size_t{1} << 60,
                                  std::size_t{1} << 59, std::size_t{1} << 40}) {
    EXPECT_THROW(pool().allocate(bytes), OutOfMemory) << bytes;
  }
  EXPECT_EQ(device_.frees, 0);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(OutOfMemoryTest, LimitActsAsTheDevicesEnd) {
  pool().set_limit(10 * kMiB);
  Block* a = pool().allocate(6 * kMiB);
  EXPECT_THROW(pool().allocate(6 * kMiB), OutOfMemory);
  Block* b = pool().allocate(3 * kMiB);  // a smaller segment than it would take without the limit
  pool().free(a);
  Block* c =
      pool().allocate(5 * kMiB, stream(1));  // the other stream's segment is given back for it
  pool().free(b);
  pool().free(c);
  pool().set_limit(0);
  pool().empty_cache();
  EXPECT_THROW(pool().allocate(1), OutOfMemory);
  pool().set_limit(kMax);
  pool().free(pool().allocate(100 * kMiB));
}

TEST_F(OutOfMemoryTest, NearTheEndAnyFittingBlockServes) {
  device_.capacity = 4 * kMiB;
  Block* a = pool().allocate(4 * kMiB);  // all there is, in a large segment
  pool().free(a);
  Block* pin = pool().allocate(3 * kMiB);
  Block* small = pool().allocate(100);  // from the rest of the large segment
  Block* medium = pool().allocate(500 * kKiB);
  EXPECT_EQ(device_.allocations, 1);
  for (Block* b : {pin, small, medium}) pool().free(b);
  EXPECT_EQ(pool().verify(), "");
  pool().empty_cache();
  // Blocks of a larger class, where nothing else is left.
  device_.capacity = 2 * kMiB;
  std::vector<Block*> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(pool().allocate(256 * kKiB));
  EXPECT_THROW(pool().allocate(100), OutOfMemory);
  pool().free(blocks.back());
  blocks.back() = pool().allocate(100);
  EXPECT_EQ(blocks.back()->size, 256 * kKiB);
  for (Block* b : blocks) pool().free(b);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(OutOfMemoryTest, CallbackMayFreeAndIsNotReentered) {
  device_.capacity = 64 * kMiB;
  Block* hoard = pool().allocate(60 * kMiB);
  int calls = 0;
  set_out_of_memory_callback([&](Device d, std::size_t bytes) {
    ++calls;
    EXPECT_EQ(d, kCPU);
    EXPECT_EQ(bytes, 50 * kMiB);
    EXPECT_THROW(pool().allocate(50 * kMiB), OutOfMemory);  // does not come back here
    if (hoard == nullptr) return false;
    pool().free(hoard);
    hoard = nullptr;
    return true;
  });
  Block* b = pool().allocate(50 * kMiB, stream(1));
  EXPECT_EQ(calls, 1);
  EXPECT_THROW(pool().allocate(50 * kMiB, stream(1)), OutOfMemory);
  EXPECT_EQ(calls, 2);
  set_out_of_memory_callback(nullptr);
  pool().free(b);
}

TEST_F(OutOfMemoryTest, CallbackThatRaisedIsAskedAgain) {
  device_.capacity = 4 * kMiB;
  int calls = 0;
  set_out_of_memory_callback([&](Device, std::size_t) -> bool {
    ++calls;
    throw std::runtime_error("from the callback");
  });
  for (int i = 0; i < 2; ++i) EXPECT_THROW(pool().allocate(50 * kMiB), std::runtime_error);
  set_out_of_memory_callback(nullptr);
  EXPECT_EQ(calls, 2);
}

/// Runs one program with each of its driver calls failing in turn; after each, everything adds up
/// and nothing is lost.
void fail_each_call(bool asynchronous, DriverStatus with) {
  int calls = 1;
  for (int fail_at = -1; fail_at < calls; ++fail_at) {
    SCOPED_TRACE(fail_at);
    FakeDevice device;
    device.capacity = 100 * kMiB;
    device.asynchronous = asynchronous;
    device.fail_with = with;
    device.fail_at = fail_at;
    {
      memory::Order order;
      Pool pool(std::make_unique<FakeDriver>(device), kCPU, kDevice, order);
      std::vector<Live> live;
      int failed = 0;
      const auto take = [&](std::size_t bytes, std::uint64_t s) {
        try {
          live.push_back({pool.allocate(bytes, stream(s)), bytes,
                          static_cast<unsigned char>(live.size() + 1)});
          fill(live.back());
        } catch (const Error&) {
          ++failed;
        }
        ASSERT_EQ(pool.verify(), "");
        ASSERT_EQ(pool.stats().reserved.current, device.used);
      };
      const auto drop = [&](std::uint64_t s) {
        if (live.empty()) return;
        ASSERT_TRUE(intact(live.back()));
        pool.free(live.back().block, stream(s));
        live.pop_back();
        ASSERT_EQ(pool.verify(), "");
      };
      take(100, 1);
      take(300 * kKiB, 1);
      take(5 * kMiB, 1);
      take(20 * kMiB, 2);
      drop(2);
      take(40 * kMiB, 1);
      drop(2);
      take(90 * kMiB, 1);  // does not fit even when all is given back
      take(64 * kMiB, 2);  // fits when the other stream's are
      pool.empty_cache();
      ASSERT_EQ(pool.verify(), "");
      take(200 * kKiB, 2);
      if (fail_at < 0) {
        calls = device.calls;
        ASSERT_EQ(failed, 1);
        ASSERT_GT(calls, 8);
      }
      for (const Live& l : live) ASSERT_TRUE(intact(l));
      while (!live.empty()) drop(1);
      device.fail_at = -1;
      pool.empty_cache();
      ASSERT_EQ(pool.stats().reserved.current, 0u);
    }
    ASSERT_EQ(device.misuse, "");
    ASSERT_TRUE(device.segments.empty());
    ASSERT_TRUE(device.events.empty());
  }
}

TEST(PoolFaults, EveryDriverCallMayRunOutOfMemory) {
  fail_each_call(false, DriverStatus::OutOfMemory);
  fail_each_call(true, DriverStatus::OutOfMemory);
}

TEST(PoolFaults, EveryDriverCallMayFail) { fail_each_call(true, DriverStatus::Failed); }

TEST_F(OutOfMemoryTest, DeviceErrorsAreNotOutOfMemory) {
  device_.fail_with = DriverStatus::Failed;
  device_.capacity = 0;
  device_.fail_at = 0;
  EXPECT_THROW(pool().allocate(100), DeviceError);
}

// ---- Resource, observer. ----

struct CountingResource final : MemoryResource {
  std::map<void*, std::size_t> live;
  bool empty = false, raises = false;
  void* allocate(std::size_t bytes, std::size_t align, void*) override {
    if (raises) throw std::bad_alloc();
    if (empty) return nullptr;
    void* p = std::aligned_alloc(align, bytes);
    live[p] = bytes;
    return p;
  }
  void deallocate(void* p, std::size_t bytes, std::size_t, void*) override {
    EXPECT_EQ(live.at(p), bytes);
    live.erase(p);
    std::free(p);
  }
};

TEST_F(OutOfMemoryTest, UsersResourceIsTheSource) {
  CountingResource resource;
  Block* before = pool().allocate(40 * kMiB);
  pool().set_resource(&resource);
  Block* a = pool().allocate(50 * kMiB);
  Block* b = pool().allocate(10);
  EXPECT_EQ(resource.live.size(), 2u);
  EXPECT_EQ(device_.allocations, 1);
  resource.empty = true;
  EXPECT_THROW(pool().allocate(60 * kMiB), OutOfMemory);
  resource.raises = true;
  EXPECT_THROW(pool().allocate(60 * kMiB), OutOfMemory);
  for (Block* x : {before, a, b}) pool().free(x);
  pool().set_resource(nullptr);
  pool().empty_cache();
  EXPECT_TRUE(resource.live.empty());
  EXPECT_EQ(device_.frees, 1);
}

std::vector<MemoryEvent> g_events;

TEST_F(OutOfMemoryTest, ObserverSeesGrowthAndTrim) {
  g_events.clear();
  set_memory_observer([](const MemoryEvent& e) { g_events.push_back(e); });
  pool().free(pool().allocate(40 * kMiB));
  pool().free(pool().allocate(40 * kMiB));
  pool().empty_cache();
  set_memory_observer(nullptr);
  ASSERT_EQ(g_events.size(), 2u);
  EXPECT_EQ(g_events[0].kind, MemoryEvent::Kind::Grow);
  EXPECT_EQ(g_events[0].bytes, 40 * kMiB);
  EXPECT_EQ(g_events[0].reserved, 40 * kMiB);
  EXPECT_EQ(g_events[1].kind, MemoryEvent::Kind::Trim);
  EXPECT_EQ(g_events[1].bytes, 40 * kMiB);
  EXPECT_EQ(g_events[1].reserved, 0u);
}

}  // namespace
}  // namespace tandem
