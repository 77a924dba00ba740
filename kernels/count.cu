// Elements into bins on the device: bincount, histc, histogram. Counts are integer atomics, first
// in the block's shared memory where the bins fit there; sums of weights go bin by bin along the
// fixed tree of docs/numerics.md, "Reductions", without atomics.
#include "kernels/cuda/bind_sorting.h"
#include "kernels/cuda/masks.h"
#include "kernels/cuda/reduce.h"
#include "kernels/cuda/sorting.h"

namespace tandem::cuda {

namespace {

#ifdef TANDEM_CUDA_SIM
/// Fibers switch at barriers alone. What an atomic does to shared memory is no race: not watched.
template <class T>
__attribute__((noinline, no_sanitize("thread"))) void add_to(T* counter, T n) {
  *counter += n;
}
#else
template <class T>
__device__ __forceinline__ void add_to(T* counter, T n) {
  atomicAdd(counter, n);
}
#endif

struct CountParams {
  KeyReader in;
  ElementCast cast;
  std::int64_t n, bins;
  KeyReader edges;
  double low, high, widen;
  const double* range;
  unsigned long long* counts;
  std::int64_t* ids;
  bool shared;  // the block counts in shared memory first

  __device__ __forceinline__ void range_of(double& from, double& to) const {
    from = range != nullptr ? range[0] : low;
    to = range != nullptr ? range[1] : high;
    fn::widen_range(from, to, widen);
  }
};

/// bin(p, i) is the bin of element i, -1 for none.
struct ValueBins {
  __device__ explicit ValueBins(const CountParams&) {}
  __device__ __forceinline__ std::int64_t operator()(const CountParams& p, std::int64_t i) const {
    const std::uint64_t bits = element_bits(p.in.data + i * p.in.bytes, p.in.bytes);
    const bool negative = (bits & p.in.rule.sign) != 0;
    const auto bin = static_cast<std::int64_t>(bits);
    return !negative && bin >= 0 && bin < p.bins ? bin : -1;
  }
};

struct EdgeBins {
  __device__ explicit EdgeBins(const CountParams&) {}
  __device__ __forceinline__ std::int64_t operator()(const CountParams& p, std::int64_t i) const {
    const std::uint64_t key = p.in(i);
    const auto edge = [&](std::int64_t e) { return p.edges(e); };
    const std::int64_t above = fn::search_keys(p.bins + 1, key, true, edge);
    if (p.in.is_nan(key) || above == 0) return -1;
    if (above <= p.bins) return above - 1;
    return key == edge(p.bins) ? p.bins - 1 : -1;
  }
};

template <class C>
struct LinearBins {
  double low, high;

  __device__ explicit LinearBins(const CountParams& p) { p.range_of(low, high); }
  __device__ __forceinline__ std::int64_t operator()(const CountParams& p, std::int64_t i) const {
    C x[1];
    const std::int64_t at[1] = {i * p.in.bytes};
    load_cast(x, p.in.data, at, p.cast);
    return fn::linear_bin(x[0], p.bins, low, high);
  }
};

inline constexpr int kSharedBins = 4096;

// Occupancy: 5 blocks of 256 threads.
template <class Bins>
__global__ void __launch_bounds__(kSortThreads)
    count_kernel(const __grid_constant__ CountParams p) {
  __shared__ unsigned counters[kSharedBins];
  const Bins bin(p);
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  if (p.shared) {
    for (std::int64_t b = threadIdx.x; b < p.bins; b += kSortThreads) counters[b] = 0;
  }
  __syncthreads();
  for (std::int64_t i = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; i < p.n; i += step) {
    const std::int64_t b = bin(p, i);
    if (b < 0) continue;
    if (p.shared) {
      add_to(&counters[b], 1u);
    } else {
      add_to(&p.counts[b], 1ull);
    }
  }
  __syncthreads();
  if (!p.shared) return;
  for (std::int64_t b = threadIdx.x; b < p.bins; b += kSortThreads) {
    if (counters[b] != 0) add_to(&p.counts[b], static_cast<unsigned long long>(counters[b]));
  }
}

// Occupancy: 5 blocks of 256 threads.
template <class Bins>
__global__ void __launch_bounds__(kSortThreads) ids_kernel(const __grid_constant__ CountParams p) {
  const Bins bin(p);
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; i < p.n; i += step) {
    const std::int64_t b = bin(p, i);
    p.ids[i] = b >= 0 ? b : p.bins;
  }
}

struct EdgeParams {
  CountParams range;
  void* edges;
};

// Occupancy: 6 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kSortThreads) edges_kernel(const __grid_constant__ EdgeParams p) {
  double low;
  double high;
  p.range.range_of(low, high);
  const std::int64_t step = std::int64_t(gridDim.x) * kSortThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kSortThreads + threadIdx.x; i <= p.range.bins;
       i += step) {
    static_cast<T*>(p.edges)[i] = fn::cast<T>(fn::bin_edge<T>(i, p.range.bins, low, high));
  }
}

// ---- sums of weights

// Note [Slots of a segment]
// A bin's weights x[starts[b]], ..., x[starts[b + 1] - 1] (in the order of `order`) are reduced
// tile by tile; what tiles give is a sequence again. The tiles of bin b have the slots from
// starts[b] / kTile + b on: sequences that follow each other get slots that do not overlap, without
// a pass that counts tiles, and the same holds for the tiles of tiles.
struct SumParams {
  const std::int64_t* starts;
  const std::int64_t* order;  // null from the second level on
  const void* from;
  void* to;  // slots, or the sums on the last level
  std::int64_t bins, slots;
  int level;
  bool last;
};

struct Segment {
  std::int64_t start, length;
};

/// Where the sequence of a bin lies on a level.
__device__ __forceinline__ Segment segment_at(const SumParams& p, std::int64_t b, int level) {
  Segment s{p.starts[b], p.starts[b + 1] - p.starts[b]};
  for (int k = 0; k < level; ++k) {
    s.start = s.start / kTile + b;
    s.length = (s.length + kTile - 1) / kTile;
  }
  return s;
}

/// A warp a slot of the next level.
// Occupancy: 4 blocks of 256 threads.
template <class A>
__global__ void __launch_bounds__(kSortThreads)
    segment_sums_kernel(const __grid_constant__ SumParams p) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t step = std::int64_t(gridDim.x) * (kSortThreads / 32);
  const A* from = static_cast<const A*>(p.from);
  for (std::int64_t slot = std::int64_t(blockIdx.x) * (kSortThreads / 32) + threadIdx.x / 32;
       slot < p.slots; slot += step) {
    // On the last level a slot is a bin; before, the last bin whose slots begin here or before.
    std::int64_t b = slot;
    if (!p.last) {
      std::int64_t first = 0;
      std::int64_t end = p.bins;
      while (first + 1 < end) {
        const std::int64_t middle = first + (end - first) / 2;
        const bool after = segment_at(p, middle, p.level + 1).start > slot;
        first = after ? first : middle;
        end = after ? middle : end;
      }
      b = first;
    }
    const Segment s = segment_at(p, b, p.level);
    const std::int64_t tile = p.last ? 0 : slot - segment_at(p, b, p.level + 1).start;
    const std::int64_t begin = tile * kTile;
    const std::int64_t left = s.length - begin;
    const std::int64_t m = left < 0 ? 0 : (left < kTile ? left : kTile);
    A acc[4]{};
    for (std::int64_t i = lane * 4; i < m; i += kLanes) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        if (i + j >= m) continue;
        const std::int64_t at = s.start + begin + i + j;
        const A x = from[p.order != nullptr ? p.order[at] : at];
        acc[j] = i == lane * 4 ? x : acc[j] + x;
      }
    }
    const A sum = join_warp<fn::JoinSum<A>>(acc, static_cast<int>(m < kLanes ? m : kLanes));
    if (lane == 0 && (p.last || m > 0)) static_cast<A*>(p.to)[slot] = m > 0 ? sum : A(0);
  }
}

template <class A>
void sum_segments(const CountLaunch& l) {
  int levels = 1;
  for (std::int64_t most = l.n; most > kTile; most = (most + kTile - 1) / kTile) ++levels;
  const std::int64_t slots = l.n / kTile + l.bins + 1;
  const std::size_t bytes = (static_cast<std::size_t>(slots) * sizeof(A) + 255) / 256 * 256;
  const Workspace memory(l.device, levels > 1 ? 2 * bytes : 1, l.stream, l.row->name);
  if (memory.data() == nullptr) return;
  char* room[2] = {static_cast<char*>(memory.data()), static_cast<char*>(memory.data()) + bytes};
  SumParams p{l.starts, l.order, l.weights, nullptr, l.bins, 0, 0, false};
  for (int level = 0; level < levels; ++level) {
    p.level = level;
    p.last = level + 1 == levels;
    p.slots = p.last ? l.bins : slots;
    p.to = p.last ? l.sums : room[level % 2];
    const std::int64_t warps = kSortThreads / 32;
    const cudaError_t e = launch(&segment_sums_kernel<A>, grid_for((p.slots + warps - 1) / warps),
                                 kSortThreads, p, l.device, l.stream);
    if (e != cudaSuccess) return check(e, l.row->name);
    p.from = p.to;
    p.order = nullptr;
  }
}

// ---- launches

using CountKernel = void (*)(CountParams);

CountKernel kernel_of(const CountLaunch& l) {
  const bool counts = l.step == CountLaunch::Step::Count;
  switch (l.kind) {
    case CountLaunch::Bins::Values:
      return counts ? &count_kernel<ValueBins> : &ids_kernel<ValueBins>;
    case CountLaunch::Bins::Edges:
      return counts ? &count_kernel<EdgeBins> : &ids_kernel<EdgeBins>;
    case CountLaunch::Bins::Linear:
      break;
  }
  // Integers are counted as doubles; histc has no weights, so that nothing asks for its bins.
  const bool wide = !is_float(l.dtype) || l.dtype == DType::float64;
  return wide ? &count_kernel<LinearBins<double>> : &count_kernel<LinearBins<float>>;
}

using EdgesKernel = void (*)(EdgeParams);
struct EdgesTable {
  EdgesKernel by_dtype[kNumDTypes] = {};
};

void launch_edges(const CountLaunch& l, const CountParams& range, const EdgesTable& table) {
  const EdgesKernel kernel = table.by_dtype[static_cast<int>(l.dtype)];
  if (kernel == nullptr) return check(cudaErrorInvalidValue, l.row->name);
  check(launch(kernel, blocks_for(l.bins + 1), kSortThreads, EdgeParams{range, l.edges}, l.device,
               l.stream),
        l.row->name);
}

void launch_count(const void* desc, const void* self) {
  const auto& l = *static_cast<const CountLaunch*>(desc);
  if (l.step == CountLaunch::Step::Sums) {
    return l.dtype == DType::float64 ? sum_segments<double>(l) : sum_segments<float>(l);
  }
  CountParams p{};
  p.in = key_reader(l.in, l.dtype);
  p.cast = element_cast(l.dtype, l.dtype);
  p.n = l.n;
  p.bins = l.bins;
  p.edges = key_reader(l.edges, l.dtype);
  p.low = l.low;
  p.high = l.high;
  p.widen = l.widen;
  p.range = l.range;
  p.counts = reinterpret_cast<unsigned long long*>(l.counts);
  p.ids = l.ids;
  p.shared = l.bins <= kSharedBins;
  if (l.step == CountLaunch::Step::Edges) {
    return launch_edges(l, p, *static_cast<const EdgesTable*>(self));
  }
  // Blocks enough for the machine, and few: each adds its counters to those of all.
  const std::int64_t most = std::int64_t(multiprocessors(l.device.index)) * 8;
  const std::int64_t chunks = (l.n + kSortThreads - 1) / kSortThreads;
  check(launch(kernel_of(l), grid_for(p.shared ? std::min(chunks, most) : chunks), kSortThreads, p,
               l.device, l.stream),
        l.row->name);
}

}  // namespace

int bind_counting() {
  static const EdgesTable edges = [] {
    EdgesTable t;
    for_each_dtype<mask(dtypes::Floats)>([&]<class T>(int d) { t.by_dtype[d] = &edges_kernel<T>; });
    return t;
  }();
  return host().bind("bincount", DeviceKind::CUDA, Kernel{&launch_count, &edges});
}

}  // namespace tandem::cuda
