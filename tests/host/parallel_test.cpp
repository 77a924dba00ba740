// Work that is split over threads: every part once, and what a part throws reaches the caller.
#include "host/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#include <vector>

#include "tandem/interrupt.h"
#include "tandem/tandem.h"

using namespace tandem;

namespace {

class Parallel : public testing::Test {
 protected:
  void SetUp() override {
    before_ = get_num_threads();
    set_num_threads(4);
  }
  void TearDown() override { set_num_threads(before_); }

 private:
  int before_ = 1;
};

TEST_F(Parallel, EveryElementOnce) {
  for (const std::int64_t n : {0, 1, 3, 4, 5, 1001}) {
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
    host::parallel_for(n, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    for (const auto& times : seen) EXPECT_EQ(times, 1) << n;
  }
}

TEST_F(Parallel, WhatAPartThrowsReachesTheCaller) {
  for (const std::int64_t thrower : {0, 1, 3}) {
    const auto part = [&](std::int64_t first, std::int64_t last) {
      if (first <= thrower && thrower < last) throw std::bad_alloc();
    };
    EXPECT_THROW(host::parallel_for(4, 1, part), std::bad_alloc) << thrower;
  }
  EXPECT_THROW(host::parallel_for(
                   4, 1, [](std::int64_t, std::int64_t) { throw ValueError("each of them"); }),
               ValueError);
  EXPECT_EQ(sum(ones({1000}, {.dtype = DType::int64})).item<std::int64_t>(), 1000);
}

struct Ended {};
std::atomic<int> g_checks{0};
std::atomic<int> g_allowed{0};
std::atomic<std::thread::id> g_checker;

void count_checks() {
  g_checker = std::this_thread::get_id();
  if (++g_checks > g_allowed) throw Ended();
}

/// With a check that throws after `allowed` looks.
class Interrupted : public Parallel {
 protected:
  void allow(int checks) {
    g_checks = 0;
    g_allowed = checks;
    set_interrupt_check(count_checks);
  }
  void TearDown() override {
    EXPECT_EQ(set_interrupt_check(nullptr), count_checks);
    Parallel::TearDown();
  }
};

TEST_F(Interrupted, SlicesAreEveryElementOnce) {
  allow(1 << 30);
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    for (const std::int64_t grain : {1, 7, 64}) {
      for (const std::int64_t n : {1, 100, 1021}) {
        std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
        host::parallel_for(n, grain, [&](std::int64_t first, std::int64_t last) {
          for (std::int64_t i = first; i < last; ++i) {
            ++seen[static_cast<std::size_t>(i)];
            if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(6));
          }
        });
        for (const auto& times : seen) ASSERT_EQ(times, 1) << n << " by " << grain;
      }
    }
  }
}

TEST_F(Interrupted, TheCheckEndsTheWork) {
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    allow(1);
    std::atomic<std::int64_t> done{0};
    // 100 s of work, were it not ended.
    const auto work = [&] {
      host::parallel_for(20'000, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          ++done;
        }
      });
    };
    EXPECT_THROW(work(), Ended);
    EXPECT_EQ(g_checks, 2);
    EXPECT_EQ(g_checker, std::this_thread::get_id());
    EXPECT_LT(done, 20'000);
  }
}

TEST_F(Interrupted, ShortWorkIsNotAsked) {
  allow(0);
  EXPECT_EQ(sum(ones({100'000})).item<float>(), 100'000.F);
  EXPECT_EQ(g_checks, 0);
  EXPECT_THROW(check_interrupt(), Ended);
}

}  // namespace
