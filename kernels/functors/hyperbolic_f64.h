// float64 sinh, cosh, tanh, asinh, acosh, atanh.
#pragma once

#include "exp_f64.h"
#include "log_f64.h"

namespace tandem::fn {

namespace f64 {

/// (e^a - sign e^-a) / 2 for 0 <= a, from exp's parts so that neither end over- or underflows.
TANDEM_FN double half_exp_sum(double a, double sign) {
  const ExpParts e = exp_parts(clamp(a, 0.0, 712.0));
  const std::uint64_t n = e.n > 60u ? std::uint64_t(60) : e.n;
  const double other = sign * pow2(std::uint64_t(0) - (n + n)) / (e.hi + e.lo);
  const Dd s = two_sum(e.hi, other);
  return scale(s.hi + (s.lo + e.lo), e.n - 1u);
}

}  // namespace f64

TANDEM_FN double sinh(double x) {
  const double a = abs_bits(x);
  const double z = x * x;
  const double p = f64::poly(z, 0x1.5555555555556p-3, 0x1.11111111110a1p-7, 0x1.a01a01a0291fcp-13,
                             0x1.71de3a45f70cbp-19, 0x1.ae646766a664ap-26, 0x1.611a3a1257f45p-33,
                             0x1.b4cf7d9f0ac3cp-41);
  const double near = fma(a * z, p, a);
  return copysign_(a < 1.0 ? near : f64::half_exp_sum(a, -1.0), x);
}

TANDEM_FN double cosh(double x) { return f64::half_exp_sum(abs_bits(x), 1.0); }

TANDEM_FN double tanh(double x) {
  const double a = abs_bits(x);
  const double z = x * x;
  const double p = f64::poly(z, -0x1.555555555554fp-2, 0x1.11111111107ebp-3, -0x1.ba1ba1b981b1dp-5,
                             0x1.664f485a55b05p-6, -0x1.226e2f30c93cep-7, 0x1.d6d29fea80922p-9,
                             -0x1.7d9009c7a8252p-10, 0x1.34855fd12365ep-11, -0x1.e980917e3b16dp-13,
                             0x1.5da360975cdd0p-14, -0x1.4782a0c159109p-16);
  const double near = fma(a * z, p, a);
  // 1 - 2 / (e^2a + 1), the quotient with its remainder.
  const f64::ExpParts e = f64::exp_parts(2.0 * f64::clamp(a, 0.5, 30.0));
  const double s = f64::pow2(e.n);
  const f64::Dd p2 = f64::fast_two_sum(e.hi, e.lo);
  f64::Dd den = f64::fast_two_sum(p2.hi * s, 1.0);
  den.lo = fma(p2.lo, s, den.lo);
  const double inv = 1.0 / den.hi;
  const double q = 2.0 * inv;
  const double far = 1.0 - fma(fma(-q, den.hi, 2.0) - q * den.lo, inv, q);
  return copysign_(a < 0.55 ? near : far, x);
}

namespace f64 {
/// log(a + sqrt(a^2 + sign)): log1p of (a - base) + (sqrt - (1 - base)), in two doubles. Above
/// 2^300 the root is a itself.
TANDEM_FN double arc_hyperbolic(double a, double sign) {
  const bool large = a > 0x1p300;
  const double as = large ? 0.0 : a;
  const Dd sq = two_prod(as, as);
  const Dd y = two_sum(sq.hi, sign);
  const Dd root = sqrt_dd(fast_two_sum(y.hi, y.lo + sq.lo));
  // asinh: a + (root - 1); acosh: (a - 1) + root.
  const double lead = sign > 0.0 ? root.hi : as;
  const double rest = sign > 0.0 ? as : root.hi;
  const Dd less = two_sum(lead, -1.0);
  const Dd w = two_sum(less.hi, rest);
  const Dd v = fast_two_sum(w.hi, w.lo + (less.lo + root.lo));
  return log1p_dd(large ? a : v.hi, large ? 0.0 : v.lo, large ? 1.0 : 0.0);
}
}  // namespace f64

TANDEM_FN double asinh(double x) {
  const double a = abs_bits(x);
  double r = f64::arc_hyperbolic(a, 1.0);
  r = a < 0x1p-27 ? a : r;
  r = a < f64::inf() ? r : a;
  return copysign_(r, x);
}

TANDEM_FN double acosh(double x) {
  double r = f64::arc_hyperbolic(x, -1.0);
  r = x >= 1.0 ? r : f64::nan();
  return x == f64::inf() ? x : r;
}

TANDEM_FN double atanh(double x) {
  const double a = abs_bits(x);
  // log1p(2a / (1-a)) / 2, the quotient in two doubles.
  const f64::Dd d = f64::two_sum(1.0, -a);
  const double den = d.hi > 0.0 ? d.hi : 1.0;
  const double inv = 1.0 / den;
  const double q = (a + a) * inv;
  const double ql = (fma(-q, den, a + a) - q * d.lo) * inv;
  double r = 0.5 * f64::log1p_dd(q, ql, 0.0);
  r = a < 0x1p-28 ? a : r;
  r = a < 1.0 ? r : f64::nan();
  r = a == 1.0 ? f64::inf() : r;
  return copysign_(r, x);
}

}  // namespace tandem::fn
