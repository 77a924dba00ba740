// lint: oracle table. Special functions in long double from the C++ library's alone, for
// elementwise_oracle.h.
#pragma once

#include <cmath>

#include "tests/support/elements.h"

namespace tandem::test::oracle {

/// Halley's iteration on erf or erfc, from a closed form good to a hundredth (Winitzki).
inline Real erfinv(Real x) {
  const Real a = std::fabs(x);
  if (!(a < 1)) return a == 1 ? std::copysign(HUGE_VALL, x) : NAN;
  if (a < 1e-12L) return x * 0.886226925452758013649083741670572591L;
  const Real l = std::log1p(-a * a);
  const Real h = 4.3307467508L + l / 2;
  Real y = std::sqrt(std::sqrt(h * h - l / 0.147L) - h);
  for (int i = 0; i < 5; ++i) {
    const Real e = a < 0.5L ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const Real d = e * 0.886226925452758013649083741670572591L * std::exp(y * y);
    y -= d / (1 + d * y);
  }
  return std::copysign(y, x);
}

/// Recurrence to 30 and more, asymptotic series there; reflected below 0.
inline Real digamma(Real x) {
  if (x == 0) return -std::copysign(HUGE_VALL, x);
  if (std::isinf(x)) return x > 0 ? x : NAN;
  if (x != x || (x < 0 && x == std::floor(x))) return NAN;
  Real a = std::fabs(x);
  Real sum = 0;
  if (x < 0) sum = 1 / a - M_PIl / std::tan(M_PIl * (x - std::nearbyint(x)));
  for (; a < 30; a += 1) sum -= 1 / a;
  const Real u = 1 / (a * a);
  const Real c[] = {1.0L / 12,  -1.0L / 120,     1.0L / 252, -1.0L / 240,
                    1.0L / 132, -691.0L / 32760, 1.0L / 12,  -3617.0L / 8160};
  Real tail = 0;
  for (int k = 7; k >= 0; --k) tail = (tail + c[k]) * u;
  return sum + (std::log(a) - 0.5L / a - tail);
}

/// The power series: positive terms.
inline Real i0(Real x) {
  if (!(std::fabs(x) < 5000)) return x != x ? x : HUGE_VALL;
  const Real z = x * x / 4;
  Real term = 1;
  Real sum = 1;
  for (int k = 1; k < 9000 && term > sum * 0x1p-70L; ++k) {
    term *= z / (static_cast<Real>(k) * k);
    sum += term;
  }
  return sum;
}

inline Real sinc(Real x) {
  if (x == 0) return 1;
  const Real f = std::fmod(x, 2.0L);
  if (f == std::floor(f)) return 0;
  return std::sin(M_PIl * f) / (M_PIl * x);
}

/// x 2^y; 0 and the infinities stay for every finite y.
inline Real load_exponent(Real x, Real y) {
  if ((x == 0 || std::isinf(x)) && std::isfinite(y)) return x;
  if (std::isfinite(y) && y == std::floor(y) && std::fabs(y) < 30000)
    return std::ldexp(x, static_cast<int>(y));
  return x * std::exp2(y);
}

inline Real log_of_sum(Real x, Real y, bool base2) {
  if (x != x || y != y) return x + y;
  if (x == y && std::isinf(x)) return x;
  const Real m = std::fmax(x, y);
  const Real d = -std::fabs(x - y);
  if (base2) return x == y ? x + 1 : m + std::log1p(std::exp2(d)) / M_LN2l;
  return m + std::log1p(std::exp(d));
}

/// The number of the format next to x in the direction of y.
inline Real neighbour(Real x, Real y, DType t) {
  if (x != x || y != y) return x + y;
  if (x == y) return y;
  const FloatFormat f = format_of(t);
  const Real least = std::ldexp(Real(1), f.min_exponent - f.digits + 1);
  if (x == 0) return std::copysign(least, y);
  const Real a = std::fabs(x);
  const bool away = (y > x) == (x > 0);
  if (std::isinf(x)) return std::copysign(f.max, x);
  Real step = ulp(a, t);
  const bool power = a == std::ldexp(Real(1), std::ilogb(a));
  if (!away && power && a > std::ldexp(Real(1), f.min_exponent)) step /= 2;
  const Real r = away ? a + step : a - step;
  return std::copysign(r > f.max ? HUGE_VALL : r, x);
}

inline Int magnitude_of(Int x) { return x < 0 ? -x : x; }
inline Int divisor(Int x, Int y) {
  x = magnitude_of(x);
  y = magnitude_of(y);
  while (y != 0) {
    const Int r = x % y;
    x = y;
    y = r;
  }
  return x;
}

}  // namespace tandem::test::oracle
