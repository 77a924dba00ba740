// float32 pow and hypot: branch-free, the same operations under g++ and nvcc. pow computes
// y * log2(x) in two floats (relative error about 2^-38); special cases are those of C's Annex F.
#pragma once

#include "exp_f32.h"
#include "log_f32.h"
#include "tandem/fn.h"

namespace tandem::fn {
namespace f32 {

/// log2(x) for positive finite x, in two floats.
TANDEM_FN FloatPair log2_pair(float x) {
  // x = 2^e * (1 + f), 1 + f in [sqrt(1/2), sqrt(2))
  const LogReduced a = log_reduce(x, 0x3f3504f3u);
  const float e = a.e;
  const float f = a.f;
  // log(1 + f) = 2 s + s^3 T(s^2) with s = f / (2 + f), T(z) = 2/3 + 2/5 z + 2/7 z^2 + ...
  const float d = 2.0f + f;
  const float d_lo = f - (d - 2.0f);
  const float inv = 1.0f / d;
  const float s = f * inv;
  const float s_lo = fn::fma(-s, d_lo, fn::fma(-s, d, f)) * inv;
  const float z = s * s;
  const float z_lo = fn::fma(s + s, s_lo, fn::fma(s, s, -z));
  float t = 0x1.877e0ep-3f;
  t = fn::fma(t, z, 0x1.c6ca88p-3f);
  t = fn::fma(t, z, 0x1.24925ep-2f);
  t = fn::fma(t, z, 0x1.99999ap-2f);
  const float tz = t * z;
  constexpr float t0 = 0x1.555556p-1f;
  const float th = t0 + tz;
  const float tl = ((t0 - th) + tz) - 0x1.555556p-26f;
  const float c2 = z * th;
  const float c2_lo = fn::fma(z_lo, th, fn::fma(z, tl, fn::fma(z, th, -c2)));
  const float c3 = s * c2;
  const float c3_lo = fn::fma(s_lo, c2, fn::fma(s, c2_lo, fn::fma(s, c2, -c3)));
  const float s2 = s + s;
  const float l = s2 + c3;
  const float l_lo = ((s2 - l) + c3) + fn::fma(2.0f, s_lo, c3_lo);
  // times log2(e), plus e
  const float p = l * kLog2e;
  const float p_lo = fn::fma(l_lo, kLog2e, fn::fma(l, 0x1.4ae0cp-26f, fn::fma(l, kLog2e, -p)));
  const float h = e + p;
  const float h_lo = ((e - h) + p) + p_lo;
  const float hi = h + h_lo;
  return {hi, (h - hi) + h_lo};
}

/// 2^(t + t_lo), t_lo below a place of t; for infinite t, t_lo does not count.
TANDEM_FN float exp2_pair(float t, float t_lo) {
  const float rounded = t + kRound126;
  const float r0 = t - (rounded - kRound126);
  const float r = r0 + t_lo;
  const float r_lo = (r0 - r) + t_lo;
  float q = 0x1.3fb5f2p-13f;
  q = fn::fma(q, r, 0x1.5f0e12p-10f);
  q = fn::fma(q, r, 0x1.3b309p-7f);
  q = fn::fma(q, r, 0x1.c6af72p-5f);
  q = fn::fma(q, r, 0x1.ebfbd8p-3f);
  const float p = fn::fma(r, 0x1.62e43p-1f, fn::fma(r * r, q, r_lo * 0x1.62e43p-1f));
  float y = scale_exp(rounded, p);
  y = t < -151.0f ? 0.0f : y;
  return t > 128.5f ? inf_f32() : y;
}

}  // namespace f32

/// x^y, at most 1 ulp; special cases as C's pow.
TANDEM_FN float pow(float x, float y) {
  using namespace f32;
  const float a = abs_bits(x);
  const FloatPair l = log2_pair(a);
  const float t = y * l.hi;
  const float t_lo = fn::fma(y, l.lo, fn::fma(y, l.hi, -t));
  float r = exp2_pair(t, t_lo);

  const float half = 0.5f * y;
  const bool integer = rint_(y) == y;
  const bool odd = integer & (rint_(half) != half);
  const bool y_inf = abs_bits(y) == inf_f32();
  const bool a_inf = a == inf_f32();
  // a = 0 or infinity, or y infinite: a limit, 0 or infinity; a < 1 and y < 0 decide which.
  const bool limit = (a == 0.0f) | a_inf | y_inf;
  const bool to_zero = (a < 1.0f) != (y < 0.0f);
  r = limit ? (to_zero ? 0.0f : inf_f32()) : r;
  const std::uint32_t sign = to_bits(x) & (odd ? 0x80000000u : 0u);
  r = from_bits(to_bits(r) ^ sign);
  const bool invalid = (x < 0.0f) & !integer & !a_inf;
  r = (invalid | isnan_(x) | isnan_(y)) ? nan_f32() : r;
  const bool one = (x == 1.0f) | (y == 0.0f) | ((a == 1.0f) & y_inf);
  return one ? 1.0f : r;
}

/// sqrt(x^2 + y^2) without overflow or underflow on the way, at most 1 ulp.
TANDEM_FN float hypot(float x, float y) {
  using namespace f32;
  const float ax = abs_bits(x);
  const float ay = abs_bits(y);
  const float big = ax < ay ? ay : ax;
  const float small = ax < ay ? ax : ay;
  const float down = big < 0x1p-40f ? 0x1p100f : (big > 0x1p60f ? 0x1p-70f : 1.0f);
  const float up = big < 0x1p-40f ? 0x1p-100f : (big > 0x1p60f ? 0x1p70f : 1.0f);
  const float a = big * down;
  const float b = small * down;
  const float h = a * a;
  const float h_lo = fn::fma(a, a, -h);
  const float k = b * b;
  const float k_lo = fn::fma(b, b, -k);
  const float z = h + k;
  const float z_lo = ((h - z) + k) + (h_lo + k_lo);
  const float r = sqrt_rn(z);
  const float fix = (fn::fma(-r, r, z) + z_lo) * (0.5f / r);
  float y0 = z > 0.0f ? (r + fix) * up : big;
  y0 = (isnan_(x) | isnan_(y)) ? nan_f32() : y0;
  return ((ax == inf_f32()) | (ay == inf_f32())) ? inf_f32() : y0;
}

/// 1 / sqrt(x), one Newton step over the two rounded operations; infinity of x's sign at zero.
TANDEM_FN float rsqrt(float x) {
  const float y = 1.0f / sqrt_rn(x);
  const float t = x * y;
  const float t_lo = fn::fma(x, y, -t);
  const float e = fn::fma(-t_lo, y, fn::fma(-t, y, 1.0f));  // 1 - x y^2
  const float r = fn::fma(0.5f * y, e, y);
  return isnan_(e) ? y : r;  // x is zero or infinite, or y is NaN
}

}  // namespace tandem::fn
