// QR of small real matrices on a device: kernels/functors/small_qr.h, the same bits as on the host.
#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/cuda/context.h"
#include "kernels/cuda/small_batch.h"
#include "kernels/cuda/solver.h"
#include "kernels/functors/small_qr.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

using QrStep = SmallQrLaunch::Step;

/// Threads of a block: the largest matrices are 32 KiB of float64 to four warps.
constexpr int kQrThreads = 128;

struct SmallQrParams {
  std::int64_t batch;
  int m, n, k, columns;
  int leading;  // of shared memory: odd, so that the rows of a column are in different banks
  int width;    // threads of a matrix: a power of two up to a warp, with a column each
  SmallMatrices a, q, r;
  void* tau;
};

/// A matrix in shared memory, of which threads of one warp have columns.
template <class R>
struct QrColumns {
  using T = R;
  using S = R;
  using V = R;
  static constexpr int kWide = 1, kTogether = 1, kBlock = SmallQrLaunch::kMost;
  R* elements;
  int leading, first, threads;

  __device__ R& at(int i, int c) const { return elements[i * leading + c]; }
  __device__ R& chunk(int i, int c) const { return at(i, c); }
  __device__ int after(int k) const {
    return first > k ? first : first + threads * ((k - first) / threads + 1);
  }
  __device__ static R keep(const R& now, const R&, int, int) { return now; }
  __device__ static bool any(bool mask) { return mask; }
  __device__ static void sync() { __syncwarp(); }
  __device__ static void absolute(const R& x, R& y) { y = fn::abs_bits(x); }
  __device__ static void root(const R& x, R& y) { y = fn::sqrt_rn(x); }
  __device__ static void against(const R& norm, const R& x, R& y) { y = fn::copysign_(norm, -x); }
  __device__ static void add_product(R& sum, const R& a, const R& b) { sum = fn::fma(a, b, sum); }
};

/// The matrix of a thread's group.
template <class R>
struct SmallQrTask {
  const SmallQrParams& p;
  fn::SmallQr<QrColumns<R>> qr;
  SmallPlace at;

  __device__ R& element(const SmallMatrices& of, int i, int j) const {
    return at.element<R>(of, i, j);
  }
  __device__ void load(int columns) const {
    for (int e = qr.lanes.first; e < p.m * columns; e += qr.lanes.threads)
      qr.lanes.at(e / columns, e % columns) = element(p.a, e / columns, e % columns);
  }
  /// `upper`: zeros below the diagonal.
  __device__ void store(const SmallMatrices& to, int rows, int columns, bool upper) const {
    __syncwarp();
    for (int e = qr.lanes.first; at.inside && e < rows * columns; e += qr.lanes.threads) {
      const int i = e / columns, j = e % columns;
      element(to, i, j) = upper && j < i ? R(0) : qr.lanes.at(i, j);
    }
    __syncwarp();
  }
  __device__ void run(QrStep step) const {
    R* factors = static_cast<R*>(p.tau) + at.b * p.k;
    load(step == QrStep::Orthogonal ? p.k : p.n);
    for (int i = qr.lanes.first; step == QrStep::Orthogonal && i < p.k; i += qr.lanes.threads)
      qr.tau[i] = factors[i];
    __syncwarp();
    if (step != QrStep::Orthogonal) qr.factor(p.n, p.k);
    if (step == QrStep::Factor) {
      for (int i = qr.lanes.first; at.inside && i < p.k; i += qr.lanes.threads)
        factors[i] = qr.tau[i];
      store(p.r, p.m, p.n, false);
      return;
    }
    if (step != QrStep::Orthogonal) store(p.r, step == QrStep::R ? p.k : p.columns, p.n, true);
    if (step == QrStep::R) return;
    qr.orthogonal(p.columns, p.k);
    store(p.q, p.m, p.columns, false);
  }
};

// A column a thread: a reflector is a sum and a difference over its own column, and reads of the
// reflector's column go to all threads of a matrix at once.
// Occupancy: 6 blocks of 128 threads.
template <class R, QrStep S>
__global__ void __launch_bounds__(kQrThreads, 6)
    small_qr_kernel(const __grid_constant__ SmallQrParams p) {
  TANDEM_DYNAMIC_SHARED(R, shared);
  each_small(p.batch, p.width, [&](const SmallPlace& at) {
    R* room = shared + at.group * (p.m * p.leading + p.k);
    const SmallQrTask<R> task{
        p, {room + p.m * p.leading, p.m, {room, p.leading, at.first, p.width}}, at};
    task.run(S);
  });
}

template <class R, QrStep S>
void launch_step(const SmallQrLaunch& l) {
  const int columns = static_cast<int>(std::max(l.n, l.columns));
  SmallQrParams p{l.batch,
                  static_cast<int>(l.m),
                  static_cast<int>(l.n),
                  static_cast<int>(l.k),
                  static_cast<int>(l.columns),
                  columns | 1,
                  4,
                  l.a,
                  l.q,
                  l.r,
                  l.tau};
  while (p.width < columns) p.width *= 2;  // columns are at most 32
  const std::int64_t groups = kQrThreads / p.width;
  const std::size_t bytes = static_cast<std::size_t>(groups * (p.m * p.leading + p.k)) * sizeof(R);
  check(launch(&small_qr_kernel<R, S>, grid_for((l.batch + groups - 1) / groups), kQrThreads, p,
               l.device, l.stream, bytes),
        l.row->name);
}

template <class R>
void launch_steps(const SmallQrLaunch& l) {
  switch (l.step) {
    case QrStep::QR:
      return launch_step<R, QrStep::QR>(l);
    case QrStep::R:
      return launch_step<R, QrStep::R>(l);
    case QrStep::Factor:
      return launch_step<R, QrStep::Factor>(l);
    case QrStep::Orthogonal:
      return launch_step<R, QrStep::Orthogonal>(l);
  }
}

}  // namespace

void launch_small_qr(const SmallQrLaunch& l) {
  return l.dtype == DType::float32 ? launch_steps<float>(l) : launch_steps<double>(l);
}

}  // namespace tandem::cuda
