// lint: oracle table. What every elementwise row must give, from the C++ library's functions in
// 128-bit integers, long double and complex long double: never from the functors.
#pragma once

#include <cmath>
#include <complex>
#include <functional>
#include <map>
#include <string_view>

#include "tests/host/gamma_oracle.h"
#include "tests/host/special_oracle.h"
#include "tests/support/elements.h"

namespace tandem::test {

using Cplx = std::complex<Real>;

/// Of the dtype that an integer op is computed in.
struct Width {
  int bits;
  bool is_signed, is_bool;
};

/// A row's answers by kind of dtype; a kind the row does not take has none.
struct Oracle {
  std::function<Int(const Int*, Width)> integer;  // wrapped to the dtype by the caller
  std::function<float(const float*)> exact32;     // all bits count
  std::function<double(const double*)> exact64;
  std::function<Real(const Real*)> real;  // within the row's max_ulp
  std::function<Cplx(const Cplx*)> complex;
  std::function<Real(const Real*, DType)> in_format;  // exact, by the format of the result
  // What the error is measured against, where not the result: sums cancel.
  std::function<Real(const Cplx*)> scale;
  Real ulps = 0;           // replaces the row's bound
  Real complex_units = 4;  // of the epsilon, against the modulus

  template <class F>
  Oracle& ints(F f) {
    if constexpr (std::is_invocable_v<F, const Int*, Width>)
      integer = f;
    else
      integer = [f](const Int* a, Width) { return f(a); };
    return *this;
  }
  template <class F>
  Oracle& exact(F f) {
    exact32 = f;
    exact64 = f;
    return *this;
  }
  template <class F>
  Oracle& close(F f) {
    real = f;
    return *this;
  }
  template <class F>
  Oracle& cplx(F f) {
    complex = f;
    return *this;
  }
};

namespace oracle {

/// Products of 128 bits wrap.
template <class T>
T times(T a, T b) {
  return a * b;
}
template <>
inline Int times(Int a, Int b) {
  return static_cast<Int>(static_cast<unsigned __int128>(a) * static_cast<unsigned __int128>(b));
}

template <class T>
bool is_nan(T x) {
  return x != x;
}

/// -0 below +0; `low` for the lesser one.
template <class T>
T extreme(T x, T y, bool low) {
  if constexpr (!std::is_same_v<T, Int>) {
    if (x == y) return std::signbit(x) == low ? x : y;
  }
  return (x < y) == low ? x : y;
}
template <class T>
T nan_wins(T x, T y, bool low) {
  return is_nan(x) ? x : is_nan(y) ? y : extreme(x, y, low);
}
template <class T>
T number_wins(T x, T y, bool low) {
  return is_nan(x) ? y : is_nan(y) ? x : extreme(x, y, low);
}

inline Int floor_div(Int x, Int y) {
  if (y == 0) return 0;
  return x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0);
}
inline Int floor_mod(Int x, Int y) { return y == 0 ? 0 : x - floor_div(x, y) * y; }

template <class T>
T modulus(T x, T y) {
  T m = std::fmod(x, y);
  if (m != 0 && (y < 0) != (m < 0)) m += y;
  return m == 0 ? std::copysign(m, y) : m;
}
/// The integer that belongs to the modulus.
inline Real floor_quotient(Real x, Real y) {
  if (y == 0 || std::isinf(x)) return x / y;
  const Real m = std::fmod(x, y);
  Real q = std::nearbyint((x - m) / y);
  if (m != 0 && (y < 0) != (m < 0)) q -= 1;
  return q == 0 ? std::copysign(Real(0), x / y) : q;
}

inline Int int_pow(Int x, Int y) {
  if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 == 0 ? 1 : -1) : 0;
  Int r = 1;
  for (; y > 0; y /= 2) {
    if (y % 2 == 1) r = times(r, x);
    x = times(x, x);
  }
  return r;
}

/// Where log(0) would stand: 0 to a power with a positive real part is 0, to any other NaN.
inline Cplx complex_pow(Cplx x, Cplx y) {
  if (y == Cplx()) return 1;
  if (x != Cplx()) return std::exp(y * std::log(x));
  return y.real() > 0 ? Cplx() : Cplx(NAN, NAN);
}

inline constexpr Real kSeluScale = 1.0507009873554804934193349852946L;
inline constexpr Real kSeluAlpha = 1.6732632423543772848170429916717L;
inline constexpr Real kLn2 = 0.693147180559945309417232121458176568L;

}  // namespace oracle

using Oracles = std::map<std::string_view, Oracle>;

// A function of one value, for floats within the bound and for complex numbers.
#define CLOSE(expression)                    \
  Oracle().close([](const Real* a) -> Real { \
    const auto x = a[0];                     \
    return expression;                       \
  })
#define BOTH(expression)                             \
  CLOSE(expression).cplx([](const Cplx* a) -> Cplx { \
    const auto x = a[0];                             \
    return expression;                               \
  })

/// Special functions and what takes numbers apart.
inline void add_special_oracles(Oracles& m) {
  using namespace oracle;
  m["erfc"] = CLOSE(std::erfc(x));
  m["erfinv"] = CLOSE(erfinv(x));
  m["lgamma"] = CLOSE(std::lgamma(x));
  m["digamma"] = CLOSE(digamma(x));
  m["i0"] = CLOSE(i0(x));
  m["logit"] = CLOSE(std::log(x / (1 - x)));
  m["sinc"] = CLOSE(sinc(x)).cplx([](const Cplx* a) {
    if (a[0].imag() == 0) return Cplx(sinc(a[0].real()));
    return std::sin(a[0] * M_PIl) / (a[0] * M_PIl);
  });
  m["frac"].exact([](const auto* a) { return a[0] - std::trunc(a[0]); });
  m["conj"].cplx([](const Cplx* a) { return std::conj(a[0]); });
  m["frexp_mantissa"].exact([](const auto* a) {
    int e;
    return std::frexp(a[0], &e);
  });
  m["frexp_exponent"].exact([](const auto* a) {
    int e = 0;
    if (std::isfinite(a[0])) std::frexp(a[0], &e);
    return e;
  });
  m["signbit"].exact([](const auto* a) { return std::signbit(a[0]); });
  m["ldexp"].close([](const Real* a) { return load_exponent(a[0], a[1]); });
  m["ldexp"].cplx([](const Cplx* a) { return times(a[0], std::exp(a[1] * kLn2)); });
  m["logaddexp"].close([](const Real* a) { return log_of_sum(a[0], a[1], false); });
  m["logaddexp"].cplx([](const Cplx* a) {
    const bool first = a[0].real() >= a[1].real();
    const Cplx d = first ? a[1] - a[0] : a[0] - a[1];
    return (first ? a[0] : a[1]) + std::log(Cplx(1) + std::exp(d));
  });
  m["logaddexp"].complex_units = 64;  // the sum of the exponentials may cancel
  m["logaddexp2"].close([](const Real* a) { return log_of_sum(a[0], a[1], true); });
  m["xlogy"].close(
      [](const Real* a) { return a[0] == 0 && !is_nan(a[1]) ? 0 : a[0] * std::log(a[1]); });
  m["xlog1py"].close(
      [](const Real* a) { return a[0] == 0 && !is_nan(a[1]) ? 0 : a[0] * std::log1p(a[1]); });
  const auto gamma = [](const Real* a) {
    static const auto constants = gamma_constants();
    return gamma_parts<Real>(static_cast<double>(a[0]), static_cast<double>(a[1]), constants);
  };
  m["igamma"].close([gamma](const Real* a) { return gamma(a).p; });
  m["igammac"].close([gamma](const Real* a) { return gamma(a).q; });
  m["zeta"].close([](const Real* a) {
    return hurwitz<Real>(static_cast<double>(a[0]), static_cast<double>(a[1]), 0);
  });
  m["digamma_derivative"].close([](const Real* a) {
    if (!(a[1] >= 0)) return Real(NAN);
    if (a[1] < 1) return digamma(a[0]);
    return polygamma_of<Real>(static_cast<double>(std::floor(a[1])), static_cast<double>(a[0]),
                              2 * M_PIl);
  });
  m["nextafter"].in_format = [](const Real* a, DType t) { return neighbour(a[0], a[1], t); };
  const auto step = [](const auto* a) {
    using T = std::decay_t<decltype(a[0])>;
    return a[0] == T(0) ? a[1] : static_cast<T>(a[0] > T(0));
  };
  m["heaviside"].ints(step).exact(step);
  m["gcd"].ints([](const Int* a) { return divisor(a[0], a[1]); });
  m["lcm"].ints([](const Int* a) {
    const Int d = divisor(a[0], a[1]);
    return d == 0 ? 0 : times(magnitude_of(a[0]) / d, magnitude_of(a[1]));
  });
  m["complex"].cplx([](const Cplx* a) { return Cplx(a[0].real(), a[1].real()); });
  m["polar"].cplx([](const Cplx* a) {
    return Cplx(a[0].real() * std::cos(a[1].real()), a[0].real() * std::sin(a[1].real()));
  });
  const auto addcdiv = [](const auto* a) { return a[0] + times(a[3], a[1]) / a[2]; };
  m["addcdiv"].exact(addcdiv).cplx(addcdiv).scale = [](const Cplx* a) {
    return std::abs(a[0]) + std::abs(a[3] * a[1] / a[2]);
  };
  const auto relu = [](const auto* a) { return a[0] < 0 ? 0 : a[0]; };
  m["relu"].ints(relu).exact(relu);
  const auto threshold = [](const auto* a) { return a[0] <= a[1] ? a[2] : a[0]; };
  m["threshold"].ints(threshold).exact(threshold);
  m["hardshrink"].exact([](const auto* a) { return a[0] >= -a[1] && a[0] <= a[1] ? 0 : a[0]; });
  m["selu"] = CLOSE(x > 0 ? kSeluScale * x : kSeluScale * kSeluAlpha * std::expm1(x));
  m["celu"].close([](const Real* a) {
    const Real u = a[0] / a[1];
    return a[0] > 0 || std::fabs(u) < 0x1p-80L ? a[0] : a[1] * std::expm1(u);
  });
  m["nan_to_num"].exact([](const auto* a) {
    return std::isnan(a[0]) ? a[1] : std::isinf(a[0]) ? (a[0] > 0 ? a[2] : a[3]) : a[0];
  });
  m["isclose"]
      .exact([](const auto* a) {
        const auto error = std::fabs(a[0] - a[1]);
        return a[0] == a[1] || (std::isfinite(error) && error <= a[3] + std::fabs(a[2] * a[1]));
      })
      .cplx([](const Cplx* a) {
        return std::abs(a[0] - a[1]) <= a[3].real() + a[2].real() * std::abs(a[1]);
      });
}

/// Name of a row -> its oracle.
inline std::map<std::string_view, Oracle> oracles() {
  using namespace oracle;
  const auto self = [](const Int* a) { return a[0]; };
  const auto never = [](const auto*) { return 0; };
  const auto magnitude = [](const Cplx* a) {
    return std::abs(a[0]) + std::abs(a[1]) * std::max(Real(1), std::abs(a[2]));
  };
  const Real one = 1;
  std::map<std::string_view, Oracle> m;

  const auto neg = [](const auto* a) { return -a[0]; };
  m["neg"].ints(neg).exact(neg).cplx(neg);
  m["abs"]
      .ints([](const Int* a) { return a[0] < 0 ? -a[0] : a[0]; })
      .exact([](const auto* a) { return std::fabs(a[0]); })
      .cplx([](const Cplx* a) { return std::abs(a[0]); });
  const auto sign = [](const auto* a) { return (a[0] > 0 ? 1 : 0) - (a[0] < 0 ? 1 : 0); };
  m["sign"].ints(sign).exact(sign).cplx(
      [](const Cplx* a) { return a[0] == Cplx() ? Cplx() : a[0] / std::abs(a[0]); });
  const auto square = [](const auto* a) { return times(a[0], a[0]); };
  m["square"].ints(square).exact(square).cplx(square);
  m["sqrt"].exact([](const auto* a) { return std::sqrt(a[0]); }).cplx([](const Cplx* a) {
    return std::sqrt(a[0]);
  });
  m["rsqrt"] = BOTH(Real(1) / std::sqrt(x));
  m["reciprocal"].exact([](const auto* a) { return 1 / a[0]; }).cplx([one](const Cplx* a) {
    return one / a[0];
  });
  m["exp"] = BOTH(std::exp(x));
  m["exp2"] = CLOSE(std::exp2(x)).cplx([](const Cplx* a) { return std::exp(a[0] * kLn2); });
  m["expm1"] = CLOSE(std::expm1(x)).cplx([](const Cplx* a) {
    const Real half = std::sin(a[0].imag() / 2);
    return Cplx(std::expm1(a[0].real()) * std::cos(a[0].imag()) - 2 * half * half,
                std::exp(a[0].real()) * std::sin(a[0].imag()));
  });
  m["log"] = BOTH(std::log(x));
  m["log2"] = CLOSE(std::log2(x)).cplx([](const Cplx* a) { return std::log(a[0]) / kLn2; });
  m["log10"] = BOTH(std::log10(x));
  m["log1p"] = CLOSE(std::log1p(x)).cplx([one](const Cplx* a) { return std::log(one + a[0]); });
  m["sin"] = BOTH(std::sin(x));
  m["cos"] = BOTH(std::cos(x));
  m["tan"] = BOTH(std::tan(x));
  m["asin"] = BOTH(std::asin(x));
  m["acos"] = BOTH(std::acos(x));
  m["atan"] = BOTH(std::atan(x));
  m["sinh"] = BOTH(std::sinh(x));
  m["cosh"] = BOTH(std::cosh(x));
  m["tanh"] = BOTH(std::tanh(x));
  m["asinh"] = BOTH(std::asinh(x));
  m["acosh"] = BOTH(std::acosh(x));
  m["atanh"] = BOTH(std::atanh(x));
  m["erf"] = CLOSE(std::erf(x));
  m["sigmoid"] = BOTH(Real(1) / (Real(1) + std::exp(-x)));
  m["floor"].ints(self).exact([](const auto* a) { return std::floor(a[0]); });
  m["ceil"].ints(self).exact([](const auto* a) { return std::ceil(a[0]); });
  m["trunc"].ints(self).exact([](const auto* a) { return std::trunc(a[0]); });
  m["round"].ints(self).exact([](const auto* a) { return std::nearbyint(a[0]); });
  m["isnan"].ints(never).exact([](const auto* a) { return std::isnan(a[0]); }).cplx(never);
  m["isinf"].ints(never).exact([](const auto* a) { return std::isinf(a[0]); }).cplx(never);
  m["isfinite"]
      .ints([](const Int*) { return 1; })
      .exact([](const auto* a) { return std::isfinite(a[0]); })
      .cplx([](const Cplx*) { return 1; });
  const auto no = [](const auto* a) { return a[0] == std::decay_t<decltype(a[0])>(); };
  m["logical_not"].ints(no).exact(no).cplx(no);
  m["bitwise_not"].ints([](const Int* a, Width w) { return w.is_bool ? Int(a[0] == 0) : ~a[0]; });

  add_special_oracles(m);

  const auto add = [](const auto* a) { return a[0] + a[1]; };
  const auto sub = [](const auto* a) { return a[0] - a[1]; };
  const auto mul = [](const auto* a) { return times(a[0], a[1]); };
  const auto div = [](const auto* a) { return a[0] / a[1]; };
  m["add"].ints(add).exact(add).cplx(add);
  m["sub"].ints(sub).exact(sub).cplx(sub);
  m["mul"].ints(mul).exact(mul).cplx(mul);
  m["div"].exact(div).cplx(div);
  m["floor_divide"]
      .ints([](const Int* a) { return floor_div(a[0], a[1]); })
      .close([](const Real* a) { return floor_quotient(a[0], a[1]); });
  m["floor_divide"].ulps = 1;  // of a quotient beyond the significand
  m["trunc_divide"]
      .ints([](const Int* a) { return a[1] == 0 ? 0 : a[0] / a[1]; })
      .exact([](const auto* a) { return std::trunc(a[0] / a[1]); });
  m["remainder"].ints([](const Int* a) { return floor_mod(a[0], a[1]); }).exact([](const auto* a) {
    return modulus(a[0], a[1]);
  });
  m["fmod"].ints([](const Int* a) { return a[1] == 0 ? 0 : a[0] % a[1]; }).exact([](const auto* a) {
    return std::fmod(a[0], a[1]);
  });
  m["pow"]
      .ints([](const Int* a) { return int_pow(a[0], a[1]); })
      .close([](const Real* a) { return std::pow(a[0], a[1]); })
      .cplx([](const Cplx* a) { return complex_pow(a[0], a[1]); });
  m["pow"].complex_units = 64;  // grows with |y log x|, at most 31 here
  m["atan2"].close([](const Real* a) { return std::atan2(a[0], a[1]); });
  const auto max = [](const auto* a) { return nan_wins(a[0], a[1], false); };
  const auto min = [](const auto* a) { return nan_wins(a[0], a[1], true); };
  const auto fmax = [](const auto* a) { return number_wins(a[0], a[1], false); };
  const auto fmin = [](const auto* a) { return number_wins(a[0], a[1], true); };
  m["maximum"].ints(max).exact(max);
  m["minimum"].ints(min).exact(min);
  m["fmax"].ints(fmax).exact(fmax);
  m["fmin"].ints(fmin).exact(fmin);
  m["hypot"].close([](const Real* a) { return std::hypot(a[0], a[1]); });
  m["copysign"].exact([](const auto* a) { return std::copysign(a[0], a[1]); });
  const auto eq = [](const auto* a) { return a[0] == a[1]; };
  const auto ne = [](const auto* a) { return a[0] != a[1]; };
  const auto lt = [](const auto* a) { return a[0] < a[1]; };
  const auto le = [](const auto* a) { return a[0] <= a[1]; };
  const auto gt = [](const auto* a) { return a[0] > a[1]; };
  const auto ge = [](const auto* a) { return a[0] >= a[1]; };
  m["eq"].ints(eq).exact(eq).cplx(eq);
  m["ne"].ints(ne).exact(ne).cplx(ne);
  m["lt"].ints(lt).exact(lt);
  m["le"].ints(le).exact(le);
  m["gt"].ints(gt).exact(gt);
  m["ge"].ints(ge).exact(ge);
  const auto both = [no](const auto* a) { return !no(a) && !no(a + 1); };
  const auto either = [no](const auto* a) { return !no(a) || !no(a + 1); };
  const auto differ = [no](const auto* a) { return no(a) != no(a + 1); };
  m["logical_and"].ints(both).exact(both).cplx(both);
  m["logical_or"].ints(either).exact(either).cplx(either);
  m["logical_xor"].ints(differ).exact(differ).cplx(differ);
  m["bitwise_and"].ints([](const Int* a) { return a[0] & a[1]; });
  m["bitwise_or"].ints([](const Int* a) { return a[0] | a[1]; });
  m["bitwise_xor"].ints([](const Int* a) { return a[0] ^ a[1]; });
  m["bitwise_left_shift"].ints([](const Int* a, Width w) {
    return a[1] < 0 || a[1] >= w.bits ? 0 : times(a[0], Int(1) << a[1]);
  });
  m["bitwise_right_shift"].ints([](const Int* a, Width w) {
    return a[1] < 0 || a[1] >= w.bits ? Int(a[0] < 0 ? -1 : 0) : a[0] >> a[1];
  });

  const auto where = [](const auto* a) {
    return a[0] != std::decay_t<decltype(a[0])>() ? a[1] : a[2];
  };
  m["where"].ints(where).exact(where).cplx(where);
  const auto clamp = [](const auto* a) {
    return nan_wins(nan_wins(a[0], a[1], false), a[2], true);
  };
  m["clamp"].ints(clamp).exact(clamp);
  const auto lerp = [](const auto* a) { return a[0] + a[2] * (a[1] - a[0]); };
  m["lerp"].close([lerp](const Real* a) {
    return std::fabs(a[2]) < 0.5L ? lerp(a) : a[1] - (a[1] - a[0]) * (1 - a[2]);
  });
  m["lerp"].cplx(lerp).scale = [](const Cplx* a) {
    return (std::abs(a[0]) + std::abs(a[1])) * (1 + std::abs(a[2]));
  };
  const auto add_scaled = [](const auto* a) { return a[0] + times(a[2], a[1]); };
  m["add_scaled"].ints(add_scaled).exact(add_scaled).cplx(add_scaled).scale = magnitude;
  const auto addcmul = [](const auto* a) { return a[0] + times(times(a[3], a[1]), a[2]); };
  m["addcmul"].ints(addcmul).exact(addcmul).cplx(addcmul).scale = [](const Cplx* a) {
    return std::abs(a[0]) + std::abs(a[1] * a[2] * a[3]);
  };
  return m;
}

#undef CLOSE
#undef BOTH

}  // namespace tandem::test
