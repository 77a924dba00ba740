// Movement of elements, by their bytes: borders (pad, roll), triangles, choices. A thread writes 16
// bytes.
#include "kernels/cuda/context.h"
#include "kernels/functors/movement.h"
#include "tandem/backend/movement.h"
#include "tandem/backend/units.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

// ---- borders

struct BorderDim {
  FastDiv64 size;  // of the output
  std::int64_t before, n, stride;
};

struct BorderParams {
  const char* in;
  char* out;
  std::int64_t count;
  ScalarBits value;
  std::int32_t rank, mode;
  bool vector;
  BorderDim dims[kMaxRank];  // innermost first
};

/// A row of the output: where its source begins in the input; negative where it is all value.
__device__ __forceinline__ std::int64_t border_row(const BorderParams& p, std::uint64_t row) {
  std::int64_t base = 0;
  bool outside = false;
  for (int d = 1; d < p.rank; ++d) {
    const BorderDim& dim = p.dims[d];
    const std::uint64_t next = d == p.rank - 1 ? 0 : dim.size.div(row);
    const auto at = static_cast<std::int64_t>(row - next * dim.size.divisor);
    const std::int64_t j = fn::border_source(at, dim.before, dim.n, p.mode);
    outside = outside || j < 0;
    base += j * dim.stride;
    row = next;
  }
  return outside ? INT64_MIN : base;
}

// Elements narrower than 4 bytes are gathered into words, so that a thread has few registers of
// them.
// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads) border_kernel(const __grid_constant__ BorderParams p) {
  using Word = std::conditional_t<(sizeof(T) < 4), std::uint32_t, T>;
  constexpr int kInWord = sizeof(Word) / sizeof(T);
  constexpr int W = 16 / sizeof(Word);
  constexpr int V = W * kInWord;
  const BorderDim& last = p.dims[0];
  const auto columns = static_cast<std::int64_t>(last.size.divisor);
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads * V;
  T value;
  if constexpr (sizeof(T) == 16) {
    value = p.value.c128;
  } else {
    value = static_cast<T>(p.value.u64);
  }
  for (std::int64_t i = (std::int64_t(blockIdx.x) * kThreads + threadIdx.x) * V; i < p.count;
       i += step) {
    const std::uint64_t first = last.size.div(static_cast<std::uint64_t>(i));
    auto row = static_cast<std::int64_t>(first);
    std::int64_t column = i - row * columns;
    std::int64_t base = border_row(p, first);
    const auto element = [&](std::int64_t at) {
      if (column == columns) {
        column = 0;
        ++row;
        base = at < p.count ? border_row(p, static_cast<std::uint64_t>(row)) : INT64_MIN;
      }
      const std::int64_t j = fn::border_source(column++, last.before, last.n, p.mode);
      if (j < 0 || base == INT64_MIN) return value;
      return *reinterpret_cast<const T*>(p.in + base + j * last.stride);
    };
    Word r[W];
#pragma unroll
    for (int w = 0; w < W; ++w) {
      if constexpr (kInWord == 1) {
        r[w] = element(i + w);
      } else {
        r[w] = 0;
#pragma unroll 1
        for (int k = 0; k < kInWord; ++k) {
          const Word bits = element(i + w * kInWord + k);
          r[w] |= bits << (8 * static_cast<int>(sizeof(T)) * k);
        }
      }
    }
    const std::int64_t left = p.count - i;
    char* to = p.out + i * static_cast<int>(sizeof(T));
    if (p.vector && left >= V) {
      Vec<Word, W> v;
#pragma unroll
      for (int w = 0; w < W; ++w) v.at[w] = r[w];
      *reinterpret_cast<Vec<Word, W>*>(to) = v;
      continue;
    }
#pragma unroll
    for (int w = 0; w < W; ++w) {
#pragma unroll
      for (int k = 0; k < kInWord; ++k) {
        if (w * kInWord + k >= left) continue;
        if constexpr (kInWord == 1) {
          reinterpret_cast<T*>(to)[w] = r[w];
        } else {
          reinterpret_cast<T*>(to)[w * kInWord + k] =
              static_cast<T>(r[w] >> (8 * static_cast<int>(sizeof(T)) * k));
        }
      }
    }
  }
}

// ---- triangles

struct TriangleParams {
  const char* in;
  char* out;
  std::int64_t count, diagonal;
  FastDiv64 columns, rows;
  bool upper, vector;
};

// A vector that keeps nothing is not read.
// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads)
    triangle_kernel(const __grid_constant__ TriangleParams p) {
  constexpr int V = 16 / sizeof(T);
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads * V;
  const auto columns = static_cast<std::int64_t>(p.columns.divisor);
  const auto rows = static_cast<std::int64_t>(p.rows.divisor);
  const Access access = p.vector ? Access::Vector : Access::Elements;
  for (std::int64_t i = (std::int64_t(blockIdx.x) * kThreads + threadIdx.x) * V; i < p.count;
       i += step) {
    const std::uint64_t line = p.columns.div(static_cast<std::uint64_t>(i));
    std::int64_t column = i - static_cast<std::int64_t>(line) * columns;
    auto row = static_cast<std::int64_t>(line - p.rows.div(line) * p.rows.divisor);
    std::uint32_t kept = 0;
#pragma unroll
    for (int k = 0; k < V; ++k) {
      const bool keep = p.upper ? column >= row + p.diagonal : column <= row + p.diagonal;
      kept |= keep ? 1u << k : 0u;
      if (++column == columns) {
        column = 0;
        if (++row == rows) row = 0;
      }
    }
    const std::int64_t left = p.count - i;
    T r[V];
#pragma unroll
    for (int k = 0; k < V; ++k) r[k] = T{};
    if (kept != 0) {
      load_vector<T, V>(r, p.in + i * static_cast<int>(sizeof(T)), access, {}, left);
#pragma unroll
      for (int k = 0; k < V; ++k) {
        if (((kept >> k) & 1u) == 0) r[k] = T{};
      }
    }
    store_vector<T, V>(r, p.out + i * static_cast<int>(sizeof(T)), access, left);
  }
}

// ---- choices

struct ChoiceParams {
  const char* in;
  char* out;
  std::int64_t choices, places, r, in_stride;
  bool with_replacement;
};

// A thread walks along one choice.
// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads) choice_kernel(const __grid_constant__ ChoiceParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t q = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; q < p.choices;
       q += step) {
    fn::ChoiceWalk walk(p.places, p.r, p.choices);
    std::int64_t number = q;
    T* out = reinterpret_cast<T*>(p.out) + q * p.r;
    for (std::int64_t k = 0; k < p.r; ++k) {
      const std::int64_t place = walk.next(number) - (p.with_replacement ? k : 0);
      out[k] = *reinterpret_cast<const T*>(p.in + place * p.in_stride);
    }
  }
}

// ---- the choice of a kernel

bool aligned(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

unsigned grid_of(std::int64_t count, int width) {
  const std::int64_t chunk = std::int64_t(kThreads) * (16 / width);
  return grid_for((count + chunk - 1) / chunk);
}

void launch_border(const void* desc, const void*) {
  const auto& l = *static_cast<const BorderLaunch*>(desc);
  BorderParams p;
  p.in = static_cast<const char*>(l.in);
  p.out = static_cast<char*>(l.out);
  p.count = l.numel;
  p.value = l.value;
  p.rank = l.rank;
  p.mode = static_cast<std::int32_t>(l.mode);
  p.vector = aligned(l.out);
  for (int d = 0; d < l.rank; ++d) {
    const int k = l.rank - 1 - d;
    p.dims[k] = {FastDiv64(static_cast<std::uint64_t>(l.shape[d])), l.before[d], l.in_shape[d],
                 l.in_strides[d]};
  }
  if (l.rank == 0) p.dims[0] = {FastDiv64(1), 0, 1, 0};
  with_unit<Complex128>(static_cast<std::size_t>(l.width), [&]<class T>() {
    check(launch(&border_kernel<T>, grid_of(l.numel, l.width), kThreads, p, l.device, l.stream),
          l.row->name);
  });
}

void launch_triangle(const void* desc, const void*) {
  const auto& l = *static_cast<const TriangleLaunch*>(desc);
  TriangleParams p;
  p.in = static_cast<const char*>(l.in);
  p.out = static_cast<char*>(l.out);
  p.count = l.numel;
  p.diagonal = l.diagonal;
  p.columns = FastDiv64(static_cast<std::uint64_t>(l.columns));
  p.rows = FastDiv64(static_cast<std::uint64_t>(l.rows));
  p.upper = l.upper;
  p.vector = aligned(l.out) && aligned(l.in);
  with_unit<Complex128>(static_cast<std::size_t>(l.width), [&]<class T>() {
    check(launch(&triangle_kernel<T>, grid_of(l.numel, l.width), kThreads, p, l.device, l.stream),
          l.row->name);
  });
}

void launch_choices(const void* desc, const void*) {
  const auto& l = *static_cast<const ChoiceLaunch*>(desc);
  const ChoiceParams p{static_cast<const char*>(l.in),
                       static_cast<char*>(l.out),
                       l.choices,
                       l.with_replacement ? l.n + l.r - 1 : l.n,
                       l.r,
                       l.in_stride,
                       l.with_replacement};
  with_unit<Complex128>(static_cast<std::size_t>(l.width), [&]<class T>() {
    check(launch(&choice_kernel<T>, grid_for((l.choices + kThreads - 1) / kThreads), kThreads, p,
                 l.device, l.stream),
          l.row->name);
  });
}

}  // namespace

int bind_movement() {
  return host().bind("pad", DeviceKind::CUDA, Kernel{&launch_border, nullptr}) +
         host().bind("tril", DeviceKind::CUDA, Kernel{&launch_triangle, nullptr}) +
         host().bind("combinations", DeviceKind::CUDA, Kernel{&launch_choices, nullptr});
}

}  // namespace tandem::cuda
