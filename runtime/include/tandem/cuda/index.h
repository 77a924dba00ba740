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
  using Index = std::uint32_t;
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

/// The same for dividends below 2^63.
struct FastDiv64 {
  using Index = std::uint64_t;
  std::uint64_t divisor = 1, multiplier = 0;
  std::uint32_t shift = 0;

  FastDiv64() = default;
  explicit FastDiv64(std::uint64_t d) : divisor(d) {
    while (shift < 63 && (std::uint64_t(1) << shift) < d) ++shift;
    __extension__ using Wide = unsigned __int128;
    multiplier = static_cast<std::uint64_t>((Wide((std::uint64_t(1) << shift) - d) << 64) / d + 1);
  }
  __host__ __device__ std::uint64_t div(std::uint64_t n) const {
#ifdef __CUDA_ARCH__
    const std::uint64_t high = __umul64hi(n, multiplier);
#else
    __extension__ using Wide = unsigned __int128;
    const auto high = static_cast<std::uint64_t>(Wide(n) * multiplier >> 64);
#endif
    return (high + n) >> shift;
  }
};

/// Elements that a launch with 32-bit index arithmetic may have.
inline constexpr std::int64_t kMaxElements = std::int64_t(1) << 30;

/// Dimensions that a kernel's parameters hold; a launch of more loops over the outer ones.
inline constexpr int kKernelRank = 16;

/// Byte offsets of N operands for a linear index over up to `Ranks` dimensions, innermost first.
template <int N, int Ranks = kKernelRank, class Div = FastDiv>
struct Offsets {
  using Index = typename Div::Index;
  std::int32_t rank = 0;
  Div sizes[Ranks];
  std::int64_t strides[Ranks][N];

  /// Appends the next outer dimension.
  void push(std::int64_t size) { sizes[rank++] = Div(static_cast<Index>(size)); }

  __device__ void get(Index index, std::int64_t (&offset)[N]) const {
#pragma unroll
    for (int k = 0; k < N; ++k) offset[k] = 0;
    for (int d = 0; d < rank; ++d) {
      const bool last = d == rank - 1;  // what is left of the index is the outermost one
      const Index next = last ? 0 : sizes[d].div(index);
      const auto at = static_cast<std::int64_t>(index - next * sizes[d].divisor);
#pragma unroll
      for (int k = 0; k < N; ++k) offset[k] += at * strides[d][k];
      index = next;
    }
  }
};

/// Of launches of any size and depth: reductions and generators.
template <int N>
using WideOffsets = Offsets<N, kMaxRank, FastDiv64>;

}  // namespace tandem::cuda
