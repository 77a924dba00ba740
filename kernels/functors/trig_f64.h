// float64 sin, cos, tan, sinpi, cospi, sincospi.
// Reduction: Cody-Waite with fma up to 2^30 (the fast functions), Payne-Hanek above (Payne and
// Hanek, SIGNUM 18, 1983) with the 192 bits of 2/pi that matter taken from a barrel of selects, so
// that there is no table in memory. Host loops may call *_fast for a block in which no element
// needs the slow path: the bits are the same.
#pragma once

#include "f64_core.h"

namespace tandem::fn {

namespace f64 {

inline constexpr double kPio2 = 0x1.921fb54442d18p+0;
inline constexpr double kPio2Lo = 0x1.1a62633145c07p-54;
inline constexpr double kPio2Lo2 = -0x1.f1976b7ed8fbcp-110;
inline constexpr double kTrigFast = 0x1p30;

/// x = quadrant * pi/2 + hi + lo, |hi| <= pi/4 (a little more at the far end).
struct Angle {
  double hi, lo;
  std::uint64_t quadrant;
};

TANDEM_FN Angle reduce_fast(double x) {
  const double t = fma(x, 0x1.45f306dc9c883p-1, kMagic);
  const double n = t - kMagic;
  const double r = fma(-n, kPio2, x);  // exact: a multiple of 2^-53 below 2
  const Dd w = two_prod(n, kPio2Lo);
  const Dd s = two_sum(r, -w.hi);
  const Dd a = fast_two_sum(s.hi, fma(-n, kPio2Lo2, s.lo - w.lo));
  return {a.hi, a.lo, to_bits(t)};
}

TANDEM_FN std::uint64_t mul_hi(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t kLow = 0xffffffffu;
  const std::uint64_t al = a & kLow, ah = a >> 32, bl = b & kLow, bh = b >> 32;
  const std::uint64_t mid = ah * bl + ((al * bl) >> 32);
  const std::uint64_t mid2 = al * bh + (mid & kLow);
  return ah * bh + (mid >> 32) + (mid2 >> 32);
}

TANDEM_FN std::uint64_t pick(std::uint64_t bit, std::uint64_t one, std::uint64_t zero) {
  return bit ? one : zero;
}

/// 192 bits of 2/pi from bit p on, where bit 63 is the last one above the binary point.
TANDEM_FN void two_over_pi_bits(std::uint64_t p, std::uint64_t out[3]) {
  const std::uint64_t w[32] = {0,
                               0xa2f9836e4e441529u,
                               0xfc2757d1f534ddc0u,
                               0xdb6295993c439041u,
                               0xfe5163abdebbc561u,
                               0xb7246e3a424dd2e0u,
                               0x06492eea09d1921cu,
                               0xfe1deb1cb129a73eu,
                               0xe88235f52ebb4484u,
                               0xe99c7026b45f7e41u,
                               0x3991d639835339f4u,
                               0x9c845f8bbdf9283bu,
                               0x1ff897ffde05980fu,
                               0xef2f118b5a0a6d1fu,
                               0x6d367ecf27cb09b7u,
                               0x4f463f669e5fea2du,
                               0x7527bac7ebe5f17bu,
                               0x3d0739f78a5292eau,
                               0x6bfb5fb11f8d5d08u,
                               0x56033046fc7b6babu};
  const std::uint64_t i = p >> 6;
  std::uint64_t a[11], b[7], c[5];
  for (int j = 0; j < 11; ++j) {
    const std::uint64_t low = pick(i & 8, w[j + 8], w[j]);
    a[j] = pick(i & 16, w[j + 16], low);  // the window never starts beyond word 16
  }
  for (int j = 0; j < 7; ++j) b[j] = pick(i & 4, a[j + 4], a[j]);
  for (int j = 0; j < 5; ++j) c[j] = pick(i & 2, b[j + 2], b[j]);
  std::uint64_t d[4];
  for (int j = 0; j < 4; ++j) d[j] = pick(i & 1, c[j + 1], c[j]);
  const std::uint64_t s = p & 63;
  for (int j = 0; j < 3; ++j) out[j] = (d[j] << s) | ((d[j + 1] >> 1) >> (63 - s));
}

/// An integer below 2^52, exact.
TANDEM_FN double from_u52(std::uint64_t v) { return from_bits(0x4330000000000000u | v) - 0x1p52; }

/// For 2^30 < |x| < inf; some finite angle otherwise.
TANDEM_FN Angle reduce_slow(double x) {
  const std::uint64_t u = to_bits(x);
  const std::uint64_t m = (u & 0xfffffffffffffu) | (std::uint64_t(1) << 52);
  // x = m 2^(e-1075). Bits of 2/pi above the place that makes m times it a multiple of 4 are
  // dropped; 192 bits below leave 2^-137 of error, and no double comes closer to a multiple of
  // pi/2 than about 2^-62.
  std::uint64_t a[3];
  two_over_pi_bits((((u >> 52) & 0x7ffu) - 1013u) & 0x7ffu, a);
  const std::uint64_t p2 = a[2] * m;
  const std::uint64_t c2 = mul_hi(a[2], m);
  const std::uint64_t l1 = a[1] * m;
  const std::uint64_t p1 = l1 + c2;
  const std::uint64_t p0 = a[0] * m + mul_hi(a[1], m) + (p1 < l1 ? 1u : 0u);
  const std::uint64_t q = (p0 + (std::uint64_t(1) << 61)) >> 62;
  // The fraction, as a signed number with 191 places, then its magnitude (one place of 2^-191 off).
  const std::uint64_t f0 = (p0 << 2) | (p1 >> 62);
  const std::uint64_t f1 = (p1 << 2) | (p2 >> 62);
  const std::uint64_t neg = std::uint64_t(0) - (f0 >> 63);
  const std::uint64_t g0 = f0 ^ neg, g1 = f1 ^ neg, g2 = (p2 << 2) ^ neg;
  const double d0 = from_u52(g0 >> 12) * 0x1p-52;
  const double d1 = from_u52(((g0 & 0xfffu) << 40) | (g1 >> 24)) * 0x1p-104;
  const double d2 = from_u52(((g1 & 0xffffffu) << 28) | (g2 >> 36)) * 0x1p-156;
  const Dd s = fast_two_sum(d0, d1);
  const Dd f = fast_two_sum(s.hi, s.lo + d2);
  const Dd r = mul(f, Dd{kPio2, kPio2Lo});
  const std::uint64_t sign = (neg ^ u) & kSignMask64;
  const std::uint64_t turn = u >> 63 ? std::uint64_t(0) - q : q;
  return {from_bits(to_bits(r.hi) ^ sign), from_bits(to_bits(r.lo) ^ sign), turn};
}

/// (sin(r) / r - 1) / z, z = r^2, |r| <= pi/4.
TANDEM_FN double sin_tail(double z) {
  return poly(z, -0x1.5555555555549p-3, 0x1.111111110f886p-7, -0x1.a01a019c128bfp-13,
              0x1.71de35783063ap-19, -0x1.ae5e66639d6e7p-26, 0x1.5d9300be11f16p-33);
}
/// sin(hi + lo) as an unevaluated sum for |hi| <= pi/4.
TANDEM_FN Dd sin_kernel(double r, double rl) {
  const double z = r * r;
  return {r, fma(z * r, sin_tail(z), fma(-0.5 * z, rl, rl))};
}
TANDEM_FN Dd cos_kernel(double r, double rl) {
  const Dd z = two_prod(r, r);
  const double c = poly(z.hi, 0x1.555555555554cp-5, -0x1.6c16c16c15180p-10, 0x1.a01a019cb1e88p-16,
                        -0x1.27e4f80a00712p-22, 0x1.1ee9ebec3f026p-29, -0x1.8fae9b1121729p-37);
  const Dd w = fast_two_sum(1.0, -0.5 * z.hi);
  return {w.hi, w.lo + fma(z.hi * z.hi, c, fma(-r, rl, -0.5 * z.lo))};
}

TANDEM_FN double flip(double x, std::uint64_t bit) { return from_bits(to_bits(x) ^ (bit << 63)); }

/// sin of the angle turned by `quarter` quadrants.
TANDEM_FN double sin_of(Angle a, std::uint64_t quarter) {
  const Dd s = sin_kernel(a.hi, a.lo);
  const Dd c = cos_kernel(a.hi, a.lo);
  const std::uint64_t q = a.quadrant + quarter;
  const bool odd = (q & 1u) != 0u;
  const double v = (odd ? c.hi : s.hi) + (odd ? c.lo : s.lo);
  return flip(v, (q >> 1) & 1u);
}
TANDEM_FN double tan_of(Angle a) {
  const Dd t = sin_kernel(a.hi, a.lo);
  const Dd s = fast_two_sum(t.hi, t.lo);
  const Dd u = cos_kernel(a.hi, a.lo);
  const Dd c = fast_two_sum(u.hi, u.lo);
  const bool odd = (a.quadrant & 1u) != 0u;
  const Dd num = {odd ? c.hi : s.hi, odd ? c.lo : s.lo};
  const Dd den = {odd ? s.hi : c.hi, odd ? s.lo : c.lo};
  const double inv = 1.0 / den.hi;
  const double q = num.hi * inv;
  const double rem = fma(-q, den.hi, num.hi) + fma(-q, den.lo, num.lo);
  return flip(fma(rem, inv, q), a.quadrant & 1u);
}
/// sin(x) and tan(x) round to x there, and -0 and subnormals pass unharmed.
TANDEM_FN double or_tiny(double x, double r) { return abs_bits(x) < 0x1p-27 ? x : r; }

TANDEM_FN bool needs_slow(double x) {
  const double a = abs_bits(x);
  return a > kTrigFast && a < inf();
}

}  // namespace f64

TANDEM_FN bool sin_needs_slow(double x) { return f64::needs_slow(x); }
TANDEM_FN bool cos_needs_slow(double x) { return f64::needs_slow(x); }
TANDEM_FN bool tan_needs_slow(double x) { return f64::needs_slow(x); }

/// Right where the argument does not need the slow path.
TANDEM_FN double sin_fast(double x) { return f64::or_tiny(x, f64::sin_of(f64::reduce_fast(x), 0)); }
TANDEM_FN double cos_fast(double x) { return f64::sin_of(f64::reduce_fast(x), 1); }
TANDEM_FN double tan_fast(double x) { return f64::or_tiny(x, f64::tan_of(f64::reduce_fast(x))); }
/// Right where it does.
TANDEM_FN double sin_slow(double x) { return f64::sin_of(f64::reduce_slow(x), 0); }
TANDEM_FN double cos_slow(double x) { return f64::sin_of(f64::reduce_slow(x), 1); }
TANDEM_FN double tan_slow(double x) { return f64::tan_of(f64::reduce_slow(x)); }

namespace f64 {
TANDEM_FN Angle reduce(double x) {
#if defined(__CUDA_ARCH__)  // a branch is cheap where a warp agrees; on the host it stops the
                            // vectoriser
  if (needs_slow(x)) return reduce_slow(x);
  return reduce_fast(x);
#else
  const Angle a = reduce_fast(x);
  const Angle b = reduce_slow(x);
  const bool slow = needs_slow(x);
  return {slow ? b.hi : a.hi, slow ? b.lo : a.lo, slow ? b.quadrant : a.quadrant};
#endif
}
}  // namespace f64

TANDEM_FN double sin(double x) { return f64::or_tiny(x, f64::sin_of(f64::reduce(x), 0)); }
TANDEM_FN double cos(double x) { return f64::sin_of(f64::reduce(x), 1); }
TANDEM_FN double tan(double x) { return f64::or_tiny(x, f64::tan_of(f64::reduce(x))); }

namespace f64 {
/// pi x as an angle; exact reduction.
TANDEM_FN Angle reduce_pi(double x) {
  const double y = fma(-2.0, rint_(x * 0.5), x);
  const double t = fma(y, 2.0, kMagic);
  const double f = fma(-0.5, t - kMagic, y);
  const Dd r = two_prod(f, 0x1.921fb54442d18p+1);
  return {r.hi, fma(f, 0x1.1a62633145c07p-53, r.lo), to_bits(t)};
}
}  // namespace f64

/// sin(pi x); +0 or -0 with x's sign at the integers.
TANDEM_FN double sinpi(double x) {
  const double s = f64::sin_of(f64::reduce_pi(x), 0);
  return s == 0.0 ? copysign_(0.0, x) : s;
}
/// cos(pi x); +0 at the half integers.
TANDEM_FN double cospi(double x) { return f64::sin_of(f64::reduce_pi(x), 1) + 0.0; }

/// Both at once, for the polar method of the normal distribution.
TANDEM_FN void sincospi(double x, double& s, double& c) {
  s = sinpi(x);
  c = cospi(x);
}

}  // namespace tandem::fn
