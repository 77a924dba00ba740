// Eigenvalues, singular values and least squares on the host, by LAPACK's divide and conquer. See
// linalg.cpp.
#include <cmath>
#include <limits>
#include <memory>

#include "host/linalg.h"
#include "host/reflectors.h"
#include "host/secular.h"
#include "host/tall_qr.h"

namespace tandem::host {

namespace {

constexpr int kColumns = LAPACK_COL_MAJOR;

/// LAPACK's iterations need not end where an element is infinite or NaN.
template <class T>
bool finite(const T* a, std::int64_t rows, std::int64_t columns, std::int64_t leading) {
  using R = typename Lapack<T>::Real;
  constexpr int kLanes = 64 / sizeof(R);
  R sums[kLanes] = {};  // x * 0 is NaN for each that is not finite
  constexpr std::int64_t parts = is_complex_number<T> ? 2 : 1;
  for (std::int64_t j = 0; j < columns; ++j) {
    const R* x = reinterpret_cast<const R*>(a + j * leading);
    std::int64_t i = 0;
    for (; i + kLanes <= rows * parts; i += kLanes) {
      for (int k = 0; k < kLanes; ++k) sums[k] += x[i + k] * R(0);
    }
    for (; i < rows * parts; ++i) sums[0] += x[i] * R(0);
  }
  return std::all_of(sums, sums + kLanes, [](R sum) { return sum == 0; });
}

/// Extent below which one thread is faster than two in iterations for eigenvalues and singular
/// values: measured on two cores, 128 takes 0.8 of the time, 192 0.9, 256 as long or longer.
constexpr double kOneThread = 220;

/// The least work of a step of factor * n^3 that threads share.
constexpr double shared_from(double factor) {
  return factor * kOneThread * kOneThread * kOneThread;
}

/// LAPACK of real numbers alone.
template <class R>
struct Condensed;
template <>
struct Condensed<float> {
  static constexpr FromLapack<&LapackTable::LAPACKE_sbdsdc_work> bdsdc{};
  static constexpr FromLapack<&LapackTable::LAPACKE_ssterf_work> sterf{};
};
template <>
struct Condensed<double> {
  static constexpr FromLapack<&LapackTable::LAPACKE_dbdsdc_work> bdsdc{};
  static constexpr FromLapack<&LapackTable::LAPACKE_dsterf_work> sterf{};
};

/// Eigenvalues and, where they are wanted, eigenvectors, in a, of a real matrix: LAPACK's syevd by
/// own parts.
template <class R>
lapack_int divided_eigh(const FactorLaunch& l, R* a, R* w) {
  const std::int64_t n = l.n;
  TridiagonalForm<R> form(n, a, l.a.leading, l.upper);
  const auto e = room<R>(n), q = room<R>(l.vectors ? n * n : 0);
  form.run(w, e.get());
  const lapack_int info = l.vectors ? tridiagonal_eigh<R>(n, w, e.get(), q.get())
                                    : Condensed<R>::sterf(small(n), w, e.get());
  if (info != 0) return info;
  for (std::int64_t j = 0; j < n; ++j) w[j] *= form.scale();
  if (!l.vectors) return 0;
  apply_reflectors<R>(form.reflectors(), q.get(), n, n, false);
  for (std::int64_t j = 0; j < n; ++j) std::copy_n(q.get() + j * n, n, a + j * l.a.leading);
  return 0;
}

template <class T>
struct Hermitian;
template <>
struct Hermitian<std::complex<float>> {
  static constexpr FromLapack<&LapackTable::LAPACKE_chetrd_work> hetrd{};
};
template <>
struct Hermitian<std::complex<double>> {
  static constexpr FromLapack<&LapackTable::LAPACKE_zhetrd_work> hetrd{};
};

/// The same of a complex matrix, whose reduction is LAPACK's.
template <class T>
lapack_int divided_eigh_complex(const FactorLaunch& l, T* a, typename Lapack<T>::Real* w) {
  using R = typename Lapack<T>::Real;
  const std::int64_t n = l.n, leading = l.a.leading;
  const R factor = scale_to_one(
      n, reinterpret_cast<const R*>(a), 2 * leading,
      [&](std::int64_t j) { return l.upper ? 0 : 2 * j; },
      [&](std::int64_t j) { return l.upper ? 2 * (j + 1) : 2 * n; });
  const auto h = room<T>((n + 1) * n), tau = room<T>(n);  // a spare column: see ForLapack
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = j; i < n; ++i)
      h[j * n + i] = (l.upper ? std::conj(a[i * leading + j]) : a[j * leading + i]) * factor;
  }
  const lapack_int size = small(32 * n);
  const auto work = workspace<T>(size, l);
  const auto e = room<R>(n), q = room<R>(l.vectors ? n * n : 0);
  Hermitian<T>::hetrd(kColumns, 'L', small(n), h.get(), small(n), w, e.get(), tau.get(), work.get(),
                      size);
  const lapack_int info = l.vectors ? tridiagonal_eigh<R>(n, w, e.get(), q.get())
                                    : Condensed<R>::sterf(small(n), w, e.get());
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

/// c [rows, columns], whose first `known` of both are given, with 1 on the diagonal of the rest.
template <class R>
void fill_rest(R* c, std::int64_t leading, std::int64_t rows, std::int64_t columns,
               std::int64_t known) {
  for (std::int64_t j = 0; j < columns; ++j) {
    R* column = c + j * leading;
    std::fill(column + (j < known ? known : 0), column + rows, R(0));
    if (j >= known && j < rows) column[j] = 1;
  }
}

/// gesdd of real matrices with vectors: LAPACK's bdsdc between own parts.
template <class R>
lapack_int divided_svd(const FactorLaunch& l, const R* a, R* s, R* u, R* v) {
  const std::int64_t least = std::min(l.m, l.n);
  BidiagonalForm<R> form(l.m, l.n, a, l.a.leading);
  const auto e = room<R>(least), work = room<R>(3 * least * least + 4 * least);
  const auto integers = room<lapack_int>(8 * least);
  form.run(s, e.get());
  const lapack_int info = Condensed<R>::bdsdc(kColumns, l.m < l.n ? 'L' : 'U', 'I', small(least), s,
                                              e.get(), u, small(l.u.leading), v, small(l.v.leading),
                                              nullptr, nullptr, work.get(), integers.get());
  if (info != 0) return info;
  const std::int64_t columns = l.full ? l.m : least, rows = l.full ? l.n : least;
  fill_rest(u, l.u.leading, l.m, columns, least);
  fill_rest(v, l.v.leading, rows, l.n, least);
  apply_reflectors<R>(form.left(), u, l.u.leading, columns, false);
  apply_reflectors<R>(form.right(), v, l.v.leading, rows, true);
  for (std::int64_t i = 0; i < least; ++i) s[i] *= form.scale();
  return 0;
}

/// Singular values alone of a real matrix.
template <class R>
lapack_int divided_values(const FactorLaunch& l, const R* a, R* s) {
  const std::int64_t least = std::min(l.m, l.n);
  BidiagonalForm<R> form(l.m, l.n, a, l.a.leading);
  const auto e = room<R>(least), work = room<R>(4 * least);
  const auto integers = room<lapack_int>(8 * least);
  form.run(s, e.get());
  // The form of a transpose is upper too.
  const lapack_int info =
      Condensed<R>::bdsdc(kColumns, 'U', 'N', small(least), s, e.get(), nullptr, 1, nullptr, 1,
                          nullptr, nullptr, work.get(), integers.get());
  if (info != 0) return info;
  for (std::int64_t i = 0; i < least; ++i) s[i] *= form.scale();
  return 0;
}

/// Rows from which own parts pay.
constexpr std::int64_t kDivided = 33;

inline bool divides_eigh(const FactorLaunch& l) { return l.n >= kDivided; }

/// Whether one extent is much the larger.
inline bool is_long(const FactorLaunch& l) {
  return 5 * std::max(l.m, l.n) >= 8 * std::min(l.m, l.n);
}

/// Not for all vectors of a long matrix: LAPACK takes a triangle first.
inline bool divides_svd(const FactorLaunch& l) {
  return std::min(l.m, l.n) >= kDivided && !(is_long(l) && l.vectors && l.full);
}

/// Whether a triangle is taken first here, whose singular values are those of the matrix; of few
/// columns where its blocks are of use.
inline bool takes_triangle(const FactorLaunch& l) {
  const std::int64_t least = std::min(l.m, l.n);
  return is_long(l) && !(l.vectors && l.full) && least > 0 &&
         (least >= kDivided || has_blocks(std::max(l.m, l.n), least));
}

/// The same of the triangle that is read.
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

template <class T>
lapack_int svd(const FactorLaunch& l, char job, T* a, typename Lapack<T>::Real* s, T* u, T* v,
               T* work, lapack_int lwork, typename Lapack<T>::Real* rwork, lapack_int* iwork) {
  const lapack_int m = small(l.m), n = small(l.n), lda = small(l.a.leading);
  const lapack_int ldu = std::max(small(l.u.leading), 1), ldv = std::max(small(l.v.leading), 1);
  if constexpr (is_complex_number<T>) {
    return Lapack<T>::gesdd(kColumns, job, m, n, a, lda, s, u, ldu, v, ldv, work, lwork, rwork,
                            iwork);
  } else {
    (void)rwork;
    return Lapack<T>::gesdd(kColumns, job, m, n, a, lda, s, u, ldu, v, ldv, work, lwork, iwork);
  }
}

/// gesdd: all that a batch of matrices of one shape wants of it.
template <class T>
class LibrarySvd {
 public:
  using R = typename Lapack<T>::Real;
  explicit LibrarySvd(const FactorLaunch& l)
      : l_(l),
        job_(!l.vectors ? 'N'
             : l.full   ? 'A'
                        : 'S'),
        a_(l.m, l.n, l.a.leading),
        u_(l.m,
           !l.vectors ? 0
           : l.full   ? l.m
                      : std::min(l.m, l.n),
           l.u.leading),
        v_(l.full ? l.n : std::min(l.m, l.n), !l.vectors ? 0 : l.n, l.v.leading) {
    const std::int64_t least = std::min(l.m, l.n), most = std::max(l.m, l.n);
    // The documentation of zgesdd gives the size of its real work.
    const std::int64_t reals =
        std::max(5 * least * least + 5 * least, 2 * most * least + 2 * least * least + least);
    rwork_ = room<R>(!is_complex_number<T> ? 1 : l.vectors ? reals : 7 * least);
    iwork_ = room<lapack_int>(8 * least);
    T size{};
    svd<T>(l, job_, nullptr, nullptr, nullptr, nullptr, &size, -1, rwork_.get(), iwork_.get());
    size_ = told(size);
    work_ = workspace<T>(size_, l);
  }
  lapack_int run(T* a, R* s, T* u, T* v) const {
    const lapack_int info = svd<T>(l_, job_, a_.take(a), s, u_.take(u, false), v_.take(v, false),
                                   work_.get(), size_, rwork_.get(), iwork_.get());
    u_.give_back(u);
    v_.give_back(v);
    return info;
  }

 private:
  const FactorLaunch& l_;
  char job_;
  ForLapack<T> a_, u_, v_;
  lapack_int size_ = 0;
  std::unique_ptr<R[]> rwork_;
  std::unique_ptr<lapack_int[]> iwork_;
  std::unique_ptr<T[]> work_;
};

template <class T>
lapack_int any_svd(const FactorLaunch& l, T* a, typename Lapack<T>::Real* s, T* u, T* v) {
  if constexpr (!is_complex_number<T>) {
    if (divides_svd(l))
      return l.vectors ? divided_svd<T>(l, a, s, u, v) : divided_values<T>(l, a, s);
  }
  return LibrarySvd<T>(l).run(a, s, u, v);
}

/// By the triangle of the matrix, or of its transpose where that is the tall one: A = Q R and
/// R = U S V^H give A = (Q U) S V^H.
template <class T>
lapack_int tall_svd(const FactorLaunch& l, const T* a, typename Lapack<T>::Real* s, T* u, T* v) {
  using R = typename Lapack<T>::Real;
  const bool turned = l.m < l.n;
  const std::int64_t k = std::min(l.m, l.n), parts = is_complex_number<T> ? 2 : 1;
  const R factor = scale_to_one(
      l.n, reinterpret_cast<const R*>(a), parts * l.a.leading,
      [](std::int64_t) { return std::int64_t(0); }, [&](std::int64_t) { return parts * l.m; });
  const TallQr<T> qr(std::max(l.m, l.n), k, a, l.a.leading, turned, factor, l.vectors);
  FactorLaunch square = l;
  square.m = square.n = square.a.leading = square.u.leading = square.v.leading = k;
  const auto triangle = room<T>(k * k), left = room<T>(l.vectors ? k * k : 0),
             right = room<T>(l.vectors ? k * k : 0);
  std::copy_n(qr.triangle(), k * k, triangle.get());
  const Team team(static_cast<double>(k) < kOneThread ? 1 : omp_get_max_threads());
  const lapack_int info = any_svd<T>(square, triangle.get(), s, l.vectors ? left.get() : nullptr,
                                     l.vectors ? right.get() : nullptr);
  if (info != 0) return info;
  for (std::int64_t i = 0; i < k; ++i) s[i] /= factor;
  if (!l.vectors) return 0;
  if (!turned) {
    qr.apply(left.get(), k, u, l.u.leading, false);
    for (std::int64_t j = 0; j < k; ++j) std::copy_n(right.get() + j * k, k, v + j * l.v.leading);
  } else {
    qr.apply(left.get(), k, v, l.v.leading, true);
    for (std::int64_t j = 0; j < k; ++j) {
      for (std::int64_t i = 0; i < k; ++i) u[j * l.u.leading + i] = right[i * k + j];
    }
  }
  return 0;
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
void run_svd(const FactorLaunch& l) {
  using R = typename Lapack<T>::Real;
  const std::int64_t least = std::min(l.m, l.n);
  const double factor = l.vectors ? 20 : 4;
  const auto run = [&](std::int64_t first, std::int64_t last) {
    std::unique_ptr<LibrarySvd<T>> library;
    for (std::int64_t b = first; b < last; ++b) {
      T* a = matrix_at<T>(l.a, b);
      R* values = static_cast<R*>(l.values) + b * least;
      T* u = l.vectors ? matrix_at<T>(l.u, b) : nullptr;
      T* v = l.vectors ? matrix_at<T>(l.v, b) : nullptr;
      l.info[b] = l.kNotFinite;
      if (!finite(a, l.m, l.n, l.a.leading)) continue;
      if (takes_triangle(l)) {
        l.info[b] = tall_svd<T>(l, a, values, u, v);
        continue;
      }
      if (!is_complex_number<T> && divides_svd(l)) {
        l.info[b] = any_svd<T>(l, a, values, u, v);
        continue;
      }
      if (library == nullptr) library = std::make_unique<LibrarySvd<T>>(l);
      l.info[b] = library->run(a, values, u, v);
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
  template void run_svd<T>(const FactorLaunch&);  \
  template void run_eigh<T>(const FactorLaunch&); \
  template void run_eig<T>(const FactorLaunch&);  \
  template void run_least_squares<T>(const FactorLaunch&);
TANDEM_SPECTRAL(float)
TANDEM_SPECTRAL(double)
TANDEM_SPECTRAL(std::complex<float>)
TANDEM_SPECTRAL(std::complex<double>)

}  // namespace tandem::host
