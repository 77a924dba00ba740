// Factorisations on a device: small matrices by own kernels (kernels/functors/small_matrix.h,
// the same bits as on the host), the other steps by the vendor's libraries
// (kernels/cuda/solver.cpp); the orders that pivots leave and copies of pivots between integer
// types have kernels here.
#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/cuda/context.h"
#include "kernels/cuda/flag.h"
#include "kernels/cuda/small_batch.h"
#include "kernels/cuda/solver.h"
#include "kernels/functors/small_matrix.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

struct PermutationParams {
  const std::int32_t* pivots;
  std::int64_t* order;
  std::int64_t batch, m, k, pivots_stride;
  ErrorFlag flag;
};

// A thread a matrix: each interchange depends on those before it. The order is small beside the
// factors, and neighbours share no cache line but at its ends.
// Occupancy: 6 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads)
    permutation_kernel(const __grid_constant__ PermutationParams p) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t b = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; b < p.batch;
       b += step) {
    std::int64_t* order = p.order + b * p.m;
    for (std::int64_t i = 0; i < p.m; ++i) order[i] = i;
    for (std::int64_t i = 0; i < p.k; ++i) {
      const std::int64_t j = p.pivots[b * p.pivots_stride + i] - 1;
      if (j < 0 || j >= p.m) {  // pivots that a user has made
        report(p.flag, j + 1);
        continue;
      }
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
  std::int64_t count, period;  // of `from`, which repeats
  std::int64_t rows;           // of the matrix: pivots are 1 to rows
  ErrorFlag flag;
};

// Occupancy: 8 blocks of 256 threads.
template <class From, class To>
__global__ void __launch_bounds__(kThreads)
    pivots_kernel(const __grid_constant__ PivotParams<From, To> p) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < p.count;
       i += step) {
    const From pivot = p.from[i % p.period];
    const bool bad = pivot < 1 || pivot > p.rows;
    if (bad) report(p.flag, pivot);
    p.to[i] = bad ? To(1) : static_cast<To>(pivot);  // the library goes where they point
  }
}

template <class From, class To>
void launch_pivots(const FactorLaunch& l, const From* from, To* to, std::int64_t count,
                   std::int64_t period) {
  const PivotParams<From, To> p{
      from, to, count, period, std::max(l.m, l.n), error_flag(l.device, l.stream, l.row->name)};
  if (p.flag.word == nullptr) return;  // the error was raised
  check(launch(&pivots_kernel<From, To>, grid_for((count + kThreads - 1) / kThreads), kThreads, p,
               l.device, l.stream),
        l.row->name);
}

constexpr int kWarp = 32;

using Small = SmallLaunch::Step;

struct SmallParams {
  std::int64_t batch;
  int n, k, columns;  // the columns in shared memory: n, and those on the right
  int width;          // threads of a matrix: a power of two up to a warp, with a column each
  SmallMatrices a, b, x, u, p;
  std::int32_t* pivots;
  std::int32_t* info;
};

/// A matrix in shared memory, of which threads of one warp have columns.
template <class E>
struct SharedColumns {
  using T = E;
  using V = E;
  using R = fn::real_t<E>;
  using I = int;
  static constexpr bool kByRows = false, kLines = false;
  static constexpr int kBeside = 1;
  int first, step;

  __device__ int after(int k) const {
    return first > k ? first : first + step * ((k - first) / step + 1);
  }
  __device__ static void sync() { __syncwarp(); }
  __device__ static void absolute(const R& x, R& y) { y = x < 0 ? -x : x; }
  __device__ static void root(const R& x, R& y) { y = fn::sqrt_rn(x); }
  __device__ static void add_product(R& sum, const R& a, const R& b) { sum = fn::fma(a, b, sum); }
  __device__ void add_row(E* to, const E* from, const E& factor, int a, int b) const {
    for (int c = after(a - 1); c < b; c += step) fn::add_product(*this, to[c], factor, from[c]);
  }
  __device__ void swap_rows(E* a, int, int columns, int k, int p) const {
    if (p == k) return;
    for (int c = first; c < columns; c += step) {
      const E kept = a[k * columns + c];
      a[k * columns + c] = a[p * columns + c];
      a[p * columns + c] = kept;
    }
  }
};

/// The matrix of a thread's group.
/// E: its elements.
template <class E>
struct SmallTask {
  const SmallParams& p;
  fn::SmallMatrix<SharedColumns<E>> m;
  SmallPlace place;

  __device__ E& element(const SmallMatrices& of, int i, int j) const {
    return place.element<E>(of, i, j);
  }
  __device__ static E number(int x) {
    if constexpr (fn::is_complex_v<E>) {
      return {static_cast<fn::real_t<E>>(x), 0};
    } else {
      return static_cast<E>(x);
    }
  }
  /// `width` columns between a matrix and those of shared memory from `from` on.
  __device__ void load(const SmallMatrices& of, int from, int width) const {
    for (int e = m.lanes.first; e < p.n * width; e += m.lanes.step)
      m.at(e / width, from + e % width) = element(of, e / width, e % width);
  }
  __device__ void store(const SmallMatrices& of, int from, int width) const {
    __syncwarp();
    if (!place.inside) return;
    for (int e = m.lanes.first; e < p.n * width; e += m.lanes.step)
      element(of, e / width, e % width) = m.at(e / width, from + e % width);
  }
  __device__ void tell(int info) const {
    if (place.inside && m.lanes.first == 0 && p.info != nullptr) p.info[place.b] = info;
  }

  /// a = P L U. Each thread follows the row of its own number: a list of all would lie in local
  /// memory.
  __device__ void parts(int& info) const {
    const int row = m.lanes.first;
    int now = row;
    m.eliminate(info, [&](int k, int pivot) { now = now == k ? pivot : now == pivot ? k : now; });
    __syncwarp();
    if (!place.inside) return;
    for (int j = 0; row < p.n && j < p.n; ++j) element(p.p, row, j) = number(j == now ? 1 : 0);
    for (int e = m.lanes.first; e < p.n * p.n; e += m.lanes.step) {
      const int i = e / p.n, j = e % p.n;
      const E x = m.at(i, j);
      element(p.u, i, j) = j < i ? E{} : x;
      element(p.x, i, j) = j < i ? x : number(i == j ? 1 : 0);
    }
  }

  template <Small S>
  __device__ void run() const {
    int info = 0;
    load(p.a, 0, p.n);
    if constexpr (S == Small::Solve) load(p.b, p.n, p.k);
    if constexpr (S == Small::Inverse) {
      for (int e = m.lanes.first; e < p.n * p.n; e += m.lanes.step)
        m.at(e / p.n, p.n + e % p.n) = number(e / p.n == e % p.n ? 1 : 0);
    }
    __syncwarp();
    if constexpr (S == Small::LU) {
      m.eliminate(info, [&](int k, int row) {
        if (place.inside && m.lanes.first == 0) p.pivots[place.b * p.n + k] = row + 1;
      });
      store(p.x, 0, p.n);
    } else if constexpr (S == Small::Parts) {
      parts(info);
    } else if constexpr (S == Small::Determinant) {
      fn::real_t<E> sign = 1;
      m.eliminate(info, [&](int k, int row) { sign = row == k ? sign : -sign; });
      if (place.inside && m.lanes.first == 0) element(p.x, 0, 0) = m.diagonal_product(sign);
    } else if constexpr (S == Small::Cholesky) {
      m.cholesky(info);
      for (int e = m.lanes.first; e < p.n * p.n; e += m.lanes.step) {
        if (e % p.n > e / p.n) m.at(e / p.n, e % p.n) = E{};
      }
      store(p.x, 0, p.n);
    } else {
      m.eliminate(info, [](int, int) {});
      m.substitute();
      store(p.x, p.n, p.columns - p.n);
    }
    tell(info);
  }
};

// A column a thread: an elimination step is one fused sum a row, and reads of the pivot's column go
// to all threads of a matrix at once.
// Occupancy: 4 blocks of 256 threads.
template <class E, Small S>
__global__ void __launch_bounds__(kThreads, 4) small_kernel(const __grid_constant__ SmallParams p) {
  TANDEM_DYNAMIC_SHARED(E, shared);
  each_small(p.batch, p.width, [&](const SmallPlace& at) {
    const SmallTask<E> task{
        p, {shared + at.group * p.n * p.columns, p.n, p.columns, {at.first, p.width}}, at};
    task.template run<S>();
  });
}

template <class E, Small S>
void launch_small_of(const SmallLaunch& l) {
  const int n = static_cast<int>(l.n);
  const int right = S == Small::Solve ? static_cast<int>(l.k) : S == Small::Inverse ? n : 0;
  SmallParams p{l.batch, n, right, n + right, 8, l.a, l.b, l.x, l.u, l.p, l.pivots, l.info};
  while (p.width < p.columns && p.width < kWarp) p.width *= 2;
  // As many matrices as fit into the shared memory that every launch may have: whole warps, since
  // only matrices as wide as a warp are that large.
  constexpr std::size_t kShared = std::size_t(48) << 10;
  const std::size_t matrix = static_cast<std::size_t>(n * p.columns) * sizeof(E);
  const auto most = static_cast<std::int64_t>(kShared / matrix);
  const std::int64_t groups = std::min<std::int64_t>(kThreads / p.width, most);
  check(launch(&small_kernel<E, S>, grid_for((l.batch + groups - 1) / groups),
               static_cast<unsigned>(groups * p.width), p, l.device, l.stream,
               static_cast<std::size_t>(groups) * matrix),
        l.row->name);
}

template <class E>
void launch_small(const SmallLaunch& l) {
  switch (l.step) {
    case Small::LU:
      return launch_small_of<E, Small::LU>(l);
    case Small::Parts:
      return launch_small_of<E, Small::Parts>(l);
    case Small::Cholesky:
      return launch_small_of<E, Small::Cholesky>(l);
    case Small::Solve:
      return launch_small_of<E, Small::Solve>(l);
    case Small::Inverse:
      return launch_small_of<E, Small::Inverse>(l);
    case Small::Determinant:
      return launch_small_of<E, Small::Determinant>(l);
  }
}

void launch_small_any(const SmallLaunch& l) {
  switch (l.dtype) {
    case DType::float32:
      return launch_small<float>(l);
    case DType::float64:
      return launch_small<double>(l);
    case DType::complex64:
      return launch_small<Complex64>(l);
    default:
      return launch_small<Complex128>(l);
  }
}

void launch_factor(const void* desc, const void*) {
  const auto& l = *static_cast<const FactorLaunch*>(desc);
  if (l.step == FactorLaunch::Step::Small) return launch_small_any(*l.small);
  if (l.step == FactorLaunch::Step::SmallQr) return launch_small_qr(*l.small_qr);
  if (l.step == FactorLaunch::Step::SmallSpectral) return launch_small_spectral(*l.spectral);
  if (l.step != FactorLaunch::Step::Permutation) {
    vendor_factor(l);
    return;
  }
  const PermutationParams p{l.pivots,
                            l.order,
                            l.batch,
                            l.m,
                            l.k,
                            l.pivots_stride,
                            error_flag(l.device, l.stream, l.row->name)};
  if (p.flag.word == nullptr) return;  // the error was raised
  check(launch(&permutation_kernel, grid_for((l.batch + kThreads - 1) / kThreads), kThreads, p,
               l.device, l.stream),
        l.row->name);
}

}  // namespace

void launch_widen_pivots(const FactorLaunch& l, const std::int32_t* from, std::int64_t* to,
                         std::int64_t count) {
  launch_pivots(l, from, to, count, count);
}
void launch_narrow_pivots(const FactorLaunch& l, const std::int64_t* from, std::int32_t* to,
                          std::int64_t count) {
  launch_pivots(l, from, to, count, count);
}

void launch_copy_pivots(const FactorLaunch& l, const std::int32_t* from, std::int32_t* to,
                        std::int64_t count, std::int64_t period) {
  launch_pivots(l, from, to, count, period);
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
