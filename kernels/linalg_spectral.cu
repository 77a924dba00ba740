// Eigenvalues and singular values of small real matrices on a device: a matrix in shared memory,
// whose pairs of columns a few threads of one warp turn (kernels/functors/small_spectral.h, the
// same bits as on the host).
#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/cuda/context.h"
#include "kernels/cuda/small_batch.h"
#include "kernels/cuda/solver.h"
#include "kernels/functors/small_spectral.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

using Spectral = SmallSpectralLaunch::Step;

constexpr int kSpectralThreads = 64;

struct SpectralParams {
  std::int64_t batch;
  int m, n, left;  // left: left vectors
  int width;       // threads of a matrix: a power of two up to a warp
  int room;        // elements of shared memory a matrix
  SmallMatrices a, left_vectors, right_vectors;
  void* values;
  std::int32_t* info;
  bool upper, vectors;
};

/// A matrix in shared memory, of which threads of one warp have pairs of columns.
template <class R>
struct SharedPairs {
  using T = R;
  using V = R;
  using I = typename fn::SpectralFormat<R>::Word;
  using Mask = bool;
  int first, step;

  __device__ int after(int k) const {
    return first > k ? first : first + step * ((k - first) / step + 1);
  }
  __device__ static void sync() { __syncwarp(); }
  __device__ static R absolute(R x) { return fn::abs_bits(x); }
  __device__ static R root(R x) { return fn::sqrt_rn(x); }
  __device__ static R fused(R a, R b, R c) { return fn::fma(a, b, c); }
  __device__ static bool some(bool m) { return m; }
  __device__ static bool any(bool m) { return __any_sync(0xffffffffu, m ? 1 : 0) != 0; }
  __device__ bool joint(bool m) const {
    const unsigned votes = __ballot_sync(0xffffffffu, m ? 1 : 0);
    const unsigned begin = threadIdx.x % 32 - static_cast<unsigned>(first);
    return (votes >> begin & ((1u << step) - 1)) != 0;
  }
  __device__ static fn::SpectralBlock block(const fn::Tournament& t, int round, int b) {
    return t.block(round, b);
  }
  __device__ static void rotate(R* x, R* y, int n, R s, R tau) {
    for (int i = 0; i < n; ++i) fn::Rotations<SharedPairs>::rotate(x[i], y[i], s, tau);
  }
  __device__ static R dot(const R* x, const R* y, int from, int to) {
    return fn::QuarterSums<SharedPairs>::dot(x, y, from, to);
  }
  __device__ static void dots(const R* x, const R* y, int n, R& xx, R& xy, R& yy) {
    fn::QuarterSums<SharedPairs>::dots(x, y, n, xx, xy, yy);
  }
  template <class Get, class Put>
  __device__ static bool angles(int begin, int count, int by, R tolerance, const Get& get,
                                const Put& put) {
    return fn::Rotations<SharedPairs>::angles(begin, count, by, tolerance, get, put);
  }
};

/// The matrix of a thread's group.
template <class R>
struct SpectralTask {
  using L = SharedPairs<R>;
  using I = typename L::I;
  using Turns = fn::Rotations<L>;
  using Arrays = fn::SpectralTurns<R>;

  const SpectralParams& p;
  R* room;
  L lanes;
  SmallPlace at;

  __device__ R& element(const SmallMatrices& of, std::int64_t i, std::int64_t j) const {
    return at.element<R>(of, i, j);
  }
  /// Component i of x to row row(i) of column j.
  template <class Row>
  __device__ void put(const SmallMatrices& to, std::int64_t j, const R* x, int rows,
                      Row&& row) const {
    for (int i = 0; at.inside && i < rows; ++i) element(to, row(i), j) = x[i] + R(0);
  }
  __device__ void put(const SmallMatrices& to, std::int64_t j, const R* x, int rows) const {
    put(to, j, x, rows, [](int i) { return i; });
  }
  __device__ void tell(bool bad, I info) const {
    if (at.inside && lanes.first == 0)
      p.info[at.b] = bad ? FactorLaunch::kNotFinite : static_cast<std::int32_t>(info);
  }
  __device__ void value(I place, R x) const {
    if (at.inside) static_cast<R*>(p.values)[at.b * p.n + place] = x;
  }

  __device__ void eigh() const {
    const int n = p.n;
    R* z = room + n * n;
    const Arrays turn = Arrays::in(p.vectors ? z + n * n : z, n / 2);
    for (int e = lanes.first; e < n * n; e += lanes.step) {
      const int i = e / n, j = e % n;
      room[e] = i > j ? R(0) : p.upper ? element(p.a, i, j) : element(p.a, j, i);
    }
    __syncwarp();
    const fn::SmallEigh<L> f{room, z, p.vectors, turn, n, lanes};
    I by, info;
    bool bad;
    f.run(by, bad, info);
    tell(bad, info);
    for (int j = lanes.first; j < n; j += lanes.step) {
      const I place = f.place(j);
      value(place, Turns::original(room[j * n + j], by));
      if (p.vectors) put(p.left_vectors, place, z + j * n, n);
    }
  }

  __device__ void svd() const {
    const int m = p.m, n = p.n;
    R* g = room + m * n;
    R* size = g + n * n;
    R* tau = size + n;
    auto* order = reinterpret_cast<I*>(tau + n);
    const Arrays turn = Arrays::in(tau + 2 * n, n / 2);
    R* z = tau + 2 * n + Arrays::kArrays * (n / 2);
    for (int e = lanes.first; e < m * n; e += lanes.step) room[e] = element(p.a, e % m, e / m);
    __syncwarp();
    const fn::SmallSvd<L> f{room, g, z, p.vectors, size, tau, turn, order, m, n, p.left, lanes};
    I by, info;
    bool bad;
    f.run(by, bad, info);
    tell(bad, info);
    for (int j = lanes.first; j < n; j += lanes.step) {
      const I place = f.place(j);
      value(place, Turns::original(size[j], by));
      if (!p.vectors) continue;
      put(p.left_vectors, place, z + j * m, m);
      put(p.right_vectors, place, g + j * n, n, [&](int i) { return order[i]; });
    }
    for (int j = lanes.after(n - 1); p.vectors && j < p.left; j += lanes.step)
      put(p.left_vectors, j, z + j * m, m);
  }
};

// A pair of columns a thread. Shared memory holds a matrix and its vectors: of 16 x 16 float64
// 54 KiB a block, of smaller ones less.
// Occupancy: 4 blocks of 64 threads.
template <class R, Spectral S>
__global__ void __launch_bounds__(kSpectralThreads, 4)
    small_spectral_kernel(const __grid_constant__ SpectralParams p) {
  TANDEM_DYNAMIC_SHARED(R, shared);
  each_small(p.batch, p.width, [&](const SmallPlace& at) {
    const SpectralTask<R> task{p, shared + at.group * p.room, {at.first, p.width}, at};
    if constexpr (S == Spectral::Eigh) {
      task.eigh();
    } else {
      task.svd();
    }
  });
}

template <class R, Spectral S>
void launch_spectral(const SmallSpectralLaunch& l) {
  const int m = static_cast<int>(l.m), n = static_cast<int>(l.n);
  const bool vectors = l.left.data != nullptr;
  const int left = !vectors ? 0 : l.full ? m : n;
  SpectralParams p{l.batch, m,       n,        left,   1,       0,      l.a,
                   l.left,  l.right, l.values, l.info, l.upper, vectors};
  while (p.width < std::max(n / 2, m / 4)) p.width *= 2;
  const int turns = fn::SpectralTurns<R>::kArrays * (n / 2);
  p.room =
      turns + (S == Spectral::Eigh ? (vectors ? 2 : 1) * n * n : m * n + n * n + left * m + 3 * n);
  p.room |= 1;  // matrices begin in different banks
  const int groups = kSpectralThreads / p.width;
  const std::size_t bytes = static_cast<std::size_t>(groups * p.room) * sizeof(R);
  check(launch(&small_spectral_kernel<R, S>, grid_for((l.batch + groups - 1) / groups),
               kSpectralThreads, p, l.device, l.stream, bytes),
        l.row->name);
}

template <class R>
void launch_spectral_of(const SmallSpectralLaunch& l) {
  if (l.step == Spectral::Eigh) return launch_spectral<R, Spectral::Eigh>(l);
  launch_spectral<R, Spectral::Svd>(l);
}

}  // namespace

void launch_small_spectral(const SmallSpectralLaunch& l) {
  return l.dtype == DType::float32 ? launch_spectral_of<float>(l) : launch_spectral_of<double>(l);
}

}  // namespace tandem::cuda
