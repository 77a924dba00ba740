// Batches of small products, which are computed a product in each lane of vectors: each has the
// bits that it has alone, by the loops that have a single product's rows in vectors; in every
// dtype, layout and size, for batches that fill vectors and that do not. lint: oracle table
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "tandem/exact.h"
#include "tandem/tandem.h"
#include "tests/support/call_data.h"

using namespace tandem;

namespace {

/// Numbers whose products and sums are rounded: their last digits tell one order from another.
Tensor numbers(IntSpan shape, DType t, std::uint64_t seed) {
  const Category c = category(t);
  if (c == Category::Complex) return test::varied_complex(shape, t, seed) * 0.7310585786300049;
  const Tensor x = test::varied(shape, t, seed);
  return c == Category::Float ? x * 0.7310585786300049 : x;
}

bool same_bytes(const Tensor& x, const Tensor& y) {
  const Tensor a = x.contiguous(), b = y.contiguous();
  return std::ranges::equal(a.shape(), b.shape()) && a.dtype() == b.dtype() &&
         std::memcmp(a.data_ptr(), b.data_ptr(),
                     static_cast<std::size_t>(a.numel()) * element_size(a.dtype())) == 0;
}

struct Case {
  std::int64_t m, k, n;
};
const std::vector<Case> kCases = {{1, 1, 1},  {2, 2, 2},  {3, 3, 3},   {4, 4, 4}, {3, 3, 1},
                                  {1, 3, 3},  {1, 5, 1},  {5, 7, 6},   {8, 8, 8}, {16, 16, 16},
                                  {9, 2, 4},  {2, 64, 2}, {1, 64, 3},  {6, 5, 1}, {16, 16, 1},
                                  {1, 9, 16}, {17, 3, 5}, {12, 20, 12}};
const DType kTypes[] = {DType::float16,   DType::bfloat16,   DType::float32, DType::float64,
                        DType::complex64, DType::complex128, DType::int8,    DType::uint8,
                        DType::int16,     DType::int32,      DType::int64,   DType::uint32};

/// x [batch, rows, columns] again, in other places of memory.
std::vector<Tensor> layouts(const Tensor& x) {
  const Tensor columns = x.transpose(1, 2).contiguous().transpose(1, 2);
  const Tensor inside =
      x.permute({1, 2, 0}).contiguous().permute({2, 0, 1});  // the batch innermost
  Dims wide(x.shape());
  wide[2] = 2 * wide[2] + 1;
  Tensor steps = zeros(wide, {.dtype = x.dtype()}).slice(2, 1, {}, 2);
  steps.copy_(x);
  return {x, columns, inside, steps};
}

/// Below AVX2 what is not small goes to a library, but in exact mode, which leaves vectors' order
/// alone.
Tensor product(const Tensor& a, const Tensor& b) {
  const bool vector = (a.size(-2) == 1 || b.size(-1) == 1) && !is_complex(a.dtype());
  const ExactGuard mode(!vector);
  return matmul(a, b);
}

void expect_each(const Tensor& a, const Tensor& b, const std::string& what) {
  const Tensor c = product(a, b);
  const std::int64_t batch = c.size(0);
  for (std::int64_t i = 0; i < batch; ++i) {
    const Tensor one = product(a.select(0, a.size(0) == 1 ? 0 : i).clone(),
                               b.select(0, b.size(0) == 1 ? 0 : i).clone());
    ASSERT_TRUE(same_bytes(c.select(0, i), one)) << what << ", product " << i;
  }
}

TEST(SmallProducts, EachIsWhatItIsAlone) {
  for (const DType t : kTypes) {
    for (const Case& s : kCases) {
      for (const std::int64_t batch : {8, 16, 37}) {
        const Tensor a = numbers({batch, s.m, s.k}, t, 3), b = numbers({batch, s.k, s.n}, t, 7);
        const auto lefts = layouts(a), rights = layouts(b);
        const std::string what = std::string(name(t)) + " " + std::to_string(s.m) + " x " +
                                 std::to_string(s.k) + " x " + std::to_string(s.n);
        for (std::size_t i = 0; i < lefts.size(); ++i) {
          expect_each(lefts[i], rights[(i + 1) % rights.size()], what);
          if (HasFatalFailure()) return;
        }
        expect_each(a, b.slice(0, 0, 1), what + ", one on the right");
        expect_each(a.slice(0, 0, 1), b, what + ", one on the left");
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(SmallProducts, SumsOfEinsumToo) {
  for (const DType t : {DType::float16, DType::bfloat16, DType::float32, DType::float64,
                        DType::complex64, DType::complex128}) {
    for (const std::int64_t k : {1, 2, 3, 5, 8, 21, 64}) {
      const Tensor a = numbers({37, 4, k}, t, 3), v = numbers({37, k}, t, 7);
      const std::string what = std::string(name(t)) + " " + std::to_string(k);
      const Tensor c = einsum("bij,bj->bi", {a, v});
      const Tensor d = einsum("bj,bij->ib", {v, a});
      const Tensor e = einsum("bj,bj->b", {v, flip(v, {0})});
      for (std::int64_t i = 0; i < 37; ++i) {
        const Tensor one = matmul(a.select(0, i).clone(), v.select(0, i).clone());
        ASSERT_TRUE(same_bytes(c.select(0, i), one)) << what;
        ASSERT_TRUE(same_bytes(d.select(1, i), one)) << what;
        const Tensor whole = dot(v.select(0, i).clone(), v.select(0, 36 - i).clone());
        ASSERT_TRUE(same_bytes(e.select(0, i), whole)) << what;
      }
    }
  }
}

TEST(SmallProducts, ThreadsChangeNoBit) {
  const int before = get_num_threads();
  for (const DType t : {DType::float32, DType::complex128, DType::int32}) {
    const Tensor a = numbers({20'003, 3, 3}, t, 3), b = numbers({20'003, 3, 3}, t, 7);
    set_num_threads(1);
    const Tensor c = matmul(a, b);
    set_num_threads(3);
    EXPECT_TRUE(same_bytes(matmul(a, b), c));
    EXPECT_TRUE(
        same_bytes(matmul(a.slice(0, 0, 20'001), b.slice(0, 0, 20'001)), c.slice(0, 0, 20'001)));
  }
  set_num_threads(before);
}

TEST(SmallProducts, OutsideNumbers) {
  const double inf = HUGE_VAL, nan = std::nan("");
  const Tensor a = numbers({20, 3, 3}, DType::float64, 3).clone();
  a.select(0, 3).fill_(inf);
  a.select(0, 4).fill_(nan);
  a.select(0, 5).fill_(-0.0);
  expect_each(a, a, "infinities");
  expect_each(a, numbers({20, 3, 1}, DType::float64, 7), "infinities and a vector");
}

}  // namespace
