// LU by panels and by halves, above the sizes of small matrices: against the order of elimination
// written as plain loops, and where the library's products are in it, by residuals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <vector>

#include "tandem/about.h"
#include "tandem/tandem.h"
#include "tests/support/call_data.h"

using namespace tandem;
using test::varied;
using test::varied_complex;

namespace {

/// What lu_factor_ex gives, as one matrix by rows, on so many threads.
template <class R>
struct Factors {
  Factors(const Tensor& a, int threads) : m(a.size(0)), n(a.size(1)) {
    const int before = get_num_threads();
    set_num_threads(threads);
    const auto [f, p, i] = linalg::lu_factor_ex(a);
    set_num_threads(before);
    const Tensor own = f.contiguous();
    elements.assign(own.data<R>(), own.data<R>() + m * n);
    pivots.assign(p.template data<std::int32_t>(),
                  p.template data<std::int32_t>() + std::min(m, n));
    info = i.template item<std::int32_t>();
  }
  R& at(std::int64_t i, std::int64_t j) { return elements[static_cast<std::size_t>(i * n + j)]; }

  std::int64_t m, n;
  std::vector<R> elements;
  std::vector<std::int32_t> pivots;
  std::int32_t info = 0;
};

/// a * b + c as the SIMD level has it.
template <class R>
R multiply_add(R a, R b, R c) {
  return simd_level() == "baseline" ? a * b + c : std::fma(a, b, c);
}

template <class R>
void expect_in_order(const Tensor& a, int threads) {
  Factors<R> got(a, threads);
  const std::int64_t m = got.m, n = got.n;
  const Tensor own = a.contiguous();
  std::vector<R> x(own.data<R>(), own.data<R>() + m * n);
  const auto at = [&](std::int64_t i, std::int64_t j) -> R& {
    return x[static_cast<std::size_t>(i * n + j)];
  };
  std::int32_t info = 0;
  for (std::int64_t k = 0; k < std::min(m, n); ++k) {
    std::int64_t p = k;
    for (std::int64_t i = k + 1; i < m; ++i) {
      if (std::abs(at(i, k)) > std::abs(at(p, k))) p = i;
    }
    ASSERT_EQ(got.pivots[static_cast<std::size_t>(k)], p + 1) << m << " x " << n << " at " << k;
    for (std::int64_t j = 0; j < n && p != k; ++j) std::swap(at(k, j), at(p, j));
    if (at(k, k) == 0 && info == 0) info = static_cast<std::int32_t>(k) + 1;
    for (std::int64_t i = k + 1; i < m; ++i) {
      if (at(k, k) != 0) at(i, k) /= at(k, k);
      for (std::int64_t j = k + 1; j < n; ++j)
        at(i, j) = multiply_add(-at(i, k), at(k, j), at(i, j));
    }
  }
  ASSERT_EQ(got.info, info);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const R x1 = got.at(i, j), x2 = at(i, j);
      ASSERT_TRUE(x1 == x2 || (std::isnan(x1) && std::isnan(x2)))
          << m << " x " << n << " at " << i << ", " << j << ": " << x1 << ", expected " << x2;
    }
  }
}

/// A complex element's two sums: products with real parts on the right, and with imaginary ones.
template <class R>
struct Sums {
  explicit Sums(Complex<R> x) : re(x.re), im(x.im) {}
  void take(Complex<R> l, Complex<R> u) {
    re = multiply_add(l.re, -u.re, re);
    im = multiply_add(l.im, -u.re, im);
    side_re = multiply_add(l.re, -u.im, side_re);
    side_im = multiply_add(l.im, -u.im, side_im);
  }
  Complex<R> joined() const { return {re - side_im, im + side_re}; }
  R re, im, side_re = 0, side_im = 0;
};

/// x / y after Smith, of numbers scaled near 1.
template <class R>
Complex<R> quotient(Complex<R> x, Complex<R> y) {
  int exponent = 0;
  std::frexp(std::max(std::abs(y.re), std::abs(y.im)), &exponent);
  const R scale = std::ldexp(R(1), std::min(-exponent, std::numeric_limits<R>::max_exponent - 2));
  const Complex<R> a{x.re * scale, x.im * scale}, b{y.re * scale, y.im * scale};
  if (std::abs(b.re) >= std::abs(b.im)) {
    const R ratio = b.im / b.re, divisor = multiply_add(b.im, ratio, b.re);
    return {multiply_add(a.im, ratio, a.re) / divisor, multiply_add(a.re, -ratio, a.im) / divisor};
  }
  const R ratio = b.re / b.im, divisor = multiply_add(b.re, ratio, b.im);
  return {multiply_add(a.re, ratio, a.im) / divisor, multiply_add(a.im, ratio, -a.re) / divisor};
}

bool same(double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); }

/// Panels of 16 columns: each element's products with one of them are joined at its end.
template <class R>
void expect_complex_in_order(const Tensor& a, int threads) {
  constexpr std::int64_t kPanel = 16;
  Factors<Complex<R>> got(a, threads);
  const std::int64_t m = got.m, n = got.n, least = std::min(m, n);
  const Tensor own = a.contiguous();
  std::vector<Complex<R>> x(own.data<Complex<R>>(), own.data<Complex<R>>() + m * n);
  const auto at = [&](std::int64_t i, std::int64_t j) -> Complex<R>& {
    return x[static_cast<std::size_t>(i * n + j)];
  };
  const auto size = [](Complex<R> z) { return std::abs(z.re) + std::abs(z.im); };
  const auto take = [&](std::int64_t i, std::int64_t j, std::int64_t first, std::int64_t last) {
    Sums<R> sums(at(i, j));
    for (std::int64_t k = first; k < std::min(last, i); ++k) sums.take(at(i, k), at(k, j));
    at(i, j) = sums.joined();
  };
  std::int32_t info = 0;
  for (std::int64_t first = 0; first < least; first += kPanel) {
    const std::int64_t last = std::min(first + kPanel, least);
    for (std::int64_t k = first; k < last; ++k) {
      for (std::int64_t i = first; i < m; ++i) take(i, k, first, k);
      std::int64_t p = k;
      for (std::int64_t i = k + 1; i < m; ++i) {
        if (size(at(i, k)) > size(at(p, k))) p = i;
      }
      ASSERT_EQ(got.pivots[static_cast<std::size_t>(k)], p + 1) << m << " x " << n << " at " << k;
      for (std::int64_t j = 0; j < n && p != k; ++j) std::swap(at(k, j), at(p, j));
      const Complex<R> pivot = at(k, k);
      const bool none = pivot.re == 0 && pivot.im == 0;
      if (none && info == 0) info = static_cast<std::int32_t>(k) + 1;
      for (std::int64_t i = k + 1; i < m && !none; ++i) at(i, k) = quotient(at(i, k), pivot);
    }
    for (std::int64_t j = last; j < n; ++j) {
      for (std::int64_t i = first; i < m; ++i) take(i, j, first, last);
    }
  }
  ASSERT_EQ(got.info, info);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const Complex<R> x1 = got.at(i, j), x2 = at(i, j);
      ASSERT_TRUE(same(x1.re, x2.re) && same(x1.im, x2.im))
          << m << " x " << n << " at " << i << ", " << j << ": " << x1.re << ", " << x1.im
          << ", expected " << x2.re << ", " << x2.im;
    }
  }
}

TEST(LU, ComplexPanelsAreInTheirOrder) {
  for (const int threads : {1, 3}) {
    for (const auto& [m, n] : std::vector<std::pair<std::int64_t, std::int64_t>>{{33, 33},
                                                                                 {40, 40},
                                                                                 {64, 64},
                                                                                 {129, 129},
                                                                                 {200, 200},
                                                                                 {35, 90},
                                                                                 {90, 35},
                                                                                 {16, 300},
                                                                                 {300, 16},
                                                                                 {1, 40},
                                                                                 {40, 1},
                                                                                 {17, 200},
                                                                                 {200, 17}}) {
      expect_complex_in_order<double>(varied_complex({m, n}, DType::complex128, 7), threads);
      expect_complex_in_order<float>(varied_complex({m, n}, DType::complex64, 7), threads);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(LU, ComplexTiesZerosAndNaN) {
  const DType t = DType::complex128;
  Tensor a = varied_complex({75, 75}, t, 5).clone();
  a.select(1, 20).fill_(0);
  a.select(1, 50).copy_(a.select(1, 30));
  expect_complex_in_order<double>(a, 2);
  expect_complex_in_order<double>(ones({70, 70}, {.dtype = t}), 2);
  a.select(0, 37).fill_(std::nan(""));
  expect_complex_in_order<double>(a, 2);
  a.select(0, 3).fill_(-std::numeric_limits<double>::infinity());
  expect_complex_in_order<double>(a, 2);
}

/// Pivots whose squares, and those whose reciprocals, are beyond the range.
TEST(LU, ComplexMatricesNearTheEndsOfTheRangeAreFinite) {
  const Tensor x = varied_complex({60, 60}, DType::complex128, 5);
  for (const int exponent : {-1060, -600, 600}) {
    const Tensor scaled = mul(x, std::ldexp(1.0, exponent));
    expect_complex_in_order<double>(scaled, 1);
    EXPECT_TRUE(all(isfinite(std::get<0>(linalg::lu_factor_ex(scaled)))).item<bool>()) << exponent;
  }
  // A pivot at the very end: its size is beyond it.
  Tensor large = full({40, 1}, 0.25, {.dtype = DType::complex128});
  large.select(0, 7).fill_(std::complex<double>(1.7e308, 1.6e308));
  expect_complex_in_order<double>(large, 1);
}

TEST(LU, PanelsAreInTheOrderOfElimination) {
  for (const int threads : {1, 3}) {
    for (const auto& [m, n] : std::vector<std::pair<std::int64_t, std::int64_t>>{{33, 33},
                                                                                 {40, 40},
                                                                                 {47, 47},
                                                                                 {64, 64},
                                                                                 {129, 129},
                                                                                 {200, 200},
                                                                                 {35, 90},
                                                                                 {90, 35},
                                                                                 {16, 300},
                                                                                 {300, 16},
                                                                                 {1, 40},
                                                                                 {40, 1},
                                                                                 {17, 200},
                                                                                 {200, 17}}) {
      expect_in_order<double>(varied({m, n}, DType::float64, 7), threads);
      if (HasFatalFailure()) return;
    }
    for (const std::int64_t n : {33, 40, 100, 161})
      expect_in_order<float>(varied({n, n}, DType::float32, 7), threads);
    expect_in_order<float>(varied({170, 260}, DType::float32, 7), threads);
    expect_in_order<float>(varied({260, 170}, DType::float32, 7), threads);
  }
}

TEST(LU, TiesZerosAndNaN) {
  Tensor a = varied({75, 75}, DType::float64, 5).clone();
  a.select(1, 20).fill_(0);
  a.select(1, 50).copy_(a.select(1, 30));
  expect_in_order<double>(a, 2);
  expect_in_order<double>(ones({70, 70}, {.dtype = DType::float64}), 2);
  a.select(0, 37).fill_(std::nan(""));
  expect_in_order<double>(a, 2);
  a.select(0, 3).fill_(-std::numeric_limits<double>::infinity());
  expect_in_order<double>(a, 2);
}

/// Pivots whose reciprocal is beyond the largest number.
TEST(LU, SubnormalMatricesAreFinite) {
  const Tensor x = varied({60, 60}, DType::float64, 5);
  const Tensor tiny = mul(x, std::ldexp(1.0, -1060));
  expect_in_order<double>(tiny, 1);
  EXPECT_TRUE(all(isfinite(std::get<0>(linalg::lu_factor_ex(tiny)))).item<bool>());
}

/// More columns than panels do alone.
TEST(LU, HalvesGiveTheMatrixBack) {
  const std::int64_t m = 3300, n = 3200;
  for (const auto& [rows, columns] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{m, n}, {n, m}}) {
    const Tensor a = rand({rows, columns}, {.dtype = DType::float32}) - 0.5F;
    const auto [q, low, up] = linalg::lu(a);
    EXPECT_LE(amax(abs(low)).item<float>(), 1.F);
    const Tensor p = q.to(DType::float64), l = low.to(DType::float64), u = up.to(DType::float64);
    for (const std::int64_t j : {std::int64_t(0), std::int64_t(1599), columns - 1}) {
      // |P L U - A| <= n eps |L| |U|: N. J. Higham, Accuracy and Stability of Numerical
      // Algorithms, theorem 9.3.
      const Tensor x = matmul(p, matmul(l, u.select(1, j)));
      const Tensor bound = matmul(p, matmul(abs(l), abs(u.select(1, j))));
      const Tensor off = abs(x - a.select(1, j).to(DType::float64));
      EXPECT_TRUE(all(le(off, bound * (static_cast<double>(n) * 0x1p-24))).item<bool>()) << j;
    }
  }
}

TEST(LU, ComplexHalvesGiveTheMatrixBack) {
  const std::int64_t n = 3100;
  const Tensor a = varied_complex({n, n}, DType::complex64, 11);
  const auto [q, low, up] = linalg::lu(a);
  const DType wide = DType::complex128;
  const Tensor p = q.to(wide), l = low.to(wide), u = up.to(wide);
  for (const std::int64_t j : {std::int64_t(0), std::int64_t(1599), n - 1}) {
    const Tensor x = matmul(p, matmul(l, u.select(1, j)));
    const Tensor bound = matmul(abs(p), matmul(abs(l), abs(u.select(1, j))));
    const Tensor off = abs(x - a.select(1, j).to(wide));
    // A complex product is of four real ones: Higham, lemma 3.5.
    EXPECT_TRUE(all(le(off, bound * (4 * static_cast<double>(n) * 0x1p-24))).item<bool>()) << j;
  }
}

}  // namespace
