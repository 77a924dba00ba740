// A stand-in for the CUDA runtime's header: the built-ins of device code over the fibers of
// sim.cpp, one a thread of the block that runs. Blocks run one after the other.
#pragma once

// CUDA has these names. NOLINTBEGIN(bugprone-reserved-identifier)

#include <cstring>
#include <functional>

#include "capture.h"
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
                cudaStream_t stream, std::size_t shared);
/// The block's dynamic shared memory.
void* dynamic_shared();
void barrier();
/// Waits for the warp; a bit for each lane, from the lowest of what it passes.
std::uint32_t vote(bool yes);
/// Not every lane is named: not simulated, the launch fails.
void expect_whole_warp(unsigned mask);
/// The value that lane `from` of the warp passes in the same call.
std::uint64_t exchange(std::uint64_t bits, unsigned from);

/// Runs a kernel otherwise than by its C++ (tests/cuda/ptx/device.cpp); null: nothing does. False
/// where it does not have the kernel.
using Executor = bool (*)(const void* kernel, unsigned blocks, unsigned threads, const void* params,
                          std::size_t bytes, std::size_t shared, cudaError_t* answer);
extern Executor executor;

/// Tandem's kernels take any grid. This small one has every loop over the grid take several turns,
/// as a large launch on a GPU does.
inline constexpr unsigned kMostBlocks = 5;

template <class P>
cudaError_t launch(void (*kernel)(P), unsigned blocks, unsigned threads, const P& params,
                   cudaStream_t stream, std::size_t shared = 0) {
  if (blocks > kMostBlocks) blocks = kMostBlocks;
  if (capturing(stream)) {
    return record(stream, {1, reinterpret_cast<const void*>(kernel)},
                  [=] { return launch(kernel, blocks, threads, params, nullptr, shared); });
  }
  cudaError_t answer = cudaSuccess;
  if (executor != nullptr && executor(reinterpret_cast<const void*>(kernel), blocks, threads,
                                      &params, sizeof params, shared, &answer)) {
    return answer;
  }
  return run(
      blocks, threads, [&] { kernel(params); }, stream, shared);
}

/// Runs a kernel that was loaded at run time; null where nothing can.
using LoadedExecutor = cudaError_t (*)(cudaKernel_t kernel, const char* image, const char* name,
                                       unsigned blocks, unsigned threads, const void* params,
                                       std::size_t bytes);
extern LoadedExecutor loaded_executor;
cudaError_t run_loaded(cudaKernel_t kernel, unsigned blocks, unsigned threads, const void* params,
                       std::size_t bytes);

template <class P>
cudaError_t launch_loaded(cudaKernel_t kernel, unsigned blocks, unsigned threads, const P& params,
                          cudaStream_t stream) {
  if (blocks > kMostBlocks) blocks = kMostBlocks;
  if (capturing(stream)) {
    return record(stream, {1, kernel}, [=, copy = params] {
      return run_loaded(kernel, blocks, threads, &copy, sizeof copy);
    });
  }
  return run_loaded(kernel, blocks, threads, &params, sizeof params);
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
T __shfl_down_sync(unsigned mask, T value, unsigned delta) {
  sim::expect_whole_warp(mask);
  const unsigned lane = threadIdx.x % 32;
  return sim::shuffle(value, lane + delta < 32 ? lane + delta : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta) {
  sim::expect_whole_warp(mask);
  const unsigned lane = threadIdx.x % 32;
  return sim::shuffle(value, lane >= delta ? lane - delta : lane);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, unsigned bits) {
  sim::expect_whole_warp(mask);
  return sim::shuffle(value, (threadIdx.x % 32) ^ bits);
}
template <class T>
T __shfl_sync(unsigned mask, T value, unsigned from) {
  sim::expect_whole_warp(mask);
  return sim::shuffle(value, from % 32);
}
inline unsigned __ballot_sync(unsigned mask, int yes) {
  sim::expect_whole_warp(mask);
  return sim::vote(yes != 0);
}
inline int __any_sync(unsigned mask, int yes) { return __ballot_sync(mask, yes) != 0; }
inline int __all_sync(unsigned mask, int yes) { return __ballot_sync(mask, yes == 0) == 0; }
/// Orders what the warp's lanes wrote to shared memory; races.cpp, which knows barriers of a whole
/// block only, may then tell of a race that is none.
inline void __syncwarp(unsigned mask = 0xffffffffu) { static_cast<void>(__ballot_sync(mask, 1)); }

// NOLINTEND(bugprone-reserved-identifier)
