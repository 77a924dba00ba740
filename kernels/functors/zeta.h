// Hurwitz's zeta function and polygamma: float32 from doubles, float64 from pairs (wide.h).
//
// Note [The Hurwitz zeta function]
// A sum to q + N >= s + 12, then Euler and Maclaurin's formula (DLMF 25.11.5) with twelve terms;
// where s is large the sum ends before. All is relative to q^-s, which may be beyond the range. For
// q < 0 and an integer s, the sum over all integers less that over those below q:
// zeta(s, f) + (-1)^s (zeta(s, 1 - f) - zeta(s, 1 - q)), f = q - floor(q).
#pragma once

#include "exp_f32.h"
#include "gamma_f64.h"
#include "gamma_inc.h"
#include "wide.h"

namespace tandem::fn {

namespace hurwitz {

using f64::Dd;
using namespace wide;

/// b1 + (s + 1) (s + 2) / w^2 (b2 + (s + 3) (s + 4) / w^2 (b3 + ...)); inv is 1 / w.
TANDEM_FN double maclaurin(double, double, double b) { return b; }
template <class... B>
TANDEM_FN double maclaurin(double s, double inv, double b, B... rest) {
  const double r = maclaurin(s + 2.0, inv, rest...);
  return fma(((s + 1.0) * inv) * ((s + 2.0) * inv), r, b);
}

/// q^-s zeta(s, q) for 1 < s <= 2^120 and finite q > 0: exp(e) times a sum.
template <class R>
struct Parts {
  R e, sum;
};
template <class R>
TANDEM_FN Parts<R> parts(double s, R q) {
  const double to = s + 12.0;
  const bool direct = head(q) >= to;
  const R l = log_of(q);
  R w = q, sum = number<R>(0.0), power = number<R>(1.0);
  // About 55 steps at the most, where q is near s.
  for (int k = 0; k < 64 && head(w) < to && head(power) > 0x1p-80; ++k) {
    sum = plus(sum, power);
    w = plus(w, number<R>(1.0));
    const R t = times(plus(l, negated(log_of(w))), s);  // of (q / w)^s
    const bool gone = head(t) < -90.0;
    const Scaled<R> p = exp_of(gone ? number<R>(-90.0) : t);
    power = scaled(p.m, f64::pow2(p.n));
  }
  // w / (s - 1) + 1/2 + s / (12 w) - ..., over w where that is the whole.
  const double inv = 1.0 / head(w);
  const double m =
      maclaurin(s, inv, 0x1.5555555555555p-4, -0x1.6c16c16c16c17p-10, 0x1.1566abc011567p-15,
                -0x1.bbd779334ef0bp-21, 0x1.66a8f2bf70ebep-26, -0x1.22805d644267fp-31,
                0x1.d6db2c4e09162p-37, -0x1.7da4e1f79955cp-42, 0x1.355871d652e9ep-47,
                -0x1.f57d968caacf1p-53, 0x1.967e1f09c376fp-58, -0x1.497d9033a2b5cp-63);
  const R tail = plus(number<R>(0.5), number<R>((s * inv) * m));
  const R less = sum_of<R>(s, -1.0);
  if (direct) {
    const R rest = plus(over(number<R>(1.0), less), over(tail, w));
    return {negated(times(l, less)), rest};
  }
  const bool whole = head(w) < to;  // what is left would add nothing
  const R rest = plus(over(w, less), tail);
  return {negated(times(l, s)), whole ? sum : plus(sum, times(power, rest))};
}

/// The sum of two, relative to the greater of them. Nothing is left of the first where it is 0.
template <class R>
TANDEM_FN Parts<R> joined(Parts<R> a, Parts<R> b) {
  const bool first = (head(a.e) > head(b.e)) & (head(a.sum) != 0.0);
  const Parts<R> great = first ? a : b, small = first ? b : a;
  const R t = plus(small.e, negated(great.e));
  const bool gone = !(head(t) > -500.0) | (head(small.sum) == 0.0);
  const Scaled<R> p = exp_of(gone ? number<R>(-500.0) : t);
  const R less = times(small.sum, scaled(p.m, f64::pow2(p.n)));
  return {great.e, gone ? great.sum : plus(great.sum, less)};
}

/// zeta(s, q), where both have a meaning, times exp(extra) factor. odd: whether an integer s is.
template <class R>
TANDEM_FN double finite(double s, bool odd, double q, R extra, R factor) {
  const double t = s < 0x1p120 ? s : 0x1p120;
  const double up = ceil_(q);
  Parts<R> all = {number<R>(0.0), number<R>(0.0)};
  for (int k = 0; k < (q > 0.0 ? 1 : 3); ++k) {
    // q; or q - floor(q), ceil(q) - q and 1 - q, the second with s's sign, the third against it.
    const double of = k == 0 ? q : -q;
    const double offset = k == 2 ? 1.0 : (k == 1 ? up : (q > 0.0 ? 0.0 : 1.0 - up));
    Parts<R> p = parts(t, sum_of<R>(of, offset));
    p.sum = k != 0 && (k == 1) == odd ? negated(p.sum) : p.sum;
    all = k == 0 ? p : joined(all, p);
  }
  R e = plus(all.e, extra);
  e = head(e) < -2000.0 ? number<R>(-2000.0) : e;
  e = head(e) > 2000.0 ? number<R>(2000.0) : e;
  const Scaled<R> p = exp_of(e);
  return finished(times(times(p.m, all.sum), factor), p.n);
}

/// The ends as PyTorch has them; 0 at an infinite q.
template <class R>
TANDEM_FN double zeta(double s, double q) {
  const double nan = f64::nan(), inf = f64::inf();
  if (!(s >= 1.0) || q != q) return nan;
  if (s == 1.0) return inf;
  if (q <= 0.0) {
    if (q == floor_(q)) return inf;
    if (s != floor_(s) || s == inf) return nan;
  }
  if (q == inf) return 0.0;
  return finite<R>(s, rint_(s * 0.5) != s * 0.5, q, number<R>(0.0), number<R>(1.0));
}

/// (-1)^(n + 1) n! zeta(n + 1, x) for an integer n >= 1.
template <class R>
TANDEM_FN double polygamma(double n, double x) {
  const bool odd = rint_(n * 0.5) != n * 0.5;
  const double sign = odd ? 1.0 : -1.0;
  if (x != x) return x;
  if ((x <= 0.0) & (x == floor_(x))) return sign * f64::inf();
  if ((x == f64::inf()) | (n == f64::inf()))
    return x == n ? f64::nan() : (x < n ? sign * n : sign * 0.0);
  // Far beyond, only the quotient of n and x counts.
  const bool beyond = n > 0x1p100;
  const double order = beyond ? 0x1p100 : n;
  const double near = x * (0x1p100 / n);
  const double at = beyond & (x > 0.0) ? (near > 0x1p-1000 ? near : 0x1p-1000) : x;
  const gamma_inc::Gamma<R> g = gamma_inc::gamma_of_next<R>(order);
  return sign * finite<R>(order + 1.0, !odd, at, g.e, g.f);
}

}  // namespace hurwitz

/// The sum of (q + k)^-s over k = 0, 1, ...
TANDEM_FN double zeta(double s, double q) { return hurwitz::zeta<f64::Dd>(s, q); }
TANDEM_FN float zeta(float s, float q) {
  return static_cast<float>(hurwitz::zeta<double>(double(s), double(q)));
}

/// The derivative of digamma of order n = 0, 1, ... (a fraction is cut off); NaN for n below 0.
TANDEM_FN double digamma_derivative(double x, double n) {
  if (!(n >= 0.0)) return f64::nan();
  return n >= 1.0 ? hurwitz::polygamma<f64::Dd>(floor_(n), x) : digamma(x);
}
TANDEM_FN float digamma_derivative(float x, float n) {
  if (!(n >= 0.0f)) return f32::nan_f32();
  if (n < 1.0f) return digamma(x);
  return static_cast<float>(hurwitz::polygamma<double>(double(floor_(n)), double(x)));
}

}  // namespace tandem::fn
