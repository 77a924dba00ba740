// Eigenvalues and least squares on the host. See linalg.cpp.
#include <cmath>
#include <limits>

#include "host/linalg.h"
#include "host/reflectors.h"
#include "host/secular.h"

namespace tandem::host {

namespace {

constexpr int kColumns = LAPACK_COL_MAJOR;

/// Eigenvalues and, where they are wanted, eigenvectors, in a, of a real matrix: LAPACK's syevd by
/// own parts.
template <class R>
lapack_int divided_eigh(const FactorLaunch& l, R* a, R* w) {
  const std::int64_t n = l.n;
  TridiagonalForm<R> form(n, a, l.a.leading, l.upper);
  const auto e = room<R>(n), q = room<R>(l.vectors ? n * n : 0);
  form.run(w, e.get());
  const lapack_int info = l.vectors ? tridiagonal_eigh<R>(n, w, e.get(), q.get())
                                    : Lapack<R>::sterf(small(n), w, e.get());
  if (info != 0) return info;
  for (std::int64_t j = 0; j < n; ++j) w[j] *= form.scale();
  if (!l.vectors) return 0;
  apply_reflectors<R>(form.reflectors(), q.get(), n, n, false);
  for (std::int64_t j = 0; j < n; ++j) std::copy_n(q.get() + j * n, n, a + j * l.a.leading);
  return 0;
}

/// The same of a complex matrix, whose reduction is LAPACK's.
template <class T>
lapack_int divided_eigh_complex(const FactorLaunch& l, T* a, typename Lapack<T>::Real* w) {
  using R = typename Lapack<T>::Real;
  const std::int64_t n = l.n, leading = l.a.leading;
  const auto h = room<T>((n + 1) * n), tau = room<T>(n);  // a spare column: see ForLapack
  for (std::int64_t j = 0; j < n; ++j) {
    h[j * n + j] = std::real(a[j * leading + j]);  // what else is there is not read
    for (std::int64_t i = j + 1; i < n; ++i)
      h[j * n + i] = l.upper ? std::conj(a[i * leading + j]) : a[j * leading + i];
  }
  const R factor = scale_to_one(
      n, reinterpret_cast<const R*>(h.get()), 2 * n, [](std::int64_t j) { return 2 * j; },
      [&](std::int64_t) { return 2 * n; });
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = j; i < n; ++i) h[j * n + i] *= factor;
  }
  const lapack_int size = small(32 * n);
  const auto work = workspace<T>(size, l);
  const auto e = room<R>(n), q = room<R>(l.vectors ? n * n : 0);
  Lapack<T>::hetrd(kColumns, 'L', small(n), h.get(), small(n), w, e.get(), tau.get(), work.get(),
                   size);
  const lapack_int info = l.vectors ? tridiagonal_eigh<R>(n, w, e.get(), q.get())
                                    : Lapack<R>::sterf(small(n), w, e.get());
  if (info != 0) return info;
  for (std::int64_t j = 0; j < n; ++j) w[j] /= factor;
  if (!l.vectors) return 0;
  for (std::int64_t j = 0; j < n; ++j) {
    std::fill_n(h.get() + j * n, std::min(j + 1, n), T(0));
    if (j + 1 < n) h[j * n + j + 1] = 1;
    std::copy_n(q.get() + j * n, n, a + j * leading);
  }
  apply_reflectors<T>({n, n - 1, 1, h.get(), n, tau.get()}, a, leading, n, false);
  return 0;
}

inline bool divides_eigh(const FactorLaunch& l) { return l.n >= kDivided; }

/// Whether the triangle that is read is finite.
template <class T>
bool finite_triangle(const T* a, std::int64_t n, std::int64_t leading, bool upper) {
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t first = upper ? 0 : j;
    if (!finite(a + j * leading + first, upper ? j + 1 : n - j, 1, leading)) return false;
  }
  return true;
}

/// syevd and heevd, whose real work only the complex one has.
template <class T>
lapack_int eigh(const FactorLaunch& l, T* a, typename Lapack<T>::Real* w, T* work, lapack_int lwork,
                typename Lapack<T>::Real* rwork, lapack_int lrwork, lapack_int* iwork,
                lapack_int liwork) {
  const char job = l.vectors ? 'V' : 'N';
  const char uplo = l.upper ? 'U' : 'L';
  const lapack_int n = small(l.n), lda = small(l.a.leading);
  if constexpr (is_complex_number<T>) {
    return Lapack<T>::syevd(kColumns, job, uplo, n, a, lda, w, work, lwork, rwork, lrwork, iwork,
                            liwork);
  } else {
    (void)rwork;
    (void)lrwork;
    return Lapack<T>::syevd(kColumns, job, uplo, n, a, lda, w, work, lwork, iwork, liwork);
  }
}

/// Real matrices have their complex eigenvalues in pairs, of whose vectors LAPACK gives the real
/// and the imaginary part (the documentation of dgeev).
template <class R>
void join_pairs(std::int64_t n, const R* wr, const R* wi, const R* vr, std::complex<R>* w,
                std::complex<R>* vectors, std::int64_t leading) {
  for (std::int64_t j = 0; j < n; ++j) {
    w[j] = {wr[j], wi[j]};
    if (vectors == nullptr) continue;
    const bool pair = wi[j] > 0 && j + 1 < n;
    for (std::int64_t i = 0; i < n; ++i) {
      const R re = vr[j * n + i];
      const R im = pair ? vr[(j + 1) * n + i] : R(0);
      vectors[j * leading + i] = {re, im};
      if (pair) vectors[(j + 1) * leading + i] = {re, -im};
    }
    if (pair) {
      ++j;
      w[j] = {wr[j], wi[j]};
    }
  }
}

template <class R>
void eig_real(const FactorLaunch& l, std::int64_t first, std::int64_t last) {
  const lapack_int n = small(l.n), lda = small(l.a.leading);
  const char job = l.vectors ? 'V' : 'N';
  const auto wr = room<R>(l.n), wi = room<R>(l.n), vr = room<R>(l.vectors ? l.n * l.n : 1);
  R size{};
  const auto call = [&](R* a, R* work, lapack_int lwork) {
    return Lapack<R>::geev(kColumns, 'N', job, n, a, lda, wr.get(), wi.get(), nullptr, 1, vr.get(),
                           n, work, lwork);
  };
  call(nullptr, &size, -1);
  const auto work = room<R>(told(size));
  for (std::int64_t b = first; b < last; ++b) {
    R* a = matrix_at<R>(l.a, b);
    l.info[b] = finite(a, l.n, l.n, lda) ? call(a, work.get(), told(size)) : l.kNotFinite;
    if (l.info[b] < 0) continue;
    join_pairs(l.n, wr.get(), wi.get(), vr.get(), static_cast<std::complex<R>*>(l.values) + b * l.n,
               l.vectors ? matrix_at<std::complex<R>>(l.u, b) : nullptr, l.u.leading);
  }
}

template <class T>
void eig_complex(const FactorLaunch& l, std::int64_t first, std::int64_t last) {
  using R = typename Lapack<T>::Real;
  const lapack_int n = small(l.n), lda = small(l.a.leading);
  const lapack_int ldv = std::max(small(l.u.leading), 1);
  const auto rwork = room<R>(2 * l.n);
  T size{};
  const auto call = [&](T* a, T* w, T* vr, T* work, lapack_int lwork) {
    return Lapack<T>::geev(kColumns, 'N', l.vectors ? 'V' : 'N', n, a, lda, w, nullptr, 1, vr, ldv,
                           work, lwork, rwork.get());
  };
  call(nullptr, nullptr, nullptr, &size, -1);
  const auto work = workspace<T>(told(size), l);
  const ForLapack<T> matrix(l.n, l.n, l.a.leading), all(l.n, l.vectors ? l.n : 0, ldv);
  for (std::int64_t b = first; b < last; ++b) {
    T* a = matrix_at<T>(l.a, b);
    T* vectors = l.vectors ? matrix_at<T>(l.u, b) : nullptr;
    l.info[b] = l.kNotFinite;
    if (!finite(a, l.n, l.n, lda)) continue;
    l.info[b] = call(matrix.take(a), static_cast<T*>(l.values) + b * l.n, all.take(vectors, false),
                     work.get(), told(size));
    all.give_back(vectors);
  }
}

/// What a least squares routine needs beside the matrices.
template <class T>
struct LeastSquaresWork {
  std::unique_ptr<typename Lapack<T>::Real[]> values, real;
  std::unique_ptr<lapack_int[]> integers;
  std::unique_ptr<T[]> work;
  lapack_int size = -1;
};

template <class T>
lapack_int least_squares(const FactorLaunch& l, LeastSquaresWork<T>& w, T* a, T* b, T* work,
                         lapack_int lwork, typename Lapack<T>::Real* real, lapack_int* integers,
                         lapack_int* rank) {
  using L = Lapack<T>;
  using Driver = FactorLaunch::Driver;
  const lapack_int m = small(l.m), n = small(l.n), k = small(l.k), lda = small(l.a.leading);
  const lapack_int ldb = small(l.b.leading);
  const auto rcond = static_cast<typename L::Real>(l.rcond);
  typename L::Real* s = w.values.get();
  constexpr bool complex = is_complex_number<T>;
  if (l.driver == Driver::Gels) {
    *rank = std::min(m, n);
    return L::gels(kColumns, 'N', m, n, k, a, lda, b, ldb, work, lwork);
  }
  if (l.driver == Driver::Gelsy) {
    if constexpr (complex)
      return L::gelsy(kColumns, m, n, k, a, lda, b, ldb, integers, rcond, rank, work, lwork, real);
    else
      return L::gelsy(kColumns, m, n, k, a, lda, b, ldb, integers, rcond, rank, work, lwork);
  }
  if (l.driver == Driver::Gelsd) {
    if constexpr (complex)
      return L::gelsd(kColumns, m, n, k, a, lda, b, ldb, s, rcond, rank, work, lwork, real,
                      integers);
    else
      return L::gelsd(kColumns, m, n, k, a, lda, b, ldb, s, rcond, rank, work, lwork, integers);
  }
  if constexpr (complex)
    return L::gelss(kColumns, m, n, k, a, lda, b, ldb, s, rcond, rank, work, lwork, real);
  else
    return L::gelss(kColumns, m, n, k, a, lda, b, ldb, s, rcond, rank, work, lwork);
}

template <class T>
LeastSquaresWork<T> least_squares_work(const FactorLaunch& l) {
  using R = typename Lapack<T>::Real;
  LeastSquaresWork<T> w;
  const std::int64_t least = std::min(l.m, l.n);
  w.values = room<R>(least);
  T size{};
  // gelsd answers with the sizes of its other workspaces too; those of the others follow from n.
  R real[8] = {};
  lapack_int integers[8] = {};
  lapack_int rank = 0;
  least_squares<T>(l, w, nullptr, nullptr, &size, -1, real, integers, &rank);
  w.size = told(size);
  w.work = workspace<T>(w.size, l);
  w.real = room<R>(std::max<std::int64_t>(told(real[0]), 5 * std::max(l.m, l.n)));
  w.integers = room<lapack_int>(std::max<std::int64_t>(integers[0], l.n));
  return w;
}

}  // namespace

template <class T>
void run_eigh(const FactorLaunch& l) {
  using R = typename Lapack<T>::Real;
  const double factor = l.vectors ? 9 : 4.0 / 3;
  const auto run = [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t b = first; b < last && divides_eigh(l); ++b) {
      T* a = matrix_at<T>(l.a, b);
      R* values = static_cast<R*>(l.values) + b * l.n;
      l.info[b] = l.kNotFinite;
      if (!finite_triangle(a, l.n, l.a.leading, l.upper)) continue;
      if constexpr (is_complex_number<T>)
        l.info[b] = divided_eigh_complex<T>(l, a, values);
      else
        l.info[b] = divided_eigh<T>(l, a, values);
    }
    if (divides_eigh(l)) return;
    T size{};
    R real_size{};
    lapack_int int_size = 0;
    eigh<T>(l, nullptr, nullptr, &size, -1, &real_size, -1, &int_size, -1);
    const auto work = workspace<T>(told(size), l);
    const auto rwork = room<R>(told(real_size));
    const auto iwork = room<lapack_int>(int_size);
    const ForLapack<T> matrix(l.n, l.n, l.a.leading);
    for (std::int64_t b = first; b < last; ++b) {
      T* a = matrix_at<T>(l.a, b);
      l.info[b] = l.kNotFinite;
      if (!finite_triangle(a, l.n, l.a.leading, l.upper)) continue;
      l.info[b] = eigh<T>(l, matrix.take(a), static_cast<R*>(l.values) + b * l.n, work.get(),
                          told(size), rwork.get(), told(real_size), iwork.get(), int_size);
      if (l.vectors) matrix.give_back(a);
    }
  };
  over_batch(l, cubic(l, factor), run, shared_from(factor));
}

template <class T>
void run_eig(const FactorLaunch& l) {
  over_batch(l, cubic(l, 25), [&](std::int64_t first, std::int64_t last) {
    if constexpr (is_complex_number<T>) {
      eig_complex<T>(l, first, last);
    } else {
      eig_real<T>(l, first, last);
    }
  });
}

template <class T>
void run_least_squares(const FactorLaunch& l) {
  using R = typename Lapack<T>::Real;
  const std::int64_t least = std::min(l.m, l.n);
  over_batch(l, cubic(l, 4), [&](std::int64_t first, std::int64_t last) {
    LeastSquaresWork<T> w = least_squares_work<T>(l);
    const ForLapack<T> matrix(l.m, l.n, l.a.leading), right(std::max(l.m, l.n), l.k, l.b.leading);
    for (std::int64_t b = first; b < last; ++b) {
      T* a = matrix_at<T>(l.a, b);
      T* x = matrix_at<T>(l.b, b);
      std::fill_n(w.integers.get(), l.n, 0);  // gelsy: columns that it may move
      lapack_int rank = 0;
      l.info[b] = l.kNotFinite;
      if (finite(a, l.m, l.n, l.a.leading) && finite(x, l.m, l.k, l.b.leading)) {
        l.info[b] = least_squares<T>(l, w, matrix.take(a), right.take(x), w.work.get(), w.size,
                                     w.real.get(), w.integers.get(), &rank);
        right.give_back(x);
      }
      if (l.rank != nullptr) l.rank[b] = rank;
      if (l.values != nullptr)
        std::copy_n(w.values.get(), least, static_cast<R*>(l.values) + b * least);
    }
  });
}

#define TANDEM_SPECTRAL(T)                        \
  template void run_eigh<T>(const FactorLaunch&); \
  template void run_eig<T>(const FactorLaunch&);  \
  template void run_least_squares<T>(const FactorLaunch&);
TANDEM_SPECTRAL(float)
TANDEM_SPECTRAL(double)
TANDEM_SPECTRAL(std::complex<float>)
TANDEM_SPECTRAL(std::complex<double>)

}  // namespace tandem::host
