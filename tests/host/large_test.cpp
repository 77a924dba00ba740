// Outputs too large for the caches, which are streamed to memory: every element of them, whatever
// their alignment, and nothing beside them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tandem/ops.h"

namespace tandem {
namespace {

constexpr std::int64_t kMany = (std::int64_t(1) << 22) + 77;  // floats of 16 MiB and some
constexpr std::int64_t kMargin = 32;
constexpr float kSentinel = -12345;

/// Room for kMany floats `skip` elements after the margin; the rest must stay as it is.
struct Target {
  Tensor memory = full({kMany + 2 * kMargin + 16}, kSentinel);
  std::int64_t first;
  Tensor out;
  explicit Target(std::int64_t skip)
      : first(kMargin + skip), out(memory.slice(0, first, first + kMany)) {}

  template <class Wanted>
  void expect(Wanted wanted) const {
    const float* p = memory.data<float>();
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < memory.numel(); ++i) {
      const bool inside = i >= first && i < first + kMany;
      wrong += p[i] != (inside ? wanted(i - first) : kSentinel);
    }
    EXPECT_EQ(wrong, 0) << "first " << first;
  }
};

float x_at(std::int64_t i) { return static_cast<float>(i % 1021) - 500; }
float y_at(std::int64_t i) { return static_cast<float>(i % 509) * 0.5f; }

template <class F>
Tensor made(F f) {
  Tensor t = empty({kMany});
  for (std::int64_t i = 0; i < kMany; ++i) t.data<float>()[i] = f(i);
  return t;
}

TEST(Large, ElementwiseAtEveryAlignment) {
  const Tensor x = made(x_at);
  const Tensor y = made(y_at);
  for (const std::int64_t skip : {0, 1, 3, 7, 8, 15}) {
    Target t(skip);
    add_out(t.out, x, y);
    t.expect([](std::int64_t i) { return x_at(i) + y_at(i); });
  }
}

TEST(Large, NumbersAndConditions) {
  const Tensor x = made(x_at);
  const Tensor y = made(y_at);
  Target scaled(5);
  mul_out(scaled.out, x, 1.5);
  scaled.expect([](std::int64_t i) { return x_at(i) * 1.5f; });
  Target difference(0);
  sub_out(difference.out, 3, x);
  difference.expect([](std::int64_t i) { return 3 - x_at(i); });
  Target chosen(2);
  where_out(chosen.out, gt(x, 0), x, y);
  chosen.expect([](std::int64_t i) { return x_at(i) > 0 ? x_at(i) : y_at(i); });
  Target clamped(9);
  clamp_out(clamped.out, x, -100, y);
  clamped.expect([](std::int64_t i) { return std::min(std::max(x_at(i), -100.0f), y_at(i)); });
  Tensor own = x.clone();
  own.add_(own);  // the output is an input
  for (std::int64_t i = 0; i < kMany; i += 1000) ASSERT_EQ(own.data<float>()[i], 2 * x_at(i));
}

TEST(Large, CopiesCastsAndFills) {
  const Tensor x = made(x_at);
  Target copied(3);
  copied.out.copy_(x);
  copied.expect(x_at);
  Target cast(1);
  cast.out.copy_(x.to(DType::float64));
  cast.expect(x_at);
  Target filled(6);
  filled.out.fill_(2.25);
  filled.expect([](std::int64_t) { return 2.25f; });
  const Tensor counted = arange(kMany);
  for (std::int64_t i = 0; i < kMany; ++i) ASSERT_EQ(counted.data<std::int64_t>()[i], i);
}

/// Elements of the contiguous copy of a transposed matrix, counted where they are wrong.
template <class T>
std::int64_t wrong_turned(std::int64_t rows, std::int64_t columns) {
  Tensor x = empty({columns, rows}, {.dtype = dtype_of<T>});
  T* p = x.data<T>();
  for (std::int64_t i = 0; i < x.numel(); ++i) p[i] = static_cast<T>(i * 7919 % 251);
  const Tensor y = x.t().contiguous();
  std::int64_t wrong = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      wrong += y.data<T>()[r * columns + c] != p[c * rows + r];
    }
  }
  return wrong;
}

TEST(Large, TransposedCopies) {
  for (const Dims& s : {Dims{2052, 2064}, Dims{2051, 2053}, Dims{4194309, 1}, Dims{5, 900001}}) {
    EXPECT_EQ(wrong_turned<float>(s[0], s[1]), 0) << s[0];
    EXPECT_EQ(wrong_turned<std::uint8_t>(s[0], s[1]), 0) << s[0];
    EXPECT_EQ(wrong_turned<std::int16_t>(s[0], s[1]), 0) << s[0];
    EXPECT_EQ(wrong_turned<double>(s[0], s[1]), 0) << s[0];
  }
  // Cast on the way, and into rows with gaps.
  const Tensor x = made(x_at).slice(0, 0, 2048 * 2048).view({2048, 2048});
  Tensor room = full({2048, 2112}, kSentinel);
  Tensor inside = room.slice(1, 16, 16 + 2048);
  inside.copy_(x.t());
  const Tensor wide = x.t().to(DType::float64);
  std::int64_t wrong = 0;
  for (std::int64_t r = 0; r < 2048; ++r) {
    for (std::int64_t c = 0; c < 2112; ++c) {
      const bool in = c >= 16 && c < 16 + 2048;
      const float want = in ? x_at((c - 16) * 2048 + r) : kSentinel;
      wrong += room.data<float>()[r * 2112 + c] != want;
    }
  }
  for (std::int64_t i = 0; i < 2048 * 2048; ++i) {
    // A transposed tensor keeps its order of dimensions when it is cast.
    wrong += wide.data<double>()[i] != x_at(i);
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Large, SumsOfFewPlanes) {
  const std::int64_t rows = 2049, columns = 2053;  // 16.8 MB a picture
  const Tensor weights = empty({3});
  const float w[] = {0.25f, 0.5f, 2};
  std::memcpy(weights.data_ptr(), w, sizeof w);
  Tensor x = empty({2, 3, rows, columns});
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data<float>()[i] = x_at(i);
  const Tensor luma = einsum("...chw,c->...hw", {x, weights});
  const Tensor planes = sum(x, 1);
  const std::int64_t plane = rows * columns;
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < 2 * plane; ++i) {  // small multiples of 1/4: every order is exact
    const std::int64_t at = i / plane * 3 * plane + i % plane;
    const float r = x_at(at), g = x_at(at + plane), b = x_at(at + 2 * plane);
    wrong += luma.data<float>()[i] != r * w[0] + g * w[1] + b * w[2];
    wrong += planes.data<float>()[i] != r + g + b;
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Large, WeightedPlanesHaveTheBitsOfSmallOnes) {
  const std::int64_t columns = kMany + 5;
  for (const DType t : {dtype_of<float>, dtype_of<double>}) {
    for (const std::int64_t n : {1, 2, 3, 4, 5}) {
      const Tensor x = randn({n, columns}, {.dtype = t});
      const Tensor weights = rand({n}, {.dtype = t});
      const Tensor whole = einsum("cp,c->p", {x, weights});
      for (const std::int64_t first : {std::int64_t(0), std::int64_t(1000001), columns - 70001}) {
        const Tensor part = einsum("cp,c->p", {x.narrow(1, first, 70001), weights});
        const auto size = static_cast<std::int64_t>(whole.element_size());
        const char* same = static_cast<const char*>(whole.data_ptr()) + first * size;
        EXPECT_EQ(std::memcmp(same, part.data_ptr(), part.nbytes()), 0) << n << " " << first;
      }
    }
  }
}

}  // namespace
}  // namespace tandem
