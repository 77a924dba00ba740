// Factorisations on a device: the steps go to the vendor's libraries (kernels/cuda/solver.cpp), the
// orders that pivots leave and copies of pivots between integer types have kernels here.
#include "kernels/cuda/context.h"
#include "kernels/cuda/solver.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

struct PermutationParams {
  const std::int32_t* pivots;
  std::int64_t* order;
  std::int64_t batch, m, k, pivots_stride;
};

// A thread a matrix: each interchange depends on those before it. The order is small beside the
// factors, and neighbours share no cache line but at its ends.
// Occupancy: 8 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads)
    permutation_kernel(const __grid_constant__ PermutationParams p) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t b = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; b < p.batch;
       b += step) {
    std::int64_t* order = p.order + b * p.m;
    for (std::int64_t i = 0; i < p.m; ++i) order[i] = i;
    for (std::int64_t i = 0; i < p.k; ++i) {
      const std::int64_t j = p.pivots[b * p.pivots_stride + i] - 1;
      const std::int64_t kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
  }
}

template <class From, class To>
struct PivotParams {
  const From* from;
  To* to;
  std::int64_t count;
};

// Occupancy: 8 blocks of 256 threads.
template <class From, class To>
__global__ void __launch_bounds__(kThreads)
    pivots_kernel(const __grid_constant__ PivotParams<From, To> p) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < p.count;
       i += step)
    p.to[i] = static_cast<To>(p.from[i]);
}

template <class From, class To>
void launch_pivots(const FactorLaunch& l, const From* from, To* to, std::int64_t count) {
  const PivotParams<From, To> p{from, to, count};
  check(launch(&pivots_kernel<From, To>, grid_for((count + kThreads - 1) / kThreads), kThreads, p,
               l.device, l.stream),
        l.row->name);
}

void launch_factor(const void* desc, const void*) {
  const auto& l = *static_cast<const FactorLaunch*>(desc);
  if (l.step != FactorLaunch::Step::Permutation) {
    vendor_factor(l);
    return;
  }
  const PermutationParams p{l.pivots, l.order, l.batch, l.m, l.k, l.pivots_stride};
  check(launch(&permutation_kernel, grid_for((l.batch + kThreads - 1) / kThreads), kThreads, p,
               l.device, l.stream),
        l.row->name);
}

}  // namespace

void launch_widen_pivots(const FactorLaunch& l, const std::int32_t* from, std::int64_t* to,
                         std::int64_t count) {
  launch_pivots(l, from, to, count);
}
void launch_narrow_pivots(const FactorLaunch& l, const std::int64_t* from, std::int32_t* to,
                          std::int64_t count) {
  launch_pivots(l, from, to, count);
}

int bind_linalg() {
  int unknown = 0;
#define TANDEM_FUNC(name, ...) \
  unknown += host().bind(#name, DeviceKind::CUDA, Kernel{&launch_factor, nullptr});
#include "tandem/ops/linalg.def"
#undef TANDEM_FUNC
  return unknown;
}

}  // namespace tandem::cuda
