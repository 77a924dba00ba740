// float64 log, log2, log10, log1p and rsqrt.
// x = 2^k m with m in [sqrt 1/2, sqrt 2); log(1+f) = f - f^2/2 + s (f^2/2 + R(s^2)), s = f/(2+f)
// (the scheme of Tang, ACM TOMS 16, 1990, as in fdlibm), kept as a sum of two doubles.
#pragma once

#include "f64_core.h"

namespace tandem::fn {

namespace f64 {

struct LogParts {
  double k, m;
};

/// x = 2^k m for x > 0 finite; anything else gives some finite k and m, for a select to replace.
TANDEM_FN LogParts log_parts(double x) {
  const bool tiny = x < 0x1p-1022;
  const std::uint64_t u = to_bits(tiny ? x * 0x1p54 : x);
  const std::uint64_t kSqrtHalf = 0x3fe6a09e667f3bcdu;
  const std::uint64_t biased = (u - kSqrtHalf + (std::uint64_t(1024) << 52)) >> 52;
  const double k =
      from_bits(0x4330000000000000u | biased) - (tiny ? 0x1p52 + 1078.0 : 0x1p52 + 1024.0);
  return {k, from_bits(u - ((biased - 1024u) << 52))};
}

/// log(1+f) for 1+f in [sqrt 1/2, sqrt 2), s = f/(2+f): about 60 bits.
TANDEM_FN Dd log_kernel(double f, double s) {
  const double z = s * s;
  const double r = z * poly(z, 0x1.5555555555592p-1, 0x1.999999997fcecp-2, 0x1.24924941fe2adp-2,
                            0x1.c71c51fd89fe4p-3, 0x1.7466419280c89p-3, 0x1.39a17011d5a0ep-3,
                            0x1.2f088cf2f1e56p-3);
  const Dd h = two_prod(0.5 * f, f);
  const Dd d = fast_two_sum(f, -h.hi);
  return {d.hi, (d.lo - h.lo) + s * (h.hi + r)};
}
TANDEM_FN Dd log_kernel(double f) { return log_kernel(f, f / (2.0 + f)); }

/// k ln2 + l; k ln2 is exact in its upper part (42 bits of ln2, 11 of k).
TANDEM_FN double log_finish(double k, Dd l) {
  const Dd s = fast_two_sum(k * 0x1.62e42fefa3800p-1, l.hi);
  return s.hi + (s.lo + fma(k, 0x1.ef35793c76730p-45, l.lo));
}

/// The values at the ends of the domain: NaN below 0, -inf at 0, +inf at +inf.
TANDEM_FN double log_ends(double x, double r) {
  r = x > 0.0 ? r : nan();
  r = x == 0.0 ? -inf() : r;
  return x == inf() ? x : r;
}

/// log(1 + w + wl) for finite w >= -1/2 or so; k0 is added to the exponent.
TANDEM_FN double log1p_dd(double w, double wl, double k0) {
  const Dd u = two_sum(1.0, w);
  const LogParts p = log_parts(u.hi);
  const double unscale = from_bits(to_bits(p.m) - to_bits(u.hi) + 0x3ff0000000000000u);  // 2^-k
  const bool near = p.k == 0.0;
  const double f = near ? w : p.m - 1.0;
  const double scaled = p.k > 60.0 ? 0.0 : (u.lo + wl) * unscale;  // below notice for large u
  const double fl = near ? wl : scaled;
  const double v = 1.0 / (2.0 + f);
  const double s = f * v;
  // log(1+f+fl) = log(1+f) + fl/(1+f); 1/(1+f) to ten bits is enough: 4v^2 (1 + s^2).
  const double inv = (4.0 * v * v) * fma(s, s, 1.0);
  Dd l = log_kernel(f, s);
  l.lo = fma(fl, inv, l.lo);
  return log_finish(p.k + k0, l);
}

}  // namespace f64

TANDEM_FN double log(double x) {
  const f64::LogParts p = f64::log_parts(x);
  return f64::log_ends(x, f64::log_finish(p.k, f64::log_kernel(p.m - 1.0)));
}

TANDEM_FN double log2(double x) {
  const f64::LogParts p = f64::log_parts(x);
  const f64::Dd l = f64::log_kernel(p.m - 1.0);
  const double kHi = 0x1.71547652b82fep+0, kLo = 0x1.777d0ffda0d24p-56;
  const f64::Dd t = f64::two_prod(l.hi, kHi);
  const f64::Dd s = f64::fast_two_sum(p.k, t.hi);
  return f64::log_ends(x, s.hi + (s.lo + (t.lo + fma(l.hi, kLo, l.lo * kHi))));
}

TANDEM_FN double log10(double x) {
  const f64::LogParts p = f64::log_parts(x);
  const f64::Dd l = f64::log_kernel(p.m - 1.0);
  const double kHi = 0x1.bcb7b1526e50ep-2, kLo = 0x1.95355baaafad3p-57;
  const f64::Dd t = f64::two_prod(l.hi, kHi);
  const f64::Dd s = f64::fast_two_sum(p.k * 0x1.34413509f7000p-2, t.hi);
  const double lo = fma(p.k, 0x1.3fde623e2566bp-43, t.lo + fma(l.hi, kLo, l.lo * kHi));
  return f64::log_ends(x, s.hi + (s.lo + lo));
}

TANDEM_FN double log1p(double x) {
  double r = f64::log1p_dd(x, 0.0, 0.0);
  r = x > -1.0 ? r : f64::nan();
  r = x == -1.0 ? -f64::inf() : r;
  r = x == f64::inf() ? x : r;
  return abs_bits(x) < 0x1p-54 ? x : r;  // keeps -0
}

TANDEM_FN double rsqrt(double x) { return 1.0 / sqrt_rn(x); }

}  // namespace tandem::fn
