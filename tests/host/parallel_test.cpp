// Work that is split over threads: every part once, and what a part throws reaches the caller.
#include "host/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <vector>

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

}  // namespace
