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
  const bool tiny = x < 0x1p-126f;
  const float c = tiny ? x * 0x1p24f : x;
  // c = 2^e * (1 + f), 1 + f in [sqrt(1/2), sqrt(2))
  constexpr std::uint32_t origin = 0x3f3504f3u;
  const std::uint32_t i = to_bits(c) - origin;
  float e = static_cast<float>(static_cast<std::int32_t>(i) >> 23);
  e = tiny ? e - 24.0f : e;
  const float f = from_bits((i & 0x7fffffu) + origin) - 1.0f;
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

/// 2^(t + t_lo), t within +-1000, t_lo below a place of t.
TANDEM_FN float exp2_pair(float t, float t_lo) {
  const bool clamped = abs_bits(t) > 152.0f;
  t = t > 152.0f ? 152.0f : t;
  t = t < -152.0f ? -152.0f : t;
  t_lo = clamped ? 0.0f : t_lo;
  const float rounded = t + kRound;
  const float r0 = t - (rounded - kRound);
  const float r = r0 + t_lo;
  const float r_lo = (r0 - r) + t_lo;
  float q = 0x1.3fb5f2p-13f;
  q = fn::fma(q, r, 0x1.5f0e12p-10f);
  q = fn::fma(q, r, 0x1.3b309p-7f);
  q = fn::fma(q, r, 0x1.c6af72p-5f);
  q = fn::fma(q, r, 0x1.ebfbd8p-3f);
  const float p = fn::fma(r, 0x1.62e43p-1f, fn::fma(r * r, q, r_lo * 0x1.62e43p-1f));
  // 2^n in two factors, the second a power of two that brings overflow or subnormals
  const bool low = t < -100.0f;
  const bool high = t > 100.0f;
  const float s = pow2_from_rounded(rounded, low ? 191u : (high ? 63u : 127u));
  return fn::fma(s, p, s) * (low ? 0x1p-64f : (high ? 0x1p64f : 1.0f));
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

  const bool integer = rint_(y) == y;
  const float half = 0.5f * y;
  const bool odd = integer && rint_(half) != half;
  // a = 0 or infinity, y infinite: a limit, 0 or infinity; which one depends on a < 1 and y < 0.
  const bool limit = a == 0.0f || a == inf_f32() || abs_bits(y) == inf_f32();
  const bool to_zero = (a < 1.0f) != (y < 0.0f);
  r = limit ? (to_zero ? 0.0f : inf_f32()) : r;
  const bool negative = (to_bits(x) >> 31) != 0u;
  r = negative && odd ? -r : r;
  r = x < 0.0f && !integer && a != inf_f32() ? nan_f32() : r;
  r = isnan_(x) || isnan_(y) ? nan_f32() : r;
  const bool one = x == 1.0f || y == 0.0f || (x == -1.0f && abs_bits(y) == inf_f32());
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
  y0 = isnan_(x) || isnan_(y) ? nan_f32() : y0;
  return ax == inf_f32() || ay == inf_f32() ? inf_f32() : y0;
}

/// 1 / sqrt(x); infinity of x's sign at zero.
TANDEM_FN float rsqrt(float x) {
  using namespace f32;
  const bool tiny = x < 0x1p-60f;
  const float c = tiny ? x * 0x1p64f : x;
  const float s = sqrt_rn(c);
  const float y = 1.0f / s;
  // c = s^2 + d, so that 1 / sqrt(c) = y (1 + (1 - s y) - d y^2 / 2)
  const float d = fn::fma(-s, s, c);
  const float e = fn::fma(-0.5f * d * y, y, fn::fma(-s, y, 1.0f));
  const float r = fn::fma(y, e, y);
  const float out = c == 0.0f || c == inf_f32() ? y : r;
  return tiny ? out * 0x1p32f : out;
}

}  // namespace tandem::fn
