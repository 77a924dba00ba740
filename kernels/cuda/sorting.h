// What the device's sorting, searching and counting share: elements as keys, and grids.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/context.h"
#include "kernels/functors/sorting.h"
#include "tandem/backend/sorting.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

inline constexpr unsigned kSortThreads = 256;

/// Blocks for one element a thread.
inline unsigned blocks_for(std::int64_t elements) {
  return grid_for((elements + kSortThreads - 1) / kSortThreads);
}

/// The bits of an element of up to 8 bytes.
__device__ __forceinline__ std::uint64_t element_bits(const char* p, std::uint8_t bytes) {
  switch (bytes) {
    case 1:
      return *reinterpret_cast<const std::uint8_t*>(p);
    case 2:
      return *reinterpret_cast<const std::uint16_t*>(p);
    case 4:
      return *reinterpret_cast<const std::uint32_t*>(p);
    default:
      return *reinterpret_cast<const std::uint64_t*>(p);
  }
}
__device__ __forceinline__ void store_element(char* p, std::uint64_t bits, std::uint8_t bytes) {
  switch (bytes) {
    case 1:
      *reinterpret_cast<std::uint8_t*>(p) = static_cast<std::uint8_t>(bits);
      return;
    case 2:
      *reinterpret_cast<std::uint16_t*>(p) = static_cast<std::uint16_t>(bits);
      return;
    case 4:
      *reinterpret_cast<std::uint32_t*>(p) = static_cast<std::uint32_t>(bits);
      return;
    default:
      *reinterpret_cast<std::uint64_t*>(p) = bits;
  }
}

/// A dense array of elements, read as keys.
struct KeyReader {
  const char* data;
  std::uint8_t bytes;
  fn::KeyRule rule;

  __device__ __forceinline__ std::uint64_t operator()(std::int64_t i) const {
    return fn::sort_key(element_bits(data + i * bytes, bytes), rule);
  }
  __device__ __forceinline__ bool is_nan(std::uint64_t key) const {
    return fn::is_nan_key(key, rule);
  }
};

inline fn::KeyRule key_rule_of(DType t) {
  return visit(t, [&]<class T>() {
    if constexpr (fn::is_complex_v<T>) {
      return fn::KeyRule{};  // the front-ends refuse complex numbers
    } else {
      return fn::key_rule<T>();
    }
  });
}

inline KeyReader key_reader(const void* data, DType t) {
  return {static_cast<const char*>(data), static_cast<std::uint8_t>(element_size(t)),
          key_rule_of(t)};
}

/// From kernels/sets.cu; see context.h.
int bind_sets();

/// Bits that hold the numbers below n.
inline int bits_below(std::int64_t n) {
  return n <= 1 ? 0 : 64 - __builtin_clzll(static_cast<unsigned long long>(n - 1));
}

}  // namespace tandem::cuda
