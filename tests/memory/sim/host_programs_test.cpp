// The random programs for real, on the host's memory: alone, from several threads, and where the
// process may have little address space.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "runtime/memory/host_driver.h"
#include "tandem/error.h"
#include "tests/memory/sim/checked_driver.h"
#include "tests/memory/sim/host_run.h"

namespace tandem::test {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}
std::uint64_t seed() { return number("TANDEM_SOAK_SEED", 1); }

TEST(HostPrograms, Random) {
  HostCounters counters;
  EXPECT_EQ(soak_on_host(seed(), number("TANDEM_HOST_STEPS", 250000), &counters), "");
  std::printf("seed %llu, on the host: %s\n", static_cast<unsigned long long>(seed()),
              counters.str().c_str());
  EXPECT_GT(counters.out_of_memory, 100u);
  EXPECT_GT(counters.faults, 50u);
  EXPECT_GT(counters.trims, 100u);
}

TEST(HostPrograms, FindALostPage) {
  HostCounters counters;
  const std::string report = soak_on_host(1, 200000, &counters, true);
  EXPECT_NE(report.find("does not hold what was written"), std::string::npos) << report;
  EXPECT_NE(report.find("shrunk to "), std::string::npos) << report;
}

TEST(HostPrograms, PatternsTellWhatChanged) {
  for (const std::size_t bytes : {1u, 7u, 8u, 9u, 4096u, 65536u, 65537u, 100003u, 1u << 20}) {
    std::vector<std::byte> data(bytes);
    write_pattern(data.data(), bytes, 5);
    EXPECT_TRUE(has_pattern(data.data(), bytes, 5)) << bytes;
    EXPECT_FALSE(has_pattern(data.data(), bytes, 6)) << bytes;
    for (const std::size_t at : {std::size_t{0}, bytes / 8192 * 4096, bytes - 1}) {
      data[at] ^= std::byte{1};
      EXPECT_FALSE(has_pattern(data.data(), bytes, 5)) << bytes << " at " << at;
      data[at] ^= std::byte{1};
    }
  }
}

// ---- Little address space (ulimit -v). ----

/// Bytes of address space that the process has.
std::size_t address_space() {
  std::FILE* f = std::fopen("/proc/self/statm", "re");
  if (f == nullptr) return 0;
  unsigned long long pages = 0;
  const int read = std::fscanf(f, "%llu", &pages);
  std::fclose(f);
  return read == 1 ? pages * 4096 : 0;
}

/// Lets the process have so much more, as long as it lives.
class AddressLimit {
 public:
  explicit AddressLimit(std::size_t more) {
    // What the test itself needs comes from memory that is there.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    void* room = std::malloc(32 * kMiB);
    std::memset(room, 1, 32 * kMiB);
    std::free(room);
    getrlimit(RLIMIT_AS, &before_);
    rlimit now = before_;
    now.rlim_cur = address_space() + more;
    set_ = setrlimit(RLIMIT_AS, &now) == 0;
  }
  ~AddressLimit() { setrlimit(RLIMIT_AS, &before_); }
  AddressLimit(const AddressLimit&) = delete;
  AddressLimit& operator=(const AddressLimit&) = delete;
  bool set() const { return set_; }

 private:
  rlimit before_{};
  bool set_ = false;
};

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(HostPrograms, WithLittleAddressSpace) {
  HostCounters counters;
  std::string wrong;
  {
    const AddressLimit limit(96 * kMiB);
    ASSERT_TRUE(limit.set());
    wrong = soak_on_host(seed(), number("TANDEM_HOST_STEPS", 60000), &counters);
  }
  EXPECT_EQ(wrong, "");
  EXPECT_GT(counters.out_of_memory, 20u);
  EXPECT_GT(counters.refused, 100u);
  std::printf("with 96 MiB of address space: %s\n", counters.str().c_str());
}
#endif

// ---- Several threads. ----

/// What the threads share: a pool, and blocks that one of them leaves for another.
struct Shared {
  struct Held {
    Block* block = nullptr;
    std::uint64_t owner = 0;
  };
  Account account;
  memory::Order order;
  std::unique_ptr<Pool> pool;
  std::mutex mutex;
  std::vector<Held> left;
  std::atomic<std::uint64_t> owners{0}, out_of_memory{0}, wrong{0};
};

std::size_t random_bytes(std::mt19937_64& rng) {
  const unsigned octave = static_cast<unsigned>(rng() % (rng() % 4 == 0 ? 24 : 16));
  return (std::size_t{1} << octave) + rng() % (std::size_t{1} << octave);
}

void check_and_free(Shared& all, Shared::Held h) {
  if (!has_pattern(h.block->data, h.block->requested, h.owner)) ++all.wrong;
  all.pool->free(h.block);
}

void work(Shared& all, unsigned thread, unsigned steps) {
  std::mt19937_64 rng(seed() * 100 + thread);
  std::vector<Shared::Held> mine;
  for (unsigned i = 0; i < steps; ++i) {
    const unsigned what = static_cast<unsigned>(rng() % 100);
    if (what < 50 && mine.size() < 40) {
      const std::size_t bytes = random_bytes(rng);
      try {
        const Shared::Held h{all.pool->allocate(bytes), ++all.owners};
        write_pattern(h.block->data, bytes, h.owner);
        mine.push_back(h);
      } catch (const OutOfMemory&) {
        ++all.out_of_memory;
      }
    } else if (what < 85 && !mine.empty()) {
      std::swap(mine[rng() % mine.size()], mine.back());
      check_and_free(all, mine.back());
      mine.pop_back();
    } else if (what < 98) {
      const std::lock_guard<std::mutex> hold(all.mutex);
      if (!all.left.empty() && (mine.empty() || what % 2 == 0)) {
        mine.push_back(all.left.back());
        all.left.pop_back();
      } else if (!mine.empty()) {
        all.left.push_back(mine.back());
        mine.pop_back();
      }
    } else if (what == 98) {
      all.pool->trim(rng() % 128 * kMiB);
    } else if (rng() % 8 == 0) {
      all.pool->empty_cache();
    } else {
      all.pool->set_limit((64 + rng() % 128) * kMiB);
    }
  }
  for (const Shared::Held& h : mine) check_and_free(all, h);
}

TEST(HostPrograms, FromSeveralThreads) {
  for (const bool is_virtual : {true, false}) {
    Shared all;
    all.account.virtual_memory = is_virtual;
    all.account.capacity = 160 * kMiB;
    all.pool = std::make_unique<Pool>(
        std::make_unique<CheckedDriver>(make_host_driver(true), all.account), kCPU, 0, all.order);
    const auto steps = static_cast<unsigned>(number("TANDEM_HOST_STEPS", 100000) / 4);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t)
      threads.emplace_back([&all, t, steps] { work(all, t, steps); });
    for (std::thread& t : threads) t.join();
    for (const Shared::Held& h : all.left) check_and_free(all, h);
    EXPECT_EQ(all.wrong, 0u);
    EXPECT_GT(all.out_of_memory, 10u);
    EXPECT_EQ(all.pool->verify(), "");
    EXPECT_EQ(all.pool->stats().allocated.current, 0u);
    all.pool->empty_cache();
    EXPECT_EQ(all.account.held(), 0u);
    all.pool.reset();
    EXPECT_EQ(all.account.left(), 0u);
  }
}

}  // namespace
}  // namespace tandem::test
