// lint: oracle table. The incomplete gamma functions, Hurwitz's zeta function and polygamma, for a
// T that is long double or a class of MPFR numbers: textbook sums, as long as T's bits ask for.
// T has + - * /, a constructor from double and `exp_of`, `log_of`, `sqrt_of`, `erfc_of`, `bits_of`.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace tandem::test::oracle {

inline long double exp_of(long double x) { return std::exp(x); }
inline long double log_of(long double x) { return std::log(x); }
inline long double sqrt_of(long double x) { return std::sqrt(x); }
inline long double erfc_of(long double x) { return std::erfc(x); }
inline double double_of(long double x) { return static_cast<double>(x); }
inline int bits_of(const long double*) { return 64; }

/// Numerators and denominators of Bernoulli's numbers B_2, B_4, ...
inline constexpr double kBernoulli[][2] = {{1, 6},
                                           {-1, 30},
                                           {1, 42},
                                           {-1, 30},
                                           {5, 66},
                                           {-691, 2730},
                                           {7, 6},
                                           {-3617, 510},
                                           {43867, 798},
                                           {-174611, 330},
                                           {854513, 138},
                                           {-236364091, 2730},
                                           {8553103, 6},
                                           {-23749461029, 870},
                                           {8615841276005, 14322},
                                           {-7709321041217, 510},
                                           {2577687858367, 6}};
inline constexpr int kBernoullis = 17;

/// log(gamma(x + 1)) = sum + log(sqrt(2 pi n) / product).
template <class T>
struct LogGamma {
  T sum, factor;
};
template <class T>
LogGamma<T> log_gamma(const T& x, const T& two_pi) {
  const double from = bits_of(static_cast<const T*>(nullptr)) > 64 ? 64 : 24;
  T n = x, product(1);
  while (double_of(n) < from) {
    n = n + T(1);
    product = product * n;
  }
  const T u = T(1) / (n * n);
  T s(0);
  for (int k = kBernoullis; k >= 1; --k) {
    const double* b = kBernoulli[k - 1];
    s = s * u + T(b[0]) / T(b[1] * (2.0 * k) * (2.0 * k - 1));
  }
  return {n * log_of(n) - n + s / n, sqrt_of(two_pi * n) / product};
}

template <class T>
struct GammaParts {
  T p, q;
};

/// Coefficients of eta / mu by powers of eta, eta^2 / 2 = mu - log(1 + mu) (DLMF 8.12.7).
template <class T>
std::vector<T> temme_coefficients(int count) {
  const auto n = static_cast<std::size_t>(count);
  std::vector<T> m(n + 2, T(0)), f(n, T(0));  // mu = sum m_k eta^k; mu mu' = (1 + mu) eta
  m[1] = T(1);
  for (std::size_t k = 2; k < n + 2; ++k) {
    T sum = m[k - 1];
    for (std::size_t i = 2; i < k; ++i) sum = sum - m[i] * T(double(k + 1 - i)) * m[k + 1 - i];
    m[k] = sum / T(double(k + 1));
  }
  f[0] = T(1);
  for (std::size_t k = 1; k < n; ++k) {
    for (std::size_t i = 1; i <= k; ++i) f[k] = f[k] - m[i + 1] * f[k - i];
  }
  return f;
}

/// For large a and x about it. d = x - a, exact.
template <class T>
GammaParts<T> temme(const T& a, const T& d, const T& two_pi, const std::vector<T>& f) {
  const int bits = bits_of(static_cast<const T*>(nullptr));
  const T mu = d / a;
  // mu - log(1 + mu), by the series of 2 atanh where the two are near each other.
  const T s = mu / (mu + T(2)), z = s * s;
  T sum(0), power(1);
  for (int n = 3; n < 6 * bits; n += 2) {
    const T term = power / T(n);
    sum = sum + term;
    if (std::fabs(double_of(term)) < std::ldexp(1.0, -bits - 4)) break;
    power = power * z;
  }
  const T phi = mu * s - T(2) * s * z * sum;
  const T size = sqrt_of(T(2) * phi);
  const bool above = double_of(d) > 0;
  const T eta = above ? size : T(0) - size;
  T b(0), next(0), total(0);
  for (std::size_t n = f.size() - 1; n >= 1; --n) {
    const T now = f[n] + T(double(n) + 1) / a * next;
    next = b;
    b = now;
    total = total * eta + b;
  }
  const T star = T(1) + next / a;
  const T e = exp_of(T(0) - a * phi);
  const T part = e * total / (star * sqrt_of(two_pi * a));
  const T y = sqrt_of(a * phi);
  const T tail = T(0.5) * erfc_of(y) + (above ? part : T(0) - part);
  return above ? GammaParts<T>{T(1) - tail, tail} : GammaParts<T>{tail, T(1) - tail};
}

/// x^a e^-x / gamma(a + 1).
template <class T>
T lead_of(const T& a, const T& x, const T& two_pi) {
  const LogGamma<T> g = log_gamma(a, two_pi);
  return exp_of(a * log_of(x) - x - g.sum) / g.factor;
}
inline long double lead_of(long double a, long double x, long double two_pi) {
  if (a < 150 && x < 1000) return std::pow(x, a) / std::tgamma(a + 1) * std::exp(-x);
  return lead_of<long double>(a, x, two_pi);
}

/// P and Q for finite positive a and x that are not too large for sums.
template <class T>
GammaParts<T> gamma_by_sums(const T& a, const T& x, const T& two_pi) {
  const int bits = bits_of(static_cast<const T*>(nullptr));
  const double enough = std::ldexp(1.0, -bits - 4);
  const double da = double_of(a), dx = double_of(x);
  const T lead = lead_of(a, x, two_pi);
  if (dx <= da || dx < 2) {
    T term(1), sum(1);
    for (int n = 1; double_of(term) > double_of(sum) * enough; ++n) {
      term = term * x / (a + T(n));
      sum = sum + term;
    }
    const T p = lead * sum;
    return {p, T(1) - p};
  }
  double w = 1 / (dx - da + 1), change = w, sum = w;
  int k = 1;
  for (; std::fabs(change) > sum * enough && k < 20000; ++k) {
    const double c = k * (da - k) * w;
    w = 1 / (dx - da + 2 * k + 1 + c);
    change *= -c * w;
    sum += change;
  }
  T f = x - a + T(2 * k + 1);
  for (; k > 0; --k) f = x - a + T(2 * k - 1) + T(k) * (a - T(k)) / f;
  const T q = lead * a / f;
  return {T(1) - q, q};
}

/// Q for a far below 1 and x < 2: a multiple of a (DiDonato and Morris, ACM TOMS 12, 1986).
template <class T>
GammaParts<T> gamma_of_small_order(const T& a, const T& x, const T& log_gamma_over_a) {
  const int bits = bits_of(static_cast<const T*>(nullptr));
  T sum(0), term(1);
  for (int n = 1; std::fabs(double_of(term)) > std::ldexp(1.0, -bits - 4); ++n) {
    term = T(0) - term * x / T(n);
    sum = sum + term / (a + T(n));
  }
  const T t = a * (log_of(x) - log_gamma_over_a);
  T h(0), power(1);
  for (int n = 1; n < 400; ++n) {  // exp(t) - 1
    power = power * t / T(n);
    h = h + power;
    if (std::fabs(double_of(power / t)) < std::ldexp(1.0, -bits - 4)) break;
  }
  const bool far = std::fabs(double_of(t)) > 1;
  const T g = far ? exp_of(t) : h + T(1);
  if (far) h = g - T(1);
  return {g * (T(1) + a * sum), T(0) - h - g * a * sum};
}

/// P and Q with PyTorch's values at the ends. zetas: zeta(k) / k from k = 2 on, for small a.
template <class T>
struct GammaConstants {
  T two_pi, euler;
  std::vector<T> zetas, temme;
};
template <class T>
GammaParts<T> gamma_parts(double a, double x, const GammaConstants<T>& c) {
  const T nan(NAN);
  if (!(a >= 0) || !(x >= 0)) return {nan, nan};
  if (a == 0) return x > 0 ? GammaParts<T>{T(1), T(0)} : GammaParts<T>{nan, nan};
  if (x == 0) return {T(0), T(1)};
  if (std::isinf(a)) return std::isinf(x) ? GammaParts<T>{nan, nan} : GammaParts<T>{T(0), T(1)};
  if (std::isinf(x)) return {T(1), T(0)};
  const double distance = x / a - 1;
  const bool exact = bits_of(static_cast<const T*>(nullptr)) > 64;
  if (a > (exact ? 500 : 100) && std::fabs(distance) < 0.5)
    return temme(T(a), T(x) - T(a), c.two_pi, c.temme);
  if (std::fmax(a, x) > 20000) return x > a ? GammaParts<T>{T(1), T(0)} : GammaParts<T>{T(0), T(1)};
  if (a < (exact ? 0x1p-7 : 0.25) && x < 2) {
    T g(0);
    for (std::size_t k = c.zetas.size(); k-- > 0;)
      g = (k % 2 == 0 ? c.zetas[k] : T(0) - c.zetas[k]) + T(a) * g;
    return gamma_of_small_order(T(a), T(x), T(a) * g - c.euler);
  }
  return gamma_by_sums(T(a), T(x), c.two_pi);
}

/// zeta(s, q), s > 1, q > 0, times exp(e): a sum, then Euler and Maclaurin's formula
/// (DLMF 25.11.5).
template <class T>
T hurwitz_of_positive(const T& s, const T& q, const T& e) {
  const int bits = bits_of(static_cast<const T*>(nullptr));
  const double to = double_of(s) + (bits > 64 ? 28 : 16);
  T w = q, sum(0);
  for (int k = 0; k < 1000 && double_of(w) < to; ++k) {
    const T term = exp_of(e - s * log_of(w));
    sum = sum + term;
    if (double_of(w) > 1 && !(double_of(term / sum) >= std::ldexp(1.0, -bits - 8) / to)) return sum;
    w = w + T(1);
  }
  if (double_of(w) < to) return sum;
  T rest = w / (s - T(1)) + T(0.5);
  T term = s / w;
  double factorial = 2;
  for (int k = 1; k <= kBernoullis; ++k) {
    rest = rest + term * T(kBernoulli[k - 1][0]) / (T(kBernoulli[k - 1][1]) * T(factorial));
    term = term * (s + T(2 * k - 1)) * (s + T(2 * k)) / (w * w);
    term = term / T((2.0 * k + 1) * (2.0 * k + 2));
  }
  return sum + exp_of(e - s * log_of(w)) * rest;
}

/// PyTorch's zeta(s, q), times exp(e). odd: whether s is, where it is an integer.
template <class T>
T hurwitz(double s, double q, const T& e, bool odd) {
  const double inf = HUGE_VAL;
  if (s != s || q != q) return T(NAN);
  if (s == 1) return T(inf);
  if (s < 1) return T(NAN);
  if (q <= 0) {
    if (q == std::floor(q)) return T(inf);
    if (s != std::floor(s) || std::isinf(s)) return T(NAN);
  }
  if (std::isinf(q)) return T(0);
  if (std::isinf(s)) return q < 1 ? T(inf) : q == 1 ? T(1) : T(0);
  if (q > 0) return hurwitz_of_positive(T(s), T(q), e);
  // Of the terms of all integers those below q are left out.
  const T f = T(q) - T(std::floor(q));
  const T right = hurwitz_of_positive(T(s), f, e);
  const T left = hurwitz_of_positive(T(s), T(std::ceil(q)) - T(q), e);
  const T below = hurwitz_of_positive(T(s), T(1) - T(q), e);
  if (!odd) return std::isinf(double_of(right + left)) ? T(inf) : right + (left - below);
  const T d = right - left;
  const double side = double_of(T(0.5) - f);
  if (side == 0) return below;
  if (std::isnan(double_of(d))) return T(side > 0 ? inf : -inf);
  return std::isinf(double_of(d)) ? d : d + below;
}
template <class T>
T hurwitz(double s, double q, const T& e) {
  return hurwitz<T>(s, q, e, std::fmod(s, 2) != 0);
}

/// digamma's derivative of order n >= 1.
template <class T>
T polygamma_of(double n, double x, const T& two_pi) {
  const bool odd = std::isfinite(n) && std::fmod(n, 2) != 0;
  if (x != x) return T(x);
  const double inf = HUGE_VAL, sign = odd ? 1 : -1;
  if (x <= 0 && x == std::floor(x)) return T(sign * inf);
  if (std::isinf(n) || std::isinf(x)) return T(n == x ? NAN : n > x ? sign * inf : sign * 0.0);
  if (n > 0x1p100 && x > 0) return T(n / x > 2.718281828459045 ? sign * inf : sign * 0.0);
  const LogGamma<T> g = log_gamma(T(n), two_pi);
  return T(sign) * hurwitz<T>(n + 1, x, g.sum + log_of(g.factor), !odd);
}

inline GammaConstants<long double> gamma_constants() {
  GammaConstants<long double> c{
      2 * M_PIl, 0.577215664901532860606512090082402431L, {}, temme_coefficients<long double>(40)};
  for (int k = 2; k < 36; ++k) c.zetas.push_back(hurwitz<long double>(k, 1, 0) / k);
  return c;
}

}  // namespace tandem::test::oracle
