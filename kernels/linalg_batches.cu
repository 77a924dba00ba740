// What the libraries' batched factorisations want beside them: arrays of pointers, the triangle
// that Cholesky leaves, a look at its diagonal, vectors in the order that the front-ends have.
#include <cuda_runtime.h>

#include "kernels/cuda/context.h"
#include "kernels/cuda/solver.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/launch.h"
#include "tandem/fn.h"

namespace tandem::cuda {

namespace {

constexpr int kArrays = 3;
constexpr int kWarp = 32;

struct AddressParams {
  char* first[kArrays];
  std::int64_t step[kArrays];  // in bytes
  void** to;
  std::int64_t batch, arrays;
};

// Occupancy: 8 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads)
    addresses_kernel(const __grid_constant__ AddressParams p) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < p.batch;
       i += step) {
    for (std::int64_t k = 0; k < p.arrays; ++k) p.to[k * p.batch + i] = p.first[k] + i * p.step[k];
  }
}

template <class T>
struct TriangleParams {
  T* a;
  std::int64_t batch, n, leading, stride;
  bool upper;  // the triangle that is kept, with the diagonal
};

// A thread an element: those of a column side by side.
// Occupancy: 8 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads)
    clear_triangle_kernel(const __grid_constant__ TriangleParams<T> p) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  const std::int64_t area = p.n * p.n;
  for (std::int64_t e = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
       e < p.batch * area; e += step) {
    const std::int64_t b = e / area, in = e - b * area;
    const std::int64_t column = in / p.n, row = in - column * p.n;
    const bool kept = p.upper ? row <= column : row >= column;
    if (!kept) p.a[b * p.stride + column * p.leading + row] = T{};
  }
}

template <class T>
struct DefiniteParams {
  const T* a;
  std::int32_t* info;
  std::int64_t batch, n, leading, stride;
};

// A warp a matrix: lanes take every 32nd element of its diagonal, the first bad one counts.
// Occupancy: 8 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads)
    check_definite_kernel(const __grid_constant__ DefiniteParams<T> p) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * (kThreads / kWarp);
  for (std::int64_t b = static_cast<std::int64_t>(blockIdx.x) * (kThreads / kWarp) +
                        static_cast<int>(threadIdx.x) / kWarp;
       b < p.batch; b += step) {
    int first = INT32_MAX;
    for (std::int64_t i = lane; i < p.n && first == INT32_MAX; i += kWarp) {
      const T& x = p.a[b * p.stride + i * p.leading + i];
      bool good = false;
      if constexpr (fn::is_complex_v<T>) {
        good = x.re > 0;
      } else {
        good = x > 0;
      }
      if (!good) first = static_cast<int>(i + 1);  // of NaN too
    }
    for (unsigned delta = kWarp / 2; delta > 0; delta /= 2) {
      const int other = __shfl_down_sync(0xffffffffu, first, delta);
      first = other < first ? other : first;
    }
    if (lane == 0 && p.info[b] == 0 && first != INT32_MAX) p.info[b] = first;
  }
}

template <class T>
struct VectorParams {
  const T* from_u;  // [m, m] by columns, one matrix after the other
  const T* from_v;  // [n, n] likewise
  T* u;             // [m, columns] by columns
  T* v;             // [n, n], adjoint
  std::int64_t batch, m, n, columns, u_stride, v_stride;
};

// A thread an element of a matrix's U, then of its V: writes side by side.
// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads)
    take_vectors_kernel(const __grid_constant__ VectorParams<T> p) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  const std::int64_t of_u = p.m * p.columns, both = of_u + p.n * p.n;
  for (std::int64_t e = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
       e < p.batch * both; e += step) {
    const std::int64_t b = e / both, in = e - b * both;
    if (in < of_u) {
      p.u[b * p.u_stride + in] = p.from_u[b * p.m * p.m + in];
      continue;
    }
    const std::int64_t at = in - of_u, column = at / p.n, row = at - column * p.n;
    T x = p.from_v[b * p.n * p.n + row * p.n + column];
    if constexpr (fn::is_complex_v<T>) x.im = -x.im;
    p.v[b * p.v_stride + at] = x;
  }
}

template <class F>
void by_dtype(DType t, F&& f) {
  switch (t) {
    case DType::float32:
      return f.template operator()<float>();
    case DType::float64:
      return f.template operator()<double>();
    case DType::complex64:
      return f.template operator()<Complex64>();
    default:
      return f.template operator()<Complex128>();
  }
}

template <class P>
bool start(const FactorLaunch& l, void (*kernel)(P), std::int64_t threads, const P& params) {
  const cudaError_t e = launch(kernel, grid_for((threads + kThreads - 1) / kThreads), kThreads,
                               params, l.device, l.stream);
  check(e, l.row->name);
  return e == cudaSuccess;
}

}  // namespace

bool launch_addresses(const FactorLaunch& l, std::initializer_list<MatrixBatch> of, void** to) {
  AddressParams p{{}, {}, to, l.batch, static_cast<std::int64_t>(of.size())};
  const auto size = static_cast<std::int64_t>(element_size(l.dtype));
  std::size_t k = 0;
  for (const MatrixBatch& m : of) {
    p.first[k] = static_cast<char*>(m.data);
    p.step[k++] = m.stride * size;
  }
  return start(l, &addresses_kernel, l.batch, p);
}

void launch_clear_triangle(const FactorLaunch& l) {
  by_dtype(l.dtype, [&]<class T>() {
    const TriangleParams<T> p{
        static_cast<T*>(l.a.data), l.batch, l.n, l.a.leading, l.a.stride, l.upper};
    start(l, &clear_triangle_kernel<T>, l.batch * l.n * l.n, p);
  });
}

void launch_check_definite(const FactorLaunch& l) {
  by_dtype(l.dtype, [&]<class T>() {
    const DefiniteParams<T> p{
        static_cast<const T*>(l.a.data), l.info, l.batch, l.n, l.a.leading, l.a.stride};
    start(l, &check_definite_kernel<T>, l.batch * kWarp, p);
  });
}

void launch_take_vectors(const FactorLaunch& l, const void* u, const void* v) {
  by_dtype(l.dtype, [&]<class T>() {
    const std::int64_t columns = l.full ? l.m : l.n;
    const VectorParams<T> p{static_cast<const T*>(u),
                            static_cast<const T*>(v),
                            static_cast<T*>(l.u.data),
                            static_cast<T*>(l.v.data),
                            l.batch,
                            l.m,
                            l.n,
                            columns,
                            l.u.stride,
                            l.v.stride};
    start(l, &take_vectors_kernel<T>, l.batch * (l.m * columns + l.n * l.n), p);
  });
}

}  // namespace tandem::cuda
