// cuSOLVER and cuBLAS as the steps of factorisations use them: both are opened at the first step,
// behind tables of the functions used; nothing links them.
#pragma once

#include <cublas_v2.h>
#include <cusolverDn.h>

#include <mutex>
#include <optional>

#include "kernels/cuda/context.h"
#include "kernels/cuda/library.h"
#include "tandem/backend/linalg.h"

namespace tandem::cuda {

#define TANDEM_EACH_LETTER(X, before, after) \
  X(before##S##after) X(before##D##after) X(before##C##after) X(before##Z##after)

#define TANDEM_SOLVER_CALLS(X)                     \
  X(cusolverDnCreate)                              \
  X(cusolverDnSetStream)                           \
  X(cusolverDnCreateParams)                        \
  X(cusolverDnXpotrf)                              \
  X(cusolverDnXpotrf_bufferSize)                   \
  X(cusolverDnXgetrf)                              \
  X(cusolverDnXgetrf_bufferSize)                   \
  X(cusolverDnXgetrs)                              \
  X(cusolverDnXgeqrf)                              \
  X(cusolverDnXgeqrf_bufferSize)                   \
  X(cusolverDnXsyevd)                              \
  X(cusolverDnXsyevd_bufferSize)                   \
  X(cusolverDnXsyevBatched)                        \
  X(cusolverDnXsyevBatched_bufferSize)             \
  X(cusolverDnXgesvd)                              \
  X(cusolverDnXgesvd_bufferSize)                   \
  X(cusolverDnXgeev)                               \
  X(cusolverDnXgeev_bufferSize)                    \
  X(cusolverDnSorgqr)                              \
  X(cusolverDnSorgqr_bufferSize)                   \
  X(cusolverDnDorgqr)                              \
  X(cusolverDnDorgqr_bufferSize)                   \
  X(cusolverDnCungqr)                              \
  X(cusolverDnCungqr_bufferSize)                   \
  X(cusolverDnZungqr)                              \
  X(cusolverDnZungqr_bufferSize)                   \
  X(cusolverDnCreateGesvdjInfo)                    \
  TANDEM_EACH_LETTER(X, cusolverDn, potrfBatched)  \
  TANDEM_EACH_LETTER(X, cusolverDn, gesvdjBatched) \
  TANDEM_EACH_LETTER(X, cusolverDn, gesvdjBatched_bufferSize)

#define TANDEM_CUBLAS_CALLS(X)                  \
  X(cublasCreate_v2)                            \
  X(cublasSetStream_v2)                         \
  X(cublasSetWorkspace_v2)                      \
  TANDEM_EACH_LETTER(X, cublas, trsm_v2_64)     \
  TANDEM_EACH_LETTER(X, cublas, trsmBatched_64) \
  TANDEM_EACH_LETTER(X, cublas, getrfBatched)   \
  TANDEM_EACH_LETTER(X, cublas, getrsBatched)   \
  TANDEM_EACH_LETTER(X, cublas, getriBatched)   \
  TANDEM_EACH_LETTER(X, cublas, geqrfBatched)

TANDEM_VENDOR_TABLE(Solver, "cusolver", CUSOLVER_VER_MAJOR, TANDEM_SOLVER_CALLS)
TANDEM_VENDOR_TABLE(Cublas, "cublas", CUBLAS_VER_MAJOR, TANDEM_CUBLAS_CALLS)

const Solver& solver();
const Cublas& cublas();

/// "[linalg_svd] cusolverDnXgesvd answered status 7".
void complain(const FactorLaunch& l, const char* what, int status);

/// cuSOLVER's handle of the launch's device, on the launch's stream. A handle has one stream at a
/// time, so the object holds a mutex until all is queued. Null, and reported, where there is none.
class SolverHandle {
 public:
  explicit SolverHandle(const FactorLaunch& l);
  cusolverDnHandle_t get() const { return handle_; }
  cusolverDnParams_t params() const;
  gesvdjInfo_t jacobi() const;

 private:
  std::unique_lock<std::mutex> lock_;
  cusolverDnHandle_t handle_ = nullptr;
};

/// The same of cuBLAS, with a workspace from the pool.
class BlasHandle {
 public:
  explicit BlasHandle(const FactorLaunch& l);
  cublasHandle_t get() const { return handle_; }

 private:
  std::optional<Workspace> room_;
  std::unique_lock<std::mutex> lock_;
  cublasHandle_t handle_ = nullptr;
};

/// One of four functions, or types, by element type.
template <class T>
struct Letter;
template <>
struct Letter<float> {
  using Real = float;
  template <class S, class D, class C, class Z>
  static S pick(S s, D, C, Z) {
    return s;
  }
};
template <>
struct Letter<double> {
  using Real = double;
  template <class S, class D, class C, class Z>
  static D pick(S, D d, C, Z) {
    return d;
  }
};
template <>
struct Letter<cuComplex> {
  using Real = float;
  template <class S, class D, class C, class Z>
  static C pick(S, D, C c, Z) {
    return c;
  }
};
template <>
struct Letter<cuDoubleComplex> {
  using Real = double;
  template <class S, class D, class C, class Z>
  static Z pick(S, D, C, Z z) {
    return z;
  }
};
/// table.beforeLETTERafter of the element type T.
#define TANDEM_PICK(T, table, before, after)                                          \
  ::tandem::cuda::Letter<T>::pick((table).before##S##after, (table).before##D##after, \
                                  (table).before##C##after, (table).before##Z##after)

/// f.operator()<T>() with the vendor's element type.
template <class F>
void by_letter(DType t, F&& f) {
  switch (t) {
    case DType::float32:
      return f.template operator()<float>();
    case DType::float64:
      return f.template operator()<double>();
    case DType::complex64:
      return f.template operator()<cuComplex>();
    default:
      return f.template operator()<cuDoubleComplex>();
  }
}

inline cublasOperation_t operation(FactorLaunch::Op op) {
  return op == FactorLaunch::Op::Plain       ? CUBLAS_OP_N
         : op == FactorLaunch::Op::Transpose ? CUBLAS_OP_T
                                             : CUBLAS_OP_C;
}
inline cublasFillMode_t fill_mode(const FactorLaunch& l) {
  return l.upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
}

}  // namespace tandem::cuda
