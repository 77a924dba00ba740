// repeat_interleave with a tensor of repeats: running sums of the repeats, then a gather of slices.
#include "kernels/cuda/context.h"
#include "tandem/backend/movement.h"
#include "tandem/backend/units.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

struct SumParams {
  const std::int64_t* repeats;
  std::int64_t* ends;
  std::int64_t n;
  bool one_for_all;
};

constexpr int kSumThreads = 1024;

// One block walks over all of them: n is small beside what it is used for. A warp sums its part by
// shuffles, the parts of the warps are summed in shared memory.
// Occupancy: 1 block of 1024 threads.
template <int E>
__global__ void __launch_bounds__(kSumThreads)
    repeat_sums_kernel(const __grid_constant__ SumParams p) {
  __shared__ std::int64_t warps[32];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  std::int64_t carry = 0;
  for (std::int64_t base = 0; base < p.n; base += kSumThreads * E) {
    const std::int64_t first = base + static_cast<std::int64_t>(threadIdx.x) * E;
    std::int64_t own[E];
    std::int64_t sum = 0;
#pragma unroll
    for (int k = 0; k < E; ++k) {
      const std::int64_t i = first + k;
      const std::int64_t r = i < p.n ? p.repeats[p.one_for_all ? 0 : i] : 0;
      sum += r > 0 ? r : 0;
      own[k] = sum;
    }
    std::int64_t before = sum;  // of the threads of the warp up to this one
#pragma unroll
    for (int step = 1; step < 32; step *= 2) {
      const std::int64_t other = __shfl_up_sync(0xffffffffu, before, static_cast<unsigned>(step));
      before += lane >= step ? other : 0;
    }
    if (lane == 31) warps[warp] = before;
    __syncthreads();
    std::int64_t earlier = 0;
    std::int64_t all = 0;
    for (int w = 0; w < 32; ++w) {
      const std::int64_t part = warps[w];
      earlier += w < warp ? part : 0;
      all += part;
    }
    const std::int64_t offset = carry + earlier + before - sum;
#pragma unroll
    for (int k = 0; k < E; ++k) {
      if (first + k < p.n) p.ends[first + k] = offset + own[k];
    }
    carry += all;
    __syncthreads();  // before the parts are written again
  }
}

struct RepeatParams {
  const char* in;
  char* out;
  const std::int64_t* ends;
  std::int64_t count, n;   // units of the output; slices of the input
  FastDiv64 inner, total;  // units of a slice; slices of the output for each outer index
};

// A thread moves units that are a block apart: neighbours search for the same slice.
// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads) repeat_kernel(const __grid_constant__ RepeatParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < p.count; i += step) {
    const std::uint64_t slice = p.inner.div(static_cast<std::uint64_t>(i));
    const auto unit =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(i) - slice * p.inner.divisor);
    const std::uint64_t outer = p.total.div(slice);
    const auto at = static_cast<std::int64_t>(slice - outer * p.total.divisor);
    std::int64_t low = 0;  // the first slice of the input that ends behind `at`
    std::int64_t high = p.n;
    while (low < high) {
      const std::int64_t middle = (low + high) / 2;
      const bool behind = p.ends[middle] > at;
      high = behind ? middle : high;
      low = behind ? low : middle + 1;
    }
    T v{};
    if (low < p.n) {
      const std::int64_t from = static_cast<std::int64_t>(outer) * p.n + low;
      v = reinterpret_cast<const T*>(
          p.in)[from * static_cast<std::int64_t>(p.inner.divisor) + unit];
    }
    reinterpret_cast<T*>(p.out)[i] = v;
  }
}

/// The widest unit that slices are whole numbers of, in place.
int unit_of(const RepeatLaunch& l) {
  const auto bits = static_cast<std::uint64_t>(l.inner) | reinterpret_cast<std::uintptr_t>(l.out) |
                    reinterpret_cast<std::uintptr_t>(l.in);
  int unit = 16;
  while (bits % static_cast<std::uint64_t>(unit) != 0) unit /= 2;
  return unit;
}

template <class T>
cudaError_t gather(const RepeatLaunch& l) {
  RepeatParams p;
  p.in = static_cast<const char*>(l.in);
  p.out = static_cast<char*>(l.out);
  p.ends = l.ends;
  p.n = l.n;
  p.inner = FastDiv64(static_cast<std::uint64_t>(l.inner) / sizeof(T));
  p.total = FastDiv64(static_cast<std::uint64_t>(l.total));
  p.count = l.outer * l.total * static_cast<std::int64_t>(p.inner.divisor);
  return launch(&repeat_kernel<T>, grid_for((p.count + kThreads - 1) / kThreads), kThreads, p,
                l.device, l.stream);
}

void launch_repeat(const void* desc, const void*) {
  const auto& l = *static_cast<const RepeatLaunch*>(desc);
  const SumParams sums{l.repeats, l.ends, l.n, l.one_for_all};
  if (l.n > 0 && l.repeats != nullptr) {
    check(launch(&repeat_sums_kernel<4>, 1, kSumThreads, sums, l.device, l.stream), l.row->name);
  }
  if (l.out == nullptr) return;
  check(with_unit<Complex128>(static_cast<std::size_t>(unit_of(l)),
                              [&]<class T>() { return gather<T>(l); }),
        l.row->name);
}

}  // namespace

int bind_repeat() {
  return host().bind("repeat_interleave", DeviceKind::CUDA, Kernel{&launch_repeat, nullptr});
}

}  // namespace tandem::cuda
