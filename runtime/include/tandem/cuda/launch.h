// Launching a kernel on a device and stream without changing the caller's current device. Every
// kernel of Tandem takes one parameter struct.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

#include "tandem/device.h"

namespace tandem::cuda {

/// Makes a device current for a scope. `error` holds what went wrong, cudaSuccess otherwise.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device) {
    error = cudaGetDevice(&previous_);
    if (error == cudaSuccess && device >= 0 && device != previous_) {
      error = cudaSetDevice(device);
      changed_ = error == cudaSuccess;
    }
  }
  ~DeviceGuard() {
    if (changed_) static_cast<void>(cudaSetDevice(previous_));
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;

  cudaError_t error;

 private:
  int previous_ = 0;
  bool changed_ = false;
};

/// `name`: the block's shared memory of the size given to launch(), as elements of type T.
#ifdef TANDEM_CUDA_SIM
#define TANDEM_DYNAMIC_SHARED(T, name) T* const name = static_cast<T*>(::sim::dynamic_shared())
#else
#define TANDEM_DYNAMIC_SHARED(T, name)                                     \
  extern __shared__ __align__(16) unsigned char tandem_shared_of_launch[]; \
  T* const name = reinterpret_cast<T*>(tandem_shared_of_launch)
#endif

/// Queues the kernel, with `shared` bytes of dynamic shared memory a block. The answer is that of
/// the launch itself: errors of the work come later.
template <class P>
cudaError_t launch(void (*kernel)(P), unsigned blocks, unsigned threads, const P& params,
                   Device device, void* stream, std::size_t shared = 0) {
  if (blocks == 0) return cudaSuccess;
  DeviceGuard guard(device.index);
  if (guard.error != cudaSuccess) return guard.error;
#ifdef TANDEM_CUDA_SIM
  return sim::launch(kernel, blocks, threads, params, static_cast<cudaStream_t>(stream), shared);
#else
  const void* function = reinterpret_cast<const void*>(kernel);
  // What every architecture gives; more has to be asked for.
  constexpr std::size_t kGiven = std::size_t(48) << 10;
  if (shared > kGiven) {
    const cudaError_t asked = cudaFuncSetAttribute(
        function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared));
    if (asked != cudaSuccess) {
      static_cast<void>(cudaGetLastError());
      return asked;
    }
  }
  void* arguments[] = {const_cast<P*>(&params)};
  const cudaError_t e = cudaLaunchKernel(function, dim3(blocks), dim3(threads), arguments, shared,
                                         static_cast<cudaStream_t>(stream));
  const cudaError_t last = cudaGetLastError();  // clears what the launch left behind
  return e != cudaSuccess ? e : last;
#endif
}

/// Blocks for `chunks` pieces of work: at most 32 waves of 8 blocks on 132 multiprocessors, so that
/// a grid-stride loop amortises a block's start on large launches and the last wave is short.
inline unsigned grid_for(std::int64_t chunks) {
  constexpr std::int64_t kMaxBlocks = 132 * 8 * 32;
  return static_cast<unsigned>(std::min(chunks, kMaxBlocks));
}

}  // namespace tandem::cuda
