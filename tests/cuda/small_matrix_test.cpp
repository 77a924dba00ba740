// Small matrices: bit for bit against the order of docs/numerics.md ("Small matrices") written as
// plain loops over one matrix, for every size, any layout and batches that fill no whole vector; on
// the device against the host. Where there is no GPU the backend is the simulated one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <numeric>
#include <sstream>
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

// What the documented order is made of, for real and complex elements.

template <class R>
R fused(R sum, R a, R b) {
  return std::fma(a, b, sum);
}
template <class R>
Complex<R> fused(Complex<R> sum, Complex<R> a, Complex<R> b) {
  return {std::fma(-a.im, b.im, std::fma(a.re, b.re, sum.re)),
          std::fma(a.im, b.re, std::fma(a.re, b.im, sum.im))};
}
template <class R>
R product_of(R a, R b) {
  return a * b;
}
template <class R>
Complex<R> product_of(Complex<R> a, Complex<R> b) {
  return {std::fma(-a.im, b.im, a.re * b.re), std::fma(a.im, b.re, a.re * b.im)};
}
template <class R>
R quotient(R x, R y) {
  return x / y;
}
template <class R>
Complex<R> quotient(Complex<R> x, Complex<R> y) {
  if (std::abs(y.im) > std::abs(y.re)) {
    x = {x.im, -x.re};
    y = {y.im, -y.re};
  }
  const int least = sizeof(R) == 4 ? -64 : -512;
  const R size = std::abs(y.re);
  const R scale = size >= 1                        ? R(0.25)
                  : size < std::ldexp(R(1), least) ? std::ldexp(R(1), -least)
                                                   : 1;
  x = {x.re * scale, x.im * scale};
  y = {y.re * scale, y.im * scale};
  const R r = y.im / y.re;
  const R d = std::fma(y.im, r, y.re);
  return {std::fma(x.im, r, x.re) / d, std::fma(-x.re, r, x.im) / d};
}
template <class R>
R magnitude(R x) {
  return std::abs(x);
}
template <class R>
R magnitude(Complex<R> x) {
  return std::abs(x.re) + std::abs(x.im);
}
template <class R>
R times(R x, R number) {
  return x * number;
}
template <class R>
Complex<R> times(Complex<R> x, R number) {
  return {x.re * number, x.im * number};
}
template <class R>
R over(R x, R number) {
  return x / number;
}
template <class R>
Complex<R> over(Complex<R> x, R number) {
  return {x.re / number, x.im / number};
}
template <class R>
R conjugated(R x) {
  return x;
}
template <class R>
Complex<R> conjugated(Complex<R> x) {
  return {x.re, -x.im};
}
template <class R>
R real_of(R x) {
  return x;
}
template <class R>
R real_of(Complex<R> x) {
  return x.re;
}
template <class E>
E number(fn::real_t<E> x) {
  if constexpr (fn::is_complex_v<E>) {
    return {x, 0};
  } else {
    return x;
  }
}

/// One matrix by rows, with columns on the right, by the documented order.
template <class E>
struct Oracle {
  using R = fn::real_t<E>;
  std::vector<E> a;
  int n, columns;
  std::vector<std::int32_t> pivots;
  std::int32_t info = 0;

  E& at(int i, int j) { return a[static_cast<std::size_t>(i) * columns + j]; }
  E minus(int i, int j) { return times(at(i, j), R(-1)); }

  void eliminate() {
    pivots.resize(n);
    for (int k = 0; k < n; ++k) {
      int p = k;
      for (int i = k + 1; i < n; ++i) {
        if (magnitude(at(i, k)) > magnitude(at(p, k))) p = i;
      }
      pivots[k] = p + 1;
      for (int j = 0; j < columns && p != k; ++j) std::swap(at(k, j), at(p, j));
      const bool none = magnitude(at(k, k)) == 0;
      if (none && info == 0) info = k + 1;
      for (int i = k + 1; i < n; ++i) {
        if (!none) at(i, k) = quotient(at(i, k), at(k, k));
        for (int j = k + 1; j < columns; ++j) at(i, j) = fused(at(i, j), minus(i, k), at(k, j));
      }
    }
  }
  void substitute() {
    for (int j = n; j < columns; ++j) {
      for (int i = n - 1; i >= 0; --i) {
        for (int k = i + 1; k < n; ++k) at(i, j) = fused(at(i, j), minus(i, k), at(k, j));
        at(i, j) = quotient(at(i, j), at(i, i));
      }
    }
  }
  E determinant() {
    R sign = 1;
    for (int k = 0; k < n; ++k) sign = pivots[k] == k + 1 ? sign : -sign;
    E product = times(at(0, 0), sign);
    for (int k = 1; k < n; ++k) product = product_of(product, at(k, k));
    return product;
  }
  void cholesky() {
    for (int k = 0; k < n; ++k) {
      const R square = real_of(at(k, k));
      if (!(square > 0) && info == 0) info = k + 1;
      at(k, k) = number<E>(std::sqrt(square));
      for (int i = k + 1; i < n; ++i) at(i, k) = over(at(i, k), std::sqrt(square));
      for (int i = k + 1; i < n; ++i) {
        for (int j = k + 1; j <= i; ++j)
          at(i, j) = fused(at(i, j), times(conjugated(at(j, k)), R(-1)), at(i, k));
      }
      for (int j = k + 1; j < n; ++j) at(k, j) = E{};
    }
  }
};

/// [a | b] of a dense pair of batches.
template <class E>
Oracle<E> oracle(const Tensor& a, const Tensor* b, std::int64_t m) {
  const int n = static_cast<int>(a.size(-1));
  const int k = b == nullptr ? 0 : static_cast<int>(b->size(-1));
  Oracle<E> o{std::vector<E>(static_cast<std::size_t>(n) * (n + k)), n, n + k, {}, 0};
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) o.at(i, j) = a.data<E>()[(m * n + i) * n + j];
    for (int j = 0; j < k; ++j) o.at(i, n + j) = b->data<E>()[(m * n + i) * k + j];
  }
  return o;
}

template <class R>
bool same(R x, R y) {
  return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof x) == 0;
}
template <class R>
bool same(Complex<R> x, Complex<R> y) {
  return same(x.re, y.re) && same(x.im, y.im);
}
template <class E>
std::string text(E x) {
  if constexpr (fn::is_complex_v<E>) {
    return "(" + text(x.re) + ", " + text(x.im) + ")";
  } else {
    std::ostringstream s;
    s << std::hexfloat << x;
    return s.str();
  }
}

/// Whether columns [from, to) of the oracle are matrix m of a dense t.
template <class E>
void expect_same(Oracle<E>& o, const Tensor& t, std::int64_t m, int from, int to,
                 const char* what) {
  const int width = to - from;
  for (int i = 0; i < o.n; ++i) {
    for (int j = 0; j < width; ++j) {
      const E got = t.data<E>()[(m * o.n + i) * width + j];
      ASSERT_TRUE(same(got, o.at(i, from + j)))
          << what << " of " << o.n << " x " << o.n << ", matrix " << m << " at " << i << ", " << j
          << ": " << text(got) << ", expected " << text(o.at(i, from + j));
    }
  }
}

/// P, L and U of matrix m are the oracle's factors and interchanges.
template <class E>
void expect_parts(Oracle<E> o, const std::array<Tensor, 3>& got, std::int64_t m) {
  Oracle<E> p = o, l = o, u = o;
  std::vector<int> order(o.n);
  std::iota(order.begin(), order.end(), 0);
  for (int k = 0; k < o.n; ++k) std::swap(order[k], order[o.pivots[k] - 1]);
  for (int i = 0; i < o.n; ++i) {
    for (int j = 0; j < o.n; ++j) {
      p.at(i, j) = number<E>(order[j] == i ? 1 : 0);
      l.at(i, j) = i == j ? number<E>(1) : j < i ? o.at(i, j) : E{};
      u.at(i, j) = j < i ? E{} : o.at(i, j);
    }
  }
  expect_same(p, got[0], m, 0, o.n, "P");
  expect_same(l, got[1], m, 0, o.n, "L");
  expect_same(u, got[2], m, 0, o.n, "U");
}

Tensor elements(IntSpan shape, DType t, std::uint64_t seed) {
  return is_complex(t) ? test::varied_complex(shape, t, seed) : varied(shape, t, seed);
}

/// Values with ties among pivots, a singular matrix, one with NaN and one with an infinity.
Tensor matrices(std::int64_t batch, std::int64_t n, DType t) {
  const Tensor x = elements({batch, n, n}, t, 7).clone();
  x.select(0, 0).fill_(2);
  if (batch > 2) x.select(0, 2).select(0, n - 1).fill_(0);
  if (batch > 3) x.select(0, 3).select(0, n / 2).fill_(std::nan(""));
  if (batch > 4) x.select(0, 4).select(0, n / 2).select(0, n / 3).fill_(INFINITY);
  return x;
}

/// Definite where the elements are finite: lower triangles, with what is not to be read above them
/// and, of complex numbers, beside the real diagonal.
Tensor definite(const Tensor& a) {
  const std::int64_t n = a.size(-1);
  const Tensor x = matmul(a, adjoint(a)) + eye(n, {}, {.dtype = a.dtype()});
  const Tensor d = tril(x) + triu(elements(a.shape(), a.dtype(), 11), 1);
  if (!is_complex(a.dtype())) return d;
  const DType part = a.dtype() == DType::complex64 ? DType::float32 : DType::float64;
  const Tensor skew = eye(n, {}, {.dtype = part}) * varied({n}, part, 5);
  return d + complex(zeros_like(skew), skew);
}

/// The same elements by columns, in a wider room, and as they are.
std::vector<Tensor> layouts(const Tensor& x) {
  const Tensor columns = matrix_transpose(matrix_transpose(x).contiguous());
  Dims wide(x.shape());
  wide.back() *= 2;
  Tensor every_other = empty(wide, {.dtype = x.dtype(), .device = x.device()}).slice(-1, 0, {}, 2);
  every_other.copy_(x);
  return {x, columns, every_other};
}

template <class E>
void check_size(std::int64_t batch, std::int64_t n, std::int64_t k) {
  const DType t = dtype_of<E>;
  const Tensor a = matrices(batch, n, t);
  const Tensor b = elements({batch, n, k}, t, 9);
  const Tensor d = definite(a);
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
      Oracle<E> o = oracle<E>(a, nullptr, m);
      o.eliminate();
      expect_same(o, own, m, 0, o.n, "lu");
      for (int i = 0; i < o.n; ++i) ASSERT_EQ(pivots.data<std::int32_t>()[m * n + i], o.pivots[i]);
      expect_parts(o, {p, lower, upper}, m);
      ASSERT_EQ(info.data<std::int32_t>()[m], o.info);
      ASSERT_EQ(info2.data<std::int32_t>()[m], o.info);
      ASSERT_EQ(info3.data<std::int32_t>()[m], o.info);
      ASSERT_TRUE(same(det.data<E>()[m], o.determinant())) << "det of " << n << ", matrix " << m;
      o = oracle<E>(a, &b, m);
      o.eliminate();
      o.substitute();
      expect_same(o, solution, m, o.n, o.columns, "solve");
      o = oracle<E>(a, &one, m);
      o.eliminate();
      o.substitute();
      expect_same(o, inverse_own, m, o.n, o.columns, "inv");
      o = oracle<E>(d, nullptr, m);
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
      check_size<Complex64>(batch, n, 1 + n % 5);
      check_size<Complex128>(batch, n, 1 + n % 5);
      if (HasFatalFailure()) return;
    }
  }
  check_size<float>(300, 4, 32);
  check_size<double>(9, 17, 32);
  check_size<float>(3, 32, 31);
  check_size<Complex64>(300, 4, 32);
  check_size<Complex128>(9, 17, 32);
  check_size<Complex64>(3, 32, 31);
}

TEST(SmallMatrix, TheOtherSideIsTheTransposedEquation) {
  for (const DType t : {DType::float64, DType::complex128}) {
    const Tensor a = elements({3, 5, 5}, t, 4), b = elements({3, 2, 5}, t, 5);
    const Tensor x = linalg::solve(a, b, false);
    const Tensor y = linalg::solve(matrix_transpose(a), matrix_transpose(b));
    EXPECT_TRUE(equal(x, matrix_transpose(y)));
  }
}

TEST(SmallMatrix, TheUpperFactorIsTheAdjointOfTheLowerOne) {
  for (const DType t : {DType::float32, DType::complex64, DType::complex128}) {
    for (const std::int64_t batch : {2, 40}) {
      const Tensor d = definite(elements({batch, 7, 7}, t, 4));  // its lower triangle alone
      const Tensor upper = linalg::cholesky(adjoint(d), true);
      EXPECT_TRUE(equal(upper, adjoint(linalg::cholesky(d))));
      EXPECT_EQ(abs(tril(upper, -1)).max().item<double>(), 0);
    }
  }
}

/// |got - expected| is within `bound`, element by element.
void expect_within(const Tensor& got, const Tensor& expected, const Tensor& bound, double factor,
                   const char* what) {
  const Tensor error = abs(got.to(DType::complex128) - expected.to(DType::complex128));
  const Tensor most = abs(bound).to(DType::float64) * factor;
  EXPECT_TRUE(le(error, most).all().item<bool>()) << what;
}

/// Bounds: N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., theorems 9.4 and
/// 10.4, for complex numbers with the constant of (3.13).
TEST(SmallMatrix, FactorsServeTheOtherOps) {
  for (const DType t : {DType::complex64, DType::complex128}) {
    const double eps = std::ldexp(1.0, 1 - info(t).bits);
    for (const std::int64_t n : {3, 6, 20}) {
      const Tensor a = elements({19, n, n}, t, 4), b = elements({19, n, 2}, t, 6);
      const double gamma = 3 * static_cast<double>(n + 1) * 4 * eps;
      const auto [factors, pivots] = linalg::lu_factor(a);
      const auto [p, l, u] = linalg::lu(a);
      EXPECT_EQ(p.dtype(), t);
      const Tensor sizes = matmul(abs(p), matmul(abs(l), abs(u)));
      expect_within(matmul(p, matmul(l, u)), a, sizes, gamma, "P L U");
      for (const bool adjoints : {false, true}) {
        const Tensor of = adjoints ? adjoint(a) : a;
        const Tensor size = adjoints ? matrix_transpose(sizes) : sizes;
        const Tensor x = linalg::lu_solve(factors, pivots, b, true, adjoints);
        expect_within(matmul(of, x), b, matmul(size, abs(x)), gamma, "lu_solve");
        const Tensor turned = matrix_transpose(b);
        const Tensor y = linalg::lu_solve(factors, pivots, turned, false, adjoints);
        expect_within(matmul(y, of), turned, matmul(abs(y), size), gamma, "lu_solve, right");
      }
      const Tensor x = linalg::solve(a, b);
      expect_within(matmul(a, x), b, matmul(sizes, abs(x)), gamma, "solve");
      const auto [sign, logarithm] = linalg::slogdet(a);
      const Tensor det = linalg::det(a);
      expect_within(sign * exp(logarithm), det, det, gamma * 8, "slogdet");

      const Tensor d = matmul(a, adjoint(a)) + eye(n, {}, {.dtype = t});
      const Tensor lower = linalg::cholesky(d);
      const Tensor squares = matmul(abs(lower), matrix_transpose(abs(lower)));
      expect_within(matmul(lower, adjoint(lower)), d, squares, gamma, "cholesky");
      const Tensor z =
          call_named("cholesky_solve", std::vector<NamedValue>{{"", b}, {"", lower}})[0]
              .as<Tensor>();
      expect_within(matmul(d, z), b, matmul(squares, abs(z)), gamma, "cholesky_solve");
    }
  }
}

/// x / y with parts at the ends of the range, against long double: an error of the size of x / y,
/// or one of some of the least numbers.
template <class R>
void check_quotients() {
  using Limits = std::numeric_limits<R>;
  using Wide = std::complex<long double>;
  const DType t = dtype_of<Complex<R>>;
  const R most = Limits::max(), least = Limits::denorm_min();
  const R tiny = std::ldexp(R(1.3), Limits::min_exponent - 4);
  const R large = std::ldexp(R(-1.1), Limits::max_exponent / 2 + 6);
  const R parts[] = {0,       least, least * 3, least * -7,    tiny, R(0.7),
                     R(-1.9), large, most / 3,  most * R(-.6), most};
  std::vector<Complex<R>> all;
  for (const R re : parts) {
    for (const R im : parts) all.push_back({re, im});
  }
  const auto n = static_cast<std::int64_t>(all.size());
  const Tensor z = empty({n}, {.dtype = t});
  std::copy(all.begin(), all.end(), z.data<Complex<R>>());
  long checked = 0;
  for (std::int64_t from = 0; from < n; from += 32) {  // columns on the right; a matrix a divisor
    const std::int64_t width = std::min<std::int64_t>(32, n - from);
    const Tensor x = z.narrow(0, from, width).expand({n, 1, width}).contiguous();
    const Tensor q = std::get<0>(linalg::solve_ex(z.view({n, 1, 1}), x));
    for (std::int64_t i = 0; i < n * width; ++i) {
      const Complex<R> a = all[from + i % width], b = all[i / width];
      const Complex<R> got = q.data<Complex<R>>()[i];
      const long double scale = std::max(std::abs(b.re), std::abs(b.im));
      if (scale == 0) continue;
      const Wide y(b.re / scale, b.im / scale);
      const Wide exact = Wide(a.re, a.im) * std::conj(y) / std::norm(y) / scale;
      const long double size = std::abs(exact);
      if (size > most / 4) continue;  // may overflow on the way
      const long double error = std::abs(Wide(got.re, got.im) - exact);
      ASSERT_LE(error, 4 * size * Limits::epsilon() + 8 * static_cast<long double>(least))
          << text(a) << " / " << text(b) << " = " << text(got);
      ++checked;
    }
  }
  EXPECT_GT(checked, n * n / 2);
}

TEST(SmallMatrix, QuotientsAreRightAtTheEndsOfTheRange) {
  check_quotients<float>();
  check_quotients<double>();
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
  for (const DType t : {DType::float32, DType::float64, DType::complex64, DType::complex128}) {
    for (const std::int64_t n : {1, 2, 3, 4, 7, 8, 9, 16, 17, 32}) {
      const Tensor a = matrices(67, n, t), b = elements({67, n, n > 16 ? 32 : 5}, t, 3);
      const Tensor d = definite(a);
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
