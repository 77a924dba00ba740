// float32 log, log2, log10 and log1p: branch-free, the same operations under g++ and nvcc.
// x = 2^e * (1 + f) with 1 + f in [2/3, 4/3), and a minimax polynomial for log(1 + f) (degree 10,
// relative error 2^-27, Sollya's fpminimax); e * ln2 + f is added with its rounding error kept.
#pragma once

#include "exp_f32.h"
#include "tandem/fn.h"

namespace tandem::fn {
namespace f32 {

/// (log(1 + f) - f) / f^2 for f in [-1/3, 1/3].
TANDEM_FN float log_tail(float f) {
  float q = -0x1.06cdfap-3f;
  q = fn::fma(q, f, 0x1.1ec6e2p-3f);
  q = fn::fma(q, f, -0x1.f3a7dep-4f);
  q = fn::fma(q, f, 0x1.1ec0dp-3f);
  q = fn::fma(q, f, -0x1.559802p-3f);
  q = fn::fma(q, f, 0x1.99d1c6p-3f);
  q = fn::fma(q, f, -0x1.ffff14p-3f);
  q = fn::fma(q, f, 0x1.555502p-2f);
  return fn::fma(q, f, -0.5f);
}

/// The same for log2(1 + f), without f / ln 2.
TANDEM_FN float log2_tail(float f) {
  float q = -0x1.795a28p-3f;
  q = fn::fma(q, f, 0x1.9ddbc2p-3f);
  q = fn::fma(q, f, -0x1.68ea1p-3f);
  q = fn::fma(q, f, 0x1.9dab04p-3f);
  q = fn::fma(q, f, -0x1.ecc50ap-3f);
  q = fn::fma(q, f, 0x1.279f9p-2f);
  q = fn::fma(q, f, -0x1.715404p-2f);
  q = fn::fma(q, f, 0x1.ec7024p-2f);
  return fn::fma(q, f, -0x1.715476p-1f);
}

/// The same for log10(1 + f), without f / ln 10, for f in [-5/16, 3/8]. Between those, results
/// below 1/8, whose places are finer, are not the difference of log10(2) and log10(2/3): within
/// [2/3, 4/3) those come to 1.14 ulp. Coefficients by linear programming, from the first one on
/// each rounded to a float before the next.
TANDEM_FN float log10_tail(float f) {
  float q = -0x1.5ce538p-5f;
  q = fn::fma(q, f, 0x1.e6b682p-5f);
  q = fn::fma(q, f, -0x1.c8fe6cp-5f);
  q = fn::fma(q, f, 0x1.f4051ep-5f);
  q = fn::fma(q, f, -0x1.27e864p-4f);
  q = fn::fma(q, f, 0x1.63eb96p-4f);
  q = fn::fma(q, f, -0x1.bcbbdp-4f);
  q = fn::fma(q, f, 0x1.287a4p-3f);
  return fn::fma(q, f, -0x1.bcb7aep-3f);
}

/// x = 2^e * (1 + f).
struct LogReduced {
  float e, f;
};
inline constexpr std::uint32_t kTwoThirds = 0x3f2aaaabu;
inline constexpr std::uint32_t kElevenSixteenths = 0x3f300000u;

/// All ones where i, as a signed number, is negative.
TANDEM_FN std::uint32_t sign_mask(std::uint32_t i) {
  return static_cast<std::uint32_t>(static_cast<std::int32_t>(i) >> 31);
}

/// For positive finite x. Subnormals are scaled by 2^24, with masks: a select would become control
/// flow and the rest be computed for both sides.
TANDEM_FN LogReduced log_reduce(float x, std::uint32_t origin) {
  const std::uint32_t tiny = sign_mask(to_bits(x) - 0x00800000u) & 24u;
  const std::uint32_t i = to_bits(x * from_bits(0x3f800000u + (tiny << 23))) - origin;
  const std::int32_t e = (static_cast<std::int32_t>(i) >> 23) - static_cast<std::int32_t>(tiny);
  return {static_cast<float>(e), from_bits((i & 0x7fffffu) + origin) - 1.0f};
}
TANDEM_FN LogReduced log_reduce(float x) { return log_reduce(x, kTwoThirds); }

/// What a logarithm is where x is not a positive finite number; y elsewhere.
TANDEM_FN float log_special(float x, float y) {
  y = x < inf_f32() ? y : x;  // inf, NaN
  y = static_cast<std::int32_t>(to_bits(x)) < 0 ? nan_f32() : y;
  return to_bits(x) << 1 == 0u ? -inf_f32() : y;
}

inline constexpr float kLn2Top = 0x1.62e4p-1f;  // 15 bits, so that e * kLn2Top is exact
inline constexpr float kLn2Rest = 0x1.7f7d1cp-20f;

/// log(2^e * (1 + f + f_lo)); f_lo at most a few places of f.
TANDEM_FN float log_sum(float e, float f, float f_lo) {
  const float big = e * kLn2Top;
  const float sum = big + f;
  const float err = (big - sum) + f;
  const float corr = f_lo * fn::fma(f, f - 1.0f, 1.0f);  // f_lo / (1 + f)
  return sum + fn::fma(f * f, log_tail(f), fn::fma(e, kLn2Rest, err + corr));
}

/// log(w + w_lo), w positive and normal, w_lo small.
TANDEM_FN float log_pair(float w, float w_lo) {
  const std::uint32_t i = to_bits(w) - kTwoThirds;
  const float e = static_cast<float>(static_cast<std::int32_t>(i) >> 23);
  const float scale = e > 126.0f ? 0.0f : from_bits(0x3f800000u - (i & 0xff800000u));  // 2^-e
  const float m1 = from_bits((i & 0x7fffffu) + kTwoThirds) - 1.0f;
  const float lo = w_lo * scale;
  const float f = m1 + lo;  // m1 is 0 or above lo
  return log_sum(e, f, (m1 - f) + lo);
}

/// log(1 + u + u_lo), 1 + u positive.
TANDEM_FN float log1p_pair(float u, float u_lo) {
  const float w = 1.0f + u;
  const float t = w - 1.0f;
  const float w_lo = (1.0f - (w - t)) + (u - t);
  return log_pair(w, w_lo + u_lo);
}

}  // namespace f32

/// Natural logarithm.
TANDEM_FN float log(float x) {
  using namespace f32;
  const LogReduced a = log_reduce(x);
  const float big = a.e * kLn2Top;
  const float sum = big + a.f;
  const float rest = fn::fma(a.e, kLn2Rest, (big - sum) + a.f);
  return log_special(x, sum + fn::fma(a.f * a.f, log_tail(a.f), rest));
}

/// Logarithm to base 2; exact for powers of two.
TANDEM_FN float log2(float x) {
  using namespace f32;
  const LogReduced a = log_reduce(x);
  const float p = a.f * kLog2e;
  const float p_lo = fn::fma(a.f, 0x1.4ae0cp-26f, fn::fma(a.f, kLog2e, -p));
  const float sum = a.e + p;
  const float rest = ((a.e - sum) + p) + p_lo;
  return log_special(x, sum + fn::fma(a.f * a.f, log2_tail(a.f), rest));
}

/// Logarithm to base 10.
TANDEM_FN float log10(float x) {
  using namespace f32;
  constexpr float inv_ln10 = 0x1.bcb7b2p-2f;
  const LogReduced a = log_reduce(x, kElevenSixteenths);
  const float p = a.f * inv_ln10;
  const float p_lo = fn::fma(a.f, -0x1.5b235ep-27f, fn::fma(a.f, inv_ln10, -p));
  const float big = a.e * 0x1.344p-2f;  // exact
  const float sum = big + p;
  const float rest = fn::fma(a.e, 0x1.3509f8p-18f, ((big - sum) + p) + p_lo);
  return log_special(x, sum + fn::fma(a.f * a.f, log10_tail(a.f), rest));
}

/// log(1 + x), accurate near zero.
TANDEM_FN float log1p(float x) {
  using namespace f32;
  float y = log1p_pair(x, 0.0f);
  y = abs_bits(x) < 0x1p-26f ? x : y;
  y = x < inf_f32() ? y : x;
  y = x < -1.0f ? nan_f32() : y;
  return x == -1.0f ? -inf_f32() : y;
}

}  // namespace tandem::fn
