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

/// n < limit where rounded is n + kRound.
TANDEM_FN bool rounded_below(float rounded, int limit) {
  return static_cast<std::int32_t>(to_bits(rounded)) < 0x4b400000 + limit;
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

namespace f32 {

// 1.5 * 2^23 + 126: rounds like kRound and leaves n + 126, a half of 2^n's exponent field, in the
// low bits.
inline constexpr float kRound126 = 0x1.8000fcp23f;

/// 2^n (1 + p) for n in -150..128, rounded = n + kRound126: one factor 2^(n - 1) and one 2, or
/// where the result may be subnormal 2^(n + 63) and 2^-63. In integers, because g++ would turn a
/// select between the two into control flow and compute both.
TANDEM_FN float scale_exp(float rounded, float p) {
  const std::uint32_t b = to_bits(rounded);
  const std::uint32_t shift = ((b - 0x4b400002u) & 0x80000000u) >> 2;  // 64 << 23 for n < -124
  const float s = from_bits((b << 23) + shift);
  return fn::fma(s, p, s) * from_bits(0x40000000u - shift);
}

}  // namespace f32

/// e^x.
TANDEM_FN float exp(float x) {
  using namespace f32;
  const float rounded = fn::fma(x, kLog2e, kRound126);
  const float n = rounded - kRound126;
  const float r1 = fn::fma(n, -kLn2Hi, x);
  const float w = n * -kLn2Lo;
  const float r = r1 + w;
  const float p = r1 + fn::fma(r * r, exp_tail(r), w);  // r's rounding error stays out
  // x is not clamped first: g++ would thread the clamps through all that follows.
  float y = scale_exp(rounded, p);
  y = x < -104.0f ? 0.0f : y;
  return x > 89.0f ? inf_f32() : y;
}

/// 2^x.
TANDEM_FN float exp2(float x) {
  using namespace f32;
  const float rounded = x + kRound126;
  const float r = x - (rounded - kRound126);  // exact
  float q = 0x1.3fb5f2p-13f;
  q = fn::fma(q, r, 0x1.5f0e12p-10f);
  q = fn::fma(q, r, 0x1.3b309p-7f);
  q = fn::fma(q, r, 0x1.c6af72p-5f);
  q = fn::fma(q, r, 0x1.ebfbd8p-3f);
  const float p = fn::fma(r, 0x1.62e43p-1f, (r * r) * q);
  float y = scale_exp(rounded, p);
  y = x < -151.0f ? 0.0f : y;
  return x >= 128.0f ? inf_f32() : y;
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
  // e^-x = s (1 + p), s = 2^n; both terms of the denominator are scaled by c = 2^-64 where n > 64.
  constexpr float round127 = 0x1.8000fep23f;  // as kRound126, for 2^n itself
  const float rounded = fn::fma(x, -kLog2e, round127);
  const float n = rounded - round127;
  const float r1 = fn::fma(n, -kLn2Hi, -x);
  const float r = fn::fma(n, -kLn2Lo, r1);
  const float p = fn::fma(r * r, exp_tail(r), r);
  const std::uint32_t b = to_bits(rounded);
  const std::uint32_t shift = ((0x4b4000bfu - b) & 0x80000000u) >> 2;  // 64 << 23 for n > 64
  const float s = from_bits((b << 23) - shift);
  const float c = from_bits(0x3f800000u - shift);
  // d + d_lo = c + s + s p
  const float g = c + s;
  const float g_lo = c + (s - g);
  const float d = fn::fma(s, p, g);
  const float d_lo = fn::fma(s, p, g - d) + g_lo;
  const float y = 1.0f / d;
  const float e = fn::fma(-d_lo, y, fn::fma(-d, y, 1.0f));
  float q = fn::fma(y, e, y) * c;
  q = x < -104.0f ? 0.0f : q;
  return x > 30.0f ? 1.0f : q;
}

}  // namespace tandem::fn
