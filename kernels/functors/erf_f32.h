// float32 erf: branch-free, the same operations under g++ and nvcc. Below 1 an odd minimax
// polynomial (relative error 2^-29), above 1 - e^P(x) with P a minimax polynomial for log(erfc(x))
// on [1, 4] (absolute error of the result 2^-29); both from Sollya's fpminimax.
#pragma once

#include "exp_f32.h"
#include "tandem/fn.h"

namespace tandem::fn {

/// Error function.
TANDEM_FN float erf(float x) {
  using namespace f32;
  float a = abs_bits(x);
  a = 4.0f < a ? 4.0f : a;
  const float s = a * a;
  float n = 0x1.4917a4p-14f;
  n = fn::fma(n, s, -0x1.a3d812p-11f);
  n = fn::fma(n, s, 0x1.540172p-8f);
  n = fn::fma(n, s, -0x1.b7f88cp-6f);
  n = fn::fma(n, s, 0x1.ce2cf2p-4f);
  n = fn::fma(n, s, -0x1.81273ep-2f);
  n = fn::fma(n, s, 0x1.06eba8p-3f);  // 2 / sqrt(pi) - 1, with the polynomial's own last places
  const float near = fn::fma(n, a, a);

  float p = 0x1.ad813p-20f;
  p = fn::fma(p, a, -0x1.7c05a8p-15f);
  p = fn::fma(p, a, 0x1.357426p-11f);
  p = fn::fma(p, a, -0x1.35d7dcp-8f);
  p = fn::fma(p, a, 0x1.af5b2ep-6f);
  p = fn::fma(p, a, -0x1.c2314ap-4f);
  p = fn::fma(p, a, -0x1.439734p-1f);
  p = fn::fma(p, a, -0x1.214f8ap0f);
  p = fn::fma(p, a, 0x1.313174p-12f);
  const ExpReduced e = exp_reduce(p);  // p in -18..0 wherever far is used
  const float scale = pow2_from_rounded(e.rounded, 127u);
  const float m1 = fn::fma(e.r * e.r, exp_tail(e.r), e.r);
  const float far = fn::fma(-scale, m1, 1.0f - scale);
  return copysign_(a < 1.0f ? near : far, x);
}

}  // namespace tandem::fn
