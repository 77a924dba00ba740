// float32 erfc, erfinv, i0, logaddexp, logit, sinc, xlogy and their kin, ldexp: computed in double,
// where products of two floats are exact and short polynomials do, and rounded once.
#pragma once

#include "exp_f32.h"
#include "special_f64.h"

namespace tandem::fn {

namespace f32 {

/// exp(x) to 2^-34, |x| < 700.
TANDEM_FN double exp_short(double x) {
  std::uint64_t n;
  const double r = f64::exp_reduce(x, n).hi;
  const double p = f64::poly(r, 1.0, 1.0, 0x1.0000000000000p-1, 0x1.5555555555555p-3,
                             0x1.5555555555555p-5, 0x1.1111111111111p-7, 0x1.6c16c16c16c17p-10,
                             0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-16);
  return p * f64::pow2(n);
}

/// log(1 + f) to a relative 2^-34 for 1 + f in [sqrt 1/2, sqrt 2): the series of 2 atanh(s).
TANDEM_FN double log_series(double f) {
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double p = f64::poly(z, 2.0, 0x1.5555555555555p-1, 0x1.999999999999ap-2,
                             0x1.2492492492492p-2, 0x1.c71c71c71c71cp-3, 0x1.745d1745d1746p-3);
  return s * p;
}

/// log(x) for positive normal x.
TANDEM_FN double log_short(double x) {
  const f64::LogParts p = f64::log_parts(x);
  return fma(p.k, f64::kLn2, log_series(p.m - 1.0));
}

/// exp(r) to 2^-42, |r| at most ln2 / 2.
TANDEM_FN double exp_within(double r) {
  return f64::poly(r, 1.0, 1.0, 0x1.0000000000000p-1, 0x1.5555555555555p-3, 0x1.5555555555555p-5,
                   0x1.1111111111111p-7, 0x1.6c16c16c16c17p-10, 0x1.a01a01a01a01ap-13,
                   0x1.a01a01a01a01ap-16, 0x1.71de3a556c734p-19, 0x1.27e4fb7789f5cp-22);
}

/// log(1 + e) - (upper ? ln2 : 0) to a relative 2^-43, e in [0, 1]: the series of 2 atanh(s), of
/// (1 + e) / 2 in the upper part.
TANDEM_FN double log1p_within(double e, bool& upper) {
  upper = e > 0x1.a827999fcef32p-2;  // sqrt(2) - 1
  const double s = (upper ? e - 1.0 : e) / (upper ? e + 3.0 : e + 2.0);
  const double p = f64::poly(s * s, 2.0, 0x1.5555555555555p-1, 0x1.999999999999ap-2,
                             0x1.2492492492492p-2, 0x1.c71c71c71c71cp-3, 0x1.745d1745d1746p-3,
                             0x1.3b13b13b13b14p-3, 0x1.1111111111111p-3);
  return s * p;
}

/// What log() is where x is not a positive finite number.
TANDEM_FN double log_ends(double x, double r) { return f64::log_ends(x, r); }

}  // namespace f32

/// 1 - erf(x).
TANDEM_FN float erfc(float x) {
  using namespace f32;
  const double a = f64::clamp(abs_bits(double(x)), 0.0, 10.6);
  const double t = (a - 3.75) / (a + 3.75);
  const double p = f64::poly(t, 0x1.3ccda0b5a499ap+0, -0x1.1f36745f4d33ap-3, 0x1.d5f2e27b361a6p-9,
                             0x1.5100982c2ae6ap-4, -0x1.bda9e555efe90p-4, 0x1.7a1effed5f43fp-4,
                             -0x1.e0b4ee6d43e70p-5, 0x1.cfdd734671e5dp-6, -0x1.425cbe4cdd78fp-7,
                             0x1.dc8b4a74d065ep-10, 0x1.0695d56c59468p-11, -0x1.aabf8df2cccaep-13);
  const double r = exp_short(-a * a) * p / (1.0 + (a + a));
  return static_cast<float>(x < 0.0f ? 2.0 - r : r);
}

/// The y with erf(y) = x.
TANDEM_FN float erfinv(float x) {
  using namespace f32;
  const double a = abs_bits(double(x));
  const double u = (1.0 - a) * (1.0 + a);
  const double w = -log_ends(u, log_short(u));
  const double s = sqrt_rn(w);
  const double near = f64::poly(
      w, 0x1.c5bf8942a263ap-1, 0x1.db29dc19c2300p-3, 0x1.7a82dc68ac69dp-7, -0x1.32db0b8b265c3p-9,
      -0x1.f064752e2e0eap-14, 0x1.3b1ca26b5ef5dp-15, 0x1.e5ea66c7be0ebp-18, -0x1.86ca067ed6fb0p-19,
      0x1.9b020e11b33b2p-22, -0x1.a06b2256aaa8dp-26, 0x1.57e008b7243d6p-31);
  const double far = f64::poly(s, -0x1.a49184523e7e0p-1, 0x1.877a417a511d2p+2,
                               -0x1.212883a634ef8p+3, 0x1.f2b893b3bb1f9p+2, -0x1.fe26244c8ac6ap+1,
                               0x1.4c9630d0f0478p+0, -0x1.1903e75014f8ap-2, 0x1.2b6e83c7d4506p-5,
                               -0x1.6f13e1d7f6e2fp-9, 0x1.8bd5ace0901c2p-14);
  const double y = double(x) * (w < 6.0 ? near : far);
  return a == 1.0 ? copysign_(inf_f32(), x) : static_cast<float>(y);
}

TANDEM_FN float i0(float x) { return static_cast<float>(i0(double(x))); }

/// Whether what the two below give is the result: its error is 2^-42, which is half a place of
/// 2^-18. Less comes from terms that cancel, or from arguments of that size.
TANDEM_FN bool logaddexp_suffices(float v) { return !(abs_bits(v) < 0x1p-18f); }  // true for NaN

TANDEM_FN bool logaddexp2_suffices(float v) { return logaddexp_suffices(v); }

/// log(exp(x) + exp(y)) where it suffices.
TANDEM_FN float logaddexp_fast(float x, float y) {
  using namespace f32;
  const double m = x > y ? x : y;
  const double d = (x > y ? y : x) - m;
  const bool live = d > -110.0;  // false for NaN, too
  std::uint64_t n;
  const double r = f64::exp_reduce(live ? d : -110.0, n).hi;
  const double e = live ? exp_within(r) * f64::pow2(n) : 0.0;
  bool upper;
  const double l = log1p_within(e, upper);
  const double v = (m + (upper ? f64::kLn2 : 0.0)) + l;
  const float z = static_cast<float>(abs_bits(m) == f64::inf() ? m : v);
  return (x != x) | (y != y) ? x + y : z;
}
/// log2(2^x + 2^y) where it suffices.
TANDEM_FN float logaddexp2_fast(float x, float y) {
  using namespace f32;
  const double m = x > y ? x : y;
  const double d = (x > y ? y : x) - m;
  const bool live = d > -160.0;
  const double t = (live ? d : -160.0) + f64::kMagic;
  const double r = ((live ? d : -160.0) - (t - f64::kMagic)) * f64::kLn2;
  const double e = live ? exp_within(r) * f64::pow2(to_bits(t) - f64::kMagicBits) : 0.0;
  bool upper;
  const double l = log1p_within(e, upper) * f64::kLog2e;
  const double v = (m + (upper ? 1.0 : 0.0)) + l;  // 1 + 1 gives exactly 1
  const float z = static_cast<float>(abs_bits(m) == f64::inf() ? m : v);
  return (x != x) | (y != y) ? x + y : z;
}

TANDEM_FN float logaddexp(float x, float y) {
  const float v = logaddexp_fast(x, y);
  return logaddexp_suffices(v) ? v : static_cast<float>(logaddexp(double(x), double(y)));
}
TANDEM_FN float logaddexp2(float x, float y) {
  const float v = logaddexp2_fast(x, y);
  return logaddexp_suffices(v) ? v : static_cast<float>(logaddexp2(double(x), double(y)));
}

/// log(x / (1 - x)).
TANDEM_FN float logit(float x) {
  using namespace f32;
  const double d = x;
  double r = log_short(d / (1.0 - d));
  r = (d > 0.0) & (d < 1.0) ? r : f64::nan();
  r = d == 0.0 ? -f64::inf() : r;
  return static_cast<float>(d == 1.0 ? f64::inf() : r);
}

/// sin(pi x) / (pi x); 1 at 0.
TANDEM_FN float sinc(float x) {
  const double d = x;
  const double r = sinpi(d) / (d * 0x1.921fb54442d18p+1);
  return static_cast<float>(d == 0.0 ? 1.0 : r);
}

/// x log(y); 0 where x is 0 and y no NaN.
TANDEM_FN float xlogy(float x, float y) {
  const double d = y;
  const double r = double(x) * f32::log_ends(d, f32::log_short(d));
  return (x == 0.0f) & (y == y) ? 0.0f : static_cast<float>(r);
}
/// x log(1 + y), likewise.
TANDEM_FN float xlog1py(float x, float y) {
  const double d = y;
  const double u = 1.0 + d;
  const f64::LogParts p = f64::log_parts(u);
  const double f = p.k == 0.0 ? d : p.m - 1.0;
  const double t = f32::log_series(f);
  const double l = f32::log_ends(u, p.k == 0.0 ? t : fma(p.k, f64::kLn2, t));  // keeps -0
  const double r = double(x) * l;
  return (x == 0.0f) & (y == y) ? 0.0f : static_cast<float>(r);
}

/// x 2^y, rounded once for an integer y.
TANDEM_FN float ldexp(float x, float y) {
  const double c = f64::clamp(double(y), -400.0, 400.0);
  const double n = floor_(c);
  const double f = c - n;
  const double s = f64::pow2(to_bits(n + f64::kMagic) - f64::kMagicBits);
  const double d = f == 0.0 ? double(x) : double(x) * f32::exp_short(f * f64::kLn2);
  double r = d * s;
  const bool edge = (x == 0.0f) | (abs_bits(x) == f32::inf_f32());
  const double end =
      abs_bits(y) == f32::inf_f32() ? double(x) * (y > 0.0f ? f64::inf() : 0.0) : double(x);
  r = edge ? end : r;
  return static_cast<float>(y == y ? r : double(y));
}

}  // namespace tandem::fn
