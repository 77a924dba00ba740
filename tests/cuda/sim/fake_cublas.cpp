// A cuBLAS for the simulated device, for solutions and batched factorisations: it checks what it is
// given as NVIDIA's documents ask for it and computes by LAPACK in the host's memory. Built as
// libcublas.so.13, which TANDEM_VENDOR_LIBRARIES has the backend open.
#include "cublas_v2.h"

#include "fake_lapack.h"

struct cublasContext : fake::Handle {};

TANDEM_FAKE_NOTES

namespace {

using namespace fake;

constexpr cublasStatus_t kBad = CUBLAS_STATUS_INVALID_VALUE;

/// Takes the handle's workspace for the call: what another call keeps there is lost.
void use_workspace(Checked& c, const cublasContext* h) {
  c.expect(h->workspace_bytes > 0, "no workspace given after the stream");
  c.memory(static_cast<const char*>(h->workspace), static_cast<long long>(h->workspace_bytes),
           "workspace");
  if (!c.ok()) return;
  queue(h->stream, [p = h->workspace, n = h->workspace_bytes] { std::memset(p, 0xee, n); });
}

template <class T>
void solve_triangle(cublasFillMode_t uplo, cublasOperation_t op, cublasDiagType_t diagonal,
                    long long m, long long n, T alpha, const T* a, long long lda, T* b,
                    long long ldb) {
  const auto fill = uplo == CUBLAS_FILL_MODE_UPPER ? CblasUpper : CblasLower;
  const auto turn = op == CUBLAS_OP_N   ? CblasNoTrans
                    : op == CUBLAS_OP_T ? CblasTrans
                                        : CblasConjTrans;
  const auto unit = diagonal == CUBLAS_DIAG_UNIT ? CblasUnit : CblasNonUnit;
  const auto call = [&](auto by) {
    Lapack<T>::trsm(CblasColMajor, CblasLeft, fill, turn, unit, narrow(m), narrow(n), by, a,
                    narrow(lda), b, narrow(ldb));
  };
  if constexpr (std::is_floating_point_v<T>) {
    call(alpha);
  } else {
    call(&alpha);
  }
}

template <class T>
cublasStatus_t trsm(const char* name, cublasHandle_t h, cublasSideMode_t side,
                    cublasFillMode_t uplo, cublasOperation_t op, cublasDiagType_t diagonal,
                    long long m, long long n, const T* alpha, const T* a, long long lda, T* b,
                    long long ldb) {
  Checked c(name, h, m, n, 0, 1);
  c.expect(side == CUBLAS_SIDE_LEFT && on_host(alpha), "side or scale");
  c.matrix(a, m, m, lda, "A");
  c.matrix(b, m, n, ldb, "B");
  use_workspace(c, h);
  if (!c.ok()) return kBad;
  queue(h->stream, [=, by = *at_host(alpha)] {
    solve_triangle(uplo, op, diagonal, m, n, by, at_host(a), lda, at_host(b), ldb);
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t trsm_batched(const char* name, cublasHandle_t h, cublasSideMode_t side,
                            cublasFillMode_t uplo, cublasOperation_t op, cublasDiagType_t diagonal,
                            long long m, long long n, const T* alpha, const T* const* a,
                            long long lda, T* const* b, long long ldb, long long batch) {
  Checked c(name, h, m, n, 0, batch);
  c.expect(side == CUBLAS_SIDE_LEFT && on_host(alpha), "side or scale");
  c.expect(lda >= m && ldb >= m, "leading dimension");
  c.memory(a, batch, "array of A");
  c.memory(b, batch, "array of B");
  use_workspace(c, h);
  if (!c.ok()) return kBad;
  queue(h->stream, [=, by = *at_host(alpha), s = h->stream, text = c.name()] {
    for (long long i = 0; i < batch; ++i) {
      const T* x = pointed(text, s, a, i, m, m, lda);
      T* y = pointed(text, s, b, i, m, n, ldb);
      if (x == nullptr || y == nullptr) return;
      solve_triangle(uplo, op, diagonal, m, n, by, at_host(x), lda, at_host(y), ldb);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t getrf(const char* name, cublasHandle_t h, int n, T* const* a, int lda, int* pivots,
                     int* info, int batch) {
  Checked c(name, h, n, n, 0, batch);
  c.expect(lda >= n, "leading dimension");
  c.memory(a, batch, "array of A");
  c.memory(pivots, static_cast<long long>(n) * batch, "pivots");
  c.memory(info, batch, "info");
  use_workspace(c, h);
  if (!c.ok()) return kBad;
  queue(h->stream, [=, s = h->stream, text = c.name()] {
    for (long long i = 0; i < batch; ++i) {
      T* x = pointed(text, s, a, i, n, n, lda);
      if (x == nullptr) return;
      info[i] = Lapack<host_t<T>>::getrf(kColumns, n, n, at_host(x), lda, pivots + i * n);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t getrs(const char* name, cublasHandle_t h, cublasOperation_t op, int n, int columns,
                     const T* const* a, int lda, const int* pivots, T* const* b, int ldb, int* info,
                     int batch) {
  Checked c(name, h, n, columns, 0, batch);
  c.expect(lda >= n && ldb >= n, "leading dimension");
  c.expect(on_host(info), "info that is not the host's");
  c.memory(a, batch, "array of A");
  c.memory(b, batch, "array of B");
  c.memory(pivots, static_cast<long long>(n) * batch, "pivots");
  use_workspace(c, h);
  if (!c.ok()) return kBad;
  *info = 0;
  queue(h->stream, [=, s = h->stream, text = c.name()] {
    for (long long i = 0; i < batch; ++i) {
      const T* x = pointed(text, s, a, i, n, n, lda);
      T* y = pointed(text, s, b, i, n, columns, ldb);
      const int* p = pivots + i * n;
      if (x == nullptr || y == nullptr) return;
      if (!std::all_of(p, p + n, [n](int at) { return at >= 1 && at <= n; })) {
        return complain(text + ": pivots outside the matrix");
      }
      Lapack<host_t<T>>::getrs(kColumns, letter(op), n, columns, at_host(x), lda, p, at_host(y),
                               ldb);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t getri(const char* name, cublasHandle_t h, int n, const T* const* a, int lda,
                     const int* pivots, T* const* to, int ldc, int* info, int batch) {
  Checked c(name, h, n, n, 0, batch);
  c.expect(lda >= n && ldc >= n, "leading dimension");
  c.memory(a, batch, "array of A");
  c.memory(to, batch, "array of C");
  c.memory(pivots, static_cast<long long>(n) * batch, "pivots");
  c.memory(info, batch, "info");
  use_workspace(c, h);
  if (!c.ok()) return kBad;
  queue(h->stream, [=, s = h->stream, text = c.name()] {
    for (long long i = 0; i < batch; ++i) {
      const T* x = pointed(text, s, a, i, n, n, lda);
      T* y = pointed(text, s, to, i, n, n, ldc);
      if (x == nullptr || y == nullptr) return;
      if (static_cast<const T*>(y) == x) return complain(text + ": in place");
      for (int j = 0; j < n; ++j) std::copy_n(x + j * lda, n, y + j * ldc);
      info[i] = Lapack<host_t<T>>::getri(kColumns, n, at_host(y), ldc, pivots + i * n);
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
cublasStatus_t geqrf(const char* name, cublasHandle_t h, int m, int n, T* const* a, int lda,
                     T* const* tau, int* info, int batch) {
  Checked c(name, h, m, n, 0, batch);
  c.expect(lda >= m, "leading dimension");
  c.expect(on_host(info), "info that is not the host's");
  c.memory(a, batch, "array of A");
  c.memory(tau, batch, "array of tau");
  use_workspace(c, h);
  if (!c.ok()) return kBad;
  *info = 0;
  queue(h->stream, [=, s = h->stream, text = c.name()] {
    const int k = std::min(m, n);
    for (long long i = 0; i < batch; ++i) {
      T* x = pointed(text, s, a, i, m, n, lda);
      T* y = pointed(text, s, tau, i, k, 1, k);
      if (x == nullptr || y == nullptr) return;
      Lapack<host_t<T>>::geqrf(kColumns, m, n, at_host(x), lda, at_host(y));
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace

extern "C" {

#pragma GCC visibility push(default)

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = new cublasContext;
  (*handle)->device = fake::current_device();
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->workspace_bytes = 0;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0) return CUBLAS_STATUS_INVALID_VALUE;
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

#define TANDEM_FAKE_CUBLAS(S, T)                                                                  \
  cublasStatus_t cublas##S##trsm_v2_64(                                                           \
      cublasHandle_t h, cublasSideMode_t side, cublasFillMode_t uplo, cublasOperation_t op,       \
      cublasDiagType_t d, std::int64_t m, std::int64_t n, const T* alpha, const T* a,             \
      std::int64_t lda, T* b, std::int64_t ldb) {                                                 \
    return trsm("cublas trsm", h, side, uplo, op, d, m, n, alpha, a, lda, b, ldb);                \
  }                                                                                               \
  cublasStatus_t cublas##S##trsmBatched_64(                                                       \
      cublasHandle_t h, cublasSideMode_t side, cublasFillMode_t uplo, cublasOperation_t op,       \
      cublasDiagType_t d, std::int64_t m, std::int64_t n, const T* alpha, const T* const a[],     \
      std::int64_t lda, T* const b[], std::int64_t ldb, std::int64_t batch) {                     \
    return trsm_batched("cublas trsmBatched", h, side, uplo, op, d, m, n, alpha, a, lda, b, ldb,  \
                        batch);                                                                   \
  }                                                                                               \
  cublasStatus_t cublas##S##getrfBatched(cublasHandle_t h, int n, T* const a[], int lda, int* p,  \
                                         int* info, int batch) {                                  \
    return getrf("cublas getrfBatched", h, n, a, lda, p, info, batch);                            \
  }                                                                                               \
  cublasStatus_t cublas##S##getrsBatched(cublasHandle_t h, cublasOperation_t op, int n, int k,    \
                                         const T* const a[], int lda, const int* p, T* const b[], \
                                         int ldb, int* info, int batch) {                         \
    return getrs("cublas getrsBatched", h, op, n, k, a, lda, p, b, ldb, info, batch);             \
  }                                                                                               \
  cublasStatus_t cublas##S##getriBatched(cublasHandle_t h, int n, const T* const a[], int lda,    \
                                         const int* p, T* const to[], int ldc, int* info,         \
                                         int batch) {                                             \
    return getri("cublas getriBatched", h, n, a, lda, p, to, ldc, info, batch);                   \
  }                                                                                               \
  cublasStatus_t cublas##S##geqrfBatched(cublasHandle_t h, int m, int n, T* const a[], int lda,   \
                                         T* const tau[], int* info, int batch) {                  \
    return geqrf("cublas geqrfBatched", h, m, n, a, lda, tau, info, batch);                       \
  }
TANDEM_FAKE_CUBLAS(S, float)
TANDEM_FAKE_CUBLAS(D, double)
TANDEM_FAKE_CUBLAS(C, cuComplex)
TANDEM_FAKE_CUBLAS(Z, cuDoubleComplex)

#pragma GCC visibility pop

}  // extern "C"
