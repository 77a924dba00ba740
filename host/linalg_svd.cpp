// Singular values on the host, by LAPACK's divide and conquer between own parts. See linalg.cpp.
#include "host/linalg.h"
#include "host/reflectors.h"
#include "host/tall_qr.h"

namespace tandem::host {

namespace {

constexpr int kColumns = LAPACK_COL_MAJOR;

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
  const lapack_int info = Lapack<R>::bdsdc(kColumns, l.m < l.n ? 'L' : 'U', 'I', small(least), s,
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
      Lapack<R>::bdsdc(kColumns, 'U', 'N', small(least), s, e.get(), nullptr, 1, nullptr, 1,
                       nullptr, nullptr, work.get(), integers.get());
  if (info != 0) return info;
  for (std::int64_t i = 0; i < least; ++i) s[i] *= form.scale();
  return 0;
}

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

}  // namespace

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

template void run_svd<float>(const FactorLaunch&);
template void run_svd<double>(const FactorLaunch&);
template void run_svd<std::complex<float>>(const FactorLaunch&);
template void run_svd<std::complex<double>>(const FactorLaunch&);

}  // namespace tandem::host
