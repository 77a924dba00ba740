// The pool under threads, at their end, across a fork, and misused; then the host's driver.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/memory/host_driver.h"
#include "runtime/memory/pool.h"
#include "runtime/memory/snapshot.h"
#include "tandem/error.h"
#include "tests/memory/pool_fixture.h"

namespace tandem {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

using PoolThreadsTest = PoolTest;

TEST_F(PoolThreadsTest, ThreadsShareAndHandOver) {
  constexpr int kThreads = 4;
  std::mutex mutex;
  std::vector<Live> shared;
  std::atomic<int> broken{0};
  pool();  // made before the threads start
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 rng(100 + t);
      std::vector<Live> mine;
      for (int step = 0; step < 3000; ++step) {
        if (rng() % 2 == 0) {
          const std::size_t bytes = random_size(rng);
          Live l{pool().allocate(bytes), bytes, static_cast<unsigned char>(rng())};
          fill(l);
          if (rng() % 4 != 0) {
            mine.push_back(l);
            continue;
          }
          const std::lock_guard<std::mutex> hold(mutex);
          shared.push_back(l);
        } else {
          Live l{};
          if (rng() % 4 != 0 && !mine.empty()) {
            l = mine.back();
            mine.pop_back();
          } else {
            const std::lock_guard<std::mutex> hold(mutex);
            if (shared.empty()) continue;
            l = shared.back();
            shared.pop_back();
          }
          if (!intact(l)) ++broken;
          pool().free(l.block);
        }
        if (step % 500 == 0) pool().empty_cache();
        if (step % 300 == 0 && pool().stats().reserved.current > device_.capacity) ++broken;
      }
      for (const Live& l : mine) {
        if (!intact(l)) ++broken;
        pool().free(l.block);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(broken.load(), 0);
  EXPECT_EQ(pool().verify(), "");
  for (const Live& l : shared) pool().free(l.block);
  EXPECT_EQ(pool().verify(), "");
  EXPECT_EQ(pool().stats().requested.current, 0u);
  pool().empty_cache();
  EXPECT_EQ(device_.used, 0u);
}

/// Snapshots and statistics of parts, while threads with tags of their own work.
TEST_F(PoolThreadsTest, IsLookedAt) {
  pool();
  std::atomic<int> running{3};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 rng(200 + t);
      std::vector<Block*> mine;
      for (int step = 0; step < 3000; ++step) {
        const MemoryTag tag("looked at " + std::to_string(rng() % 9));
        if (mine.size() < 30) mine.push_back(pool().allocate(random_size(rng)));
        if (rng() % 2 == 0) continue;
        std::swap(mine[rng() % mine.size()], mine.back());
        pool().free(mine.back());
        mine.pop_back();
      }
      for (Block* b : mine) pool().free(b);
      --running;
    });
  }
  while (running != 0) {
    const memory::Snapshot s = pool().snapshot();
    std::size_t live = 0;
    for (const auto& [label, usage] : s.live) live += usage.bytes;
    EXPECT_EQ(live, s.stats.allocated.current);
    EXPECT_EQ(s.pools.at(0).reserved.current, s.stats.reserved.current);
    EXPECT_LE(pool().pools().at(0).reserved.current, device_.capacity);
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolThreadsTest, EndingThreadReturnsItsCache) {
  std::thread([&] {
    std::vector<Block*> blocks;
    for (int i = 0; i < 10; ++i) blocks.push_back(pool().allocate(1000));
    for (Block* b : blocks) pool().free(b);
  }).join();
  EXPECT_EQ(pool().stats().allocations, 10u);
  EXPECT_EQ(pool().stats().allocated.current, 0u);
  EXPECT_EQ(pool().empty_cache(), 2 * kMiB);
}

TEST_F(PoolThreadsTest, EmptyCacheReachesIdleThreads) {
  std::promise<void> ready, go;
  pool();
  std::thread t([&] {
    pool().free(pool().allocate(1000));
    ready.set_value();
    go.get_future().wait();  // alive, with a block in its cache
  });
  ready.get_future().wait();
  EXPECT_EQ(pool().empty_cache(), 2 * kMiB);
  go.set_value();
  t.join();
}

TEST_F(PoolThreadsTest, LargeBlocksComeBackWithoutTheSharedLock) {
  Block* first = pool().allocate(3 * kMiB);
  Block* second = pool().allocate(5 * kMiB);
  std::byte* const data = first->data;
  pool().free(first);
  pool().free(second);
  pool().lock();  // is not taken again below: the test would hang
  for (int i = 0; i < 3; ++i) {
    first = pool().allocate(3 * kMiB - 100);
    second = pool().allocate(5 * kMiB);
    EXPECT_EQ(first->data, data);
    EXPECT_EQ(first->requested, 3 * kMiB - 100);
    pool().free(second);
    pool().free(first);
  }
  pool().unlock();
  const memory::Snapshot s = pool().snapshot();
  ASSERT_EQ(s.fronts.size(), 1u);
  EXPECT_EQ(s.fronts[0].kept, 2u);
  EXPECT_EQ(s.fronts[0].bytes, 8 * kMiB);
  const MemoryStats stats = pool().stats();
  EXPECT_EQ(stats.allocated.current, 0u);
  EXPECT_EQ(stats.allocated.peak, 8 * kMiB);
  EXPECT_EQ(stats.frees, 8u);
  EXPECT_EQ(stats.largest_free, memory::kLargeSegment);  // who asks is told the whole
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolThreadsTest, LargeBlocksThatAreKeptJoinForAnotherSize) {
  device_.capacity = memory::kLargeSegment;
  std::vector<Block*> blocks;
  for (int i = 0; i < 8; ++i) blocks.push_back(pool().allocate(4 * kMiB));
  for (Block* b : blocks) pool().free(b);
  Block* all = pool().allocate(memory::kLargeSegment);  // of what was kept, too
  pool().free(all);
  Block* small = pool().allocate(100);  // whose segment must come from somewhere
  pool().free(small);
  EXPECT_EQ(pool().verify(), "");
}

TEST_F(PoolThreadsTest, LargeBlocksOfIdleThreadsAreTakenBeforeGrowing) {
  std::promise<void> ready, go;
  pool();
  std::thread t([&] {
    pool().free(pool().allocate(20 * kMiB));
    ready.set_value();
    go.get_future().wait();  // alive, with a large block in its cache
  });
  ready.get_future().wait();
  Block* b = pool().allocate(20 * kMiB);
  EXPECT_EQ(device_.allocations, 1);
  pool().free(b);
  go.set_value();
  t.join();
}

/// One thread allocates, another frees, and the next block waits for that.
TEST_F(PoolThreadsTest, PeaksOfWhatIsHandedOver) {
  constexpr int kRounds = 20;
  std::promise<Block*> handed[kRounds];
  std::promise<void> freed[kRounds];
  pool();
  std::thread consumer([&] {
    for (int i = 0; i < kRounds; ++i) {
      pool().free(handed[i].get_future().get());
      freed[i].set_value();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    handed[i].set_value(pool().allocate(memory::kKeptLimit));
    freed[i].get_future().wait();
  }
  consumer.join();
  const MemoryStats s = pool().stats();
  EXPECT_LE(s.allocated.peak, 3 * memory::kKeptLimit);  // what a thread's cache can hold
  EXPECT_LE(s.requested.peak, 3 * memory::kKeptLimit);
  EXPECT_EQ(s.reserved.peak, memory::kKeptLimit);
}

struct AllocatesAtThreadEnd {
  Pool* pool = nullptr;
  Block* block = nullptr;
  ~AllocatesAtThreadEnd() {
    if (pool == nullptr) return;
    pool->free(block);
    pool->free(pool->allocate(500));
  }
};

TEST_F(PoolThreadsTest, UseAfterTheThreadsCacheIsGone) {
  std::thread([&] {
    static thread_local AllocatesAtThreadEnd
        late;  // constructed first, so destroyed after the cache
    late.pool = &pool();
    late.block = pool().allocate(500);
  }).join();
  EXPECT_EQ(pool().verify(), "");
  EXPECT_EQ(pool().stats().frees, 2u);
}

TEST_F(PoolThreadsTest, ForkedChildCanAllocate) {
  std::atomic<bool> stop{false};
  pool();
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        Block* a = pool().allocate(700);
        Block* b = pool().allocate(300 * kKiB);
        pool().free(a);
        pool().free(b);
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20);  // a deadlock is a failure, not a hang
      Block* a = pool().allocate(700);
      Block* b = pool().allocate(400 * kKiB);
      std::memset(a->data, 1, 700);
      pool().free(a);
      pool().free(b);
      _exit(pool().verify().empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  stop = true;
  for (std::thread& t : threads) t.join();
}

TEST(PoolDeathTest, FreeingTwiceStops) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        FakeDevice device;
        Pool pool(std::make_unique<FakeDriver>(device), kCPU, 5);
        Block* b = pool.allocate(100);
        pool.free(b);
        pool.free(b);
      },
      "freed twice");
}

#if defined(__SANITIZE_ADDRESS__)
TEST(PoolDeathTest, SanitizerSeesUseAfterFreeAndOverrun) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  FakeDevice device;
  Pool pool(std::make_unique<FakeDriver>(device), kCPU, 5);
  for (const std::size_t bytes : {std::size_t{100}, 20 * kMiB + 8}) {
    Block* b = pool.allocate(bytes);
    volatile std::byte* p = b->data;
    p[bytes - 1] = std::byte{1};
    EXPECT_DEATH(p[bytes] = std::byte{1}, "use-after-poison");
    pool.free(b);
    EXPECT_DEATH(p[0] = std::byte{1}, "use-after-poison");
  }
}
#endif

// ---- The host's driver. ----

TEST(HostDriver, SegmentsAreAlignedZeroedAndReturned) {
  const auto driver = make_host_driver();
  EXPECT_EQ(driver->granularity(), 2 * kMiB);
  for (const std::size_t bytes : {2 * kMiB, 6 * kMiB, 64 * kMiB}) {
    void* p = nullptr;
    ASSERT_EQ(driver->allocate(bytes, &p), DriverStatus::Ok);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % (2 * kMiB), 0u);
    auto* c = static_cast<unsigned char*>(p);
    EXPECT_EQ(c[0] | c[bytes - 1], 0);
    c[0] = c[bytes - 1] = 1;
    EXPECT_EQ(driver->free(p, bytes), DriverStatus::Ok);
  }
}

TEST(HostDriver, RefusesMoreThanTheMachineHas) {
  const auto driver = make_host_driver();
  MemoryInfo info;
  ASSERT_EQ(driver->memory_info(&info), DriverStatus::Ok);
  ASSERT_GT(info.total, 256 * kMiB);
  ASSERT_LT(info.total, std::size_t{1} << 50);
  EXPECT_LE(info.free, info.total);
  EXPECT_GT(info.free, 16 * kMiB);
  void* p = nullptr;
  const std::size_t whole = info.total / (2 * kMiB) * (2 * kMiB);
  EXPECT_EQ(driver->allocate(whole + 2 * kMiB, &p), DriverStatus::OutOfMemory);
  EXPECT_EQ(driver->allocate(std::size_t{1} << 62, &p), DriverStatus::OutOfMemory);
  EXPECT_EQ(p, nullptr);
  Pool pool(make_host_driver(), kCPU, 6);
  EXPECT_THROW(pool.allocate(whole + 2 * kMiB), OutOfMemory);
}

/// What the process holds of memory, in bytes.
std::size_t resident() {
  std::size_t pages = 0, held = 0;
  std::FILE* f = std::fopen("/proc/self/statm", "re");
  EXPECT_EQ(std::fscanf(f, "%zu %zu", &pages, &held), 2);
  std::fclose(f);
  return held * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(HostDriver, PagesComeAndGo) {
  const auto driver = make_host_driver();
  ASSERT_TRUE(driver->features().virtual_memory);
  const std::size_t page = driver->granularity();
  DriverAddress at = 0;
  ASSERT_EQ(driver->reserve(64 * page, &at), DriverStatus::Ok);
  EXPECT_EQ(at % page, 0u);
  PhysicalHandle handle = 0;
  const std::size_t before = resident();
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 8; i < 40; ++i) {
      ASSERT_EQ(driver->create(page, &handle), DriverStatus::Ok);
      ASSERT_EQ(driver->map(at + i * page, page, handle), DriverStatus::Ok);
      auto* c = reinterpret_cast<unsigned char*>(at + i * page);
      EXPECT_EQ(c[0] | c[page - 1], 0);
      std::memset(c, 1, page);
    }
    EXPECT_GT(resident(), before + 60 * kMiB);
    for (std::size_t i = 8; i < 40; ++i) {
      EXPECT_EQ(driver->unmap(at + i * page, page), DriverStatus::Ok);
      EXPECT_EQ(driver->destroy(handle, page), DriverStatus::Ok);
    }
#if !defined(__SANITIZE_THREAD__)  // whose shadow of the pages stays
    EXPECT_LT(resident(), before + 16 * kMiB);
#endif
  }
  EXPECT_EQ(driver->release(at, 64 * page), DriverStatus::Ok);
}

TEST(HostDriver, DoesWithoutMuchAddressSpace) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer needs the address space";
#endif
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // as with ulimit -v
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = std::size_t{1} << 30;
    setrlimit(RLIMIT_AS, &limit);
    int code = 1;
    try {
      Pool pool(make_host_driver(), kCPU, 7);
      Block* a = pool.allocate(100 * kMiB);
      Block* b = pool.allocate(1000);
      std::memset(a->data, 1, a->size);
      pool.free(a);
      pool.free(b);
      code = pool.verify().empty() && pool.empty_cache() > 100 * kMiB ? 0 : 2;
    } catch (const std::exception&) {
      code = 3;
    }
    _exit(code);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tandem
