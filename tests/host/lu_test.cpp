// LU by panels and by halves, above the sizes of small matrices: against the order of elimination
// written as plain loops, and where the library's products are in it, by residuals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tandem/about.h"
#include "tandem/tandem.h"
#include "tests/support/call_data.h"

using namespace tandem;
using test::varied;

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

}  // namespace
