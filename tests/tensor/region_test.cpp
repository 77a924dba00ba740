// Whether two views share a byte, against the sets of their bytes.
#include "runtime/tensor/region.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "tandem/tandem.h"

using namespace tandem;
using detail::region_of;

namespace {

std::set<std::uint64_t> bytes_of(const Tensor& t) {
  std::set<std::uint64_t> all;
  const auto size = static_cast<std::int64_t>(t.element_size());
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    std::int64_t at = 0, rest = i;
    for (std::size_t d = t.shape().size(); d-- > 0;) {
      at += rest % t.shape()[d] * t.strides()[d];
      rest /= t.shape()[d];
    }
    const std::uint64_t first =
        reinterpret_cast<std::uintptr_t>(t.data_ptr()) + static_cast<std::uint64_t>(at * size);
    for (std::uint64_t b = 0; b < static_cast<std::uint64_t>(size); ++b) all.insert(first + b);
  }
  return all;
}

/// Any view of the storage of 4 x 6 x 10 elements: slices with steps back and forth, other orders
/// of dimensions, expanded ones, and ones that overlap themselves.
Tensor view_of(const Tensor& base, std::mt19937& random) {
  const auto pick = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  if (pick(0, 5) == 0) {
    const std::int64_t n = pick(1, 5), m = pick(1, 5);
    return base.as_strided({n, m}, {pick(1, 12), pick(1, 12)}, pick(0, 100));
  }
  Tensor t = base;
  for (std::int64_t d = 0; d < 3; ++d) {
    if (t.size(d) == 0) continue;
    const std::int64_t from = pick(0, t.size(d) / 2);
    const std::int64_t to = std::max(pick(from, t.size(d)), pick(from, t.size(d)));
    const std::int64_t step = pick(1, 3);
    t = pick(0, 2) == 0 && to > from ? t.slice(d, to - 1, from - 1 - t.size(d), -step)
                                     : t.slice(d, from, to, step);
  }
  if (pick(0, 1) == 0) t = t.permute({2, 0, 1});
  if (pick(0, 4) == 0) t = t.unsqueeze(0).expand({3, -1, -1, -1});
  return t;
}

TEST(Region, AgreesWithTheSetsOfBytes) {
  std::mt19937 random(7);
  int shared = 0, apart = 0;
  for (int round = 0; round < 4000; ++round) {
    const Tensor base = empty({4, 6, 10}, {.dtype = round % 2 == 0 ? DType::int16 : DType::uint8});
    const Tensor a = view_of(base, random), b = view_of(base, random);
    const auto of_a = bytes_of(a), of_b = bytes_of(b);
    const bool share =
        std::any_of(of_a.begin(), of_a.end(), [&](std::uint64_t at) { return of_b.contains(at); });
    const auto ra = region_of(*a.body_ptr()), rb = region_of(*b.body_ptr());
    ASSERT_EQ(share_bytes(ra, rb), share) << round;
    ASSERT_EQ(share_bytes(rb, ra), share) << round;
    if (!of_a.empty()) {
      ASSERT_EQ(ra.first, *of_a.begin()) << round;
      ASSERT_EQ(ra.last, *of_a.rbegin()) << round;
      if (covers(ra, rb)) {
        ASSERT_TRUE(std::includes(of_a.begin(), of_a.end(), of_b.begin(), of_b.end()));
      }
    } else {
      ASSERT_TRUE(ra.empty());
    }
    ++(share ? shared : apart);
  }
  EXPECT_GT(shared, 500);
  EXPECT_GT(apart, 500);
}

TEST(Region, ColumnsOfLargeTensorsAreToldApart) {
  const Tensor x = empty({100000, 64}, {.dtype = DType::uint8});
  const auto left = region_of(*x.slice(1, 0, 32).body_ptr());
  const auto right = region_of(*x.slice(1, 32, 64).body_ptr());
  EXPECT_FALSE(share_bytes(left, right));
  EXPECT_TRUE(share_bytes(left, region_of(*x.slice(1, 31, 64).body_ptr())));
  EXPECT_TRUE(region_of(*x.body_ptr()).dense());
}

}  // namespace
