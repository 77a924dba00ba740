// For programs that use CUDA themselves: streams to and from cudaStream_t and, in files compiled by
// nvcc, tandem::map on the device. The only public header that includes CUDA's.
#pragma once

#include <cuda_runtime.h>

#include <string>

#if defined(__CUDACC__)
#define TANDEM_MAP_ON_DEVICE  // before tandem/map.h: include this header instead of it
#endif
#include "tandem/map.h"
#include "tandem/stream.h"
#include "tandem/tensor.h"
#if defined(__CUDACC__)
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/plan.h"
#endif

namespace tandem {

/// Wraps a stream of the caller's on the device that is current on this thread; the stream must
/// outlive its use. Raises DeviceError where the backend cannot be used, and for a stream of
/// another device: see Stream::wrap.
inline Stream stream_from_cuda(cudaStream_t stream) { return Stream::wrap(kCUDA, stream); }

/// The CUDA stream of a Stream on a CUDA device; null is the default stream.
inline cudaStream_t cuda_stream(const Stream& stream) {
  return static_cast<cudaStream_t>(stream.native());
}

#if defined(__CUDACC__)

namespace cuda {

template <int A, class F>
struct MapParams {
  GeneralParams<A> launch;
  F functor;
};

// Occupancy: 4 blocks of 256 threads, where the user's functor allows it.
template <class F, class T, int A>
__global__ void __launch_bounds__(kThreads) map_kernel(const __grid_constant__ MapParams<A, F> p) {
  const auto ks = std::make_integer_sequence<int, A>();
  const std::uint32_t step = gridDim.x * kThreads * 2;
  for (std::uint32_t i = blockIdx.x * kThreads * 2 + threadIdx.x; i < p.launch.count; i += step) {
    compute_general<F, T, A>(p.launch, p.functor, i, i + kThreads, ks);
  }
}

/// Queues the functor over a launch, in pieces where it is too large for 32-bit indices.
template <class F, class T, int A>
cudaError_t map_launch(const ElementwiseLaunch& l, const F& f) {
  if (l.numel > kMaxElements || l.rank > kKernelRank) {
    std::int64_t shape[kMaxRank];
    const std::int64_t n = l.shape[0];
    const std::int64_t step = l.rank > kKernelRank || n < 2 ? 1 : (n + 1) / 2;
    for (std::int64_t i = 0; i < n; i += step) {
      const cudaError_t e = map_launch<F, T, A>(part(l, i, std::min(n, i + step), shape), f);
      if (e != cudaSuccess) return e;
    }
    return cudaSuccess;
  }
  const ElementwiseEntry<A> none{};
  const MapParams<A, F> p{ElementwisePlan<A>{l, none}.general(), f};
  const std::int64_t chunk = std::int64_t(kThreads) * 2;
  return launch(&map_kernel<F, T, A>, grid_for((l.numel + chunk - 1) / chunk), kThreads, p,
                l.device, l.stream);
}

}  // namespace cuda

namespace detail {

template <class F, int A>
struct MapDevice {
  static void launch(const ElementwiseLaunch& l, const void* f) {
    cudaError_t e = cudaErrorInvalidValue;
    visit(l.dtype, [&]<class T>() {
      if constexpr (map_takes<F, T>(std::make_index_sequence<A>())) {
        e = cuda::map_launch<F, compute_t<T>, A>(l, *static_cast<const F*>(f));
      }
    });
    if (e != cudaSuccess) {
      fail<DeviceError>(std::string("[map] the CUDA launch failed: ") + cudaGetErrorString(e));
    }
  }
  static constexpr MapRun run = &launch;
};

}  // namespace detail

#endif

}  // namespace tandem
