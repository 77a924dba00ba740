// A backend's table as the driver of a pool: virtual memory, what a failed call leaves, and the
// stream that each thread knows by one handle. The device is host memory, mapped by pages.
#include "runtime/memory/backend_driver.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "runtime/memory/driver.h"

namespace tandem {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20, kStep = 2 * kMiB;
void* const kPerThread = reinterpret_cast<void*>(std::uintptr_t{2});

struct Device0 {
  std::size_t granularity = kStep;
  int failing = 0;  // the code of the next call that takes memory
  bool lost = false;
  bool captured = false;
  std::string calls;
} dev;

int code() { return std::exchange(dev.failing, 0); }
int answer(bool good) { return good ? 0 : 1; }

BackendTable table() {
  BackendTable t{};
  t.kind = DeviceKind::CUDA;
  t.device_count = 1;
  BackendDriver& d = t.driver;
  d.memory_info = [](int, std::size_t* free_bytes, std::size_t* total) {
    *free_bytes = *total = std::size_t{1} << 30;
    return dev.lost ? 9 : 0;
  };
  d.virtual_granularity = [](int, std::size_t* out) {
    *out = dev.granularity;
    return 0;
  };
  d.reserve = [](int, std::size_t bytes, std::uintptr_t* out) {
    if (const int c = code()) return c;
    void* p = mmap(nullptr, bytes + kStep, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return 2;
    // Whole steps; what is around them stays, for the test.
    *out = (reinterpret_cast<std::uintptr_t>(p) + kStep - 1) / kStep * kStep;
    return 0;
  };
  d.release = [](int, std::uintptr_t at, std::size_t bytes) {
    return answer(munmap(reinterpret_cast<void*>(at), bytes) == 0);
  };
  d.create = [](int, std::size_t bytes, std::uint64_t* out) {
    if (const int c = code()) return c;
    const int fd = memfd_create("memory", 0);
    if (fd < 0 || ftruncate(fd, static_cast<off_t>(bytes)) != 0) return 2;
    *out = static_cast<std::uint64_t>(fd);
    return 0;
  };
  d.destroy = [](int, std::uint64_t memory, std::size_t) {
    return answer(close(static_cast<int>(memory)) == 0);
  };
  d.map = [](int, std::uintptr_t at, std::size_t bytes, std::uint64_t memory) {
    if (const int c = code()) return c;
    return answer(mmap(reinterpret_cast<void*>(at), bytes, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_FIXED, static_cast<int>(memory), 0) != MAP_FAILED);
  };
  d.unmap = [](int, std::uintptr_t at, std::size_t bytes) {
    return answer(mmap(reinterpret_cast<void*>(at), bytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
  };
  d.stream_id = [](int, void*, std::uint64_t* out) {
    static std::atomic<std::uint64_t> made{100};
    thread_local const std::uint64_t own = ++made;
    *out = own;
    return 0;
  };
  d.event_record = [](int, void*, void*) {
    dev.calls += "record;";
    return 0;
  };
  d.event_synchronize = [](void*) {
    dev.calls += "synchronize event;";
    return 0;
  };
  d.stream_wait_event = [](int, void*, void*) {
    dev.calls += "wait;";
    return 0;
  };
  d.stream_synchronize = [](int, void*) {
    dev.calls += "synchronize stream;";
    return 0;
  };
  d.device_synchronize = [](int) {
    dev.calls += "synchronize device;";
    return 0;
  };
  d.capturing = [](int, void*, int* out) {
    *out = dev.captured ? 1 : 0;
    return 0;
  };
  d.per_thread_stream = kPerThread;
  return t;
}

class BackendDriverTest : public testing::Test {
 protected:
  void SetUp() override { dev = {}; }
  void TearDown() override { ::unsetenv("TANDEM_POOL"); }
  BackendTable table_ = table();
};

TEST_F(BackendDriverTest, PagesComeAndGo) {
  const auto driver = make_backend_driver(table_, 0);
  ASSERT_TRUE(driver->features().virtual_memory);
  ASSERT_EQ(driver->granularity(), kStep);
  DriverAddress at = 0;
  ASSERT_EQ(driver->reserve(4 * kStep, &at), DriverStatus::Ok);
  PhysicalHandle first = 0;
  PhysicalHandle second = 0;
  ASSERT_EQ(driver->create(kStep, &first), DriverStatus::Ok);
  ASSERT_EQ(driver->create(kStep, &second), DriverStatus::Ok);
  ASSERT_EQ(driver->map(at, kStep, first), DriverStatus::Ok);
  ASSERT_EQ(driver->map(at + kStep, kStep, second), DriverStatus::Ok);
  auto* p = reinterpret_cast<unsigned char*>(at);
  std::memset(p, 7, 2 * kStep);
  ASSERT_EQ(driver->unmap(at + kStep, kStep), DriverStatus::Ok);
  ASSERT_EQ(driver->map(at + 3 * kStep, kStep, second), DriverStatus::Ok);
  EXPECT_EQ(p[3 * kStep + 5], 7);  // the same memory elsewhere
  EXPECT_EQ(p[kStep - 1], 7);
  EXPECT_EQ(driver->unmap(at, kStep), DriverStatus::Ok);
  EXPECT_EQ(driver->unmap(at + 3 * kStep, kStep), DriverStatus::Ok);
  EXPECT_EQ(driver->destroy(first, kStep), DriverStatus::Ok);
  EXPECT_EQ(driver->destroy(second, kStep), DriverStatus::Ok);
  EXPECT_EQ(driver->release(at, 4 * kStep), DriverStatus::Ok);
}

TEST_F(BackendDriverTest, FailuresAreOutOfMemoryUnlessTheDeviceIsLost) {
  const auto driver = make_backend_driver(table_, 0);
  DriverAddress at = 0;
  PhysicalHandle memory = 0;
  dev.failing = 2;
  EXPECT_EQ(driver->create(kStep, &memory), DriverStatus::OutOfMemory);
  dev.failing = 2;
  EXPECT_EQ(driver->reserve(kStep, &at), DriverStatus::OutOfMemory);
  dev.failing = 2;
  EXPECT_EQ(driver->map(at, kStep, memory), DriverStatus::OutOfMemory);
  dev.lost = true;
  dev.failing = 2;
  EXPECT_EQ(driver->create(kStep, &memory), DriverStatus::Failed);
}

TEST_F(BackendDriverTest, WithoutVirtualMemory) {
  const auto virtual_memory = [&] {
    return make_backend_driver(table_, 0)->features().virtual_memory;
  };
  EXPECT_TRUE(virtual_memory());
  ::setenv("TANDEM_POOL", "plain", 1);
  EXPECT_FALSE(virtual_memory());
  ::unsetenv("TANDEM_POOL");
  dev.granularity = 0;  // the device has none
  EXPECT_FALSE(virtual_memory());
  dev.granularity = 3 * kMiB;  // segments could not be joined
  EXPECT_FALSE(virtual_memory());
  dev.granularity = 64 * 1024;
  EXPECT_TRUE(virtual_memory());
  table_.driver.unmap = nullptr;  // half of it is nothing
  EXPECT_FALSE(virtual_memory());
  const auto driver = make_backend_driver(table_, 0);
  DriverAddress at = 0;
  PhysicalHandle memory = 0;
  EXPECT_EQ(driver->reserve(kStep, &at), DriverStatus::Unsupported);
  EXPECT_EQ(driver->create(kStep, &memory), DriverStatus::Unsupported);
  EXPECT_EQ(driver->map(at, kStep, memory), DriverStatus::Unsupported);
  EXPECT_EQ(driver->unmap(at, kStep), DriverStatus::Unsupported);
  EXPECT_EQ(driver->destroy(memory, kStep), DriverStatus::Unsupported);
  EXPECT_EQ(driver->release(at, kStep), DriverStatus::Unsupported);
}

TEST_F(BackendDriverTest, AStreamOfAnotherThreadIsWaitedForOnTheHost) {
  const auto driver = make_backend_driver(table_, 0);
  const auto per_thread = [&] {
    std::uint64_t own = 0;
    table_.driver.stream_id(0, kPerThread, &own);
    return StreamId{(std::uint64_t{1} << StreamId::kDeviceShift) | (own + 1), 2};
  };
  const auto calls_on = [&](StreamId stream) {
    dev.calls.clear();
    EXPECT_EQ(driver->event_record(77, stream), DriverStatus::Ok);
    EXPECT_EQ(driver->stream_wait_event(stream, 77), DriverStatus::Ok);
    EXPECT_EQ(driver->stream_synchronize(stream), DriverStatus::Ok);
    return dev.calls;
  };
  const std::string plain = "record;wait;synchronize stream;";
  const std::string elsewhere = "synchronize device;record;synchronize event;synchronize device;";
  EXPECT_EQ(calls_on(per_thread()), plain);
  StreamId other;
  std::thread([&] { other = per_thread(); }).join();
  EXPECT_EQ(calls_on(other), elsewhere);
  EXPECT_EQ(calls_on(StreamId{5, 5}), plain);
  EXPECT_EQ(calls_on(StreamId{std::uint64_t{1} << StreamId::kDeviceShift, 0}), plain);

  EXPECT_FALSE(driver->capturing(StreamId{5, 5}));
  dev.captured = true;
  EXPECT_TRUE(driver->capturing(StreamId{5, 5}));
  EXPECT_FALSE(driver->capturing(other));  // it cannot be asked
  table_.driver.capturing = nullptr;
  EXPECT_FALSE(driver->capturing(StreamId{5, 5}));
}

}  // namespace
}  // namespace tandem
