// float64 erf: an odd polynomial up to 1; beyond, 1 - exp(-x^2 + g(x)), g = log(exp(x^2) erfc(x)).
#pragma once

#include "exp_f64.h"

namespace tandem::fn {

TANDEM_FN double erf(double x) {
  const double a = abs_bits(x);
  const double z = x * x;
  const double p = f64::poly(z, 0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b34p-4,
                             -0x1.b82ce31284f38p-6, 0x1.565bcd0dbd921p-8, -0x1.c02db3db49762p-11,
                             0x1.f9a321e4b84f9p-14, -0x1.f4d1e434bc0cfp-17, 0x1.b9df305cad6f7p-20,
                             -0x1.5f1f40faeea79p-23, 0x1.f7b99d7c8709ap-27, -0x1.38ac2290d3965p-30,
                             0x1.062759c5be8ecp-34);
  const double near = fma(a, p, a);
  const double b = f64::clamp(a, 1.0, 6.0);  // erf(6) rounds to 1
  const double g = f64::poly(
      b - 1.0, -0x1.b2ff7e4f54542p-1, -0x1.4726c001b08dcp-1, 0x1.4150fb975aabbp-3,
      -0x1.5477f09c10c62p-5, 0x1.48c9d3ed6054fp-7, -0x1.033f65ea40c7bp-9, 0x1.f1b398ae7a87bp-13,
      0x1.b8dd418363758p-16, -0x1.c7a4bd562cea1p-16, 0x1.4263aa84bc7fdp-17, -0x1.14518e047c52bp-19,
      0x1.3101a57c32e49p-23, 0x1.a52b68b2a178fp-24, -0x1.c0fd076c7527cp-25, 0x1.017acc1472ae1p-26,
      -0x1.8c0bb8b7ae752p-29, 0x1.97e24b820c1fcp-32, -0x1.ff5c86de4c59fp-36, 0x1.2772c3f61a119p-40);
  const double far = 1.0 - exp(fma(-b, b, g));
  return copysign_(a < 1.0 ? near : far, x);
}

}  // namespace tandem::fn
