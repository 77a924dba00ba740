// Functors of the binary rows (tandem/ops/binary.def). Both arguments have the promoted compute
// type.
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/gamma_inc.h"
#include "kernels/functors/integer.h"
#include "kernels/functors/modulus.h"
#include "kernels/functors/on_storage.h"
#include "kernels/functors/unary.h"
#include "kernels/functors/zeta.h"
#include "tandem/fn.h"

namespace tandem::fn {

struct Add {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_bool_v<T>)
      return x | y;
    else if constexpr (is_int_v<T>)
      return wrap_add(x, y);
    else
      return x + y;
  }
};

struct Sub {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_int_v<T>)
      return wrap_sub(x, y);
    else
      return x - y;
  }
};

struct Mul {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_bool_v<T>)
      return x & y;
    else if constexpr (is_int_v<T>)
      return wrap_mul(x, y);
    else
      return x * y;
  }
};

struct Div {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return x / y;
  }
};

// fmod, remainder and floor_divide of floats are exact, or defined by what is; a fast part serves
// all but huge quotients and special values, with the same bits (Note [The exact modulus]).

/// Functors with a fast form besides, by modulus.h.
struct ExactModulus {
  template <class T>
  static TANDEM_FN bool needs_slow(T x, T y) {
    return modulus_needs_slow(x, y);
  }
};

/// Floats as Python: the quotient that belongs to the modulus, rounded to the nearest integer, so
/// that x == y * q + r holds as nearly as it can. A zero divisor gives x / y.
struct FloorDivide : ExactModulus {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_int_v<T>) {
      return floor_quotient(x, y);
    } else {
      const T mod = fmod_(x, y);
      T q = (x - mod) / y;
      q = (mod != T(0) && ((y < T(0)) != (mod < T(0)))) ? q - T(1) : q;
      const T f = floor_(q);
      const T near = q - f > T(0.5) ? f + T(1) : f;
      const T nonzero = q != T(0) ? near : copysign_(T(0), x / y);
      return (y == T(0)) | (abs_bits(x) == T(__builtin_inf())) ? x / y : nonzero;
    }
  }
  template <class T>
  static TANDEM_FN T fast(T x, T y) {
    return floor_divide_fast(x, y);
  }
};

struct TruncDivide {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_int_v<T>)
      return trunc_quotient(x, y);
    else
      return trunc_(x / y);
  }
};

struct Remainder : ExactModulus {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_int_v<T>) {
      return floor_modulus(x, y);
    } else {
      const T mod = fmod_(x, y);
      return copysign_((mod != T(0) && ((y < T(0)) != (mod < T(0)))) ? mod + y : mod, y);
    }
  }
  template <class T>
  static TANDEM_FN T fast(T x, T y) {
    return remainder_fast(x, y);
  }
};

struct Fmod : ExactModulus {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_int_v<T>)
      return trunc_modulus(x, y);
    else
      return fmod_(x, y);
  }
  template <class T>
  static TANDEM_FN T fast(T x, T y) {
    return fmod_fast(x, y);
  }
};

struct Pow {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_int_v<T>)
      return integer_power(x, y);
    else
      return pow(x, y);
  }
};

struct Atan2 {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return atan2(x, y);
  }
};

struct Hypot {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return hypot(x, y);
  }
};

// Functors that name an elementary function of two arguments.
#define TANDEM_ELEMENTARY2(Functor, function) \
  struct Functor {                            \
    template <class T>                        \
    TANDEM_FN T operator()(T x, T y) const {  \
      return function(x, y);                  \
    }                                         \
  };
TANDEM_ELEMENTARY2(Ldexp, ldexp)
TANDEM_ELEMENTARY2(XLogY, xlogy)
TANDEM_ELEMENTARY2(XLog1pY, xlog1py)
TANDEM_ELEMENTARY2(Igamma, igamma)
TANDEM_ELEMENTARY2(Igammac, igammac)
TANDEM_ELEMENTARY2(Zeta, zeta)
TANDEM_ELEMENTARY2(DigammaDerivative, digamma_derivative)
#undef TANDEM_ELEMENTARY2

// Functors whose fast part in float32 says itself where it does not suffice. A host loop runs it
// over a block and the whole function for those elements alone.
#define TANDEM_RECHECKED(Functor, function)                          \
  struct Functor {                                                   \
    template <class T>                                               \
    TANDEM_FN T operator()(T x, T y) const {                         \
      return function(x, y);                                         \
    }                                                                \
    template <class T>                                               \
    static TANDEM_FN bool suffices(T v) requires same_v<T, float> {  \
      return function##_suffices(v);                                 \
    }                                                                \
    template <class T>                                               \
    static TANDEM_FN T attempt(T x, T y) requires same_v<T, float> { \
      return function##_fast(x, y);                                  \
    }                                                                \
  };
TANDEM_RECHECKED(LogAddExp, logaddexp)
TANDEM_RECHECKED(LogAddExp2, logaddexp2)
#undef TANDEM_RECHECKED

struct CopySign {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return copysign_(x, y);
  }
};

/// The greater of two numbers, -0 < +0; y where either is NaN. Equal numbers differ in a zero's
/// sign only: their bits are joined. By masks, see mask_of.
template <class T>
TANDEM_FN T greater_of(T x, T y) {
  const T r = x > y ? x : y;
  if constexpr (is_real_float_v<T>)
    return from_bits(to_bits(r) & (to_bits(x) | mask_of<T>(!(x == y))));
  else
    return r;
}

template <class T>
TANDEM_FN T lesser_of(T x, T y) {
  const T r = x < y ? x : y;
  if constexpr (is_real_float_v<T>)
    return from_bits(to_bits(r) | (to_bits(x) & mask_of<T>(x == y)));
  else
    return r;
}

/// x where x is NaN and `r` elsewhere, which is y where y alone is NaN.
template <class T>
TANDEM_FN T nan_of_first_or(T r, T x) {
  if constexpr (is_real_float_v<T>) {
    const unsigned_t<T> nan = mask_of<T>(x != x);
    return from_bits((to_bits(r) & ~nan) | (to_bits(x) & nan));
  } else {
    return r;
  }
}

/// x where y alone is NaN and `r` elsewhere, which is y where x is NaN.
template <class T>
TANDEM_FN T number_of_first_or(T r, T x, T y) {
  if constexpr (is_real_float_v<T>) {
    const unsigned_t<T> take = mask_of<T>(y != y) & mask_of<T>(x == x);
    return from_bits((to_bits(r) & ~take) | (to_bits(x) & take));
  } else {
    return r;
  }
}

struct Maximum {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return nan_of_first_or(greater_of(x, y), x);
  }
};

struct Minimum {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return nan_of_first_or(lesser_of(x, y), x);
  }
};

struct Fmax {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return number_of_first_or(greater_of(x, y), x, y);
  }
};

struct Fmin {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return number_of_first_or(lesser_of(x, y), x, y);
  }
};

/// The neighbour of x towards y, in a format whose numbers lie `Unit` float bits apart.
template <std::uint32_t Unit = 1, class T = float>
TANDEM_FN T next_after(T x, T y) {
  using U = unsigned_t<T>;
  const U u = to_bits(x);
  const bool up = (y > x) == (x > T(0));  // away from 0
  const T moved = from_bits(static_cast<U>(up ? u + U(Unit) : u - U(Unit)));
  T r = x == T(0) ? copysign_(from_bits(U(Unit)), y) : moved;
  r = x == y ? y : r;
  return (x != x) | (y != y) ? x + y : r;
}

struct NextAfter {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return next_after(x, y);
  }
};
/// A bfloat16 is the upper half of a float.
struct NextBFloat16 {
  TANDEM_FN float operator()(float x, float y) const { return next_after<0x10000u>(x, y); }
};
/// A float16's neighbours are 2^13 float bits apart, below 2^-14 equidistant.
struct NextHalf {
  TANDEM_FN float operator()(float x, float y) const {
    const float a = abs_bits(x);
    const bool up = (y > x) == (x > 0.0f);
    const bool subnormal = up ? a < 0x1p-14f : a <= 0x1p-14f;
    const float step = up ? 0x1p-24f : -0x1p-24f;
    const std::uint32_t moved = up ? to_bits(a) + 0x2000u : to_bits(a) - 0x2000u;
    float m = subnormal ? a + step : from_bits(moved);
    m = a == from_bits(0x7f800000u) ? 65504.0f : m;
    float r = x == 0.0f ? copysign_(0x1p-24f, y) : copysign_(m, x);
    r = x == y ? y : r;
    return (x != x) | (y != y) ? x + y : r;
  }
};
template <>
struct OnStorage<NextAfter, BFloat16> {
  using type = NextBFloat16;
};
template <>
struct OnStorage<NextAfter, Half> {
  using type = NextHalf;
};

struct Heaviside {
  template <class T>
  TANDEM_FN T operator()(T x, T values) const {
    return x == T(0) ? values : static_cast<T>(x > T(0));
  }
};

struct Gcd {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return common_divisor(x, y);
  }
};

struct Lcm {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return common_multiple(x, y);
  }
};

struct MakeComplex {
  template <class T>
  TANDEM_FN Complex<T> operator()(T re, T im) const {
    return {re, im};
  }
};

struct Polar {
  template <class T>
  TANDEM_FN Complex<T> operator()(T abs, T angle) const {
    return {abs * cos(angle), abs * sin(angle)};
  }
};

struct Eq {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    if constexpr (is_complex_v<T>)
      return (x.re == y.re) & (x.im == y.im);
    else
      return x == y;
  }
};

struct Ne {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return !Eq()(x, y);
  }
};

struct Lt {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return x < y;
  }
};

struct Le {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return x <= y;
  }
};

struct Gt {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return x > y;
  }
};

struct Ge {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return x >= y;
  }
};

struct LogicalAnd {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return truth(x) & truth(y);
  }
};

struct LogicalOr {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return truth(x) | truth(y);
  }
};

struct LogicalXor {
  template <class T>
  TANDEM_FN bool operator()(T x, T y) const {
    return truth(x) != truth(y);
  }
};

struct BitwiseAnd {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return static_cast<T>(x & y);
  }
};

struct BitwiseOr {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return static_cast<T>(x | y);
  }
};

struct BitwiseXor {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return static_cast<T>(x ^ y);
  }
};

struct LeftShift {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return shift_left(x, y);
  }
};

struct RightShift {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    return shift_right(x, y);
  }
};

}  // namespace tandem::fn
