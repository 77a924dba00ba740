// A cuSOLVER for the simulated device: it checks what it is given as NVIDIA's documents ask for it
// and computes by LAPACK (Cholesky by plain loops) in the host's memory. Built as
// libcusolver.so.12, which TANDEM_VENDOR_LIBRARIES has the backend open. Two sizes are set apart:
// matrices of kOnHost rows take host memory, those of kFailing rows are answered with an error.
#include "cusolverDn.h"

#include <cmath>
#include <limits>

#include "fake_lapack.h"

struct cusolverDnContext : fake::Handle {};
struct cusolverDnParams {};
struct gesvdjInfo {};

TANDEM_FAKE_NOTES

namespace {

using namespace fake;

constexpr std::int64_t kOnHost = 97, kFailing = 131;
constexpr std::size_t kHostBytes = 40;
constexpr cusolverStatus_t kBad = CUSOLVER_STATUS_INVALID_VALUE;
constexpr cusolverStatus_t kGood = CUSOLVER_STATUS_SUCCESS;

std::size_t device_bytes_of(std::int64_t m, std::int64_t n) {
  return 512 + 8 * static_cast<std::size_t>(m % 13 + 3 * n);
}
/// The general and the singular values' iterations work on the host too.
cusolverStatus_t tell(std::int64_t m, std::int64_t n, std::size_t* device, std::size_t* host,
                      bool iterates = false) {
  *device = device_bytes_of(m, n);
  *host = iterates || n == kOnHost ? kHostBytes : 0;
  return kGood;
}

/// A call of the 64-bit interface: rooms as they were told, which are the call's alone.
class Step : public Checked {
 public:
  Step(const char* name, cusolverDnHandle_t h, cusolverDnParams_t params, long long m, long long n,
       long long k, long long batch)
      : Checked(name, h, m, n, k, batch) {
    expect(params != nullptr, "params");
  }
  void rooms(std::int64_t m, std::int64_t n, void* device, std::size_t device_bytes, void* host,
             std::size_t host_bytes, bool iterates = false) {
    expect(device_bytes == device_bytes_of(m, n), "size of the device's workspace");
    expect(host_bytes == (iterates || n == kOnHost ? kHostBytes : 0),
           "size of the host's workspace");
    memory(static_cast<const char*>(device), static_cast<long long>(device_bytes), "workspace");
    expect(host_bytes == 0 || on_host(host), "workspace that is not the host's");
    if (!ok()) return;
    queue(stream(), [=] {
      std::memset(device, 0xee, device_bytes);
      if (host_bytes > 0) std::memset(host, 0xee, host_bytes);
    });
  }
  cusolverStatus_t run(std::int64_t n, const std::function<void()>& work) {
    if (!ok()) return kBad;
    if (n == kFailing) return CUSOLVER_STATUS_EXECUTION_FAILED;
    queue(stream(), work);
    return kGood;
  }
};

template <class F>
cusolverStatus_t by_type(Step& c, cudaDataType t, cudaDataType compute, F&& f) {
  c.expect(t == compute, "compute type");
  switch (t) {
    case CUDA_R_32F:
      return f.template operator()<float>();
    case CUDA_R_64F:
      return f.template operator()<double>();
    case CUDA_C_32F:
      return f.template operator()<std::complex<float>>();
    case CUDA_C_64F:
      return f.template operator()<std::complex<double>>();
    default:
      c.expect(false, "data type");
      return kBad;
  }
}
cudaDataType real_of(cudaDataType t) {
  return t == CUDA_C_32F ? CUDA_R_32F : t == CUDA_C_64F ? CUDA_R_64F : t;
}

/// As the vendor's: a pivot that is NaN is no fault. The other triangle is kept, or with `spoils`
/// used as a workspace.
template <class T>
int potrf(bool upper, std::int64_t n, T* a, std::int64_t lda, bool spoils) {
  const auto at = [&](std::int64_t i, std::int64_t j) -> T& {  // of the lower factor
    return upper ? a[j + i * lda] : a[i + j * lda];
  };
  const auto conj = [](T x) {
    if constexpr (std::is_floating_point_v<T>) {
      return x;
    } else {
      return std::conj(x);
    }
  };
  if (spoils) {
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t i = 0; i < j; ++i)
        at(i, j) = T(std::numeric_limits<typename Lapack<T>::Real>::quiet_NaN());
  }
  for (std::int64_t k = 0; k < n; ++k) {
    auto pivot = std::real(at(k, k));
    for (std::int64_t j = 0; j < k; ++j) pivot -= std::norm(at(k, j));
    if (pivot <= 0) return static_cast<int>(k + 1);
    pivot = std::sqrt(pivot);
    at(k, k) = T(pivot);
    for (std::int64_t i = k + 1; i < n; ++i) {
      T sum = at(i, k);
      // The upper factor's rows are conjugated columns of the lower one: the sums are alike.
      for (std::int64_t j = 0; j < k; ++j)
        sum -= upper ? conj(at(k, j)) * at(i, j) : at(i, j) * conj(at(k, j));
      at(i, k) = sum / pivot;
    }
  }
  return 0;
}

template <class T>
cusolverStatus_t orgqr(cusolverDnHandle_t h, int m, int n, int k, T* a, int lda, const T* tau,
                       T* work, int elements, int* info) {
  Checked c("cusolverDn orgqr", h, m, n, k, 1);
  c.expect(k <= n && n <= m && elements == 2 * n + 1, "extents");
  c.matrix(a, m, n, lda, "A");
  c.memory(tau, k, "tau");
  c.memory(work, elements, "workspace");
  c.memory(info, 1, "info");
  if (!c.ok()) return kBad;
  queue(h->stream, [=] {
    std::memset(static_cast<void*>(work), 0xee, static_cast<std::size_t>(elements) * sizeof(T));
    *info = Lapack<host_t<T>>::gqr(kColumns, m, n, k, at_host(a), lda, at_host(tau));
  });
  return kGood;
}

template <class T>
cusolverStatus_t potrf_batched(cusolverDnHandle_t h, cublasFillMode_t uplo, int n, T** a, int lda,
                               int* info, int batch) {
  Checked c("cusolverDn potrfBatched", h, n, n, 0, batch);
  c.expect(lda >= n, "leading dimension");
  c.memory(a, batch, "array of A");
  c.memory(info, batch, "info");
  if (!c.ok()) return kBad;
  queue(h->stream, [=, s = h->stream, text = c.name()] {
    for (long long i = 0; i < batch; ++i) {
      T* x = pointed(text, s, a, i, n, n, lda);
      if (x == nullptr) return;
      info[i] = potrf(uplo == CUBLAS_FILL_MODE_UPPER, n, at_host(x), lda, true);
    }
  });
  return kGood;
}

/// Whole U and V, not its adjoint; A is lost.
template <class T>
void jacobi(bool vectors, int m, int n, T* a, int lda, typename Lapack<T>::Real* s, T* u, int ldu,
            T* v, int ldv, int* info) {
  std::vector<typename Lapack<T>::Real> rest(static_cast<std::size_t>(std::min(m, n)));
  std::vector<T> vt(static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
  const char job = vectors ? 'A' : 'N';
  *info = Lapack<T>::gesvd(kColumns, job, job, m, n, a, lda, s, u, ldu, vt.data(), n, rest.data());
  for (int j = 0; j < n; ++j) std::fill_n(a + j * lda, m, T(std::nan("")));
  for (int j = 0; vectors && j < n; ++j) {
    for (int i = 0; i < n; ++i) {
      const T x = vt[static_cast<std::size_t>(j + i * n)];
      if constexpr (std::is_floating_point_v<T>) {
        v[i + j * ldv] = x;
      } else {
        v[i + j * ldv] = std::conj(x);
      }
    }
  }
}

template <class T, class R>
cusolverStatus_t gesvdj_batched(cusolverDnHandle_t h, cusolverEigMode_t job, int m, int n, T* a,
                                int lda, R* s, T* u, int ldu, T* v, int ldv, T* work, int elements,
                                int* info, gesvdjInfo_t params, int batch) {
  Checked c("cusolverDn gesvdjBatched", h, m, n, 0, batch);
  const bool vectors = job == CUSOLVER_EIG_MODE_VECTOR;
  c.expect(params != nullptr && m <= 32 && n <= 32, "extents");
  c.expect(elements == batch + n, "size of the workspace");
  c.matrix(a, m, static_cast<long long>(n) * batch, lda, "A");
  c.expect(ldu >= m && ldv >= n, "leading dimension");
  if (vectors) {
    c.matrix(u, m, static_cast<long long>(m) * batch, ldu, "U");
    c.matrix(v, n, static_cast<long long>(n) * batch, ldv, "V");
  }
  c.memory(s, static_cast<long long>(std::min(m, n)) * batch, "S");
  c.memory(work, elements, "workspace");
  c.memory(info, batch, "info");
  if (!c.ok()) return kBad;
  queue(h->stream, [=] {
    std::memset(static_cast<void*>(work), 0xee, static_cast<std::size_t>(elements) * sizeof(T));
    for (long long i = 0; i < batch; ++i) {
      jacobi(vectors, m, n, at_host(a) + i * lda * n, lda, s + i * std::min(m, n),
             at_host(u) + (vectors ? i * ldu * m : 0), ldu,
             at_host(v) + (vectors ? i * ldv * n : 0), ldv, info + i);
    }
  });
  return kGood;
}

}  // namespace

extern "C" {

#pragma GCC visibility push(default)

cusolverStatus_t cusolverDnCreate(cusolverDnHandle_t* handle) {
  *handle = new cusolverDnContext;
  (*handle)->device = fake::current_device();
  return kGood;
}
cusolverStatus_t cusolverDnSetStream(cusolverDnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return kGood;
}
cusolverStatus_t cusolverDnCreateParams(cusolverDnParams_t* params) {
  *params = new cusolverDnParams;
  return kGood;
}
cusolverStatus_t cusolverDnCreateGesvdjInfo(gesvdjInfo_t* info) {
  *info = new gesvdjInfo;
  return kGood;
}

cusolverStatus_t cusolverDnXpotrf_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                             cublasFillMode_t, std::int64_t n, cudaDataType,
                                             const void*, std::int64_t, cudaDataType,
                                             TANDEM_FAKE_SIZES) {
  return tell(n, n, device_bytes, host_bytes);
}
cusolverStatus_t cusolverDnXpotrf(TANDEM_FAKE_ASK, cublasFillMode_t uplo, std::int64_t n,
                                  cudaDataType t, void* a, std::int64_t lda, cudaDataType compute,
                                  TANDEM_FAKE_ROOMS, int* info) {
  Step c("cusolverDnXpotrf", handle, params, n, n, 0, 1);
  return by_type(c, t, compute, [&]<class T>() {
    auto* x = static_cast<T*>(a);
    c.matrix(x, n, n, lda, "A");
    c.memory(info, 1, "info");
    c.rooms(n, n, device_room, device_bytes, host_room, host_bytes);
    return c.run(n, [=] { *info = potrf(uplo == CUBLAS_FILL_MODE_UPPER, n, x, lda, false); });
  });
}

cusolverStatus_t cusolverDnXgetrf_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, std::int64_t m,
                                             std::int64_t n, cudaDataType, const void*,
                                             std::int64_t, cudaDataType, TANDEM_FAKE_SIZES) {
  return tell(m, n, device_bytes, host_bytes);
}
cusolverStatus_t cusolverDnXgetrf(TANDEM_FAKE_ASK, std::int64_t m, std::int64_t n, cudaDataType t,
                                  void* a, std::int64_t lda, std::int64_t* pivots,
                                  cudaDataType compute, TANDEM_FAKE_ROOMS, int* info) {
  Step c("cusolverDnXgetrf", handle, params, m, n, 0, 1);
  return by_type(c, t, compute, [&]<class T>() {
    auto* x = static_cast<T*>(a);
    c.matrix(x, m, n, lda, "A");
    c.memory(pivots, std::min(m, n), "pivots");
    c.memory(info, 1, "info");
    c.rooms(m, n, device_room, device_bytes, host_room, host_bytes);
    return c.run(n, [=] {
      std::vector<lapack_int> own(static_cast<std::size_t>(std::min(m, n)));
      *info = Lapack<T>::getrf(kColumns, narrow(m), narrow(n), x, narrow(lda), own.data());
      std::copy(own.begin(), own.end(), pivots);
    });
  });
}

cusolverStatus_t cusolverDnXgetrs(TANDEM_FAKE_ASK, cublasOperation_t op, std::int64_t n,
                                  std::int64_t columns, cudaDataType ta, const void* a,
                                  std::int64_t lda, const std::int64_t* pivots, cudaDataType tb,
                                  void* b, std::int64_t ldb, int* info) {
  Step c("cusolverDnXgetrs", handle, params, n, columns, 0, 1);
  return by_type(c, ta, tb, [&]<class T>() {
    const auto* x = static_cast<const T*>(a);
    auto* y = static_cast<T*>(b);
    c.matrix(x, n, n, lda, "A");
    c.matrix(y, n, columns, ldb, "B");
    c.memory(pivots, n, "pivots");
    c.memory(info, 1, "info");
    return c.run(n, [=, text = c.name()] {
      const std::vector<lapack_int> own(pivots, pivots + n);
      const auto inside = [n](lapack_int at) { return at >= 1 && at <= n; };
      if (!std::all_of(own.begin(), own.end(), inside)) {
        return complain(text + ": pivots outside the matrix");
      }
      *info = Lapack<T>::getrs(kColumns, letter(op), narrow(n), narrow(columns), x, narrow(lda),
                               own.data(), y, narrow(ldb));
    });
  });
}

cusolverStatus_t cusolverDnXgeqrf_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, std::int64_t m,
                                             std::int64_t n, cudaDataType, const void*,
                                             std::int64_t, cudaDataType, const void*, cudaDataType,
                                             TANDEM_FAKE_SIZES) {
  return tell(m, n, device_bytes, host_bytes);
}
cusolverStatus_t cusolverDnXgeqrf(TANDEM_FAKE_ASK, std::int64_t m, std::int64_t n, cudaDataType t,
                                  void* a, std::int64_t lda, cudaDataType ttau, void* tau,
                                  cudaDataType compute, TANDEM_FAKE_ROOMS, int* info) {
  Step c("cusolverDnXgeqrf", handle, params, m, n, 0, 1);
  c.expect(ttau == t, "type of tau");
  return by_type(c, t, compute, [&]<class T>() {
    auto* x = static_cast<T*>(a);
    auto* factors = static_cast<T*>(tau);
    c.matrix(x, m, n, lda, "A");
    c.memory(factors, std::min(m, n), "tau");
    c.memory(info, 1, "info");
    c.rooms(m, n, device_room, device_bytes, host_room, host_bytes);
    return c.run(n, [=] {
      *info = Lapack<T>::geqrf(kColumns, narrow(m), narrow(n), x, narrow(lda), factors);
    });
  });
}

cusolverStatus_t cusolverDnXsyevd_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                             cusolverEigMode_t, cublasFillMode_t, std::int64_t n,
                                             cudaDataType, const void*, std::int64_t, cudaDataType,
                                             const void*, cudaDataType, TANDEM_FAKE_SIZES) {
  return tell(n, n, device_bytes, host_bytes);
}
cusolverStatus_t cusolverDnXsyevBatched_bufferSize(TANDEM_FAKE_ASK, cusolverEigMode_t job,
                                                   cublasFillMode_t uplo, std::int64_t n,
                                                   cudaDataType t, const void* a, std::int64_t lda,
                                                   cudaDataType tw, const void* w,
                                                   cudaDataType compute, TANDEM_FAKE_SIZES,
                                                   std::int64_t) {
  return cusolverDnXsyevd_bufferSize(handle, params, job, uplo, n, t, a, lda, tw, w, compute,
                                     device_bytes, host_bytes);
}

static cusolverStatus_t syev(Step& c, cusolverEigMode_t job, cublasFillMode_t uplo, std::int64_t n,
                             cudaDataType t, void* a, std::int64_t lda, cudaDataType tw, void* w,
                             cudaDataType compute, int* info, std::int64_t batch) {
  c.expect(tw == real_of(t), "type of the values");
  return by_type(c, t, compute, [&]<class T>() {
    using R = typename Lapack<T>::Real;
    auto* x = static_cast<T*>(a);
    auto* values = static_cast<R*>(w);
    c.matrix(x, n, n * batch, lda, "A");
    c.memory(values, n * batch, "values");
    c.memory(info, batch, "info");
    return c.run(n, [=] {
      for (std::int64_t i = 0; i < batch; ++i) {
        info[i] = Lapack<T>::evd(kColumns, job == CUSOLVER_EIG_MODE_VECTOR ? 'V' : 'N',
                                 uplo == CUBLAS_FILL_MODE_UPPER ? 'U' : 'L', narrow(n),
                                 x + i * lda * n, narrow(lda), values + i * n);
      }
    });
  });
}
cusolverStatus_t cusolverDnXsyevd(TANDEM_FAKE_ASK, cusolverEigMode_t job, cublasFillMode_t uplo,
                                  std::int64_t n, cudaDataType t, void* a, std::int64_t lda,
                                  cudaDataType tw, void* w, cudaDataType compute, TANDEM_FAKE_ROOMS,
                                  int* info) {
  Step c("cusolverDnXsyevd", handle, params, n, n, 0, 1);
  c.rooms(n, n, device_room, device_bytes, host_room, host_bytes);
  return syev(c, job, uplo, n, t, a, lda, tw, w, compute, info, 1);
}
cusolverStatus_t cusolverDnXsyevBatched(TANDEM_FAKE_ASK, cusolverEigMode_t job,
                                        cublasFillMode_t uplo, std::int64_t n, cudaDataType t,
                                        void* a, std::int64_t lda, cudaDataType tw, void* w,
                                        cudaDataType compute, TANDEM_FAKE_ROOMS, int* info,
                                        std::int64_t batch) {
  Step c("cusolverDnXsyevBatched", handle, params, n, n, 0, batch);
  c.rooms(n, n, device_room, device_bytes, host_room, host_bytes);
  return syev(c, job, uplo, n, t, a, lda, tw, w, compute, info, batch);
}

cusolverStatus_t cusolverDnXgesvd_bufferSize(cusolverDnHandle_t, cusolverDnParams_t, signed char,
                                             signed char, std::int64_t m, std::int64_t n,
                                             cudaDataType, const void*, std::int64_t, cudaDataType,
                                             const void*, cudaDataType, const void*, std::int64_t,
                                             cudaDataType, const void*, std::int64_t, cudaDataType,
                                             TANDEM_FAKE_SIZES) {
  return tell(m, n, device_bytes, host_bytes, true);
}
cusolverStatus_t cusolverDnXgesvd(TANDEM_FAKE_ASK, signed char jobu, signed char jobvt,
                                  std::int64_t m, std::int64_t n, cudaDataType t, void* a,
                                  std::int64_t lda, cudaDataType ts, void* s, cudaDataType tu,
                                  void* u, std::int64_t ldu, cudaDataType tv, void* vt,
                                  std::int64_t ldvt, cudaDataType compute, TANDEM_FAKE_ROOMS,
                                  int* info) {
  Step c("cusolverDnXgesvd", handle, params, m, n, 0, 1);
  c.expect(m >= n && ts == real_of(t) && tu == t && tv == t && jobu == jobvt, "types or extents");
  return by_type(c, t, compute, [&]<class T>() {
    using R = typename Lapack<T>::Real;
    auto* x = static_cast<T*>(a);
    auto* values = static_cast<R*>(s);
    auto* left = static_cast<T*>(u);
    auto* right = static_cast<T*>(vt);
    c.matrix(x, m, n, lda, "A");
    c.memory(values, n, "values");
    c.memory(info, 1, "info");
    if (jobu != 'N') {
      c.matrix(left, m, jobu == 'A' ? m : n, ldu, "U");
      c.matrix(right, n, n, ldvt, "VT");
    }
    c.rooms(m, n, device_room, device_bytes, host_room, host_bytes, true);
    return c.run(n, [=] {
      std::vector<R> rest(static_cast<std::size_t>(n));
      const auto job = static_cast<char>(jobu);
      *info = Lapack<T>::gesvd(kColumns, job, job, narrow(m), narrow(n), x, narrow(lda), values,
                               left, narrow(ldu), right, narrow(ldvt), rest.data());
    });
  });
}

cusolverStatus_t cusolverDnXgeev_bufferSize(cusolverDnHandle_t, cusolverDnParams_t,
                                            cusolverEigMode_t, cusolverEigMode_t, std::int64_t n,
                                            cudaDataType, const void*, std::int64_t, cudaDataType,
                                            const void*, cudaDataType, const void*, std::int64_t,
                                            cudaDataType, const void*, std::int64_t, cudaDataType,
                                            TANDEM_FAKE_SIZES) {
  return tell(n, n, device_bytes, host_bytes, true);
}
cusolverStatus_t cusolverDnXgeev(TANDEM_FAKE_ASK, cusolverEigMode_t jobvl, cusolverEigMode_t jobvr,
                                 std::int64_t n, cudaDataType t, void* a, std::int64_t lda,
                                 cudaDataType tw, void* w, cudaDataType tvl, void*,
                                 std::int64_t ldvl, cudaDataType tvr, void* vr, std::int64_t ldvr,
                                 cudaDataType compute, TANDEM_FAKE_ROOMS, int* info) {
  Step c("cusolverDnXgeev", handle, params, n, n, 0, 1);
  c.expect(jobvl == CUSOLVER_EIG_MODE_NOVECTOR && ldvl >= 1, "left vectors");
  c.expect(tw == t && tvl == t && tvr == t, "types");
  return by_type(c, t, compute, [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>) {
      c.expect(false, "real matrices are not asked for");
      return kBad;
    } else {
      const bool vectors = jobvr == CUSOLVER_EIG_MODE_VECTOR;
      auto* x = static_cast<T*>(a);
      auto* values = static_cast<T*>(w);
      auto* right = static_cast<T*>(vr);
      c.matrix(x, n, n, lda, "A");
      c.memory(values, n, "values");
      c.memory(info, 1, "info");
      if (vectors) c.matrix(right, n, n, ldvr, "VR");
      c.rooms(n, n, device_room, device_bytes, host_room, host_bytes, true);
      return c.run(n, [=] {
        for (std::int64_t i = 0; i < n * n; ++i) {
          const T z = x[i / n * lda + i % n];
          if (std::isfinite(z.real()) && std::isfinite(z.imag())) continue;
          *info = 1;  // LAPACK would say so on the terminal
          return;
        }
        const auto call = [&](auto f) {
          *info = f(kColumns, 'N', vectors ? 'V' : 'N', narrow(n), x, narrow(lda), values, nullptr,
                    narrow(n), right, narrow(ldvr));
        };
        if constexpr (std::is_same_v<T, std::complex<float>>) {
          call(LAPACKE_cgeev);
        } else {
          call(LAPACKE_zgeev);
        }
      });
    }
  });
}

#define TANDEM_FAKE_CUSOLVER(S, T, R, gqr)                                                         \
  cusolverStatus_t cusolverDn##S##gqr##_bufferSize(cusolverDnHandle_t, int, int n, int, const T*,  \
                                                   int, const T*, int* elements) {                 \
    *elements = 2 * n + 1;                                                                         \
    return kGood;                                                                                  \
  }                                                                                                \
  cusolverStatus_t cusolverDn##S##gqr(cusolverDnHandle_t h, int m, int n, int k, T* a, int lda,    \
                                      const T* tau, T* work, int elements, int* info) {            \
    return orgqr(h, m, n, k, a, lda, tau, work, elements, info);                                   \
  }                                                                                                \
  cusolverStatus_t cusolverDn##S##potrfBatched(cusolverDnHandle_t h, cublasFillMode_t uplo, int n, \
                                               T* a[], int lda, int* info, int batch) {            \
    return potrf_batched(h, uplo, n, a, lda, info, batch);                                         \
  }                                                                                                \
  cusolverStatus_t cusolverDn##S##gesvdjBatched_bufferSize(                                        \
      cusolverDnHandle_t, cusolverEigMode_t, int, int n, const T*, int, const R*, const T*, int,   \
      const T*, int, int* elements, gesvdjInfo_t, int batch) {                                     \
    *elements = batch + n;                                                                         \
    return kGood;                                                                                  \
  }                                                                                                \
  cusolverStatus_t cusolverDn##S##gesvdjBatched(                                                   \
      cusolverDnHandle_t h, cusolverEigMode_t job, int m, int n, T* a, int lda, R* s, T* u,        \
      int ldu, T* v, int ldv, T* work, int elements, int* info, gesvdjInfo_t params, int batch) {  \
    return gesvdj_batched(h, job, m, n, a, lda, s, u, ldu, v, ldv, work, elements, info, params,   \
                          batch);                                                                  \
  }
TANDEM_FAKE_CUSOLVER(S, float, float, orgqr)
TANDEM_FAKE_CUSOLVER(D, double, double, orgqr)
TANDEM_FAKE_CUSOLVER(C, cuComplex, float, ungqr)
TANDEM_FAKE_CUSOLVER(Z, cuDoubleComplex, double, ungqr)

#pragma GCC visibility pop

}  // extern "C"
