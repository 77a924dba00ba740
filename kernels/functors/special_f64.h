// float64 erfc, erfinv, i0, logaddexp, logit, sinc, xlogy and their kin, ldexp.
// Branch-free; what one more rounding would spoil is carried in two doubles.
#pragma once

#include "exp_f64.h"
#include "log_f64.h"
#include "trig_f64.h"

namespace tandem::fn {

namespace f64 {

/// (1 + 2x) exp(x^2) erfc(x) as a function of t = (x - 3.75) / (x + 3.75), 0 <= x <= 28 (the
/// variable of Shepherd and Laframboise, Math. Comp. 36, 1981). t + tl: the slope is needed to
/// three digits only.
TANDEM_FN Dd erfc_core(double t, double tl) {
  const double p = poly(t, -0x1.1f367683f89a6p-3, 0x1.d5f2948159c64p-9, 0x1.510169d096784p-4,
                        -0x1.bda9309a286fbp-4, 0x1.7a14188a9af8fp-4, -0x1.e0d0fa6e05f45p-5,
                        0x1.d0b0037d6b0bfp-6, -0x1.3f603c32b5522p-7, 0x1.cc3a0e63b4697p-10,
                        0x1.33fb23a58bf6cp-12, -0x1.303fa4602609dp-12, 0x1.b1445a9716b35p-15,
                        0x1.778bff4b8bd7cp-16, -0x1.8008a7cf418e4p-17, -0x1.0579913f78dc9p-20,
                        0x1.d6a3903d3ec68p-20, -0x1.e0aa3712c9905p-25, -0x1.17839be7ba415p-22,
                        0x1.71a2c397b9076p-26, 0x1.52fe13a80ccfdp-25, -0x1.4f3ae244af5d1p-29,
                        -0x1.61a3450223095p-28, -0x1.b565e7df7abdap-34, 0x1.45c6467017b55p-32);
  const double slope = poly(t, -0x1.20180bbfad6f7p-3, 0x1.450bf1523ac90p-8, 0x1.0af0977dbd156p-2,
                            -0x1.a3a87fbb5ffc4p-2, 0x1.95fb297d4633bp-2, -0x1.ba7bcca91b654p-2,
                            0x1.1f0d1533d8ee3p-2);
  Dd s = fast_two_sum(0x1.3ccda0b5d5dc2p+0, p * t);
  s.lo += fma(tl, slope, 0x1.e65b158f28ce5p-54);
  return s;
}

/// exp(-x * x) as hi + lo times 2^n.
TANDEM_FN ExpParts exp_of_minus_square(double x) {
  const Dd s = two_prod(x, x);
  std::uint64_t n;
  const Dd r = exp_reduce(-s.hi, n);
  const Dd t = two_sum(r.hi, r.lo - s.lo);
  const Dd e = exp_kernel(t.hi, t.lo);
  return {e.hi, e.lo, n};
}

/// poly() and its derivative.
struct PolyAndSlope {
  double value, slope;
};
TANDEM_FN PolyAndSlope poly_and_slope(double, double c0) { return {c0, 0.0}; }
template <class... C>
TANDEM_FN PolyAndSlope poly_and_slope(double x, double c0, C... rest) {
  const PolyAndSlope r = poly_and_slope(x, rest...);
  return {fma(r.value, x, c0), fma(r.slope, x, r.value)};
}

/// p = c + z p, and the slope of that.
TANDEM_FN void add_term(double c, double z, Dd& p, double& slope) {
  slope = fma(slope, z, p.hi);
  const Dd m = two_prod(z, p.hi);
  const Dd s = two_sum(c, m.hi);
  p = {s.hi, s.lo + fma(z, p.lo, m.lo)};
}

/// k ln2 + l.
TANDEM_FN Dd log_pair_sum(double k, Dd l) {
  const Dd s = fast_two_sum(k * 0x1.62e42fefa3800p-1, l.hi);
  return fast_two_sum(s.hi, s.lo + fma(k, 0x1.ef35793c76730p-45, l.lo));
}
/// log(x + xl) for positive finite x; xl at most some places of x.
TANDEM_FN Dd log_dd(double x) {
  const LogParts p = log_parts(x);
  return log_pair_sum(p.k, log_kernel(p.m - 1.0));
}
TANDEM_FN Dd log_dd(double x, double xl) {
  const LogParts p = log_parts(x);
  Dd l = log_kernel(p.m - 1.0);
  l.lo += xl / x;
  return log_pair_sum(p.k, l);
}

/// log(1 + e + el) for 0 <= e <= 1.
TANDEM_FN Dd log1p_unit(double e, double el) {
  const Dd u = two_sum(1.0, e);
  const double half = u.hi > 0x1.6a09e667f3bcdp+0 ? 0.5 : 1.0;
  const bool near = half == 1.0;
  const double f = near ? e : fma(u.hi, 0.5, -1.0);
  const double fl = near ? el : (u.lo + el) * 0.5;
  Dd l = log_kernel(f);
  l.lo = l.lo + fl / (1.0 + f);
  return log_pair_sum(near ? 0.0 : 1.0, l);
}

}  // namespace f64

/// 1 - erf(x), to its last subnormal results.
TANDEM_FN double erfc(double x) {
  using namespace f64;
  const double a = clamp(abs_bits(x), 0.0, 28.0);
  const Dd top = two_sum(a, -3.75), bottom = two_sum(a, 3.75);
  const double t = top.hi / bottom.hi;
  const double tl = (fma(-t, bottom.hi, top.hi) + fma(-t, bottom.lo, top.lo)) / bottom.hi;
  const Dd p = erfc_core(t, tl);
  const Dd d = two_sum(1.0, a + a);
  const double q = p.hi / d.hi;
  const double ql = (fma(-q, d.hi, p.hi) + fma(-q, d.lo, p.lo)) / d.hi;
  const ExpParts e = exp_of_minus_square(a);
  const double y = e.hi * q;
  const double yl = fma(e.hi, q, -y) + fma(e.lo, q, e.hi * ql);
  const double r = scale(y + yl, e.n);
  return x < 0.0 ? 2.0 - r : r;
}

/// The y with erf(y) = x: a polynomial in w = -log(1 - x^2), or in its square root (Giles, GPU
/// Computing Gems, 2011, ch. 10).
TANDEM_FN double erfinv(double x) {
  using namespace f64;
  const double a = abs_bits(x);
  const double u = (1.0 - a) * (1.0 + a);
  const Dd l = log_dd(u > 0.0 ? u : 1.0);
  const double w = -l.hi;
  const double s = sqrt_rn(w);
  const double sl = -fma(s, s, l.hi) - l.lo;  // twice s times what s lacks
  // Centred polynomials; the sum with the constant term keeps its rounding error.
  const double half = sl * 0.5 / (s > 0.0 ? s : 1.0);
  const double wa = (w - 3.125) - l.lo, sb = (s - 3.25) + half, sc = (s - 5.0) + half;
  // What is left of w after its rounding, times the slope; near 0 the last terms are as great as
  // the result and are added in two doubles.
  const Dd shifted = two_sum(w, -3.125);
  const double wl = ((shifted.hi - wa) - l.lo) + shifted.lo;
  Dd q = {poly(wa, -0x1.84576948356a9p-11, 0x1.879c2a20b5290p-13, -0x1.d1d1f7ca22394p-17,
               -0x1.6e8a53cde92fdp-20, 0x1.c6b4f88bef53dp-22, -0x1.f36ced4685983p-26,
               -0x1.1a9eb0f077278p-28, 0x1.20f5363e17547p-30, -0x1.dc3f13804f5f2p-35,
               -0x1.c8a3f91041b23p-37, 0x1.7235dfe19db57p-39, -0x1.6bdbe6a2b41d0p-44,
               -0x1.686e5f7c6b32fp-45, 0x1.d6c6e94ec9c27p-48, -0x1.6fcfce7cf9c6cp-55,
               -0x1.1ca757d1dc1a4p-53, 0x1.1ec2344d6748cp-56, 0x1.9aa6ee0c34f4ap-61,
               -0x1.9bbfe87f788b6p-62, 0x1.386a11a0fa299p-66, 0x1.e67fc38e55288p-69,
               -0x1.6ade5252dedccp-72),
          0.0};
  double slope = 0.0;
  add_term(-0x1.8b6c33114ead6p-8, wa, q, slope);
  add_term(0x1.ebd80d9b13dfap-3, wa, q, slope);
  add_term(-0x1.59c57b5423553p-56, wa, q, slope);
  const double near = q.hi;
  const double slack = fma(wl, slope, q.lo);
  const double middle =
      fma(sb,
          poly(sb, 0x1.0158a6d641d55p+0, 0x1.5ffcfe5b6cd7ap-8, -0x1.ebadabba02388p-9,
               0x1.468eeca942c92p-9, -0x1.ba9240d8976aap-10, 0x1.f3cc545e58a87p-11,
               -0x1.7448bcc193cc8p-12, 0x1.932e8ebb2c2dcp-16, 0x1.1e6abb03892e2p-14,
               -0x1.8cf45f9040410p-15, 0x1.a241e7235413ap-17, 0x1.8999a87af8856p-19,
               -0x1.0b7a98bdc4de4p-18, 0x1.8dbb94d4089f9p-20, -0x1.d955bd2f3180fp-26,
               -0x1.07b88c05544a1p-22, 0x1.1a747649daa1ep-23, -0x1.65afe3d1cb288p-26,
               -0x1.0691aa0074c7cp-26, 0x1.06b836f325459p-27),
          -0x1.92b70013c50cfp-54);
  const double far =
      fma(sc,
          poly(sc, 0x1.02a30d1fba10bp+0, -0x1.22ea5df1c864fp-13, -0x1.c2f36aa151b62p-13,
               0x1.3ebf4efa436c8p-14, -0x1.4a3490494e1f4p-16, 0x1.2fbcfe2910166p-18,
               -0x1.0a903117abcc1p-20, 0x1.ebe29ef288efbp-23, -0x1.22390c403672cp-24,
               0x1.f297b94ec2f4dp-26, -0x1.055e23960f470p-26, 0x1.0c7e553057fc9p-27,
               -0x1.e5bc1e746759cp-29, 0x1.6c8150f146218p-30, -0x1.a2ab8afdae0d8p-32,
               0x1.0c6d8c83f652ap-34, 0x1.0372ebba3f6e7p-36, -0x1.1fca87578e797p-36,
               0x1.9d66b9d743289p-38, -0x1.c9a5ded036772p-41),
          -0x1.7bd83dc092ff5p-54);
  double c = w < 6.25 ? 0x1.a755e7c99ae86p+0 : 0x1.8abcc380d5a48p+1;
  double p = w < 6.25 ? near : middle;
  c = w < 16.0 ? c : 0x1.3664ddd1ad7fbp+2;
  p = w < 16.0 ? p : far;
  const Dd v = fast_two_sum(c, p);
  const double y = fma(x, v.hi, x * (v.lo + (w < 6.25 ? slack : 0.0)));
  const double end = a == 1.0 ? copysign_(inf(), x) : nan();
  return a < 1.0 ? y : end;
}

/// Modified Bessel function of the first kind, order 0: its series in x^2 / 4 up to 12 (with the
/// rounding of the square made good), beyond it exp(x) / sqrt(x) times a polynomial in 1 / x.
TANDEM_FN double i0(double x) {
  using namespace f64;
  const double a = clamp(abs_bits(x), 0.0, 715.0);
  const double b = a < 12.0 ? a : 12.0;
  const Dd z = two_prod(0.25 * b, b);
  // The first terms are the greatest: they are added in two doubles.
  const PolyAndSlope q = poly_and_slope(
      z.hi, 0x1.02e85c0894ed2p-19, 0x1.522a43f6a03c9p-25, 0x1.522a43f2275dep-31,
      0x1.0b3132b4be043p-37, 0x1.560185ca90362p-44, 0x1.69cabadbf3a7fp-51, 0x1.41969f4d058a3p-58,
      0x1.e7335772be6aap-66, 0x1.3ddaa984bfaa5p-73, 0x1.6c295b2d5bd2dp-81, 0x1.5d5e35f00f893p-89,
      0x1.741ffd4747dcep-97, 0x1.c6a9f1a8640a3p-107, 0x1.8c66a6d29890ap-113);
  Dd p = {q.value, 0.0};
  double slope = q.slope;
  add_term(0x1.23456789ac0f9p-14, z.hi, p, slope);
  add_term(0x1.c71c71c71c6c2p-10, z.hi, p, slope);
  add_term(0x1.c71c71c71c721p-6, z.hi, p, slope);
  add_term(0x1.0000000000000p-2, z.hi, p, slope);
  add_term(0x1.0000000000000p+0, z.hi, p, slope);
  add_term(1.0, z.hi, p, slope);
  const double near = p.hi + fma(z.lo, slope, p.lo);
  const double v = 1.0 / (a < 12.0 ? 12.0 : a);
  const double g = poly(
      v - 0x1.5555555555555p-5, 0x1.9ab25f8f56038p-2, 0x1.ad081ecd040b5p-5, 0x1.082b678f34c97p-5,
      0x1.3cd467f11c98ap-5, 0x1.271c7a3ff8094p-4, 0x1.824c48176248ep-3, 0x1.50ec3040dea53p-1,
      0x1.7c7b9b2b3ce44p+1, 0x1.1315805859fffp+4, 0x1.f8e197f8265fap+6, 0x1.2a86a350199aap+10,
      0x1.1a06aaecc4313p+14, 0x1.2ee02f3a7614dp+18, 0x1.6976c2eb8ca0bp+19, -0x1.6de09d81c714fp+26,
      -0x1.288956eb4be41p+30, 0x1.896b9f679cd22p+32, 0x1.1b3c997e88483p+37, 0x1.1d8def6851051p+37);
  const ExpParts e = exp_parts(a);
  const double b2 = a < 12.0 ? 12.0 : a;
  const double root = sqrt_rn(b2);
  const double f = g * (root * v);
  // What f root lacks of g, and root^2 of its square.
  const double fl = (fma(-f, root, g) - 0.5 * f * fma(-root, root, b2) * (root * v)) * (root * v);
  const double y = e.hi * f;
  const double far = scale(y + (fma(e.hi, f, -y) + fma(e.lo, f, e.hi * fl)), e.n);
  return abs_bits(x) < 12.0 ? near : far;  // NaN goes the far way
}

/// log(exp(x) + exp(y)).
TANDEM_FN double logaddexp(double x, double y) {
  using namespace f64;
  const double m = x > y ? x : y;
  const double other = x > y ? y : x;
  const Dd d = two_sum(other, -m);
  const bool live = d.hi > -746.0;  // false for NaN, too
  std::uint64_t n;
  const Dd r = exp_reduce(live ? d.hi : -746.0, n);
  const Dd t = two_sum(r.hi, r.lo + (live ? d.lo : 0.0));
  const Dd k = exp_kernel(t.hi, t.lo);
  const Dd e = fast_two_sum(k.hi, k.lo);
  const double hi = scale(e.hi, n), lo = n + 960u > 960u ? 0.0 : e.lo * pow2(n);
  const Dd l = log1p_unit(live ? hi : 0.0, live ? lo : 0.0);
  const Dd s = two_sum(m, l.hi);
  double v = s.hi + (s.lo + l.lo);
  v = abs_bits(m) == inf() ? m : v;
  return (x != x) | (y != y) ? x + y : v;
}

/// log2(2^x + 2^y).
TANDEM_FN double logaddexp2(double x, double y) {
  using namespace f64;
  const double kHi = 0x1.71547652b82fep+0, kLo = 0x1.777d0ffda0d24p-56;
  const double m = x > y ? x : y;
  const double other = x > y ? y : x;
  const Dd d = two_sum(other, -m);
  const bool live = d.hi > -1076.0;
  const ExpParts k = exp2_parts(live ? d.hi : -1076.0, live ? d.lo : 0.0);
  const Dd e = fast_two_sum(k.hi, k.lo);
  const double hi = scale(e.hi, k.n), lo = k.n + 960u > 960u ? 0.0 : e.lo * pow2(k.n);
  const double u = live ? hi : 0.0;
  Dd l = log1p_unit(u, live ? lo : 0.0);
  // 1 + 1 gives exactly 1.
  const Dd p = mul(l, Dd{kHi, kLo});
  const bool one = u == 1.0;
  const Dd s = two_sum(m, one ? 1.0 : p.hi);
  double v = s.hi + (s.lo + (one ? 0.0 : p.lo));
  v = abs_bits(m) == inf() ? m : v;
  return (x != x) | (y != y) ? x + y : v;
}

/// log(x / (1 - x)).
TANDEM_FN double logit(double x) {
  using namespace f64;
  const Dd d = two_sum(1.0, -x);
  const double q = x / d.hi;
  const double ql = (fma(-q, d.hi, x) - q * d.lo) / d.hi;
  const Dd l = log_dd(q, ql);
  double r = l.hi + l.lo;
  r = (x > 0.0) & (x < 1.0) ? r : nan();
  r = x == 0.0 ? -inf() : r;
  return x == 1.0 ? inf() : r;
}

/// sin(pi x) / (pi x); 1 at 0.
TANDEM_FN double sinc(double x) {
  using namespace f64;
  const double s = sinpi(x);
  const Dd p = two_prod(x, 0x1.921fb54442d18p+1);
  const double pl = fma(x, 0x1.1a62633145c07p-53, p.lo);
  const double q = s / p.hi;
  const double r = q - q * (pl / p.hi);
  const double a = abs_bits(x);
  const double far = a > 0x1p1000 ? abs_bits(s) * 0.0 : r;  // an integer; NaN for infinity
  const double near = fma(p.hi * p.hi, sin_tail(p.hi * p.hi), 1.0);
  return a < 0.25 ? near : far;
}

/// x log(y); 0 where x is 0 and y no NaN.
TANDEM_FN double xlogy(double x, double y) {
  const double r = x * log(y);
  return (x == 0.0) & (y == y) ? 0.0 : r;
}
/// x log(1 + y), likewise.
TANDEM_FN double xlog1py(double x, double y) {
  const double r = x * log1p(y);
  return (x == 0.0) & (y == y) ? 0.0 : r;
}

/// x 2^y: one rounding for an integer y, exp2's besides for others.
TANDEM_FN double ldexp(double x, double y) {
  using namespace f64;
  const double c = clamp(y, -4096.0, 4096.0);
  const double n = floor_(c);
  const double f = c - n;
  // |x| as m 2^k, m in [1, 2).
  const bool tiny = abs_bits(x) < 0x1p-1022;
  const std::uint64_t u = to_bits(tiny ? x * 0x1p54 : x);
  const std::uint64_t k = ((u >> 52) & 0x7ffu) - (tiny ? 1077u : 1023u);
  const double m = from_bits((u & 0x800fffffffffffffu) | 0x3ff0000000000000u);
  const double g = exp2(f);
  const double p = f == 0.0 ? m : m * g;
  const std::uint64_t e = k + (to_bits(n + kMagic) - kMagicBits);
  const bool low = static_cast<std::int64_t>(e) < -1100;
  const bool high = static_cast<std::int64_t>(e) > 1100;
  std::uint64_t bounded = low ? static_cast<std::uint64_t>(-1100) : e;
  bounded = high ? std::uint64_t(1100) : bounded;
  const double r = scale(p, bounded);
  const bool ordinary = (x != 0.0) & (abs_bits(x) < inf()) & (y == y);
  double edge = abs_bits(y) == inf() ? x * (y > 0.0 ? inf() : 0.0) : x;
  edge = y == y ? edge : y;
  return ordinary ? r : edge;
}

}  // namespace tandem::fn
