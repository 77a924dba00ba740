// Index arithmetic of the device kernels: division by an invariant, and the offsets of a linear
// index in strided operands.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "tandem/backend.h"

namespace tandem::cuda {

/// Quotient and remainder by a number fixed at the launch, for dividends below 2^31: a
/// multiply-high and a shift instead of the 20 instructions of an integer division (Granlund and
/// Montgomery 1994).
struct FastDiv {
  std::uint32_t divisor = 1, multiplier = 0, shift = 0;

  FastDiv() = default;
  explicit FastDiv(std::uint32_t d) : divisor(d) {
    while (shift < 32 && (std::uint64_t(1) << shift) < d) ++shift;
    const std::uint64_t one = 1;
    multiplier = static_cast<std::uint32_t>(((one << 32) * ((one << shift) - d)) / d + 1);
  }
  __host__ __device__ std::uint32_t div(std::uint32_t n) const {
#ifdef __CUDA_ARCH__
    const std::uint32_t high = __umulhi(n, multiplier);
#else
    const std::uint32_t high =
        static_cast<std::uint32_t>((std::uint64_t(n) * std::uint64_t(multiplier)) >> 32);
#endif
    return (high + n) >> shift;
  }
};

/// Elements that a launch with 32-bit index arithmetic may have.
inline constexpr std::int64_t kMaxElements = std::int64_t(1) << 30;

/// Dimensions that a kernel's parameters hold; a launch of more loops over the outer ones.
inline constexpr int kKernelRank = 16;

/// Byte offsets of N operands for a linear index over up to kKernelRank dimensions, innermost
/// first.
template <int N, int Ranks = kKernelRank>
struct Offsets {
  std::int32_t rank = 0;
  FastDiv sizes[Ranks];
  std::int64_t strides[Ranks][N];

  /// Appends the next outer dimension.
  void push(std::int64_t size) { sizes[rank++] = FastDiv(static_cast<std::uint32_t>(size)); }

  __device__ void get(std::uint32_t index, std::int64_t (&offset)[N]) const {
#pragma unroll
    for (int k = 0; k < N; ++k) offset[k] = 0;
    for (int d = 0; d < rank; ++d) {
      const bool last = d == rank - 1;  // what is left of the index is the outermost one
      const std::uint32_t next = last ? 0 : sizes[d].div(index);
      const std::uint32_t at = index - next * sizes[d].divisor;
#pragma unroll
      for (int k = 0; k < N; ++k) offset[k] += std::int64_t(at) * strides[d][k];
      index = next;
    }
  }

  /// The same for an index that may not fit in 31 bits, at the price of a true division.
  __device__ void get_wide(std::int64_t index, std::int64_t (&offset)[N]) const {
#pragma unroll
    for (int k = 0; k < N; ++k) offset[k] = 0;
    for (int d = 0; d < rank; ++d) {
      const std::int64_t next = d == rank - 1 ? 0 : index / sizes[d].divisor;
      const std::int64_t at = index - next * sizes[d].divisor;
#pragma unroll
      for (int k = 0; k < N; ++k) offset[k] += at * strides[d][k];
      index = next;
    }
  }

  __device__ void get(std::int64_t index, bool wide, std::int64_t (&offset)[N]) const {
    if (wide) {
      get_wide(index, offset);
    } else {
      get(static_cast<std::uint32_t>(index), offset);
    }
  }
};

}  // namespace tandem::cuda
