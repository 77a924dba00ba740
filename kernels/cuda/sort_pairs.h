// Sorting keys with values on a device: CUB's radix sort, or what the simulated machine has.
#pragma once

#include <cstdint>

#include "tandem/device.h"

namespace tandem::cuda {

/// n keys and their values, by the bits [begin_bit, end_bit) of the keys; equal ones keep their
/// order. What is in `keys` and `values` stays, the result is in the others.
struct SortPairs {
  const std::uint64_t* keys;
  const std::int64_t* values;
  std::uint64_t* sorted_keys;
  std::int64_t* sorted_values;
  std::int64_t n;
  int begin_bit, end_bit;
  Device device;
  void* stream;
};

/// Queues the sort; errors are reported for `op`.
void sort_pairs(const SortPairs& s, const char* op);

}  // namespace tandem::cuda
