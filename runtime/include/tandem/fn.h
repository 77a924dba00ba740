// What a functor may use, and nothing else: element types, exact casts, fma and bit access.
// Compiles under g++, clang++ and nvcc with the same bits. Everything here is TANDEM_FN (always
// inlined), because the host kernels are compiled once per SIMD level and no out-of-line copy may
// be shared between levels.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define TANDEM_FN __host__ __device__ __forceinline__
#elif defined(TANDEM_FN_OVERRIDE)  // the tests' CPU run of the CUDA kernels
#define TANDEM_FN TANDEM_FN_OVERRIDE
#else
#define TANDEM_FN inline __attribute__((always_inline))
#endif

namespace tandem {

/// Storage type of dtype float16 (IEEE binary16). Arithmetic is done in float; see compute_t.
struct Half {
  std::uint16_t bits;
};

/// Storage type of dtype bfloat16. Arithmetic is done in float; see compute_t.
struct BFloat16 {
  std::uint16_t bits;
};

/// Storage and compute type of complex64 and complex128; layout-compatible with std::complex.
template <class T>
struct alignas(2 * sizeof(T)) Complex {
  T re, im;
};
using Complex64 = Complex<float>;
using Complex128 = Complex<double>;

/// The type an element is computed in: loads widen to it, one rounding on the store. A storage type
/// alone has float here, and below widen() and narrow().
template <class T>
struct ComputeType {
  using type = T;
};
template <>
struct ComputeType<Half> {
  using type = float;
};
template <>
struct ComputeType<BFloat16> {
  using type = float;
};
template <class T>
using compute_t = typename ComputeType<T>::type;

namespace fn {

template <class T, class U>
struct Same {
  static constexpr bool value = false;
};
template <class T>
struct Same<T, T> {
  static constexpr bool value = true;
};
template <class T, class U>
inline constexpr bool same_v = Same<T, U>::value;

template <class T>
inline constexpr bool is_complex_v = same_v<T, Complex64> || same_v<T, Complex128>;
/// A type of storage alone, such as Half: computed in float, between widen() and narrow().
template <class T>
inline constexpr bool is_half_v = !same_v<T, compute_t<T>>;
template <class T>
inline constexpr bool is_real_float_v = same_v<T, float> || same_v<T, double>;
template <class T>
inline constexpr bool is_bool_v = same_v<T, bool>;
template <class T>
inline constexpr bool is_int_v =
    !is_complex_v<T> && !is_half_v<T> && !is_real_float_v<T> && !is_bool_v<T>;
template <class T, bool IsInt = is_int_v<T>>
struct SignedInt {
  static constexpr bool value = false;
};
template <class T>
struct SignedInt<T, true> {
  static constexpr bool value = T(-1) < T(0);
};
template <class T>
inline constexpr bool is_signed_int_v = SignedInt<T>::value;

/// Value bits of an integer, significand bits of a float: the column of the dtype table.
template <class T>
inline constexpr int bits_v = 0;
#define TANDEM_DTYPE(id, ctype, category, bits, ...) \
  template <>                                        \
  inline constexpr int bits_v<ctype> = bits;
#include "tandem/dtypes.def"

template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<Complex<T>> {
  using type = T;
};
template <class T>
using real_t = typename RealOf<T>::type;

/// The unsigned type of the same width: integer arithmetic wraps because it is done in this type.
template <int Bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using type = std::uint8_t;
};
template <>
struct UnsignedOf<2> {
  using type = std::uint16_t;
};
template <>
struct UnsignedOf<4> {
  using type = std::uint32_t;
};
template <>
struct UnsignedOf<8> {
  using type = std::uint64_t;
};
template <class T>
using unsigned_t = typename UnsignedOf<sizeof(T)>::type;

// ---- bits
// ---------------------------------------------------------------------------------------------

TANDEM_FN std::uint32_t to_bits(float x) { return __builtin_bit_cast(std::uint32_t, x); }
TANDEM_FN std::uint64_t to_bits(double x) { return __builtin_bit_cast(std::uint64_t, x); }
TANDEM_FN float from_bits(std::uint32_t u) { return __builtin_bit_cast(float, u); }
TANDEM_FN double from_bits(std::uint64_t u) { return __builtin_bit_cast(double, u); }

// ---- exactly rounded primitives
// ----------------------------------------------------------------------- Named so that a functor
// never depends on what a compiler makes of a*b+c or of libm's sqrt.

#if defined(__CUDA_ARCH__)
TANDEM_FN float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
TANDEM_FN double fma(double a, double b, double c) { return __fma_rn(a, b, c); }
TANDEM_FN float sqrt_rn(float x) { return __fsqrt_rn(x); }
TANDEM_FN double sqrt_rn(double x) { return __dsqrt_rn(x); }
TANDEM_FN float floor_(float x) { return ::floorf(x); }
TANDEM_FN double floor_(double x) { return ::floor(x); }
TANDEM_FN float ceil_(float x) { return ::ceilf(x); }
TANDEM_FN double ceil_(double x) { return ::ceil(x); }
TANDEM_FN float trunc_(float x) { return ::truncf(x); }
TANDEM_FN double trunc_(double x) { return ::trunc(x); }
TANDEM_FN float rint_(float x) { return ::rintf(x); }
TANDEM_FN double rint_(double x) { return ::rint(x); }
TANDEM_FN float fmod_(float x, float y) { return ::fmodf(x, y); }
TANDEM_FN double fmod_(double x, double y) { return ::fmod(x, y); }
#else
TANDEM_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
TANDEM_FN double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
TANDEM_FN float sqrt_rn(float x) { return __builtin_sqrtf(x); }
TANDEM_FN double sqrt_rn(double x) { return __builtin_sqrt(x); }
TANDEM_FN float floor_(float x) { return __builtin_floorf(x); }
TANDEM_FN double floor_(double x) { return __builtin_floor(x); }
TANDEM_FN float ceil_(float x) { return __builtin_ceilf(x); }
TANDEM_FN double ceil_(double x) { return __builtin_ceil(x); }
TANDEM_FN float trunc_(float x) { return __builtin_truncf(x); }
TANDEM_FN double trunc_(double x) { return __builtin_trunc(x); }
TANDEM_FN float rint_(float x) { return __builtin_rintf(x); }
TANDEM_FN double rint_(double x) { return __builtin_rint(x); }
TANDEM_FN float fmod_(float x, float y) { return __builtin_fmodf(x, y); }
TANDEM_FN double fmod_(double x, double y) { return __builtin_fmod(x, y); }
#endif
inline constexpr std::uint64_t kSignMask64 = std::uint64_t(1) << 63;
inline constexpr std::uint64_t kAbsMask64 = kSignMask64 - 1;
TANDEM_FN float abs_bits(float x) { return from_bits(to_bits(x) & 0x7fffffffu); }
TANDEM_FN double abs_bits(double x) { return from_bits(to_bits(x) & kAbsMask64); }
TANDEM_FN float copysign_(float m, float s) {
  return from_bits((to_bits(m) & 0x7fffffffu) | (to_bits(s) & 0x80000000u));
}
TANDEM_FN double copysign_(double m, double s) {
  return from_bits((to_bits(m) & kAbsMask64) | (to_bits(s) & kSignMask64));
}
TANDEM_FN bool isnan_(float x) { return x != x; }
TANDEM_FN bool isnan_(double x) { return x != x; }

// ---- half types
// ---------------------------------------------------------------------------------------

/// Each half type has an exact widen() and this: rounded to nearest, ties to even.
template <class T>
TANDEM_FN T narrow(float x);

TANDEM_FN float widen(BFloat16 h) { return from_bits(std::uint32_t(h.bits) << 16); }

/// Exact. Branch-free: one multiplication by 2^112 serves normal and subnormal numbers.
TANDEM_FN float widen(Half h) {
  const std::uint32_t sign = std::uint32_t(h.bits & 0x8000u) << 16;
  const std::uint32_t mag = std::uint32_t(h.bits & 0x7fffu) << 13;
  // 0x1p112f rescales exponent and subnormals at once; inf and NaN need their exponent set by hand.
  const float scaled = from_bits(mag) * 0x1p112f;
  const std::uint32_t special = mag | 0x7f800000u;
  const std::uint32_t r = (mag >= 0x0f800000u) ? special : to_bits(scaled);
  return from_bits(r | sign);
}

/// Round to nearest, ties to even; NaN becomes 0x7fc0 with the sign kept.
template <>
TANDEM_FN BFloat16 narrow<BFloat16>(float x) {
  const std::uint32_t u = to_bits(x);
  const std::uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const std::uint32_t nan = 0x7fc0u | ((u >> 16) & 0x8000u);
  return BFloat16{static_cast<std::uint16_t>((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded)};
}

/// Round to nearest, ties to even; overflow to infinity; NaN becomes 0x7e00 with the sign kept.
template <>
TANDEM_FN Half narrow<Half>(float x) {
  const std::uint32_t u = to_bits(x);
  const std::uint32_t sign = (u >> 16) & 0x8000u;
  const std::uint32_t mag = u & 0x7fffffffu;
  // Normal range: rebias and round in integers.
  const std::uint32_t normal = (mag - 0x38000000u + 0xfffu + ((mag >> 13) & 1u)) >> 13;
  // Subnormal range: adding 0.5 puts the half's last place at the float's last place; the FPU
  // rounds.
  const std::uint32_t sub = to_bits(from_bits(mag) + 0.5f) - 0x3f000000u;
  std::uint32_t r = mag < 0x38800000u ? sub : normal;
  r = mag >= 0x47800000u ? 0x7c00u : r;
  r = mag > 0x7f800000u ? 0x7e00u : r;
  return Half{static_cast<std::uint16_t>(r | sign)};
}

/// Double to float rounded to odd: a later rounding to 22 bits or fewer is then a single rounding.
TANDEM_FN float round_to_odd(double x) {
  const float f = static_cast<float>(x);
  const double back = static_cast<double>(f);
  const std::uint32_t u = to_bits(f);
  const bool inexact = back != x && x == x;
  const bool even = (u & 1u) == 0u;
  // Step towards x by one place when the nearest float is even: the neighbour on x's side is odd.
  const bool away = abs_bits(back) < abs_bits(x);
  const std::uint32_t stepped = away ? u + 1u : u - 1u;
  return from_bits(inexact && even ? stepped : u);
}

// ---- casts
// --------------------------------------------------------------------------------------------

template <class To>
struct IntLimits {
  static constexpr bool is_signed = To(-1) < To(0);
  static constexpr To max =
      is_signed ? To((unsigned_t<To>(1) << (8 * sizeof(To) - 1)) - 1u) : To(~unsigned_t<To>(0));
  static constexpr To min = is_signed ? To(unsigned_t<To>(1) << (8 * sizeof(To) - 1)) : To(0);
};

/// Float to integer: truncates, saturates, NaN gives 0. The comparisons keep every conversion in
/// range, so that no backend meets a case its hardware decides.
template <class To, class From>
TANDEM_FN To float_to_int(From x) {
  using L = IntLimits<To>;
  constexpr int digits = 8 * static_cast<int>(sizeof(To)) - (L::is_signed ? 1 : 0);
  constexpr From upper = From(std::uint64_t(1) << (digits - 1)) * From(2);  // max + 1, exact
  constexpr From lower = L::is_signed ? -upper : From(0);
  const bool high = x >= upper;
  const bool low = x <= lower;
  const bool nan = x != x;
  const From safe = (high || low || nan) ? From(0) : x;
  To r;
  if constexpr (sizeof(To) < 4) {
    r = static_cast<To>(static_cast<std::int32_t>(safe));
  } else if constexpr (sizeof(To) == 4 && !L::is_signed) {
    r = static_cast<To>(static_cast<std::int64_t>(safe));
  } else {
    r = static_cast<To>(safe);
  }
  r = high ? L::max : r;
  return low ? L::min : r;
}

/// The one conversion between element types, on both backends: see docs/numerics.md, "Casts".
template <class To, class From>
TANDEM_FN To cast(From x) {
  if constexpr (same_v<To, From>) {
    return x;
  } else if constexpr (is_half_v<From>) {
    return cast<To>(widen(x));
  } else if constexpr (is_complex_v<To> && is_complex_v<From>) {
    return To{static_cast<real_t<To>>(x.re), static_cast<real_t<To>>(x.im)};
  } else if constexpr (is_complex_v<To>) {
    return To{cast<real_t<To>>(x), real_t<To>(0)};
  } else if constexpr (is_complex_v<From> && is_bool_v<To>) {
    return x.re != 0 || x.im != 0;
  } else if constexpr (is_complex_v<From>) {
    return cast<To>(x.re);
  } else if constexpr (is_bool_v<To>) {
    return x != From(0);
  } else if constexpr (is_half_v<To> && same_v<From, double>) {
    return narrow<To>(round_to_odd(x));
  } else if constexpr (is_half_v<To>) {
    return narrow<To>(static_cast<float>(x));
  } else if constexpr (is_real_float_v<From> && is_int_v<To>) {
    return float_to_int<To>(x);
  } else {
    return static_cast<To>(x);  // integers wrap; integer to float rounds to nearest
  }
}

/// Load in storage type, compute in compute_t.
template <class T>
TANDEM_FN compute_t<T> load(T x) {
  return cast<compute_t<T>>(x);
}

}  // namespace fn
}  // namespace tandem
