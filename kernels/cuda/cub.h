// The algorithms of CUB that launchers use, behind plain functions: one translation unit
// (kernels/cub_sort.cu) parses its headers, and the simulated device has its own
// (tests/cuda/sim/no_cub.cpp). All of them queue work on a stream, wait for nothing and take their
// memory from the device's pool.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/context.h"
#include "kernels/functors/sorting.h"

namespace tandem::cuda {

/// Where work goes, and the op to name in messages.
struct CubCall {
  Device device;
  void* stream;
  const char* op;
};

/// n keys and values and as much room again. Elements lie in [0] before and after a sort, which may
/// swap the two.
template <class K, class V>
struct PairBuffers {
  K* keys[2];
  V* values[2];
};

/// Sorts pairs by bits [begin_bit, end_bit) of the keys, ascending; equal ones keep their order.
/// False where it failed, which is reported. Keys and values have 32 bits, or the keys 64, or both.
template <class K, class V>
bool sort_pairs(PairBuffers<K, V>& pairs, std::int64_t n, int begin_bit, int end_bit,
                const CubCall& call);

/// The same from keys and values that stay to others that get the result.
struct SortPairs {
  const std::uint64_t* keys;
  const std::int64_t* values;
  std::uint64_t* sorted_keys;
  std::int64_t* sorted_values;
  std::int64_t n;
  int begin_bit, end_bit;
};
bool sort_pairs(const SortPairs& s, const CubCall& call);

/// Sorts n words by their bits [begin_bit, end_bit), ascending; equal ones keep their order. They
/// lie in words[0] before and after, which may be swapped with words[1]. False where it failed,
/// which is reported.
bool sort_words(std::uint64_t* (&words)[2], std::int64_t n, int begin_bit, int end_bit,
                const CubCall& call);

/// data[i] = data[0] + ... + data[i], in place.
bool scan_sums(std::int64_t* data, std::int64_t n, const CubCall& call);

/// Dense rows of `width` elements that are compared from the left.
struct Items {
  const char* data;
  std::int64_t width;
  std::uint8_t bytes;  // of an element
  fn::KeyRule rule;
};
/// Sorts item numbers in lexicographic order of the items; equal ones keep their order.
bool sort_items(const Items& items, std::int64_t* numbers, std::int64_t n, const CubCall& call);

}  // namespace tandem::cuda
