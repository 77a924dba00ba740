// Functors of the unary rows (tandem/ops/unary.def). Called with compute types; the arithmetic of
// both backends.
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/integer.h"
#include "tandem/fn.h"

namespace tandem::fn {

struct Neg {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    if constexpr (is_int_v<T>)
      return wrap_neg(x);
    else if constexpr (is_complex_v<T>)
      return T{-x.re, -x.im};
    else
      return -x;
  }
};

struct Abs {
  template <class T>
  TANDEM_FN real_t<T> operator()(T x) const {
    if constexpr (is_signed_int_v<T>)
      return x < T(0) ? wrap_neg(x) : x;
    else if constexpr (is_int_v<T>)
      return x;
    else if constexpr (is_complex_v<T>)
      return hypot(x.re, x.im);
    else
      return abs_bits(x);
  }
};

struct Sign {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    if constexpr (is_bool_v<T>) {
      return x;
    } else if constexpr (is_complex_v<T>) {
      const real_t<T> r = hypot(x.re, x.im);
      const real_t<T> d = r == real_t<T>(0) ? real_t<T>(1) : r;
      return T{x.re / d, x.im / d};
    } else {
      return static_cast<T>(static_cast<int>(x > T(0)) - static_cast<int>(x < T(0)));
    }
  }
};

struct Square {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    if constexpr (is_int_v<T>)
      return wrap_mul(x, x);
    else
      return x * x;
  }
};

struct Sqrt {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    if constexpr (is_complex_v<T>)
      return sqrt(x);
    else
      return sqrt_rn(x);
  }
};

struct Reciprocal {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    if constexpr (is_complex_v<T>)
      return T{real_t<T>(1), real_t<T>(0)} / x;
    else
      return T(1) / x;
  }
};

// Functors that name an elementary function: the overload of the type does the work.
#define TANDEM_ELEMENTARY(Functor, function) \
  struct Functor {                           \
    template <class T>                       \
    TANDEM_FN T operator()(T x) const {      \
      return function(x);                    \
    }                                        \
  };
TANDEM_ELEMENTARY(Rsqrt, rsqrt)
TANDEM_ELEMENTARY(Exp, exp)
TANDEM_ELEMENTARY(Exp2, exp2)
TANDEM_ELEMENTARY(Expm1, expm1)
TANDEM_ELEMENTARY(Log, log)
TANDEM_ELEMENTARY(Log2, log2)
TANDEM_ELEMENTARY(Log10, log10)
TANDEM_ELEMENTARY(Log1p, log1p)
TANDEM_ELEMENTARY(Asin, asin)
TANDEM_ELEMENTARY(Acos, acos)
TANDEM_ELEMENTARY(Atan, atan)
TANDEM_ELEMENTARY(Sinh, sinh)
TANDEM_ELEMENTARY(Cosh, cosh)
TANDEM_ELEMENTARY(Tanh, tanh)
TANDEM_ELEMENTARY(Asinh, asinh)
TANDEM_ELEMENTARY(Acosh, acosh)
TANDEM_ELEMENTARY(Atanh, atanh)
TANDEM_ELEMENTARY(Erf, erf)
TANDEM_ELEMENTARY(Sigmoid, sigmoid)
TANDEM_ELEMENTARY(Erfc, erfc)
TANDEM_ELEMENTARY(Erfinv, erfinv)
TANDEM_ELEMENTARY(I0, i0)
TANDEM_ELEMENTARY(Logit, logit)
TANDEM_ELEMENTARY(Sinc, sinc)
#undef TANDEM_ELEMENTARY

// Functors with a fast part that serves all but huge arguments. A host loop runs the fast part
// alone over a block in which no element needs the slow one: the bits are the same.
#define TANDEM_TWO_SPEED(Functor, function) \
  struct Functor {                          \
    template <class T>                      \
    TANDEM_FN T operator()(T x) const {     \
      return function(x);                   \
    }                                       \
    template <class T>                      \
    static TANDEM_FN bool needs_slow(T x) { \
      return function##_needs_slow(x);      \
    }                                       \
    template <class T>                      \
    static TANDEM_FN T fast(T x) {          \
      return function##_fast(x);            \
    }                                       \
  };
TANDEM_TWO_SPEED(Sin, sin)
TANDEM_TWO_SPEED(Cos, cos)
TANDEM_TWO_SPEED(Tan, tan)
TANDEM_TWO_SPEED(Lgamma, lgamma)
TANDEM_TWO_SPEED(Digamma, digamma)
#undef TANDEM_TWO_SPEED

// Rounding to integers: integers are their own result.
#define TANDEM_ROUNDING(Functor, function) \
  struct Functor {                         \
    template <class T>                     \
    TANDEM_FN T operator()(T x) const {    \
      if constexpr (is_int_v<T>)           \
        return x;                          \
      else                                 \
        return function(x);                \
    }                                      \
  };
TANDEM_ROUNDING(Floor, floor_)
TANDEM_ROUNDING(Ceil, ceil_)
TANDEM_ROUNDING(Trunc, trunc_)
TANDEM_ROUNDING(Round, rint_)
#undef TANDEM_ROUNDING

struct Frac {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    return x - trunc_(x);
  }
};

struct Conj {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    return T{x.re, -x.im};
  }
};

struct SignBit {
  template <class T>
  TANDEM_FN bool operator()(T x) const {
    return (to_bits(x) >> (8 * sizeof(T) - 1)) != 0;
  }
};

/// x = m 2^e: the bits of x with a normal exponent, and how far that was moved. 0 for x of 0,
/// infinity or NaN.
template <class T>
struct FloatParts {
  unsigned_t<T> bits;
  std::int32_t e;
};
template <class T>
TANDEM_FN FloatParts<T> float_parts(T x) {
  using U = unsigned_t<T>;
  constexpr int digits = sizeof(T) == 4 ? 24 : 53;
  constexpr int bias = sizeof(T) == 4 ? 126 : 1022;  // of a number in [1/2, 1)
  constexpr U field = (U(1) << (8 * sizeof(T) - digits)) - 1;
  const bool tiny = (to_bits(x) >> (digits - 1) & field) == 0;
  const U u = to_bits(tiny ? x * T(std::uint64_t(1) << digits) : x);
  const auto exponent = static_cast<std::int32_t>(u >> (digits - 1) & field);
  const bool plain = x != T(0) && abs_bits(x) < T(__builtin_inf());
  const std::int32_t e = exponent - (tiny ? bias + digits : bias);
  const U normal = (u & ~(field << (digits - 1))) | (U(bias) << (digits - 1));
  return {plain ? normal : to_bits(x), plain ? e : 0};
}

struct FrexpMantissa {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    return from_bits(float_parts(x).bits);
  }
};

struct FrexpExponent {
  template <class T>
  TANDEM_FN std::int32_t operator()(T x) const {
    return float_parts(x).e;
  }
};

struct IsNan {
  template <class T>
  TANDEM_FN bool operator()(T x) const {
    if constexpr (is_complex_v<T>)
      return (x.re != x.re) | (x.im != x.im);
    else
      return x != x;
  }
};

/// Integers have no infinities: the comparison is made on the bits of real floats only.
template <class T>
TANDEM_FN bool is_infinite(T x) {
  if constexpr (is_real_float_v<T>)
    return abs_bits(x) == T(__builtin_inf());
  else
    return false;
}

struct IsInf {
  template <class T>
  TANDEM_FN bool operator()(T x) const {
    if constexpr (is_complex_v<T>)
      return is_infinite(x.re) | is_infinite(x.im);
    else
      return is_infinite(x);
  }
};

struct IsFinite {
  template <class T>
  TANDEM_FN bool operator()(T x) const {
    if constexpr (is_complex_v<T>)
      return IsFinite()(x.re) & IsFinite()(x.im);
    else if constexpr (is_real_float_v<T>)
      return abs_bits(x) < T(__builtin_inf());
    else
      return true;
  }
};

template <class T>
TANDEM_FN bool truth(T x) {
  return cast<bool>(x);
}

struct LogicalNot {
  template <class T>
  TANDEM_FN bool operator()(T x) const {
    return !truth(x);
  }
};

struct BitwiseNot {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    if constexpr (is_bool_v<T>)
      return !x;
    else
      return static_cast<T>(~x);
  }
};

}  // namespace tandem::fn
