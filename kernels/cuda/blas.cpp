// Matrix products on cuBLASLt. The library (half a gigabyte) is opened at the first product, behind
// a table of the functions used; nothing links it.
#include <cublasLt.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "kernels/cuda/context.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/library.h"
#include "tandem/cuda/launch.h"

// Batches by an array of pointers came with version 13.
#define TANDEM_BLAS_POINTERS (CUBLAS_VER_MAJOR >= 13)

namespace tandem::cuda {

namespace {

#define TANDEM_BLAS_CALLS(X)              \
  X(cublasLtCreate)                       \
  X(cublasLtMatmul)                       \
  X(cublasLtMatmulAlgoGetHeuristic)       \
  X(cublasLtMatmulDescCreate)             \
  X(cublasLtMatmulDescDestroy)            \
  X(cublasLtMatmulDescSetAttribute)       \
  X(cublasLtMatmulPreferenceCreate)       \
  X(cublasLtMatmulPreferenceDestroy)      \
  X(cublasLtMatmulPreferenceSetAttribute) \
  X(cublasLtMatrixLayoutCreate)           \
  X(cublasLtMatrixLayoutDestroy)          \
  X(cublasLtMatrixLayoutSetAttribute)

TANDEM_VENDOR_TABLE(Blas, "cublasLt", CUBLAS_VER_MAJOR, TANDEM_BLAS_CALLS)

const Blas& blas() {
  static const Blas& b = *new Blas();
  return b;
}

constexpr std::size_t kMostWorkspace = std::size_t(32) << 20;  // NVIDIA's advice for Hopper

struct Types {
  cudaDataType_t data, scale;
  cublasComputeType_t compute;
  cudaDataType_t result;
};

std::optional<Types> types_of(const ProductLaunch& l) {
  const bool rounds = l.tf32;
  if (l.wide) {
    if (l.dtype != DType::int8) return std::nullopt;
    return Types{CUDA_R_8I, CUDA_R_32I, CUBLAS_COMPUTE_32I, CUDA_R_32I};
  }
  const auto plain = [](cudaDataType_t data, cudaDataType_t scale, cublasComputeType_t compute) {
    return Types{data, scale, compute, data};
  };
  switch (l.dtype) {
    case DType::float16:
      return plain(CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F);
    case DType::bfloat16:
      return plain(CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F);
    case DType::float32:
      return plain(CUDA_R_32F, CUDA_R_32F,
                   rounds ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F);
    case DType::float64:
      return plain(CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F);
    case DType::complex64:
      return plain(CUDA_C_32F, CUDA_C_32F,
                   rounds ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F);
    case DType::complex128:
      return plain(CUDA_C_64F, CUDA_C_64F, CUBLAS_COMPUTE_64F);
    default:
      return std::nullopt;
  }
}

/// A matrix as column-major storage that is read as it is or transposed.
struct Layout {
  bool transposed;
  std::int64_t leading;
};

/// `by_rows`: only as transposed storage.
std::optional<Layout> layout_of(std::int64_t rows, std::int64_t columns, std::int64_t row,
                                std::int64_t column, bool by_rows = false) {
  const auto fits = [](std::int64_t leading, std::int64_t least) {
    return leading >= std::max<std::int64_t>(least, 1);
  };
  if (!by_rows && (row == 1 || rows == 1) && (columns == 1 || fits(column, rows))) {
    return Layout{false, columns == 1 ? std::max<std::int64_t>(rows, 1) : column};
  }
  if ((column == 1 || columns == 1) && (rows == 1 || fits(row, columns))) {
    return Layout{true, rows == 1 ? std::max<std::int64_t>(columns, 1) : row};
  }
  return std::nullopt;
}

/// The product as cuBLASLt sees it, all column-major: C = op(A) op(B). Compared and hashed as
/// bytes.
struct Problem {
  std::int64_t m, n, k, batch;
  std::int64_t lda, ldb, ldc, stride_a, stride_b, stride_c;
  std::int32_t trans_a, trans_b, dtype, device;
  std::uint32_t align_a, align_b, align_c, align_bias;  // 0: no bias
  std::uint32_t tf32, wide, pointers, swapped;

  bool operator==(const Problem& o) const { return std::memcmp(this, &o, sizeof o) == 0; }
};
struct ProblemHash {
  std::size_t operator()(const Problem& p) const {
    std::uint64_t words[sizeof(Problem) / 8];
    std::memcpy(words, &p, sizeof words);
    std::uint64_t h = 0xcbf29ce484222325ull;
    for (const std::uint64_t w : words) h = (h ^ w) * 0x100000001b3ull;
    return static_cast<std::size_t>(h ^ h >> 29);
  }
};
static_assert(sizeof(Problem) % 8 == 0);

std::uint32_t alignment(const void* p) {
  const auto a = reinterpret_cast<std::uintptr_t>(p);
  return static_cast<std::uint32_t>(std::min<std::uintptr_t>(a & (~a + 1), 256));
}

struct Operands {
  const void* a;
  const void* b;
};

/// The rules for sums of int8 in ordinary layouts: the left side transposed, the right one not,
/// rows, inner dimension and leading dimensions multiples of 4, pointers too.
bool fits_int8(const Problem& p) {
  const std::int64_t all = p.m | p.k | p.lda | p.ldb | p.ldc | p.stride_a | p.stride_b;
  return p.trans_a != 0 && p.trans_b == 0 && all % 4 == 0 && p.align_a >= 4 && p.align_b >= 4;
}

/// What every matrix of a batch keeps of the first one's alignment: of pointers the library knows
/// no more than it is told.
std::uint32_t alignment_of(const ProductLaunch& l, const void* first, const std::int64_t* outer,
                           std::int64_t batch) {
  std::uintptr_t all = reinterpret_cast<std::uintptr_t>(first);
  if (l.outer > 0) {
    const auto size = static_cast<std::int64_t>(element_size(l.dtype));
    for (int d = 0; d < l.outer && outer != nullptr; ++d) {
      all |= static_cast<std::uintptr_t>(outer[d] * size);
    }
    all |= static_cast<std::uintptr_t>(batch * size);
  }
  return alignment(reinterpret_cast<const void*>(all));
}

/// Row-major results are the column-major product of the swapped, transposed operands.
std::optional<Problem> problem_of(const ProductLaunch& l, Operands* operands) {
  const std::int64_t places = outer_places(l) * l.batch;
  if (l.m > INT32_MAX || l.n > INT32_MAX || l.k > INT32_MAX || places > INT32_MAX) {
    return std::nullopt;
  }
  // A bias goes along the rows of the library's result: along those of ours that are transposed.
  const auto c = layout_of(l.m, l.n, l.c_row, l.c_col, l.bias != nullptr || l.wide);
  if (!c) return std::nullopt;
  const bool swap = c->transposed;
  const auto a =
      swap ? layout_of(l.n, l.k, l.b_col, l.b_row) : layout_of(l.m, l.k, l.a_row, l.a_col);
  const auto b =
      swap ? layout_of(l.k, l.m, l.a_col, l.a_row) : layout_of(l.k, l.n, l.b_row, l.b_col);
  if (!a || !b) return std::nullopt;
  Problem p{};
  p.m = swap ? l.n : l.m;
  p.n = swap ? l.m : l.n;
  p.k = l.k;
  p.batch = places;
  p.pointers = l.outer > 0 ? 1 : 0;
  p.lda = a->leading;
  p.ldb = b->leading;
  p.ldc = c->leading;
  if (l.outer == 0) {
    p.stride_a = swap ? l.b_batch : l.a_batch;
    p.stride_b = swap ? l.a_batch : l.b_batch;
    p.stride_c = l.c_batch;
  }
  p.trans_a = a->transposed;
  p.trans_b = b->transposed;
  p.dtype = static_cast<std::int32_t>(l.dtype);
  p.device = l.device.index;
  p.tf32 = l.tf32 ? 1 : 0;
  *operands = swap ? Operands{l.b, l.a} : Operands{l.a, l.b};
  const std::uint32_t own_a = alignment_of(l, l.a, l.outer_a, l.a_batch);
  const std::uint32_t own_b = alignment_of(l, l.b, l.outer_b, l.b_batch);
  p.align_a = swap ? own_b : own_a;
  p.align_b = swap ? own_a : own_b;
  p.align_c = alignment_of(l, l.c, nullptr, l.c_batch);
  p.swapped = swap ? 1 : 0;
  p.align_bias = l.bias != nullptr ? alignment(l.bias) : 0;
  p.wide = l.wide ? 1 : 0;
  if (l.wide && !fits_int8(p)) return std::nullopt;
  return p;
}

/// cuBLASLt's descriptions of a problem, made and destroyed together.
struct Descriptions {
  cublasLtMatmulDesc_t product = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, c = nullptr;
  bool ok = true;

  Descriptions(const Problem& p, const Types& t, const void* bias) {
    const Blas& f = blas();
    need(f.cublasLtMatmulDescCreate(&product, t.compute, t.scale));
    const std::int32_t ta = p.trans_a != 0 ? CUBLAS_OP_T : CUBLAS_OP_N;
    const std::int32_t tb = p.trans_b != 0 ? CUBLAS_OP_T : CUBLAS_OP_N;
    set(CUBLASLT_MATMUL_DESC_TRANSA, ta);
    set(CUBLASLT_MATMUL_DESC_TRANSB, tb);
    if (bias != nullptr) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    }
    layout(&a, t.data, p.trans_a != 0 ? p.k : p.m, p.trans_a != 0 ? p.m : p.k, p.lda, p.batch,
           p.stride_a, p.pointers);
    layout(&b, t.data, p.trans_b != 0 ? p.n : p.k, p.trans_b != 0 ? p.k : p.n, p.ldb, p.batch,
           p.stride_b, p.pointers);
    layout(&c, t.result, p.m, p.n, p.ldc, p.batch, p.stride_c, p.pointers);
  }
  ~Descriptions() {
    const Blas& f = blas();
    for (cublasLtMatrixLayout_t x : {a, b, c}) {
      if (x != nullptr) f.cublasLtMatrixLayoutDestroy(x);
    }
    if (product != nullptr) f.cublasLtMatmulDescDestroy(product);
  }
  Descriptions(const Descriptions&) = delete;
  Descriptions& operator=(const Descriptions&) = delete;

 private:
  void need(cublasStatus_t s) { ok = ok && s == CUBLAS_STATUS_SUCCESS; }
  template <class V>
  void set(cublasLtMatmulDescAttributes_t what, const V& value) {
    if (ok)
      need(blas().cublasLtMatmulDescSetAttribute(
          product, what, reinterpret_cast<const void*>(&value), sizeof value));
  }
  void layout(cublasLtMatrixLayout_t* out, cudaDataType_t type, std::int64_t rows,
              std::int64_t columns, std::int64_t leading, std::int64_t batch, std::int64_t stride,
              std::uint32_t pointers) {
    const Blas& f = blas();
    if (!ok) return;
    need(f.cublasLtMatrixLayoutCreate(out, type, static_cast<std::uint64_t>(rows),
                                      static_cast<std::uint64_t>(columns), leading));
    if (!ok || batch == 1) return;
    const auto count = static_cast<std::int32_t>(batch);
    need(f.cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                            sizeof count));
#if TANDEM_BLAS_POINTERS
    if (pointers != 0) {
      const std::uint32_t mode = CUBLASLT_BATCH_MODE_POINTER_ARRAY;
      need(f.cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_BATCH_MODE, &mode,
                                              sizeof mode));
      return;
    }
#else
    ok = ok && pointers == 0;
#endif
    need(f.cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                            &stride, sizeof stride));
  }
};

struct Choice {
  bool found = false;
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
};

Choice ask(cublasLtHandle_t handle, const Problem& p, const Descriptions& d) {
  const Blas& f = blas();
  Choice choice;
  cublasLtMatmulPreference_t preference = nullptr;
  if (f.cublasLtMatmulPreferenceCreate(&preference) != CUBLAS_STATUS_SUCCESS) return choice;
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t what, const auto& value) {
    return f.cublasLtMatmulPreferenceSetAttribute(preference, what, &value, sizeof value) ==
           CUBLAS_STATUS_SUCCESS;
  };
  const bool ready = set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kMostWorkspace) &&
                     set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, p.align_a) &&
                     set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, p.align_b) &&
                     set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, p.align_c) &&
                     set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, p.align_c);
  cublasLtMatmulHeuristicResult_t result{};
  int count = 0;
  choice.found = ready &&
                 f.cublasLtMatmulAlgoGetHeuristic(handle, d.product, d.a, d.b, d.c, d.c, preference,
                                                  1, &result, &count) == CUBLAS_STATUS_SUCCESS &&
                 count > 0;
  choice.algorithm = result.algo;
  choice.workspace = result.workspaceSize;
  f.cublasLtMatmulPreferenceDestroy(preference);
  return choice;
}

/// Handles by device, and the algorithms chosen so far: the same problem gets the same algorithm,
/// so a product repeats its bits.
struct Cache {
  std::mutex mutex;
  std::array<cublasLtHandle_t, 64> handles{};
  std::unordered_map<Problem, Choice, ProblemHash> choices;
};
Cache& cache() {
  static Cache& c = *new Cache();
  return c;
}

constexpr std::size_t kMostChoices = 4096;

cublasStatus_t multiply(cublasLtHandle_t handle, const ProductLaunch& l, const Operands& x, void* c,
                        const Descriptions& d, const Choice& choice, void* workspace) {
  // One and zero in every scale type: the first bytes of a complex number are its real part.
  const float one32[2] = {1, 0};
  const float zero32[2] = {0, 0};
  const double one64[2] = {1, 0};
  const double zero64[2] = {0, 0};
  const bool wide = l.dtype == DType::float64 || l.dtype == DType::complex128;
  const std::int32_t one_int = 1;
  const std::int32_t zero_int = 0;
  const void* one = l.wide ? static_cast<const void*>(&one_int)
                    : wide ? static_cast<const void*>(one64)
                           : one32;
  const void* zero = l.wide ? static_cast<const void*>(&zero_int)
                     : wide ? static_cast<const void*>(zero64)
                            : zero32;
  return blas().cublasLtMatmul(handle, d.product, one, x.a, d.a, x.b, d.b, zero, c, d.c, c, d.c,
                               &choice.algorithm, workspace, choice.workspace,
                               static_cast<cudaStream_t>(l.stream));
}

}  // namespace

VendorAnswer vendor_gemm(const ProductLaunch& l, const char** problem) {
  const auto types = types_of(l);
  if (!types || !blas().usable) return VendorAnswer::NotTaken;
  Operands operands{};
  const auto p = problem_of(l, &operands);
  if (!p || l.device.index < 0 || l.device.index >= 64) return VendorAnswer::NotTaken;
  const DeviceGuard guard(l.device.index);
  const Descriptions d(*p, *types, l.bias);
  if (guard.error != cudaSuccess || !d.ok) return VendorAnswer::NotTaken;
  Choice choice;
  cublasLtHandle_t handle = nullptr;
  {
    Cache& c = cache();
    const std::lock_guard lock(c.mutex);
    cublasLtHandle_t& slot = c.handles[static_cast<std::size_t>(l.device.index)];
    if (slot == nullptr && blas().cublasLtCreate(&slot) != CUBLAS_STATUS_SUCCESS) {
      slot = nullptr;
      return VendorAnswer::NotTaken;
    }
    handle = slot;
    const auto known = c.choices.find(*p);
    if (known != c.choices.end()) {
      choice = known->second;
    } else {
      choice = ask(handle, *p, d);
      if (c.choices.size() >= kMostChoices) c.choices.clear();
      c.choices.emplace(*p, choice);
    }
  }
  if (!choice.found) return VendorAnswer::NotTaken;
  std::optional<Workspace> pointers;
  void* c = l.c;
  if (l.outer > 0) {
    const auto count = static_cast<std::size_t>(p->batch);
    pointers.emplace(l.device, 3 * count * sizeof(void*), l.stream, "matmul");
    if (pointers->data() == nullptr) return VendorAnswer::Done;  // reported
    auto** first = static_cast<void**>(pointers->data());
    const cudaError_t e = write_pointers(l, first);
    if (e != cudaSuccess) {
      check(e, "matmul");
      return VendorAnswer::Done;
    }
    const auto list = [&](std::int64_t number) {
      return reinterpret_cast<void*>(first + number * count);
    };
    operands = p->swapped != 0 ? Operands{list(1), list(0)} : Operands{list(0), list(1)};
    c = list(2);
  }
  std::optional<Workspace> memory;
  if (choice.workspace > 0) {
    memory.emplace(l.device, choice.workspace, l.stream, "matmul");
    if (memory->data() == nullptr) return VendorAnswer::Done;  // reported
  }
  const cublasStatus_t s =
      multiply(handle, l, operands, c, d, choice, memory ? memory->data() : nullptr);
  if (s == CUBLAS_STATUS_SUCCESS) return VendorAnswer::Done;
  thread_local char text[64];
  std::snprintf(text, sizeof(text), "cublasLtMatmul answered status %d", static_cast<int>(s));
  *problem = text;
  return VendorAnswer::Failed;
}

}  // namespace tandem::cuda
