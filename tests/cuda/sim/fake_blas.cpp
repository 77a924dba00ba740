// A cuBLASLt for the simulated device: it checks what it is given as NVIDIA's documents ask for it,
// multiplies element by element in the host's memory, and keeps a record. Built as
// libcublasLt.so.13, which TANDEM_VENDOR_LIBRARIES has the backend open.
#include "fake_blas.h"

#include <algorithm>
#include <complex>
#include <cstring>

#include "cublasLt.h"
#include "fake_device.h"
#include "tandem/fn.h"

using tandem::BFloat16;
using tandem::Half;

struct cublasLtContext {};
struct cublasLtMatmulDescOpaque_t {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  std::int32_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct cublasLtMatrixLayoutOpaque_t {
  cudaDataType_t type;
  std::int64_t rows, columns, leading;
  std::int32_t batch = 1;
  std::int64_t stride = 0;
  std::uint32_t mode = CUBLASLT_BATCH_MODE_STRIDED;
};
struct cublasLtMatmulPreferenceOpaque_t {
  std::uint64_t workspace = 0;
  std::uint32_t alignment[4] = {256, 256, 256, 256};
};

namespace {

FakeBlas g_record{};

using Layout = cublasLtMatrixLayoutOpaque_t;
using Desc = cublasLtMatmulDescOpaque_t;

template <class T>
cublasStatus_t take(T& to, const void* value, std::size_t size) {
  if (size != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&to, value, size);
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t destroy(T* p) {
  if (p == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  delete p;
  --g_record.alive;
  return CUBLAS_STATUS_SUCCESS;
}

bool fits_types(const Desc& d, cudaDataType_t in, cudaDataType_t out) {
  switch (d.compute) {
    case CUBLAS_COMPUTE_32I:
      return in == CUDA_R_8I && out == CUDA_R_32I && d.scale == CUDA_R_32I;
    case CUBLAS_COMPUTE_64F:
      return in == out && d.scale == in && (in == CUDA_R_64F || in == CUDA_C_64F);
    default:
      if (in != out) return false;
      if (in == CUDA_C_32F) return d.scale == CUDA_C_32F;
      return d.scale == CUDA_R_32F && (in == CUDA_R_32F || in == CUDA_R_16F || in == CUDA_R_16BF);
  }
}

/// Rows and columns of op(X).
std::int64_t rows(const Layout& x, std::int32_t op) {
  return op == CUBLAS_OP_N ? x.rows : x.columns;
}
std::int64_t columns(const Layout& x, std::int32_t op) {
  return op == CUBLAS_OP_N ? x.columns : x.rows;
}

bool fits(const Desc& d, const Layout& a, const Layout& b, const Layout& c) {
  bool ok = a.type == b.type && fits_types(d, a.type, c.type);
  ok = ok && rows(a, d.a) == c.rows && columns(a, d.a) == rows(b, d.b) &&
       columns(b, d.b) == c.columns;
  for (const Layout* x : {&a, &b, &c}) {
    ok = ok && x->rows > 0 && x->columns > 0 && x->leading >= x->rows && x->batch == c.batch &&
         x->mode == c.mode;
  }
  const bool complex = c.type == CUDA_C_32F || c.type == CUDA_C_64F;
  ok = ok && (d.epilogue == CUBLASLT_EPILOGUE_DEFAULT ||
              (d.epilogue == CUBLASLT_EPILOGUE_BIAS && !complex && d.bias != nullptr));
  if (d.compute != CUBLAS_COMPUTE_32I) return ok;
  const auto fours = [](std::int64_t x) { return x % 4 == 0; };
  return ok && d.a == CUBLAS_OP_T && d.b == CUBLAS_OP_N && fours(c.rows) && fours(a.rows) &&
         fours(a.leading) && fours(b.leading) && fours(c.leading);
}

double value(const void* p, cudaDataType_t type, std::int64_t i, bool imaginary) {
  switch (type) {
    case CUDA_R_16F:
      return static_cast<double>(tandem::fn::load(static_cast<const Half*>(p)[i]));
    case CUDA_R_16BF:
      return static_cast<double>(tandem::fn::load(static_cast<const BFloat16*>(p)[i]));
    case CUDA_R_32F:
      return static_cast<double>(static_cast<const float*>(p)[i]);
    case CUDA_R_64F:
      return static_cast<const double*>(p)[i];
    case CUDA_R_8I:
      return static_cast<const std::int8_t*>(p)[i];
    case CUDA_C_32F:
      return static_cast<double>(static_cast<const float*>(p)[2 * i + (imaginary ? 1 : 0)]);
    case CUDA_C_64F:
      return static_cast<const double*>(p)[2 * i + (imaginary ? 1 : 0)];
    default:
      return 0;
  }
}

void store(void* p, cudaDataType_t type, std::int64_t i, std::complex<double> x) {
  const auto single = static_cast<float>(x.real());
  switch (type) {
    case CUDA_R_16F:
      static_cast<Half*>(p)[i] = tandem::fn::cast<Half>(single);
      break;
    case CUDA_R_16BF:
      static_cast<BFloat16*>(p)[i] = tandem::fn::cast<BFloat16>(single);
      break;
    case CUDA_R_32F:
      static_cast<float*>(p)[i] = single;
      break;
    case CUDA_R_64F:
      static_cast<double*>(p)[i] = x.real();
      break;
    case CUDA_R_32I:
      static_cast<std::int32_t*>(p)[i] =
          static_cast<std::int32_t>(static_cast<std::int64_t>(x.real()));
      break;
    case CUDA_C_32F:
      static_cast<float*>(p)[2 * i] = single;
      static_cast<float*>(p)[2 * i + 1] = static_cast<float>(x.imag());
      break;
    default:
      static_cast<double*>(p)[2 * i] = x.real();
      static_cast<double*>(p)[2 * i + 1] = x.imag();
  }
}

std::int64_t size_of(cudaDataType_t type) {
  switch (type) {
    case CUDA_R_8I:
      return 1;
    case CUDA_R_16F:
    case CUDA_R_16BF:
      return 2;
    case CUDA_R_64F:
    case CUDA_C_32F:
      return 8;
    case CUDA_C_64F:
      return 16;
    default:
      return 4;
  }
}

/// Matrix i of a batch.
const void* matrix(const void* p, const Layout& x, std::int64_t i) {
  if (x.mode == CUBLASLT_BATCH_MODE_POINTER_ARRAY) return static_cast<const void* const*>(p)[i];
  return static_cast<const char*>(p) + i * x.stride * size_of(x.type);
}

void multiply(const Desc& d, const void* a, const Layout& la, const void* b, const Layout& lb,
              void* c, const Layout& lc) {
  const bool complex = lc.type == CUDA_C_32F || lc.type == CUDA_C_64F;
  const std::int64_t depth = columns(la, d.a);
  const auto at = [](const Layout& x, std::int32_t op, std::int64_t row, std::int64_t column) {
    return op == CUBLAS_OP_N ? row + column * x.leading : column + row * x.leading;
  };
  const auto number = [&](const void* p, const Layout& x, std::int64_t i) {
    return std::complex<double>(value(p, x.type, i, false),
                                complex ? value(p, x.type, i, true) : 0);
  };
  for (std::int64_t j = 0; j < lc.columns; ++j) {
    for (std::int64_t i = 0; i < lc.rows; ++i) {
      std::complex<double> sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += number(a, la, at(la, d.a, i, k)) * number(b, lb, at(lb, d.b, k, j));
      }
      if (d.epilogue == CUBLASLT_EPILOGUE_BIAS) sum += value(d.bias, lc.type, i, false);
      store(c, lc.type, i + j * lc.leading, sum);
    }
  }
}

/// What an "algorithm" wants: it is to come from the pool, whole.
std::size_t workspace_of(const Layout& c) {
  return 512 + static_cast<std::size_t>(c.rows % 7 + c.columns % 5) * 64;
}

bool is_one(const void* p, cudaDataType_t scale, double wanted) {
  if (scale == CUDA_R_32I) return *static_cast<const std::int32_t*>(p) == static_cast<int>(wanted);
  const bool complex = scale == CUDA_C_32F || scale == CUDA_C_64F;
  return value(p, scale, 0, false) == wanted && (!complex || value(p, scale, 0, true) == 0);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) FakeBlas* fake_blas() { return &g_record; }

#pragma GCC visibility push(default)

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* out, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  *out = new Desc{compute, scale};
  ++g_record.alive;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) { return destroy(d); }
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d,
                                              cublasLtMatmulDescAttributes_t what,
                                              const void* value, std::size_t size) {
  switch (what) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      return take(d->a, value, size);
    case CUBLASLT_MATMUL_DESC_TRANSB:
      return take(d->b, value, size);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      return take(d->epilogue, value, size);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      return take(d->bias, value, size);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* out, cudaDataType_t type,
                                          std::uint64_t rows, std::uint64_t columns,
                                          std::int64_t leading) {
  *out = new Layout{type, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns),
                    leading};
  ++g_record.alive;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t x) { return destroy(x); }
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t x,
                                                cublasLtMatrixLayoutAttribute_t what,
                                                const void* value, std::size_t size) {
  switch (what) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
      return take(x->batch, value, size);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
      return take(x->stride, value, size);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_MODE:
      return take(x->mode, value, size);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* out) {
  *out = new cublasLtMatmulPreferenceOpaque_t;
  ++g_record.alive;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) { return destroy(p); }
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t what,
                                                    const void* value, std::size_t size) {
  if (what == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return take(p->workspace, value, size);
  return take(p->alignment[what - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES], value, size);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t d,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t out,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t* results,
                                              int* found) {
  ++g_record.heuristics;
  *found = 0;
  if (wanted < 1 || c->rows != out->rows) return CUBLAS_STATUS_INVALID_VALUE;
  const std::size_t workspace = workspace_of(*c);
  if (!fits(*d, *a, *b, *c) || preference->workspace < workspace)
    return CUBLAS_STATUS_NOT_SUPPORTED;
  *results = {};
  for (int i = 0; i < 3; ++i) results->algo.data[i] = preference->alignment[i];
  results->algo.data[3] = static_cast<std::uint64_t>(c->rows);
  results->workspaceSize = workspace;
  *found = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t d, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t la, const void* b,
                              cublasLtMatrixLayout_t lb, const void* beta, const void* c,
                              cublasLtMatrixLayout_t lc, void* out, cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t* algo, void* workspace,
                              std::size_t workspace_bytes, cudaStream_t stream) {
  const bool pointers = lc->mode == CUBLASLT_BATCH_MODE_POINTER_ARRAY;
  bool ok = fits(*d, *la, *lb, *ld) && c == out &&
            algo->data[3] == static_cast<std::uint64_t>(lc->rows) && is_one(alpha, d->scale, 1) &&
            is_one(beta, d->scale, 0) && workspace_bytes == workspace_of(*lc) &&
            workspace != nullptr;
  ok = ok && fake::holds(stream, workspace, workspace_bytes);
  if (!ok) return CUBLAS_STATUS_INVALID_VALUE;
  // Descriptions may be destroyed before the stream comes to the work.
  const auto work = [=, algorithm = *algo, of = *d, la = *la, lb = *lb, lc = *lc] {
    std::memset(workspace, 0xee, workspace_bytes);
    for (std::int64_t i = 0; i < lc.batch; ++i) {
      const void* given[] = {matrix(a, la, i), matrix(b, lb, i), matrix(out, lc, i)};
      for (int x = 0; x < 3; ++x) {
        // A stride may leave the alignment that was promised for the first.
        const bool promised = i == 0 || pointers;
        if (promised && reinterpret_cast<std::uintptr_t>(given[x]) % algorithm.data[x] != 0) {
          ++g_record.misaligned;
        }
      }
      multiply(of, given[0], la, given[1], lb, const_cast<void*>(given[2]), lc);
    }
  };
  if (!fake::queued(stream, work)) return CUBLAS_STATUS_EXECUTION_FAILED;
  const int products = g_record.products + 1;
  g_record = {products,
              g_record.heuristics,
              g_record.alive,
              g_record.misaligned,
              d->epilogue == CUBLASLT_EPILOGUE_BIAS,
              pointers,
              d->a == CUBLAS_OP_T,
              d->b == CUBLAS_OP_T,
              d->compute,
              lc->rows,
              lc->columns,
              columns(*la, d->a),
              la->leading,
              lb->leading,
              lc->leading,
              lc->batch,
              la->stride,
              lb->stride,
              lc->stride,
              workspace_bytes};
  return CUBLAS_STATUS_SUCCESS;
}

#pragma GCC visibility pop

}  // extern "C"
