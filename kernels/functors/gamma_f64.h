// float64 lgamma and digamma, which serve float32 too (rounded once more).
//
// Note [Gamma]
// From 3 on Stirling's series, a minimax polynomial in 1/x^2 instead of its terms. Below, the
// recurrence moves the argument to 2 + t, t in [-1, 1/2] (lgamma: t (1 + t) P(t), which keeps the
// zeros at 1 and 2) or to [1, 2] (digamma: a factor x - x0 in two doubles keeps the one at x0
// = 1.46...). Sums that cancel are made in two doubles. Negative arguments are reflected: near the
// roots there the error is absolute, some units of 2^-52 times the terms.
#pragma once

#include "special_f64.h"

namespace tandem::fn {

namespace f64 {

/// lgamma(2 + t) / (t (1 + t)) for t in [-1, 1/2].
TANDEM_FN Dd lgamma_core(double t) {
  const double u = t + 0.25;
  return fast_two_sum(
      0x1.ccf151e09cde8p-2,
      fma(u,
          poly(u, -0x1.e96586307946ep-4, 0x1.6cb6251711902p-5, -0x1.382e176f60b14p-6,
               0x1.1f9587fa1dadfp-7, -0x1.14f7c58ead0a8p-8, 0x1.12aa72f79d3bdp-9,
               -0x1.16056270df18dp-10, 0x1.1daed5b29c4e6p-11, -0x1.28f266e50a144p-12,
               0x1.377667681197ep-13, -0x1.4917c4582c60ap-14, 0x1.5dd73cd4ff9a2p-15,
               -0x1.75ce530fdd0a0p-16, 0x1.912d3dbf7b91fp-17, -0x1.b04cc499dc1ecp-18,
               0x1.d35b86ba71222p-19, -0x1.f933e2f5e0462p-20, 0x1.124ab86c7de45p-20,
               -0x1.3393907df62dap-21, 0x1.529c6390a1bfap-22, -0x1.2c112d9ee4dc9p-23,
               0x1.38f88f591c769p-24, -0x1.71e20e695f2bdp-24, 0x1.b5b1c2303c4e2p-25,
               0x1.f461b4efac5e6p-27, -0x1.5a3e8ecf0b667p-27, -0x1.30ee92c838678p-26,
               0x1.62f3e856a741ap-27),
          0x1.040bdfa1f2a11p-56));
}

/// x (lgamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2) as a function of u = 1 / x^2, x >= 3.
TANDEM_FN double stirling(double u) {
  return poly(u, 0x1.5555555555555p-4, -0x1.6c16c16c16b7fp-9, 0x1.a01a019faf53ap-11,
              -0x1.381380c15c0b6p-11, 0x1.b9519cfc0ec2fp-11, -0x1.f69e94355bc15p-10,
              0x1.a35c4e818b749p-8, -0x1.dc3086acc2707p-6, 0x1.5053077fb6973p-3,
              -0x1.040033028a8d8p+0, 0x1.7cb842203081fp+2, -0x1.cf2105d54adddp+4,
              0x1.9f24944956e71p+6, -0x1.d93935b40582cp+7, 0x1.fb08e46bbb2fdp+7);
}

/// (log(x) - 1 / (2x) - digamma(x)) / u likewise.
TANDEM_FN double digamma_tail(double u) {
  return poly(u, 0x1.5555555555551p-4, -0x1.11111110fc1e6p-7, 0x1.041040b8b6bb5p-8,
              -0x1.1110dba31e7cfp-8, 0x1.f0684d6fb1125p-8, -0x1.587a2bbe220a6p-6,
              0x1.4af282bf078e0p-4, -0x1.81f85c26be922p-2, 0x1.c625c437c92aap+0,
              -0x1.b937c9d24daa1p+2, 0x1.1f83478f65989p+4, -0x1.6738d4312dfaep+4);
}

/// digamma(3/2 + t) / (3/2 + t - x0) for |t| <= 1/2.
TANDEM_FN Dd digamma_core(double t) {
  return fast_two_sum(
      0x1.e6f0cbb873616p-1,
      fma(t,
          poly(t, -0x1.b1cb63005ee96p-2, 0x1.eca189b8e6f6ap-3, -0x1.2feeeb98a7e3cp-3,
               0x1.8512e590397cep-4, -0x1.fb44202998280p-5, 0x1.4de9aa1718dd6p-5,
               -0x1.b9f8b1503b692p-6, 0x1.2564719cbcc2fp-6, -0x1.8635590a45458p-7,
               0x1.03c0a62ce4e28p-7, -0x1.5a080a4f7fa3ap-8, 0x1.cd21fa1ba0827p-9,
               -0x1.33508bc807215p-9, 0x1.99ac066cd9406p-10, -0x1.1144bf582c504p-10,
               0x1.6c621dd92a596p-11, -0x1.e17b9da86fb1bp-12, 0x1.40909289852dcp-12,
               -0x1.cd8771895217cp-13, 0x1.35e41c783ffbdp-13, -0x1.e35bd08a3bedfp-15,
               0x1.34c7ad28b1556p-15, -0x1.60543d3c9df38p-14, 0x1.debeacdb4ca51p-15),
          0x1.8f70c7a125e6ap-55));
}

}  // namespace f64

TANDEM_FN bool lgamma_needs_slow(double x) { return x <= -0.5; }

/// log(|gamma(x)|) for x > -1/2.
TANDEM_FN double lgamma_fast(double x) {
  using namespace f64;
  const bool big = x >= 3.0;
  const double a = abs_bits(x);
  // Below 3: lgamma(x) = lgamma(2 + t) -+ log(prod), lgamma(2 + t) = t (1 + t) P(t).
  double t = x < 2.5 ? x - 2.0 : x - 3.0;
  double t1 = x < 2.5 ? x - 1.0 : x - 2.0;
  t = x < 1.0 ? x - 1.0 : t;
  t1 = x < 1.0 ? x : t1;
  t = x < 0.5 ? x : t;
  t1 = x < 0.5 ? 1.0 + x : t1;
  const Dd ax = two_prod(a, x);
  const Dd tiny = fast_two_sum(a, ax.hi);
  double prod = x < 2.5 ? 1.0 : x - 1.0;
  prod = x < 1.0 ? x : prod;
  prod = x < 0.5 ? tiny.hi : prod;
  const double prod_lo = x < 0.5 ? tiny.lo + ax.lo : 0.0;
  const Dd l = log_dd(big ? x : prod, big ? 0.0 : prod_lo);
  const Dd tt = two_prod(t, t1), core = lgamma_core(t);
  const double g = tt.hi * core.hi;
  const double gl = fma(tt.hi, core.hi, -g) + fma(tt.hi, core.lo, tt.lo * core.hi);
  const double lh = x < 1.0 ? -l.hi : l.hi;
  const double ll = x < 1.0 ? -l.lo : l.lo;
  const Dd s = two_sum(lh, g);
  const double small = s.hi + (s.lo + (ll + gl));
  // From 3 on: (x - 1/2) (log(x) - 1) + (log(2 pi) - 1) / 2 + stirling / x.
  const double v = 1.0 / (big ? x : 3.0);
  const Dd m = two_sum(l.hi, -1.0);
  const double h = x - 0.5;
  const Dd p = two_prod(h, m.hi);
  const double c = fma(v, stirling(v * v), 0x1.acfe390c97d69p-2);
  const Dd q = fast_two_sum(p.hi, c);
  const double large = q.hi + (q.lo + fma(h, m.lo + l.lo, p.lo));
  double r = big ? large : small;
  r = p.hi == inf() ? inf() : r;
  r = x == 0.0 ? inf() : r;
  return x == inf() ? x : r;
}

/// By reflection: x <= -1/2.
TANDEM_FN double lgamma_slow(double x) {
  using namespace f64;
  const double a = abs_bits(x);
  const double s = abs_bits(sinpi(a));
  const Dd q = two_prod(a, s);
  const Dd l = log_dd(s > 0.0 ? q.hi : 1.0, s > 0.0 ? q.lo : 0.0);
  const Dd log_quotient = two_sum(0x1.250d048e7a1bdp+0, -l.hi);  // log(pi / q)
  const Dd sum = two_sum(log_quotient.hi, -lgamma_fast(a));
  const double r = sum.hi + (sum.lo + (log_quotient.lo + (0x1.7abf2ad8d5088p-57 - l.lo)));
  double end = s == 0.0 ? inf() : x;  // NaN for NaN
  end = a == inf() ? a : end;
  return s > 0.0 ? r : end;
}

/// log(|gamma(x)|); infinite at 0, -1, -2, ...
TANDEM_FN double lgamma(double x) {
#if defined(__CUDA_ARCH__)
  if (lgamma_needs_slow(x)) return lgamma_slow(x);
  return lgamma_fast(x);
#else
  const double r = lgamma_slow(x < 0.0 ? x : -1.5);
  return lgamma_needs_slow(x) ? r : lgamma_fast(x);
#endif
}

TANDEM_FN bool digamma_needs_slow(double x) { return x < 0.0; }

namespace f64 {
/// Derivative of lgamma for 2^-1000 <= x < inf, in two doubles.
TANDEM_FN Dd digamma_dd(double x) {
  const bool big = x >= 2.0;
  const double z = x >= 3.0 ? x : (big ? x + 1.0 : 3.0);
  const double e = 1.0 / x;
  const double el = fma(-e, x, 1.0) * e;  // 1 / x = e + el
  const Dd l = log_dd(z, 0.0);
  const double v = 1.0 / z;
  const double u = v * v;
  const bool moved = x < 3.0;
  const Dd s = two_sum(l.hi, moved ? -e : 0.0);
  const double tail = fma(u, digamma_tail(u), 0.5 * v);
  const double large_lo = s.lo + ((l.lo - (moved ? el : 0.0)) - tail);
  const bool below = x < 1.0;
  const double t = below ? x - 0.5 : x - 1.5;
  const double d = t - -0x1.3a4f395283812p-5;
  const Dd core = digamma_core(t);
  const double g = fma(d, core.hi, fma(d, core.lo, -core.hi * -0x1.e563779a1f5b1p-60));
  const Dd w = two_sum(below ? -e : 0.0, g);
  const double small_lo = w.lo - (below ? el : 0.0);
  return {big ? s.hi : w.hi, big ? large_lo : small_lo};
}
}  // namespace f64

/// Derivative of lgamma for x >= 0; -inf at +0, +inf at -0.
TANDEM_FN double digamma_fast(double x) {
  using namespace f64;
  const Dd d = digamma_dd(x);
  double r = x < 0x1p-1000 ? -1.0 / x : d.hi + d.lo;
  r = x == 0.0 ? copysign_(inf(), -x) : r;
  return x == inf() ? x : r;
}

/// By reflection, for x < 0: digamma(a) + 1 / a + pi cot(pi a), a = -x. NaN at the poles.
TANDEM_FN double digamma_slow(double x) {
  using namespace f64;
  const double a = abs_bits(x);
  double s, c;
  sincospi(a, s, c);
  const Dd n = two_prod(c, 0x1.921fb54442d18p+1);
  const double q = n.hi / s;
  const double ql = (fma(-q, s, n.hi) + n.lo) / s;
  const double e = 1.0 / a;
  const double el = fma(-e, a, 1.0) * e;
  const Dd f = two_sum(q, e);
  const Dd d = digamma_dd(a);
  const Dd h = two_sum(f.hi, d.hi);
  double r = h.hi + (h.lo + (f.lo + (d.lo + (ql + el))));
  r = a < 0x1p-1000 ? e : r;
  return s == 0.0 ? nan() : r;
}

/// Derivative of lgamma; NaN at -1, -2, ...
TANDEM_FN double digamma(double x) {
#if defined(__CUDA_ARCH__)
  if (digamma_needs_slow(x)) return digamma_slow(x);
  return digamma_fast(x);
#else
  const double r = digamma_slow(x < 0.0 ? x : -1.5);
  return digamma_needs_slow(x) ? r : digamma_fast(x);
#endif
}

TANDEM_FN bool lgamma_needs_slow(float x) { return x <= -0.5f; }
TANDEM_FN bool digamma_needs_slow(float x) { return x < 0.0f; }
TANDEM_FN float lgamma_fast(float x) { return static_cast<float>(lgamma_fast(double(x))); }
TANDEM_FN float lgamma(float x) { return static_cast<float>(lgamma(double(x))); }
TANDEM_FN float digamma_fast(float x) { return static_cast<float>(digamma_fast(double(x))); }
TANDEM_FN float digamma(float x) { return static_cast<float>(digamma(double(x))); }

}  // namespace tandem::fn
