// Functors of the binary rows (tandem/ops/binary.def). Both arguments have the promoted compute
// type.
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/integer.h"
#include "kernels/functors/modulus.h"
#include "kernels/functors/unary.h"
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

/// Floats as Python: the quotient that belongs to the modulus, rounded to the nearest integer, so
/// that x == y * q + r holds as nearly as it can. A zero divisor gives x / y.
struct FloorDivide {
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
  static TANDEM_FN bool needs_slow(T x, T y) {
    return modulus_needs_slow(x, y);
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

struct Remainder {
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
  static TANDEM_FN bool needs_slow(T x, T y) {
    return modulus_needs_slow(x, y);
  }
  template <class T>
  static TANDEM_FN T fast(T x, T y) {
    return remainder_fast(x, y);
  }
};

struct Fmod {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    if constexpr (is_int_v<T>)
      return trunc_modulus(x, y);
    else
      return fmod_(x, y);
  }
  template <class T>
  static TANDEM_FN bool needs_slow(T x, T y) {
    return modulus_needs_slow(x, y);
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
