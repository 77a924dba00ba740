// Batches of factorisations by the forms of cuSOLVER and cuBLAS that take a whole batch in one
// call. Which batches: goes_batched (tandem/backend/linalg.h), but for QR and singular values.
// Not used: cuSOLVER's potrsBatched (one right-hand side; two trsmBatched do any number) and
// syevjBatched (XsyevBatched, in solver.cpp, takes every size). orgqr and geev have no such form.
#include "kernels/cuda/solver.h"

#include <climits>

#include "kernels/cuda/solver_library.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

/// Where the matrices of some batches begin, in the device's memory.
class Addresses {
 public:
  Addresses(const FactorLaunch& l, std::initializer_list<MatrixBatch> of)
      : batch_(l.batch),
        room_(l.device, of.size() * static_cast<std::size_t>(l.batch) * sizeof(void*), l.stream,
              l.row->name),
        ok_(room_.data() != nullptr && launch_addresses(l, of, static_cast<void**>(room_.data()))) {
  }
  bool ok() const { return ok_; }  // else reported
  template <class T>
  T** of(int k) const {
    return static_cast<T**>(room_.data()) + k * batch_;
  }

 private:
  std::int64_t batch_;
  Workspace room_;
  bool ok_;
};

int narrow(std::int64_t n) { return static_cast<int>(n); }

/// The forms of the 32-bit interfaces.
bool fits(const FactorLaunch& l) {
  return std::max({l.batch, l.m, l.n, l.k, l.a.leading, l.b.leading}) <= INT_MAX;
}

void cholesky(const FactorLaunch& l) {
  const Addresses at(l, {l.a});
  const SolverHandle handle(l);
  if (!at.ok() || handle.get() == nullptr) return;
  by_letter(l.dtype, [&]<class T>() {
    const cusolverStatus_t status = TANDEM_PICK(T, solver(), cusolverDn, potrfBatched)(
        handle.get(), fill_mode(l), narrow(l.n), at.of<T>(0), narrow(l.a.leading), l.info,
        narrow(l.batch));
    if (status != CUSOLVER_STATUS_SUCCESS) return complain(l, "cusolverDn potrfBatched", status);
    launch_check_definite(l);
    launch_clear_triangle(l);
  });
}

/// Factors in a, pivots densely: false where the failure was reported.
template <class T>
bool factor(const FactorLaunch& l, const BlasHandle& handle, const Addresses& at,
            std::int32_t* pivots) {
  const cublasStatus_t status = TANDEM_PICK(T, cublas(), cublas, getrfBatched)(
      handle.get(), narrow(l.n), at.of<T>(0), narrow(l.a.leading), pivots, l.info, narrow(l.batch));
  if (status != CUBLAS_STATUS_SUCCESS) complain(l, "cublas getrfBatched", status);
  return status == CUBLAS_STATUS_SUCCESS;
}

void lu(const FactorLaunch& l) {
  const Addresses at(l, {l.a});
  const BlasHandle handle(l);
  if (!at.ok() || handle.get() == nullptr) return;
  by_letter(l.dtype, [&]<class T>() { factor<T>(l, handle, at, l.pivots); });
}

void inverse(const FactorLaunch& l) {
  const Addresses at(l, {l.a, l.b});
  // Pivots, and an info that says no more than that of the factors.
  const auto count = static_cast<std::size_t>(l.batch * l.n);
  const Workspace room(l.device, (count + static_cast<std::size_t>(l.batch)) * sizeof(std::int32_t),
                       l.stream, l.row->name);
  const BlasHandle handle(l);
  if (!at.ok() || room.data() == nullptr || handle.get() == nullptr) return;
  auto* pivots = static_cast<std::int32_t*>(room.data());
  by_letter(l.dtype, [&]<class T>() {
    if (!factor<T>(l, handle, at, pivots)) return;
    const cublasStatus_t status = TANDEM_PICK(T, cublas(), cublas, getriBatched)(
        handle.get(), narrow(l.n), at.of<T>(0), narrow(l.a.leading), pivots, at.of<T>(1),
        narrow(l.b.leading), pivots + count, narrow(l.batch));
    if (status != CUBLAS_STATUS_SUCCESS) complain(l, "cublas getriBatched", status);
  });
}

void lu_solve(const FactorLaunch& l) {
  const Addresses at(l, {l.a, l.b});
  const std::int64_t count = l.batch * l.n;
  const Workspace room(l.device, static_cast<std::size_t>(count) * sizeof(std::int32_t), l.stream,
                       l.row->name);
  const BlasHandle handle(l);
  if (!at.ok() || room.data() == nullptr || handle.get() == nullptr) return;
  auto* pivots = static_cast<std::int32_t*>(room.data());
  // A user's may point anywhere.
  launch_copy_pivots(l, l.pivots, pivots, count, l.pivots_stride == 0 ? l.n : count);
  by_letter(l.dtype, [&]<class T>() {
    int wrong = 0;  // of the arguments: on the host
    const cublasStatus_t status = TANDEM_PICK(T, cublas(), cublas, getrsBatched)(
        handle.get(), operation(l.op), narrow(l.n), narrow(l.k), at.of<T>(0), narrow(l.a.leading),
        pivots, at.of<T>(1), narrow(l.b.leading), &wrong, narrow(l.batch));
    if (status != CUBLAS_STATUS_SUCCESS || wrong != 0)
      complain(l, "cublas getrsBatched", status != CUBLAS_STATUS_SUCCESS ? status : wrong);
  });
}

void triangular(const FactorLaunch& l) {
  const Addresses at(l, {l.a, l.b});
  const BlasHandle handle(l);
  if (!at.ok() || handle.get() == nullptr) return;
  by_letter(l.dtype, [&]<class T>() {
    T one{};
    reinterpret_cast<typename Letter<T>::Real&>(one) = 1;  // a complex number's real part is first
    const cublasStatus_t status = TANDEM_PICK(T, cublas(), cublas, trsmBatched_64)(
        handle.get(), CUBLAS_SIDE_LEFT, fill_mode(l), operation(l.op),
        l.unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT, l.n, l.k, &one, at.of<T>(0), l.a.leading,
        at.of<T>(1), l.b.leading, l.batch);
    if (status != CUBLAS_STATUS_SUCCESS) complain(l, "cublas trsmBatched", status);
  });
}

void qr(const FactorLaunch& l) {
  const std::int64_t k = std::min(l.m, l.n);
  const Addresses at(l, {l.a, MatrixBatch{l.tau, 1, k}});
  const BlasHandle handle(l);
  if (!at.ok() || handle.get() == nullptr) return;
  by_letter(l.dtype, [&]<class T>() {
    int wrong = 0;
    const cublasStatus_t status = TANDEM_PICK(T, cublas(), cublas, geqrfBatched)(
        handle.get(), narrow(l.m), narrow(l.n), at.of<T>(0), narrow(l.a.leading), at.of<T>(1),
        &wrong, narrow(l.batch));
    if (status != CUBLAS_STATUS_SUCCESS || wrong != 0)
      complain(l, "cublas geqrfBatched", status != CUBLAS_STATUS_SUCCESS ? status : wrong);
  });
}

/// A batch of at most kMostJacobi matrices.
template <class T>
bool jacobi(const FactorLaunch& l, const SolverHandle& handle) {
  const int m = narrow(l.m), n = narrow(l.n), lda = narrow(l.a.leading), batch = narrow(l.batch);
  const cusolverEigMode_t job = l.vectors ? CUSOLVER_EIG_MODE_VECTOR : CUSOLVER_EIG_MODE_NOVECTOR;
  const std::int64_t squares = l.vectors ? l.batch * (l.m * l.m + l.n * l.n) : 0;
  auto* a = static_cast<T*>(l.a.data);
  auto* values = static_cast<typename Letter<T>::Real*>(l.values);
  int elements = 0;
  cusolverStatus_t status = TANDEM_PICK(T, solver(), cusolverDn, gesvdjBatched_bufferSize)(
      handle.get(), job, m, n, a, lda, values, nullptr, m, nullptr, n, &elements, handle.jacobi(),
      batch);
  if (status != CUSOLVER_STATUS_SUCCESS) {
    complain(l, "cusolverDn gesvdjBatched_bufferSize", status);
    return false;
  }
  const std::int64_t all = squares + std::max(elements, 1);
  const Workspace room(l.device, static_cast<std::size_t>(all) * sizeof(T), l.stream, l.row->name);
  if (room.data() == nullptr) return false;
  auto* u = static_cast<T*>(room.data());
  auto* v = u + (l.vectors ? l.batch * l.m * l.m : 0);
  status = TANDEM_PICK(T, solver(), cusolverDn, gesvdjBatched)(
      handle.get(), job, m, n, a, lda, values, l.vectors ? u : nullptr, m, l.vectors ? v : nullptr,
      n, u + squares, elements, l.info, handle.jacobi(), batch);
  if (status != CUSOLVER_STATUS_SUCCESS) {
    complain(l, "cusolverDn gesvdjBatched", status);
    return false;
  }
  if (l.vectors) launch_take_vectors(l, u, v);
  return true;
}

constexpr std::int64_t kMostJacobiRows = 32;                 // the library's limit
constexpr std::int64_t kMostJacobi = std::int64_t(1) << 15;  // its workspace's size is an int

void svd(const FactorLaunch& l) {
  const SolverHandle handle(l);
  if (handle.get() == nullptr) return;
  by_letter(l.dtype, [&]<class T>() {
    FactorLaunch part = l;
    for (std::int64_t from = 0; from < l.batch; from += kMostJacobi) {
      part.batch = std::min(kMostJacobi, l.batch - from);
      if (!jacobi<T>(part, handle)) return;
      const auto step = [&](MatrixBatch& m) {
        if (m.data != nullptr) m.data = static_cast<T*>(m.data) + part.batch * m.stride;
      };
      step(part.a);
      step(part.u);
      step(part.v);
      part.values = static_cast<typename Letter<T>::Real*>(part.values) + part.batch * l.n;
      part.info += part.batch;
    }
  });
}

}  // namespace

bool batched_factor(const FactorLaunch& l) {
  using Step = FactorLaunch::Step;
  if (l.batch < 2 || !fits(l)) return false;
  const auto take = [&](bool serves, void (*form)(const FactorLaunch&)) {
    if (serves) form(l);
    return serves;
  };
  const bool small = goes_batched(l.batch, l.n);
  switch (l.step) {
    case Step::Cholesky:
      return take(small, &cholesky);
    case Step::LU:  // of square matrices alone
      return take(small && l.m == l.n, &lu);
    case Step::Inverse:
      return take(small, &inverse);
    case Step::LUSolve:
      return take(small, &lu_solve);
    case Step::Triangular:
      return take(small, &triangular);
    case Step::QR:  // a block a matrix: tall ones want more of the device
      return take(l.m <= 256 && l.batch >= l.m / 16, &qr);
    case Step::Svd:
      return take(l.m <= kMostJacobiRows && l.n <= l.m, &svd);
    default:
      return false;
  }
}

}  // namespace tandem::cuda
