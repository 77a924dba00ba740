// Arithmetic in a double or in two, by the type of the number: a formula written once gives float32
// its result from doubles and float64 from pairs (about 100 bits).
// Method: Dekker; Hida, Li and Bailey, ARITH 2001 (sums that may cancel); Muller et al., Handbook
// of Floating-Point Arithmetic, ch. 14. No result may overflow: a pair cannot be infinite.
#pragma once

#include "exp_f64.h"
#include "log_f64.h"

namespace tandem::fn::wide {

using f64::Dd;

TANDEM_FN double head(double x) { return x; }
TANDEM_FN double head(Dd x) { return x.hi; }
TANDEM_FN double rounded(double x) { return x; }
TANDEM_FN double rounded(Dd x) { return x.hi + x.lo; }

/// A constant or a sum of two numbers as R.
template <class R>
TANDEM_FN R number(double hi, double lo = 0.0) {
  if constexpr (sizeof(R) == sizeof(double))
    return hi;
  else
    return {hi, lo};
}
template <class R>
TANDEM_FN R sum_of(double a, double b) {
  if constexpr (sizeof(R) == sizeof(double))
    return a + b;
  else
    return f64::two_sum(a, b);
}

TANDEM_FN double negated(double x) { return -x; }
TANDEM_FN Dd negated(Dd x) { return {-x.hi, -x.lo}; }

TANDEM_FN double plus(double a, double b) { return a + b; }
TANDEM_FN Dd plus(Dd a, Dd b) {
  const Dd s = f64::two_sum(a.hi, b.hi), t = f64::two_sum(a.lo, b.lo);
  const Dd u = f64::fast_two_sum(s.hi, s.lo + t.hi);
  return f64::fast_two_sum(u.hi, u.lo + t.lo);
}
TANDEM_FN Dd plus(Dd a, double b) {
  const Dd s = f64::two_sum(a.hi, b);
  return f64::fast_two_sum(s.hi, s.lo + a.lo);
}

TANDEM_FN double times(double a, double b) { return a * b; }
TANDEM_FN Dd times(Dd a, Dd b) { return f64::mul(a, b); }
TANDEM_FN Dd times(Dd a, double b) { return f64::mul(a, b); }

TANDEM_FN double over(double a, double b) { return a / b; }
TANDEM_FN Dd over(Dd a, Dd b) {
  const double q = a.hi / b.hi;
  const Dd p = f64::two_prod(q, b.hi);
  const double r = ((a.hi - p.hi) - p.lo) + fma(-q, b.lo, a.lo);
  return f64::fast_two_sum(q, r / b.hi);
}

/// x times a power of two.
TANDEM_FN double scaled(double x, double p) { return x * p; }
TANDEM_FN Dd scaled(Dd x, double p) { return {x.hi * p, x.lo * p}; }

TANDEM_FN double root(double x) { return sqrt_rn(x); }
TANDEM_FN Dd root(Dd x) { return f64::sqrt_dd(x); }

/// m 2^n, n in two's complement.
template <class R>
struct Scaled {
  R m;
  std::uint64_t n;
};

/// exp(r) - 1 for |r| <= 0.36: its series at r / 2^8, doubled eight times.
TANDEM_FN Dd expm1_small(Dd r) {
  const Dd s = scaled(r, 0x1p-8);
  const double q = f64::poly(s.hi, 0x1.6c16c16c16c17p-10, 0x1.a01a01a01a01ap-13,
                             0x1.a01a01a01a01ap-16, 0x1.71de3a556c734p-19, 0x1.27e4fb7789f5cp-22);
  Dd p = plus(times(s, q), Dd{0x1.1111111111111p-7, 0x1.1111111111111p-63});
  p = plus(times(s, p), Dd{0x1.5555555555555p-5, 0x1.5555555555555p-59});
  p = plus(times(s, p), Dd{0x1.5555555555555p-3, 0x1.5555555555555p-57});
  p = plus(times(s, p), 0.5);
  Dd m = plus(times(times(s, s), p), s);
  for (int i = 0; i < 8; ++i) m = plus(times(m, m), scaled(m, 2.0));
  return m;
}

TANDEM_FN double expm1_of(double x) { return expm1(x); }
TANDEM_FN Dd expm1_of(Dd x) { return expm1_small(x); }

/// exp(x) for |x| < 2^30; m is about 1.
TANDEM_FN Scaled<double> exp_of(double x) {
  const f64::ExpParts e = f64::exp_parts(x);
  return {e.hi + e.lo, e.n};
}
TANDEM_FN Scaled<Dd> exp_of(Dd x) {
  const double t = fma(x.hi, f64::kLog2e, f64::kMagic);
  const double k = t - f64::kMagic;
  const Dd a = f64::two_prod(-k, f64::kLn2), b = f64::two_prod(-k, f64::kLn2Lo);
  const Dd r = plus(plus(x, a), Dd{b.hi, fma(-k, 0x1.7b57a079a1934p-111, b.lo)});
  return {plus(expm1_small(r), 1.0), to_bits(t) - f64::kMagicBits};
}

/// log(x) for a positive finite x. In two doubles one step of Newton's method.
TANDEM_FN double log_of(double x) { return log(x); }
TANDEM_FN Dd log_of(Dd x) {
  const f64::LogParts p = f64::log_parts(x.hi);
  const double lo = x.lo == 0.0 ? 0.0 : x.lo * (p.m / x.hi);
  const double y = f64::log_finish(0.0, f64::log_kernel(p.m - 1.0));
  const Dd u = expm1_small({-y, 0.0});
  const Dd m = f64::fast_two_sum(p.m, lo);
  const Dd d = plus(plus(m, -1.0), times(m, u));  // small: m exp(-y) - 1
  const Dd l = plus(f64::two_sum(y, d.hi), fma(-0.5 * d.hi, d.hi, d.lo));
  const Dd a = f64::two_prod(p.k, f64::kLn2), b = f64::two_prod(p.k, f64::kLn2Lo);
  return plus(a, plus(l, Dd{b.hi, fma(p.k, 0x1.7b57a079a1934p-111, b.lo)}));
}

/// x 2^n rounded once; 0 for what is far below the least number, infinite far above the greatest.
template <class R>
TANDEM_FN double finished(R x, std::uint64_t n) {
  const auto k = static_cast<std::int64_t>(n);
  const std::uint64_t low = static_cast<std::uint64_t>(std::int64_t(-2000));
  const std::uint64_t bounded = k < -2000 ? low : (k > 2000 ? std::uint64_t(2000) : n);
  return f64::scale(rounded(x), bounded);
}

}  // namespace tandem::fn::wide
