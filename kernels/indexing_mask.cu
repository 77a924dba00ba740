// Masks: the set elements of each tile are counted, the counts scanned by one block, and each tile
// is written from where it begins. Inside a tile places are gathered in shared memory first, so
// that neighbours in the output are written by neighbouring threads.
#include "kernels/cuda/indexing.h"
#include "tandem/backend/units.h"
#include "tandem/cuda/access.h"

namespace tandem::cuda {

namespace {

constexpr int kWarps = kThreads / 32;
constexpr int kBytes = static_cast<int>(kMaskTile) / static_cast<int>(kThreads);  // of a thread
static_assert(kBytes == 16);
constexpr unsigned kAll = 0xffffffffu;

struct MaskParams {
  const std::uint8_t* mask;
  std::int64_t* offsets;
  std::int64_t n, tiles, limit;
  const char* in;
  char* out;
  bool aligned;
  ErrorFlag flag;
  WideOffsets<1> shape;  // sizes alone, innermost first
};

/// The thread's 16 bytes of a tile; zeros beyond the end.
__device__ __forceinline__ Vec<std::uint64_t, 2> bytes_of(const MaskParams& p, std::int64_t tile) {
  const std::int64_t at = tile * kMaskTile + static_cast<std::int64_t>(threadIdx.x) * kBytes;
  if (p.aligned && at + kBytes <= p.n) {
    return *reinterpret_cast<const Vec<std::uint64_t, 2>*>(p.mask + at);
  }
  Vec<std::uint64_t, 2> v{};
  for (int b = 0; b < kBytes && at + b < p.n; ++b) {
    v.at[b / 8] |= std::uint64_t(p.mask[at + b]) << (b % 8 * 8);
  }
  return v;
}

/// 1 in each byte that is not 0.
__device__ __forceinline__ std::uint64_t set_bytes(std::uint64_t w) {
  constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  return (((w & kLow) + kLow) | w) >> 7 & 0x0101010101010101;
}
__device__ __forceinline__ int count_of(const Vec<std::uint64_t, 2>& v) {
  const std::uint64_t sums = set_bytes(v.at[0]) + set_bytes(v.at[1]);
  return static_cast<int>(sums * 0x0101010101010101 >> 56);
}

/// The sum over this and the lanes below.
__device__ __forceinline__ std::int64_t scan_warp(std::int64_t value) {
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (unsigned delta = 1; delta < 32; delta *= 2) {
    const std::int64_t below = __shfl_up_sync(kAll, value, delta);
    value += lane >= delta ? below : 0;
  }
  return value;
}

// Occupancy: 6 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads)
    mask_count_kernel(const __grid_constant__ MaskParams p) {
  __shared__ int sums[kWarps];
  for (std::int64_t t = blockIdx.x; t < p.tiles; t += gridDim.x) {
    int n = count_of(bytes_of(p, t));
#pragma unroll
    for (unsigned delta = 16; delta > 0; delta /= 2) n += __shfl_down_sync(kAll, n, delta);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = n;
    __syncthreads();
    if (threadIdx.x == 0) {
      int sum = 0;
#pragma unroll
      for (int w = 0; w < kWarps; ++w) sum += sums[w];
      p.offsets[t] = sum;
    }
    __syncthreads();
  }
}

// Counts to their sums before each tile, by one block: a count is 8 bytes of 4096.
// Occupancy: 6 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads) mask_scan_kernel(const __grid_constant__ MaskParams p) {
  __shared__ std::int64_t sums[kWarps];
  std::int64_t before = 0;
  const unsigned warp = threadIdx.x / 32;
  for (std::int64_t base = 0; base < p.tiles; base += kThreads) {
    const std::int64_t t = base + threadIdx.x;
    const std::int64_t own = t < p.tiles ? p.offsets[t] : 0;
    const std::int64_t upto = scan_warp(own);
    if (threadIdx.x % 32 == 31) sums[warp] = upto;
    __syncthreads();
    std::int64_t warps = 0;
    std::int64_t all = 0;
#pragma unroll
    for (unsigned w = 0; w < kWarps; ++w) {
      warps += w < warp ? sums[w] : 0;
      all += sums[w];
    }
    if (t < p.tiles) p.offsets[t] = before + warps + upto - own;
    before += all;
    __syncthreads();
  }
  if (threadIdx.x == 0) p.offsets[p.tiles] = before;
}

/// Gathers the tile's set elements in shared memory, in order; how many there are.
__device__ __forceinline__ int gather_tile(const MaskParams& p, std::int64_t tile,
                                           std::uint16_t* found, int* sums) {
  const Vec<std::uint64_t, 2> v = bytes_of(p, tile);
  const int own = count_of(v);
  const auto upto = static_cast<int>(scan_warp(own));
  const unsigned warp = threadIdx.x / 32;
  if (threadIdx.x % 32 == 31) sums[warp] = upto;
  __syncthreads();
  int at = upto - own;
  int all = 0;
#pragma unroll
  for (unsigned w = 0; w < kWarps; ++w) {
    at += w < warp ? sums[w] : 0;
    all += sums[w];
  }
  if (own > 0) {
#pragma unroll
    for (int b = 0; b < kBytes; ++b) {
      if ((v.at[b / 8] >> (b % 8 * 8) & 0xff) != 0) {
        found[at++] = static_cast<std::uint16_t>(static_cast<int>(threadIdx.x) * kBytes + b);
      }
    }
  }
  __syncthreads();
  return all;
}

// Occupancy: 6 blocks of 256 threads.
template <class W>
__global__ void __launch_bounds__(kThreads)
    mask_select_kernel(const __grid_constant__ MaskParams p) {
  __shared__ std::uint16_t found[kMaskTile];
  __shared__ int sums[kWarps];
  for (std::int64_t t = blockIdx.x; t < p.tiles; t += gridDim.x) {
    const int n = gather_tile(p, t, found, sums);
    const W* in = reinterpret_cast<const W*>(p.in) + t * kMaskTile;
    W* out = reinterpret_cast<W*>(p.out) + p.offsets[t];
    for (int k = static_cast<int>(threadIdx.x); k < n; k += kThreads) out[k] = in[found[k]];
    __syncthreads();
  }
}

// Occupancy: 6 blocks of 256 threads.
template <class W>
__global__ void __launch_bounds__(kThreads)
    mask_scatter_kernel(const __grid_constant__ MaskParams p) {
  __shared__ std::uint16_t found[kMaskTile];
  __shared__ int sums[kWarps];
  for (std::int64_t t = blockIdx.x; t < p.tiles; t += gridDim.x) {
    const int n = gather_tile(p, t, found, sums);
    const std::int64_t first = p.offsets[t];
    const W* in = reinterpret_cast<const W*>(p.in) + first;
    W* out = reinterpret_cast<W*>(p.out) + t * kMaskTile;
    for (int k = static_cast<int>(threadIdx.x); k < n; k += kThreads) {
      if (first + k < p.limit) {
        out[found[k]] = in[k];
      } else {
        report(p.flag, 0);
      }
    }
    __syncthreads();
  }
}

// Occupancy: 5 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads)
    mask_coordinates_kernel(const __grid_constant__ MaskParams p) {
  __shared__ std::uint16_t found[kMaskTile];
  __shared__ int sums[kWarps];
  const int rank = p.shape.rank;
  for (std::int64_t t = blockIdx.x; t < p.tiles; t += gridDim.x) {
    const int n = gather_tile(p, t, found, sums);
    const std::int64_t first = p.offsets[t];
    for (int k = static_cast<int>(threadIdx.x); k < n && first + k < p.limit; k += kThreads) {
      auto rest = static_cast<std::uint64_t>(t * kMaskTile + found[k]);
      std::int64_t* row = reinterpret_cast<std::int64_t*>(p.out) + (first + k) * rank;
      for (int d = 0; d < rank; ++d) {
        const std::uint64_t next = d == rank - 1 ? 0 : p.shape.sizes[d].div(rest);
        row[rank - 1 - d] = static_cast<std::int64_t>(rest - next * p.shape.sizes[d].divisor);
        rest = next;
      }
    }
    __syncthreads();
  }
}

cudaError_t run_mask(const MaskLaunch& l, MaskParams& p) {
  const auto tiles = grid_for(p.tiles);
  switch (l.stage) {
    case MaskStage::Count: {
      const cudaError_t e = launch(&mask_count_kernel, tiles, kThreads, p, l.device, l.stream);
      return e != cudaSuccess ? e : launch(&mask_scan_kernel, 1, kThreads, p, l.device, l.stream);
    }
    case MaskStage::Coordinates:
      for (int d = l.rank - 1; d >= 0; --d) p.shape.push(l.shape[d]);
      return launch(&mask_coordinates_kernel, tiles, kThreads, p, l.device, l.stream);
    case MaskStage::Select:
      return with_unit<Bits128>(static_cast<std::size_t>(l.width), [&]<class W>() {
        return launch(&mask_select_kernel<W>, tiles, kThreads, p, l.device, l.stream);
      });
    case MaskStage::Scatter:
      p.flag = error_flag(l.device, l.stream, l.row->name, FlagKind::ShortSource);
      if (p.flag.word == nullptr) return cudaErrorMemoryAllocation;
      return with_unit<Bits128>(static_cast<std::size_t>(l.width), [&]<class W>() {
        return launch(&mask_scatter_kernel<W>, tiles, kThreads, p, l.device, l.stream);
      });
  }
  return cudaErrorInvalidValue;
}

void launch_mask(const void* desc, const void*) {
  const auto& l = *static_cast<const MaskLaunch*>(desc);
  MaskParams p;
  p.mask = l.mask;
  p.offsets = l.offsets;
  p.n = l.n;
  p.tiles = l.tiles();
  p.limit = l.limit;
  p.in = static_cast<const char*>(l.in);
  p.out = static_cast<char*>(l.out);
  p.aligned = reinterpret_cast<std::uintptr_t>(l.mask) % kBytes == 0;
  check(run_mask(l, p), l.row->name);
}

}  // namespace

int bind_masks() { return host().bind("nonzero", DeviceKind::CUDA, Kernel{&launch_mask, nullptr}); }

}  // namespace tandem::cuda
