// Eigenvalues and eigenvectors of symmetric tridiagonal matrices by divide and conquer (J. J. M.
// Cuppen, Numer. Math. 36, 1981; vectors after M. Gu and S. C. Eisenstat, SIAM J. Matrix Anal.
// Appl. 16, 1995), as LAPACK's stedc: its laed2 deflates, its steqr does small parts, the secular
// equation is solved by our own loops, which take many roots at once.
#include <algorithm>
#include <cmath>

#include "host/linalg.h"
#include "host/secular.h"

namespace tandem::host {

namespace {

template <class R>
struct Divide;
template <>
struct Divide<float> {
  static constexpr FromLapack<&LapackTable::slaed2_> laed2{};
  static constexpr FromLapack<&LapackTable::slamrg_> lamrg{};
};
template <>
struct Divide<double> {
  static constexpr FromLapack<&LapackTable::dlaed2_> laed2{};
  static constexpr FromLapack<&LapackTable::dlamrg_> lamrg{};
};

constexpr std::int64_t kLeaf = 10;  // rows that are not divided any more

template <class R>
class Tridiagonal {
 public:
  Tridiagonal(std::int64_t n, R* d, R* e, R* q)
      : n_(n),
        d_(d),
        e_(e),
        q_(q),
        order_(room<int>(n)),
        work_(room<R>(4 * n)),
        products_(room<R>(3 * n * n)),
        integers_(room<int>(4 * n)) {}

  std::int32_t run() {
    std::fill_n(q_, n_ * n_, R(0));
    cut(0, n_);
    const std::int32_t info = solve(0, n_);
    if (info == 0) sort();
    return info;
  }

 private:
  R* at(std::int64_t i, std::int64_t j) const { return q_ + j * n_ + i; }

  /// Takes the coupling of the halves off their diagonals, down to the leaves.
  void cut(std::int64_t first, std::int64_t n) {
    if (n <= kLeaf) return;
    const std::int64_t half = n / 2;
    const R coupling = std::abs(e_[first + half - 1]);
    d_[first + half - 1] -= coupling;
    d_[first + half] -= coupling;
    cut(first, half);
    cut(first + half, n - half);
  }

  std::int32_t solve(std::int64_t first, std::int64_t n) {
    if (n <= kLeaf) return leaf(first, n);
    const std::int64_t half = n / 2;
    // A leaf loses its off-diagonal, not the one between the halves.
    const std::int32_t info = solve(first, half) | solve(first + half, n - half);
    return info != 0 ? info : merge(first, n, half);
  }

  std::int32_t leaf(std::int64_t first, std::int64_t n) {
    const std::int32_t info =
        Lapack<R>::steqr(LAPACK_COL_MAJOR, 'I', small(n), d_ + first, e_ + first, at(first, first),
                         small(n_), work_.get());
    for (std::int64_t i = 0; i < n; ++i) order_[first + i] = static_cast<int>(i) + 1;
    return info;
  }

  /// laed1: the parts [0, half) and [half, n) of a diagonal block, whose coupling is e[half - 1].
  std::int32_t merge(std::int64_t first, std::int64_t n, std::int64_t half) {
    R* z = work_.get();
    R* poles = z + n;
    R* weights = poles + n;
    R* products = products_.get();
    int* index = integers_.get();
    int* types = index + 3 * n;
    for (std::int64_t j = 0; j < n; ++j)
      z[j] = *at(first + (j < half ? half - 1 : half), first + j);
    R rho = e_[first + half - 1];
    int k = 0, info = 0;
    const int size = small(n), cut_at = small(half), leading = small(n_);
    R* d = d_ + first;
    int* order = order_.get() + first;
    Divide<R>::laed2(&k, &size, &cut_at, d, at(first, first), &leading, order, &rho, z, poles,
                     weights, products, index, index + n, index + 2 * n, types, &info);
    if (info != 0) return info;
    if (k == 0) {
      for (std::int64_t i = 0; i < n; ++i) order[i] = static_cast<int>(i) + 1;
      return 0;
    }
    if (!vectors(first, n, half, k, rho, poles, weights)) return 1;
    const int rest = size - k, up = 1, down = -1;
    Divide<R>::lamrg(&k, &rest, d, &up, &down, order);
    return 0;
  }

  /// laed3: roots, the weights they are exact for, vectors of the small problem, and those of the
  /// block: products with the three groups of columns that laed2 has made. False where a root was
  /// not found.
  bool vectors(std::int64_t first, std::int64_t n, std::int64_t half, std::int64_t k, R rho,
               const R* poles, R* weights) {
    R* q = at(first, first);
    R* fitted = work_.get();  // z is done with
    secular_loop(R())({k, poles, weights, rho, d_ + first, q, n_, fitted});
    const int* groups = integers_.get() + n;  // where laed2 has put each pole
    const int* counts = integers_.get() + 3 * n;
    const std::int64_t upper = counts[0] + counts[1], lower = counts[1] + counts[2];
    R* s = products_.get() + half * upper + (n - half) * lower;
    R* own = weights;  // read for the last time above
    for (std::int64_t j = 0; j < k; ++j) {
      R* column = q + j * n_;
      R sum = 0;
      for (std::int64_t i = 0; i < k; ++i) {
        own[i] = fitted[i] / column[i];
        sum += own[i] * own[i];
      }
      const R norm = std::sqrt(sum);
      if (!(norm > 0 && std::isfinite(norm))) return false;
      for (std::int64_t i = 0; i < k; ++i) column[i] = own[groups[i] - 1] / norm;
    }
    // The first `upper` rows are wanted by the second product and may be where the first one
    // writes.
    R* kept = s + lower * k;
    for (std::int64_t j = 0; j < k; ++j) std::copy_n(q + j * n_, upper, kept + j * upper);
    for (std::int64_t j = 0; j < k; ++j) std::copy_n(q + j * n_ + counts[0], lower, s + j * lower);
    multiply(k, lower, n - half, s, products_.get() + half * upper, q + half);
    multiply(k, upper, half, kept, products_.get(), q);
    return true;
  }

  /// to = left s, [rows, k] = [rows, inner] [inner, k].
  void multiply(std::int64_t k, std::int64_t inner, std::int64_t rows, const R* s, const R* left,
                R* to) {
    if (inner == 0) {
      for (std::int64_t j = 0; j < k; ++j) std::fill_n(to + j * n_, rows, R(0));
      return;
    }
    Lapack<R>::gemm(CblasColMajor, CblasNoTrans, CblasNoTrans, small(rows), small(k), small(inner),
                    R(1), left, small(rows), s, small(inner), R(0), to, small(n_));
  }

  /// Ascending, in which order_ puts them.
  void sort() {
    // Roots beside each other may have been rounded past one another.
    std::stable_sort(order_.get(), order_.get() + n_,
                     [&](int i, int j) { return d_[i - 1] < d_[j - 1]; });
    R* sorted = products_.get();
    for (std::int64_t j = 0; j < n_; ++j) {
      work_[j] = d_[order_[j] - 1];
      std::copy_n(at(0, order_[j] - 1), n_, sorted + j * n_);
    }
    std::copy_n(work_.get(), n_, d_);
    std::copy_n(sorted, n_ * n_, q_);
  }

  std::int64_t n_;
  R* d_;
  R* e_;
  R* q_;
  std::unique_ptr<int[]> order_;
  std::unique_ptr<R[]> work_, products_;
  std::unique_ptr<int[]> integers_;
};

}  // namespace

SecularLoop<float>& secular_loop(float) {
  static SecularLoop<float> loop = nullptr;
  return loop;
}
SecularLoop<double>& secular_loop(double) {
  static SecularLoop<double> loop = nullptr;
  return loop;
}

template <class R>
std::int32_t tridiagonal_eigh(std::int64_t n, R* d, R* e, R* q) {
  // Near 1, so that squares neither overflow nor vanish.
  R norm = 0;
  for (std::int64_t i = 0; i < n; ++i) norm = std::max(norm, std::abs(d[i]));
  for (std::int64_t i = 0; i + 1 < n; ++i) norm = std::max(norm, std::abs(e[i]));
  const R scale = norm > 0 ? norm : R(1);
  for (std::int64_t i = 0; i < n; ++i) d[i] /= scale;
  for (std::int64_t i = 0; i + 1 < n; ++i) e[i] /= scale;
  const std::int32_t info = Tridiagonal<R>(n, d, e, q).run();
  for (std::int64_t i = 0; i < n; ++i) d[i] *= scale;
  return info;
}

template std::int32_t tridiagonal_eigh<float>(std::int64_t, float*, float*, float*);
template std::int32_t tridiagonal_eigh<double>(std::int64_t, double*, double*, double*);

}  // namespace tandem::host
