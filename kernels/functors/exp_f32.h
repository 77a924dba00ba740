// float32 exp, exp2, expm1 and sigmoid: branch-free, the same operations under g++ and nvcc.
// Reduction x = n ln2 + r with |r| <= ln2 / 2 and a minimax polynomial for e^r (degree 6, relative
// error 2^-28, computed with Sollya's fpminimax); see Muller, "Elementary Functions", ch. 11.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {
namespace f32 {

TANDEM_FN float inf_f32() { return from_bits(0x7f800000u); }
TANDEM_FN float nan_f32() { return from_bits(0x7fc00000u); }

// Adding 1.5 * 2^23 rounds to an integer (ties to even), which is then in the low bits.
inline constexpr float kRound = 0x1.8p23f;
inline constexpr float kLog2e = 0x1.715476p0f;
inline constexpr float kLn2Hi = 0x1.62e430p-1f;
inline constexpr float kLn2Lo = -0x1.05c610p-29f;

/// An unevaluated sum; lo is at most about a place of hi.
struct FloatPair {
  float hi, lo;
};

/// (e^r - 1 - r) / r^2 for |r| <= ln2 / 2.
TANDEM_FN float exp_tail(float r) {
  float q = 0x1.69546ap-10f;
  q = fn::fma(q, r, 0x1.123b1p-7f);
  q = fn::fma(q, r, 0x1.555a22p-5f);
  q = fn::fma(q, r, 0x1.55549p-3f);
  return fn::fma(q, r, 0x1.fffffap-2f);
}

/// 2^(n + bias - 127) where rounded is n + kRound; n + bias must be in 1..254.
TANDEM_FN float pow2_from_rounded(float rounded, std::uint32_t bias) {
  return from_bits((to_bits(rounded) << 23) + (bias << 23));
}

/// x = n ln2 + r + r_lo with rounded = n + kRound and r_lo below half a place of r; |x| < 2^21.
struct ExpReduced {
  float rounded, r, r_lo;
};
TANDEM_FN ExpReduced exp_reduce(float x) {
  const float rounded = fn::fma(x, kLog2e, kRound);
  const float n = rounded - kRound;
  const float r1 = fn::fma(n, -kLn2Hi, x);  // exact
  const float r = fn::fma(n, -kLn2Lo, r1);
  return {rounded, r, fn::fma(n, -kLn2Lo, r1 - r)};
}

/// e^x = 2^n * (hi + lo), rounded = n + kRound, to a relative 2^-28.
struct ExpParts {
  float rounded, hi, lo;
};
TANDEM_FN ExpParts exp_parts(float x) {
  const ExpReduced a = exp_reduce(x);
  const float tail = fn::fma(a.r * a.r, exp_tail(a.r), a.r_lo);
  const float p = a.r + tail;
  const float p_lo = (a.r - p) + tail;
  const float hi = 1.0f + p;
  return {a.rounded, hi, ((1.0f - hi) + p) + p_lo};
}

/// 2^k (e^x - 1) for k = 0 or -1, in two parts; x + k ln2 in -18..88.
TANDEM_FN FloatPair expm1_scaled(float x, int k) {
  const ExpReduced a = exp_reduce(x);
  const float s = pow2_from_rounded(a.rounded, static_cast<std::uint32_t>(127 + k));
  const float one = k == 0 ? 1.0f : 0.5f;
  const float tail = fn::fma(a.r * a.r, exp_tail(a.r), a.r_lo);
  const float big = s - one;
  const float rest = (s - big) - one;
  const float small = s * a.r;
  const float sum = big + small;  // |big| >= |small|, or big is 0
  const float err = ((big - sum) + small) + rest;
  return {sum, fn::fma(s, tail, err)};
}

}  // namespace f32

/// e^x.
TANDEM_FN float exp(float x) {
  using namespace f32;
  x = 89.0f < x ? 89.0f : x;  // written so that NaN passes
  x = -104.0f > x ? -104.0f : x;
  const float rounded = fn::fma(x, kLog2e, kRound);
  const float n = rounded - kRound;
  const float r1 = fn::fma(n, -kLn2Hi, x);
  const float r = fn::fma(n, -kLn2Lo, r1);
  const float p = fn::fma(r * r, exp_tail(r), r);
  // 2^n in two factors: the second is 2, or 2^-63 where the result may be subnormal.
  const bool tiny = x < -86.0f;
  const float s = pow2_from_rounded(rounded, tiny ? 190u : 126u);
  return fn::fma(s, p, s) * (tiny ? 0x1p-63f : 2.0f);
}

/// 2^x.
TANDEM_FN float exp2(float x) {
  using namespace f32;
  x = 128.0f < x ? 128.0f : x;
  x = -151.0f > x ? -151.0f : x;
  const float rounded = x + kRound;
  const float r = x - (rounded - kRound);  // exact
  float q = 0x1.3fb5f2p-13f;
  q = fn::fma(q, r, 0x1.5f0e12p-10f);
  q = fn::fma(q, r, 0x1.3b309p-7f);
  q = fn::fma(q, r, 0x1.c6af72p-5f);
  q = fn::fma(q, r, 0x1.ebfbd8p-3f);
  const float p = fn::fma(r, 0x1.62e43p-1f, (r * r) * q);
  const bool tiny = x < -125.0f;
  const float s = pow2_from_rounded(rounded, tiny ? 190u : 126u);
  return fn::fma(s, p, s) * (tiny ? 0x1p-63f : 2.0f);
}

/// e^x - 1, accurate near zero.
TANDEM_FN float expm1(float x) {
  using namespace f32;
  float c = 89.0f < x ? 89.0f : x;
  c = -18.0f > c ? -18.0f : c;
  const FloatPair half = expm1_scaled(c, -1);  // halved, so that 2^128 is not met
  const float y = 2.0f * (half.hi + half.lo);
  return abs_bits(x) < 0x1p-26f ? x : y;
}

/// 1 / (1 + e^-x).
TANDEM_FN float sigmoid(float x) {
  using namespace f32;
  float t = -abs_bits(x);
  t = -104.0f > t ? -104.0f : t;
  const ExpParts e = exp_parts(t);
  const bool tiny = t < -86.0f;
  const float s1 = pow2_from_rounded(e.rounded, tiny ? 190u : 127u);
  const float s2 = tiny ? 0x1p-63f : 1.0f;
  const float s = s1 * s2;
  const float u = s * e.hi;  // e^-|x|; its last places are lost only where 1 + u is 1
  const float d = 1.0f + u;
  const float d_lo = fn::fma(s, e.lo, (1.0f - d) + u);
  const bool negative = x < 0.0f;
  const float num = negative ? e.hi : 1.0f;
  const float num_lo = negative ? e.lo : 0.0f;
  const float y = 1.0f / d;
  const float q = num * y;
  const float rem = fn::fma(-q, d_lo, fn::fma(-q, d, num)) + num_lo;
  const float r = fn::fma(rem, y, q);
  return negative ? (r * s1) * s2 : r;
}

}  // namespace tandem::fn
