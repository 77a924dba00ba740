// Factorisations on the host: LAPACK (OpenBLAS's) on batches of column-major matrices. The steps by
// reflectors and pivots; those of eigenvalues are in linalg_spectral.cpp, of singular values in
// linalg_svd.cpp.
#include "host/linalg.h"

#include <fmt/format.h>

#include <numeric>

#include "host/lanes.h"
#include "host/launchers.h"
#include "host/lu.h"
#include "host/reflectors.h"
#include "host/registry.h"
#include "tandem/error.h"

namespace tandem::host {

namespace {

constexpr int kColumns = LAPACK_COL_MAJOR;

char letter(FactorLaunch::Op op) {
  return op == FactorLaunch::Op::Plain ? 'N' : op == FactorLaunch::Op::Transpose ? 'T' : 'C';
}

template <class T>
void run_cholesky(const FactorLaunch& l) {
  over_batch(l, cubic(l, 1.0 / 3), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b) {
      T* a = matrix_at<T>(l.a, b);
      lapack_int info =
          Lapack<T>::potrf(kColumns, l.upper ? 'U' : 'L', small(l.n), a, small(l.a.leading));
      // OpenBLAS goes on where a pivot is NaN.
      for (std::int64_t i = 0; i < l.n && info == 0; ++i) {
        if (!(std::real(a[i * l.a.leading + i]) > 0)) info = small(i + 1);
      }
      l.info[b] = info;
    }
  });
}

template <class T>
void run_lu(const FactorLaunch& l) {
  over_batch(l, cubic(l, 2.0 / 3), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b) {
      l.info[b] =
          factor_lu(l.m, l.n, matrix_at<T>(l.a, b), l.a.leading, l.pivots + b * l.pivots_stride);
    }
  });
}

/// Whether `invert` is faster than getri, which threads share badly at these sizes.
template <class T>
constexpr bool inverts(std::int64_t n) {
  return is_complex_number<T> ? n >= 64 && n < 230 : n < 280;
}

/// a = U^-1 L^-1 P from LU's factors in a: both triangles on the identity's columns, shared by
/// threads, L from where a column begins. `x`: room for n * n.
template <class T>
void invert(std::int64_t n, T* a, std::int64_t leading, const lapack_int* pivots, T* x) {
  constexpr std::int64_t kWidth = 32;
  const T one = 1;
  const auto solve = [&](CBLAS_UPLO uplo, CBLAS_DIAG diagonal, std::int64_t from,
                         std::int64_t first, std::int64_t last) {
    Lapack<T>::trsm(CblasColMajor, CblasLeft, uplo, CblasNoTrans, diagonal, small(n - from),
                    small(last - first), factor_of(one), a + from * leading + from, small(leading),
                    x + first * n + from, small(n));
  };
  parallel_for((n + kWidth - 1) / kWidth, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * kWidth, last = std::min(end * kWidth, n);
    std::fill(x + first * n, x + last * n, T(0));
    for (std::int64_t j = first; j < last; ++j) x[j * n + j] = 1;
    for (std::int64_t j = first; j < last; j += kWidth)
      solve(CblasLower, CblasUnit, j, j, std::min(j + kWidth, last));
    for (std::int64_t j = first; j < last; j += kWidth)  // the same widths at any number of threads
      solve(CblasUpper, CblasNonUnit, 0, j, std::min(j + kWidth, last));
  });
  const auto order = room<std::int64_t>(n);
  std::iota(order.get(), order.get() + n, std::int64_t(0));
  for (std::int64_t i = 0; i < n; ++i) std::swap(order[i], order[pivots[i] - 1]);
  for (std::int64_t j = 0; j < n; ++j) std::copy_n(x + j * n, n, a + order[j] * leading);
}

template <class T>
void run_inverse(const FactorLaunch& l) {
  over_batch(l, cubic(l, 2), [&](std::int64_t first, std::int64_t last) {
    const lapack_int n = small(l.n), lda = small(l.a.leading);
    const auto pivots = room<lapack_int>(l.n);
    T size{};
    Lapack<T>::getri(kColumns, n, nullptr, lda, pivots.get(), &size, -1);
    const bool own = inverts<T>(l.n);
    const auto work = workspace<T>(told(size), l), x = room<T>(own ? l.n * l.n : 0);
    const ForLapack<T> matrix(l.n, own ? 0 : l.n, l.a.leading);
    for (std::int64_t b = first; b < last; ++b) {
      T* a = matrix_at<T>(l.a, b);
      l.info[b] = factor_lu(l.n, l.n, a, l.a.leading, pivots.get());
      if (l.info[b] != 0) continue;
      if (own) {
        invert(l.n, a, l.a.leading, pivots.get(), x.get());
      } else {
        l.info[b] = Lapack<T>::getri(kColumns, n, matrix.take(a), lda, pivots.get(), work.get(),
                                     told(size));
        matrix.give_back(a);
      }
    }
  });
}

struct Triangle {
  bool upper, unit;
  FactorLaunch::Op op;
};

/// x [n, k] = op(a)^-1 x, of the triangle. A single column is a vector: trsm packs the triangle for
/// it, which takes longer than the solution. Not of complex numbers: see ForLapack.
template <class T>
void solve_triangle(const FactorLaunch& l, const Triangle& t, const T* a, T* x) {
  const auto uplo = t.upper ? CblasUpper : CblasLower;
  const auto op = t.op == FactorLaunch::Op::Plain       ? CblasNoTrans
                  : t.op == FactorLaunch::Op::Transpose ? CblasTrans
                                                        : CblasConjTrans;
  const auto diagonal = t.unit ? CblasUnit : CblasNonUnit;
  const lapack_int n = small(l.n), k = small(l.k), lda = small(l.a.leading),
                   ldb = small(l.b.leading);
  if (k == 1 && !is_complex_number<T>) {
    Lapack<T>::trsv(CblasColMajor, uplo, op, diagonal, n, a, lda, x, 1);
    return;
  }
  const T one = 1;
  Lapack<T>::trsm(CblasColMajor, CblasLeft, uplo, op, diagonal, n, k, factor_of(one), a, lda, x,
                  ldb);
}

/// Of one right-hand side: getrs has trsm for it too.
template <class T>
void solve_factored(const FactorLaunch& l, const T* a, const lapack_int* pivots, T* x) {
  const bool plain = l.op == FactorLaunch::Op::Plain;
  for (std::int64_t i = 0; i < l.n && plain; ++i) std::swap(x[i], x[pivots[i] - 1]);
  for (const bool upper : {!plain, plain}) solve_triangle<T>(l, {upper, !upper, l.op}, a, x);
  for (std::int64_t i = l.n; i-- > 0 && !plain;) std::swap(x[i], x[pivots[i] - 1]);
}

template <class T>
void run_lu_solve(const FactorLaunch& l) {
  const double work = static_cast<double>(l.n) * static_cast<double>(l.n * l.k);
  over_batch(l, work, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b) {
      const T* a = matrix_at<T>(l.a, b);
      T* x = matrix_at<T>(l.b, b);
      const lapack_int* pivots = l.pivots + b * l.pivots_stride;
      if (l.k == 1) {
        solve_factored(l, a, pivots, x);
      } else {
        Lapack<T>::getrs(kColumns, letter(l.op), small(l.n), small(l.k), a, small(l.a.leading),
                         pivots, x, small(l.b.leading));
      }
    }
  });
}

template <class T>
void run_triangular(const FactorLaunch& l) {
  const double work = static_cast<double>(l.n) * static_cast<double>(l.n * l.k) / 2;
  over_batch(l, work, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b)
      solve_triangle<T>(l, {l.upper, l.unit, l.op}, matrix_at<T>(l.a, b), matrix_at<T>(l.b, b));
  });
}

/// Reflectors from which own blocks of them are faster than LAPACK's.
constexpr std::int64_t kOwnReflectors = 33;

template <class T>
void run_qr(const FactorLaunch& l) {
  over_batch(l, cubic(l, 2), [&](std::int64_t first, std::int64_t last) {
    const std::int64_t least = std::min(l.m, l.n);
    for (std::int64_t b = first; b < last && least >= kOwnReflectors; ++b) {
      factor_qr(l.m, l.n, matrix_at<T>(l.a, b), l.a.leading, static_cast<T*>(l.tau) + b * least);
    }
    if (least >= kOwnReflectors) return;
    const lapack_int m = small(l.m), n = small(l.n), lda = small(l.a.leading);
    T size{};
    Lapack<T>::geqrf(kColumns, m, n, nullptr, lda, nullptr, &size, -1);
    const auto work = workspace<T>(told(size), l);
    const ForLapack<T> matrix(l.m, l.n, l.a.leading);
    for (std::int64_t b = first; b < last; ++b) {
      T* a = matrix_at<T>(l.a, b);
      Lapack<T>::geqrf(kColumns, m, n, matrix.take(a), lda,
                       static_cast<T*>(l.tau) + b * std::min(l.m, l.n), work.get(), told(size));
      matrix.give_back(a);
    }
  });
}

/// orgqr: Q's columns over the reflectors that they are of.
template <class R>
void orthogonal(const FactorLaunch& l, R* a, const R* tau) {
  const auto v = room<R>(l.m * l.k);
  for (std::int64_t j = 0; j < l.k; ++j) {
    R* to = v.get() + j * l.m;
    std::fill_n(to, j, R(0));
    to[j] = 1;
    std::copy(a + j * l.a.leading + j + 1, a + j * l.a.leading + l.m, to + j + 1);
  }
  for (std::int64_t j = 0; j < l.n; ++j) {
    std::fill_n(a + j * l.a.leading, l.m, R(0));
    a[j * l.a.leading + j] = 1;
  }
  apply_reflectors<R>({l.m, l.k, 0, v.get(), l.m, tau}, a, l.a.leading, l.n, false, true);
}

/// k columns of reflectors to n columns of Q.
template <class T>
void run_orthogonal(const FactorLaunch& l) {
  over_batch(l, cubic(l, 2), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last && l.k >= kOwnReflectors; ++b)
      orthogonal(l, matrix_at<T>(l.a, b), static_cast<const T*>(l.tau) + b * l.k);
    if (l.k >= kOwnReflectors) return;
    const lapack_int m = small(l.m), n = small(l.n), k = small(l.k), lda = small(l.a.leading);
    T size{};
    Lapack<T>::orgqr(kColumns, m, n, k, nullptr, lda, nullptr, &size, -1);
    const auto work = workspace<T>(told(size), l);
    const ForLapack<T> matrix(l.m, l.n, l.a.leading);
    for (std::int64_t b = first; b < last; ++b) {
      T* a = matrix_at<T>(l.a, b);
      Lapack<T>::orgqr(kColumns, m, n, k, matrix.take(a), lda, static_cast<T*>(l.tau) + b * l.k,
                       work.get(), told(size));
      matrix.give_back(a);
    }
  });
}

void run_permutation(const FactorLaunch& l) {
  parallel_for(l.batch, 16384 / l.m + 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last; ++b) {
      std::int64_t* order = l.order + b * l.m;
      std::iota(order, order + l.m, std::int64_t(0));
      for (std::int64_t i = 0; i < l.k; ++i) {
        std::swap(order[i], order[l.pivots[b * l.pivots_stride + i] - 1]);
      }
    }
  });
}

void run_small(const SmallLaunch& l) {
  const double products = is_complex(l.dtype) ? 4 : 1;  // of two elements
  const auto n = static_cast<double>(l.n);
  over_lanes(l, l.dtype, l.batch, products * n * n * static_cast<double>(l.n + l.k));
}

void run_small_qr(const SmallQrLaunch& l) {
  const double work = static_cast<double>(l.m * (l.n + l.columns)) * static_cast<double>(l.k);
  over_lanes(l, l.dtype, l.batch, work);
}

void run_small_spectral(const SmallSpectralLaunch& l) {
  over_lanes(l, l.dtype, l.batch,
             15.0 * static_cast<double>(l.n * l.n) * static_cast<double>(l.m + 8));
}

template <class T>
void run_step(const FactorLaunch& l) {
  using Step = FactorLaunch::Step;
  switch (l.step) {
    case Step::Cholesky:
      return run_cholesky<T>(l);
    case Step::LU:
      return run_lu<T>(l);
    case Step::LUSolve:
      return run_lu_solve<T>(l);
    case Step::Inverse:
      return run_inverse<T>(l);
    case Step::Triangular:
      return run_triangular<T>(l);
    case Step::QR:
      return run_qr<T>(l);
    case Step::Orthogonal:
      return run_orthogonal<T>(l);
    case Step::Eigh:
      return run_eigh<T>(l);
    case Step::Svd:
      return run_svd<T>(l);
    case Step::Eig:
      return run_eig<T>(l);
    case Step::LeastSquares:
      return run_least_squares<T>(l);
    case Step::Permutation:
      return run_permutation(l);
    case Step::Small:  // these have no element type of their own
    case Step::SmallQr:
    case Step::SmallSpectral:
      return;
  }
}

void launch_factor(const void* desc, const void*) {
  const auto& l = *static_cast<const FactorLaunch*>(desc);
  if (l.step == FactorLaunch::Step::Small) return run_small(*l.small);
  if (l.step == FactorLaunch::Step::SmallQr) return run_small_qr(*l.small_qr);
  if (l.step == FactorLaunch::Step::SmallSpectral) return run_small_spectral(*l.spectral);
  TANDEM_EXPECTS(std::max({l.m, l.n, l.k, l.a.leading, l.b.leading}) <= INT32_MAX, ValueError,
                 fmt::format("[{}] expected extents below 2^31, got {}, {} and {}", l.row->name,
                             l.m, l.n, l.k));
  if (l.step != FactorLaunch::Step::Permutation) require_lapack(l.row->name);
  switch (l.dtype) {
    case DType::float32:
      return run_step<float>(l);
    case DType::float64:
      return run_step<double>(l);
    case DType::complex64:
      return run_step<std::complex<float>>(l);
    default:
      return run_step<std::complex<double>>(l);
  }
}

}  // namespace

void register_linalg(HostRegistry& r) {
#define TANDEM_FUNC(name, ...) r.bind(#name, {&launch_factor, nullptr});
#include "tandem/ops/linalg.def"
#undef TANDEM_FUNC
}

}  // namespace tandem::host
