// Handles of cuSOLVER and cuBLAS.
#include "kernels/cuda/solver_library.h"

#include <array>
#include <cstdio>

namespace tandem::cuda {

namespace {

// As the messages name them.
#define TANDEM_STRING(x) #x
#define TANDEM_LIBRARY(name, major) "lib" name ".so." TANDEM_STRING(major)
constexpr const char* kSolverLibrary = TANDEM_LIBRARY("cusolver", CUSOLVER_VER_MAJOR);
constexpr const char* kBlasLibrary = TANDEM_LIBRARY("cublas", CUBLAS_VER_MAJOR);
constexpr std::size_t kBlasRoom = std::size_t(4) << 20;

struct Handles {
  std::mutex solver_mutex, blas_mutex;
  std::array<cusolverDnHandle_t, 64> solvers{};
  std::array<cublasHandle_t, 64> blas{};
  cusolverDnParams_t params = nullptr;
  gesvdjInfo_t jacobi = nullptr;
};
Handles& handles() {
  static Handles& h = *new Handles();
  return h;
}

void missing(const FactorLaunch& l, const char* library) {
  char message[256];
  std::snprintf(message, sizeof message,
                "[%s] expected %s with what this version of it has, which was not found; the call "
                "works on the CPU",
                l.row->name, library);
  host().raise(message);
}

}  // namespace

const Solver& solver() {
  static const Solver& s = *new Solver();
  return s;
}

const Cublas& cublas() {
  static const Cublas& b = *new Cublas();
  return b;
}

void complain(const FactorLaunch& l, const char* what, int status) {
  char message[256];
  std::snprintf(message, sizeof message, "[%s] %s answered status %d", l.row->name, what, status);
  host().raise(message);
}

SolverHandle::SolverHandle(const FactorLaunch& l) {
  const Solver& f = solver();
  if (!f.usable) {
    missing(l, kSolverLibrary);
    return;
  }
  Handles& h = handles();
  lock_ = std::unique_lock(h.solver_mutex);
  cusolverDnHandle_t& slot = h.solvers[static_cast<std::size_t>(l.device.index)];
  cusolverStatus_t status = CUSOLVER_STATUS_SUCCESS;
  if (h.params == nullptr) status = f.cusolverDnCreateParams(&h.params);
  if (status == CUSOLVER_STATUS_SUCCESS && h.jacobi == nullptr)
    status = f.cusolverDnCreateGesvdjInfo(&h.jacobi);
  if (status == CUSOLVER_STATUS_SUCCESS && slot == nullptr) status = f.cusolverDnCreate(&slot);
  if (status == CUSOLVER_STATUS_SUCCESS)
    status = f.cusolverDnSetStream(slot, static_cast<cudaStream_t>(l.stream));
  if (status == CUSOLVER_STATUS_SUCCESS) {
    handle_ = slot;
  } else {
    complain(l, "cusolverDnCreate", status);
  }
}

cusolverDnParams_t SolverHandle::params() const { return handles().params; }
gesvdjInfo_t SolverHandle::jacobi() const { return handles().jacobi; }

BlasHandle::BlasHandle(const FactorLaunch& l) {
  const Cublas& f = cublas();
  if (!f.usable) {
    missing(l, kBlasLibrary);
    return;
  }
  room_.emplace(l.device, kBlasRoom, l.stream, l.row->name);
  if (room_->data() == nullptr) return;  // reported
  Handles& h = handles();
  lock_ = std::unique_lock(h.blas_mutex);
  cublasHandle_t& slot = h.blas[static_cast<std::size_t>(l.device.index)];
  cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
  if (slot == nullptr) status = f.cublasCreate_v2(&slot);
  // A stream takes the handle's workspace away: it is given after.
  if (status == CUBLAS_STATUS_SUCCESS)
    status = f.cublasSetStream_v2(slot, static_cast<cudaStream_t>(l.stream));
  if (status == CUBLAS_STATUS_SUCCESS)
    status = f.cublasSetWorkspace_v2(slot, room_->data(), kBlasRoom);
  if (status == CUBLAS_STATUS_SUCCESS) {
    handle_ = slot;
  } else {
    complain(l, "cublasCreate", status);
  }
}

}  // namespace tandem::cuda
