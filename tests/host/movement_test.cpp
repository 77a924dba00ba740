// Movement where Python's tests do not reach: the half types, the places of triangles and choices
// too large to make, negative strides without end, errors that change nothing.
#include "tandem/movement.h"

#include <gtest/gtest.h>

#include <random>

#include "kernels/functors/generator.h"
#include "kernels/functors/movement.h"
#include "tandem/ops.h"
#include "tests/support/call_data.h"
#include "tests/support/elements.h"
#include "tests/support/expect_error.h"

namespace tandem {
namespace {

using testing::expect_error;

/// Whether the bytes of element i of `a` are those of element j of `b`; both dense.
bool same_bytes(const Tensor& a, std::int64_t i, const Tensor& b, std::int64_t j) {
  const std::size_t size = a.element_size();
  return std::memcmp(static_cast<char*>(a.data_ptr()) + static_cast<std::size_t>(i) * size,
                     static_cast<char*>(b.data_ptr()) + static_cast<std::size_t>(j) * size,
                     size) == 0;
}

bool is_zero(const Tensor& a, std::int64_t i) {
  const std::size_t size = a.element_size();
  const char* p = static_cast<char*>(a.data_ptr()) + static_cast<std::size_t>(i) * size;
  for (std::size_t k = 0; k < size; ++k) {
    if (p[k] != 0) return false;
  }
  return true;
}

TEST(Movement, EveryDTypeMovesItsBytes) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto dtype = static_cast<DType>(d);
    SCOPED_TRACE(name(dtype));
    const std::int64_t rows = 37;
    const std::int64_t columns = 53;
    const Tensor x = test::varied({rows, columns}, dtype, 3, true);
    const Tensor lower = tril(x, 4);
    const Tensor upper = triu(x, 4);
    const Tensor rolled = roll(x, {3, -5}, {0, 1});
    const Tensor reflected = pad(x, {4, 1}, "reflect");
    const Tensor doubled = repeat_interleave(x, test::varied_indices({rows}, 2, 3), Axis(0));
    std::int64_t wrong = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        const std::int64_t i = r * columns + c;
        wrong += c <= r + 4 ? !same_bytes(lower, i, x, i) : !is_zero(lower, i);
        wrong += c >= r + 4 ? !same_bytes(upper, i, x, i) : !is_zero(upper, i);
        wrong += !same_bytes(rolled, (r + 3) % rows * columns + (c + columns - 5) % columns, x, i);
        wrong += !same_bytes(doubled, 2 * i - c, x, i) ||
                 !same_bytes(doubled, 2 * i - c + columns, x, i);
      }
      for (std::int64_t c = 0; c < columns + 5; ++c) {
        const std::int64_t from = c < 4 ? 4 - c : c < columns + 4 ? c - 4 : columns - 2;
        wrong += !same_bytes(reflected, r * (columns + 5) + c, x, r * columns + from);
      }
    }
    EXPECT_EQ(wrong, 0);
  }
}

TEST(Movement, PlacesOfLargeTriangles) {
  std::mt19937_64 random(7);
  const std::int64_t sizes[] = {1, 2, 5, 1000, (1 << 20) + 3, (std::int64_t(1) << 27) - 1};
  for (const std::int64_t rows : sizes) {
    for (const std::int64_t columns : sizes) {
      for (int trial = 0; trial < 200; ++trial) {
        const auto limit = static_cast<std::int64_t>(random() % 3) - 1;
        const std::int64_t offset =
            limit * static_cast<std::int64_t>(
                        random() % static_cast<std::uint64_t>(limit < 0 ? rows : columns));
        // Elements in the rows before one: the oracle counts in 128 bits.
        const auto before = [&](std::int64_t row) {
          const __int128 first = std::max<std::int64_t>(0, -offset);
          const __int128 full =
              std::max<__int128>(std::max<__int128>(columns - offset - 1, 0), first);
          const __int128 grown = std::min<__int128>(row, full);
          __int128 n = grown > first ? (grown - first) * (first + grown + 1 + 2 * offset) / 2 : 0;
          if (row > full) n += (row - full) * columns;
          return n;
        };
        const auto count = static_cast<std::int64_t>(before(rows));
        if (count == 0) continue;
        for (const std::int64_t k :
             {std::int64_t(0), count - 1,
              static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(count))}) {
          const fn::MatrixPlace at = fn::lower_place(k, rows, columns, offset);
          ASSERT_EQ(static_cast<std::int64_t>(before(at.row)) + at.column, k)
              << rows << " x " << columns << ", " << offset;
          ASSERT_GE(at.column, 0);
          ASSERT_LE(at.column, std::min(at.row + offset, columns - 1));
        }
        // The first and last elements of rows, where a root may be off by one.
        const auto row = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows));
        const auto length = static_cast<std::int64_t>(before(row + 1) - before(row));
        if (length == 0) continue;
        const auto start = static_cast<std::int64_t>(before(row));
        EXPECT_EQ(fn::lower_place(start, rows, columns, offset).row, row);
        EXPECT_EQ(fn::lower_place(start + length - 1, rows, columns, offset).row, row);
      }
    }
  }
}

TEST(Movement, NumbersOfLargeChoices) {
  // C(n, r) by Pascal's triangle in 128 bits, and the number of a choice by its definition.
  constexpr int kMost = 70;
  static unsigned __int128 c[kMost + 1][kMost + 1];
  for (int n = 0; n <= kMost; ++n) {
    for (int r = 0; r <= n; ++r) c[n][r] = r == 0 || r == n ? 1 : c[n - 1][r - 1] + c[n - 1][r];
  }
  std::mt19937_64 random(11);
  for (const auto& [n, r] :
       {std::pair{5, 2}, {70, 3}, {70, 67}, {60, 20}, {62, 31}, {70, 70}, {64, 1}}) {
    const auto count = static_cast<std::int64_t>(c[n][r]);
    if (c[n][r] * static_cast<unsigned>(n) > INT64_MAX) continue;
    for (int trial = 0; trial < 300; ++trial) {
      const std::int64_t q =
          trial == 0   ? 0
          : trial == 1 ? count - 1
                       : static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(count));
      fn::ChoiceWalk walk(n, r, count);
      std::int64_t left = q;
      unsigned __int128 number = 0;
      std::int64_t last = -1;
      for (int k = 0; k < r; ++k) {
        const std::int64_t place = walk.next(left);
        ASSERT_GT(place, last);
        ASSERT_LT(place, n);
        for (std::int64_t p = last + 1; p < place; ++p) number += c[n - 1 - p][r - 1 - k];
        last = place;
      }
      ASSERT_EQ(static_cast<std::int64_t>(number), q) << r << " of " << n;
    }
  }
}

TEST(Movement, FlipsComposeWithEverythingElse) {
  const Tensor x = test::varied({6, 10, 4}, DType::float32, 5);
  const Tensor y = flip(flip(x, {0, 2}).slice(1, 2, 9, 3).transpose(0, 1), 1);
  ASSERT_EQ(y.dim(), 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t j = 0; j < 6; ++j) {
      for (std::int64_t k = 0; k < 4; ++k) {
        EXPECT_EQ(y(i, j, k).item<float>(), x(j, 2 + 3 * i, 3 - k).item<float>());
      }
    }
  }
  EXPECT_TRUE(equal(add(y, y), mul(y.contiguous(), 2)));
  EXPECT_TRUE(equal(sum(y, {0, 2}), sum(y.clone(), {0, 2})));
  EXPECT_TRUE(equal(flip(empty({0, 3})), empty({0, 3})));
}

TEST(Movement, ManyDimensions) {
  Dims shape(16, 1);
  shape[3] = 2;
  shape[9] = 3;
  const Tensor x = test::varied(shape, DType::int32, 2);
  EXPECT_EQ(flip(x).dim(), 16);
  EXPECT_TRUE(equal(roll(x, {1}, 9), cat({x.slice(9, 2), x.slice(9, 0, 2)}, 9)));
  EXPECT_TRUE(equal(tile(x, Dims(16, 2)).slice(3, 2).slice(9, 3).slice(0, 1),
                    tile(x, Dims(16, 2)).slice(3, 0, 2).slice(9, 0, 3).slice(0, 0, 1)));
  EXPECT_TRUE(equal(pad(x, {0, 0, 1, 0}), cat({zeros_like(x), x}, 14)));
}

TEST(Movement, AFailedCallChangesNothing) {
  const Tensor x = test::varied({3, 4}, DType::float32, 1);
  const Tensor before = x.clone();
  expect_error<ShapeError>([&] { (void)select_scatter(x, zeros({3}), 0, 1); }, "[select_scatter]");
  expect_error<DeviceError>(
      [&] {
        (void)slice_scatter(x, empty({3, 4}, {.device = kMeta}));
      },
      "src");
  expect_error<ValueError>([&] { (void)pad(x, {1, 1}, "edge"); }, "argument 'mode'");
  expect_error<ShapeError>([&] { (void)repeat(x, Dims{2}); }, "[repeat]");
  expect_error<ValueError>([&] { (void)repeat(x, Dims{INT64_MAX, 4}); }, "more");
  expect_error<ValueError>([&] { (void)roll(x, IntSpan{}); }, "[roll]");
  expect_error<ShapeError>([&] { (void)tril(x.select(0, 0)); }, "[tril]");
  EXPECT_TRUE(equal(x, before));
}

}  // namespace
}  // namespace tandem
