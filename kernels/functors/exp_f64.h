// float64 exp, exp2, expm1, sigmoid.
// Cody-Waite reduction by ln 2, then 1 + r + r^2 q(r) with q a minimax polynomial on |r| <= ln2/2.
#pragma once

#include "f64_core.h"

namespace tandem::fn {

namespace f64 {

inline constexpr double kLog2e = 0x1.71547652b82fep+0;
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;
inline constexpr double kLn2Lo = 0x1.abc9e3b39803fp-56;

/// exp(x) = (hi + lo) * 2^n, hi in [0.7, 1.42].
struct ExpParts {
  double hi, lo;
  std::uint64_t n;
};

/// (exp(r) - 1 - r) / r^2 for |r| <= 0.347; error of exp below 2^-60.
TANDEM_FN double exp_poly(double r) {
  return poly(r, 0x1.ffffffffffffdp-2, 0x1.5555555555551p-3, 0x1.5555555555f81p-5,
              0x1.1111111112052p-7, 0x1.6c16c16959305p-10, 0x1.a01a019ee4025p-13,
              0x1.a01a0bfcdaf56p-16, 0x1.71de23ae1b5d8p-19, 0x1.27d312a1fd5e4p-22,
              0x1.af1310f9960acp-26, 0x1.364f25bbbd92ep-29);
}

/// exp of r + rl, |r| <= 0.347, |rl| at most a place of r.
TANDEM_FN Dd exp_kernel(double r, double rl) {
  const Dd one_r = fast_two_sum(1.0, r);
  return {one_r.hi, one_r.lo + fma(r * r, exp_poly(r), rl)};
}

/// r + rl = x - n ln2; needs |x| < 2^40. The first fma is exact.
TANDEM_FN Dd exp_reduce(double x, std::uint64_t& n) {
  const double t = fma(x, kLog2e, kMagic);
  const double k = t - kMagic;
  n = to_bits(t) - kMagicBits;
  return two_sum(fma(-k, kLn2, x), -k * kLn2Lo);
}

TANDEM_FN ExpParts exp_parts(double x) {
  std::uint64_t n;
  const Dd r = exp_reduce(x, n);
  const Dd e = exp_kernel(r.hi, r.lo);
  return {e.hi, e.lo, n};
}

/// 2^(x + xl) as parts; needs |x| < 2^40.
TANDEM_FN ExpParts exp2_parts(double x, double xl) {
  const double t = x + kMagic;
  const double f = x - (t - kMagic);
  const Dd p = two_prod(f, kLn2);
  const Dd r = two_sum(p.hi, p.lo + fma(f, kLn2Lo, xl * kLn2));  // xl may be 2^-43
  const Dd e = exp_kernel(r.hi, r.lo);
  return {e.hi, e.lo, to_bits(t) - kMagicBits};
}

/// NaN passes through both comparisons.
TANDEM_FN double clamp(double x, double low, double high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

}  // namespace f64

TANDEM_FN double exp(double x) {
  const f64::ExpParts e = f64::exp_parts(f64::clamp(x, -746.0, 710.0));
  return f64::scale(e.hi + e.lo, e.n);
}

TANDEM_FN double exp2(double x) {
  const f64::ExpParts e = f64::exp2_parts(f64::clamp(x, -1076.0, 1025.0), 0.0);
  return f64::scale(e.hi + e.lo, e.n);
}

TANDEM_FN double expm1(double x) {
  std::uint64_t n;
  const f64::Dd r = f64::exp_reduce(f64::clamp(x, -45.0, 710.0), n);
  const double q = fma(r.hi * r.hi, f64::exp_poly(r.hi), r.lo);  // exp = 1 + r.hi + q
  // 2^n (r + q) + (2^n - 1); at n = 1024 all is halved first so that 2^n is finite.
  const bool top = n == 1024u;
  const double s = f64::pow2(top ? std::uint64_t(1023) : n);
  const double one = top ? 0.5 : 1.0;
  const f64::Dd a = f64::two_sum(s - one, s * r.hi);
  const double sum = a.hi + fma(s, q, a.lo);
  return copysign_(top ? sum + sum : sum, x);
}

/// 1 / (1 + exp(-x)), from exp(-|x|) so that nothing overflows and small results keep their bits.
TANDEM_FN double sigmoid(double x) {
  const f64::ExpParts e = f64::exp_parts(f64::clamp(-abs_bits(x), -746.0, 0.0));
  const f64::Dd p = f64::fast_two_sum(e.hi, e.lo);
  const bool neg = (to_bits(x) >> 63) != 0u;
  // n below -60 adds nothing to 1; as a signed number n is never above 0.
  const double s = e.n + 60u > 60u ? 0.0 : f64::pow2(e.n);
  f64::Dd den = f64::fast_two_sum(1.0, p.hi * s);
  den.lo = fma(p.lo, s, den.lo);
  const double num = neg ? p.hi : 1.0, num_lo = neg ? p.lo : 0.0;
  const double inv = 1.0 / den.hi;
  const double q = num * inv;
  const double r = fma(fma(-q, den.hi, num) + fma(-q, den.lo, num_lo), inv, q);
  return neg ? f64::scale(r, e.n) : r;
}

}  // namespace tandem::fn
