// float32 sinh, cosh, tanh, asinh, acosh and atanh: branch-free, the same operations under g++ and
// nvcc. Built on e^x, e^x - 1 and log(1 + u) in two floats, so that one rounding is left.
#pragma once

#include "exp_f32.h"
#include "log_f32.h"
#include "tandem/fn.h"

namespace tandem::fn {
namespace f32 {

/// e^a / 4 = u + u_lo and e^-a / 4, for 0 <= a <= 89.5.
struct ExpBoth {
  float u, u_lo, v;
};
TANDEM_FN ExpBoth exp_both(float a) {
  const ExpParts e = exp_parts(a);
  const float s = pow2_from_rounded(e.rounded, 125u);
  const float u = s * e.hi;
  return {u, s * e.lo, 0.0625f / u};
}

}  // namespace f32

/// Hyperbolic sine.
TANDEM_FN float sinh(float x) {
  using namespace f32;
  float a = abs_bits(x);
  a = 89.5f < a ? 89.5f : a;
  const float s = a * a;
  float q = 0x1.76771ep-19f;
  q = fn::fma(q, s, 0x1.a01c22p-13f);
  q = fn::fma(q, s, 0x1.1110eap-7f);
  q = fn::fma(q, s, 0x1.555556p-3f);
  const float near = fn::fma(s * a, q, a);
  const ExpBoth e = exp_both(a);
  const float far = 2.0f * (e.u + (e.u_lo - e.v));
  return copysign_(a < 1.0f ? near : far, x);
}

/// Hyperbolic cosine.
TANDEM_FN float cosh(float x) {
  using namespace f32;
  float a = abs_bits(x);
  a = 89.5f < a ? 89.5f : a;
  const ExpBoth e = exp_both(a);
  return 2.0f * (e.u + (e.u_lo + e.v));
}

/// Hyperbolic tangent: E / (E + 2) with E = e^(2|x|) - 1.
TANDEM_FN float tanh(float x) {
  using namespace f32;
  const float a0 = abs_bits(x);
  const float a = 8.66f < a0 ? 8.66f : a0;  // E stays below 2^25, so that d_lo is exact
  const FloatPair e = expm1_scaled(a + a, 0);
  const float hi = e.hi + e.lo;
  const float lo = (e.hi - hi) + e.lo;
  const float d = hi + 2.0f;
  const float d_lo = hi - (d - 2.0f);
  const float y = 1.0f / d;
  const float q = hi * y;
  const float rem = fn::fma(-q, d, hi) + fn::fma(-q, d_lo + lo, lo);
  const float r = fn::fma(rem, y, q);  // 1 - 2^-24 at 8.66
  return copysign_(a0 > 9.01f ? 1.0f : r, x);
}

/// Inverse hyperbolic sine.
TANDEM_FN float asinh(float x) {
  using namespace f32;
  const float a = abs_bits(x);
  const bool huge = a > 0x1p30f;  // then it is log(2a)
  const float c = huge ? 1.0f : a;
  // log(a + sqrt(1 + a^2)) = log1p(a + a^2 / (1 + sqrt(1 + a^2)))
  const float h = c * c;
  const float h_lo = fn::fma(c, c, -h);
  const float z = 1.0f + h;
  const float t = z - 1.0f;
  const float z_lo = ((1.0f - (z - t)) + (h - t)) + h_lo;
  const float r = sqrt_rn(z);
  const float half = 0.5f / r;
  const float r_lo = (fn::fma(-r, r, z) + z_lo) * half;
  const float w = r + c;
  const float w_lo = ((r - w) + c) + r_lo;
  float y = log_pair(huge ? a : w, huge ? 0.0f : w_lo);
  y = huge ? y + 0x1.62e430p-1f : y;
  const float s = a * a;
  float q = 0x1.2f51eep-7f;
  q = fn::fma(q, s, -0x1.487dfcp-6f);
  q = fn::fma(q, s, 0x1.ec11eap-6f);
  q = fn::fma(q, s, -0x1.6d7ebcp-5f);
  q = fn::fma(q, s, 0x1.33323ap-4f);
  q = fn::fma(q, s, -0x1.555554p-3f);
  const float near = fn::fma(s * a, q, a);
  y = a < 0.5f ? near : y;
  y = a < inf_f32() ? y : a;
  return copysign_(y, x);
}

/// Inverse hyperbolic cosine; NaN below 1.
TANDEM_FN float acosh(float x) {
  using namespace f32;
  const bool huge = x > 0x1p30f;
  const float t = huge ? 1.0f : x - 1.0f;
  // log1p(t + sqrt(t (t + 2)))
  const float v = t + 2.0f;
  const float v_lo = t - (v - 2.0f);
  const float h = t * v;
  const float h_lo = fn::fma(t, v_lo, fn::fma(t, v, -h));
  const float r = sqrt_rn(h);
  const float fix = (fn::fma(-r, r, h) + h_lo) * (0.5f / r);
  const float r_lo = h > 0.0f ? fix : 0.0f;
  const float u = r + t;
  const float u_lo = ((r - u) + t) + r_lo;
  const float w = 1.0f + u;
  const float k = w - 1.0f;
  const float w_lo = ((1.0f - (w - k)) + (u - k)) + u_lo;
  float y = log_pair(huge ? x : w, huge ? 0.0f : w_lo);
  y = huge ? y + 0x1.62e430p-1f : y;
  y = x < inf_f32() ? y : x;
  return x < 1.0f ? nan_f32() : y;
}

/// Inverse hyperbolic tangent; NaN outside [-1, 1].
TANDEM_FN float atanh(float x) {
  using namespace f32;
  const float a = abs_bits(x);
  // log1p(2a / (1 - a)) / 2
  const float n = a + a;
  const float d = 1.0f - a;
  const float d_lo = (1.0f - d) - a;
  const float inv = 1.0f / d;
  const float u = n * inv;
  const float u_lo = (fn::fma(-u, d, n) - u * d_lo) * inv;
  float y = 0.5f * log1p_pair(u, u_lo);
  y = a < 0x1p-14f ? fn::fma(a * a, a * 0x1.555556p-2f, a) : y;
  y = a == 1.0f ? inf_f32() : y;
  y = a <= 1.0f ? y : nan_f32();
  return copysign_(y, x);
}

}  // namespace tandem::fn
