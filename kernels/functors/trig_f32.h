// float32 sin, cos, tan, asin, acos, atan, atan2 and sincospi: branch-free, the same operations
// under g++ and nvcc. sin, cos and tan come in a fast part (|x| < 2^17, Cody and Waite's reduction
// in three words) and a slow one (Payne and Hanek's, in 96 bits of 2/pi); the plain name chooses,
// so a caller that knows a block needs no slow part may call the fast one and get the same bits.
#pragma once

#include "exp_f32.h"
#include "tandem/fn.h"

namespace tandem::fn {
namespace f32 {

inline constexpr float kPio2Hi = 0x1.921fb6p0f;
inline constexpr float kPio2Mid = -0x1.777a5cp-25f;
inline constexpr float kPio2Lo = -0x1.ee59dap-50f;

/// x = quadrant * pi/2 + hi + lo, |hi| <= pi/4; only the low two bits of quadrant count.
struct TrigReduced {
  std::uint32_t quadrant;
  float hi, lo;
};

/// For |x| < 2^17, infinities and NaN (which give NaN).
TANDEM_FN TrigReduced trig_reduce_fast(float x) {
  const float rounded = fn::fma(x, 0x1.45f306p-1f, kRound);
  const float n = rounded - kRound;
  const float r = fn::fma(n, -kPio2Hi, x);  // exact
  const float w = n * kPio2Mid;
  const float w_lo = fn::fma(n, kPio2Mid, -w);
  const float hi = r - w;
  const float err = (r - hi) - w;  // exact: r is a multiple of w's last place
  return {to_bits(rounded), hi, fn::fma(n, -kPio2Lo, err - w_lo)};
}

/// value where i == k, else 0; in mask arithmetic, since g++ turns a chain of selects into a
/// switch, which it does not vectorise.
TANDEM_FN std::uint32_t word_if(std::uint32_t i, std::uint32_t k, std::uint32_t value) {
  return (0u - static_cast<std::uint32_t>(i == k)) & value;
}

/// Word i of the bits of 2/pi after 32 zero bits, for i in 0..7, without a table in memory.
TANDEM_FN std::uint32_t two_over_pi_word(std::uint32_t i) {
  return word_if(i, 1u, 0xa2f9836eu) | word_if(i, 2u, 0x4e441529u) | word_if(i, 3u, 0xfc2757d1u) |
         word_if(i, 4u, 0xf534ddc0u) | word_if(i, 5u, 0xdb629599u) | word_if(i, 6u, 0x3c439041u) |
         word_if(i, 7u, 0xfe5163abu);
}

/// For finite |x| >= 2^17 (any other x gives a meaningless number).
TANDEM_FN TrigReduced trig_reduce_slow(float x) {
  const std::uint32_t b = to_bits(x) & 0x7fffffffu;
  const std::uint64_t m = (b & 0x7fffffu) | 0x800000u;
  // |x| = m 2^(e - 150). Bits of 2/pi worth 4 or more after the product are dropped: 96 bits are
  // taken from the bit worth 2 on. Exponents are clamped for the x that do not count.
  std::uint32_t e = b >> 23;
  e = e < 144u ? 144u : (e > 254u ? 254u : e);
  const std::uint32_t start = e - 120u;  // 24..134
  const std::uint32_t i = start >> 5;
  const std::uint32_t sh = start & 31u;
  const std::uint64_t w0 = two_over_pi_word(i);
  const std::uint64_t w1 = two_over_pi_word(i + 1u);
  const std::uint64_t w2 = two_over_pi_word(i + 2u);
  const std::uint64_t w3 = two_over_pi_word(i + 3u);
  const std::uint64_t top = (((w0 << 32) | w1) << sh) >> 32;
  const std::uint64_t mid = (((w1 << 32) | w2) << sh) >> 32;
  const std::uint64_t low = (((w2 << 32) | w3) << sh) >> 32;
  const std::uint64_t product = ((top * m) << 32) + mid * m + ((low * m) >> 32);
  // product / 2^62 is x * 2/pi modulo 4; the nearest integer is the quadrant.
  const std::uint32_t q = static_cast<std::uint32_t>((product + (std::uint64_t(1) << 61)) >> 62);
  const std::uint64_t frac = product - (std::uint64_t(q) << 62);  // two's complement
  const auto upper = static_cast<std::int32_t>(static_cast<std::uint32_t>(frac >> 32));
  const auto lower = static_cast<std::int32_t>(static_cast<std::uint32_t>(frac) >> 2);
  const double d = static_cast<double>(upper) * 0x1p30 + static_cast<double>(lower);
  const double r = d * 0x1.921fb54442d18p-60;  // pi/2 * 2^-60
  const bool negative = (to_bits(x) >> 31) != 0u;
  const double signed_r = negative ? -r : r;
  const float hi = static_cast<float>(signed_r);
  const float lo = static_cast<float>(signed_r - static_cast<double>(hi));
  return {negative ? 0u - q : q, hi, lo};
}

TANDEM_FN bool trig_needs_slow(float x) {
  return (to_bits(x) & 0x7fffffffu) - 0x48000000u < 0x7f800000u - 0x48000000u;
}

/// sin(hi + lo) for |hi| <= pi/4.
TANDEM_FN float sin_core(float hi, float lo) {
  const float s = hi * hi;
  float q = -0x1.992aaep-13f;
  q = fn::fma(q, s, 0x1.1106e2p-7f);
  q = fn::fma(q, s, -0x1.555544p-3f);
  return hi + fn::fma(s * hi, q, fn::fma(lo * s, -0.5f, lo));
}

/// cos(hi + lo) for |hi| <= pi/4.
TANDEM_FN float cos_core(float hi, float lo) {
  const float s = hi * hi;
  float q = 0x1.99e71cp-16f;
  q = fn::fma(q, s, -0x1.6c0c26p-10f);
  q = fn::fma(q, s, 0x1.55554ap-5f);
  const float big = fn::fma(s, -0.5f, 1.0f);
  const float err = fn::fma(s, -0.5f, 1.0f - big);
  return big + fn::fma(s * s, q, fn::fma(-hi, lo, err));
}

/// sin of a reduced argument whose quadrant has been moved by 1 for the cosine.
TANDEM_FN float sin_reduced(const TrigReduced& a, std::uint32_t quadrant) {
  const float s = sin_core(a.hi, a.lo);
  const float c = cos_core(a.hi, a.lo);
  const float y = (quadrant & 1u) != 0u ? c : s;
  return from_bits(to_bits(y) ^ ((quadrant & 2u) << 30));
}

TANDEM_FN float tan_reduced(const TrigReduced& a) {
  const float s = a.hi * a.hi;
  float q = 0x1.1f69fap-8f;
  q = fn::fma(q, s, 0x1.37e4e2p-14f);
  q = fn::fma(q, s, 0x1.6357e4p-7f);
  q = fn::fma(q, s, 0x1.5ca9b8p-6f);
  q = fn::fma(q, s, 0x1.badb8p-5f);
  q = fn::fma(q, s, 0x1.110d98p-3f);
  q = fn::fma(q, s, 0x1.55556p-2f);
  // tan = t + t_lo; d tan = 1 + tan^2, near enough 1 + s + s^2 for lo
  const float lo = fn::fma(a.lo, fn::fma(s, s, s), a.lo);
  const float c = s * a.hi;
  const float c_lo = fn::fma(fn::fma(a.hi, a.hi, -s), a.hi, fn::fma(s, a.hi, -c));
  const float tail = fn::fma(c, q, fn::fma(c_lo, q, lo));
  const float t = a.hi + tail;
  const float t_lo = (a.hi - t) + tail;
  const float y = -1.0f / t;
  const float y_lo = fn::fma(y, t_lo, fn::fma(y, t, 1.0f));
  const float cot = fn::fma(y, y_lo, y);
  return (a.quadrant & 1u) != 0u ? cot : t;
}

}  // namespace f32

/// True where the fast parts of sin, cos and tan do not hold: finite |x| >= 2^17.
TANDEM_FN bool sin_needs_slow(float x) { return f32::trig_needs_slow(x); }
TANDEM_FN bool cos_needs_slow(float x) { return f32::trig_needs_slow(x); }
TANDEM_FN bool tan_needs_slow(float x) { return f32::trig_needs_slow(x); }

namespace f32 {

/// The reduction that suits x. Written so that what follows is computed once.
TANDEM_FN TrigReduced trig_reduce(float x) {
  TrigReduced a = trig_reduce_fast(x);
  if (trig_needs_slow(x)) a = trig_reduce_slow(x);
  return a;
}
TANDEM_FN float sin_from(float x, const TrigReduced& a) {
  const float y = sin_reduced(a, a.quadrant);
  return x == 0.0f ? x : y;  // keeps the sign
}
TANDEM_FN float tan_from(float x, const TrigReduced& a) {
  const float y = tan_reduced(a);
  return x == 0.0f ? x : y;
}

}  // namespace f32

/// Sine.
TANDEM_FN float sin(float x) { return f32::sin_from(x, f32::trig_reduce(x)); }
TANDEM_FN float sin_fast(float x) { return f32::sin_from(x, f32::trig_reduce_fast(x)); }
TANDEM_FN float sin_slow(float x) { return f32::sin_from(x, f32::trig_reduce_slow(x)); }

/// Cosine.
TANDEM_FN float cos(float x) {
  const f32::TrigReduced a = f32::trig_reduce(x);
  return f32::sin_reduced(a, a.quadrant + 1u);
}
TANDEM_FN float cos_fast(float x) {
  const f32::TrigReduced a = f32::trig_reduce_fast(x);
  return f32::sin_reduced(a, a.quadrant + 1u);
}
TANDEM_FN float cos_slow(float x) {
  const f32::TrigReduced a = f32::trig_reduce_slow(x);
  return f32::sin_reduced(a, a.quadrant + 1u);
}

/// Tangent.
TANDEM_FN float tan(float x) { return f32::tan_from(x, f32::trig_reduce(x)); }
TANDEM_FN float tan_fast(float x) { return f32::tan_from(x, f32::trig_reduce_fast(x)); }
TANDEM_FN float tan_slow(float x) { return f32::tan_from(x, f32::trig_reduce_slow(x)); }

/// s = sin(pi x), c = cos(pi x) for |x| < 2^21, to 1 ulp: no reduction error, for Box-Muller.
TANDEM_FN void sincospi(float x, float& s, float& c) {
  using namespace f32;
  const float rounded = fn::fma(x, 2.0f, kRound);
  const float t = fn::fma(rounded - kRound, -0.5f, x);  // exact, |t| <= 1/4
  const float hi = t * 0x1.921fb6p1f;
  const float lo = fn::fma(t, -0x1.777a5cp-24f, fn::fma(t, 0x1.921fb6p1f, -hi));
  const TrigReduced a = {to_bits(rounded), hi, lo};
  const float sine = sin_core(a.hi, a.lo);
  const float cosine = cos_core(a.hi, a.lo);
  const bool odd = (a.quadrant & 1u) != 0u;
  const std::uint32_t sb = to_bits(odd ? cosine : sine) ^ ((a.quadrant & 2u) << 30);
  const std::uint32_t cb = to_bits(odd ? sine : cosine) ^ (((a.quadrant + 1u) & 2u) << 30);
  s = from_bits(sb);
  c = from_bits(cb);
}

namespace f32 {

/// asin(x) - x for |x| <= 1/2.
TANDEM_FN float asin_tail(float x) {
  const float s = x * x;
  float q = 0x1.33d432p-5f;
  q = fn::fma(q, s, 0x1.d7924cp-7f);
  q = fn::fma(q, s, 0x1.04af34p-5f);
  q = fn::fma(q, s, 0x1.6caab6p-5f);
  q = fn::fma(q, s, 0x1.33389ep-4f);
  q = fn::fma(q, s, 0x1.55554cp-3f);
  return (s * x) * q;
}

/// sqrt((1 - a) / 2) in two parts, a in [1/2, 1].
TANDEM_FN FloatPair half_chord(float a) {
  const float z = fn::fma(a, -0.5f, 0.5f);  // exact
  const float r = sqrt_rn(z);
  const float residual = fn::fma(-r, r, z);
  return {r, z > 0.0f ? residual * (0.5f / r) : 0.0f};
}

/// atan(z) = hi + lo for |z| <= tan(pi/8).
TANDEM_FN FloatPair atan_core(float z) {
  const float s = z * z;
  float q = -0x1.f2f74cp-5f;
  q = fn::fma(q, s, 0x1.b227aep-4f);
  q = fn::fma(q, s, -0x1.23b9d6p-3f);
  q = fn::fma(q, s, 0x1.9991e4p-3f);
  q = fn::fma(q, s, -0x1.55554ap-2f);
  return {z, (s * z) * q};
}

}  // namespace f32

/// Arc sine; NaN outside [-1, 1].
TANDEM_FN float asin(float x) {
  using namespace f32;
  const float a = abs_bits(x);
  const bool big = a > 0.5f;
  const FloatPair h = half_chord(big ? a : 0.5f);
  const float v = big ? h.hi : a;
  const float tail = asin_tail(v);
  // pi/2 - 2 (v + lo + tail)
  const float sum = fn::fma(v, -2.0f, kPio2Hi);
  const float err = fn::fma(v, -2.0f, kPio2Hi - sum);
  const float y_big = sum + fn::fma(tail + h.lo, -2.0f, err + kPio2Mid);
  float y = big ? y_big : v + tail;
  y = a > 1.0f ? nan_f32() : y;
  return copysign_(y, x);
}

/// Arc cosine; NaN outside [-1, 1].
TANDEM_FN float acos(float x) {
  using namespace f32;
  const float a = abs_bits(x);
  const bool big = a > 0.5f;
  const FloatPair h = half_chord(big ? a : 0.5f);
  const float v = big ? h.hi : x;
  const float tail = asin_tail(v) + (big ? h.lo : 0.0f);
  // |x| <= 1/2: pi/2 - (x + tail); x > 1/2: 2 (v + tail); x < -1/2: pi - 2 (v + tail)
  const bool right = x > 0.5f;
  const float scale = big ? (right ? 2.0f : -2.0f) : -1.0f;
  const float base = big ? (right ? 0.0f : 2.0f * kPio2Hi) : kPio2Hi;
  const float base_lo = big ? (right ? 0.0f : 2.0f * kPio2Mid) : kPio2Mid;
  const float sum = fn::fma(v, scale, base);
  const float err = fn::fma(v, scale, base - sum);
  const float y = sum + fn::fma(tail, scale, err + base_lo);
  return a > 1.0f ? nan_f32() : y;
}

/// Arc tangent.
TANDEM_FN float atan(float x) {
  using namespace f32;
  const float a = abs_bits(x);
  // [0, tan(pi/8)]: a; up to tan(3 pi/8): pi/4 + atan((a - 1) / (a + 1)); above: pi/2 + atan(-1/a).
  const bool high = a > 0x1.3504f4p1f;
  const bool middle = (a > 0x1.a8279ap-2f) & !high;
  const float num = high ? -1.0f : (middle ? a - 1.0f : a);
  const float den = high ? a : (middle ? a + 1.0f : 1.0f);
  const float base = high ? kPio2Hi : (middle ? 0.5f * kPio2Hi : 0.0f);
  const float base_lo = high ? kPio2Mid : (middle ? 0.5f * kPio2Mid : 0.0f);
  const float num_lo = middle ? (-1.0f - num) + a : 0.0f;
  const float den_lo = middle ? a - (den - 1.0f) : 0.0f;
  const float inv = 1.0f / den;
  const float z = num * inv;
  const float z_lo = (fn::fma(-z, den, num) + fn::fma(-z, den_lo, num_lo)) * inv;
  const FloatPair p = atan_core(z);
  const float sum = base + p.hi;
  const float err = (base - sum) + p.hi;
  const float y = sum + ((p.lo + (high ? 0.0f : z_lo)) + (err + base_lo));
  return copysign_(y, x);
}

/// The angle of the point (x, y), as C's atan2; at most 1 ulp where the result is normal.
TANDEM_FN float atan2(float y, float x) {
  using namespace f32;
  const float ax = abs_bits(x);
  const float ay = abs_bits(y);
  const bool swap = ay > ax;
  float big = swap ? ay : ax;
  float small = swap ? ax : ay;
  // Infinities: both give pi/4, one alone gives 0. Zeros: 0 / 0 is taken as 0.
  small = small == inf_f32() ? 1.0f : (big == inf_f32() ? 0.0f : small);
  big = ((big == inf_f32()) | (big == 0.0f)) ? 1.0f : big;
  // Keep big in 2^-29 .. 2^100, and in 2^24 .. 2^100 where small / big may be near 2^-126: the
  // residual below is then exact.
  float scale = big < 0x1p24f ? 0x1p64f : 1.0f;
  scale = big < 0x1p-40f ? 0x1p120f : scale;
  scale = big > 0x1p100f ? 0x1p-60f : scale;
  big *= scale;
  const float small_s = small * scale;
  // num / den with atan(small / big) = base + atan(num / den), |num / den| <= tan(pi/8)
  const bool middle = small_s > big * 0x1.a8279ap-2f;
  const float num = middle ? small_s - big : small_s;
  const float den = middle ? small_s + big : big;
  const float num_lo = middle ? (-big - num) + small_s : 0.0f;
  const float den_lo = middle ? (big - den) + small_s : 0.0f;
  const float inv = 1.0f / den;
  const float z = num * inv;
  const float z_lo = (fn::fma(-z, den, num) + fn::fma(-z, den_lo, num_lo)) * inv;
  const FloatPair p = atan_core(z);
  // angle = quadrant base +- (middle base + p): sign and base by octant
  const bool left = (to_bits(x) >> 31) != 0u;
  const float sign = swap != left ? -1.0f : 1.0f;
  const float eighth = middle ? 1.0f : 0.0f;
  const float eighths = (swap ? 2.0f : (left ? 4.0f : 0.0f)) + sign * eighth;
  const float base = eighths * (0.5f * kPio2Hi);
  const float base_fix = fn::fma(eighths, 0.5f * kPio2Hi, -base);
  const float base_lo = fn::fma(eighths, 0.5f * kPio2Mid, base_fix);
  const float t = sign * p.hi;
  const float sum = base + t;
  const float err = (base - sum) + t;
  const float lo = fn::fma(sign, p.lo + z_lo, err + base_lo);
  float r = sum + lo;
  r = (isnan_(x) | isnan_(y)) ? nan_f32() : r;
  return copysign_(r, y);
}

}  // namespace tandem::fn
