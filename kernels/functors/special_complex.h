// Complex sinc, logaddexp and ldexp, computed in double as complex_math.h does.
#pragma once

#include "complex_math.h"
#include "special_f64.h"

namespace tandem::fn {

/// sin(pi z) / (pi z) with the exact reduction of the real part: (s cosh(pi y) + i c sinh(pi y)) /
/// (pi z); 1 at 0.
TANDEM_FN Complex128 sinc(Complex128 z) {
  double s, c;
  sincospi(z.re, s, c);
  const double kPi = 0x1.921fb54442d18p+1;
  const double y = z.im * kPi;
  const double yl = fma(z.im, 0x1.1a62633145c07p-53, fma(z.im, kPi, -y));
  const double l = abs_bits(y) < 710.0 ? yl : 0.0;  // pi y = y + l
  const double sh = sinh(y), ch = cosh(y);
  const double shl = abs_bits(y) < 710.0 ? sh : 0.0, chl = abs_bits(y) < 710.0 ? ch : 0.0;
  const Complex128 top = {s * fma(l, shl, ch), c * fma(l, chl, sh)};
  const Complex128 r = cx::divide(top, Complex128{z.re * kPi, y});
  const bool zero = (z.re == 0.0) & (z.im == 0.0);
  return {zero ? 1.0 : r.re, zero ? 0.0 : r.im};
}

/// log(exp(x) + exp(y)) from the one with the greater real part.
TANDEM_FN Complex128 logaddexp(Complex128 x, Complex128 y) {
  const bool first = x.re >= y.re;
  const Complex128 m = {cx::choose(first, x.re, y.re), cx::choose(first, x.im, y.im)};
  const Complex128 o = {cx::choose(first, y.re, x.re), cx::choose(first, y.im, x.im)};
  const Complex128 l = log1p(exp(o - m));
  const Complex128 r = {m.re + l.re, m.im + l.im};
  const bool none = (x.re == -f64::inf()) & (y.re == -f64::inf());
  return {cx::choose(none, m.re, r.re), cx::choose(none, m.im, r.im)};
}

/// z 2^w; a real w scales both parts, as ldexp of real numbers.
TANDEM_FN Complex128 ldexp(Complex128 z, Complex128 w) {
  if (w.im == 0.0) return {ldexp(z.re, w.re), ldexp(z.im, w.re)};
  return z * pow(Complex128{2.0, 0.0}, w);
}

TANDEM_FN Complex64 sinc(Complex64 z) { return cast<Complex64>(sinc(cast<Complex128>(z))); }
TANDEM_FN Complex64 logaddexp(Complex64 x, Complex64 y) {
  return cast<Complex64>(logaddexp(cast<Complex128>(x), cast<Complex128>(y)));
}
TANDEM_FN Complex64 ldexp(Complex64 z, Complex64 w) {
  return cast<Complex64>(ldexp(cast<Complex128>(z), cast<Complex128>(w)));
}

}  // namespace tandem::fn
