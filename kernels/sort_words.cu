// Sorting 64-bit words by some of their bits: CUB's radix sort. The simulated device has a stand-in
// (tests/cuda/sim/sort_words.cpp).
#include "kernels/cuda/sort_words.h"

#include <cub/device/device_radix_sort.cuh>

#include "kernels/cuda/context.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

cudaError_t sort_words(std::uint64_t* words, std::uint64_t* spare, std::int64_t n, int begin,
                       int end, Device device, void* stream, const char* op,
                       std::uint64_t** sorted) {
  const DeviceGuard guard(device.index);
  if (guard.error != cudaSuccess) return guard.error;
  cub::DoubleBuffer<std::uint64_t> buffers(words, spare);
  const auto s = static_cast<cudaStream_t>(stream);
  std::size_t bytes = 0;
  cudaError_t e = cub::DeviceRadixSort::SortKeys(nullptr, bytes, buffers, n, begin, end, s);
  if (e == cudaSuccess) {
    const Workspace room(device, bytes, stream, op);
    if (room.data() == nullptr) return cudaSuccess;  // reported
    e = cub::DeviceRadixSort::SortKeys(room.data(), bytes, buffers, n, begin, end, s);
  }
  static_cast<void>(cudaGetLastError());
  *sorted = buffers.Current();
  return e;
}

}  // namespace tandem::cuda
