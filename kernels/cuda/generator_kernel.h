// The kernel of the generator and random rows and its launcher. A thread makes 16 bytes, from whole
// blocks of the functor (the four words of one Philox call), so that no word is computed twice.
#pragma once

#include "kernels/cuda/context.h"
#include "kernels/cuda/masks.h"
#include "kernels/functors/random.h"
#include "tandem/cuda/access.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

struct GeneratorParams {
  fn::GeneratorArgs args;
  char* out;
  bool dense, vector, casts;  // casts: the stored dtype is not the one that is computed
  std::int64_t size;          // bytes of a stored element
  ElementCast cast;
  WideOffsets<1> offsets;
};

/// Elements of a thread: one 16-byte vector, or the functor's block where that is longer. Where
/// each element takes arithmetic, four are enough: a vector of 16 bytes would be much code for
/// nothing.
template <class F, class T>
constexpr int width_of() {
  constexpr int vector = 16 / static_cast<int>(sizeof(T));
  constexpr int most = std::is_same_v<F, fn::Fill> || vector < 4 ? vector : 4;
  return F::template kBlock<T> > most ? F::template kBlock<T> : most;
}
template <class F, class T>
inline constexpr int kWidth = width_of<F, T>();

// Occupancy: 4 blocks of 256 threads; fill, where the stores are the work, gets 8.
template <class F, class T, bool Casts>
__global__ void __launch_bounds__(kThreads)
    generator_kernel(const __grid_constant__ GeneratorParams p) {
  constexpr int W = kWidth<F, T>;
  constexpr int B = F::template kBlock<T>;
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads * W;
  for (std::int64_t i = (std::int64_t(blockIdx.x) * kThreads + threadIdx.x) * W; i < p.args.numel;
       i += step) {
    compute_t<T> r[W];
#pragma unroll
    for (int b = 0; b < W / B; ++b) {
      F().template operator()<T>(static_cast<std::uint64_t>(i / B + b), p.args, r + b * B);
    }
    const std::int64_t left = p.args.numel - i;
    if (p.dense && !(Casts && p.casts)) {
      store_vector<T, W>(r, p.out + i * static_cast<int>(sizeof(T)),
                         p.vector ? Access::Vector : Access::Elements, left);
      continue;
    }
#pragma unroll
    for (int k = 0; k < W; ++k) {
      if (k >= left) continue;
      std::int64_t at[1] = {(i + k) * p.size};
      if (!p.dense) p.offsets.get(static_cast<std::uint64_t>(i + k), at);
      if (Casts && p.casts) {
        const compute_t<T> value[1] = {r[k]};
        const bool valid[1] = {true};
        store_cast(value, p.out, at, valid, p.cast);
      } else {
        *reinterpret_cast<T*>(p.out + at[0]) = fn::cast<T>(r[k]);
      }
    }
  }
}

struct GeneratorEntry {
  void (*kernel)(GeneratorParams) = nullptr;
  int width = 0;
};
struct GeneratorRow {
  bool casts = false;
  GeneratorEntry by_dtype[kNumDTypes];
};

template <class F, std::uint32_t Set, bool Casts>
GeneratorRow make_generator_row() {
  GeneratorRow row;
  row.casts = Casts;
  for_each_dtype<Set>([&]<class T>(int d) {
    row.by_dtype[d] = {&generator_kernel<F, T, Casts>, kWidth<F, T>};
  });
  return row;
}

inline void launch_generator(const void* desc, const void* self) {
  const auto& l = *static_cast<const GeneratorLaunch*>(desc);
  const auto& row = *static_cast<const GeneratorRow*>(self);
  const GeneratorEntry& entry = row.by_dtype[static_cast<int>(l.out.kernel)];
  if (entry.kernel == nullptr || (l.out.kernel != l.out.dtype && !row.casts)) {
    return check(cudaErrorInvalidValue, l.row->name);
  }
  GeneratorParams p;
  p.args = {{l.f[0], l.f[1], l.f[2], l.f[3]}, {l.i[0], l.i[1]}, l.numel, l.seed, l.offset, l.value};
  p.out = static_cast<char*>(l.out.data);
  p.dense = l.contiguous;
  p.casts = l.out.kernel != l.out.dtype;
  p.size = static_cast<std::int64_t>(element_size(l.out.dtype));
  p.cast = element_cast(l.out.dtype, l.out.kernel);
  p.vector = reinterpret_cast<std::uintptr_t>(p.out) %
                 (static_cast<std::size_t>(entry.width) * element_size(l.out.dtype)) ==
             0;
  if (!p.dense) {
    for (int d = l.rank - 1; d >= 0; --d) {
      p.offsets.strides[p.offsets.rank][0] = l.out.strides[d];
      p.offsets.push(l.shape[d]);
    }
  }
  const std::int64_t chunk = std::int64_t(kThreads) * entry.width;
  check(launch(entry.kernel, grid_for((l.numel + chunk - 1) / chunk), kThreads, p, l.device,
               l.stream),
        l.row->name);
}

template <class F, std::uint32_t Set, bool Casts>
int bind_generator(const char* name) {
  static const GeneratorRow row = make_generator_row<F, Set, Casts>();
  return host().bind(name, DeviceKind::CUDA, Kernel{&launch_generator, &row});
}

}  // namespace tandem::cuda
