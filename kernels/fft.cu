// Passes of the built-in Fourier transform: a block keeps some transforms of a pass in shared
// memory and takes them through all stages, in the order of operations of host/isa/fft.cpp.
#include "kernels/cuda/context.h"
#include "kernels/cuda/fft.h"
#include "kernels/functors/fft.h"
#include "tandem/backend/fft.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

/// One end of the rows: FftSide with its strides.
struct Side {
  char* data;
  const void* table;
  std::int64_t stride, n;
  bool conjugate;
  std::int64_t strides[kMaxRank];
};

struct PassParams {
  std::int64_t m, p, s, rows;
  std::int64_t units;   // of `lanes` transforms: of a row, or of rows where p s is 1
  std::int64_t of_row;  // units of a row
  std::int32_t lanes, n_radices, rank;
  std::int32_t radices[kMaxRadices];
  const void* stages;
  const void* twiddles;
  double scale;
  bool real_in;
  std::int64_t shape[kMaxRank];
  Side in, out;
};

template <class P>
__device__ __forceinline__ std::int64_t row_offset(const P& p, const Side& side, std::int64_t row) {
  std::int64_t offset = 0;
  for (int d = p.rank - 1; d >= 0 && row != 0; --d) {
    offset += row % p.shape[d] * side.strides[d];
    row /= p.shape[d];
  }
  return offset;
}

/// One stage of the block's transforms, x to y: [element][lane].
template <int R, class T>
__device__ __forceinline__ void stage(const Complex<T>* x, Complex<T>* y, int p, int n,
                                      const Complex<T>* factors) {
  for (int i = static_cast<int>(threadIdx.x); i < p * n; i += kThreads) {
    const int q = i / n;
    Complex<T> z[R];
#pragma unroll
    for (int j = 0; j < R; ++j) z[j] = x[j * p * n + i];
    fn::Butterfly<R>::run(z);
    const int at = q * R * n + (i - q * n);
#pragma unroll
    for (int k = 0; k < R; ++k) {
      y[at + k * n] = p > 1 && k > 0 ? fn::fft_mul(z[k], factors[q * R + k]) : z[k];
    }
  }
}

/// A radix without a butterfly: a thread makes one output.
template <class T>
__device__ __forceinline__ void plain_stage(const Complex<T>* x, Complex<T>* y, int r, int p, int n,
                                            const Complex<T>* roots) {
  for (int i = static_cast<int>(threadIdx.x); i < r * p * n; i += kThreads) {
    const int group = i / n;  // q r + k
    const int q = group / r;
    const int k = group - q * r;
    const int from = q * n + (i - group * n);
    Complex<T> sum = x[from];
    int power = 0;
    for (int j = 1; j < r; ++j) {
      power += k;
      if (power >= r) power -= r;
      sum = fn::fft_add_mul(sum, x[from + j * p * n], roots[power]);
    }
    y[i] = p > 1 && k > 0 ? fn::fft_mul(sum, roots[r + group]) : sum;
  }
}

/// Element e of a row on its way in.
template <class T>
__device__ __forceinline__ Complex<T> load_element(const PassParams& p, std::int64_t row,
                                                   std::int64_t e) {
  if (e >= p.in.n) return {T(0), T(0)};
  const char* at = p.in.data + row + e * p.in.stride;
  const T sign = p.in.conjugate ? T(-1) : T(1);
  Complex<T> z{};
  if (p.real_in) {
    z = {*reinterpret_cast<const T*>(at), sign * T(0)};
  } else {
    z = *reinterpret_cast<const Complex<T>*>(at);
    z.im = sign * z.im;
  }
  if (p.in.table != nullptr) z = fn::fft_mul(z, static_cast<const Complex<T>*>(p.in.table)[e]);
  return z;
}

/// Element k of transform u of a row on its way out.
template <class T>
__device__ __forceinline__ void store_element(const PassParams& p, std::int64_t row, std::int64_t u,
                                              std::int64_t k, Complex<T> z) {
  const std::int64_t q = u / p.s;
  const std::int64_t e = (q * p.m + k) * p.s + (u - q * p.s);
  if (p.twiddles != nullptr) {
    z = fn::fft_mul(z, static_cast<const Complex<T>*>(p.twiddles)[k * p.p + q]);
  }
  if (e >= p.out.n) return;
  if (p.out.table != nullptr) z = fn::fft_mul(z, static_cast<const Complex<T>*>(p.out.table)[e]);
  const T scale = static_cast<T>(p.scale);
  const T sign = p.out.conjugate ? -scale : scale;
  *reinterpret_cast<Complex<T>*>(p.out.data + row + e * p.out.stride) = {z.re * scale, z.im * sign};
}

/// The lanes of a unit: of one row from u on, or of rows from `row` on.
struct Unit {
  std::int64_t row, u;
  int count;
  bool of_rows;
};

__device__ __forceinline__ Unit unit_at(const PassParams& p, std::int64_t i) {
  const std::int64_t in_row = p.p * p.s;
  Unit unit{};
  unit.of_rows = in_row == 1;
  std::int64_t left = 0;
  if (unit.of_rows) {
    unit.row = i * p.lanes;
    left = p.rows - unit.row;
  } else {
    unit.row = i / p.of_row;
    unit.u = (i - unit.row * p.of_row) * p.lanes;
    left = in_row - unit.u;
  }
  unit.count = static_cast<int>(left < p.lanes ? left : p.lanes);
  return unit;
}

template <class T>
__device__ __forceinline__ const Complex<T>* all_stages(const PassParams& p, int w, Complex<T>* x,
                                                        Complex<T>* y) {
  const auto* factors = static_cast<const Complex<T>*>(p.stages);
  int left = static_cast<int>(p.m);
  int n = w;
  for (int i = 0; i < p.n_radices; ++i) {
    const int r = p.radices[i];
    left /= r;
    __syncthreads();
    switch (r) {
      case 2:
        stage<2>(x, y, left, n, factors);
        break;
      case 3:
        stage<3>(x, y, left, n, factors);
        break;
      case 4:
        stage<4>(x, y, left, n, factors);
        break;
      case 5:
        stage<5>(x, y, left, n, factors);
        break;
      case 8:
        stage<8>(x, y, left, n, factors);
        break;
      default:
        plain_stage(x, y, r, left, n, factors);
        factors += r;
    }
    if (left > 1) factors += r * left;
    n *= r;
    Complex<T>* const t = x;
    x = y;
    y = t;
  }
  __syncthreads();
  return x;
}

// Occupancy: 2 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads, 2)
    fft_pass_kernel(const __grid_constant__ PassParams p) {
  constexpr int kElements = static_cast<int>(kFftPassBytes / sizeof(Complex<T>));
  __shared__ Complex<T> first[kElements];
  __shared__ Complex<T> second[kElements];
  for (std::int64_t i = blockIdx.x; i < p.units; i += gridDim.x) {
    const Unit unit = unit_at(p, i);
    const int w = unit.count;
    const int size = static_cast<int>(p.m) * w;
    for (int k = static_cast<int>(threadIdx.x); k < size; k += kThreads) {
      const int j = k / w;
      const int lane = k - j * w;
      const std::int64_t row = unit.row + (unit.of_rows ? lane : 0);
      const std::int64_t u = unit.u + (unit.of_rows ? 0 : lane);
      first[k] = load_element<T>(p, row_offset(p, p.in, row), j * p.p * p.s + u);
    }
    const Complex<T>* y = all_stages(p, w, first, second);
    for (int k = static_cast<int>(threadIdx.x); k < size; k += kThreads) {
      const int j = k / w;
      const int lane = k - j * w;
      const std::int64_t row = unit.row + (unit.of_rows ? lane : 0);
      const std::int64_t u = unit.u + (unit.of_rows ? 0 : lane);
      store_element(p, row_offset(p, p.out, row), u, j, y[k]);
    }
    __syncthreads();
  }
}

struct HalfParams {
  std::int64_t h, bins, count;
  std::int32_t rank;
  bool pack;
  const void* twiddles;
  double scale;
  std::int64_t shape[kMaxRank];
  Side in, out;
};

template <class T>
__device__ __forceinline__ Complex<T> half_bin(const HalfParams& p, const char* row,
                                               std::int64_t k) {
  Complex<T> z{T(0), T(0)};
  if (k < p.in.n) z = *reinterpret_cast<const Complex<T>*>(row + k * p.in.stride);
  if (p.in.conjugate) z.im = -z.im;
  if (p.pack && (k == 0 || k == p.h)) z.im = T(0);
  return z;
}

// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads) fft_half_kernel(const __grid_constant__ HalfParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  const auto* w = static_cast<const Complex<T>*>(p.twiddles);
  const T scale = static_cast<T>(p.scale);
  const T sign = p.out.conjugate ? -scale : scale;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < p.count; i += step) {
    const std::int64_t row = i / p.bins;
    const std::int64_t k = i - row * p.bins;
    const char* in = p.in.data + row_offset(p, p.in, row);
    char* out = p.out.data + row_offset(p, p.out, row);
    Complex<T> y{};
    if (p.pack) {
      y = fn::fft_pack(half_bin<T>(p, in, k), half_bin<T>(p, in, p.h - k), w[k]);
    } else {
      y = fn::fft_unpack(half_bin<T>(p, in, k == p.h ? 0 : k),
                         half_bin<T>(p, in, k == 0 ? 0 : p.h - k), w[k]);
    }
    *reinterpret_cast<Complex<T>*>(out + k * p.out.stride) = {y.re * scale, y.im * sign};
  }
}

Side side_of(const FftSide& s, int rank) {
  Side side{};
  side.data = static_cast<char*>(s.data);
  side.table = s.table;
  side.stride = s.stride;
  side.n = s.n;
  side.conjugate = s.conjugate;
  for (int d = 0; d < rank; ++d) side.strides[d] = s.strides[d];
  return side;
}

void launch_pass(const void* desc, const void*) {
  const auto& l = *static_cast<const FftPassLaunch*>(desc);
  PassParams p{};
  p.m = l.m;
  p.p = l.p;
  p.s = l.s;
  p.rows = l.rows;
  const std::int64_t in_row = l.p * l.s;
  const auto bytes = l.m * static_cast<std::int64_t>(element_size(l.dtype));
  const std::int64_t fit = std::max<std::int64_t>(kFftPassBytes / bytes, 1);
  p.lanes = static_cast<std::int32_t>(std::min(fit, in_row == 1 ? l.rows : in_row));
  p.of_row = (in_row + p.lanes - 1) / p.lanes;
  p.units = in_row == 1 ? (l.rows + p.lanes - 1) / p.lanes : l.rows * p.of_row;
  p.n_radices = l.n_radices;
  for (int i = 0; i < l.n_radices; ++i) p.radices[i] = l.radices[i];
  p.stages = l.stages;
  p.twiddles = l.twiddles;
  p.scale = l.scale;
  p.real_in = l.real_in;
  p.rank = l.rank;
  for (int d = 0; d < l.rank; ++d) p.shape[d] = l.shape[d];
  p.in = side_of(l.in, l.rank);
  p.out = side_of(l.out, l.rank);
  const auto kernel =
      l.dtype == DType::complex64 ? &fft_pass_kernel<float> : &fft_pass_kernel<double>;
  check(launch(kernel, grid_for(p.units), kThreads, p, l.device, l.stream), l.row->name);
}

void launch_half(const void* desc, const void*) {
  const auto& l = *static_cast<const FftHalfLaunch*>(desc);
  HalfParams p{};
  p.h = l.h;
  p.pack = l.pack;
  p.bins = l.pack ? l.h : l.h + 1;
  p.count = l.rows * p.bins;
  p.twiddles = l.twiddles;
  p.scale = l.scale;
  p.rank = l.rank;
  for (int d = 0; d < l.rank; ++d) p.shape[d] = l.shape[d];
  p.in = side_of(l.in, l.rank);
  p.out = side_of(l.out, l.rank);
  const auto kernel =
      l.dtype == DType::complex64 ? &fft_half_kernel<float> : &fft_half_kernel<double>;
  check(launch(kernel, grid_for((p.count + kThreads - 1) / kThreads), kThreads, p, l.device,
               l.stream),
        l.row->name);
}

}  // namespace

int bind_fft() {
  int unknown = 0;
  unknown += host().bind("fft_fft", DeviceKind::CUDA, Kernel{&launch_pass, nullptr});
  unknown += host().bind("fft_rfft", DeviceKind::CUDA, Kernel{&launch_half, nullptr});
  unknown += host().bind("fft_ifft", DeviceKind::CUDA, Kernel{&launch_fft_library, nullptr});
  unknown += host().bind("fft_irfft", DeviceKind::CUDA, Kernel{&launch_half, nullptr});
  return unknown;
}

}  // namespace tandem::cuda
