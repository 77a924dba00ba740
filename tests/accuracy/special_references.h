// What float32's special functions are measured against, from libm alone: double or long double
// arithmetic that is right to well below a place of float.
// lint: oracle table
#pragma once

#include <cmath>

namespace tandem::testing::references {

inline double nan_of(double x) { return x - x + NAN; }

/// Halley's iteration on erf or erfc, from a closed form good to a hundredth (Winitzki).
inline double erfinv(double x) {
  const double a = std::fabs(x);
  if (!(a < 1)) return a == 1 ? std::copysign(HUGE_VAL, x) : nan_of(x);
  if (a < 1e-9) return x * 0.88622692545275801365;
  const double l = std::log1p(-a * a), h = 4.3307467508 + l / 2;
  double y = std::sqrt(std::sqrt(h * h - l / 0.147) - h);
  for (int i = 0; i < 4; ++i) {
    const double e = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const double d = e * 0.88622692545275801365 * std::exp(y * y);
    y -= d / (1 + d * y);
  }
  return std::copysign(y, x);
}

/// glibc's, thread-safe, with the sign of the infinities that C asks for.
inline double lgamma(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

/// Recurrence to 20 and more, asymptotic series there; reflected below 0.
inline double digamma(double x) {
  if (x == 0) return -std::copysign(HUGE_VAL, x);
  if (std::isinf(x)) return x > 0 ? x : nan_of(x);
  if (x != x || (x < 0 && x == std::floor(x))) return nan_of(x);
  long double a = std::fabs(static_cast<long double>(x)), sum = 0;
  if (x < 0) {
    const long double f = x - std::nearbyint(x);  // exact; cot(pi a) = -cot(pi x)
    sum = 1 / a - M_PIl / std::tan(M_PIl * f);
  }
  for (; a < 20; a += 1) sum -= 1 / a;
  const long double u = 1 / (a * a);
  const long double tail =
      u *
      (1.0L / 12 - u * (1.0L / 120 -
                        u * (1.0L / 252 -
                             u * (1.0L / 240 - u * (1.0L / 132 - u * (691.0L / 32760 - u / 12))))));
  return static_cast<double>(sum + (std::log(a) - 0.5L / a - tail));
}

/// The power series: positive terms.
inline double i0(double x) {
  if (!(std::fabs(x) < 100)) return x != x ? x : HUGE_VAL;
  const double z = x * x / 4;
  double term = 1, sum = 1;
  for (int k = 1; k < 300 && term > sum * 0x1p-56; ++k) {
    term *= z / (static_cast<double>(k) * k);
    sum += term;
  }
  return sum;
}

inline double logit(double x) {
  return x > 0.25 ? std::log1p((2 * x - 1) / (1 - x)) : std::log(x / (1 - x));
}

inline double sinc(double x) {
  if (x == 0) return 1;
  const double f = std::fmod(x, 2.0);
  if (f == std::floor(f)) return 0;
  return std::sin(M_PI * f) / (M_PI * x);
}

inline double logaddexp(double x, double y) {
  if (x != x || y != y) return x + y;
  const long double m = std::fmax(x, y);
  if (x == y && std::isinf(x)) return x;
  return static_cast<double>(m + std::log1p(std::exp(-std::fabs(static_cast<long double>(x) - y))));
}
inline double logaddexp2(double x, double y) {
  if (x != x || y != y) return x + y;
  const long double m = std::fmax(x, y);
  if (x == y) return x + 1;
  const long double d = std::fabs(static_cast<long double>(x) - y);
  return static_cast<double>(m + std::log1p(std::exp2(-d)) / M_LN2l);
}
inline double xlogy(double x, double y) { return x == 0 && y == y ? 0 : x * std::log(y); }
inline double xlog1py(double x, double y) { return x == 0 && y == y ? 0 : x * std::log1p(y); }
/// 0 and the infinities stay for every finite y.
inline double ldexp(double x, double y) {
  if ((x == 0 || std::isinf(x)) && std::isfinite(y)) return x;
  if (std::isfinite(y) && y == std::floor(y) && std::fabs(y) < 1e6)
    return std::ldexp(x, static_cast<int>(y));
  return static_cast<double>(static_cast<long double>(x) * std::exp2(static_cast<long double>(y)));
}

}  // namespace tandem::testing::references
