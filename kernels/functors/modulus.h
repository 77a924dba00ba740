// The exact floating modulus without a loop, for quotients that are not huge: branch-free, so that
// the host's loops over it are vectorised. Used by fmod, remainder and floor_divide of binary.h.
//
// Note [The exact modulus]
// Let t = |x| / |y| < 2^(p-3), p the digits of T, and q = trunc(t rounded). Integers up to 2^p are
// representable, and rounding is monotone, so q is trunc(t) or, where t was rounded up to an
// integer, trunc(t) + 1. |x| - q|y| is a multiple of the smaller operand's last place and its
// magnitude is not above the smaller operand's (or, for q = 0, it is |x|): T holds it, and fma
// gives it exactly. It is negative where q is one too many; adding |y| then gives the modulus,
// exactly.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

template <class T>
inline constexpr unsigned_t<T> kSignOf = unsigned_t<T>(1) << (8 * sizeof(T) - 1);

/// All ones or none. A select by masks stays a select: g++ turns others into branches that it then
/// computes side by side.
template <class T>
TANDEM_FN unsigned_t<T> mask_of(bool b) {
  return unsigned_t<T>(0) - unsigned_t<T>(b);
}

/// Whether the functions below do not serve: a quotient of 2^(p-3) or more, a zero divisor, an
/// infinity or a NaN.
template <class T>
TANDEM_FN bool modulus_needs_slow(T x, T y) {
  constexpr T most = sizeof(T) == 4 ? T(0x1p21) : T(0x1p50);
  return !(abs_bits(x) < abs_bits(y) * most) | !(abs_bits(y) < T(__builtin_inf()));
}

/// q = trunc(x / y) in magnitude, or one more; then `left` is negative.
template <class T>
struct QuotientAndRest {
  T q, left;
};
template <class T>
TANDEM_FN QuotientAndRest<T> divide_magnitudes(T x, T y) {
  const T ax = abs_bits(x);
  const T ay = abs_bits(y);
  const T q = trunc_(ax / ay);
  return {q, fma(-q, ay, ax)};
}

template <class T>
TANDEM_FN T fmod_fast(T x, T y) {
  const T left = divide_magnitudes(x, y).left;
  return copysign_(left < T(0) ? left + abs_bits(y) : left, x);
}

/// What fmod gives, one y further where the signs differ: the sign of y, of a zero too.
template <class T>
TANDEM_FN T remainder_fast(T x, T y) {
  const T mod = fmod_fast(x, y);
  const bool differ = ((to_bits(x) ^ to_bits(y)) & kSignOf<T>) != 0;
  const unsigned_t<T> add = mask_of<T>(differ) & mask_of<T>(mod != T(0));
  const unsigned_t<T> bits = (to_bits(mod + y) & add) | (to_bits(mod) & ~add);
  return from_bits((bits & ~kSignOf<T>) | (to_bits(y) & kSignOf<T>));
}

/// The quotient of the remainder above: an integer below 2^(p-3) in magnitude, so exact.
template <class T>
TANDEM_FN T floor_divide_fast(T x, T y) {
  const QuotientAndRest<T> d = divide_magnitudes(x, y);
  const unsigned_t<T> sign = (to_bits(x) ^ to_bits(y)) & kSignOf<T>;
  const unsigned_t<T> one = to_bits(T(1));
  const T over = from_bits(mask_of<T>(d.left < T(0)) & one);
  const T below = from_bits(mask_of<T>(sign != 0) & mask_of<T>(d.left != T(0)) & one);
  return from_bits(to_bits(d.q - over + below) | sign);
}

}  // namespace tandem::fn
