// Functors of the ternary and quaternary rows (tandem/ops/ternary.def).
#pragma once

#include "kernels/functors/activation.h"
#include "kernels/functors/binary.h"
#include "tandem/fn.h"

namespace tandem::fn {

struct Where {
  template <class T>
  TANDEM_FN T operator()(bool condition, T x, T y) const {
    return condition ? x : y;
  }
};

struct Clamp {
  template <class T>
  TANDEM_FN T operator()(T x, T low, T high) const {
    return Minimum()(Maximum()(x, low), high);
  }
};

/// From the nearer end, so that weight 1 gives exactly `end` and weight 0 exactly x.
struct Lerp {
  template <class T>
  TANDEM_FN T operator()(T x, T end, T weight) const {
    if constexpr (is_complex_v<T>) {
      const T one{real_t<T>(1), real_t<T>(0)};
      const bool low = weight.re * weight.re + weight.im * weight.im < real_t<T>(0.25);
      const T a = x + weight * (end - x);
      const T b = end - (end - x) * (one - weight);
      return T{low ? a.re : b.re, low ? a.im : b.im};
    } else {
      const T a = fma(weight, end - x, x);
      const T b = fma(-(T(1) - weight), end - x, end);
      return abs_bits(weight) < T(0.5) ? a : b;
    }
  }
};

struct AddScaled {
  template <class T>
  TANDEM_FN T operator()(T x, T y, T alpha) const {
    return Add()(x, Mul()(alpha, y));
  }
};

struct Addcmul {
  template <class T>
  TANDEM_FN T operator()(T x, T a, T b, T value) const {
    return Add()(x, Mul()(Mul()(value, a), b));
  }
};

struct Addcdiv {
  template <class T>
  TANDEM_FN T operator()(T x, T a, T b, T value) const {
    return Add()(x, Div()(Mul()(value, a), b));
  }
};

struct NanToNum {
  template <class T>
  TANDEM_FN T operator()(T x, T nan, T above, T below) const {
    T r = x == T(__builtin_inf()) ? above : x;
    r = x == -T(__builtin_inf()) ? below : r;
    return x == x ? r : nan;
  }
};

struct IsClose {
  template <class T>
  TANDEM_FN bool operator()(T x, T y, T rtol, T atol) const {
    if constexpr (is_complex_v<T>) {
      const real_t<T> error = Abs()(x - y);
      const bool near = error <= atol.re + abs_bits(rtol.re * Abs()(y));
      return Eq()(x, y) | (near & IsFinite()(error));
    } else {
      const T error = abs_bits(x - y);
      return (x == y) | ((error <= atol + abs_bits(rtol * y)) & (error < T(__builtin_inf())));
    }
  }
};

}  // namespace tandem::fn
