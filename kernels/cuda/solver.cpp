// Factorisations on cuSOLVER's 64-bit interface, solutions with a triangle on cuBLAS. Both
// libraries are opened at the first step, behind tables of the functions used; nothing links them.
// Work on a device's memory is queued on the launch's stream; what a library wants of the host's
// memory is kept until the stream has passed the call.
#include "kernels/cuda/solver.h"

#include <cublas_v2.h>
#include <cusolverDn.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "kernels/cuda/context.h"
#include "kernels/cuda/library.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

#define TANDEM_SOLVER_CALLS(X)         \
  X(cusolverDnCreate)                  \
  X(cusolverDnSetStream)               \
  X(cusolverDnCreateParams)            \
  X(cusolverDnXpotrf)                  \
  X(cusolverDnXpotrf_bufferSize)       \
  X(cusolverDnXgetrf)                  \
  X(cusolverDnXgetrf_bufferSize)       \
  X(cusolverDnXgetrs)                  \
  X(cusolverDnXgeqrf)                  \
  X(cusolverDnXgeqrf_bufferSize)       \
  X(cusolverDnXsyevd)                  \
  X(cusolverDnXsyevd_bufferSize)       \
  X(cusolverDnXsyevBatched)            \
  X(cusolverDnXsyevBatched_bufferSize) \
  X(cusolverDnXgesvd)                  \
  X(cusolverDnXgesvd_bufferSize)       \
  X(cusolverDnXgeev)                   \
  X(cusolverDnXgeev_bufferSize)        \
  X(cusolverDnSorgqr)                  \
  X(cusolverDnSorgqr_bufferSize)       \
  X(cusolverDnDorgqr)                  \
  X(cusolverDnDorgqr_bufferSize)       \
  X(cusolverDnCungqr)                  \
  X(cusolverDnCungqr_bufferSize)       \
  X(cusolverDnZungqr)                  \
  X(cusolverDnZungqr_bufferSize)

#define TANDEM_BLAS_CALLS(X) \
  X(cublasCreate_v2)         \
  X(cublasSetStream_v2)      \
  X(cublasSetWorkspace_v2)   \
  X(cublasStrsm_v2_64)       \
  X(cublasDtrsm_v2_64)       \
  X(cublasCtrsm_v2_64)       \
  X(cublasZtrsm_v2_64)

// As the messages name them.
#define TANDEM_STRING(x) #x
#define TANDEM_LIBRARY(name, major) "lib" name ".so." TANDEM_STRING(major)
constexpr const char* kSolverLibrary = TANDEM_LIBRARY("cusolver", CUSOLVER_VER_MAJOR);
constexpr const char* kBlasLibrary = TANDEM_LIBRARY("cublas", CUBLAS_VER_MAJOR);

TANDEM_VENDOR_TABLE(Solver, "cusolver", CUSOLVER_VER_MAJOR, TANDEM_SOLVER_CALLS)
TANDEM_VENDOR_TABLE(Blas, "cublas", CUBLAS_VER_MAJOR, TANDEM_BLAS_CALLS)

const Solver& solver() {
  static const Solver& s = *new Solver();
  return s;
}

const Blas& blas() {
  static const Blas& b = *new Blas();
  return b;
}

/// Handles by device. A handle has one stream at a time, so a step holds the mutex from setting the
/// stream until all is queued.
struct Handles {
  std::mutex mutex;
  std::array<cusolverDnHandle_t, 64> solvers{};
  std::array<cublasHandle_t, 64> blas{};
  cusolverDnParams_t params = nullptr;
};
Handles& handles() {
  static Handles& h = *new Handles();
  return h;
}

void complain(const FactorLaunch& l, const char* what, int status) {
  char message[256];
  std::snprintf(message, sizeof message, "[%s] %s answered status %d", l.row->name, what, status);
  host().raise(message);
}

void missing(const FactorLaunch& l, const char* library) {
  char message[256];
  std::snprintf(message, sizeof message,
                "[%s] expected %s with what this version of it has, which was not found; the call "
                "works on the CPU",
                l.row->name, library);
  host().raise(message);
}

cudaDataType_t data_type(DType t) {
  return t == DType::float32     ? CUDA_R_32F
         : t == DType::float64   ? CUDA_R_64F
         : t == DType::complex64 ? CUDA_C_32F
                                 : CUDA_C_64F;
}
cudaDataType_t real_type(DType t) {
  return t == DType::float32 || t == DType::complex64 ? CUDA_R_32F : CUDA_R_64F;
}

/// A step in the hands of cuSOLVER.
struct Step {
  const FactorLaunch& l;
  const Solver& f;
  cusolverDnHandle_t handle;
  cusolverDnParams_t params;
  cudaDataType_t data, real;

  char* at(const MatrixBatch& m, std::int64_t b) const {
    return static_cast<char*>(m.data) +
           b * m.stride * static_cast<std::int64_t>(element_size(l.dtype));
  }
  void* tau(std::int64_t b, std::int64_t n) const {
    return static_cast<char*>(l.tau) + b * n * static_cast<std::int64_t>(element_size(l.dtype));
  }
  /// Real numbers; of Eig elements of the matrix's own type.
  void* values(std::int64_t b) const {
    const bool own = l.step == FactorLaunch::Step::Eig;
    const std::size_t size = element_size(own ? l.dtype : real_part(l.dtype));
    return static_cast<char*>(l.values) + b * std::min(l.m, l.n) * static_cast<std::int64_t>(size);
  }
};

bool capturing(const FactorLaunch& l) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  return cudaStreamIsCapturing(static_cast<cudaStream_t>(l.stream), &status) != cudaSuccess ||
         status != cudaStreamCaptureStatusNone;
}

/// Memory of the host that goes back when the stream has passed what was queued before. Each call
/// of a batch has a part of its own: the library may read it later.
class HostRoom {
 public:
  HostRoom(const FactorLaunch& l, std::size_t bytes, std::int64_t calls)
      : stream_(static_cast<cudaStream_t>(l.stream)), bytes_(bytes) {
    if (bytes > 0) data_ = std::malloc(bytes * static_cast<std::size_t>(calls));
  }
  ~HostRoom() {
    if (data_ == nullptr) return;
    if (cudaLaunchHostFunc(stream_, &std::free, data_) == cudaSuccess) return;
    static_cast<void>(cudaStreamSynchronize(stream_));
    std::free(data_);
  }
  HostRoom(const HostRoom&) = delete;
  HostRoom& operator=(const HostRoom&) = delete;
  bool ok() const { return bytes_ == 0 || data_ != nullptr; }
  void* part(std::int64_t i) const {
    return data_ == nullptr ? nullptr
                            : static_cast<char*>(data_) + static_cast<std::size_t>(i) * bytes_;
  }

 private:
  cudaStream_t stream_;
  std::size_t bytes_;
  void* data_ = nullptr;
};

/// size(&device_bytes, &host_bytes), then call(b, device, device_bytes, host, host_bytes) `calls`
/// times, with one workspace of the device: the calls follow each other on the stream.
template <class Size, class Call>
void with_rooms(const Step& s, const char* what, std::int64_t calls, Size size, Call call) {
  std::size_t device_bytes = 0, host_bytes = 0;
  cusolverStatus_t status = size(&device_bytes, &host_bytes);
  if (status != CUSOLVER_STATUS_SUCCESS) return complain(s.l, what, status);
  if (host_bytes > 0 && capturing(s.l)) {
    return raise(s.l.row->name,
                 "the library works on the host's memory, which a graph cannot keep");
  }
  const Workspace room(s.l.device, std::max<std::size_t>(device_bytes, 1), s.l.stream,
                       s.l.row->name);
  if (room.data() == nullptr) return;  // reported
  const HostRoom host_room(s.l, host_bytes, calls);
  if (!host_room.ok()) return raise(s.l.row->name, "out of host memory");
  for (std::int64_t b = 0; b < calls; ++b) {
    status = call(b, room.data(), device_bytes, host_room.part(b), host_bytes);
    if (status != CUSOLVER_STATUS_SUCCESS) return complain(s.l, what, status);
  }
}

void cholesky(const Step& s) {
  const FactorLaunch& l = s.l;
  const cublasFillMode_t uplo = l.upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
  with_rooms(
      s, "cusolverDnXpotrf", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXpotrf_bufferSize(s.handle, s.params, uplo, l.n, s.data, l.a.data,
                                               l.a.leading, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXpotrf(s.handle, s.params, uplo, l.n, s.data, s.at(l.a, b),
                                    l.a.leading, s.data, d, nd, h, nh, l.info + b);
      });
}

void lu(const Step& s) {
  const FactorLaunch& l = s.l;
  const std::int64_t k = std::min(l.m, l.n);
  const Workspace wide(l.device, static_cast<std::size_t>(l.batch * k) * sizeof(std::int64_t),
                       l.stream, l.row->name);
  if (wide.data() == nullptr) return;
  auto* pivots = static_cast<std::int64_t*>(wide.data());
  with_rooms(
      s, "cusolverDnXgetrf", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXgetrf_bufferSize(s.handle, s.params, l.m, l.n, s.data, l.a.data,
                                               l.a.leading, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXgetrf(s.handle, s.params, l.m, l.n, s.data, s.at(l.a, b), l.a.leading,
                                    pivots + b * k, s.data, d, nd, h, nh, l.info + b);
      });
  launch_narrow_pivots(l, pivots, l.pivots, l.batch * k);
}

cublasOperation_t operation(FactorLaunch::Op op) {
  return op == FactorLaunch::Op::Plain       ? CUBLAS_OP_N
         : op == FactorLaunch::Op::Transpose ? CUBLAS_OP_T
                                             : CUBLAS_OP_C;
}

/// Room for the info that a step has no use for, and pivots of the type that the library reads.
void lu_solve(const Step& s) {
  const FactorLaunch& l = s.l;
  const std::int64_t count = l.pivots_stride == 0 ? l.n : l.batch * l.n;
  const Workspace wide(l.device, static_cast<std::size_t>(count + 1) * sizeof(std::int64_t),
                       l.stream, l.row->name);
  if (wide.data() == nullptr) return;
  auto* pivots = static_cast<std::int64_t*>(wide.data());
  auto* unread = reinterpret_cast<int*>(pivots + count);
  launch_widen_pivots(l, l.pivots, pivots, count);
  for (std::int64_t b = 0; b < l.batch; ++b) {
    const cusolverStatus_t status = s.f.cusolverDnXgetrs(
        s.handle, s.params, operation(l.op), l.n, l.k, s.data, s.at(l.a, b), l.a.leading,
        pivots + b * l.pivots_stride, s.data, s.at(l.b, b), l.b.leading, unread);
    if (status != CUSOLVER_STATUS_SUCCESS) return complain(l, "cusolverDnXgetrs", status);
  }
}

void qr(const Step& s) {
  const FactorLaunch& l = s.l;
  const std::int64_t k = std::min(l.m, l.n);
  const Workspace unread(l.device, sizeof(int), l.stream, l.row->name);
  if (unread.data() == nullptr) return;
  with_rooms(
      s, "cusolverDnXgeqrf", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXgeqrf_bufferSize(s.handle, s.params, l.m, l.n, s.data, l.a.data,
                                               l.a.leading, s.data, l.tau, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXgeqrf(s.handle, s.params, l.m, l.n, s.data, s.at(l.a, b), l.a.leading,
                                    s.data, s.tau(b, k), s.data, d, nd, h, nh,
                                    static_cast<int*>(unread.data()));
      });
}

/// orgqr and ungqr have no 64-bit form.
template <class T, class Size, class Call>
void orthogonal_of(const Step& s, Size size, Call call) {
  const FactorLaunch& l = s.l;
  if (std::max({l.m, l.n, l.k, l.a.leading}) > INT32_MAX) {
    return raise(l.row->name, "expected extents below 2^31: the library has no orgqr of more");
  }
  const int m = static_cast<int>(l.m), n = static_cast<int>(l.n), k = static_cast<int>(l.k);
  const int lda = static_cast<int>(l.a.leading);
  int elements = 0;
  const cusolverStatus_t told = size(s.handle, m, n, k, static_cast<const T*>(l.a.data), lda,
                                     static_cast<const T*>(l.tau), &elements);
  if (told != CUSOLVER_STATUS_SUCCESS) return complain(l, "orgqr_bufferSize", told);
  // The info that is not read goes first.
  const Workspace room(l.device, 16 + static_cast<std::size_t>(elements) * sizeof(T), l.stream,
                       l.row->name);
  if (room.data() == nullptr) return;
  auto* work = reinterpret_cast<T*>(static_cast<char*>(room.data()) + 16);
  for (std::int64_t b = 0; b < l.batch; ++b) {
    const cusolverStatus_t status =
        call(s.handle, m, n, k, reinterpret_cast<T*>(s.at(l.a, b)), lda,
             static_cast<const T*>(s.tau(b, l.k)), work, elements, static_cast<int*>(room.data()));
    if (status != CUSOLVER_STATUS_SUCCESS) return complain(l, "orgqr", status);
  }
}

void orthogonal(const Step& s) {
  switch (s.l.dtype) {
    case DType::float32:
      return orthogonal_of<float>(s, s.f.cusolverDnSorgqr_bufferSize, s.f.cusolverDnSorgqr);
    case DType::float64:
      return orthogonal_of<double>(s, s.f.cusolverDnDorgqr_bufferSize, s.f.cusolverDnDorgqr);
    case DType::complex64:
      return orthogonal_of<cuComplex>(s, s.f.cusolverDnCungqr_bufferSize, s.f.cusolverDnCungqr);
    default:
      return orthogonal_of<cuDoubleComplex>(s, s.f.cusolverDnZungqr_bufferSize,
                                            s.f.cusolverDnZungqr);
  }
}

void eigh(const Step& s) {
  const FactorLaunch& l = s.l;
  const cublasFillMode_t uplo = l.upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
  const cusolverEigMode_t job = l.vectors ? CUSOLVER_EIG_MODE_VECTOR : CUSOLVER_EIG_MODE_NOVECTOR;
  if (l.batch > 1 && l.a.stride == l.n * l.n) {
    with_rooms(
        s, "cusolverDnXsyevBatched", 1,
        [&](std::size_t* d, std::size_t* h) {
          return s.f.cusolverDnXsyevBatched_bufferSize(s.handle, s.params, job, uplo, l.n, s.data,
                                                       l.a.data, l.a.leading, s.real, l.values,
                                                       s.data, d, h, l.batch);
        },
        [&](std::int64_t, void* d, std::size_t nd, void* h, std::size_t nh) {
          return s.f.cusolverDnXsyevBatched(s.handle, s.params, job, uplo, l.n, s.data, l.a.data,
                                            l.a.leading, s.real, l.values, s.data, d, nd, h, nh,
                                            l.info, l.batch);
        });
    return;
  }
  with_rooms(
      s, "cusolverDnXsyevd", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXsyevd_bufferSize(s.handle, s.params, job, uplo, l.n, s.data, l.a.data,
                                               l.a.leading, s.real, l.values, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXsyevd(s.handle, s.params, job, uplo, l.n, s.data, s.at(l.a, b),
                                    l.a.leading, s.real, s.values(b), s.data, d, nd, h, nh,
                                    l.info + b);
      });
}

/// m >= n: the front-end has turned the others.
void svd(const Step& s) {
  const FactorLaunch& l = s.l;
  const auto job = static_cast<signed char>(!l.vectors ? 'N' : l.full ? 'A' : 'S');
  const std::int64_t ldu = std::max(l.u.leading, l.m), ldv = std::max(l.v.leading, l.n);
  const auto u = [&](std::int64_t b) { return l.vectors ? s.at(l.u, b) : nullptr; };
  const auto v = [&](std::int64_t b) { return l.vectors ? s.at(l.v, b) : nullptr; };
  with_rooms(
      s, "cusolverDnXgesvd", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXgesvd_bufferSize(s.handle, s.params, job, job, l.m, l.n, s.data,
                                               l.a.data, l.a.leading, s.real, l.values, s.data,
                                               u(0), ldu, s.data, v(0), ldv, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXgesvd(s.handle, s.params, job, job, l.m, l.n, s.data, s.at(l.a, b),
                                    l.a.leading, s.real, s.values(b), s.data, u(b), ldu, s.data,
                                    v(b), ldv, s.data, d, nd, h, nh, l.info + b);
      });
}

/// Complex matrices: the front-end has widened the others.
void eig(const Step& s) {
  const FactorLaunch& l = s.l;
  const cusolverEigMode_t job = l.vectors ? CUSOLVER_EIG_MODE_VECTOR : CUSOLVER_EIG_MODE_NOVECTOR;
  const std::int64_t ldv = std::max(l.u.leading, l.n);
  const auto u = [&](std::int64_t b) { return l.vectors ? s.at(l.u, b) : nullptr; };
  with_rooms(
      s, "cusolverDnXgeev", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXgeev_bufferSize(
            s.handle, s.params, CUSOLVER_EIG_MODE_NOVECTOR, job, l.n, s.data, l.a.data, l.a.leading,
            s.data, l.values, s.data, nullptr, l.n, s.data, u(0), ldv, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXgeev(s.handle, s.params, CUSOLVER_EIG_MODE_NOVECTOR, job, l.n, s.data,
                                   s.at(l.a, b), l.a.leading, s.data, s.values(b), s.data, nullptr,
                                   l.n, s.data, u(b), ldv, s.data, d, nd, h, nh, l.info + b);
      });
}

template <class T, class Call>
cublasStatus_t triangular_of(const FactorLaunch& l, cublasHandle_t handle, T one, Call call) {
  cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
  for (std::int64_t b = 0; b < l.batch && status == CUBLAS_STATUS_SUCCESS; ++b) {
    status =
        call(handle, CUBLAS_SIDE_LEFT, l.upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER,
             operation(l.op), l.unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT, l.n, l.k, &one,
             static_cast<const T*>(l.a.data) + b * l.a.stride, l.a.leading,
             static_cast<T*>(l.b.data) + b * l.b.stride, l.b.leading);
  }
  return status;
}

void triangular(const FactorLaunch& l) {
  const Blas& f = blas();
  if (!f.usable) return missing(l, kBlasLibrary);
  constexpr std::size_t kRoom = std::size_t(4) << 20;
  const Workspace room(l.device, kRoom, l.stream, l.row->name);
  if (room.data() == nullptr) return;
  Handles& h = handles();
  const std::lock_guard lock(h.mutex);
  cublasHandle_t& handle = h.blas[static_cast<std::size_t>(l.device.index)];
  cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
  if (handle == nullptr) status = f.cublasCreate_v2(&handle);
  if (status != CUBLAS_STATUS_SUCCESS) {
    handle = nullptr;
    return complain(l, "cublasCreate", status);
  }
  status = f.cublasSetStream_v2(handle, static_cast<cudaStream_t>(l.stream));
  if (status == CUBLAS_STATUS_SUCCESS) status = f.cublasSetWorkspace_v2(handle, room.data(), kRoom);
  if (status == CUBLAS_STATUS_SUCCESS) {
    status = l.dtype == DType::float32   ? triangular_of(l, handle, 1.0F, f.cublasStrsm_v2_64)
             : l.dtype == DType::float64 ? triangular_of(l, handle, 1.0, f.cublasDtrsm_v2_64)
             : l.dtype == DType::complex64
                 ? triangular_of(l, handle, cuComplex{1, 0}, f.cublasCtrsm_v2_64)
                 : triangular_of(l, handle, cuDoubleComplex{1, 0}, f.cublasZtrsm_v2_64);
  }
  if (status != CUBLAS_STATUS_SUCCESS) complain(l, "cublas trsm", status);
}

void run(const Step& s) {
  using Kind = FactorLaunch::Step;
  switch (s.l.step) {
    case Kind::Cholesky:
      return cholesky(s);
    case Kind::LU:
      return lu(s);
    case Kind::LUSolve:
      return lu_solve(s);
    case Kind::QR:
      return qr(s);
    case Kind::Orthogonal:
      return orthogonal(s);
    case Kind::Eigh:
      return eigh(s);
    case Kind::Svd:
      return svd(s);
    case Kind::Eig:
      return eig(s);
    default:  // the front-ends compose these on a device
      raise(s.l.row->name, "cuSOLVER has no such step");
  }
}

}  // namespace

void vendor_factor(const FactorLaunch& l) {
  if (l.device.index < 0 || l.device.index >= 64) {
    return raise(l.row->name, "expected one of the first 64 devices");
  }
  const DeviceGuard guard(l.device.index);
  if (guard.error != cudaSuccess) return check(guard.error, l.row->name);
  if (l.step == FactorLaunch::Step::Triangular) return triangular(l);
  const Solver& f = solver();
  if (!f.usable) return missing(l, kSolverLibrary);
  Handles& h = handles();
  const std::lock_guard lock(h.mutex);
  cusolverDnHandle_t& handle = h.solvers[static_cast<std::size_t>(l.device.index)];
  cusolverStatus_t status = CUSOLVER_STATUS_SUCCESS;
  if (h.params == nullptr) status = f.cusolverDnCreateParams(&h.params);
  if (status == CUSOLVER_STATUS_SUCCESS && handle == nullptr) status = f.cusolverDnCreate(&handle);
  if (status == CUSOLVER_STATUS_SUCCESS)
    status = f.cusolverDnSetStream(handle, static_cast<cudaStream_t>(l.stream));
  if (status != CUSOLVER_STATUS_SUCCESS) return complain(l, "cusolverDnCreate", status);
  run({l, f, handle, h.params, data_type(l.dtype), real_type(l.dtype)});
}

}  // namespace tandem::cuda
