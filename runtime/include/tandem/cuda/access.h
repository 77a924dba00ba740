// Loads and stores of elements on the device: vectors of one type, and any storage dtype from and
// to a compute type.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

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

/// Rounds a float that stands for an element of a 16-bit dtype; other values stay.
template <class C>
__device__ __forceinline__ C round_to(C v, DType kernel) {
  if constexpr (fn::same_v<C, float>) {
    if (kernel == DType::float16) return fn::widen(fn::narrow_half(v));
    if (kernel == DType::bfloat16) return fn::widen(fn::narrow_bf16(v));
  }
  return v;
}

/// An element of storage type S as compute type C of the kernel dtype. A double on its way to a
/// 16-bit dtype passes through float rounded to odd, so that it is rounded once.
template <class C, class S>
__device__ __forceinline__ C convert(S x, DType kernel) {
  if constexpr (fn::same_v<C, float> && fn::same_v<S, double>) {
    return kernel == DType::float32 ? static_cast<float>(x) : fn::round_to_odd(x);
  } else if constexpr (fn::same_v<C, float> && fn::same_v<S, Complex128>) {
    return convert<C>(x.re, kernel);
  } else {
    return fn::cast<C>(x);
  }
}

/// E elements at base + offset[e], each cast from `storage` to `kernel` and widened to C. Elements
/// that are not `valid` are zero. One branch on the dtype serves all E, so their loads overlap.
template <class C, int E>
__device__ __forceinline__ void load_cast(C (&r)[E], const char* base, const std::int64_t (&at)[E],
                                          const bool (&valid)[E], DType storage, DType kernel) {
  switch (storage) {
#define TANDEM_DTYPE(id, ctype, ...)                                               \
  case DType::id: {                                                                \
    ctype x[E];                                                                    \
    _Pragma("unroll") for (int e = 0; e < E; ++e) {                                \
      x[e] = valid[e] ? *reinterpret_cast<const ctype*>(base + at[e]) : ctype{};   \
    }                                                                              \
    _Pragma("unroll") for (int e = 0; e < E; ++e) r[e] = convert<C>(x[e], kernel); \
    break;                                                                         \
  }
#include "tandem/dtypes.def"
    case DType::kCount:
      break;
  }
  _Pragma("unroll") for (int e = 0; e < E; ++e) r[e] = round_to(r[e], kernel);
}

/// Rounds once to `kernel`, then casts to `storage`.
template <class C, int E>
__device__ __forceinline__ void store_cast(const C (&r)[E], char* base, const std::int64_t (&at)[E],
                                           const bool (&valid)[E], DType storage, DType kernel) {
  switch (storage) {
#define TANDEM_DTYPE(id, ctype, ...)                                                       \
  case DType::id:                                                                          \
    _Pragma("unroll") for (int e = 0; e < E; ++e) {                                        \
      if (valid[e]) {                                                                      \
        *reinterpret_cast<ctype*>(base + at[e]) = fn::cast<ctype>(round_to(r[e], kernel)); \
      }                                                                                    \
    }                                                                                      \
    break;
#include "tandem/dtypes.def"
    case DType::kCount:
      break;
  }
}

}  // namespace tandem::cuda
