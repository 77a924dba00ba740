// What the float64 elementary functions share: double-double steps, polynomials, scaling.
// Method: Dekker/Knuth error-free transformations (Muller et al., Handbook of Floating-Point
// Arithmetic, ch. 4-5). Polynomials are weighted minimax fits: tools/minimax.py.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn::f64 {

/// An unevaluated sum; |lo| is at most about half a place of hi unless said otherwise.
struct Dd {
  double hi, lo;
};

// Adding it rounds to an integer whose low bits are then the low bits of the sum: the conversion
// to integer that every SIMD level has. Good for |x| < 2^51.
inline constexpr double kMagic = 0x1.8p52;
inline constexpr std::uint64_t kMagicBits = 0x4338000000000000u;
inline constexpr std::uint64_t kInfBits = 0x7ff0000000000000u;
inline constexpr std::uint64_t kNanBits = 0x7ff8000000000000u;

TANDEM_FN double inf() { return from_bits(kInfBits); }
TANDEM_FN double nan() { return from_bits(kNanBits); }

TANDEM_FN Dd two_sum(double a, double b) {
  const double s = a + b;
  const double t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
/// Needs |a| >= |b| or a == 0.
TANDEM_FN Dd fast_two_sum(double a, double b) {
  const double s = a + b;
  return {s, b - (s - a)};
}
TANDEM_FN Dd two_prod(double a, double b) {
  const double p = a * b;
  return {p, fma(a, b, -p)};
}
TANDEM_FN Dd mul(Dd a, Dd b) {
  const Dd p = two_prod(a.hi, b.hi);
  return fast_two_sum(p.hi, p.lo + fma(a.hi, b.lo, a.lo * b.hi));
}
TANDEM_FN Dd mul(Dd a, double b) {
  const Dd p = two_prod(a.hi, b);
  return fast_two_sum(p.hi, fma(a.lo, b, p.lo));
}
/// Needs |a| >= |b|.
TANDEM_FN Dd add(Dd a, Dd b) {
  const Dd s = fast_two_sum(a.hi, b.hi);
  return fast_two_sum(s.hi, s.lo + (a.lo + b.lo));
}
/// Square root of y >= 0 (NaN below), about 100 bits.
TANDEM_FN Dd sqrt_dd(Dd y) {
  const double s = sqrt_rn(y.hi);
  const double twice = s == 0.0 ? 1.0 : s + s;
  return {s, (fma(-s, s, y.hi) + y.lo) / twice};
}

/// c0 + c1 x + c2 x^2 + ..., Horner with fma.
TANDEM_FN double poly(double, double c0) { return c0; }
template <class... C>
TANDEM_FN double poly(double x, double c0, C... rest) {
  return fma(poly(x, rest...), x, c0);
}

/// 2^n for n in [-1022, 1023], n in two's complement.
TANDEM_FN double pow2(std::uint64_t n) { return from_bits((n + 1023u) << 52); }

/// p * 2^n for n in [-2044, 2046], rounded once: the first factor is exact for p near 1.
TANDEM_FN double scale(double p, std::uint64_t n) {
  const std::uint64_t half = ((n + 4096u) >> 1) - 2048u;
  return (p * pow2(half)) * pow2(n - half);
}

}  // namespace tandem::fn::f64
