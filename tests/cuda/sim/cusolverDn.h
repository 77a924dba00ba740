// A stand-in for cuSOLVER's header: what kernels/cuda/solver*.cpp use, with NVIDIA's names and
// arguments (cuSOLVER 12). tests/cuda/sim/fake_cusolver.cpp implements it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cublas_types.h"
#include "cuda_runtime_api.h"

#define CUSOLVER_VER_MAJOR 12

extern "C" {

enum cusolverStatus_t {
  CUSOLVER_STATUS_SUCCESS = 0,
  CUSOLVER_STATUS_INVALID_VALUE = 3,
  CUSOLVER_STATUS_EXECUTION_FAILED = 6,
};
enum cusolverEigMode_t { CUSOLVER_EIG_MODE_NOVECTOR = 0, CUSOLVER_EIG_MODE_VECTOR = 1 };

struct cusolverDnContext;
struct cusolverDnParams;
struct gesvdjInfo;
using cusolverDnHandle_t = cusolverDnContext*;
using cusolverDnParams_t = cusolverDnParams*;
using gesvdjInfo_t = gesvdjInfo*;

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle);
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream);
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* params);
cusolverStatus_t cusolverDnCreateGesvdjInfo(gesvdjInfo_t* info);

// How a step is asked for, its data, and where it works: on the device and on the host.
#define TANDEM_FAKE_SIZES std::size_t *device_bytes, std::size_t *host_bytes
#define TANDEM_FAKE_ROOMS \
  void *device_room, std::size_t device_bytes, void *host_room, std::size_t host_bytes
#define TANDEM_FAKE_ASK cusolverDnHandle_t handle, cusolverDnParams_t params

cusolverStatus_t cusolverDnXpotrf_bufferSize(TANDEM_FAKE_ASK, cublasFillMode_t uplo, std::int64_t n,
                                             cudaDataType t, const void* a, std::int64_t lda,
                                             cudaDataType compute, TANDEM_FAKE_SIZES);
cusolverStatus_t cusolverDnXpotrf(TANDEM_FAKE_ASK, cublasFillMode_t uplo, std::int64_t n,
                                  cudaDataType t, void* a, std::int64_t lda, cudaDataType compute,
                                  TANDEM_FAKE_ROOMS, int* info);
cusolverStatus_t cusolverDnXgetrf_bufferSize(TANDEM_FAKE_ASK, std::int64_t m, std::int64_t n,
                                             cudaDataType t, const void* a, std::int64_t lda,
                                             cudaDataType compute, TANDEM_FAKE_SIZES);
cusolverStatus_t cusolverDnXgetrf(TANDEM_FAKE_ASK, std::int64_t m, std::int64_t n, cudaDataType t,
                                  void* a, std::int64_t lda, std::int64_t* pivots,
                                  cudaDataType compute, TANDEM_FAKE_ROOMS, int* info);
cusolverStatus_t cusolverDnXgetrs(TANDEM_FAKE_ASK, cublasOperation_t op, std::int64_t n,
                                  std::int64_t columns, cudaDataType ta, const void* a,
                                  std::int64_t lda, const std::int64_t* pivots, cudaDataType tb,
                                  void* b, std::int64_t ldb, int* info);
cusolverStatus_t cusolverDnXgeqrf_bufferSize(TANDEM_FAKE_ASK, std::int64_t m, std::int64_t n,
                                             cudaDataType t, const void* a, std::int64_t lda,
                                             cudaDataType ttau, const void* tau,
                                             cudaDataType compute, TANDEM_FAKE_SIZES);
cusolverStatus_t cusolverDnXgeqrf(TANDEM_FAKE_ASK, std::int64_t m, std::int64_t n, cudaDataType t,
                                  void* a, std::int64_t lda, cudaDataType ttau, void* tau,
                                  cudaDataType compute, TANDEM_FAKE_ROOMS, int* info);
cusolverStatus_t cusolverDnXsyevd_bufferSize(TANDEM_FAKE_ASK, cusolverEigMode_t job,
                                             cublasFillMode_t uplo, std::int64_t n, cudaDataType t,
                                             const void* a, std::int64_t lda, cudaDataType tw,
                                             const void* w, cudaDataType compute,
                                             TANDEM_FAKE_SIZES);
cusolverStatus_t cusolverDnXsyevd(TANDEM_FAKE_ASK, cusolverEigMode_t job, cublasFillMode_t uplo,
                                  std::int64_t n, cudaDataType t, void* a, std::int64_t lda,
                                  cudaDataType tw, void* w, cudaDataType compute, TANDEM_FAKE_ROOMS,
                                  int* info);
cusolverStatus_t cusolverDnXsyevBatched_bufferSize(TANDEM_FAKE_ASK, cusolverEigMode_t job,
                                                   cublasFillMode_t uplo, std::int64_t n,
                                                   cudaDataType t, const void* a, std::int64_t lda,
                                                   cudaDataType tw, const void* w,
                                                   cudaDataType compute, TANDEM_FAKE_SIZES,
                                                   std::int64_t batch);
cusolverStatus_t cusolverDnXsyevBatched(TANDEM_FAKE_ASK, cusolverEigMode_t job,
                                        cublasFillMode_t uplo, std::int64_t n, cudaDataType t,
                                        void* a, std::int64_t lda, cudaDataType tw, void* w,
                                        cudaDataType compute, TANDEM_FAKE_ROOMS, int* info,
                                        std::int64_t batch);
cusolverStatus_t cusolverDnXgesvd_bufferSize(TANDEM_FAKE_ASK, signed char jobu, signed char jobvt,
                                             std::int64_t m, std::int64_t n, cudaDataType t,
                                             const void* a, std::int64_t lda, cudaDataType ts,
                                             const void* s, cudaDataType tu, const void* u,
                                             std::int64_t ldu, cudaDataType tv, const void* vt,
                                             std::int64_t ldvt, cudaDataType compute,
                                             TANDEM_FAKE_SIZES);
cusolverStatus_t cusolverDnXgesvd(TANDEM_FAKE_ASK, signed char jobu, signed char jobvt,
                                  std::int64_t m, std::int64_t n, cudaDataType t, void* a,
                                  std::int64_t lda, cudaDataType ts, void* s, cudaDataType tu,
                                  void* u, std::int64_t ldu, cudaDataType tv, void* vt,
                                  std::int64_t ldvt, cudaDataType compute, TANDEM_FAKE_ROOMS,
                                  int* info);
cusolverStatus_t cusolverDnXgeev_bufferSize(TANDEM_FAKE_ASK, cusolverEigMode_t jobvl,
                                            cusolverEigMode_t jobvr, std::int64_t n, cudaDataType t,
                                            const void* a, std::int64_t lda, cudaDataType tw,
                                            const void* w, cudaDataType tvl, const void* vl,
                                            std::int64_t ldvl, cudaDataType tvr, const void* vr,
                                            std::int64_t ldvr, cudaDataType compute,
                                            TANDEM_FAKE_SIZES);
cusolverStatus_t cusolverDnXgeev(TANDEM_FAKE_ASK, cusolverEigMode_t jobvl, cusolverEigMode_t jobvr,
                                 std::int64_t n, cudaDataType t, void* a, std::int64_t lda,
                                 cudaDataType tw, void* w, cudaDataType tvl, void* vl,
                                 std::int64_t ldvl, cudaDataType tvr, void* vr, std::int64_t ldvr,
                                 cudaDataType compute, TANDEM_FAKE_ROOMS, int* info);

#define TANDEM_FAKE_CUSOLVER(S, T, R, gqr)                                                         \
  cusolverStatus_t cusolverDn##S##gqr##_bufferSize(cusolverDnHandle_t handle, int m, int n, int k, \
                                                   const T* a, int lda, const T* tau,              \
                                                   int* elements);                                 \
  cusolverStatus_t cusolverDn##S##gqr(cusolverDnHandle_t handle, int m, int n, int k, T* a,        \
                                      int lda, const T* tau, T* work, int elements, int* info);    \
  cusolverStatus_t cusolverDn##S##potrfBatched(cusolverDnHandle_t handle, cublasFillMode_t uplo,   \
                                               int n, T* a[], int lda, int* info, int batch);      \
  cusolverStatus_t cusolverDn##S##gesvdjBatched_bufferSize(                                        \
      cusolverDnHandle_t handle, cusolverEigMode_t job, int m, int n, const T* a, int lda,         \
      const R* s, const T* u, int ldu, const T* v, int ldv, int* elements, gesvdjInfo_t params,    \
      int batch);                                                                                  \
  cusolverStatus_t cusolverDn##S##gesvdjBatched(                                                   \
      cusolverDnHandle_t handle, cusolverEigMode_t job, int m, int n, T* a, int lda, R* s, T* u,   \
      int ldu, T* v, int ldv, T* work, int elements, int* info, gesvdjInfo_t params, int batch);
TANDEM_FAKE_CUSOLVER(S, float, float, orgqr)
TANDEM_FAKE_CUSOLVER(D, double, double, orgqr)
TANDEM_FAKE_CUSOLVER(C, cuComplex, float, ungqr)
TANDEM_FAKE_CUSOLVER(Z, cuDoubleComplex, double, ungqr)
#undef TANDEM_FAKE_CUSOLVER

}  // extern "C"
