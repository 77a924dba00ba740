// Loads and stores of elements on the device: vectors of one type, and any storage dtype from and
// to a compute type.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "tandem/backend.h"
#include "tandem/dtype.h"
#include "tandem/fn.h"

namespace tandem::cuda {

template <class T, int N>
struct alignas(sizeof(T) * N) Vec {
  T at[N];
};

/// The number of an operand without memory.
template <class C>
__device__ __forceinline__ C scalar_value(const ScalarBits& bits) {
  if constexpr (fn::same_v<C, float>) {
    return bits.f32;
  } else if constexpr (fn::same_v<C, double>) {
    return bits.f64;
  } else if constexpr (fn::same_v<C, Complex64>) {
    return bits.c64;
  } else if constexpr (fn::same_v<C, Complex128>) {
    return bits.c128;
  } else if constexpr (fn::is_bool_v<C>) {
    return bits.u64 != 0;
  } else {
    return static_cast<C>(bits.u64);
  }
}

/// The type that a casting kernel computes a dtype in. Integers below 32 bits share the kernels of
/// 32: each result wraps to its dtype when it is stored, and arithmetic modulo 2^32 followed by
/// that gives the bits of the narrow arithmetic (functors define every case, see
/// functors/integer.h).
template <class T>
using wide_t = std::conditional_t<
    fn::is_int_v<compute_t<T>> && (sizeof(T) < 4),
    std::conditional_t<fn::is_signed_int_v<compute_t<T>>, std::int32_t, std::uint32_t>,
    compute_t<T>>;

// Note [Casts in three steps]
// As many conversions as there are pairs of dtypes would be the bulk of every casting kernel and of
// its compile time. So an element is loaded by its width as bits, the bits become one of three
// forms without loss (a 64-bit integer; a float; a double; the last two with an imaginary part),
// and the form becomes the compute type as fn::cast does it. What a narrower dtype adds (wrapping,
// saturating, rounding to 16 bits) is done with shifts and limits that the host works out. Stores
// go the same way back.
enum class Form : std::uint8_t { Integer, Float, Double };

/// What a casting kernel knows of one operand: how its elements lie in memory (stored) and which
/// values they may have in the computation (kernel).
struct ElementCast {
  Form form = Form::Integer;                                   // of the stored dtype
  DType stored_as = DType::kCount, rounds_to = DType::kCount;  // where that is a half type
  std::uint8_t bytes = 0;                                      // of a stored element
  std::uint8_t sign_shift = 0;    // 64 - width of a stored signed integer; 0 for other dtypes
  std::uint8_t spare = 0;         // 64 - width of a stored integer
  std::uint8_t kernel_spare = 0;  // 32 - width of a narrower kernel integer; 0 for other dtypes
  bool is_u64 = false, is_bool = false, is_unsigned = false, is_pair = false;  // stored
};

template <class T>
inline constexpr DType half_v = fn::is_half_v<T> ? dtype_of<T> : DType::kCount;

/// Calls f.operator()<T>() with the half type `t`, other() where it is kCount.
template <class F, class G>
__device__ __forceinline__ auto visit_half(DType t, const F& f, const G& other) {
#define TANDEM_DTYPE(id, ctype, ...)                           \
  if constexpr (fn::is_half_v<ctype>) {                        \
    if (t == DType::id) return f.template operator()<ctype>(); \
  }
#include "tandem/dtypes.def"
  return other();
}

inline ElementCast element_cast(DType storage, DType kernel) {
  ElementCast c;
  visit(storage, [&]<class S>() {
    using R = fn::real_t<compute_t<S>>;
    c.form = fn::same_v<R, float>    ? Form::Float
             : fn::same_v<R, double> ? Form::Double
                                     : Form::Integer;
    c.stored_as = half_v<S>;
    c.bytes = sizeof(S);
    c.is_pair = fn::is_complex_v<S>;
    c.is_bool = fn::is_bool_v<S>;
    if constexpr (fn::is_int_v<S>) {
      c.spare = 64 - 8 * sizeof(S);
      c.is_unsigned = !fn::is_signed_int_v<S>;
      c.sign_shift = c.is_unsigned ? 0 : c.spare;
      c.is_u64 = fn::same_v<S, std::uint64_t>;
    }
  });
  visit(kernel, [&]<class K>() {
    c.rounds_to = half_v<K>;
    if constexpr (fn::is_int_v<K> && sizeof(K) < 4) c.kernel_spare = 32 - 8 * sizeof(K);
  });
  return c;
}

/// An integer wrapped to a narrower kernel dtype; other values stay.
template <class C>
__device__ __forceinline__ C wrap_to(C v, const ElementCast& c) {
  if constexpr (fn::same_v<C, std::int32_t> || fn::same_v<C, std::uint32_t>) {
    return static_cast<C>(static_cast<std::uint32_t>(v) << c.kernel_spare) >> c.kernel_spare;
  }
  return v;
}

/// A value of the compute type as an element of the kernel dtype has it.
template <class C>
__device__ __forceinline__ C round_to(C v, const ElementCast& c) {
  if constexpr (fn::same_v<C, float>) {
    return visit_half(
        c.rounds_to, [v]<class T>() { return fn::widen(fn::narrow<T>(v)); }, [v] { return v; });
  } else {
    return wrap_to(v, c);
  }
}

/// A double on its way to a 16-bit dtype passes through float rounded to odd, so that it is rounded
/// once.
__device__ __forceinline__ float to_float(double x, DType target) {
  return target == DType::kCount ? static_cast<float>(x) : fn::round_to_odd(x);
}

/// 16 bytes in memory.
struct Bits128 {
  std::uint64_t low, high;
};

/// Calls f with a null pointer to the unsigned type of that many bytes.
template <class F>
__device__ __forceinline__ void by_width(std::uint8_t bytes, const F& f) {
  switch (bytes) {
    case 1:
      return f(static_cast<std::uint8_t*>(nullptr));
    case 2:
      return f(static_cast<std::uint16_t*>(nullptr));
    case 4:
      return f(static_cast<std::uint32_t*>(nullptr));
    case 8:
      return f(static_cast<std::uint64_t*>(nullptr));
    default:
      return f(static_cast<Bits128*>(nullptr));
  }
}

/// The bits of E elements at base + at[e]. One branch serves all E, so their loads overlap.
template <bool Pairs, int E>
__device__ __forceinline__ void load_bits(std::uint64_t (&low)[E], std::uint64_t (&high)[E],
                                          const char* base, const std::int64_t (&at)[E],
                                          std::uint8_t bytes) {
  by_width(bytes, [&]<class W>(W*) {
#pragma unroll
    for (int e = 0; e < E; ++e) {
      const W* p = reinterpret_cast<const W*>(base + at[e]);
      if constexpr (fn::same_v<W, Bits128>) {
        low[e] = p->low;
        if constexpr (Pairs) high[e] = p->high;
      } else {
        low[e] = *p;
      }
    }
  });
}

/// The float that the bits of an element of the float form stand for.
__device__ __forceinline__ float float_of_bits(std::uint64_t bits, DType stored_as) {
  const auto u = static_cast<std::uint32_t>(bits);
  return visit_half(
      stored_as, [u]<class T>() { return fn::widen(T{static_cast<fn::unsigned_t<T>>(u)}); },
      [u] { return fn::from_bits(u); });
}

template <class C>
__device__ __forceinline__ C from_integer(std::uint64_t bits, const ElementCast& c) {
  if (c.is_bool) bits = bits != 0 ? 1 : 0;  // see Note [Bytes of bool]
  const std::int64_t v = static_cast<std::int64_t>(bits << c.sign_shift) >> c.sign_shift;
  if constexpr (fn::is_complex_v<C>) {
    return C{from_integer<fn::real_t<C>>(bits, c), 0};
  } else if constexpr (fn::is_real_float_v<C>) {
    return c.is_u64 ? static_cast<C>(bits) : static_cast<C>(v);
  } else {
    return fn::cast<C>(v);
  }
}

/// R is float where the compute type is float or pairs of it, so that a float stays one; else
/// double, which holds a float.
template <class C, class R>
__device__ __forceinline__ C from_floating(R re, R im, const ElementCast& c) {
  if constexpr (fn::is_complex_v<C>) {
    return C{re, im};
  } else if constexpr (fn::is_bool_v<C>) {
    return re != R(0) || im != R(0);
  } else if constexpr (fn::is_int_v<C>) {
    const C v = fn::float_to_int<C>(re);
    const C high = fn::IntLimits<C>::max >> c.kernel_spare;
    const C low = fn::IntLimits<C>::min >> c.kernel_spare;
    return v > high ? high : (v < low ? low : v);
  } else {
    return re;
  }
}

/// E elements at base + at[e], each cast from the stored to the kernel dtype and widened to C.
template <class C, int E>
__device__ __forceinline__ void load_cast(C (&r)[E], const char* base, const std::int64_t (&at)[E],
                                          const ElementCast& c) {
  constexpr bool kPairs = fn::is_complex_v<C> || fn::is_bool_v<C>;
  using R = std::conditional_t<fn::same_v<fn::real_t<C>, float>, float, double>;
  std::uint64_t low[E];
  std::uint64_t high[E] = {};
  load_bits<kPairs>(low, high, base, at, c.bytes);
  if (c.form == Form::Integer) {
#pragma unroll
    for (int e = 0; e < E; ++e) r[e] = from_integer<C>(low[e], c);
  } else {
    R re[E];
    R im[E] = {};
    if (c.form == Form::Float) {
#pragma unroll
      for (int e = 0; e < E; ++e) {
        re[e] = float_of_bits(low[e], c.stored_as);
        if (kPairs && c.is_pair) im[e] = fn::from_bits(static_cast<std::uint32_t>(low[e] >> 32));
      }
    } else {
#pragma unroll
      for (int e = 0; e < E; ++e) {
        const double d = fn::from_bits(low[e]);
        if constexpr (fn::same_v<R, float>) {
          re[e] = to_float(d, c.rounds_to);
        } else {
          re[e] = d;
        }
        if (kPairs && c.is_pair) im[e] = static_cast<R>(fn::from_bits(high[e]));
      }
    }
#pragma unroll
    for (int e = 0; e < E; ++e) r[e] = from_floating<C>(re[e], im[e], c);
  }
#pragma unroll
  for (int e = 0; e < E; ++e) r[e] = round_to(r[e], c);
}

/// The bits of a value as it is stored in a dtype of the integer form; the store keeps the low
/// ones.
template <class R>
__device__ __forceinline__ std::uint64_t integer_bits(R v, const ElementCast& c) {
  if (c.is_bool) return fn::cast<bool>(v) ? 1 : 0;
  if constexpr (fn::is_complex_v<R>) {
    return integer_bits(v.re, c);
  } else if constexpr (fn::is_real_float_v<R>) {
    const auto d = static_cast<double>(v);
    if (c.is_unsigned) {
      const auto u = fn::float_to_int<std::uint64_t>(d);
      const std::uint64_t most = ~std::uint64_t(0) >> c.spare;
      return u > most ? most : u;
    }
    const auto i = fn::float_to_int<std::int64_t>(d);
    const std::int64_t high = INT64_MAX >> c.spare;
    const std::int64_t low = INT64_MIN >> c.spare;
    return static_cast<std::uint64_t>(i > high ? high : (i < low ? low : i));
  } else {
    return static_cast<std::uint64_t>(v);
  }
}

/// The bits of a value as it is stored in a dtype of the float form.
template <class R>
__device__ __forceinline__ std::uint32_t float_bits(R v, DType stored_as) {
  float f;
  if constexpr (fn::same_v<R, double>) {
    f = to_float(v, stored_as);
  } else {
    f = fn::cast<float>(v);
  }
  return visit_half(
      stored_as, [f]<class T>() { return std::uint32_t(fn::narrow<T>(f).bits); },
      [f] { return fn::to_bits(f); });
}

/// A value as the bits of a stored element; `high` for the second half of 16 bytes.
template <class R>
__device__ __forceinline__ std::uint64_t stored_bits(R v, std::uint64_t& high,
                                                     const ElementCast& c) {
  if (c.form == Form::Integer) return integer_bits(v, c);
  if constexpr (fn::is_complex_v<R>) {
    if (c.form == Form::Double) {
      high = fn::to_bits(static_cast<double>(v.im));
      return fn::to_bits(static_cast<double>(v.re));
    }
    const auto im = std::uint64_t(fn::to_bits(static_cast<float>(v.im)));
    return float_bits(v.re, c.stored_as) | (c.is_pair ? im << 32 : 0);
  } else {
    if (c.form == Form::Double) return fn::to_bits(fn::cast<double>(v));
    return float_bits(v, c.stored_as);
  }
}

/// Rounds once to the kernel dtype, then casts to the stored one. Elements that are not `valid` are
/// left out.
template <class R, int E>
__device__ __forceinline__ void store_cast(const R (&r)[E], char* base, const std::int64_t (&at)[E],
                                           const bool (&valid)[E], const ElementCast& c) {
  std::uint64_t low[E];
  std::uint64_t high[E];
#pragma unroll
  for (int e = 0; e < E; ++e) {
    high[e] = 0;
    low[e] = stored_bits(round_to(r[e], c), high[e], c);
  }
  by_width(c.bytes, [&]<class W>(W*) {
#pragma unroll
    for (int e = 0; e < E; ++e) {
      if (!valid[e]) continue;
      W* p = reinterpret_cast<W*>(base + at[e]);
      if constexpr (fn::same_v<W, Bits128>) {
        p->low = low[e];
        p->high = high[e];
      } else {
        *p = static_cast<W>(low[e]);
      }
    }
  });
}

}  // namespace tandem::cuda
