// tandem::map with functors of the user: dtypes, broadcasting, layouts, names, errors.
#include "tandem/map.h"

#include <gtest/gtest.h>

#include "tandem/tandem.h"

using namespace tandem;

namespace {

struct SmoothStep {
  float edge;
  template <class T>
  T operator()(T x) const requires std::is_floating_point_v<T> {
    const T t = x / static_cast<T>(edge);
    return t * t * (T(3) - T(2) * t);
  }
};

struct Closer {
  template <class T>
  bool operator()(T x, T y, T z) const requires std::is_arithmetic_v<T> {
    return (x < y ? y - x : x - y) < (x < z ? z - x : x - z);
  }
};

}  // namespace

TEST(Map, CallsTheFunctorOnEveryElement) {
  const Tensor x = arange(12, {.dtype = DType::float64}).view({3, 4});
  const Tensor y = map(SmoothStep{2.0f}, x);
  EXPECT_EQ(y.dtype(), DType::float64);
  for (std::int64_t i = 0; i < 12; ++i) {
    const double t = static_cast<double>(i) / 2;
    EXPECT_EQ(y.view({12})[i].item<double>(), t * t * (3 - 2 * t)) << i;
  }
}

TEST(Map, SixteenBitFloatsAreComputedInFloatAndKept) {
  const Tensor x = arange(5, {.dtype = DType::float16});
  const Tensor y = map([](float v) { return v * 0.1f; }, x);
  EXPECT_EQ(y.dtype(), DType::float16);
  EXPECT_TRUE(equal(y, (x.to(DType::float32) * 0.1f).to(DType::float16)));
}

TEST(Map, BroadcastsPromotesAndNamesTheResultByWhatIsReturned) {
  const Tensor x = arange(6, {.dtype = DType::int32}).view({2, 3});
  const Tensor y = arange(3, {.dtype = DType::int64});
  const Tensor z = arange(2, {.dtype = DType::uint8}).view({2, 1});
  const Tensor r = map(Closer{}, x, y, z);
  EXPECT_EQ(r.dtype(), DType::bool_);
  ASSERT_EQ(r.dim(), 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      const std::int64_t a = 3 * i + j;
      EXPECT_EQ(r(i, j).item<bool>(), std::abs(a - j) < std::abs(a - i)) << i << j;
    }
  }
}

TEST(Map, TakesAnyLayout) {
  const auto twice = [](auto v) { return v + v; };
  const Tensor x = arange(24, {.dtype = DType::float32}).view({2, 3, 4});
  for (const Tensor& v : {x.transpose(0, 2), x.slice(2, {}, {}, -1), x.slice(1, 0, 3, 2),
                          x.select(0, 1).unsqueeze(0).expand({5, 3, 4}), x.slice(0, 0, 0)}) {
    EXPECT_TRUE(equal(map(twice, v), v + v));
  }
}

TEST(Map, RefusesWhatTheFunctorDoesNotTake) {
  EXPECT_THROW(map(SmoothStep{1.0f}, arange(3)), TypeError);
  EXPECT_THROW(map([](auto a, auto b) { return a + b; }, ones({3}), ones({4})), ShapeError);
}
