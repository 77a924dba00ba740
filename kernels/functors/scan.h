// Functors of the scans: what is carried along an axis and how two neighbouring runs join. The
// order is not here: both backends join along the fixed order of docs/numerics.md, "Scans".
//
//   Elem       elements as they are read and values as they are written: float, double, 64-bit
//              integers, complex
//   Acc        what is carried; kIndexed: a value with the index of its element
//   map(x, i)  element i as an accumulator
//   combine    joins two runs, the earlier one first; need not be commutative
//   value      what is written; index() besides, where kIndexed
#pragma once

#include "elementary.h"
#include "reduction.h"
#include "tandem/fn.h"

namespace tandem::fn {

/// What every scan without indices has: dense elements are read as accumulators, without map.
template <class A>
struct PlainScan {
  using Elem = A;
  using Acc = A;
  static constexpr bool kIndexed = false;
  static TANDEM_FN A map(A x, std::int64_t) { return x; }
  static TANDEM_FN A value(A a) { return a; }
};

template <class A>
struct ScanSum : PlainScan<A> {
  static TANDEM_FN A combine(A a, A b) { return add_acc(a, b); }
};

template <class A>
struct ScanProd : PlainScan<A> {
  static TANDEM_FN A combine(A a, A b) { return mul_acc(a, b); }
};

/// log(exp(a) + exp(b)): the greater plus log1p(exp(-distance)). Equal ones, infinities among
/// them, have no distance; NaN passes through the difference.
template <class A>
struct ScanLogAddExp : PlainScan<A> {
  static TANDEM_FN A combine(A a, A b) {
    const A distance = abs_bits(a - b);
    const A exponent = a == b ? A(0) : -distance;
    const A greater = a > b ? a : b;
    return greater + log1p(exp(exponent));
  }
};

/// The same of complex numbers, as PyTorch has it: of two the one with the greater real part plus
/// log1p(exp(the other less it)), so that the imaginary part is right up to a multiple of 2 pi. A
/// NaN in any part makes both NaN; that of -inf has no imaginary part; two of inf have no
/// difference.
template <class T>
struct ScanLogAddExp<Complex<T>> : PlainScan<Complex<T>> {
  using A = Complex<T>;
  static TANDEM_FN A combine(A a, A b) {
    const T nan = static_cast<T>(f64::nan());
    if ((a.re != a.re) | (a.im != a.im) | (b.re != b.re) | (b.im != b.im)) return {nan, nan};
    if ((a.re == b.re) & cx::infinite(a.re)) return a.re < T(0) ? a : log(exp(a) + exp(b));
    const bool later = b.re >= a.re;
    const A low = later ? a : b;
    const A high = later ? b : a;
    return high + log1p(exp(low - high));
  }
};

/// A value and the index of its element.
template <class C>
struct ScanExtreme {
  C value;
  std::int64_t index;
};

/// The greatest so far and the index of the last element equal to it; NaN wins, the last NaN's
/// index stands. -0 equals +0.
template <class C>
struct ScanMax {
  using Elem = C;
  using Acc = ScanExtreme<C>;
  static constexpr bool kIndexed = true;
  static TANDEM_FN Acc map(C x, std::int64_t i) { return {x, i}; }
  static TANDEM_FN C value(Acc a) { return a.value; }
  static TANDEM_FN std::int64_t index(Acc a) { return a.index; }
  static TANDEM_FN bool replaces(C earlier, C later) {
    if constexpr (is_real_float_v<C>) {
      return later != later || (earlier == earlier && later >= earlier);
    } else {
      return later >= earlier;
    }
  }
  static TANDEM_FN Acc combine(Acc a, Acc b) {
    const bool later = replaces(a.value, b.value);
    return {later ? b.value : a.value, later ? b.index : a.index};
  }
};

template <class C>
struct ScanMin : ScanMax<C> {
  using Acc = ScanExtreme<C>;
  static TANDEM_FN bool replaces(C earlier, C later) {
    if constexpr (is_real_float_v<C>) {
      return later != later || (earlier == earlier && later <= earlier);
    } else {
      return later <= earlier;
    }
  }
  static TANDEM_FN Acc combine(Acc a, Acc b) {
    const bool later = replaces(a.value, b.value);
    return {later ? b.value : a.value, later ? b.index : a.index};
  }
};

}  // namespace tandem::fn
