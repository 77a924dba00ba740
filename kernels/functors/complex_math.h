// Arithmetic and elementary functions of Complex<T>. Sums and products are in T, the product by the
// plain formula, each operation rounded. Everything else is computed in double and, for Complex64,
// rounded once: then a complex64 result is right to the last place or so wherever a double is.
// Branch cuts and special values: C99, Annex G. Formulas: Kahan, "Branch cuts for complex
// elementary functions", 1987, whose arc functions add only terms of one sign; the rest is chosen
// the same way, so that both parts keep their relative accuracy.
#pragma once

#include "atrig_f64.h"
#include "exp_f64.h"
#include "hyperbolic_f64.h"
#include "log_f64.h"
#include "pow_f64.h"
#include "trig_f64.h"

namespace tandem {

template <class T>
TANDEM_FN Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
TANDEM_FN Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
TANDEM_FN Complex<T> operator-(Complex<T> a) {
  return {-a.re, -a.im};
}
/// A value that the compiler takes as it is. g++ makes a fused vfmaddsub of "a*b - c*d beside a*d +
/// c*b" even under -ffp-contract=off, which has other bits; products behind this are not seen by
/// it.
template <class T>
TANDEM_FN T rounded(T x) {
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
  return __builtin_assoc_barrier(x);
#else
  return x;
#endif
}
/// Four products and two sums, each rounded: no scaling, no repair of infinities.
template <class T>
TANDEM_FN Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {rounded(a.re * b.re) - rounded(a.im * b.im), rounded(a.re * b.im) + rounded(a.im * b.re)};
}
template <class T>
TANDEM_FN bool operator==(Complex<T> a, Complex<T> b) {
  return (a.re == b.re) & (a.im == b.im);
}
template <class T>
TANDEM_FN bool operator!=(Complex<T> a, Complex<T> b) {
  return !(a == b);
}

namespace fn {

namespace cx {

/// a b + c d with one rounding's error or so however much the terms cancel (Kahan).
TANDEM_FN double dot(double a, double b, double c, double d) {
  const double p = c * d;
  return fma(a, b, p) + fma(c, d, -p);
}
TANDEM_FN double larger(double a, double b) { return a > b ? a : b; }
TANDEM_FN bool negative(double x) { return (to_bits(x) >> 63) != 0u; }
TANDEM_FN bool finite(double x) { return abs_bits(x) < f64::inf(); }
TANDEM_FN bool infinite(double x) { return abs_bits(x) == f64::inf(); }
/// An infinity becomes 1, all else 0, with the sign kept.
TANDEM_FN double boxed(double x) { return copysign_(infinite(x) ? 1.0 : 0.0, x); }
/// A select in integer operations: repeated selects on one condition tempt g++ to thread jumps
/// through them, and the loop is not vectorised any more.
TANDEM_FN double choose(bool c, double a, double b) {
  const std::uint64_t mask = std::uint64_t(0) - static_cast<std::uint64_t>(c);
  return from_bits((to_bits(a) & mask) | (to_bits(b) & ~mask));
}
/// A power of two that brings a number of size m to between 2^-500 and 2^500.
TANDEM_FN double tame(double m) {
  const double f = m > 0x1p500 ? 0x1p-600 : 1.0;
  return m < 0x1p-500 ? 0x1p600 : f;
}

TANDEM_FN Complex128 divide(Complex128 x, Complex128 y) {
  const bool x_inf = infinite(x.re) | infinite(x.im), y_inf = infinite(y.re) | infinite(y.im);
  const double a0 = x_inf ? boxed(x.re) : x.re, b0 = x_inf ? boxed(x.im) : x.im;
  const double c0 = y_inf ? boxed(y.re) : y.re, d0 = y_inf ? boxed(y.im) : y.im;
  const double fx = tame(larger(abs_bits(a0), abs_bits(b0)));
  const double fy = tame(larger(abs_bits(c0), abs_bits(d0)));
  const double a = a0 * fx, b = b0 * fx, c = c0 * fy, d = d0 * fy;
  const double den = dot(c, c, d, d);
  const double re = dot(a, c, b, d) / den, im = dot(b, c, -a, d) / den;
  // Times fy / fx; where both were scaled alike the factors cancel.
  const double g = fx == fy ? 1.0 : fy;
  const double h = fx == fy ? 1.0 : 1.0 / fx;
  Complex128 r = {re * g * h, im * g * h};
  // Infinite over finite is infinite, finite over infinite is zero, both is NaN.
  const double end = x_inf ? (y_inf ? f64::nan() : f64::inf()) : 0.0;
  r.re = (x_inf | y_inf) ? r.re * end : r.re;
  r.im = (x_inf | y_inf) ? r.im * end : r.im;
  const bool by_zero = (y.re == 0.0) & (y.im == 0.0);
  return {by_zero ? x.re / y.re : r.re, by_zero ? x.im / y.re : r.im};
}

/// sin and cos of y + yl, yl at most a place of y.
template <bool Fast = false>
TANDEM_FN void sin_cos(double y, double yl, double& s, double& c) {
  f64::Angle a = Fast ? f64::reduce_fast(y) : f64::reduce(y);
  const f64::Dd t = f64::two_sum(a.hi, a.lo + yl);
  a.hi = t.hi, a.lo = t.lo;
  s = f64::or_tiny(y, f64::sin_of(a, 0));
  c = f64::sin_of(a, 1);
}

// Beyond 695 exp is taken at x - 695 (exact), and the result multiplied by e^695 last of all, so
// that exp(x) cos(y) overflows only if the product does.
inline constexpr double kExpSplit = 695.0;
inline constexpr double kExpFactor = 0x1.982d7b3212b2cp+1002;

/// exp(x + i(y + yl)) given e f = exp(x).
TANDEM_FN Complex128 polar(double e, double f, double s, double c, double x, double y) {
  double re = e * c * f, im = e * s * f;
  const bool wild = !finite(y);
  re = (wild & (x == -f64::inf())) ? 0.0 : re;
  im = (wild & (x == -f64::inf())) ? 0.0 : im;
  re = (wild & (x == f64::inf())) ? x : re;
  return {y == 0.0 ? e * f : re, y == 0.0 ? y : im};
}

/// sinh x = s f, cosh x = c f.
struct Hyperbolic {
  double s, c, f;
};
TANDEM_FN Hyperbolic sinh_cosh(double x) {
  const double a = abs_bits(x);
  const bool far = a > kExpSplit;
  const double e = 0.5 * exp(far ? a - kExpSplit : 0.0);
  const double near = far ? 0.0 : x;
  return {far ? copysign_(e, x) : sinh(near), far ? e : cosh(near), far ? kExpFactor : 1.0};
}

/// log|x + iy|, good also near |z| = 1, where it is small.
TANDEM_FN double log_abs(double x, double y) {
  const double ax = abs_bits(x), ay = abs_bits(y);
  const double big = ax > ay ? ax : ay, small = ax > ay ? ay : ax;
  const f64::LogParts p = f64::log_parts(big);
  const std::uint64_t minus_k = to_bits(f64::kMagic - p.k) - f64::kMagicBits;
  const f64::Dd m = f64::two_prod(p.m, p.m);
  const double n = f64::scale(small, minus_k);
  const f64::Dd q = f64::two_prod(n, n);
  const f64::Dd s = f64::two_sum(m.hi, -1.0);
  const f64::Dd t = f64::two_sum(s.hi, q.hi);
  const f64::Dd w = f64::two_sum(t.hi, (s.lo + t.lo) + (m.lo + q.lo));
  double r = 0.5 * f64::log1p_dd(w.hi, w.lo, p.k + p.k);
  r = big == 0.0 ? -f64::inf() : r;
  r = ((x != x) | (y != y)) ? f64::nan() : r;
  return (infinite(x) | infinite(y)) ? f64::inf() : r;
}

TANDEM_FN Complex128 times_i(Complex128 z) { return {-z.im, z.re}; }
TANDEM_FN Complex128 over_i(Complex128 z) { return {z.im, -z.re}; }

}  // namespace cx
}  // namespace fn

TANDEM_FN Complex128 operator/(Complex128 x, Complex128 y) { return fn::cx::divide(x, y); }
TANDEM_FN Complex64 operator/(Complex64 x, Complex64 y) {
  return fn::cast<Complex64>(fn::cx::divide(fn::cast<Complex128>(x), fn::cast<Complex128>(y)));
}

namespace fn {

template <class T>
TANDEM_FN Complex<T> conj(Complex<T> z) {
  return {z.re, -z.im};
}
template <class T>
TANDEM_FN Complex<T> square(Complex<T> z) {
  return z * z;
}
TANDEM_FN double abs(Complex128 z) { return hypot(z.re, z.im); }
TANDEM_FN float abs(Complex64 z) { return static_cast<float>(abs(cast<Complex128>(z))); }

// ---- roots and reciprocals

TANDEM_FN Complex128 reciprocal(Complex128 z) { return Complex128{1.0, 0.0} / z; }

TANDEM_FN Complex128 sqrt(Complex128 z) {
  const double ax = abs_bits(z.re), ay = abs_bits(z.im);
  const double m = cx::larger(ax, ay);
  const bool big = m > 0x1p1000, small = m < 0x1p-900;
  double f = big ? 0x1p-100 : 1.0, back = big ? 0x1p50 : 1.0;
  f = small ? 0x1p200 : f, back = small ? 0x1p-100 : back;
  const double a = ax * f, b = ay * f;
  const double t = sqrt_rn(0.5 * (a + hypot(a, b)));
  const double o = b / (t == 0.0 ? 1.0 : t + t);
  const bool left = cx::negative(z.re), up = cx::infinite(z.im);
  const double re = (left ? o : t) * back, im = (left ? t : o) * back;
  return {up ? ay : re, copysign_(up ? ay : im, z.im)};
}

TANDEM_FN Complex128 rsqrt(Complex128 z) { return reciprocal(sqrt(z)); }

// ---- exponentials and logarithms

TANDEM_FN Complex128 exp(Complex128 z) {
  double s, c;
  cx::sin_cos(z.im, 0.0, s, c);
  const bool far = z.re > cx::kExpSplit;
  const double e = exp(far ? z.re - cx::kExpSplit : z.re);
  return cx::polar(e, far ? cx::kExpFactor : 1.0, s, c, z.re, z.im);
}

TANDEM_FN Complex128 exp2(Complex128 z) {
  const f64::Dd y = f64::two_prod(z.im, f64::kLn2);
  const bool plain = cx::finite(z.im);
  double s, c;
  cx::sin_cos(y.hi, plain ? fma(z.im, f64::kLn2Lo, y.lo) : 0.0, s, c);
  const bool far = z.re > 1000.0;
  const double e = exp2(far ? z.re - 1000.0 : z.re);
  return cx::polar(e, far ? 0x1p1000 : 1.0, s, c, z.re, z.im);
}

/// exp(z) - 1 = expm1(x) cos y - 2 sin^2(y/2) + i exp(x) sin y.
TANDEM_FN Complex128 expm1(Complex128 z) {
  double s, c, hs, hc;
  cx::sin_cos(z.im, 0.0, s, c);
  cx::sin_cos(0.5 * z.im, 0.0, hs, hc);
  const Complex128 e = exp(z);
  const double near = cx::dot(expm1(z.re), c, -2.0 * hs, hs);
  const bool far = !(z.re < 40.0) | !cx::finite(z.im);
  const double real = z.im == 0.0 ? expm1(z.re) : near;
  return {(far & (z.im != 0.0)) ? e.re - 1.0 : real, e.im};
}

TANDEM_FN Complex128 log(Complex128 z) { return {cx::log_abs(z.re, z.im), atan2(z.im, z.re)}; }

TANDEM_FN Complex128 log2(Complex128 z) {
  const Complex128 l = log(z);
  return {l.re * 0x1.71547652b82fep+0, l.im * 0x1.71547652b82fep+0};
}
TANDEM_FN Complex128 log10(Complex128 z) {
  const Complex128 l = log(z);
  return {l.re * 0x1.bcb7b1526e50ep-2, l.im * 0x1.bcb7b1526e50ep-2};
}

/// log(1 + z): |1+z|^2 - 1 = 2x + x^2 + y^2 in two doubles where that is neither near -1 nor huge.
TANDEM_FN Complex128 log1p(Complex128 z) {
  const double x1 = 1.0 + z.re;
  const bool fits = cx::larger(abs_bits(z.re), abs_bits(z.im)) < 0x1p60;
  const double x = fits ? z.re : 0.0, y = fits ? z.im : 0.0;
  const f64::Dd p = f64::two_prod(x, x), q = f64::two_prod(y, y);
  const f64::Dd s = f64::two_sum(2.0 * x, p.hi);
  const f64::Dd t = f64::two_sum(s.hi, q.hi);
  const f64::Dd w = f64::two_sum(t.hi, (s.lo + t.lo) + (p.lo + q.lo));
  const bool direct = fits & (w.hi > -0.5);
  const double near = 0.5 * f64::log1p_dd(direct ? w.hi : 0.0, direct ? w.lo : 0.0, 0.0);
  return {direct ? near : cx::log_abs(x1, z.im), atan2(z.im, x1)};
}

/// exp(w log z); 0 to a power with positive real part is 0, z to the 0 is 1.
TANDEM_FN Complex128 pow(Complex128 z, Complex128 w) {
  const Complex128 l = log(z);
  const bool real = w.im == 0.0;  // then an infinite logarithm does no harm
  const Complex128 e = exp(Complex128{real ? w.re * l.re : cx::dot(w.re, l.re, -w.im, l.im),
                                      real ? w.re * l.im : cx::dot(w.re, l.im, w.im, l.re)});
  const bool zero = (z.re == 0.0) & (z.im == 0.0), one = (w.re == 0.0) & (w.im == 0.0);
  const double at_zero = w.re > 0.0 ? 0.0 : f64::nan();
  const double re = zero ? at_zero : e.re, im = zero ? at_zero : e.im;
  return {one ? 1.0 : re, one ? 0.0 : im};
}

// ---- hyperbolic functions

namespace cx {

template <bool Fast = false>
TANDEM_FN Complex128 sinh(Complex128 z) {
  const Hyperbolic h = sinh_cosh(z.re);
  double s, c;
  sin_cos<Fast>(z.im, 0.0, s, c);
  double re = h.s * c * h.f, im = h.c * s * h.f;
  const bool wild = !finite(z.im);
  re = (wild & ((z.re == 0.0) | infinite(z.re))) ? z.re : re;
  re = z.im == 0.0 ? h.s * h.f : re;
  return {re, z.im == 0.0 ? z.im : im};
}

template <bool Fast = false>
TANDEM_FN Complex128 cosh(Complex128 z) {
  const Hyperbolic h = sinh_cosh(z.re);
  double s, c;
  sin_cos<Fast>(z.im, 0.0, s, c);
  double re = h.c * c * h.f, im = h.s * s * h.f;
  const bool wild = !finite(z.im);
  re = (wild & infinite(z.re)) ? f64::inf() : re;
  im = (wild & (z.re == 0.0)) ? 0.0 : im;
  re = z.im == 0.0 ? h.c * h.f : re;
  const double real_line = negative(z.re) ? -z.im : z.im;
  return {re, z.im == 0.0 ? real_line : im};
}

/// (sinh x cosh x + i sin y cos y) / (sinh^2 x + cos^2 y); beyond 22 the first part is 1.
template <bool Fast = false>
TANDEM_FN Complex128 tanh(Complex128 z) {
  const double a = abs_bits(z.re);
  const bool far = a > 22.0;
  const double x = far ? 0.0 : z.re;
  double s, c;
  sin_cos<Fast>(z.im, 0.0, s, c);
  const double sh = fn::sinh(x), ch = fn::cosh(x);
  const double den = fma(sh, sh, c * c);
  const double decay = 4.0 * fn::exp(-2.0 * (far ? a : 22.0));
  double re = far ? copysign_(1.0, z.re) : sh * ch / den;
  double im = far ? s * c * decay : s * c / den;
  const bool wild = !finite(z.im);
  im = (wild & (a == f64::inf())) ? 0.0 : im;
  re = (wild & (a < f64::inf())) ? f64::nan() : re;
  re = (wild & (a == 0.0)) ? z.re : re;
  return {re, z.im == 0.0 ? z.im : im};
}

}  // namespace cx

TANDEM_FN Complex128 sinh(Complex128 z) { return cx::sinh(z); }
TANDEM_FN Complex128 cosh(Complex128 z) { return cx::cosh(z); }
TANDEM_FN Complex128 tanh(Complex128 z) { return cx::tanh(z); }

// ---- inverse functions

namespace cx {

/// asinh(v), or for a far z log(2|z|), which asinh(|z|) is there; the scale keeps |z| finite.
TANDEM_FN double asinh_or_far(bool far, double v, double x, double y) {
  const double h = fn::hypot(choose(far, x * 0x1p-10, 0.0), choose(far, y * 0x1p-10, 0.0));
  const double r = fn::asinh(choose(far, h, v));
  return far ? r + 10.0 * f64::kLn2 : r;
}

/// asin of x + iy for x, y >= 0.
TANDEM_FN Complex128 asin_quadrant(double x, double y) {
  const bool far = (x > 0x1p60) | (y > 0x1p60);
  const double a = cx::choose(far, 0.0, x), b = choose(far, 0.0, y);
  const Complex128 p = fn::sqrt(Complex128{1.0 - a, -b});
  const Complex128 q = fn::sqrt(Complex128{1.0 + a, b});
  const double across = fma(p.re, q.re, -(p.im * q.im));
  return {fn::atan2(x, choose(far, y, across)),
          asinh_or_far(far, fma(p.re, q.im, -(p.im * q.re)), x, y)};
}

/// atanh of x + iy for x, y >= 0: log1p(4x / |1-z|^2) / 4, far out x / |z|^2.
TANDEM_FN Complex128 atanh_quadrant(double x, double y) {
  const bool far = (x > 0x1p60) | (y > 0x1p60);
  const double a = cx::choose(far, 0.0, x), b = choose(far, 0.0, y);
  const double less = 1.0 - a;
  const double m = far ? larger(x, y) : 1.0;
  const double u = x / m, v = y / m;
  const double den = far ? fma(u, u, v * v) : fma(less, less, b * b);
  const double q = (choose(far, u, 4.0 * a)) / den;
  // At the pole b^2 may be 0: log(2/b) / 2 from the root of 2/b.
  const bool pole = (less == 0.0) & (b < 0x1p-108);
  const double l = fn::log1p(pole ? 0x1.6a09e667f3bcdp+0 / sqrt_rn(b) : (choose(far, 0.0, q)));
  const double re = pole ? l : 0.25 * l;
  const double tail = (infinite(x) | infinite(y)) ? 0.0 : q / m;
  const double im = 0.5 * fn::atan2(2.0 * b, dot(less, 1.0 + a, -b, b));
  const bool lost = ((x != x) & (y != f64::inf())) | (y != y);
  return {choose(far, tail, re), far ? (lost ? f64::nan() : f64::kHalfPi.hi) : im};
}

}  // namespace cx

TANDEM_FN Complex128 asinh(Complex128 z) {
  // asinh(z) = -i asin(iz), by symmetry from the first quadrant.
  const double x = abs_bits(z.re), y = abs_bits(z.im);
  const Complex128 a = cx::asin_quadrant(y, x);
  return {copysign_(a.im, z.re), copysign_(z.im == 0.0 ? 0.0 : a.re, z.im)};
}

TANDEM_FN Complex128 asin(Complex128 z) { return cx::over_i(asinh(cx::times_i(z))); }

TANDEM_FN Complex128 acos(Complex128 z) {
  const double x = abs_bits(z.re), y = abs_bits(z.im);
  const bool far = (x > 0x1p60) | (y > 0x1p60);
  const double a = cx::choose(far, 0.0, z.re), b = cx::choose(far, 0.0, y);
  const Complex128 p = sqrt(Complex128{1.0 - a, -b});
  const Complex128 q = sqrt(Complex128{1.0 + a, b});
  const double t = atan2(cx::choose(far, y, p.re), cx::choose(far, z.re, q.re));
  const double re = cx::choose(far, t, 2.0 * t);
  const double im = cx::asinh_or_far(far, fma(q.im, p.re, -(q.re * p.im)), x, y);
  return {(z.re == 0.0) ? f64::kHalfPi.hi : re, copysign_(im, to_bits(z.im) >> 63 ? 1.0 : -1.0)};
}

TANDEM_FN Complex128 acosh(Complex128 z) {
  const Complex128 a = acos(z);
  return {abs_bits(a.im), copysign_(a.re, z.im)};
}

TANDEM_FN Complex128 atanh(Complex128 z) {
  const Complex128 a = cx::atanh_quadrant(abs_bits(z.re), abs_bits(z.im));
  return {copysign_(z.re == 0.0 ? 0.0 : a.re, z.re), copysign_(a.im, z.im)};
}

TANDEM_FN Complex128 atan(Complex128 z) { return cx::over_i(atanh(cx::times_i(z))); }

/// exp(z/2) / (2 cosh(z/2)), which cancels nowhere; beyond 40 the first two terms of the series.
TANDEM_FN Complex128 sigmoid(Complex128 z) {
  const bool far = abs_bits(z.re) > 40.0;
  const Complex128 h = {far ? 0.0 : 0.5 * z.re, far ? 0.0 : 0.5 * z.im};
  const Complex128 c = cosh(h);
  const Complex128 near = exp(h) / Complex128{2.0 * c.re, 2.0 * c.im};
  const Complex128 e = exp(Complex128{-abs_bits(z.re), cx::negative(z.re) ? z.im : -z.im});
  const bool left = cx::negative(z.re);
  const Complex128 end = {left ? e.re : 1.0 - e.re, left ? e.im : -e.im};
  const double im = far ? end.im : near.im;
  return {far ? end.re : near.re, z.im == 0.0 ? z.im : im};
}

// ---- sin, cos, tan, with the fast part that a host loop may use for a block of small arguments

namespace cx {
template <bool Fast>
TANDEM_FN Complex128 sin(Complex128 z) {
  return over_i(sinh<Fast>(times_i(z)));
}
template <bool Fast>
TANDEM_FN Complex128 cos(Complex128 z) {
  return cosh<Fast>(times_i(z));
}
template <bool Fast>
TANDEM_FN Complex128 tan(Complex128 z) {
  return over_i(tanh<Fast>(times_i(z)));
}
}  // namespace cx

TANDEM_FN bool sin_needs_slow(Complex128 z) { return f64::needs_slow(z.re); }
TANDEM_FN bool cos_needs_slow(Complex128 z) { return f64::needs_slow(z.re); }
TANDEM_FN bool tan_needs_slow(Complex128 z) { return f64::needs_slow(z.re); }
TANDEM_FN bool sin_needs_slow(Complex64 z) { return f64::needs_slow(z.re); }
TANDEM_FN bool cos_needs_slow(Complex64 z) { return f64::needs_slow(z.re); }
TANDEM_FN bool tan_needs_slow(Complex64 z) { return f64::needs_slow(z.re); }
TANDEM_FN Complex128 sin_fast(Complex128 z) { return cx::sin<true>(z); }
TANDEM_FN Complex128 cos_fast(Complex128 z) { return cx::cos<true>(z); }
TANDEM_FN Complex128 tan_fast(Complex128 z) { return cx::tan<true>(z); }
TANDEM_FN Complex128 sin(Complex128 z) { return cx::sin<false>(z); }
TANDEM_FN Complex128 cos(Complex128 z) { return cx::cos<false>(z); }
TANDEM_FN Complex128 tan(Complex128 z) { return cx::tan<false>(z); }

// ---- Complex64

#define TANDEM_COMPLEX64(name) \
  TANDEM_FN Complex64 name(Complex64 z) { return cast<Complex64>(name(cast<Complex128>(z))); }
TANDEM_COMPLEX64(reciprocal)
TANDEM_COMPLEX64(sqrt)
TANDEM_COMPLEX64(rsqrt)
TANDEM_COMPLEX64(exp)
TANDEM_COMPLEX64(exp2)
TANDEM_COMPLEX64(expm1)
TANDEM_COMPLEX64(log)
TANDEM_COMPLEX64(log2)
TANDEM_COMPLEX64(log10)
TANDEM_COMPLEX64(log1p)
TANDEM_COMPLEX64(sinh)
TANDEM_COMPLEX64(cosh)
TANDEM_COMPLEX64(tanh)
TANDEM_COMPLEX64(asinh)
TANDEM_COMPLEX64(acosh)
TANDEM_COMPLEX64(atanh)
TANDEM_COMPLEX64(sin)
TANDEM_COMPLEX64(cos)
TANDEM_COMPLEX64(tan)
TANDEM_COMPLEX64(sin_fast)
TANDEM_COMPLEX64(cos_fast)
TANDEM_COMPLEX64(tan_fast)
TANDEM_COMPLEX64(asin)
TANDEM_COMPLEX64(acos)
TANDEM_COMPLEX64(atan)
TANDEM_COMPLEX64(sigmoid)
#undef TANDEM_COMPLEX64
TANDEM_FN Complex64 pow(Complex64 z, Complex64 w) {
  return cast<Complex64>(pow(cast<Complex128>(z), cast<Complex128>(w)));
}

}  // namespace fn
}  // namespace tandem
