// Matrix products that no vendor library takes: integers, layouts without a dense axis, and those
// of exact mode. Each element is summed in the order of host/isa/gemm.cpp: blocks of kGemmDepth of
// k, in a block one chain of fused multiply-adds from zero, the blocks' sums added in order.
#include "kernels/cuda/context.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/masks.h"
#include "kernels/functors/integer.h"
#include "tandem/backend/product.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/launch.h"
#include "tandem/stored.h"

namespace tandem::cuda {

namespace {

constexpr int kDepth = 16;  // of k in shared memory
/// A thread's share is own x own, where an element of the sums has so many bytes: as many as its
/// registers hold twice.
constexpr int own_of(std::size_t bytes) { return bytes > 8 ? 2 : 4; }
constexpr int side_of(std::size_t bytes) { return 16 * own_of(bytes); }  // of a block's tile of C

struct GemmParams {
  ProductLaunch l;
  std::int64_t places, tiles_m, tiles_n;
};
struct BiasParams {
  void* c;
  const void* bias;
  std::int64_t count, m, n, c_batch, c_row, c_col;
};

static_assert(kGemmDepth % kDepth == 0);

template <class C>
__device__ __forceinline__ C join(C total, C block) {
  if constexpr (fn::is_complex_v<C>) {
    return C{total.re + block.re, total.im + block.im};
  } else {
    return total + block;
  }
}

template <class C>
__device__ __forceinline__ C multiply_add(C a, C b, C sum) {
  if constexpr (fn::is_real_float_v<C>) {
    return fn::fma(a, b, sum);
  } else if constexpr (fn::is_complex_v<C>) {
    return C{fn::fma(-a.im, b.im, fn::fma(a.re, b.re, sum.re)),
             fn::fma(a.im, b.re, fn::fma(a.re, b.im, sum.im))};
  } else if constexpr (fn::is_bool_v<C>) {
    return sum | (a & b);
  } else {
    return fn::wrap_add(sum, fn::wrap_mul(a, b));
  }
}

/// Where the matrices at place i of a batch begin, in elements.
__device__ __forceinline__ void find_place(const ProductLaunch& l, std::int64_t i, std::int64_t& a,
                                           std::int64_t& b) {
  std::int64_t rest = l.outer > 0 ? i / l.batch : 0;
  const std::int64_t inner = i - rest * l.batch;
  a = inner * l.a_batch;
  b = inner * l.b_batch;
  for (int d = l.outer - 1; d >= 0; --d) {
    const std::int64_t above = rest / l.outer_shape[d];
    const std::int64_t at = rest - above * l.outer_shape[d];
    a += at * l.outer_a[d];
    b += at * l.outer_b[d];
    rest = above;
  }
}

// Up to 16 accumulators a thread, and the sums of the blocks before.
// Occupancy: 1 blocks of 256 threads.
template <class T, class Out>
__global__ void __launch_bounds__(kThreads) gemm_kernel(const __grid_constant__ GemmParams p) {
  using C = compute_t<Out>;
  constexpr int kOwn = own_of(sizeof(C)), kSide = side_of(sizeof(C));
  __shared__ C a[kDepth][kSide + 1];
  __shared__ C b[kDepth][kSide + 1];
  const ProductLaunch& l = p.l;
  const int tx = static_cast<int>(threadIdx.x) % 16;
  const int ty = static_cast<int>(threadIdx.x) / 16;
  const std::int64_t in_batch = p.tiles_m * p.tiles_n;
  for (std::int64_t t = blockIdx.x; t < in_batch * p.places; t += gridDim.x) {
    const std::int64_t batch = t / in_batch;
    const std::int64_t row0 = (t - batch * in_batch) / p.tiles_n * kSide;
    const std::int64_t column0 = (t - batch * in_batch) % p.tiles_n * kSide;
    std::int64_t from_a = 0, from_b = 0;
    find_place(l, batch, from_a, from_b);
    const T* pa = static_cast<const T*>(l.a) + from_a;
    const T* pb = static_cast<const T*>(l.b) + from_b;
    C sum[kOwn][kOwn];
    C total[kOwn][kOwn];  // of floats and complex numbers longer than a block; else unused
#pragma unroll
    for (int i = 0; i < kOwn * kOwn; ++i) sum[i / kOwn][i % kOwn] = C{};
    for (std::int64_t k0 = 0; k0 < l.k; k0 += kDepth) {
      if constexpr (!fn::is_int_v<C> && !fn::is_bool_v<C>) {
        if (k0 > 0 && k0 % kGemmDepth == 0) {
#pragma unroll
          for (int i = 0; i < kOwn * kOwn; ++i) {
            C& x = sum[i / kOwn][i % kOwn];
            C& all = total[i / kOwn][i % kOwn];
            all = k0 == kGemmDepth ? x : join(all, x);
            x = C{};
          }
        }
      }
      for (int i = static_cast<int>(threadIdx.x); i < kDepth * kSide; i += kThreads) {
        // Neighbouring threads read along k for A and along n for B: the dense axes of row-major.
        const std::int64_t row = row0 + i / kDepth;
        const std::int64_t ka = k0 + i % kDepth;
        a[i % kDepth][i / kDepth] =
            row < l.m && ka < l.k ? fn::cast<C>(fn::element_at(pa + row * l.a_row + ka * l.a_col))
                                  : C{};
        const std::int64_t column = column0 + i % kSide;
        const std::int64_t kb = k0 + i / kSide;
        b[i / kSide][i % kSide] =
            column < l.n && kb < l.k
                ? fn::cast<C>(fn::element_at(pb + kb * l.b_row + column * l.b_col))
                : C{};
      }
      __syncthreads();
      const int depth = static_cast<int>(l.k - k0 < kDepth ? l.k - k0 : kDepth);
      for (int k = 0; k < depth; ++k) {
#pragma unroll
        for (int i = 0; i < kOwn; ++i) {
#pragma unroll
          for (int j = 0; j < kOwn; ++j) {
            sum[i][j] = multiply_add(a[k][ty + 16 * i], b[k][tx + 16 * j], sum[i][j]);
          }
        }
      }
      __syncthreads();
    }
    Out* pc = static_cast<Out*>(l.c) + batch * l.c_batch;
#pragma unroll
    for (int i = 0; i < kOwn; ++i) {
#pragma unroll
      for (int j = 0; j < kOwn; ++j) {
        const std::int64_t row = row0 + ty + 16 * i;
        const std::int64_t column = column0 + tx + 16 * j;
        if (row < l.m && column < l.n) {
          C all = sum[i][j];
          if constexpr (!fn::is_int_v<C> && !fn::is_bool_v<C>) {
            if (l.k > kGemmDepth) all = join(total[i][j], all);
          }
          pc[row * l.c_row + column * l.c_col] = fn::cast<Out>(all);
        }
      }
    }
  }
}

// Adds a row of numbers to each row of a finished product.
// Occupancy: 4 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads) bias_kernel(const __grid_constant__ BiasParams p) {
  using C = compute_t<T>;
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < p.count; i += step) {
    const std::int64_t row = i / p.n;
    const std::int64_t column = i - row * p.n;
    const std::int64_t batch = row / p.m;
    T* at =
        static_cast<T*>(p.c) + batch * p.c_batch + (row - batch * p.m) * p.c_row + column * p.c_col;
    const C sum = fn::cast<C>(*at) + fn::cast<C>(static_cast<const T*>(p.bias)[column]);
    *at = fn::cast<T>(sum);
  }
}

struct PointerParams {
  ProductLaunch l;
  void** to;  // of a, then of b, then of c
  std::int64_t places, bytes;
};

// Where each matrix of a batch begins.
// Occupancy: 4 blocks of 256 threads.
__global__ void __launch_bounds__(kThreads)
    pointers_kernel(const __grid_constant__ PointerParams p) {
  const std::int64_t step = std::int64_t(gridDim.x) * kThreads;
  for (std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x; i < p.places;
       i += step) {
    std::int64_t a = 0, b = 0;
    find_place(p.l, i, a, b);
    p.to[i] = const_cast<char*>(static_cast<const char*>(p.l.a) + a * p.bytes);
    p.to[p.places + i] = const_cast<char*>(static_cast<const char*>(p.l.b) + b * p.bytes);
    p.to[2 * p.places + i] = static_cast<char*>(p.l.c) + i * p.l.c_batch * p.bytes;
  }
}

struct GemmTable {
  void (*by_dtype[kNumDTypes])(GemmParams) = {};
  void (*wide[kNumDTypes])(GemmParams) = {};
  void (*bias[kNumDTypes])(BiasParams) = {};
};

/// By our own kernel: false where the failure was reported.
bool multiply_here(const ProductLaunch& l, const GemmTable& t) {
  const int d = static_cast<int>(l.dtype);
  const DType sums = l.wide ? DType::int32 : info(l.dtype).compute;
  const std::int64_t side = side_of(element_size(sums));
  const GemmParams p{l, outer_places(l) * l.batch, (l.m + side - 1) / side,
                     (l.n + side - 1) / side};
  const cudaError_t e =
      launch(l.wide ? t.wide[d] : t.by_dtype[d], grid_for(p.tiles_m * p.tiles_n * p.places),
             kThreads, p, l.device, l.stream);
  check(e, "matmul");
  return e == cudaSuccess;
}

/// The same by whoever takes it.
bool multiply(const ProductLaunch& l, const GemmTable& t) {
  // Sums of integers are the same in any order.
  if (l.k == 0 || (l.exact && !l.wide)) return multiply_here(l, t);
  const char* problem = nullptr;
  VendorAnswer answer = vendor_gemm(l, &problem);
  if (answer == VendorAnswer::NotTaken && l.outer > 0) {
    // Some versions take no pointers: then place by place, if they take the first one.
    const auto in = static_cast<std::int64_t>(element_size(l.dtype));
    const std::int64_t out = l.wide ? 4 : in, places = outer_places(l);
    answer = vendor_gemm(outer_place(l, 0, in, out), &problem);
    for (std::int64_t i = 1; i < places && answer == VendorAnswer::Done; ++i) {
      const ProductLaunch one = outer_place(l, i, in, out);
      answer = vendor_gemm(one, &problem);
      if (answer != VendorAnswer::NotTaken) continue;
      if (!multiply_here(one, t)) return false;
      answer = VendorAnswer::Done;
    }
  }
  if (answer == VendorAnswer::NotTaken) return multiply_here(l, t);
  if (answer == VendorAnswer::Failed) raise("matmul", problem);
  return answer == VendorAnswer::Done;
}

void launch_gemm(const void* desc, const void* self) {
  ProductLaunch l = *static_cast<const ProductLaunch*>(desc);
  if (l.batch == 0 || l.m == 0 || l.n == 0) return;
  const auto& t = *static_cast<const GemmTable*>(self);
  const void* bias = l.bias;
  if (bias != nullptr && l.k > 0 && !l.exact) {
    const char* problem = nullptr;
    if (vendor_gemm(l, &problem) == VendorAnswer::Done) return;  // with the bias
  }
  l.bias = nullptr;
  if (!multiply(l, t) || bias == nullptr) return;
  const BiasParams p{l.c, bias, l.batch * l.m * l.n, l.m, l.n, l.c_batch, l.c_row, l.c_col};
  check(launch(t.bias[static_cast<int>(l.dtype)], grid_for((p.count + kThreads - 1) / kThreads),
               kThreads, p, l.device, l.stream),
        "matmul");
}

GemmTable make_table() {
  GemmTable t;
  for_each_dtype<mask(dtypes::All)>([&]<class T>(int d) { t.by_dtype[d] = &gemm_kernel<T, T>; });
  for_each_dtype<mask(dtypes::Floats)>([&]<class T>(int d) { t.bias[d] = &bias_kernel<T>; });
  t.wide[static_cast<int>(DType::int8)] = &gemm_kernel<std::int8_t, std::int32_t>;
  t.wide[static_cast<int>(DType::uint8)] = &gemm_kernel<std::uint8_t, std::int32_t>;
  return t;
}

}  // namespace

cudaError_t write_pointers(const ProductLaunch& l, void** to) {
  const PointerParams p{l, to, outer_places(l) * l.batch,
                        static_cast<std::int64_t>(element_size(l.dtype))};
  return launch(&pointers_kernel, grid_for((p.places + kThreads - 1) / kThreads), kThreads, p,
                l.device, l.stream);
}

int bind_gemm() {
  static const GemmTable t = make_table();
  return host().bind("matmul", DeviceKind::CUDA, Kernel{&launch_gemm, &t});
}

}  // namespace tandem::cuda
