// Masks and arrays of indices from C++: expressions, results against plain loops, order at any
// number of threads, and that a failed call changes nothing.
#include <gtest/gtest.h>

#include <vector>

#include "tandem/tandem.h"
#include "tests/support/call_data.h"

using namespace tandem;
using test::varied;
using test::varied_indices;

namespace {

std::int64_t wrapped(std::int64_t i, std::int64_t n) { return i < 0 ? i + n : i; }

TEST(Indexing, ExpressionsTakeTensors) {
  const Tensor x = varied({4, 5, 6}, DType::float32);
  const Tensor i = varied_indices({7}, -4, 4);
  const Tensor j = varied_indices({3, 1}, -6, 6, 2);
  const Tensor y = x(i, Slice{1, 4}, j);  // apart: to the front
  ASSERT_TRUE(std::ranges::equal(y.shape(), IntSpan{3, 7, 3}));
  const auto* pi = i.data<std::int64_t>();
  const auto* pj = j.data<std::int64_t>();
  for (std::int64_t a = 0; a < 3; ++a) {
    for (std::int64_t b = 0; b < 7; ++b) {
      for (std::int64_t c = 0; c < 3; ++c) {
        EXPECT_EQ(y(a, b, c).item<float>(),
                  x(wrapped(pi[b], 4), c + 1, wrapped(pj[a], 6)).item<float>());
      }
    }
  }
  EXPECT_TRUE(std::ranges::equal(x(kEllipsis, j, kNone).shape(), IntSpan{4, 5, 3, 1, 1}));
  EXPECT_TRUE(std::ranges::equal(x(gt(x, 100)).shape(), IntSpan{0}));
  EXPECT_TRUE(x(scalar_tensor(1)).shares_storage(x));  // a 0-d tensor is an integer
  EXPECT_THROW(x(i, i, i, i), IndexError);
  EXPECT_THROW(x(x), IndexError);
}

TEST(Indexing, ValuesAreSet) {
  Tensor x = zeros({4, 5});
  set_index(x, {Tensor(full({2}, 3))}, 1.5);
  EXPECT_EQ(x.sum().item<float>(), 7.5f);
  set_index(x, {gt(x, 1)}, full({}, 2.0));
  EXPECT_EQ(x.sum().item<float>(), 10.0f);
  set_index(x, {1, Slice{0, 2}}, ones({2}, {.dtype = DType::int64}));  // without arrays: cast
  EXPECT_EQ(x.sum().item<float>(), 12.0f);
  EXPECT_THROW(set_index(x, {gt(x, 1)}, ones({5}, {.dtype = DType::float64})), TypeError);
  EXPECT_THROW(set_index(x, {gt(x, 1)}, ones({4})), ShapeError);
  EXPECT_EQ(x.sum().item<float>(), 12.0f);
}

/// Many values for few elements, in index order.
void check_order(std::int64_t rows, std::int64_t columns, std::int64_t n) {
  const Tensor x = varied({rows, columns}, DType::float32);
  const Tensor i = varied_indices({n}, -rows, rows, 3);
  const Tensor v = mul(varied({n, columns}, DType::float32, 4), 0.1);
  const Tensor sums = index_add(x, 0, i, v);
  const Tensor last = index_copy(x, 0, i, v);
  Tensor sum = x.clone();
  Tensor final = x.clone();
  auto* p = sum.data<float>();
  auto* q = final.data<float>();
  for (std::int64_t k = 0; k < n; ++k) {
    const std::int64_t at = wrapped(i.data<std::int64_t>()[k], rows) * columns;
    for (std::int64_t c = 0; c < columns; ++c) {
      p[at + c] += v.data<float>()[k * columns + c];
      q[at + c] = v.data<float>()[k * columns + c];
    }
  }
  EXPECT_TRUE(equal(sums, sum)) << rows << " " << columns;
  EXPECT_TRUE(equal(last, final)) << rows << " " << columns;
}

TEST(Indexing, OrderIsThatOfTheIndices) {
  const int before = get_num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    check_order(50, 1, 300000);
    check_order(50, 700, 900);
    check_order(3, 3, 90000);
  }
  set_num_threads(before);
}

TEST(Indexing, AFailedCallChangesNothing) {
  const Tensor x = zeros({1000, 3});
  Tensor i = zeros({500000}, {.dtype = DType::int64});
  i.data<std::int64_t>()[499999] = 1000;
  const std::int64_t version = x.storage().version();
  const Tensor v = ones({500000, 3});
  EXPECT_THROW(index_add_(x, 0, i, v), IndexError);
  EXPECT_THROW(index_copy_(x, 0, i, v), IndexError);
  EXPECT_THROW(index_fill_(x, 0, i, 1), IndexError);
  EXPECT_THROW(set_index(x, {i}, 1), IndexError);
  EXPECT_EQ(x.sum().item<float>(), 0.0f);
  EXPECT_EQ(static_cast<std::int64_t>(x.storage().version()), version);
}

TEST(Indexing, ViewsOfAnyStrides) {
  const Tensor base = varied({6, 8}, DType::float64);
  const Tensor back = base.slice(0, {}, {}, -1).t();
  const Tensor i = varied_indices({9}, -8, 8);
  const Tensor got = index_select(back, 0, i);
  for (std::int64_t k = 0; k < 9; ++k) {
    for (std::int64_t c = 0; c < 6; ++c) {
      EXPECT_EQ(got(k, c).item<double>(),
                base(5 - c, wrapped(i.data<std::int64_t>()[k], 8)).item<double>());
    }
  }
  // Window onto shared elements cannot be written.
  EXPECT_THROW(index_fill_(base.unfold(1, 3, 1), 0, i, 1), ShapeError);
}

}  // namespace
