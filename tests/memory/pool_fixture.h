// What the tests of the pool share: a pool on a fake device, and blocks that know what was written
// to them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>

#include "runtime/memory/pool.h"
#include "tests/memory/fake_driver.h"

namespace tandem::test {

inline constexpr std::size_t kKiB = 1024, kMiB = 1024 * kKiB;
inline constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();

/// The number of the fake device in its streams' ids.
inline constexpr unsigned kDevice = 3;

inline StreamId stream(std::uint64_t number) {
  return {std::uint64_t{kDevice} << StreamId::kDeviceShift | number, 1000 + number};
}

/// A pool on a fake device; at the end the rules were kept and nothing is left.
class PoolTest : public ::testing::Test {
 protected:
  Pool& pool() {
    if (pool_ == nullptr)
      pool_ = std::make_unique<Pool>(std::make_unique<FakeDriver>(device_), kCPU, kDevice, order_);
    return *pool_;
  }
  void TearDown() override {
    device_.fail_at = -1;
    pool_.reset();
    EXPECT_EQ(device_.misuse, "");
    EXPECT_TRUE(device_.segments.empty());
    EXPECT_TRUE(device_.events.empty());
  }
  /// The host waits for a stream, and for all.
  void synchronize(std::uint64_t s) {
    const memory::Point point = order_.waiting(stream(s));
    device_.finish(s);
    order_.waited_for(point);
  }

  FakeDevice device_;
  memory::Order order_;
  std::unique_ptr<Pool> pool_;
};

struct Live {
  Block* block;
  std::size_t bytes;
  unsigned char mark;
};

inline void fill(const Live& l) {
  std::memset(l.block->data, l.mark, std::min<std::size_t>(l.bytes, 4096));
  std::memset(l.block->data + l.bytes - std::min<std::size_t>(l.bytes, 4096), l.mark,
              std::min<std::size_t>(l.bytes, 4096));
}

inline bool intact(const Live& l) {
  const auto has = [&](std::size_t i) { return l.block->data[i] == std::byte{l.mark}; };
  for (std::size_t i = 0; i < std::min<std::size_t>(l.bytes, 4096); ++i) {
    if (!has(i) || !has(l.bytes - 1 - i)) return false;
  }
  return true;
}

inline std::size_t random_size(std::mt19937_64& rng) {
  // Log-uniform over 1 byte to 24 MiB, small ones most often.
  const double octaves = std::uniform_real_distribution<double>(0, rng() % 4 == 0 ? 24.5 : 16)(rng);
  return static_cast<std::size_t>(std::exp2(octaves));
}

}  // namespace tandem::test
