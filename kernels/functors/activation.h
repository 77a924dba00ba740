// Functors of relu, threshold, hardshrink, selu and celu. selu and celu are one multiple of expm1,
// rounded about once.
#pragma once

#include "kernels/functors/exp_f32.h"
#include "kernels/functors/exp_f64.h"
#include "tandem/fn.h"

namespace tandem::fn {

// scale = 1.0507009873554804934193349852946 and scale * alpha, alpha =
// 1.6732632423543772848170429916717, in two parts of one sign: an infinite x keeps its kind.
namespace f64 {
inline constexpr double kSeluScale = 0x1.0cfabd6a91132p+0;
inline constexpr double kSeluScaleLo = 0x1.6fc7d272f2695p-55;
inline constexpr double kSeluBoth = 0x1.c212cc640f031p+0;
inline constexpr double kSeluBothLo = 0x1.05161b045a1fep-56;
}  // namespace f64

/// scale * x above 0, scale * alpha * (e^x - 1) below, the products in double: 24 digits of the
/// constants and a second rounding would come to 1.05 ulp. -0 and NaN stay.
TANDEM_FN float selu(float x) {
  const float c = x < -18.0f ? -18.0f : (x < 0.0f ? x : 0.0f);
  const f32::FloatPair e = f32::expm1_scaled(c, 0);
  const double below = f64::kSeluBoth * (static_cast<double>(e.hi) + static_cast<double>(e.lo));
  const double above = f64::kSeluScale * static_cast<double>(x);
  return static_cast<float>(x < 0.0f ? below : above);
}

TANDEM_FN double selu(double x) {
  using namespace f64;
  const double e = expm1(x);
  const double below = fma(kSeluBoth, e, kSeluBothLo * e);
  const double above = fma(kSeluScale, x, kSeluScaleLo * x);
  return x < 0.0 ? below : above;
}

/// x above 0, alpha * (e^(x / alpha) - 1) below: x itself where x / alpha is too small to tell.
TANDEM_FN double celu(double x, double alpha) {
  const double q = x / alpha;
  const double e = expm1(q);
  // e^(q + q_lo) - 1 = e + q_lo (e + 1), with the rounding error of q. No number beside infinities.
  const double q_lo = fma(-q, alpha, x) / alpha;
  const double rest = q_lo * (e + 1.0);
  const double below = fma(alpha, e, abs_bits(rest) < abs_bits(e) ? alpha * rest : 0.0);
  // Where e^q may be out of range and its product with a small alpha is not, the power of two comes
  // in three parts, the first of them before alpha has lost bits. 1500 is out of range for any
  // alpha.
  const bool far = (q > 700.0) & (q < f64::inf());
  const f64::ExpParts p = f64::exp_parts(f64::clamp(q, 0.0, 1500.0));
  const std::uint64_t third = p.n / 3u;
  const double first = alpha * f64::pow2(third);
  const double product =
      fma(first, p.hi, first * fma(p.hi + p.lo, abs_bits(q_lo) < 1.0 ? q_lo : 0.0, p.lo));
  const double large = (product * f64::pow2(third)) * f64::pow2(p.n - 2u * third);
  return (x > 0.0) | (abs_bits(q) < 0x1p-54) ? x : far ? large : below;
}

/// In double: a float's x / alpha, e^(x / alpha) and their product are all in range there.
TANDEM_FN float celu(float x, float alpha) {
  const double q = static_cast<double>(x) / static_cast<double>(alpha);
  const float below = static_cast<float>(static_cast<double>(alpha) * expm1(q));
  return (x > 0.0f) | (abs_bits(q) < 0x1p-54) ? x : below;
}

/// -0 and NaN stay.
struct Relu {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    return x < T(0) ? T(0) : x;
  }
};

struct Selu {
  template <class T>
  TANDEM_FN T operator()(T x) const {
    return selu(x);
  }
};

struct Celu {
  template <class T>
  TANDEM_FN T operator()(T x, T alpha) const {
    return celu(x, alpha);
  }
};

struct Hardshrink {
  template <class T>
  TANDEM_FN T operator()(T x, T lambd) const {
    return (x >= -lambd) & (x <= lambd) ? T(0) : x;
  }
};

struct Threshold {
  template <class T>
  TANDEM_FN T operator()(T x, T threshold, T value) const {
    return x <= threshold ? value : x;
  }
};

}  // namespace tandem::fn
