// How the backend's table calls the CUDA runtime: errors as numbers, none left behind in the
// runtime for the next launch to find.
#pragma once

#include <cuda_runtime_api.h>

#include "tandem/cuda/launch.h"

namespace tandem::cuda {

inline cudaStream_t as_stream(void* s) { return static_cast<cudaStream_t>(s); }

inline int checked(cudaError_t e) {
  if (e != cudaSuccess) static_cast<void>(cudaGetLastError());
  return e;
}

/// Runs `f` with the device current.
template <class F>
int on_device(int device, F f) {
  DeviceGuard guard(device);
  return checked(guard.error != cudaSuccess ? guard.error : f());
}

}  // namespace tandem::cuda
