// Small matrices: bit for bit against the order of docs/numerics.md ("Small matrices") written as
// plain loops over one matrix, for every size, any layout and batches that fill no whole vector; on
// the device against the host. Where there is no GPU the backend is the simulated one.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "tandem/call.h"
#include "tandem/tandem.h"
#include "tandem/testing.h"
#include "tests/support/call_data.h"
#include "tests/support/needs.h"

using namespace tandem;
using test::varied;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

/// One matrix by rows, with columns on the right, by the documented order.
template <class R>
struct Oracle {
  std::vector<R> a;
  int n, columns;
  std::vector<std::int32_t> pivots;
  std::int32_t info = 0;

  R& at(int i, int j) { return a[static_cast<std::size_t>(i) * columns + j]; }

  void eliminate() {
    pivots.resize(n);
    for (int k = 0; k < n; ++k) {
      int p = k;
      for (int i = k + 1; i < n; ++i) {
        if (std::abs(at(i, k)) > std::abs(at(p, k))) p = i;
      }
      pivots[k] = p + 1;
      for (int j = 0; j < columns && p != k; ++j) std::swap(at(k, j), at(p, j));
      const bool none = at(k, k) == 0;
      if (none && info == 0) info = k + 1;
      for (int i = k + 1; i < n; ++i) {
        if (!none) at(i, k) /= at(k, k);
        for (int j = k + 1; j < columns; ++j) at(i, j) = std::fma(-at(i, k), at(k, j), at(i, j));
      }
    }
  }
  void substitute() {
    for (int j = n; j < columns; ++j) {
      for (int i = n - 1; i >= 0; --i) {
        for (int k = i + 1; k < n; ++k) at(i, j) = std::fma(-at(i, k), at(k, j), at(i, j));
        at(i, j) /= at(i, i);
      }
    }
  }
  R determinant() {
    R product = 1;
    for (int k = 0; k < n; ++k) product = pivots[k] == k + 1 ? product : -product;
    for (int k = 0; k < n; ++k) product *= at(k, k);
    return product;
  }
  void cholesky() {
    for (int k = 0; k < n; ++k) {
      if (!(at(k, k) > 0) && info == 0) info = k + 1;
      at(k, k) = std::sqrt(at(k, k));
      for (int i = k + 1; i < n; ++i) at(i, k) /= at(k, k);
      for (int i = k + 1; i < n; ++i) {
        for (int j = k + 1; j <= i; ++j) at(i, j) = std::fma(-at(j, k), at(i, k), at(i, j));
      }
      for (int j = k + 1; j < n; ++j) at(k, j) = 0;
    }
  }
};

/// [a | b] of a dense pair of batches.
template <class R>
Oracle<R> oracle(const Tensor& a, const Tensor* b, std::int64_t m) {
  const int n = static_cast<int>(a.size(-1));
  const int k = b == nullptr ? 0 : static_cast<int>(b->size(-1));
  Oracle<R> o{std::vector<R>(static_cast<std::size_t>(n) * (n + k)), n, n + k, {}, 0};
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) o.at(i, j) = a.data<R>()[(m * n + i) * n + j];
    for (int j = 0; j < k; ++j) o.at(i, n + j) = b->data<R>()[(m * n + i) * k + j];
  }
  return o;
}

template <class R>
bool same(R x, R y) {
  return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof x) == 0;
}

/// Whether columns [from, to) of the oracle are matrix m of a dense t.
template <class R>
void expect_same(Oracle<R>& o, const Tensor& t, std::int64_t m, int from, int to,
                 const char* what) {
  const int width = to - from;
  for (int i = 0; i < o.n; ++i) {
    for (int j = 0; j < width; ++j) {
      const R got = t.data<R>()[(m * o.n + i) * width + j];
      ASSERT_TRUE(same(got, o.at(i, from + j)))
          << what << " of " << o.n << " x " << o.n << ", matrix " << m << " at " << i << ", " << j
          << ": " << got << ", expected " << o.at(i, from + j);
    }
  }
}

/// P, L and U of matrix m are the oracle's factors and interchanges.
template <class R>
void expect_parts(Oracle<R> o, const std::array<Tensor, 3>& got, std::int64_t m) {
  Oracle<R> p = o, l = o, u = o;
  std::vector<int> order(o.n);
  std::iota(order.begin(), order.end(), 0);
  for (int k = 0; k < o.n; ++k) std::swap(order[k], order[o.pivots[k] - 1]);
  for (int i = 0; i < o.n; ++i) {
    for (int j = 0; j < o.n; ++j) {
      p.at(i, j) = order[j] == i ? 1 : 0;
      l.at(i, j) = i == j ? 1 : j < i ? o.at(i, j) : 0;
      u.at(i, j) = j < i ? 0 : o.at(i, j);
    }
  }
  expect_same(p, got[0], m, 0, o.n, "P");
  expect_same(l, got[1], m, 0, o.n, "L");
  expect_same(u, got[2], m, 0, o.n, "U");
}

/// Values with ties among pivots, a singular matrix and one with NaN among them.
Tensor matrices(std::int64_t batch, std::int64_t n, DType t) {
  const Tensor x = varied({batch, n, n}, t, 7).clone();
  x.select(0, 0).fill_(2);
  if (batch > 2) x.select(0, 2).select(0, n - 1).fill_(0);
  if (batch > 3) x.select(0, 3).select(0, n / 2).fill_(std::nan(""));
  return x;
}

/// The same elements by columns, in a wider room, and as they are.
std::vector<Tensor> layouts(const Tensor& x) {
  const Tensor columns = matrix_transpose(matrix_transpose(x).contiguous());
  Dims wide(x.shape());
  wide.back() *= 2;
  Tensor every_other = zeros(wide, {.dtype = x.dtype(), .device = x.device()}).slice(-1, 0, {}, 2);
  every_other.copy_(x);
  return {x, columns, every_other};
}

template <class R>
void check_size(std::int64_t batch, std::int64_t n, std::int64_t k) {
  const DType t = dtype_of<R>;
  const Tensor a = matrices(batch, n, t);
  const Tensor b = varied({batch, n, k}, t, 9);
  const Tensor d = matmul(a, matrix_transpose(a)) + eye(n, {}, {.dtype = t});
  const auto rights = layouts(b);
  const auto squares = layouts(d);
  std::size_t layout = 0;
  for (const Tensor& x : layouts(a)) {
    const auto [factors, pivots, info] = linalg::lu_factor_ex(x);
    const Tensor own = factors.contiguous();
    const auto [solution, info2] = linalg::solve_ex(x, rights[layout]);
    const auto [inverse, info3] = linalg::inv_ex(x);
    const Tensor det = linalg::det(x);
    const auto [l, info4] = linalg::cholesky_ex(squares[layout]);
    const auto [p, lower, upper] = linalg::lu(x);
    const Tensor inverse_own = inverse.contiguous(), l_own = l.contiguous();
    const Tensor one = eye(n, {}, {.dtype = t}).expand({batch, n, n}).contiguous();
    for (std::int64_t m = 0; m < batch; ++m) {
      Oracle<R> o = oracle<R>(a, nullptr, m);
      o.eliminate();
      expect_same(o, own, m, 0, o.n, "lu");
      for (int i = 0; i < o.n; ++i) ASSERT_EQ(pivots.data<std::int32_t>()[m * n + i], o.pivots[i]);
      expect_parts(o, {p, lower, upper}, m);
      ASSERT_EQ(info.data<std::int32_t>()[m], o.info);
      ASSERT_EQ(info2.data<std::int32_t>()[m], o.info);
      ASSERT_EQ(info3.data<std::int32_t>()[m], o.info);
      ASSERT_TRUE(same(det.data<R>()[m], o.determinant())) << "det of " << n << ", matrix " << m;
      o = oracle<R>(a, &b, m);
      o.eliminate();
      o.substitute();
      expect_same(o, solution, m, o.n, o.columns, "solve");
      o = oracle<R>(a, &one, m);
      o.eliminate();
      o.substitute();
      expect_same(o, inverse_own, m, o.n, o.columns, "inv");
      o = oracle<R>(d, nullptr, m);
      o.cholesky();
      expect_same(o, l_own, m, 0, o.n, "cholesky");
      ASSERT_EQ(info4.data<std::int32_t>()[m], o.info);
    }
    ++layout;
  }
}

TEST(SmallMatrix, EverySizeIsInTheDocumentedOrder) {
  for (std::int64_t n = 1; n <= 32; n += n < 17 ? 1 : 5) {
    // One, some lanes, whole vectors and a few or one more.
    for (const std::int64_t batch : {1, 5, 18, 37}) {
      check_size<float>(batch, n, 1 + n % 5);
      check_size<double>(batch, n, 1 + n % 5);
      if (HasFatalFailure()) return;
    }
  }
  check_size<float>(300, 4, 32);
  check_size<double>(9, 17, 32);
  check_size<float>(3, 32, 31);
}

TEST(SmallMatrix, TheOtherSideIsTheTransposedEquation) {
  const Tensor a = varied({3, 5, 5}, DType::float64, 4), b = varied({3, 2, 5}, DType::float64, 5);
  const Tensor x = linalg::solve(a, b, false);
  const Tensor y = linalg::solve(matrix_transpose(a), matrix_transpose(b));
  EXPECT_TRUE(equal(x, matrix_transpose(y)));
}

TEST(SmallMatrix, OneMatrixOfABatchMayStandForAll) {
  const Tensor a = varied({3, 1, 5, 5}, DType::float32, 4), b = varied({5, 2}, DType::float32, 5);
  const Tensor x = linalg::solve(a, b);
  for (std::int64_t i = 0; i < 3; ++i)
    EXPECT_TRUE(equal(x.select(0, i), linalg::solve(a.select(0, i), b)));
  const Tensor same = a.select(0, 0).expand({4, 5, 5});
  EXPECT_TRUE(equal(linalg::inv(same).select(0, 3), linalg::inv(a.select(0, 0)).select(0, 0)));
}

TEST(SmallMatrix, TheDeviceGivesTheHostsBits) {
  TANDEM_NEEDS_GPU();
  for (const DType t : {DType::float32, DType::float64}) {
    for (const std::int64_t n : {1, 2, 3, 4, 7, 8, 9, 16, 17, 32}) {
      const Tensor a = matrices(67, n, t), b = varied({67, n, n > 16 ? 32 : 5}, t, 3);
      const Tensor d = matmul(a, matrix_transpose(a)) + eye(n, {}, {.dtype = t});
      const auto on = layouts(a.to(kDevice));
      const auto same_tensors = [&](const Tensor& x, const Tensor& y, const char* what) {
        EXPECT_EQ(tandem::testing::mismatch(x.cpu(), y, {.rtol = 0, .atol = 0, .equal_nan = true}),
                  "")
            << what << " of " << n;
      };
      for (const Tensor& x : on) {
        const auto here = linalg::lu_factor_ex(a);
        const auto there = linalg::lu_factor_ex(x);
        same_tensors(std::get<0>(there), std::get<0>(here), "lu");
        same_tensors(std::get<1>(there), std::get<1>(here), "pivots");
        same_tensors(std::get<2>(there), std::get<2>(here), "info");
        const auto [p, l, u] = linalg::lu(x);
        const auto [p2, l2, u2] = linalg::lu(a);
        same_tensors(p, p2, "P");
        same_tensors(l, l2, "L");
        same_tensors(u, u2, "U");
        same_tensors(std::get<0>(linalg::solve_ex(x, b.to(kDevice))),
                     std::get<0>(linalg::solve_ex(a, b)), "solve");
        same_tensors(std::get<0>(linalg::inv_ex(x)), std::get<0>(linalg::inv_ex(a)), "inv");
        same_tensors(linalg::det(x), linalg::det(a), "det");
      }
      same_tensors(std::get<0>(linalg::cholesky_ex(d.to(kDevice))),
                   std::get<0>(linalg::cholesky_ex(d)), "cholesky");
    }
  }
}

std::vector<Value> unpack(const Tensor& lu, const Tensor& pivots) {
  return call_named("lu_unpack", std::vector<NamedValue>{{"", lu}, {"", pivots}});
}

/// On the host the call refuses them; a device finds them while it works, and goes nowhere else.
TEST(SmallMatrix, PivotsOutsideTheMatrixAreFoundOnTheDevice) {
  TANDEM_NEEDS_GPU();
  const Tensor lu = varied({3, 3}, DType::float64).to(kDevice);
  const auto pivots_of = [](std::int32_t middle) {
    Tensor p = arange(1, 4).to(DType::int32);
    p.select(0, 1).fill_(middle);
    return p;
  };
  for (const std::int32_t bad : {0, -7, 4, 2147483647}) {
    const Tensor pivots = pivots_of(bad);
    EXPECT_THROW((void)unpack(lu.cpu(), pivots), ValueError) << bad;
    (void)unpack(lu, pivots.to(kDevice));
    try {
      synchronize(kDevice);
      ADD_FAILURE() << bad << " was not found";
    } catch (const IndexError& e) {
      EXPECT_NE(std::string(e.what()).find("index " + std::to_string(bad)), std::string::npos)
          << e.what();
    }
  }
  (void)unpack(lu, pivots_of(3).to(kDevice));
  EXPECT_NO_THROW(synchronize(kDevice));
}

}  // namespace
