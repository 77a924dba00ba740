// Integer arithmetic with every case defined: overflow wraps, division by zero gives 0, shifts by
// the width or more give 0 (the sign, for an arithmetic right shift). Shared by the functors of
// unary.h and binary.h.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

template <bool B, class T, class F>
struct Choose {
  using type = T;
};
template <class T, class F>
struct Choose<false, T, F> {
  using type = F;
};

/// Unsigned and at least 32 bits wide: narrower types would be promoted to int, whose overflow is
/// undefined.
template <class T>
using wrap_t = typename Choose<(sizeof(T) < 4), std::uint32_t, unsigned_t<T>>::type;

template <class T>
TANDEM_FN T wrap_add(T x, T y) {
  return static_cast<T>(static_cast<wrap_t<T>>(x) + static_cast<wrap_t<T>>(y));
}
template <class T>
TANDEM_FN T wrap_sub(T x, T y) {
  return static_cast<T>(static_cast<wrap_t<T>>(x) - static_cast<wrap_t<T>>(y));
}
template <class T>
TANDEM_FN T wrap_mul(T x, T y) {
  return static_cast<T>(static_cast<wrap_t<T>>(x) * static_cast<wrap_t<T>>(y));
}
template <class T>
TANDEM_FN T wrap_neg(T x) {
  return wrap_sub(T(0), x);
}

/// A divisor that traps on no machine: 0 and, for signed types, -1 become 1.
template <class T>
TANDEM_FN T safe_divisor(T y) {
  if constexpr (is_signed_int_v<T>) return (y == T(0) || y == T(-1)) ? T(1) : y;
  return y == T(0) ? T(1) : y;
}

/// Quotient towards zero; x / 0 is 0, and the least integer / -1 wraps to itself.
template <class T>
TANDEM_FN T trunc_quotient(T x, T y) {
  const T q = static_cast<T>(x / safe_divisor(y));
  if constexpr (is_signed_int_v<T>) {
    const T r = y == T(-1) ? wrap_neg(x) : q;
    return y == T(0) ? T(0) : r;
  }
  return y == T(0) ? T(0) : q;
}

/// Remainder of trunc_quotient, with the sign of x; x % 0 is 0.
template <class T>
TANDEM_FN T trunc_modulus(T x, T y) {
  const T r = static_cast<T>(x % safe_divisor(y));
  if constexpr (is_signed_int_v<T>) return (y == T(0) || y == T(-1)) ? T(0) : r;
  return y == T(0) ? T(0) : r;
}

/// Whether the truncated quotient must go down by one to be the floor.
template <class T>
TANDEM_FN bool floor_adjusts(T y, T modulus) {
  if constexpr (is_signed_int_v<T>) return modulus != T(0) && ((modulus < T(0)) != (y < T(0)));
  return false;
}

template <class T>
TANDEM_FN T floor_quotient(T x, T y) {
  const T q = trunc_quotient(x, y);
  return floor_adjusts(y, trunc_modulus(x, y)) ? wrap_sub(q, T(1)) : q;
}

template <class T>
TANDEM_FN T floor_modulus(T x, T y) {
  const T r = trunc_modulus(x, y);
  return floor_adjusts(y, r) ? wrap_add(r, y) : r;
}

template <class T>
TANDEM_FN T shift_left(T x, T y) {
  constexpr int width = 8 * static_cast<int>(sizeof(T));
  const bool out = y < T(0) || static_cast<unsigned_t<T>>(y) >= static_cast<unsigned_t<T>>(width);
  const T s = out ? T(0) : y;
  return out ? T(0) : static_cast<T>(static_cast<wrap_t<T>>(x) << s);
}

template <class T>
TANDEM_FN T shift_right(T x, T y) {
  constexpr int width = 8 * static_cast<int>(sizeof(T));
  const bool out = y < T(0) || static_cast<unsigned_t<T>>(y) >= static_cast<unsigned_t<T>>(width);
  const T s = out ? T(width - 1) : y;
  if constexpr (is_signed_int_v<T>) return static_cast<T>(x >> s);
  return out ? T(0) : static_cast<T>(x >> s);
}

/// x to the power y by squaring, wrapping; a negative power is 0 but for x of 1 and -1; 0 to the 0
/// is 1.
template <class T>
TANDEM_FN T integer_power(T x, T y) {
  if constexpr (is_signed_int_v<T>) {
    if (y < T(0)) return x == T(1) ? T(1) : x == T(-1) ? ((y & T(1)) != 0 ? T(-1) : T(1)) : T(0);
  }
  T result = T(1);
  for (unsigned_t<T> e = static_cast<unsigned_t<T>>(y); e != 0;
       e = static_cast<unsigned_t<T>>(e >> 1)) {
    if ((e & 1u) != 0) result = wrap_mul(result, x);
    x = wrap_mul(x, x);
  }
  return result;
}

/// |x|, unsigned: the least integer has one too.
template <class T>
TANDEM_FN unsigned_t<T> magnitude(T x) {
  if constexpr (is_signed_int_v<T>)
    return static_cast<unsigned_t<T>>(x < T(0) ? wrap_neg(x) : x);
  else
    return x;
}

/// Euclid's; at most some 90 steps for 64 bits.
template <class U>
TANDEM_FN U euclid(U a, U b) {
  while (b != 0) {
    const U r = static_cast<U>(a % b);
    a = b;
    b = r;
  }
  return a;
}

template <class T>
TANDEM_FN T common_divisor(T x, T y) {
  return static_cast<T>(euclid(magnitude(x), magnitude(y)));
}

/// |x| / gcd * |y|, wrapping.
template <class T>
TANDEM_FN T common_multiple(T x, T y) {
  using U = unsigned_t<T>;
  const U a = magnitude(x);
  const U b = magnitude(y);
  const U g = euclid(a, b);
  return static_cast<T>(wrap_mul(static_cast<U>(a / (g == 0 ? U(1) : g)), b));
}

}  // namespace tandem::fn
