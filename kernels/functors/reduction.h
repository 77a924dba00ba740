// Functors of the reduction rows (tandem/ops/reduction.def) and of their irregular kin: what is
// accumulated, in which type, and how two partial results join. The order is not here: both
// backends join along the fixed tree of docs/numerics.md, "Reductions".
//
// A functor is a class template over the compute type C of the elements:
//   Acc        what is accumulated
//   identity() joining it with any a gives a; kPads says whether that holds for every a (it does
//              not for complex products: inf * 0), so that tails may be padded with it. Skipping
//              a missing element gives the same bits as padding.
//   map(x)     an element (or two, or an element and its index) as an accumulator
//   combine    joins two accumulators; commutative to the bit
//   finish     the result from the accumulator and the number of elements
//   empty()    the result where there are no elements
//   Maps       the functor with the same Acc, map and combine: a mean is accumulated as a sum
//   Joins      Acc and combine alone, shared by the functors of several element types
#pragma once

#include "complex_math.h"
#include "exp_f32.h"
#include "exp_f64.h"
#include "integer.h"
#include "tandem/fn.h"

namespace tandem::fn {

/// Sums and products: integers and bool in 64 bits, floats in their compute type.
template <class C>
using sum_t =
    typename Choose<is_bool_v<C> || is_int_v<C>,
                    typename Choose<same_v<C, std::uint64_t>, std::uint64_t, std::int64_t>::type,
                    C>::type;

template <class T>
TANDEM_FN T add_acc(T a, T b) {
  if constexpr (is_complex_v<T>)
    return T{a.re + b.re, a.im + b.im};
  else if constexpr (is_int_v<T>)
    return wrap_add(a, b);
  else
    return a + b;
}

/// Complex numbers by the operator of complex_math.h: the plain formula, each product rounded.
template <class T>
TANDEM_FN T mul_acc(T a, T b) {
  if constexpr (is_int_v<T>)
    return wrap_mul(a, b);
  else
    return a * b;
}

/// A count as a float, rounded to nearest.
template <class T>
TANDEM_FN T count_as(std::int64_t n) {
  return static_cast<T>(n);
}

template <class A>
struct JoinSum {
  using Acc = A;
  static TANDEM_FN A combine(A a, A b) { return add_acc(a, b); }
};
template <class A>
struct JoinProd {
  using Acc = A;
  static TANDEM_FN A combine(A a, A b) { return mul_acc(a, b); }
};
template <class A>
struct JoinMax {
  using Acc = A;
  static TANDEM_FN A combine(A a, A b) { return a > b ? a : b; }
};
template <class A>
struct JoinOr {
  using Acc = A;
  static TANDEM_FN A combine(A a, A b) { return a | b; }
};
template <class A>
struct JoinAnd {
  using Acc = A;
  static TANDEM_FN A combine(A a, A b) { return a & b; }
};

template <class C>
struct Sum : JoinSum<sum_t<C>> {
  using Maps = Sum;
  using Joins = JoinSum<sum_t<C>>;
  using Acc = sum_t<C>;
  using Result = Acc;
  static constexpr bool kPads = true;
  /// -0: adding it changes no number, +0 would turn -0 into +0.
  static TANDEM_FN Acc identity() {
    if constexpr (is_complex_v<C>)
      return Acc{real_t<C>(-0.0), real_t<C>(-0.0)};
    else if constexpr (is_int_v<Acc>)
      return Acc(0);
    else
      return Acc(-0.0);
  }
  static TANDEM_FN Acc map(C x) { return cast<Acc>(x); }
  static TANDEM_FN Result finish(Acc a, std::int64_t) { return a; }
  static TANDEM_FN Result empty() { return Acc{}; }
};

template <class C>
struct Mean : Sum<C> {
  using Acc = typename Sum<C>::Acc;
  using Result = Acc;
  static TANDEM_FN Result finish(Acc a, std::int64_t n) {
    using R = real_t<C>;
    if constexpr (is_complex_v<C>)
      return Acc{a.re / count_as<R>(n), a.im / count_as<R>(n)};
    else
      return a / count_as<R>(n);
  }
  static TANDEM_FN Result empty() { return finish(Acc{}, 0); }
};

template <class C>
struct Prod : JoinProd<sum_t<C>> {
  using Maps = Prod;
  using Joins = JoinProd<sum_t<C>>;
  using Acc = sum_t<C>;
  using Result = Acc;
  static constexpr bool kPads = !is_complex_v<C>;
  static TANDEM_FN Acc identity() {
    if constexpr (is_complex_v<C>)
      return Acc{1, 0};
    else
      return Acc(1);
  }
  static TANDEM_FN Acc map(C x) { return cast<Acc>(x); }
  static TANDEM_FN Result finish(Acc a, std::int64_t) { return a; }
  static TANDEM_FN Result empty() { return identity(); }
};

/// A sum in which NaN counts as nothing.
template <class C>
struct NanSum : Sum<C> {
  using Maps = NanSum;
  using Acc = typename Sum<C>::Acc;
  static TANDEM_FN Acc map(C x) {
    const Acc a = cast<Acc>(x);
    if constexpr (is_real_float_v<C>) return x != x ? Sum<C>::identity() : a;
    return a;
  }
};

template <class C>
TANDEM_FN bool is_nonzero(C x) {
  return cast<bool>(x);
}

/// How many elements are not 0; NaN is not.
template <class C>
struct CountNonzero : Sum<std::int64_t> {
  using Maps = CountNonzero;
  static TANDEM_FN std::int64_t map(C x) { return is_nonzero(x) ? 1 : 0; }
};

/// |x|, of complex numbers by hypot.
template <class C>
TANDEM_FN real_t<C> modulus_of(C x) {
  if constexpr (is_complex_v<C>)
    return abs(x);
  else
    return abs_bits(x);
}

/// The 1-norm.
template <class C>
struct AbsSum : Sum<real_t<C>> {
  using Maps = AbsSum;
  using Acc = real_t<C>;
  static TANDEM_FN Acc map(C x) { return modulus_of(x); }
};

/// The 2-norm: squares are summed as they are, without scaling.
template <class C>
struct SquareSum : Sum<real_t<C>> {
  using Maps = SquareSum;
  using Acc = real_t<C>;
  static TANDEM_FN Acc map(C x) {
    if constexpr (is_complex_v<C>)
      return x.re * x.re + x.im * x.im;
    else
      return x * x;
  }
  static TANDEM_FN Acc finish(Acc a, std::int64_t) { return sqrt_rn(a); }
};

/// The second pass of logsumexp and softmax: a sum of exponentials.
template <class C>
struct ExpSum : Sum<C> {
  using Maps = ExpSum;
  using Acc = C;
  static TANDEM_FN C map(C x, C greatest) { return exp(x - greatest); }
};

/// Sum of products of two inputs (einsum), each product rounded before it is added.
template <class C>
struct Dot : Sum<C> {
  using Maps = Dot;
  using Acc = typename Sum<C>::Acc;
  static TANDEM_FN Acc map(C x, C y) { return mul_acc(cast<Acc>(x), cast<Acc>(y)); }
};

/// Sum of squared distances from a centre: the second pass of var and std.
template <class C>
struct CenteredSquare : Sum<real_t<C>> {
  using Maps = CenteredSquare;
  using Acc = real_t<C>;
  static TANDEM_FN Acc map(C x, C centre) {
    if constexpr (is_complex_v<C>) {
      const Acc re = x.re - centre.re, im = x.im - centre.im;
      return re * re + im * im;
    } else {
      const Acc d = x - centre;
      return d * d;
    }
  }
  /// Divides by n - correction, or by 0 where that is negative.
  static TANDEM_FN Acc variance(Acc a, std::int64_t n, double correction) {
    const double d = static_cast<double>(n) - correction;
    return a / static_cast<Acc>(d < 0 ? 0.0 : d);
  }
};

// ---- the greatest and the least

template <class C>
inline constexpr bool has_key_v = is_real_float_v<C>;

/// Floats become integers of the same order (-inf < ... < -0 < +0 < ... < inf < NaN), whose
/// greatest is exact in any order and vectorised at every SIMD level. All NaNs become one.
template <class C>
struct Key {
  using type = C;
};
template <>
struct Key<bool> {
  using type = std::uint8_t;
};
template <>
struct Key<float> {
  using type = std::int32_t;
};
template <>
struct Key<double> {
  using type = std::int64_t;
};
template <class C>
using key_t = typename Key<C>::type;

template <class C>
inline constexpr key_t<C> kNanKey = 0;
template <>
inline constexpr std::int32_t kNanKey<float> = 0x7fc00000;
template <>
inline constexpr std::int64_t kNanKey<double> = 0x7ff8000000000000;

template <class C>
TANDEM_FN key_t<C> to_key(C x) {
  using K = key_t<C>;
  if constexpr (has_key_v<C>) {
    const K b = static_cast<K>(to_bits(x));
    const K k = b ^ ((b >> (8 * sizeof(K) - 1)) & IntLimits<K>::max);
    return x != x ? kNanKey<C> : k;
  } else {
    return static_cast<K>(x);
  }
}
template <class C>
TANDEM_FN C from_key(key_t<C> k) {
  using K = key_t<C>;
  if constexpr (has_key_v<C>)
    return from_bits(
        static_cast<unsigned_t<K>>(k ^ ((k >> (8 * sizeof(K) - 1)) & IntLimits<K>::max)));
  else
    return static_cast<C>(k);
}

template <class C>
struct Amax : JoinMax<key_t<C>> {
  using Maps = Amax;
  using Joins = JoinMax<key_t<C>>;
  using Acc = key_t<C>;
  using Result = C;
  static constexpr bool kPads = true;
  static TANDEM_FN Acc identity() { return IntLimits<Acc>::min; }
  static TANDEM_FN Acc map(C x) { return to_key(x); }
  static TANDEM_FN Result finish(Acc a, std::int64_t) { return from_key<C>(a); }
  static TANDEM_FN Result empty() { return from_key<C>(identity()); }  // the front-end refuses it
};

/// The greatest of the complements, which have the opposite order; NaN stays the greatest.
template <class C>
struct Amin : JoinMax<key_t<C>> {
  using Maps = Amin;
  using Joins = JoinMax<key_t<C>>;
  using Acc = key_t<C>;
  using Result = C;
  static constexpr bool kPads = true;
  static TANDEM_FN Acc identity() { return IntLimits<Acc>::min; }
  static TANDEM_FN Acc map(C x) {
    const Acc k = static_cast<Acc>(~to_key(x));
    if constexpr (has_key_v<C>) return x != x ? kNanKey<C> : k;
    return k;
  }
  static TANDEM_FN Result finish(Acc a, std::int64_t) {
    const Acc k = static_cast<Acc>(~a);
    if constexpr (has_key_v<C>) return from_key<C>(a == kNanKey<C> ? a : k);
    return from_key<C>(k);
  }
  static TANDEM_FN Result empty() { return from_key<C>(identity()); }  // the front-end refuses it
};

/// The greatest and the least magnitude: the norms of order infinity and minus infinity.
template <class C>
struct AbsMax : Amax<real_t<C>> {
  using Maps = AbsMax;
  static TANDEM_FN key_t<real_t<C>> map(C x) { return to_key(modulus_of(x)); }
};
template <class C>
struct AbsMin : Amin<real_t<C>> {
  using Maps = AbsMin;
  static TANDEM_FN key_t<real_t<C>> map(C x) { return Amin<real_t<C>>::map(modulus_of(x)); }
};

// ---- any, all

/// As wide as the elements, so that a vector of them is tested with one comparison.
template <class C>
using flag_t = typename UnsignedOf<static_cast<int>(sizeof(real_t<C>))>::type;

template <class C>
struct Any : JoinOr<flag_t<C>> {
  using Maps = Any;
  using Joins = JoinOr<flag_t<C>>;
  using Acc = flag_t<C>;
  using Result = bool;
  static constexpr bool kPads = true;
  static TANDEM_FN Acc identity() { return 0; }
  static TANDEM_FN Acc map(C x) { return is_nonzero(x) ? Acc(1) : Acc(0); }
  static TANDEM_FN Result finish(Acc a, std::int64_t) { return a != 0; }
  static TANDEM_FN Result empty() { return false; }
};

template <class C>
struct All : JoinAnd<flag_t<C>> {
  using Maps = All;
  using Joins = JoinAnd<flag_t<C>>;
  using Acc = flag_t<C>;
  using Result = bool;
  static constexpr bool kPads = true;
  static TANDEM_FN Acc identity() { return 1; }
  static TANDEM_FN Acc map(C x) { return is_nonzero(x) ? Acc(1) : Acc(0); }
  static TANDEM_FN Result finish(Acc a, std::int64_t) { return a != 0; }
  static TANDEM_FN Result empty() { return true; }
};

// ---- where the greatest is

/// Signed keys of 32 or 64 bits in which -0 equals +0.
template <class C>
using arg_key_t = typename Choose<(sizeof(key_t<C>) > 4), std::int64_t, std::int32_t>::type;

template <class C>
TANDEM_FN arg_key_t<C> to_arg_key(C x) {
  using K = arg_key_t<C>;
  if constexpr (has_key_v<C>) {
    return x == C(0) ? K(0) : to_key(x);
  } else if constexpr (same_v<C, std::uint32_t> || same_v<C, std::uint64_t>) {
    return static_cast<K>(x ^ (C(1) << (8 * sizeof(C) - 1)));
  } else {
    return static_cast<K>(x);
  }
}

template <class K>
struct ArgAcc {
  K key;
  std::int64_t index;
};

/// NaN wins; among equals the first index.
template <class C>
struct ArgMax {
  using Key = arg_key_t<C>;
  using Acc = ArgAcc<Key>;
  using Result = std::int64_t;
  static constexpr bool kPads = true;
  static TANDEM_FN Key key(C x) { return to_arg_key(x); }
  static TANDEM_FN Acc identity() { return {IntLimits<Key>::min, IntLimits<std::int64_t>::max}; }
  static TANDEM_FN Acc map(C x, std::int64_t index) { return {key(x), index}; }
  static TANDEM_FN Acc combine(Acc a, Acc b) {
    const bool second = b.key > a.key || (b.key == a.key && b.index < a.index);
    return second ? b : a;
  }
  static TANDEM_FN Result finish(Acc a, std::int64_t) { return a.index; }
};

template <class C>
struct ArgMin : ArgMax<C> {
  using Key = arg_key_t<C>;
  static TANDEM_FN Key key(C x) {
    const Key k = static_cast<Key>(~to_arg_key(x));
    if constexpr (has_key_v<C>) return x != x ? kNanKey<C> : k;
    return k;
  }
  static TANDEM_FN ArgAcc<Key> map(C x, std::int64_t index) { return {key(x), index}; }
};

}  // namespace tandem::fn
