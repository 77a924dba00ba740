// Functors of the binary rows (tandem/ops/binary.def). Both arguments have the promoted compute
// type.
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/integer.h"
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
      return y == T(0) ? x / y : nonzero;
    }
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
      return (mod != T(0) && ((y < T(0)) != (mod < T(0)))) ? mod + y : mod;
    }
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

/// The greater of two numbers, -0 < +0; NaN arguments are the caller's business.
template <class T>
TANDEM_FN T greater_of(T x, T y) {
  if constexpr (is_real_float_v<T>) {
    const T equal =
        from_bits(to_bits(x) & to_bits(y));  // equal numbers differ in a zero's sign only
    return x == y ? equal : (x > y ? x : y);
  } else {
    return x > y ? x : y;
  }
}

template <class T>
TANDEM_FN T lesser_of(T x, T y) {
  if constexpr (is_real_float_v<T>) {
    const T equal = from_bits(to_bits(x) | to_bits(y));
    return x == y ? equal : (x < y ? x : y);
  } else {
    return x < y ? x : y;
  }
}

struct Maximum {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    const T r = greater_of(x, y);
    return x != x ? x : (y != y ? y : r);
  }
};

struct Minimum {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    const T r = lesser_of(x, y);
    return x != x ? x : (y != y ? y : r);
  }
};

struct Fmax {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    const T r = greater_of(x, y);
    return x != x ? y : (y != y ? x : r);
  }
};

struct Fmin {
  template <class T>
  TANDEM_FN T operator()(T x, T y) const {
    const T r = lesser_of(x, y);
    return x != x ? y : (y != y ? x : r);
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
