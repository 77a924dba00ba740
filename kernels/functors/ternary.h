// Functors of the ternary and quaternary rows (tandem/ops/ternary.def).
#pragma once

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
      const T a = x + weight * (end - x);
      const T b = end - (end - x) * (T(1) - weight);
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

}  // namespace tandem::fn
