// Inside the stand-ins of cuSOLVER and cuBLAS: their notes, checks of a call, and LAPACK by
// element type. Included by one source of each library.
#pragma once

#include <complex>
#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <type_traits>
#include <vector>

#include "cublas_types.h"
#include "cuda_runtime_api.h"
#include "fake_device.h"
#include "fake_solver.h"

namespace fake {

inline std::mutex mutex;
inline std::map<std::string, Call> calls;
inline std::string fault;

inline void complain(const std::string& what) {
  const std::lock_guard lock(mutex);
  if (fault.empty()) fault = what;
}

inline void queue(cudaStream_t stream, const std::function<void()>& work) {
  if (!queued(stream, work)) complain("work that could not be queued");
}

// ---- one call

/// What a handle knows.
struct Handle {
  int device = 0;
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  std::size_t workspace_bytes = 0;
};

/// Checks of a call: those at once decide its answer, those of queued work are told to the test.
class Checked {
 public:
  Checked(const char* name, const Handle* handle, long long m, long long n, long long k,
          long long batch)
      : name_(name), stream_(handle == nullptr ? nullptr : handle->stream) {
    expect(handle != nullptr && handle->device == current_device(), "handle of another device");
    expect(m > 0 && n > 0 && k >= 0 && batch > 0, "extents");
    const std::lock_guard lock(mutex);
    Call& c = calls[name];
    c = {c.times + 1, m, n, k, batch, stream_};
  }
  void expect(bool good, const char* what) {
    if (good) return;
    complain(name_ + ": " + what);
    ok_ = false;
  }
  /// `count` elements that lie densely.
  template <class T>
  void memory(const T* p, long long count, const char* what) {
    const std::size_t size = sizeof(std::conditional_t<std::is_void_v<T>, char, T>);
    expect(holds(stream_, p, static_cast<std::size_t>(count) * size), what);
    expect(reinterpret_cast<std::uintptr_t>(p) % size == 0, "alignment");
  }
  /// A matrix by columns.
  template <class T>
  void matrix(const T* p, long long m, long long n, long long ld, const char* what) {
    expect(ld >= std::max(m, 1LL), "leading dimension");
    memory(p, (n - 1) * ld + m, what);
  }
  bool ok() const { return ok_; }
  cudaStream_t stream() const { return stream_; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  cudaStream_t stream_;
  bool ok_ = true;
};

/// In queued work: where a matrix of an array of pointers lies. Null, and told, where it lies in no
/// memory of the device's.
template <class T>
T* pointed(const std::string& name, cudaStream_t stream, T* const* array, long long i, long long m,
           long long n, long long ld) {
  T* p = array[i];
  if (holds(stream, p, static_cast<std::size_t>((n - 1) * ld + m) * sizeof(T))) return p;
  complain(name + ": a pointer that leads to no memory of the device");
  return nullptr;
}

// ---- LAPACK

/// The host's type of an element.
template <class T>
struct HostOf {
  using type = T;
};
template <>
struct HostOf<cuComplex> {
  using type = std::complex<float>;
};
template <>
struct HostOf<cuDoubleComplex> {
  using type = std::complex<double>;
};
template <class T>
using host_t = typename HostOf<T>::type;
template <class T>
host_t<T>* at_host(T* p) {
  return reinterpret_cast<host_t<T>*>(p);
}
template <class T>
const host_t<T>* at_host(const T* p) {
  return reinterpret_cast<const host_t<T>*>(p);
}

template <class T>
struct Lapack;
#define TANDEM_FAKE_LAPACK(T, p, R, gqr_, evd_)       \
  template <>                                         \
  struct Lapack<T> {                                  \
    using Real = R;                                   \
    static constexpr auto getrf = LAPACKE_##p##getrf; \
    static constexpr auto getrs = LAPACKE_##p##getrs; \
    static constexpr auto getri = LAPACKE_##p##getri; \
    static constexpr auto geqrf = LAPACKE_##p##geqrf; \
    static constexpr auto gesvd = LAPACKE_##p##gesvd; \
    static constexpr auto gqr = LAPACKE_##p##gqr_;    \
    static constexpr auto evd = LAPACKE_##p##evd_;    \
    static constexpr auto trsm = cblas_##p##trsm;     \
  };
TANDEM_FAKE_LAPACK(float, s, float, orgqr, syevd)
TANDEM_FAKE_LAPACK(double, d, double, orgqr, syevd)
TANDEM_FAKE_LAPACK(std::complex<float>, c, float, ungqr, heevd)
TANDEM_FAKE_LAPACK(std::complex<double>, z, double, ungqr, heevd)

constexpr int kColumns = LAPACK_COL_MAJOR;
inline char letter(cublasOperation_t op) {
  return op == CUBLAS_OP_N ? 'N' : op == CUBLAS_OP_T ? 'T' : 'C';
}
inline lapack_int narrow(long long n) { return static_cast<lapack_int>(n); }

/// LAPACK's own search for NaN would refuse what the vendors' libraries take.
inline const bool no_search = [] {
  LAPACKE_set_nancheck(0);
  return true;
}();

}  // namespace fake

// What a test reads.
#define TANDEM_FAKE_NOTES                                                                \
  extern "C" __attribute__((visibility("default"))) void fake_call_of(const char* name,  \
                                                                      fake::Call* out) { \
    const std::lock_guard lock(fake::mutex);                                             \
    *out = fake::calls[name];                                                            \
  }                                                                                      \
  extern "C" __attribute__((visibility("default"))) const char* fake_fault() {           \
    return fake::fault.c_str();                                                          \
  }                                                                                      \
  extern "C" __attribute__((visibility("default"))) void fake_forget() {                 \
    const std::lock_guard lock(fake::mutex);                                             \
    fake::calls.clear();                                                                 \
    fake::fault.clear();                                                                 \
  }
