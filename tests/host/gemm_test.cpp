// Matrix products on the host against sums in long double: small ones of our own and those of the
// libraries, in every dtype and layout; the caller's OpenMP settings.
#include <gtest/gtest.h>
#include <omp.h>

#include "tandem/exact.h"
#include "tandem/ops.h"
#include "tandem/random.h"
#include "tests/support/elements.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// Small numbers that every dtype holds; each product and sum is exact in the dtype it is computed
/// in.
Element number(std::int64_t i, DType t) {
  const auto v = static_cast<int>(i * 7919 % 13 % (is_integer(t) && !info(t).is_signed ? 4 : 7));
  Element e;
  e.i = info(t).is_signed ? v - 3 : v;
  e.re = static_cast<Real>(v - 3);
  e.im = is_complex(t) ? static_cast<Real>(v % 3 - 1) : 0;
  return e;
}

std::vector<Element> numbers(std::int64_t n, std::int64_t seed, DType t) {
  std::vector<Element> list;
  for (std::int64_t i = 0; i < n; ++i) list.push_back(number(i + seed, t));
  return list;
}

Element dot(const std::vector<Element>& a, const std::vector<Element>& b, std::int64_t i,
            std::int64_t j, std::int64_t k, std::int64_t n, DType t) {
  Element sum;
  for (std::int64_t l = 0; l < k; ++l) {
    const Element& x = a[static_cast<std::size_t>(i * k + l)];
    const Element& y = b[static_cast<std::size_t>(l * n + j)];
    sum.i += x.i * y.i;
    sum.re += x.re * y.re - x.im * y.im;
    sum.im += x.re * y.im + x.im * y.re;
  }
  if (is_half(t)) sum.re = rounded(sum.re, t);
  return sum;
}

void expect_product(std::int64_t m, std::int64_t k, std::int64_t n, DType t, Layout layout) {
  const std::vector<Element> a = numbers(m * k, 1, t);
  const std::vector<Element> b = numbers(k * n, 5, t);
  const Tensor c = matmul(tensor_of(a, {m, k}, t, layout), tensor_of(b, {k, n}, t, layout));
  ASSERT_EQ(Dims(c.shape()), (Dims{m, n}));
  const std::vector<Element> got = elements(c);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const Element want = dot(a, b, i, j, k, n, t);
      const Element& e = got[static_cast<std::size_t>(i * n + j)];
      const Int wraps = Int(1) << (is_integer(t) ? 8 * element_size(t) : 0);
      const bool equal =
          is_integer(t) ? (e.i - want.i) % wraps == 0 : e.re == want.re && e.im == want.im;
      ASSERT_TRUE(equal) << m << " x " << k << " x " << n << " " << name(t) << " " << text(layout)
                         << " at " << i << ", " << j << ": " << text(e, t);
    }
  }
}

TEST(Products, EveryDtypeLayoutAndSize) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const auto t = static_cast<DType>(d);
    if (t == DType::bool_) continue;  // has no product
    for (const Layout layout : kLayouts) {
      for (const Dims& s : {Dims{1, 1, 1}, Dims{4, 4, 4}, Dims{3, 5, 17}, Dims{16, 16, 16},
                            Dims{1, 9, 33}, Dims{33, 2, 1}, Dims{17, 16, 16}, Dims{20, 8, 40}}) {
        expect_product(s[0], s[1], s[2], t, layout);
      }
    }
  }
}

/// Above and below the size from which a library's product is prepared and kept.
TEST(Products, LargerFloatsInEveryLayout) {
  for (const Layout layout : kLayouts) {
    expect_product(60, 70, 80, DType::float32, layout);
    expect_product(130, 129, 131, DType::float32, layout);
  }
}

TEST(Products, ThreadsChangeNoBitOfSmallOnes) {
  const Tensor a = rand({16, 16});
  const Tensor b = rand({16, 16});
  const int before = get_num_threads();
  const Tensor first = matmul(a, b);
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const Tensor c = matmul(a, b);
    EXPECT_EQ(std::memcmp(c.data_ptr(), first.data_ptr(), c.nbytes()), 0) << threads;
  }
  set_num_threads(before);
}

bool same_bytes(const Tensor& x, const Tensor& y) {
  const Tensor a = x.contiguous();
  const Tensor b = y.contiguous();
  return a.nbytes() == b.nbytes() && std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

/// In exact mode an element depends on its row and column alone: thin products, which read the
/// right matrix where it lies, have the bits of wide ones.
TEST(Products, ThinOnesHaveTheBitsOfWideOnesInExactMode) {
  const ExactGuard guard;
  for (const DType t : {DType::float32, DType::float64, DType::bfloat16, DType::complex64}) {
    for (const std::int64_t n : {1, 7, 16, 31, 32, 33, 100, 300}) {
      const Tensor a = randn({40, 600}, {.dtype = t});
      const Tensor b = randn({600, n}, {.dtype = t});
      const Tensor all = matmul(a, b);
      const Tensor turned = b.t().contiguous().t();
      for (const std::int64_t m : {1, 2, 3, 6, 7, 12, 13}) {
        const Tensor some = a.slice(0, 0, m);
        EXPECT_TRUE(same_bytes(matmul(some, b), all.slice(0, 0, m))) << name(t) << m << " " << n;
        EXPECT_TRUE(same_bytes(matmul(some, turned), all.slice(0, 0, m))) << name(t) << m;
      }
    }
  }
}

/// oneDNN's bfloat16 takes subnormal numbers for zeros (docs/numerics.md); nothing else does.
TEST(Products, SubnormalNumbersAreKept) {
  const double tiny = 0x1p-130;
  for (const std::int64_t n : {4, 64, 130}) {
    for (const DType t : {DType::float32, DType::bfloat16}) {
      const Tensor x = full({n, n}, Scalar(tiny), {.dtype = t});
      const Tensor unit = eye(n, n, {.dtype = t});
      EXPECT_EQ(elements(matmul(x, ones({n}, {.dtype = t})))[0].re,
                Real(tiny * static_cast<double>(n)));
      const ExactGuard guard(t == DType::bfloat16);
      EXPECT_EQ(elements(matmul(x, unit))[0].re, Real(tiny)) << name(t) << " " << n;
    }
  }
}

TEST(Products, OfOneRowOrColumnAreThoseOfVectors) {
  for (const DType t : {DType::float16, DType::bfloat16, DType::float32, DType::float64}) {
    const Tensor a = randn({3, 50, 300}, {.dtype = t});
    const Tensor b = randn({3, 300, 40}, {.dtype = t});
    const Tensor rows = matmul(a.slice(1, 0, 1), b);
    const Tensor columns = matmul(a, b.slice(2, 0, 1));
    const Tensor numbers = matmul(a.slice(1, 0, 1), b.slice(2, 0, 1));
    for (std::int64_t i = 0; i < 3; ++i) {
      const Tensor row = a.select(0, i).select(0, 0);
      const Tensor column = b.select(0, i).select(1, 0);
      EXPECT_TRUE(same_bytes(rows.select(0, i).select(0, 0), matmul(row, b.select(0, i))));
      EXPECT_TRUE(same_bytes(columns.select(0, i).select(1, 0), matmul(a.select(0, i), column)));
      EXPECT_TRUE(same_bytes(numbers.select(0, i).reshape({}), matmul(row, column)));
    }
  }
}

/// Batches that no stride tells are gone through where they lie, if there is work enough.
TEST(Products, BatchesOfBroadcastAndPermutedViews) {
  for (const DType t : {DType::float32, DType::float64, DType::int64, DType::complex64}) {
    const Tensor a =
        tensor_of(numbers(2 * 3 * 90 * 110, 1, t), {2, 1, 3, 90, 110}, t, Layout::Dense);
    const Tensor b =
        tensor_of(numbers(4 * 3 * 110 * 120, 2, t), {3, 4, 110, 120}, t, Layout::Dense);
    const Tensor y = b.transpose(0, 1);  // [4, 3, 110, 120]
    const Tensor c = matmul(a, y);
    ASSERT_EQ(Dims(c.shape()), (Dims{2, 4, 3, 90, 120}));
    for (std::int64_t i = 0; i < 24; ++i) {
      const Tensor one = matmul(a.select(0, i / 12).select(0, 0).select(0, i % 3).clone(),
                                y.select(0, i / 3 % 4).select(0, i % 3).clone());
      EXPECT_TRUE(same_bytes(c.select(0, i / 12).select(0, i / 3 % 4).select(0, i % 3), one))
          << name(t) << " " << i;
    }
  }
}

TEST(Products, OpenMPIsLeftAsItWas) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {4, 40, 150}) {
      const Tensor x = ones({n, n}, {.dtype = t});
      EXPECT_EQ(elements(matmul(x, x))[0].re, static_cast<Real>(n));
      EXPECT_EQ(omp_get_max_threads(), 3) << n;
    }
  }
  omp_set_num_threads(before);
}

}  // namespace
