// Random numbers whose parameters are tensors, permutations and draws by weight.
#include "kernels/cuda/context.h"
#include "kernels/cuda/cub.h"
#include "kernels/functors/sample.h"
#include "tandem/backend/random.h"
#include "tandem/cuda/access.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

struct SampleParams {
  fn::SampleArgs args;
  const void* in[2];
  std::int64_t step[2];  // 0: one number for all elements
  void* out;
  std::int64_t numel;
  bool vector;  // blocks of the operands lie at multiples of their size
};

/// The parameters of a block's elements; those beyond the end are not read.
template <class T, int B>
__device__ __forceinline__ void load_block(T (&r)[B], const void* from, std::int64_t step,
                                           std::int64_t i, const SampleParams& p) {
  const T* in = static_cast<const T*>(from);
  if (p.vector && step == 1 && i + B <= p.numel) {
    const auto v = *reinterpret_cast<const Vec<T, B>*>(in + i);
#pragma unroll
    for (int k = 0; k < B; ++k) r[k] = v.at[k];
    return;
  }
#pragma unroll
  for (int k = 0; k < B; ++k) r[k] = i + k < p.numel ? in[(i + k) * step] : T(0);
}

// Occupancy: 2 blocks of 256 threads: the search for a count keeps a dozen doubles.
template <class F, class T>
__global__ void __launch_bounds__(kThreads) sample_kernel(const __grid_constant__ SampleParams p) {
  constexpr int B = F::kBlock;
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads * B;
  for (std::int64_t i = (std::int64_t(blockIdx.x) * kThreads + threadIdx.x) * B; i < p.numel;
       i += step) {
    T a[B];
    T b[B];
    load_block(a, p.in[0], p.step[0], i, p);
    load_block(b, p.in[1], p.step[1], i, p);
    T r[B];
    F()(static_cast<std::uint64_t>(i / B), p.args, a, b, r);
    T* out = static_cast<T*>(p.out) + i;
    if (p.vector && i + B <= p.numel) {
      Vec<T, B> v;
#pragma unroll
      for (int k = 0; k < B; ++k) v.at[k] = r[k];
      *reinterpret_cast<Vec<T, B>*>(out) = v;
      continue;
    }
#pragma unroll
    for (int k = 0; k < B; ++k) {
      if (i + k < p.numel) out[k] = r[k];
    }
  }
}

template <class F, class T>
void sample(const SampleLaunch& l) {
  SampleParams p{};
  p.args = {l.seed, l.offset};
  p.out = l.out;
  p.numel = l.numel;
  constexpr std::size_t kBytes = sizeof(T) * F::kBlock;
  p.vector = reinterpret_cast<std::uintptr_t>(l.out) % kBytes == 0;
  for (int k = 0; k < 2; ++k) {
    const int from = k < l.n_in ? k : 0;
    p.in[k] = l.in[from];
    p.step[k] = l.single[from] ? 0 : 1;
    const auto at = reinterpret_cast<std::uintptr_t>(p.in[k]);
    p.vector = p.vector && (l.single[from] || at % kBytes == 0);
  }
  const std::int64_t chunk = std::int64_t(kThreads) * F::kBlock;
  check(launch(&sample_kernel<F, T>, grid_for((l.numel + chunk - 1) / chunk), kThreads, p, l.device,
               l.stream),
        l.row->name);
}

template <class F>
void launch_sample(const void* desc, const void*) {
  const auto& l = *static_cast<const SampleLaunch*>(desc);
  if (l.dtype == DType::float64) return sample<F, double>(l);
  if (l.dtype == DType::float32) return sample<F, float>(l);
  check(cudaErrorInvalidValue, l.row->name);
}

// ---- permutations

struct KeyParams {
  fn::SampleArgs args;
  std::uint64_t* keys;
  std::int64_t* places;
  std::int64_t n;
};

// Occupancy: 8 blocks of 256 threads
__global__ void __launch_bounds__(kThreads)
    permutation_key_kernel(const __grid_constant__ KeyParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < p.n; i += step) {
    p.keys[i] = fn::permutation_key(static_cast<std::uint64_t>(i), p.args);
    p.places[i] = i;
  }
}

/// n keys and n values, twice.
struct PairMemory {
  Workspace memory;
  std::uint64_t* keys;
  std::int64_t* values;
  std::uint64_t* other_keys;
  std::int64_t* other_values;

  PairMemory(std::int64_t n, Device device, void* stream, const char* op)
      : memory(device, static_cast<std::size_t>(n) * 32, stream, op),
        keys(static_cast<std::uint64_t*>(memory.data())),
        values(reinterpret_cast<std::int64_t*>(keys + n)),
        other_keys(keys + 2 * n),
        other_values(values + 2 * n) {}
};

unsigned blocks_of(std::int64_t n) { return grid_for((n + kThreads - 1) / kThreads); }

void launch_permutation(const void* desc, const void*) {
  const auto& l = *static_cast<const PermutationLaunch*>(desc);
  const PairMemory m(l.n, l.device, l.stream, l.row->name);
  if (m.memory.data() == nullptr) return;
  const KeyParams p{{l.seed, l.offset}, m.keys, m.values, l.n};
  const cudaError_t e =
      launch(&permutation_key_kernel, blocks_of(l.n), kThreads, p, l.device, l.stream);
  if (e != cudaSuccess) return check(e, l.row->name);
  sort_pairs({m.keys, m.values, m.other_keys, l.out, l.n, 0, 64},
             {l.device, l.stream, l.row->name});
}

// ---- draws by weight

struct WeightParams {
  fn::SampleArgs args;
  const void* weights;
  double* sums;    // within chunks, rows x categories
  double* starts;  // before each chunk, rows x chunks
  double* totals;  // of rows
  std::uint64_t* keys;
  std::int64_t* places;
  std::int64_t* out;
  std::int64_t rows, categories, chunks, samples;
};

// Occupancy: 8 blocks of 256 threads
template <class T>
__global__ void __launch_bounds__(kThreads)
    weight_sum_kernel(const __grid_constant__ WeightParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  const std::int64_t n = p.rows * p.chunks;
  for (std::int64_t c = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; c < n; c += step) {
    const std::int64_t row = c / p.chunks;
    const std::int64_t first = (c - row * p.chunks) * fn::kWeightChunk;
    std::int64_t last = first + fn::kWeightChunk;
    last = last < p.categories ? last : p.categories;
    const T* w = static_cast<const T*>(p.weights) + row * p.categories;
    double* sums = p.sums + row * p.categories;
    double sum = 0;
    for (std::int64_t i = first; i < last; ++i) {
      sum += fn::weight_of(static_cast<double>(w[i]));
      sums[i] = sum;
    }
  }
}

// Occupancy: 6 blocks of 256 threads
__global__ void __launch_bounds__(kThreads)
    weight_start_kernel(const __grid_constant__ WeightParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t r = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; r < p.rows; r += step) {
    double before = 0;
    for (std::int64_t c = 0; c < p.chunks; ++c) {
      p.starts[r * p.chunks + c] = before;
      std::int64_t last = (c + 1) * fn::kWeightChunk;
      last = last < p.categories ? last : p.categories;
      before += p.sums[r * p.categories + last - 1];
    }
    p.totals[r] = before;
  }
}

// Occupancy: 4 blocks of 256 threads
__global__ void __launch_bounds__(kThreads)
    weight_pick_kernel(const __grid_constant__ WeightParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  const std::int64_t n = p.rows * p.samples;
  for (std::int64_t s = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; s < n; s += step) {
    const std::int64_t row = s / p.samples;
    const fn::WordPair w = fn::word_pair(static_cast<std::uint64_t>(s), p.args);
    const double share = fn::share_of(p.totals[row], w.first, w.second);
    p.out[s] = fn::category_of(share, p.sums + row * p.categories, p.starts + row * p.chunks,
                               p.categories);
  }
}

// Occupancy: 4 blocks of 256 threads
template <class T>
__global__ void __launch_bounds__(kThreads) race_kernel(const __grid_constant__ WeightParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  const std::int64_t n = p.rows * p.categories;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < n; i += step) {
    const auto weight = static_cast<double>(static_cast<const T*>(p.weights)[i]);
    // Times are not negative, so that their bits are in their order.
    p.keys[i] = fn::to_bits(fn::race_time(static_cast<std::uint64_t>(i), weight, p.args));
    p.places[i] = i;
  }
}

// Occupancy: 8 blocks of 256 threads
__global__ void __launch_bounds__(kThreads)
    race_row_kernel(const __grid_constant__ WeightParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  const std::int64_t n = p.rows * p.categories;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < n; i += step) {
    p.keys[i] = static_cast<std::uint64_t>(p.places[i] / p.categories);
  }
}

// Occupancy: 8 blocks of 256 threads
__global__ void __launch_bounds__(kThreads)
    race_take_kernel(const __grid_constant__ WeightParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  const std::int64_t n = p.rows * p.samples;
  for (std::int64_t s = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; s < n; s += step) {
    const std::int64_t row = s / p.samples;
    p.out[s] = p.places[row * p.categories + (s - row * p.samples)] - row * p.categories;
  }
}

/// Launches kernels one after the other until one fails.
struct Sequence {
  const MultinomialLaunch& l;
  bool good = true;

  void run(void (*kernel)(WeightParams), std::int64_t n, const WeightParams& p) {
    if (!good) return;
    const cudaError_t e = launch(kernel, blocks_of(n), kThreads, p, l.device, l.stream);
    good = e == cudaSuccess;
    check(e, l.row->name);
  }
};

WeightParams params_of(const MultinomialLaunch& l) {
  WeightParams p{};
  p.args = {l.seed, l.offset};
  p.weights = l.weights;
  p.out = l.out;
  p.rows = l.rows;
  p.categories = l.categories;
  p.chunks = (l.categories + fn::kWeightChunk - 1) / fn::kWeightChunk;
  p.samples = l.samples;
  return p;
}

template <class T>
void draw_with_replacement(const MultinomialLaunch& l) {
  WeightParams p = params_of(l);
  const std::int64_t doubles = l.rows * (l.categories + p.chunks + 1);
  const Workspace memory(l.device, static_cast<std::size_t>(doubles) * sizeof(double), l.stream,
                         l.row->name);
  if (memory.data() == nullptr) return;
  p.sums = static_cast<double*>(memory.data());
  p.starts = p.sums + l.rows * l.categories;
  p.totals = p.starts + l.rows * p.chunks;
  Sequence s{l};
  s.run(&weight_sum_kernel<T>, l.rows * p.chunks, p);
  s.run(&weight_start_kernel, l.rows, p);
  s.run(&weight_pick_kernel, l.rows * l.samples, p);
}

template <class T>
void draw_without_replacement(const MultinomialLaunch& l) {
  const std::int64_t n = l.rows * l.categories;
  const PairMemory m(n, l.device, l.stream, l.row->name);
  if (m.memory.data() == nullptr) return;
  WeightParams p = params_of(l);
  p.keys = m.keys;
  p.places = m.values;
  Sequence s{l};
  s.run(&race_kernel<T>, n, p);
  if (!s.good) return;
  const CubCall call{l.device, l.stream, l.row->name};
  if (!sort_pairs({m.keys, m.values, m.other_keys, m.other_values, n, 0, 64}, call)) return;
  p.places = m.other_values;
  if (l.rows > 1) {  // the sort is stable: by row now, and in each the order stays
    p.keys = m.other_keys;
    s.run(&race_row_kernel, n, p);
    if (!s.good) return;
    int bits = 0;
    while (l.rows - 1 >> bits != 0) ++bits;
    if (!sort_pairs({m.other_keys, m.other_values, m.keys, m.values, n, 0, bits}, call)) return;
    p.places = m.values;
  }
  s.run(&race_take_kernel, l.rows * l.samples, p);
}

template <class T>
void multinomial(const MultinomialLaunch& l) {
  if (l.replacement)
    draw_with_replacement<T>(l);
  else
    draw_without_replacement<T>(l);
}

void launch_multinomial(const void* desc, const void*) {
  const auto& l = *static_cast<const MultinomialLaunch*>(desc);
  if (l.dtype == DType::float64) return multinomial<double>(l);
  if (l.dtype == DType::float32) return multinomial<float>(l);
  check(cudaErrorInvalidValue, l.row->name);
}

}  // namespace

int bind_samples() {
  int unknown = 0;
#define TANDEM_SAMPLE(name, fn, functor, ...) \
  unknown += host().bind(#name, DeviceKind::CUDA, Kernel{&launch_sample<functor>, nullptr});
#include "tandem/ops/random.def"
  unknown += host().bind("randperm", DeviceKind::CUDA, Kernel{&launch_permutation, nullptr});
  unknown += host().bind("multinomial", DeviceKind::CUDA, Kernel{&launch_multinomial, nullptr});
  return unknown;
}

}  // namespace tandem::cuda
