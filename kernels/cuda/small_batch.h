// Batches of small matrices on a device: a group of threads of one warp for each, in shared memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "tandem/backend/linalg.h"

namespace tandem::cuda {

/// What a thread works on: matrix number b of the batch, as number `first` of its group. Groups
/// beyond the batch do the last matrix again, since whole warps meet; what they have is not
/// `inside` and is not written.
struct SmallPlace {
  std::int64_t b;
  bool inside;
  int group, first;

  template <class E>
  __device__ E& element(const SmallMatrices& of, std::int64_t i, std::int64_t j) const {
    return static_cast<E*>(of.data)[b * of.stride + i * of.row + j * of.column];
  }
};

/// f(place) for each matrix of this thread's group, which has `width` threads.
template <class F>
__device__ void each_small(std::int64_t batch, int width, F&& f) {
  const int groups = static_cast<int>(blockDim.x) / width;
  const int group = static_cast<int>(threadIdx.x) / width;
  const int first = static_cast<int>(threadIdx.x) % width;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * groups;
  for (std::int64_t base = static_cast<std::int64_t>(blockIdx.x) * groups; base < batch;
       base += step) {
    const std::int64_t b = base + group;
    f(SmallPlace{b < batch ? b : batch - 1, b < batch, group, first});
    __syncwarp();  // the memory is the next matrix's
  }
}

}  // namespace tandem::cuda
