// A stand-in for the CUDA runtime's header: the built-ins of device code over the fibers of
// sim.cpp, one a thread of the block that runs. Blocks run one after the other.
#pragma once

// CUDA has these names. NOLINTBEGIN(bugprone-reserved-identifier)

#include <cstring>
#include <functional>

#include "cuda_runtime_api.h"

#define TANDEM_CUDA_SIM 1

namespace sim {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};
struct Builtins {
  Index thread, block, block_size, grid_size;
};
extern Builtins builtins;

/// Runs the kernel's body for every thread of every block; a thread that never returns from a
/// barrier that others skipped is an error.
cudaError_t run(unsigned blocks, unsigned threads, const std::function<void()>& body,
                cudaStream_t stream);
void barrier();
/// The value that lane `from` of the warp passes in the same call.
std::uint64_t exchange(std::uint64_t bits, unsigned from);

/// Tandem's kernels take any grid. This small one has every loop over the grid take several turns,
/// as a large launch on a GPU does.
inline constexpr unsigned kMostBlocks = 5;

template <class P>
cudaError_t launch(void (*kernel)(P), unsigned blocks, unsigned threads, const P& params,
                   cudaStream_t stream) {
  return run(
      blocks < kMostBlocks ? blocks : kMostBlocks, threads, [&] { kernel(params); }, stream);
}

template <class T>
T shuffle(T value, unsigned from) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = exchange(bits, from);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace sim

#define threadIdx (::sim::builtins.thread)
#define blockIdx (::sim::builtins.block)
#define blockDim (::sim::builtins.block_size)
#define gridDim (::sim::builtins.grid_size)

inline void __syncthreads() { sim::barrier(); }
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  const unsigned lane = threadIdx.x % 32;
  return sim::shuffle(value, lane + delta < 32 ? lane + delta : lane);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, unsigned mask) {
  return sim::shuffle(value, (threadIdx.x % 32) ^ mask);
}
template <class T>
T __shfl_sync(unsigned, T value, unsigned from) {
  return sim::shuffle(value, from);
}

// NOLINTEND(bugprone-reserved-identifier)
