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

namespace tandem::cuda {

namespace {

constexpr int kDepth = 16;  // of k in shared memory
/// A thread's share is own x own, where an element of the sums has so many bytes: as many as its
/// registers hold twice.
constexpr int own_of(std::size_t bytes) { return bytes > 8 ? 2 : 4; }
constexpr int side_of(std::size_t bytes) { return 16 * own_of(bytes); }  // of a block's tile of C

struct GemmParams {
  GemmLaunch l;
  std::int64_t tiles_m, tiles_n;
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

// Up to 16 accumulators a thread, and the sums of the blocks before.
// Occupancy: 1 blocks of 256 threads.
template <class T>
__global__ void __launch_bounds__(kThreads) gemm_kernel(const __grid_constant__ GemmParams p) {
  using C = compute_t<T>;
  constexpr int kOwn = own_of(sizeof(C)), kSide = side_of(sizeof(C));
  __shared__ C a[kDepth][kSide + 1];
  __shared__ C b[kDepth][kSide + 1];
  const GemmLaunch& l = p.l;
  const int tx = static_cast<int>(threadIdx.x) % 16;
  const int ty = static_cast<int>(threadIdx.x) / 16;
  const std::int64_t in_batch = p.tiles_m * p.tiles_n;
  for (std::int64_t t = blockIdx.x; t < in_batch * l.batch; t += gridDim.x) {
    const std::int64_t batch = t / in_batch;
    const std::int64_t row0 = (t - batch * in_batch) / p.tiles_n * kSide;
    const std::int64_t column0 = (t - batch * in_batch) % p.tiles_n * kSide;
    const T* pa = static_cast<const T*>(l.a) + batch * l.a_batch;
    const T* pb = static_cast<const T*>(l.b) + batch * l.b_batch;
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
            row < l.m && ka < l.k ? fn::load(pa[row * l.a_row + ka * l.a_col]) : C{};
        const std::int64_t column = column0 + i % kSide;
        const std::int64_t kb = k0 + i / kSide;
        b[i / kSide][i % kSide] =
            column < l.n && kb < l.k ? fn::load(pb[kb * l.b_row + column * l.b_col]) : C{};
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
    T* pc = static_cast<T*>(l.c) + batch * l.c_batch;
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
          pc[row * l.c_row + column * l.c_col] = fn::cast<T>(all);
        }
      }
    }
  }
}

struct GemmTable {
  void (*by_dtype[kNumDTypes])(GemmParams) = {};
};

void launch_gemm(const void* desc, const void* self) {
  const auto& l = *static_cast<const ProductLaunch*>(desc);
  if (l.batch == 0 || l.m == 0 || l.n == 0) return;
  if (l.k > 0 && !l.exact) {
    const char* problem = nullptr;
    switch (vendor_gemm(l, &problem)) {
      case VendorAnswer::Done:
        return;
      case VendorAnswer::Failed:
        return raise("matmul", problem);
      case VendorAnswer::NotTaken:
        break;
    }
  }
  const auto& t = *static_cast<const GemmTable*>(self);
  const std::int64_t side = side_of(element_size(info(l.dtype).compute));
  const GemmParams p{l, (l.m + side - 1) / side, (l.n + side - 1) / side};
  check(launch(t.by_dtype[static_cast<int>(l.dtype)], grid_for(p.tiles_m * p.tiles_n * l.batch),
               kThreads, p, l.device, l.stream),
        "matmul");
}

GemmTable make_table() {
  GemmTable t;
  for_each_dtype<mask(dtypes::All)>([&]<class T>(int d) { t.by_dtype[d] = &gemm_kernel<T>; });
  return t;
}

}  // namespace

int bind_gemm() {
  static const GemmTable t = make_table();
  return host().bind("matmul", DeviceKind::CUDA, Kernel{&launch_gemm, &t});
}

}  // namespace tandem::cuda
