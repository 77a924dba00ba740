// The incomplete gamma functions P(a, x) and Q(a, x), regularised: float32 from doubles, float64
// from pairs of doubles (wide.h).
//
// Note [The incomplete gamma functions]
// The one of P and Q that is not near 1 is computed, the other is 1 minus it.
//   a >= 20, x within 0.3 a of it: Temme's uniform expansion (DLMF 8.12; the sum from one table by
//     a recurrence in a, Gil, Segura and Temme, SIAM J. Sci. Comput. 34, 2012, eq. 2.14-2.19).
//   x <= a or x < 2: P by its power series (DLMF 8.11.4), all terms positive.
//   else: Q by Legendre's continued fraction (DLMF 8.9.2).
//   a < 2^-10, x < 2: Q = 1 - x^a / gamma(1 + a) (1 + a sum (-x)^n / (n! (a + n))), without the 1
//     (DiDonato and Morris, ACM TOMS 12, 1986).
// x^a e^-x / gamma(a + 1) is exp of one exponent in extended precision, gamma by Stirling's series
// from 20 on.
#pragma once

#include "special_f64.h"
#include "wide.h"

namespace tandem::fn {

namespace gamma_inc {

using f64::Dd;
using namespace wide;

/// Values of P and Q.
struct Both {
  double p, q;
};

/// log(gamma(x + 1)) = e + log(f): e by Stirling's series at 20 and more, f what leads there.
template <class R>
struct Gamma {
  R e, f;
};
template <class R>
TANDEM_FN Gamma<R> gamma_of_next(double x) {
  R n = number<R>(x);
  R product = number<R>(1.0);
  for (double i = 1.0; head(n) < 20.0; i += 1.0) {
    n = sum_of<R>(x, i);
    product = times(product, n);
  }
  const R v = over(number<R>(1.0), n);
  const R u = times(v, v);
  const double t = f64::poly(head(u), 0x1.a01a01a01a01ap-11, -0x1.3813813813814p-11,
                             0x1.b951e2b18ff23p-11, -0x1.f6ab0d9993c7dp-10, 0x1.a41a41a41a41ap-8,
                             -0x1.e4286cb0f5398p-6, 0x1.6fe96381e0680p-3);
  R s = plus(times(u, t), number<R>(-0x1.6c16c16c16c17p-9, 0x1.f49f49f49f49fp-64));
  s = plus(times(u, s), number<R>(0x1.5555555555555p-4, 0x1.5555555555555p-58));
  const R e = plus(times(n, plus(log_of(n), -1.0)), times(v, s));
  const R two_pi = number<R>(0x1.921fb54442d18p+2, 0x1.1a62633145c07p-52);
  return {e, over(root(times(n, two_pi)), product)};
}

/// x^a e^-x / gamma(a + 1) for arguments below 2^21.
template <class R>
TANDEM_FN Scaled<R> power_over_gamma(double a, double x) {
  const Gamma<R> g = gamma_of_next<R>(a);
  R e = times(log_of(number<R>(x)), a);
  e = plus(plus(e, -x), negated(g.e));
  const bool far = head(e) < -2000.0;
  const Scaled<R> s = exp_of(far ? number<R>(-2000.0) : e);
  return {over(s.m, g.f), s.n};
}

/// P gamma(a + 1) e^x / x^a = 1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ...
template <class R>
TANDEM_FN R series(double a, double x) {
  const double enough = sizeof(R) == sizeof(double) ? 0x1p-56 : 0x1p-90;
  R term = number<R>(1.0), sum = term;
  for (double n = 1.0; head(term) > head(sum) * enough; n += 1.0) {
    term = over(times(term, x), sum_of<R>(a, n));
    sum = plus(sum, term);
  }
  return sum;
}

/// Q gamma(a) e^x / x^a for x > a: 1 / (x - a + 1 + (a - 1) / (x - a + 3 + 2 (a - 2) / ...)). Its
/// length is found in double (Steed's forward method), then it is evaluated from its end.
template <class R>
TANDEM_FN R fraction(double a, double x) {
  const double enough = sizeof(R) == sizeof(double) ? 0x1p-44 : 0x1p-62;
  const double d = x - a;
  double w = 1.0 / (d + 1.0), change = w, k = 1.0;
  double sum = w;
  for (; abs_bits(change) > sum * enough && k < 2000.0; k += 1.0) {
    const double c = k * (a - k) * w;
    const double b = d + (2.0 * k + 1.0);
    w = 1.0 / (b + c);
    change = -change * c * w;
    sum += change;
  }
  const R distance = sum_of<R>(x, -a);
  R f = plus(distance, 2.0 * k + 1.0);
  for (; k > 0.0; k -= 1.0) {
    const R c = times(sum_of<R>(a, -k), k);
    f = plus(plus(distance, 2.0 * k - 1.0), over(c, f));
  }
  return over(number<R>(1.0), f);
}

/// Q for a < 2^-10 and x < 2: with t = log(x^a / gamma(1 + a)), -expm1(t) - exp(t) a sum.
template <class R>
TANDEM_FN R small_order(double a, double x) {
  const double tail = f64::poly(a, -0x1.a8b9c17aa6149p-3, 0x1.5b40cb100c306p-3,
                                -0x1.2703a1dcea3aep-3, 0x1.010b36af86397p-3);
  // log(gamma(1 + a)) / a by its series (DLMF 5.7.3).
  R g = plus(number<R>(0x1.151323ac7d848p-2, 0x1.b5f91211196e5p-57), number<R>(a * tail));
  g = plus(times(g, a), number<R>(-0x1.9a4d55beab2d7p-2, 0x1.4c26d1b465993p-59));
  g = plus(times(g, a), number<R>(0x1.a51a6625307d3p-1, 0x1.1873d8912200cp-56));
  g = plus(times(g, a), number<R>(-0x1.2788cfc6fb619p-1, 0x1.6cb90701fbfabp-58));
  R term = number<R>(1.0), sum = number<R>(0.0);
  const double enough = sizeof(R) == sizeof(double) ? 0x1p-56 : 0x1p-90;
  for (double n = 1.0; abs_bits(head(term)) > enough; n += 1.0) {
    term = over(times(term, -x), number<R>(n));
    sum = plus(sum, over(term, sum_of<R>(a, n)));
  }
  const R t = times(plus(log_of(number<R>(x)), negated(g)), a);
  // exp(t) may be far below 1: t is -0.73 at the least.
  const R half = expm1_of(scaled(t, 0.5));
  const R h = plus(times(half, half), scaled(half, 2.0));
  const R rest = times(times(plus(h, 1.0), sum), a);
  return negated(plus(h, rest));
}

/// mu - log(1 + mu) for |mu| <= 0.31: mu s - 2 s^3 (1/3 + s^2/5 + ...), s = mu / (2 + mu).
template <class R>
TANDEM_FN R phi(R mu) {
  const R s = over(mu, plus(mu, 2.0));
  const R z = times(s, s);
  const double t = f64::poly(head(z), 1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23,
                             1.0 / 25, 1.0 / 27);
  R p = number<R>(t);
  for (double n = 11.0; n > 2.0; n -= 2.0)
    p = plus(times(z, p), over(number<R>(1.0), number<R>(n)));
  return plus(times(mu, s), negated(times(scaled(times(z, s), 2.0), p)));
}

/// b_(n-1) = f_n + (n + 1) b_(n+1) / a, and the sum of b_k eta^(k-n+1) from k = n - 1 on.
struct Betas {
  double b, next, sum;
};
TANDEM_FN Betas betas(double, double, double) { return {0.0, 0.0, 0.0}; }
template <class... F>
TANDEM_FN Betas betas(double n, double inv_a, double eta, double f, F... rest) {
  const Betas r = betas(n + 1.0, inv_a, eta, rest...);
  const double b = fma((n + 1.0) * inv_a, r.next, f);
  return {b, r.b, fma(r.sum, eta, b)};
}

/// Temme's expansion: the lesser part of erfc's argument is sqrt(a phi).
template <class R>
TANDEM_FN Both uniform(double a, double x) {
  const R mu = over(sum_of<R>(x, -a), number<R>(a));
  const R f = phi(mu);
  const bool above = x > a;
  R e = times(f, a);
  const bool far = head(e) > 2000.0;
  e = far ? number<R>(2000.0) : e;
  const Scaled<R> s = exp_of(negated(e));
  const double size = sqrt_rn(2.0 * head(f));
  const double eta = above ? size : -size;
  const double inv_a = 1.0 / a;
  const Betas sum = betas(
      1.0, inv_a, eta, -0x1.5555555555555p-2, 0x1.5555555555555p-4, -0x1.e573ac901e574p-7,
      0x1.2f684bda12f68p-10, 0x1.71de3a556c734p-12, -0x1.76e06fec7273bp-13, 0x1.48c5892f7cd83p-15,
      -0x1.255370652afc1p-19, -0x1.f1b22f594c6b5p-20, 0x1.bd6d21e4b4109p-21, -0x1.7b5f9a2d0465cp-23,
      0x1.ccf5ceb7f0d9fp-28, 0x1.6097d55c37c1cp-27, -0x1.2d2197c7a2faap-28, 0x1.f6e66d24d5c8ap-31,
      -0x1.c0d9b6edf2b0bp-36, -0x1.0070a87340428p-34, 0x1.ac9475c463659p-36, -0x1.61ca701fd754ap-38,
      0x1.ef98008f5eec2p-44, 0x1.7ba0759769d7cp-42, -0x1.3989bebb193c0p-43, 0x1.0104fc4369a3cp-45,
      -0x1.283fe7950ad7bp-51);
  const double star = fma(sum.next, inv_a, 1.0);  // gamma(a) over its leading term
  const double part = sum.sum / (star * (sqrt_rn(a) * 0x1.40d931ff62706p+1));
  const R root_e = root(e);
  // exp(y^2) erfc(y), y = sqrt(e) (special_f64.h).
  const double y = head(root_e);
  const double bounded = y < 28.0 ? y : 28.0;
  const Dd top = f64::two_sum(bounded, -3.75), bottom = f64::two_sum(bounded, 3.75);
  const double t = top.hi / bottom.hi;
  double yl = 0.0;
  if constexpr (sizeof(R) != sizeof(double)) yl = y < 28.0 ? root_e.lo : 0.0;
  const double tl = (fma(-t, bottom.hi, top.hi) + fma(-t, bottom.lo + yl, top.lo + yl)) / bottom.hi;
  const Dd core = f64::erfc_core(t, tl);
  const Dd den = f64::two_sum(1.0, bounded + bounded);
  const Dd c = over(core, Dd{den.hi, den.lo + (yl + yl)});
  const Dd bracket = plus(scaled(c, 0.5), above ? part : -part);
  const R r = times(s.m, number<R>(bracket.hi, bracket.lo));
  const double tail = far ? 0.0 : finished(r, s.n);
  // 1 - tail, with what the rounding of the tail left out.
  double whole = 1.0 - tail;
  if constexpr (sizeof(R) != sizeof(double)) {
    if (s.n + 200u < 400u) {
      const R w = scaled(r, f64::pow2(s.n));
      whole = rounded(plus(negated(w), 1.0));
    }
  }
  return above ? Both{whole, tail} : Both{tail, whole};
}

/// m 2^n and 1 - m 2^n.
struct Pair {
  double value, rest;
};
template <class R>
TANDEM_FN Pair with_rest(R m, std::uint64_t n) {
  const double value = finished(m, n);
  const bool seen = n + 900u < 1800u;
  const R w = scaled(m, seen ? f64::pow2(n) : 0.0);
  return {value, rounded(plus(negated(w), 1.0))};
}

template <class R>
TANDEM_FN Both finite(double a, double x) {
  const double big = a > x ? a : x;
  if (a >= 20.0 && abs_bits(x - a) <= 0.3 * a) return uniform<R>(a, x);
  if (big > 0x1p20) return x > a ? Both{1.0, 0.0} : Both{0.0, 1.0};
  // Near the least numbers Q is a times a function of x: there a pair keeps its bits if a is
  // scaled.
  const bool tiny = a < 0x1p-900;
  const double b = tiny ? a * 0x1p128 : a;
  const std::uint64_t shift = tiny ? 128u : 0u;
  if (b < 0x1p-10 && x < 2.0) {
    const Pair q = with_rest(small_order<R>(b, x), std::uint64_t(0) - shift);
    return {q.rest, q.value};
  }
  const Scaled<R> d = power_over_gamma<R>(b, x);
  if (x <= b || x < 2.0) {
    const Pair p = with_rest(times(d.m, series<R>(b, x)), d.n);
    return {p.value, p.rest};
  }
  const Pair q = with_rest(times(times(d.m, b), fraction<R>(b, x)), d.n - shift);
  return {q.rest, q.value};
}

/// PyTorch's ends: NaN for negative arguments and for (0, 0) and (inf, inf).
template <class R>
TANDEM_FN Both both(double a, double x) {
  const double nan = f64::nan(), inf = f64::inf();
  if (!(a >= 0.0) || !(x >= 0.0)) return {nan, nan};
  if (a == 0.0) return x > 0.0 ? Both{1.0, 0.0} : Both{nan, nan};
  if (x == 0.0) return {0.0, 1.0};
  if (a == inf) return x == inf ? Both{nan, nan} : Both{0.0, 1.0};
  if (x == inf) return {1.0, 0.0};
  return finite<R>(a, x);
}

}  // namespace gamma_inc

/// P(a, x): the integral of t^(a - 1) e^-t from 0 to x, over gamma(a).
TANDEM_FN double igamma(double a, double x) { return gamma_inc::both<f64::Dd>(a, x).p; }
TANDEM_FN float igamma(float a, float x) {
  return static_cast<float>(gamma_inc::both<double>(double(a), double(x)).p);
}
/// Q(a, x): the integral from x on.
TANDEM_FN double igammac(double a, double x) { return gamma_inc::both<f64::Dd>(a, x).q; }
TANDEM_FN float igammac(float a, float x) {
  return static_cast<float>(gamma_inc::both<double>(double(a), double(x)).q);
}

}  // namespace tandem::fn
