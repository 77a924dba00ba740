// Products of Householder reflectors with matrices, in blocks I - V T V^H (R. Schreiber and C. Van
// Loan, "A storage-efficient WY representation for products of Householder transformations", SIAM
// J. Sci. Stat. Comput. 10, 1989), whose V is whole, so that all are products of the library; and
// the QR factorisation made of them. A thread has its own columns: it calls the library for those.
#include "host/reflectors.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/lapack.h"
#include "host/linalg.h"

namespace tandem::host {

namespace {

template <class T>
void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::int64_t m, std::int64_t n, std::int64_t k,
          T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
          std::int64_t ldc) {
  Lapack<T>::gemm(CblasColMajor, ta, tb, small(m), small(n), small(k), factor_of(alpha), a,
                  small(lda), b, small(ldb), factor_of(beta), c, small(ldc));
}

template <class T>
constexpr CBLAS_TRANSPOSE kAdjoint = is_complex_number<T> ? CblasConjTrans : CblasTrans;

/// Reflectors a block, of few and of many.
constexpr std::int64_t block_size(std::int64_t k) { return k < 192 ? 32 : 64; }

template <class T>
class Blocks {
 public:
  Blocks(const Reflectors<T>& h, std::int64_t columns)
      : h_(h),
        size_(block_size(h.k)),
        count_((h.k + size_ - 1) / size_),
        t_(room<T>(count_ * size_ * size_)),
        grams_(room<T>(count_ * size_ * size_)),
        work_(room<T>(2 * size_ * columns)),
        products_(work_.get() + size_ * columns) {
    parallel_for(count_, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t b = first; b < last; ++b) triangle(b);
    });
  }

  std::int64_t count() const { return count_; }
  std::int64_t start(std::int64_t b) const { return b * size_; }

  /// Columns [first, last) of c, from the left: I - V T V^H, or with T^H.
  void left(std::int64_t b, CBLAS_TRANSPOSE op, T* c, std::int64_t leading, std::int64_t first,
            std::int64_t last) const {
    const std::int64_t n = last - first, k = width(b), top = start(b) + h_.shift;
    T* w = work_.get() + first * size_;
    T* tw = products_ + first * size_;
    T* at = c + first * leading + top;
    gemm(kAdjoint<T>, CblasNoTrans, k, n, h_.rows - top, T(1), v(b), h_.leading, at, leading, T(0),
         w, size_);
    gemm(op, CblasNoTrans, k, n, k, T(1), t(b), size_, w, size_, T(0), tw, size_);
    gemm(CblasNoTrans, CblasNoTrans, h_.rows - top, n, k, T(-1), v(b), h_.leading, tw, size_, T(1),
         at, leading);
  }

  /// Rows [first, last) of c, whose columns are the reflectors' rows: c (I - V T V^T)^T,
  /// of real numbers alone.
  void right(std::int64_t b, T* c, std::int64_t leading, std::int64_t first,
             std::int64_t last) const {
    const std::int64_t n = last - first, k = width(b), top = start(b) + h_.shift;
    T* w = work_.get() + first * size_;
    T* tw = products_ + first * size_;
    T* at = c + top * leading + first;
    gemm(CblasNoTrans, CblasNoTrans, n, k, h_.rows - top, T(1), at, leading, v(b), h_.leading, T(0),
         w, n);
    gemm(CblasNoTrans, CblasTrans, n, k, k, T(1), w, n, t(b), size_, T(0), tw, n);
    gemm(CblasNoTrans, CblasTrans, n, h_.rows - top, k, T(-1), tw, n, v(b), h_.leading, T(1), at,
         leading);
  }

 private:
  std::int64_t width(std::int64_t b) const { return std::min(size_, h_.k - start(b)); }
  const T* v(std::int64_t b) const { return h_.v + start(b) * h_.leading + start(b) + h_.shift; }
  T* t(std::int64_t b) const { return t_.get() + b * size_ * size_; }

  /// T of I - V T V^H, column by column (LAPACK's larft).
  void triangle(std::int64_t b) {
    const std::int64_t k = width(b), rows = h_.rows - start(b) - h_.shift;
    T* to = t(b);
    T* g = grams_.get() + b * size_ * size_;
    gemm(kAdjoint<T>, CblasNoTrans, k, k, rows, T(1), v(b), h_.leading, v(b), h_.leading, T(0), g,
         size_);
    std::fill_n(to, size_ * size_, T(0));
    for (std::int64_t j = 0; j < k; ++j) {
      T* column = to + j * size_;
      const T tau = h_.tau[start(b) + j];
      for (std::int64_t l = 0; l < j; ++l) {
        const T f = -tau * g[j * size_ + l];
        for (std::int64_t i = 0; i <= l; ++i) column[i] += to[l * size_ + i] * f;
      }
      column[j] = tau;
    }
  }

  const Reflectors<T>& h_;
  std::int64_t size_, count_;
  std::unique_ptr<T[]> t_, grams_, work_;
  T* products_;
};

/// Columns that are worth a thread.
constexpr std::int64_t kColumns = 32;

/// R's entries of a panel p [rows, width], and its reflectors in p itself.
template <class R>
void factor_panel(std::int64_t m, std::int64_t rows, std::int64_t width, R* p, R* a,
                  std::int64_t leading, R* tau, R* work) {
  const ReflectorLoops<R>& loops = reflector_loops(R());
  R* before = work;
  R* zeros = work + rows;
  R* factors = zeros + rows;
  R* dots = factors + rows;
  R* row = dots + rows;
  std::fill_n(work, 5 * rows, R(0));
  for (std::int64_t i = 0; i < std::min(m, width); ++i) {
    R* u = p + i * rows;
    const std::int64_t from = block_of(i);
    if (i > 0) loops.combine(from, rows, u, 1, u, factors[i], before, 0, zeros);
    std::fill_n(u, i, R(0));
    const Reflection<R> h = reflect(loops, i, rows, u, R(0));
    tau[i] = h.tau;
    a[i * leading + i] = h.beta;
    std::copy_n(u + i + 1, m - i - 1, a + i * leading + i + 1);
    loops.pass({i + 1, width, 0, 1, i, rows, p, rows, before, nullptr, factors, nullptr, u, h.tau,
                dots, row, nullptr, false});
    for (std::int64_t j = i + 1; j < width; ++j) {
      a[j * leading + i] = row[j];
      factors[j] = h.tau * dots[j];
    }
    before = u;
  }
}

/// The same of complex numbers, by the library. work: [rows, 5].
template <class T>
void factor_complex_panel(std::int64_t m, std::int64_t rows, std::int64_t width, T* p, T* a,
                          std::int64_t leading, T* tau, T* work) {
  Lapack<T>::geqrf(LAPACK_COL_MAJOR, small(m), small(width), p, small(rows), tau, work,
                   small(rows));
  for (std::int64_t j = 0; j < width; ++j) {
    T* u = p + j * rows;
    std::copy_n(u, m, a + j * leading);
    std::fill_n(u, std::min(j, m), T(0));
    if (j < m) u[j] = 1;
  }
}

}  // namespace

template <class R>
Reflection<R> reflect(const ReflectorLoops<R>& loops, std::int64_t i, std::int64_t rows, R* c,
                      R least) {
  using Limits = std::numeric_limits<R>;
  const std::int64_t from = block_of(i);
  R alpha = c[i], unit = 1;
  c[i] = 0;
  R square = loops.dot(from, rows, c, c);
  constexpr R kLow = Limits::min() / (Limits::epsilon() * Limits::epsilon());
  constexpr R kHigh = Limits::max() / 4;
  const bool plain = square > kLow && square < kHigh && std::abs(alpha) < kHigh;
  if (!plain && !std::isnan(square)) {  // squares out of range, or nothing there
    R most = 0;
    for (std::int64_t j = from; j < rows; ++j) most = std::max(most, std::abs(c[j]));
    if (most > 0) {
      unit = std::max(most, std::abs(alpha));
      alpha /= unit;
      for (std::int64_t j = from; j < rows; ++j) c[j] /= unit;
      square = loops.dot(from, rows, c, c);
    }
  }
  const R rest = std::sqrt(square);
  if (rest * unit <= least) {
    std::fill(c + from, c + rows, R(0));
    c[i] = 1;
    return {alpha * unit, R(0)};
  }
  const R beta = -std::copysign(std::hypot(alpha, rest), alpha);
  const R inverse = 1 / (alpha - beta);
  for (std::int64_t j = from; j < rows; ++j) c[j] *= inverse;
  c[i] = 1;
  return {beta * unit, (beta - alpha) / beta};
}

template <class T>
void apply_reflectors(const Reflectors<T>& h, T* c, std::int64_t leading, std::int64_t columns,
                      bool transposed, bool identity) {
  TANDEM_EXPECTS(!transposed || !is_complex_number<T>, ValueError,
                 "[linalg] expected complex reflectors for columns, got them for rows");
  const Blocks<T> blocks(h, columns);
  for (std::int64_t b = blocks.count() - 1; b >= 0; --b) {
    const std::int64_t skip = identity ? std::min(blocks.start(b) + h.shift, columns) : 0;
    parallel_for(columns - skip, kColumns, [&](std::int64_t first, std::int64_t last) {
      if constexpr (!is_complex_number<T>) {
        if (transposed) return blocks.right(b, c, leading, skip + first, skip + last);
      }
      blocks.left(b, CblasNoTrans, c, leading, skip + first, skip + last);
    });
  }
}

template <class T>
void apply_reflectors_backwards(const Reflectors<T>& h, T* c, std::int64_t leading,
                                std::int64_t columns) {
  const Blocks<T> blocks(h, columns);
  for (std::int64_t b = 0; b < blocks.count(); ++b) {
    parallel_for(columns, kColumns, [&](std::int64_t first, std::int64_t last) {
      blocks.left(b, kAdjoint<T>, c, leading, first, last);
    });
  }
}

template <class T>
void factor_qr(std::int64_t m, std::int64_t n, T* a, std::int64_t leading, T* tau) {
  constexpr std::int64_t kPanel = 32;  // and a spare column: see ForLapack
  const std::int64_t most = block_of(m + 2 * kRowBlock - 1);
  const Aligned<T> panel(most * (std::min(kPanel, n) + 1)), work(5 * (most + kPanel));
  for (std::int64_t k = 0; k < std::min(m, n); k += kPanel) {
    const std::int64_t left = m - k, width = std::min(kPanel, n - k);
    const std::int64_t count = std::min(left, width);
    const std::int64_t rows = std::max(block_of(left + kRowBlock - 1), 2 * kRowBlock);
    T* at = a + k * leading + k;
    for (std::int64_t j = 0; j < width; ++j) {
      std::copy_n(at + j * leading, left, panel.get() + j * rows);
      std::fill(panel.get() + j * rows + left, panel.get() + (j + 1) * rows, T(0));
    }
    if constexpr (is_complex_number<T>)
      factor_complex_panel(left, rows, width, panel.get(), at, leading, tau + k, work.get());
    else
      factor_panel(left, rows, width, panel.get(), at, leading, tau + k, work.get());
    const std::int64_t rest = n - k - width;
    if (rest > 0) {
      apply_reflectors_backwards<T>({left, count, 0, panel.get(), rows, tau + k},
                                    at + width * leading, leading, rest);
    }
  }
}

ReflectorLoops<float>& reflector_loops(float) {
  static ReflectorLoops<float> loops;
  return loops;
}
ReflectorLoops<double>& reflector_loops(double) {
  static ReflectorLoops<double> loops;
  return loops;
}

#define TANDEM_REFLECTORS(T)                                                                 \
  template void apply_reflectors(const Reflectors<T>&, T*, std::int64_t, std::int64_t, bool, \
                                 bool);                                                      \
  template void factor_qr(std::int64_t, std::int64_t, T*, std::int64_t, T*);
TANDEM_REFLECTORS(float)
TANDEM_REFLECTORS(double)
TANDEM_REFLECTORS(std::complex<float>)
TANDEM_REFLECTORS(std::complex<double>)
#undef TANDEM_REFLECTORS

template Reflection<float> reflect(const ReflectorLoops<float>&, std::int64_t, std::int64_t, float*,
                                   float);
template Reflection<double> reflect(const ReflectorLoops<double>&, std::int64_t, std::int64_t,
                                    double*, double);

}  // namespace tandem::host
