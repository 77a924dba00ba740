// LAPACK and BLAS for the host kernels of factorisations: their routines by element type, threads.
// Internal to host/linalg*.cpp, lu.cpp and reflectors.cpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <memory>
#include <type_traits>

#include "host/lapack.h"
#include "host/parallel.h"
#include "host/team.h"
#include "tandem/backend/linalg.h"
#include "tandem/error.h"

namespace tandem::host {

template <class T>
struct Lapack;

#define TANDEM_LAPACK_COMMON(p)                                               \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##potrf_work> potrf{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##getrs_work> getrs{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##getri_work> getri{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##geqrf_work> geqrf{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##gesdd_work> gesdd{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##geev_work> geev{};   \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##gels_work> gels{};   \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##gelsy_work> gelsy{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##gelsd_work> gelsd{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##gelss_work> gelss{}; \
  static constexpr FromLapack<&LapackTable::cblas_##p##gemm> gemm{};          \
  static constexpr FromLapack<&LapackTable::cblas_##p##trsm> trsm{};          \
  static constexpr FromLapack<&LapackTable::cblas_##p##trsv> trsv{};
#define TANDEM_LAPACK_REAL_ALONE(p)                                           \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##bdsdc_work> bdsdc{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##steqr_work> steqr{}; \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##sterf_work> sterf{};
#define TANDEM_LAPACK_COMPLEX_ALONE(p) \
  static constexpr FromLapack<&LapackTable::LAPACKE_##p##hetrd_work> hetrd{};
#define TANDEM_LAPACK(T, p, R, q_letters, e_letters, alone)                              \
  template <>                                                                            \
  struct Lapack<T> {                                                                     \
    using Real = R;                                                                      \
    TANDEM_LAPACK_COMMON(p)                                                              \
    static constexpr FromLapack<&LapackTable::LAPACKE_##p##q_letters##gqr_work> orgqr{}; \
    static constexpr FromLapack<&LapackTable::LAPACKE_##p##e_letters##evd_work> syevd{}; \
    alone(p)                                                                             \
  };
TANDEM_LAPACK(float, s, float, or, sy, TANDEM_LAPACK_REAL_ALONE)
TANDEM_LAPACK(double, d, double, or, sy, TANDEM_LAPACK_REAL_ALONE)
TANDEM_LAPACK(std::complex<float>, c, float, un, he, TANDEM_LAPACK_COMPLEX_ALONE)
TANDEM_LAPACK(std::complex<double>, z, double, un, he, TANDEM_LAPACK_COMPLEX_ALONE)
#undef TANDEM_LAPACK
#undef TANDEM_LAPACK_COMPLEX_ALONE
#undef TANDEM_LAPACK_REAL_ALONE
#undef TANDEM_LAPACK_COMMON

template <class T>
inline constexpr bool is_complex_number = !std::is_floating_point_v<T>;

/// A factor as cblas takes it: complex ones by their place.
template <class R>
R factor_of(const R& x) {
  return x;
}
template <class R>
const void* factor_of(const std::complex<R>& x) {
  return &x;
}

/// Elements without a value, for workspaces.
template <class T>
std::unique_ptr<T[]> room(std::int64_t n) {
  return std::unique_ptr<T[]>(new T[static_cast<std::size_t>(std::max<std::int64_t>(n, 1))]);
}

template <class T>
T* matrix_at(const MatrixBatch& m, std::int64_t b) {
  return static_cast<T*>(m.data) + b * m.stride;
}

/// A workspace's size as LAPACK tells it in the first element. A float that is no integer's own may
/// be one that was rounded down: the next one is not.
template <class T>
lapack_int told(const T& t) {
  using R = typename Lapack<T>::Real;
  R size = std::real(t);
  if (size >= std::ldexp(R(1), std::numeric_limits<R>::digits))
    size = std::nextafter(size, std::numeric_limits<R>::infinity());
  // Below 0: it ran over in LAPACK.
  TANDEM_EXPECTS(
      size >= 0 && size < std::ldexp(R(1), 31), ValueError,
      "[linalg] expected matrices that LAPACK's 32-bit interface has workspaces for, got "
      "larger ones");
  return static_cast<lapack_int>(size);
}

/// Matrices of a batch in turn, for LAPACK. OpenBLAS 0.3.21 reads one column beyond a
/// complex matrix (its issue 4013), where memory may end: complex ones go to own memory with a
/// spare column and come back; others are used where they lie.
template <class T>
class ForLapack {
 public:
  ForLapack(std::int64_t rows, std::int64_t columns, std::int64_t leading)
      : rows_(rows),
        columns_(columns),
        leading_(leading),
        own_(kCopies ? room<T>((columns + 1) * leading) : nullptr) {}

  /// The matrix for a call; null for null. `filled`: it is read.
  T* take(T* matrix, bool filled = true) const {
    if (!kCopies || matrix == nullptr) return matrix;
    if (filled) copy(matrix, own_.get());
    return own_.get();
  }
  /// After the call.
  void give_back(T* matrix) const {
    if (kCopies && matrix != nullptr) copy(own_.get(), matrix);
  }

 private:
  static constexpr bool kCopies = is_complex_number<T>;
  void copy(const T* from, T* to) const {
    for (std::int64_t j = 0; j < columns_; ++j)
      std::copy_n(from + j * leading_, rows_, to + j * leading_);
  }
  std::int64_t rows_, columns_, leading_;
  std::unique_ptr<T[]> own_;
};

/// A workspace of which LAPACK makes matrices, with a spare column for complex ones.
template <class T>
std::unique_ptr<T[]> workspace(lapack_int size, const FactorLaunch& l) {
  return room<T>(size + (is_complex_number<T> ? std::max({l.m, l.n, l.k}) + 1 : 0));
}

inline lapack_int small(std::int64_t n) { return static_cast<lapack_int>(n); }

/// Calls f(first, last) on parts of the batch: several at once where it is large enough, with the
/// threads inside LAPACK where it is not and a matrix takes at least `inside` of them. `work`:
/// multiplications a matrix takes.
template <class F>
void over_batch(const FactorLaunch& l, double work, F&& f, double inside = 1 << 24) {
  constexpr double kPerThread = 1 << 18;  // that are worth waking one
  const int threads = get_num_threads();
  if (l.batch < threads) {
    // Inside LAPACK threads meet often: 64 x 64 is slower with two than with one.
    const Team team(work < inside ? 1 : threads);
    f(std::int64_t(0), l.batch);
    return;
  }
  // Not around the loop: that would take the threads from it too.
  parallel_for(l.batch, static_cast<std::int64_t>(kPerThread / std::max(work, 1.0)) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 const Team team(1);
                 f(first, last);
               });
}

/// Multiplications of a step that goes as the cube of the extents.
inline double cubic(const FactorLaunch& l, double factor) {
  const auto least = static_cast<double>(std::min(l.m, l.n));
  return factor * least * static_cast<double>(l.m) * static_cast<double>(l.n);
}

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
inline constexpr double kOneThread = 220;

/// The least work of a step of factor * n^3 that threads share.
constexpr double shared_from(double factor) {
  return factor * kOneThread * kOneThread * kOneThread;
}

/// Rows from which own parts of eigh and svd pay.
inline constexpr std::int64_t kDivided = 33;

template <class T>
void run_svd(const FactorLaunch& l);
template <class T>
void run_eigh(const FactorLaunch& l);
template <class T>
void run_eig(const FactorLaunch& l);
template <class T>
void run_least_squares(const FactorLaunch& l);

}  // namespace tandem::host
