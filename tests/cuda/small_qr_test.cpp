// QR of small matrices: bit for bit against the order of docs/numerics.md ("Small matrices")
// written as plain loops over one matrix, for every shape, any layout and batches that fill no
// whole vector; on the device against the host. Where there is no GPU the backend is the simulated
// one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
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

template <class R>
struct Powers;  // exponents of docs/numerics.md
template <>
struct Powers<float> {
  static constexpr int least = -80, most = 120, tiny = -40, huge = 60, by = 100;
};
template <>
struct Powers<double> {
  static constexpr int least = -800, most = 1000, tiny = -400, huge = 500, by = 700;
};

/// One matrix by rows, by the documented order.
template <class R>
struct Oracle {
  std::vector<R> a, tau;
  int m, n;

  R& at(int i, int j) { return a[static_cast<std::size_t>(i) * n + j]; }
  static R power(int e) { return std::ldexp(R(1), e); }

  R squares(int k, R factor) {
    R sum = 0;
    for (int i = k + 1; i < m; ++i) sum = std::fma(at(i, k) * factor, at(i, k) * factor, sum);
    return sum;
  }
  R reflector(int k) {
    using P = Powers<R>;
    const R alpha = at(k, k);
    const R sum = squares(k, 1);
    R rest = 0, factor = 1;
    for (int i = k + 1; i < m; ++i) rest = std::fmax(rest, std::abs(at(i, k)));
    if (sum == 0 && rest == 0) return 0;
    const R most = std::fmax(rest, std::abs(alpha));
    const bool plain =
        sum > power(P::least) && sum < power(P::most) && std::abs(alpha) < power(P::huge);
    if (!plain && most < power(P::tiny)) factor = power(P::by);
    if (!plain && most > power(P::huge)) factor = power(-P::by);
    const R scaled = alpha * factor;
    const R norm = std::sqrt(std::fma(scaled, scaled, squares(k, factor)));
    const R beta = std::signbit(alpha) ? norm : -norm;
    const R inverse = 1 / (scaled - beta);
    for (int i = k + 1; i < m; ++i) at(i, k) = at(i, k) * factor * inverse;
    at(k, k) = beta * (1 / factor);
    return (beta - scaled) / beta;
  }
  void turn(int k, int columns) {
    for (int j = k + 1; j < columns; ++j) {
      R sum = at(k, j);
      for (int i = k + 1; i < m; ++i) sum = std::fma(at(i, k), at(i, j), sum);
      const R w = tau[k] == 0 ? 0 : tau[k] * sum;
      at(k, j) -= w;
      for (int i = k + 1; i < m; ++i) at(i, j) = std::fma(-at(i, k), w, at(i, j));
    }
  }
  void factor() {
    for (int k = 0; k < std::min(m, n); ++k) {
      tau.push_back(reflector(k));
      turn(k, n);
    }
  }
  /// [m, columns] of the product of the reflectors in the first columns.
  Oracle orthogonal(int columns) {
    const int known = static_cast<int>(tau.size());
    Oracle q{std::vector<R>(static_cast<std::size_t>(m) * columns), tau, m, columns};
    for (int i = 0; i < m; ++i) {
      for (int j = 0; j < columns; ++j)
        q.at(i, j) = j < known && i > j ? at(i, j) : j >= known && i == j ? R(1) : R(0);
    }
    for (int k = known - 1; k >= 0; --k) {
      q.turn(k, columns);
      for (int i = k + 1; i < m; ++i) q.at(i, k) = tau[k] == 0 ? R(0) : -tau[k] * q.at(i, k);
      q.at(k, k) = 1 - tau[k];
    }
    return q;
  }
  Oracle upper(int rows) {
    Oracle r{std::vector<R>(static_cast<std::size_t>(rows) * n), tau, rows, n};
    for (int i = 0; i < rows; ++i) {
      for (int j = i; j < n; ++j) r.at(i, j) = at(i, j);
    }
    return r;
  }
};

template <class R>
bool same(R x, R y) {
  return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof x) == 0;
}

template <class R>
void expect_same(const std::vector<R>& want, const Tensor& t, std::int64_t which,
                 const char* what) {
  const auto size = static_cast<std::int64_t>(want.size());
  for (std::int64_t e = 0; e < size; ++e) {
    const R got = t.data<R>()[which * size + e];
    ASSERT_TRUE(same(got, want[e])) << what << ", matrix " << which << " at " << e << " of " << size
                                    << ": " << got << ", expected " << want[e];
  }
}

/// Among the values: equal columns, zeros, NaN, infinities, squares that leave the range, and
/// columns that are so already.
Tensor matrices(std::int64_t batch, std::int64_t m, std::int64_t n, DType t) {
  const Tensor x = varied({batch, m, n}, t, 7).clone();
  const double big = t == DType::float32 ? 0x1p120 : 0x1p1000;
  const double small = t == DType::float32 ? 0x1p-145 : 0x1p-1070;
  const auto scale = [&](std::int64_t i, double by) { x.select(0, i).mul_(by); };
  x.select(0, 0).fill_(2);
  if (batch > 12) {
    x.select(0, 2).select(0, m - 1).fill_(0);
    x.select(0, 3).select(0, m / 2).fill_(std::nan(""));
    scale(4, big);
    scale(5, small);
    x.select(0, 6).fill_(-0.0);
    x.select(0, 7).select(1, n / 2).fill_(0);
    x.select(0, 8).select(0, m - 1).mul_(std::sqrt(small));
    x.select(0, 9).select(0, 0).mul_(std::sqrt(big) * 1024);
    x.select(0, 10).copy_(triu(x.select(0, 10)));
    x.select(0, 11).select(1, 0).fill_(std::numeric_limits<double>::infinity());
    x.select(0, 12).select(0, 0).mul_(small);
  }
  return x;
}

/// The same elements by columns, in a wider room, turned, and as they are.
std::vector<Tensor> layouts(const Tensor& x) {
  const Tensor columns = matrix_transpose(matrix_transpose(x).contiguous());
  Dims wide(x.shape());
  wide.back() *= 2;
  Tensor every_other = zeros(wide, {.dtype = x.dtype(), .device = x.device()}).slice(-1, 0, {}, 2);
  every_other.copy_(x);
  const Tensor turned = flip(flip(x, Axes{Axis(-2)}).contiguous(), Axes{Axis(-2)});
  return {x, columns, every_other, turned};
}

std::vector<Value> factored(const Tensor& x) {
  return call_named("geqrf", std::vector<NamedValue>{{"", x}});
}

template <class R>
void check_shape(std::int64_t batch, std::int64_t m, std::int64_t n) {
  const Tensor a = matrices(batch, m, n, dtype_of<R>);
  const int k = static_cast<int>(std::min(m, n));
  for (const Tensor& x : layouts(a)) {
    const auto [q, r] = linalg::qr(x);
    const auto [q_all, r_all] = linalg::qr(x, "complete");
    const auto [none, r_only] = linalg::qr(x, "r");
    const auto parts = factored(x);
    const Tensor w = parts[0].as<Tensor>(), tau = parts[1].as<Tensor>(), own = w.contiguous();
    const Tensor product = m >= n ? linalg::householder_product(w, tau) : q;
    ASSERT_EQ(none.numel(), 0);
    for (std::int64_t b = 0; b < batch; ++b) {
      Oracle<R> o{{}, {}, static_cast<int>(m), static_cast<int>(n)};
      o.a.assign(a.data<R>() + b * m * n, a.data<R>() + (b + 1) * m * n);
      o.factor();
      expect_same(o.a, own, b, "geqrf");
      expect_same(o.tau, tau, b, "tau");
      expect_same(o.upper(k).a, r, b, "r");
      expect_same(o.upper(k).a, r_only, b, "r alone");
      expect_same(o.upper(o.m).a, r_all, b, "r of complete");
      expect_same(o.orthogonal(k).a, q, b, "q");
      expect_same(o.orthogonal(k).a, product, b, "householder_product");
      expect_same(o.orthogonal(o.m).a, q_all, b, "q of complete");
      if (::testing::Test::HasFatalFailure()) FAIL() << m << " x " << n << ", batch of " << batch;
    }
  }
}

void check_both(std::int64_t batch, std::int64_t m, std::int64_t n) {
  check_shape<float>(batch, m, n);
  if (!::testing::Test::HasFatalFailure()) check_shape<double>(batch, m, n);
}

TEST(SmallQr, EveryShapeIsInTheDocumentedOrder) {
  for (std::int64_t m = 1; m <= 32; ++m) {
    for (std::int64_t n = 1; n <= 32; ++n) {
      if (m > 9 && n > 9 && m != n && (3 * m + n) % 13 != 0) continue;
      check_both(m < 17 && n < 17 ? 37 : 14, m, n);
      check_both(1 + (m + n) % 5, m, n);
      if (HasFatalFailure()) return;
    }
  }
  check_both(700, 3, 3);
}

TEST(SmallQr, ABatchIsItsMatricesWhereverTheyStand) {
  for (const DType t : {DType::float32, DType::float64}) {
    const Tensor a = matrices(67, 7, 5, t);
    const auto [q, r] = linalg::qr(a);
    for (std::int64_t i = 0; i < 67; i += 3) {
      const auto [q1, r1] = linalg::qr(a.select(0, i));
      const auto [q2, r2] = linalg::qr(a.slice(0, i, std::min<std::int64_t>(i + 4, 67)));
      const tandem::testing::Closeness exact{.rtol = 0, .atol = 0, .equal_nan = true};
      EXPECT_EQ(tandem::testing::mismatch(q1, q.select(0, i), exact), "") << i;
      EXPECT_EQ(tandem::testing::mismatch(r1, r.select(0, i), exact), "") << i;
      EXPECT_EQ(tandem::testing::mismatch(q2.select(0, 0), q1, exact), "") << i;
      EXPECT_EQ(tandem::testing::mismatch(r2.select(0, 0), r1, exact), "") << i;
    }
    const auto [q3, r3] = linalg::qr(a.select(0, 1).expand({2, 9, 7, 5}));
    EXPECT_TRUE(equal(q3.select(0, 1).select(0, 8), q.select(0, 1)));
    EXPECT_TRUE(equal(r3.select(0, 1).select(0, 8), r.select(0, 1)));
  }
}

TEST(SmallQr, FactorsThatNoFactorisationMadeAreTakenAsTheyAre) {
  const Tensor a = varied({3, 6, 4}, DType::float64, 3),
               tau = varied({3, 2}, DType::float64, 5).clone();
  tau.select(0, 1).fill_(0);
  const Tensor q = linalg::householder_product(a, tau);
  for (std::int64_t b = 0; b < 3; ++b) {
    Oracle<double> o{{}, {}, 6, 4};
    o.a.assign(a.data<double>() + b * 24, a.data<double>() + (b + 1) * 24);
    o.tau.assign(tau.data<double>() + b * 2, tau.data<double>() + (b + 1) * 2);
    expect_same(o.orthogonal(4).a, q, b, "householder_product");
  }
  EXPECT_TRUE(equal(q.select(0, 1), eye(6, 4, {.dtype = DType::float64})));
}

void same_tensors(const Tensor& x, const Tensor& y, const std::string& what) {
  EXPECT_EQ(tandem::testing::mismatch(x.cpu(), y, {.rtol = 0, .atol = 0, .equal_nan = true}), "")
      << what;
}

/// What comes of x on a device against what comes of a, the same elements, on the host.
void check_device(const Tensor& a, const Tensor& x) {
  const std::string shape = std::to_string(a.size(-2)) + " x " + std::to_string(a.size(-1)) + ' ';
  for (const char* mode : {"reduced", "complete", "r"}) {
    const auto [q, r] = linalg::qr(a, mode);
    const auto [q2, r2] = linalg::qr(x, mode);
    same_tensors(q2, q, shape + "q, " + mode);
    same_tensors(r2, r, shape + "r, " + mode);
  }
  const auto here = factored(a), there = factored(x);
  same_tensors(there[0].as<Tensor>(), here[0].as<Tensor>(), shape + "geqrf");
  same_tensors(there[1].as<Tensor>(), here[1].as<Tensor>(), shape + "tau");
  if (a.size(-2) < a.size(-1)) return;
  same_tensors(linalg::householder_product(there[0].as<Tensor>(), there[1].as<Tensor>()),
               linalg::householder_product(here[0].as<Tensor>(), here[1].as<Tensor>()),
               shape + "householder_product");
}

/// Beside each number of threads of a matrix: 4, 8, 16, 32.
TEST(SmallQr, TheDeviceGivesTheHostsBits) {
  TANDEM_NEEDS_GPU();
  const std::vector<std::pair<std::int64_t, std::int64_t>> shapes{
      {1, 1}, {2, 2}, {3, 3},  {4, 4},  {5, 5},   {8, 3},   {3, 8},
      {9, 9}, {9, 8}, {32, 8}, {5, 32}, {16, 17}, {17, 16}, {32, 32}};
  for (const auto& [m, n] : shapes) {
    for (const DType t : {DType::float32, DType::float64}) {
      for (const std::int64_t batch : {1, 41}) {
        const Tensor a = matrices(batch, m, n, t);
        check_device(a, a.to(kDevice));
      }
    }
  }
}

TEST(SmallQr, TheDeviceTakesAnyLayout) {
  TANDEM_NEEDS_GPU();
  for (const auto& [m, n] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{7, 5}, {4, 4}, {3, 20}}) {
    const Tensor a = matrices(41, m, n, DType::float32);
    for (const Tensor& x : layouts(a.to(kDevice))) check_device(a, x);
  }
}

}  // namespace
