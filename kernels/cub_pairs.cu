// CUB's radix sort of 64-bit keys with 64-bit values, alone in a file: its headers are what
// compiling costs.
#include <cub/device/device_radix_sort.cuh>

#include "kernels/cuda/context.h"
#include "kernels/cuda/sort_pairs.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

void sort_pairs(const SortPairs& s, const char* op) {
  DeviceGuard guard(s.device.index);
  if (guard.error != cudaSuccess) return check(guard.error, op);
  const auto stream = static_cast<cudaStream_t>(s.stream);
  std::size_t bytes = 0;
  const auto sort = [&](void* memory) {
    return cub::DeviceRadixSort::SortPairs(memory, bytes, s.keys, s.sorted_keys, s.values,
                                           s.sorted_values, s.n, s.begin_bit, s.end_bit, stream);
  };
  const cudaError_t asked = sort(nullptr);
  if (asked != cudaSuccess) return check(asked, op);
  const Workspace memory(s.device, bytes, s.stream, op);
  if (memory.data() == nullptr) return;
  check(sort(memory.data()), op);
}

}  // namespace tandem::cuda
