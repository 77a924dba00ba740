// Factorisations matrix by matrix on cuSOLVER's 64-bit interface, solutions with a triangle on
// cuBLAS; batches that a library takes in one call are in solver_batched.cpp. Work on a device's
// memory is queued on the launch's stream; what a library wants of the host's memory is kept until
// the stream has passed the call.
#include "kernels/cuda/solver.h"

#include <algorithm>
#include <cstdlib>

#include "kernels/cuda/solver_library.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

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
/// times, with one workspace of the device: the calls follow each other on the stream. False where
/// a failure was reported: what they write is not there.
template <class Size, class Call>
bool with_rooms(const Step& s, const char* what, std::int64_t calls, Size size, Call call) {
  std::size_t device_bytes = 0, host_bytes = 0;
  cusolverStatus_t status = size(&device_bytes, &host_bytes);
  const auto fail = [&](cusolverStatus_t answer) {
    complain(s.l, what, answer);
    return false;
  };
  if (status != CUSOLVER_STATUS_SUCCESS) return fail(status);
  if (host_bytes > 0 && capturing(s.l)) {
    raise(s.l.row->name, "the library works on the host's memory, which a graph cannot keep");
    return false;
  }
  const Workspace room(s.l.device, std::max<std::size_t>(device_bytes, 1), s.l.stream,
                       s.l.row->name);
  if (room.data() == nullptr) return false;  // reported
  const HostRoom host_room(s.l, host_bytes, calls);
  if (!host_room.ok()) {
    raise(s.l.row->name, "out of host memory");
    return false;
  }
  for (std::int64_t b = 0; b < calls; ++b) {
    status = call(b, room.data(), device_bytes, host_room.part(b), host_bytes);
    if (status != CUSOLVER_STATUS_SUCCESS) return fail(status);
  }
  return true;
}

void cholesky(const Step& s) {
  const FactorLaunch& l = s.l;
  const cublasFillMode_t uplo = fill_mode(l);
  const bool queued = with_rooms(
      s, "cusolverDnXpotrf", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXpotrf_bufferSize(s.handle, s.params, uplo, l.n, s.data, l.a.data,
                                               l.a.leading, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXpotrf(s.handle, s.params, uplo, l.n, s.data, s.at(l.a, b),
                                    l.a.leading, s.data, d, nd, h, nh, l.info + b);
      });
  if (queued) launch_check_definite(l);
}

void lu(const Step& s) {
  const FactorLaunch& l = s.l;
  const std::int64_t k = std::min(l.m, l.n);
  const Workspace wide(l.device, static_cast<std::size_t>(l.batch * k) * sizeof(std::int64_t),
                       l.stream, l.row->name);
  if (wide.data() == nullptr) return;
  auto* pivots = static_cast<std::int64_t*>(wide.data());
  const bool queued = with_rooms(
      s, "cusolverDnXgetrf", l.batch,
      [&](std::size_t* d, std::size_t* h) {
        return s.f.cusolverDnXgetrf_bufferSize(s.handle, s.params, l.m, l.n, s.data, l.a.data,
                                               l.a.leading, s.data, d, h);
      },
      [&](std::int64_t b, void* d, std::size_t nd, void* h, std::size_t nh) {
        return s.f.cusolverDnXgetrf(s.handle, s.params, l.m, l.n, s.data, s.at(l.a, b), l.a.leading,
                                    pivots + b * k, s.data, d, nd, h, nh, l.info + b);
      });
  if (queued) launch_narrow_pivots(l, pivots, l.pivots, l.batch * k);
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
  const cublasFillMode_t uplo = fill_mode(l);
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
  const BlasHandle h(l);
  if (h.get() == nullptr) return;
  by_letter(l.dtype, [&]<class T>() {
    T one{};
    reinterpret_cast<typename Letter<T>::Real&>(one) = 1;  // a complex number's real part is first
    const cublasStatus_t status =
        triangular_of(l, h.get(), one, TANDEM_PICK(T, cublas(), cublas, trsm_v2_64));
    if (status != CUBLAS_STATUS_SUCCESS) complain(l, "cublas trsm", status);
  });
}

/// One matrix for all right-hand sides, which lie one after the other: one problem with more
/// columns.
FactorLaunch joined(FactorLaunch l) {
  using Kind = FactorLaunch::Step;
  const bool solves = l.step == Kind::Triangular || l.step == Kind::LUSolve;
  if (!solves || l.a.stride != 0 || l.b.leading != l.n || l.b.stride != l.n * l.k) return l;
  l.k *= l.batch;
  l.batch = 1;
  return l;
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

void vendor_factor(const FactorLaunch& given) {
  if (given.device.index < 0 || given.device.index >= 64) {
    return raise(given.row->name, "expected one of the first 64 devices");
  }
  const DeviceGuard guard(given.device.index);
  if (guard.error != cudaSuccess) return check(guard.error, given.row->name);
  const FactorLaunch l = joined(given);
  if (batched_factor(l)) return;
  if (l.step == FactorLaunch::Step::Triangular) return triangular(l);
  const SolverHandle handle(l);
  if (handle.get() == nullptr) return;
  run({l, solver(), handle.get(), handle.params(), data_type(l.dtype), real_type(l.dtype)});
}

}  // namespace tandem::cuda
