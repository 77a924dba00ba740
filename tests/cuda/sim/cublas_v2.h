// A stand-in for cuBLAS's header: what kernels/cuda/solver*.cpp use, with NVIDIA's names and
// arguments (cuBLAS 13). tests/cuda/sim/fake_cublas.cpp implements it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cublas_types.h"
#include "cuda_runtime_api.h"

extern "C" {

struct cublasContext;
using cublasHandle_t = cublasContext*;

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle);
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t bytes);

#define TANDEM_FAKE_CUBLAS(S, T)                                                                 \
  cublasStatus_t cublas##S##trsm_v2_64(                                                          \
      cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t uplo, cublasOperation_t op, \
      cublasDiagType_t diagonal, std::int64_t m, std::int64_t n, const T* alpha, const T* a,     \
      std::int64_t lda, T* b, std::int64_t ldb);                                                 \
  cublasStatus_t cublas##S##trsmBatched_64(                                                      \
      cublasHandle_t handle, cublasSideMode_t side, cublasFillMode_t uplo, cublasOperation_t op, \
      cublasDiagType_t diagonal, std::int64_t m, std::int64_t n, const T* alpha,                 \
      const T* const a[], std::int64_t lda, T* const b[], std::int64_t ldb, std::int64_t batch); \
  cublasStatus_t cublas##S##getrfBatched(cublasHandle_t handle, int n, T* const a[], int lda,    \
                                         int* pivots, int* info, int batch);                     \
  cublasStatus_t cublas##S##getrsBatched(                                                        \
      cublasHandle_t handle, cublasOperation_t op, int n, int columns, const T* const a[],       \
      int lda, const int* pivots, T* const b[], int ldb, int* info, int batch);                  \
  cublasStatus_t cublas##S##getriBatched(cublasHandle_t handle, int n, const T* const a[],       \
                                         int lda, const int* pivots, T* const c[], int ldc,      \
                                         int* info, int batch);                                  \
  cublasStatus_t cublas##S##geqrfBatched(cublasHandle_t handle, int m, int n, T* const a[],      \
                                         int lda, T* const tau[], int* info, int batch);
TANDEM_FAKE_CUBLAS(S, float)
TANDEM_FAKE_CUBLAS(D, double)
TANDEM_FAKE_CUBLAS(C, cuComplex)
TANDEM_FAKE_CUBLAS(Z, cuDoubleComplex)
#undef TANDEM_FAKE_CUBLAS

}  // extern "C"
