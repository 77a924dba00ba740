// A matrix times a vector, bit for bit against the fixed tree of docs/numerics.md ("Reductions")
// written out in scalars: every length about the loops' limits, layouts, batches, special values.
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cstdlib>
#include <random>
#include <vector>

#include "runtime/dispatch/host_backend.h"
#include "tandem/tandem.h"
#include "tests/support/elements.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// Lane l and l + half, from half of 128 or of the power of two that holds a short tile.
template <class C>
C tree(std::vector<C> x) {
  while (x.size() > 1) {
    std::vector<C> tiles;
    for (std::size_t t = 0; t < x.size(); t += 4096) {
      const std::size_t m = std::min<std::size_t>(4096, x.size() - t);
      const std::size_t width = std::min<std::size_t>(128, std::bit_ceil(m));
      std::vector<C> lanes(width, C(-0.0));
      for (std::size_t i = 0; i < m; ++i) {
        lanes[i % width] = i < width ? x[t + i] : lanes[i % width] + x[t + i];
      }
      for (std::size_t half = width / 2; half > 0; half /= 2) {
        for (std::size_t l = 0; l < half; ++l) lanes[l] = lanes[l] + lanes[l + half];
      }
      tiles.push_back(lanes[0]);
    }
    x = std::move(tiles);
  }
  return x[0];
}

/// Numbers of all magnitudes, such that another order of the sums gives other bits.
template <class T>
std::vector<T> numbers(std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<T> x(n);
  for (T& v : x) v = fn::cast<T>(static_cast<float>(normal(random)));
  return x;
}

template <class T>
Tensor tensor_from(const std::vector<T>& x, Dims shape) {
  Tensor t = empty(shape, {.dtype = dtype_of<T>});
  std::memcpy(t.data_ptr(), x.data(), x.size() * sizeof(T));
  return t;
}

template <class T>
std::vector<T> expected(const std::vector<T>& a, const std::vector<T>& y, std::size_t rows) {
  using C = compute_t<T>;
  const std::size_t n = y.size();
  std::vector<T> out;
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<C> products(n);
    for (std::size_t k = 0; k < n; ++k) {
      volatile C p = fn::load(a[i * n + k]) * fn::load(y[k]);  // rounded before it is added
      products[k] = p;
    }
    out.push_back(fn::cast<T>(tree<C>(products)));
  }
  return out;
}

template <class T>
void expect_bits(const Tensor& got, const std::vector<T>& want, const std::string& what) {
  ASSERT_EQ(got.numel(), static_cast<std::int64_t>(want.size())) << what;
  const Tensor dense = got.contiguous();
  const T* p = static_cast<const T*>(dense.data_ptr());
  for (std::size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(std::memcmp(p + i, &want[i], sizeof(T)), 0)
        << what << " at " << i << ": " << static_cast<double>(fn::cast<float>(fn::load(p[i])))
        << " instead of " << static_cast<double>(fn::cast<float>(fn::load(want[i])));
  }
}

template <class T>
void check(std::size_t rows, std::size_t n) {
  const std::string what =
      std::string(name(dtype_of<T>)) + " " + std::to_string(rows) + " x " + std::to_string(n);
  const auto r = static_cast<std::int64_t>(rows), c = static_cast<std::int64_t>(n);
  const std::vector<T> values = numbers<T>(rows * n, 1);
  const std::vector<T> other = numbers<T>(n, 2);
  const std::vector<T> want = expected<T>(values, other, rows);
  const Tensor a = tensor_from<T>(values, {r, c});
  const Tensor y = tensor_from<T>(other, {c});
  expect_bits<T>(matmul(a, y), want, what + " rows");
  const Tensor columns = a.t().contiguous().t();
  expect_bits<T>(matmul(columns, y), want, what + " columns");
  expect_bits<T>(matmul(y, a.t()), want, what + " from the left");
  expect_bits<T>(einsum("j,ij->i", {y, a}), want, what + " vector first");
  // Neighbours that must not be read into the sums: rows and columns in wider memory of NaN.
  const Tensor wide = full({r + 2, c + 3}, Scalar(NAN), {.dtype = dtype_of<T>});
  Tensor inner = wide.slice(0, 1, r + 1).slice(1, 1, c + 1);
  inner.copy_(a);
  expect_bits<T>(matmul(inner, y), want, what + " rows within");
  const Tensor tall = full({c + 3, r + 2}, Scalar(NAN), {.dtype = dtype_of<T>});
  Tensor turned = tall.slice(0, 1, c + 1).slice(1, 1, r + 1);
  turned.copy_(a.t());
  expect_bits<T>(matmul(turned.t(), y), want, what + " columns within");
  // A strided vector, and rows from the last to the first.
  const Tensor spread = full({c, 2}, Scalar(NAN), {.dtype = dtype_of<T>});
  spread.select(1, 0).copy_(y);
  expect_bits<T>(matmul(a, spread.select(1, 0)), want, what + " strided vector");
  expect_bits<T>(flip(matmul(flip(a, Axis(0)), y), Axis(0)), want, what + " flipped copy");
}

template <class T>
class VectorProducts : public testing::Test {};
using Types = testing::Types<float, double, BFloat16, Half>;
TYPED_TEST_SUITE(VectorProducts, Types);

TYPED_TEST(VectorProducts, EveryLengthAboutTheLoopsLimits) {
  for (std::size_t n = 1; n <= 66; ++n) check<TypeParam>(9, n);
  for (const std::size_t n :
       {95u,  96u,  97u,  127u, 128u,  129u,  160u,  255u,  256u,  257u,  300u,
        511u, 512u, 513u, 640u, 1000u, 4095u, 4096u, 4097u, 4111u, 8192u, 9001u}) {
    check<TypeParam>(17, n);
  }
}

TYPED_TEST(VectorProducts, EveryNumberOfRowsAndColumns) {
  for (std::size_t rows = 2; rows <= 70; ++rows) check<TypeParam>(rows, 40);
  for (const std::size_t rows : {127u, 128u, 131u, 255u, 256u, 257u, 300u, 515u, 1030u}) {
    for (const std::size_t n : {16u, 33u, 300u}) check<TypeParam>(rows, n);
  }
}

TYPED_TEST(VectorProducts, LongColumnsOfNarrowRows) {
  for (const std::size_t rows : {8u, 16u, 20u, 32u, 64u, 65u}) check<TypeParam>(rows, 5000);
}

TYPED_TEST(VectorProducts, ThreadsChangeNoBit) {
  const int before = get_num_threads();
  for (const int threads : {1, 2, 3, 4}) {
    set_num_threads(threads);
    check<TypeParam>(600, 700);
    check<TypeParam>(24, 9000);
  }
  set_num_threads(before);
}

TYPED_TEST(VectorProducts, ZerosKeepTheirSignAndNanStays) {
  using T = TypeParam;
  for (const std::int64_t n : {1, 3, 16, 33, 128, 200}) {
    const Tensor minus = full({20, n}, Scalar(-0.0), {.dtype = dtype_of<T>});
    const Tensor one = ones({n}, {.dtype = dtype_of<T>});
    for (const Tensor& a : {minus, minus.t().contiguous().t()}) {
      const Tensor sums = matmul(a, one);
      EXPECT_TRUE(all(signbit(sums)).item().to_bool()) << n;
    }
    Tensor nan = zeros({20, n}, {.dtype = dtype_of<T>});
    nan.select(0, 7).select(0, n - 1).fill_(Scalar(NAN));
    for (const Tensor& a : {nan, nan.t().contiguous().t()}) {
      const Tensor is = isnan(matmul(a, one));
      for (std::int64_t i = 0; i < 20; ++i) EXPECT_EQ(is.select(0, i).item().to_bool(), i == 7);
    }
  }
}

TYPED_TEST(VectorProducts, BatchesWithAVectorEach) {
  using T = TypeParam;
  const Tensor a = tensor_from<T>(numbers<T>(3 * 30 * 130, 3), {3, 30, 130});
  const Tensor y = tensor_from<T>(numbers<T>(3 * 130, 4), {3, 130});
  const Tensor turned = a.transpose(1, 2).contiguous().transpose(1, 2);
  for (const Tensor& x : {a, turned}) {
    const Tensor sums = einsum("bij,bj->bi", {x, y});
    for (std::int64_t b = 0; b < 3; ++b) {
      const Tensor alone = matmul(a.select(0, b), y.select(0, b)).contiguous();
      const Tensor part = sums.select(0, b).contiguous();
      EXPECT_EQ(std::memcmp(part.data_ptr(), alone.data_ptr(), part.nbytes()), 0) << b;
    }
  }
}

TEST(VectorProductLevels, EveryLevel) {
  for (const std::string level : {"baseline", "v3", "v4"}) {  // a lower one where there is none
    if (level == detail::simd_level()) continue;
    const std::string command = "TANDEM_SIMD=" + level + " /proc/" + std::to_string(getpid()) +
                                "/exe --gtest_brief=1 --gtest_filter=VectorProducts/*";
    EXPECT_EQ(std::system(command.c_str()), 0) << level;
  }
}

}  // namespace
