// float64 asin, acos, atan, atan2, hypot. asin and acos by a minimax polynomial up to 1/2 and
// asin(x) = pi/2 - 2 asin(sqrt((1-x)/2)) beyond; atan by an addition formula on five intervals.
#pragma once

#include "f64_core.h"

namespace tandem::fn {

namespace f64 {

inline constexpr Dd kHalfPi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
inline constexpr Dd kPi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};

/// (asin(s) - s) / s^3 for z = s^2 <= 1/4.
TANDEM_FN double asin_poly(double z) {
  return poly(z, 0x1.5555555555578p-3, 0x1.333333332df89p-4, 0x1.6db6db722597ep-5,
              0x1.f1c71a8de9ca6p-6, 0x1.6e8bdfa2a230bp-6, 0x1.1c49e2f8eb35dp-6,
              0x1.ca20c8d817910p-7, 0x1.757ba0e47696cp-7, 0x1.61732c866469ep-7,
              0x1.e2c95c3f5c392p-9, 0x1.648fa70283928p-6, -0x1.59508b1e45a64p-6,
              0x1.0baf3d05ab895p-5);
}

/// asin(s) = hi + lo for s = |x| up to 1/2, else for s = sqrt((1-|x|)/2), half of acos(|x|).
TANDEM_FN Dd asin_kernel(double ax, bool big) {
  const double half = fma(-0.5, ax, 0.5);  // exact
  const Dd root = sqrt_dd({half, 0.0});
  const double z = big ? half : ax * ax;
  const double s = big ? root.hi : ax;
  const double sl = big ? root.lo : 0.0;
  return fast_two_sum(s, fma(s * z, asin_poly(z), sl));
}

/// atan(y/x) = hi + lo for y, x >= 0, not both 0, x and y finite and away from overflow.
/// atan(t) = atan(c) + atan((t-c)/(1+ct)) with c of 0, 1/2, 1, 3/2, inf.
TANDEM_FN Dd atan_kernel(double y, double x) {
  const bool a1 = y > 0.4375 * x, a2 = y > 0.6875 * x, a3 = y > 1.1875 * x, a4 = y > 2.4375 * x;
  double c = a1 ? 0.5 : 0.0;
  c = a2 ? 1.0 : c;
  c = a3 ? 1.5 : c;
  double base = a1 ? 0x1.dac670561bb4fp-2 : 0.0, base_lo = a1 ? 0x1.a2b7f222f65e2p-56 : 0.0;
  base = a2 ? 0x1.921fb54442d18p-1 : base, base_lo = a2 ? 0x1.1a62633145c07p-55 : base_lo;
  base = a3 ? 0x1.f730bd281f69bp-1 : base, base_lo = a3 ? 0x1.007887af0cbbdp-56 : base_lo;
  base = a4 ? kHalfPi.hi : base, base_lo = a4 ? kHalfPi.lo : base_lo;
  const double num = a4 ? -x : fma(-c, x, y);
  const double den = a4 ? y : fma(c, y, x);
  const double t = num / den;
  const double z = t * t;
  const double p = poly(z, -0x1.5555555555552p-2, 0x1.9999999998fdfp-3, -0x1.2492492445d9dp-3,
                        0x1.c71c71a168a39p-4, -0x1.745d11cff04e2p-4, 0x1.3b132fee1c645p-4,
                        -0x1.11090da0969dcp-4, 0x1.e133144b0023bp-5, -0x1.a9fde90f745fcp-5,
                        0x1.6b26bd9221f87p-5, -0x1.0575acab81c9ap-5, 0x1.c0aee6e309654p-7);
  const Dd s = fast_two_sum(base, t);
  return {s.hi, s.lo + fma(t * z, p, base_lo)};
}

}  // namespace f64

TANDEM_FN double asin(double x) {
  const double ax = abs_bits(x);
  const bool big = ax > 0.5;
  const f64::Dd a = f64::asin_kernel(ax, big);
  const f64::Dd d = f64::fast_two_sum(f64::kHalfPi.hi, -2.0 * a.hi);
  const double far = d.hi + (d.lo + fma(-2.0, a.lo, f64::kHalfPi.lo));
  return copysign_(big ? far : a.hi + a.lo, x);
}

TANDEM_FN double acos(double x) {
  const double ax = abs_bits(x);
  const bool big = ax > 0.5, neg = x < 0.0;
  const f64::Dd a = f64::asin_kernel(ax, big);
  // 2a or pi - 2a near the ends, else pi/2 -+ a.
  const double base = big ? (neg ? f64::kPi.hi : 0.0) : f64::kHalfPi.hi;
  const double base_lo = big ? (neg ? f64::kPi.lo : 0.0) : f64::kHalfPi.lo;
  const double one_two = big ? 2.0 : 1.0;
  const double turn = big == neg ? -one_two : one_two;
  const f64::Dd d = f64::fast_two_sum(base, turn * a.hi);
  return d.hi + (d.lo + fma(turn, a.lo, base_lo));
}

TANDEM_FN double atan(double x) {
  const double ax = abs_bits(x);
  // Above 2^60 the angle is pi/2 to the last place; the clamp keeps infinity out of the kernel.
  const f64::Dd a = f64::atan_kernel(ax > 0x1p60 ? 0x1p60 : ax, 1.0);
  return copysign_(a.hi + a.lo, x);
}

/// The angle of (x, y), with C's values at zeros and infinities.
TANDEM_FN double atan2(double y, double x) {
  double ay = abs_bits(y), ax = abs_bits(x);
  const double inf = f64::inf();
  const bool yi = ay == inf, xi = ax == inf;
  const bool either = yi || xi;
  const double yf = yi ? 1.0 : 0.0, xf = xi ? 1.0 : 0.0;
  const bool nan = y != y || x != x;
  ay = either ? yf : ay;
  ax = either ? xf : ax;
  ax = ax + ay == 0.0 ? 1.0 : ax;
  const double top = ax > ay ? ax : ay;
  double f = top > 0x1p1000 ? 0x1p-100 : 1.0;
  f = top < 0x1p-900 ? 0x1p100 : f;
  const f64::Dd a = f64::atan_kernel(ay * f, ax * f);
  const f64::Dd back = f64::fast_two_sum(f64::kPi.hi, -a.hi);
  const bool left = (to_bits(x) >> 63) != 0u;
  const double r = left ? back.hi + (back.lo + (f64::kPi.lo - a.lo)) : a.hi + a.lo;
  return nan ? f64::nan() : copysign_(r, y);
}

/// sqrt(x^2 + y^2) without overflow on the way; infinity wins over NaN.
TANDEM_FN double hypot(double x, double y) {
  const double ax = abs_bits(x), ay = abs_bits(y);
  const double big = ax > ay ? ax : ay, small = ax > ay ? ay : ax;
  double f = big > 0x1p500 ? 0x1p-600 : 1.0;
  f = big < 0x1p-400 ? 0x1p600 : f;
  double back = big > 0x1p500 ? 0x1p600 : 1.0;
  back = big < 0x1p-400 ? 0x1p-600 : back;
  const f64::Dd a = f64::two_prod(big * f, big * f);
  const f64::Dd b = f64::two_prod(small * f, small * f);
  const f64::Dd s = f64::fast_two_sum(a.hi, b.hi);
  const f64::Dd r = f64::sqrt_dd({s.hi, s.lo + (a.lo + b.lo)});
  const double h = (r.hi + r.lo) * back;
  return ax == f64::inf() || ay == f64::inf() ? f64::inf() : h;
}

}  // namespace tandem::fn
