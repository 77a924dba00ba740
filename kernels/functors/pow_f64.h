// float64 pow: log2|x| in two doubles from atanh's series, then exp2 of y times it. C's values at
// all the special operands.
#pragma once

#include "exp_f64.h"
#include "log_f64.h"

namespace tandem::fn {

namespace f64 {

/// log2 of x > 0, finite, to about 68 bits: 2 atanh(s), s = (m-1)/(m+1), the terms up to s^5 in
/// two doubles.
TANDEM_FN Dd log2_dd(double x) {
  const LogParts p = log_parts(x);
  const double f = p.m - 1.0;
  const Dd den = two_sum(1.0, p.m);
  const double inv = 1.0 / den.hi;
  const double sh = f * inv;
  const double sl = (fma(-sh, den.hi, f) - sh * den.lo) * inv;
  const Dd s = fast_two_sum(sh, sl);
  const Dd z = mul(s, s);
  const double q = poly(z.hi, 0x1.2492492492489p-3, 0x1.c71c71c71f1a7p-4, 0x1.745d17435020ap-4,
                        0x1.3b13b27e7ddcap-4, 0x1.1110b092c03f4p-4, 0x1.e205057087390p-5,
                        0x1.ab54805b5dc35p-5, 0x1.c0516b92b61e3p-5);
  // atanh(s) / s = 1 + z (1/3 + z (1/5 + z q)).
  Dd t = add({0x1.999999999999ap-3, -0x1.999999999999ap-57}, two_prod(z.hi, q));
  t = add({0x1.5555555555555p-2, 0x1.5555555555555p-56}, mul(z, t));
  t = mul(mul(s, z), t);
  const Dd l = add(s, t);
  const Dd two = mul(l, Dd{0x1.71547652b82fep+1, 0x1.777d0ffda0d24p-55});
  return add({p.k, 0.0}, two);
}

}  // namespace f64

TANDEM_FN double pow(double x, double y) {
  const double ax = abs_bits(x), ay = abs_bits(y);
  const double inf = f64::inf();
  const f64::Dd l = f64::log2_dd(ax);
  // The exponent y log2|x|, kept in exp2's range; the low part means nothing once it is clamped.
  const double e = y * l.hi;
  const bool out = !(abs_bits(e) < 1100.0);
  const double el = out ? 0.0 : fma(y, l.hi, -e) + y * l.lo;
  const f64::ExpParts p = f64::exp2_parts(f64::clamp(e, -1100.0, 1100.0), el);
  double r = f64::scale(p.hi + p.lo, p.n);
  const bool whole = rint_(y) == y;  // true of the infinities
  const bool odd = whole & (rint_(y * 0.5) != y * 0.5);
  // & and | rather than && and ||: a short circuit here keeps g++ from vectorising.
  // Ends: |x| or |y| zero or infinite. Growing: the result is infinity where it is not 1.
  const bool end = (ax == 0.0) | (ax == inf) | (ay == inf);
  const bool grows = (ax > 1.0) == (y > 0.0);
  const double limit = grows ? inf : 0.0;
  r = end ? limit : r;
  r = ax == 1.0 ? 1.0 : r;
  r = ((x < 0.0) & (ax < inf) & !whole) ? f64::nan() : r;
  r = (((to_bits(x) >> 63) != 0u) & odd) ? -r : r;
  r = ((x != x) | (y != y)) ? f64::nan() : r;
  return ((y == 0.0) | (x == 1.0)) ? 1.0 : r;
}

}  // namespace tandem::fn
