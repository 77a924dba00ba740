// Sorting 64-bit words on the device, through CUB (kernels/sort_words.cu).
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tandem/device.h"

namespace tandem::cuda {

/// Queues a stable sort of n words by their bits [begin, end); `spare` is as large. *sorted is the
/// one of the two that holds the result.
cudaError_t sort_words(std::uint64_t* words, std::uint64_t* spare, std::int64_t n, int begin,
                       int end, Device device, void* stream, const char* op,
                       std::uint64_t** sorted);

}  // namespace tandem::cuda
