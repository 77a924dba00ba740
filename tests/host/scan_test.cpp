// lint: oracle table. Scans: exact oracles (naive loops in wider types), the bits of scan order 1
// as docs/numerics.md writes it, its frozen test vectors, and every layout.
#include "tandem/scan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "tandem/ops.h"
#include "tandem/threads.h"
#include "tests/support/expect_error.h"

using namespace tandem;
using tandem::testing::expect_error;

namespace {

template <class T>
using Join = std::function<T(T, T)>;

/// What comes before each of the totals, and after the last; a flag says whether anything does.
template <class T>
std::vector<std::pair<bool, T>> before_each(const std::vector<T>& totals, const Join<T>& join) {
  std::vector<T> of_segments;
  for (std::size_t j = 15; j < totals.size(); j += 16) {
    T t = totals[j - 15];
    for (std::size_t k = j - 14; k <= j; ++k) t = join(t, totals[k]);
    of_segments.push_back(t);
  }
  std::vector<std::pair<bool, T>> outer{{false, T{}}};
  if (!of_segments.empty()) outer = before_each(of_segments, join);
  std::vector<std::pair<bool, T>> r;
  T local{};
  for (std::size_t j = 0; j <= totals.size(); ++j) {
    const auto& [has, base] = outer[j / 16];
    if (j % 16 == 0) {
      r.emplace_back(has, base);
      continue;
    }
    local = j % 16 == 1 ? totals[j - 1] : join(local, totals[j - 1]);
    r.emplace_back(true, has ? join(base, local) : local);
  }
  return r;
}

/// Scan order 1, naively.
template <class T>
std::vector<T> in_order(std::vector<T> x, const Join<T>& join) {
  std::vector<T> totals;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % 16 != 0) x[i] = join(x[i - 1], x[i]);
    if (i % 16 == 15) totals.push_back(x[i]);
  }
  const auto before = before_each(totals, join);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto& [has, base] = before[i / 16];
    if (has) x[i] = join(base, x[i]);
  }
  return x;
}

template <class T>
Tensor tensor_of(const std::vector<T>& x) {
  Tensor t = empty({static_cast<std::int64_t>(x.size())}, {.dtype = dtype_of<T>});
  std::copy(x.begin(), x.end(), t.data<T>());
  return t;
}

template <class T>
std::vector<T> vector_of(const Tensor& t) {
  const Tensor dense = t.contiguous();
  return {dense.data<T>(), dense.data<T>() + dense.numel()};
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// The data of the frozen vectors.
std::vector<float> frozen(std::int64_t n) {
  std::vector<float> x;
  for (std::int64_t i = 0; i < n; ++i) {
    x.push_back(static_cast<float>(i * 7919 % 10007) / 10007 - 0.5f);
  }
  return x;
}

/// Around every boundary of segments, groups, tiles and tiles of tiles.
const std::vector<std::int64_t> kLengths = {
    1,    2,    15,   16,   17,   31,   255,  256,   257,   300,   2047,  2048, 2049,
    4095, 4096, 4097, 4111, 4352, 8192, 8193, 12345, 65535, 65536, 65537, 69633};

std::uint32_t bits_of(float x) {
  std::uint32_t u;
  std::memcpy(&u, &x, sizeof u);
  return u;
}

TEST(Scan, SumsHaveTheBitsOfTheWrittenOrder) {
  const Join<float> plus = [](float a, float b) { return a + b; };
  for (const std::int64_t n : kLengths) {
    const std::vector<float> x = frozen(n);
    const std::vector<float> expected = in_order(x, plus);
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      EXPECT_TRUE(same_bits(vector_of<float>(cumsum(tensor_of(x), 0)), expected))
          << n << " elements, " << threads << " threads";
    }
    set_num_threads(2);
    // Beside others, along the outer dimension, and as every third element of one.
    const Tensor row = tensor_of(x);
    const Tensor wide = stack({row, row.neg(), row}, 0);
    const Tensor many = row.unsqueeze(1).expand({n, 20}).contiguous();
    const Tensor spread = zeros({n, 3});
    spread.select(1, 1).copy_(row);
    EXPECT_TRUE(same_bits(vector_of<float>(cumsum(wide, 1).select(0, 2)), expected)) << n;
    EXPECT_TRUE(same_bits(vector_of<float>(cumsum(many, 0).select(1, 19)), expected)) << n;
    EXPECT_TRUE(same_bits(vector_of<float>(cumsum(many.t(), 1).select(0, 1)), expected)) << n;
    EXPECT_TRUE(same_bits(vector_of<float>(cumsum(spread, 0).select(1, 1)), expected)) << n;
    Tensor self = row.clone();
    cumsum_(self, 0);
    EXPECT_TRUE(same_bits(vector_of<float>(self), expected)) << n;
    Tensor columns = many.clone();
    cumsum_(columns, 0);
    EXPECT_TRUE(same_bits(vector_of<float>(columns.select(1, 3)), expected)) << n;
  }
}

TEST(Scan, TheOrderIsFrozen) {
  const Tensor y = cumsum(tensor_of(frozen(70000)), 0);
  const float* p = y.data<float>();
  const std::pair<int, std::uint32_t> vectors[] = {{2, 0xBE00FC24},
                                                   {99, 0x3E26E5D4},
                                                   {999, 0x3EB63226},
                                                   {9999, 0x3E217A70},
                                                   {69999, 0xC02677B8}};
  for (const auto& [i, bits] : vectors) {
    EXPECT_EQ(bits_of(p[i]), bits) << i << std::hex << " 0x" << bits_of(p[i]);
  }
}

TEST(Scan, ProductsHaveTheBitsOfTheWrittenOrder) {
  for (const std::int64_t n : {17, 300, 5000, 70000}) {
    std::vector<double> x;
    std::vector<Complex64> z;
    for (std::int64_t i = 0; i < n; ++i) {
      x.push_back(1 + static_cast<double>(i * 7919 % 10007 - 5003) / 1e6);
      const auto angle = static_cast<float>(i % 1013);
      z.push_back({std::cos(angle), std::sin(angle)});
    }
    const std::vector<double> expected =
        in_order<double>(x, [](double a, double b) { return a * b; });
    EXPECT_TRUE(same_bits(vector_of<double>(cumprod(tensor_of(x), 0)), expected)) << n;
    // Each product of a complex one rounded: a volatile keeps the compiler from contracting.
    const std::vector<Complex64> complex = in_order<Complex64>(z, [](Complex64 a, Complex64 b) {
      volatile float ac = a.re * b.re, bd = a.im * b.im, ad = a.re * b.im, bc = a.im * b.re;
      return Complex64{ac - bd, ad + bc};
    });
    EXPECT_TRUE(same_bits(vector_of<Complex64>(cumprod(tensor_of(z), 0)), complex)) << n;
    const Tensor columns = tensor_of(z).unsqueeze(1).expand({n, 20}).contiguous();
    EXPECT_TRUE(same_bits(vector_of<Complex64>(cumprod(columns, 0).select(1, 19)), complex)) << n;
  }
}

TEST(Scan, IntegersAreExactAndWrap) {
  for (const std::int64_t n : {1, 16, 257, 4097, 20000}) {
    Tensor x = empty({n, 18}, {.dtype = DType::int64});
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      x.data<std::int64_t>()[i] = (i * 2654435761 % 1000) - 500;
    }
    for (const DType t : {DType::int8, DType::uint8, DType::int16, DType::int32, DType::uint16,
                          DType::int64, DType::uint32, DType::uint64}) {
      const Tensor typed = x.to(t);
      const Tensor y = cumsum(typed, 0);
      const Tensor own = cumsum(typed, 0, t);
      ASSERT_EQ(y.dtype(), DType::int64);
      ASSERT_EQ(own.dtype(), t);
      const Tensor wide = typed.to(DType::int64);
      const auto elements = vector_of<std::int64_t>(wide);
      auto expected = elements;
      for (std::int64_t i = 18; i < n * 18; ++i) {
        expected[static_cast<std::size_t>(i)] += expected[static_cast<std::size_t>(i) - 18];
      }
      EXPECT_EQ(vector_of<std::int64_t>(y), expected) << name(t) << " " << n;
      EXPECT_TRUE(equal(own, tensor_of(expected).reshape({n, 18}).to(t))) << name(t) << " " << n;
    }
    const Tensor truth = gt(x, 0);
    EXPECT_TRUE(equal(cumsum(truth, 0), cumsum(truth.to(DType::int32), 0)));
  }
}

TEST(Scan, HalfTypesAreRoundedOnce) {
  const std::int64_t n = 5000;
  std::vector<float> x = frozen(n);
  for (const DType t : {DType::float16, DType::bfloat16}) {
    const Tensor h = tensor_of(x).to(t);
    const Tensor wide = cumsum(h.to(DType::float32), 0);
    EXPECT_TRUE(equal(cumsum(h, 0), wide.to(t)));
    EXPECT_TRUE(equal(cumsum(h, 0, DType::float32), wide));
    EXPECT_TRUE(equal(cumsum(tensor_of(x), 0, t), cumsum(h, 0)));
  }
}

/// The error against long double stays below what a sequential sum may have.
TEST(Scan, SumsAreAccurate) {
  const std::int64_t n = 1'000'000;
  const std::vector<float> x = frozen(n);
  const auto y = vector_of<float>(cumsum(tensor_of(x), 0));
  long double sum = 0, magnitude = 0, worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum += x[i];
    magnitude += std::fabs(static_cast<long double>(x[i]));
    worst = std::max(worst, std::fabs(sum - y[i]) / magnitude);
  }
  // At most 16 joins in each of 5 sequences and one between them.
  EXPECT_LT(worst, 5 * 16 * 0x1p-24L);
}

template <class T>
void expect_extremes(const std::vector<T>& x, bool greatest) {
  const auto [values, indices] = greatest ? cummax(tensor_of(x), 0) : cummin(tensor_of(x), 0);
  ASSERT_EQ(indices.dtype(), DType::int64);
  const auto v = vector_of<T>(values);
  const auto at = vector_of<std::int64_t>(indices);
  std::size_t best = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool nan = x[i] != x[i], had = x[best] != x[best];
    if (nan || (!had && (greatest ? x[i] >= x[best] : x[i] <= x[best]))) best = i;
    ASSERT_EQ(at[i], static_cast<std::int64_t>(best)) << i << " of " << x.size();
    ASSERT_EQ(std::memcmp(&v[i], &x[best], sizeof(T)), 0) << i;
  }
}

TEST(Scan, ExtremesAreTheLastOfEqualOnesAndNaNWins) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float inf = std::numeric_limits<float>::infinity();
  for (const bool greatest : {true, false}) {
    expect_extremes<float>({3, 1, 3, 2, -0.0f, 0.0f, 5, inf, 5, inf, nan, 7, nan, inf}, greatest);
    expect_extremes<float>({-0.0f, 0.0f, -0.0f, -inf, 0.0f}, greatest);
    for (const std::int64_t n : kLengths) {
      std::vector<float> x;
      std::vector<std::uint64_t> u;
      std::vector<std::int8_t> i8;
      for (std::int64_t i = 0; i < n; ++i) {
        x.push_back(static_cast<float>(i * 7919 % 10007 / 4) + static_cast<float>(i / 100));
        u.push_back(static_cast<std::uint64_t>(i * 7919 % 10007 / 4) << 51);
        i8.push_back(static_cast<std::int8_t>(i * 31 % 101));
      }
      expect_extremes(x, greatest);
      expect_extremes(u, greatest);
      expect_extremes(i8, greatest);
      if (n > 40) x[static_cast<std::size_t>(n) - 20] = nan;
      expect_extremes(x, greatest);
      const Tensor columns = tensor_of(x).unsqueeze(1).expand({n, 40}).contiguous();
      const auto along = greatest ? cummax(tensor_of(x), 0) : cummin(tensor_of(x), 0);
      const auto across = greatest ? cummax(columns, 0) : cummin(columns, 0);
      EXPECT_TRUE(equal(std::get<1>(across).select(1, 39), std::get<1>(along))) << n;
      EXPECT_TRUE(same_bits(vector_of<float>(std::get<0>(across).select(1, 7)),
                            vector_of<float>(std::get<0>(along))))
          << n;
    }
  }
}

TEST(Scan, LogarithmsOfSumsOfExponentials) {
  for (const std::int64_t n : {1, 17, 300, 5000}) {
    std::vector<double> x;
    for (std::int64_t i = 0; i < n; ++i)
      x.push_back(static_cast<double>(i * 7919 % 10007) / 5 - 1000);
    const auto y = vector_of<double>(logcumsumexp(tensor_of(x), 0));
    const auto f = vector_of<float>(logcumsumexp(tensor_of(x).to(DType::float32), 0));
    long double max = -INFINITY, sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double next = std::max(max, static_cast<long double>(x[i]));
      sum = (i == 0 ? 0 : sum * std::exp(max - next)) + std::exp(x[i] - next);
      max = next;
      const long double expected = max + std::log(sum);
      EXPECT_NEAR(y[i], static_cast<double>(expected),
                  std::fabs(static_cast<double>(expected)) * 1e-14);
      EXPECT_NEAR(f[i], static_cast<double>(expected),
                  std::fabs(static_cast<double>(expected)) * 1e-5);
    }
  }
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto y =
      vector_of<double>(logcumsumexp(tensor_of<double>({-inf, -inf, 1000, 1000, inf, 3}), 0));
  EXPECT_EQ(y[0], -inf);
  EXPECT_EQ(y[1], -inf);
  EXPECT_EQ(y[2], 1000);
  EXPECT_NEAR(y[3], 1000 + std::log(2.0), 1e-12);
  EXPECT_EQ(y[4], inf);
  EXPECT_EQ(y[5], inf);
  EXPECT_TRUE(std::isnan(vector_of<double>(logcumsumexp(tensor_of<double>({1, NAN, 2}), 0))[2]));
}

TEST(Scan, TheArrayApiForms) {
  const Tensor x = tensor_of<float>({1, 2, 3, 4});
  EXPECT_EQ(vector_of<float>(cumulative_sum(x)), (std::vector<float>{1, 3, 6, 10}));
  EXPECT_EQ(vector_of<float>(cumulative_sum(x, {}, {}, true)),
            (std::vector<float>{0, 1, 3, 6, 10}));
  EXPECT_EQ(vector_of<float>(cumulative_prod(x, {}, {}, true)),
            (std::vector<float>{1, 1, 2, 6, 24}));
  const Tensor m = x.reshape({2, 2});
  EXPECT_EQ(vector_of<float>(cumulative_sum(m, Axis(1), {}, true)),
            (std::vector<float>{0, 1, 3, 0, 3, 7}));
  EXPECT_EQ(vector_of<float>(cumulative_sum(m, Axis(0), {}, true)),
            (std::vector<float>{0, 0, 1, 2, 4, 6}));
  EXPECT_EQ(cumulative_sum(zeros({0}), {}, {}, true).shape()[0], 1);
  expect_error<ValueError>([&] { cumulative_sum(m); },
                           "[cumulative_sum] argument 'dim': expected an axis");
}

TEST(Scan, ScalarsEmptyOnesAndErrors) {
  const Tensor five = scalar_tensor(5.0);
  EXPECT_EQ(cumsum(five, 0).item<float>(), 5);
  EXPECT_EQ(cumsum(five, -1).dim(), 0);
  EXPECT_EQ(std::get<1>(cummax(five, 0)).item<std::int64_t>(), 0);
  EXPECT_EQ(cumsum(zeros({0, 3}), 0).numel(), 0);
  EXPECT_EQ(cumsum(zeros({3, 0}), 0).shape()[0], 3);
  const Tensor x = zeros({2, 3});
  expect_error<IndexError>([&] { cumsum(x, 2); }, "[cumsum]");
  expect_error<TypeError>([&] { cumsum(x, 0, DType::bool_); },
                          "[cumsum] not implemented for 'Bool'");
  expect_error<TypeError>([&] { cummax(x.to(DType::complex64), 0); }, "[cummax]");
  expect_error<TypeError>([&] { logcumsumexp(x.to(DType::int32), 0); }, "[logcumsumexp]");
  Tensor own = x.clone();
  expect_error<TypeError>([&] { cumsum_(own, 0, DType::float64); }, "[cumsum_] argument 'dtype'");
  Tensor out = empty({0});
  cumsum_out(out, x, 1, DType::float32);
  EXPECT_EQ(out.shape()[1], 3);
  Tensor narrow = empty({2, 3}, {.dtype = DType::int64});
  expect_error<TypeError>([&] { cumsum_out(narrow, x, 1); }, "[cumsum] result type");
}

/// Sums of -0 are -0: what comes before is left out where nothing does.
TEST(Scan, NothingIsAddedToTheFirstElements) {
  for (const std::int64_t n : {1, 16, 300, 5000}) {
    for (const float y : vector_of<float>(cumsum(full({n}, -0.0), 0))) {
      ASSERT_EQ(bits_of(y), 0x80000000u) << n;
    }
    const Tensor z = full({n, 20}, Scalar(std::complex<double>(INFINITY, 0)));
    for (const Complex64 p :
         vector_of<Complex64>(cumprod(z.to(DType::complex64), 0).select(1, 0))) {
      ASSERT_EQ(p.re, INFINITY);
      break;
    }
  }
}

}  // namespace
