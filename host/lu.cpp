// LU by recursion: see lu.h.
#include "host/lu.h"

#include <algorithm>
#include <complex>
#include <utility>

#include "host/linalg.h"
#include "host/parallel.h"

namespace tandem::host {

namespace {

LuLoops<float> g_float;
LuLoops<double> g_double;
LuLoops<std::complex<float>> g_complex_float;
LuLoops<std::complex<double>> g_complex_double;

/// Columns below which panels do all of the work: the library's products are the faster ones where
/// what a panel goes over is far larger than the caches.
constexpr std::int64_t kByPanels = 3072;
/// Elements that are worth a thread's waking.
constexpr std::int64_t kPerThread = 1 << 14;

/// Interchanges pairs of rows of columns [0, columns), in the order of the k pivots; with `own`
/// those alone that come after a column's own panel.
template <class T>
void interchange(T* a, std::int64_t leading, std::int64_t columns, const std::int32_t* pivots,
                 std::int64_t k, bool own = false) {
  if (columns <= 0 || k == 0) return;
  parallel_for(columns, kPerThread / k + 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      T* x = a + j * leading;
      for (std::int64_t i = own ? (j / kLuPanel + 1) * kLuPanel : 0; i < k; ++i)
        std::swap(x[i], x[pivots[i] - 1]);
    }
  });
}

/// Columns on the right: U above, what is left below.
template <class T>
void eliminate_by_blocks(std::int64_t m, std::int64_t k, std::int64_t n, const T* l, T* c,
                         std::int64_t leading) {
  const int lda = small(leading);
  const T one(1), less(-1);
  Lapack<T>::trsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasUnit, small(k), small(n),
                  factor_of(one), l, lda, c, lda);
  if (m == k) return;
  Lapack<T>::gemm(CblasColMajor, CblasNoTrans, CblasNoTrans, small(m - k), small(n), small(k),
                  factor_of(less), l + k, lda, c, lda, factor_of(one), c + k, lda);
}

template <class T>
class Recursion {
 public:
  Recursion(std::int64_t rows, std::int64_t leading)
      : leading_(leading), pitch_(block_of(rows + 2 * kRowBlock - 1)), panel_(pitch_ * kLuPanel) {}

  /// a [m, columns], whose first n columns are factored, n <= m.
  std::int32_t run(std::int64_t m, std::int64_t n, std::int64_t columns, T* a,
                   std::int32_t* pivots) {
    if (n < kByPanels) return by_panels(m, n, columns, a, pivots);
    const std::int64_t left = (n / 2 + kLuPanel - 1) / kLuPanel * kLuPanel;
    std::int32_t info = run(m, left, left, a, pivots);
    to_the_right(m, left, n - left, a, pivots);
    const std::int32_t later =
        run(m - left, n - left, n - left, a + left * leading_ + left, pivots + left);
    if (info == 0 && later != 0) info = later + static_cast<std::int32_t>(left);
    interchange(a + left, leading_, left, pivots + left, n - left);
    for (std::int64_t i = left; i < n; ++i) pivots[i] += static_cast<std::int32_t>(left);
    to_the_right(m, n, columns - n, a, pivots);
    return info;
  }

 private:
  /// `columns` columns behind the first k of a.
  void to_the_right(std::int64_t m, std::int64_t k, std::int64_t columns, T* a,
                    const std::int32_t* pivots) const {
    if (columns == 0) return;
    T* right = a + k * leading_;
    interchange(right, leading_, columns, pivots, k);
    eliminate_by_blocks(m, k, columns, a, right, leading_);
  }

  std::int32_t by_panels(std::int64_t m, std::int64_t n, std::int64_t columns, T* a,
                         std::int32_t* pivots) {
    const LuLoops<T>& loops = lu_loops(T());
    std::int32_t info = 0;
    LuPanel<T> p{};
    p.data = panel_.get();
    for (std::int64_t j = 0; j < n; j += kLuPanel) {
      T* at = a + j * leading_ + j;
      p.m = m - j;
      p.n = static_cast<int>(std::min<std::int64_t>(kLuPanel, n - j));
      p.pitch = std::min(pitch_, block_of(p.m + 2 * kRowBlock - 1));
      for (int c = 0; c < p.n; ++c) {
        T* end = std::copy_n(at + c * leading_, p.m, p.data + c * p.pitch);
        std::fill(end, p.data + (c + 1) * p.pitch, T(0));
      }
      const int missing = loops.factor(p);
      if (info == 0 && missing != 0) info = static_cast<std::int32_t>(j) + missing;
      for (int c = 0; c < p.n; ++c) std::copy_n(p.data + c * p.pitch, p.m, at + c * leading_);
      T* right = at + p.n * leading_;
      parallel_for(columns - j - p.n, kPerThread / p.m + 1,
                   [&](std::int64_t first, std::int64_t last) {
                     loops.apply(p, right + first * leading_, leading_, last - first);
                   });
      for (int c = 0; c < p.n; ++c) pivots[j + c] = p.pivots[c] + static_cast<std::int32_t>(j) + 1;
    }
    interchange(a, leading_, n, pivots, n, true);
    return info;
  }

  std::int64_t leading_, pitch_;
  Aligned<T> panel_;
};

}  // namespace

LuLoops<float>& lu_loops(float) { return g_float; }
LuLoops<double>& lu_loops(double) { return g_double; }
LuLoops<std::complex<float>>& lu_loops(std::complex<float>) { return g_complex_float; }
LuLoops<std::complex<double>>& lu_loops(std::complex<double>) { return g_complex_double; }

template <class T>
std::int32_t factor_lu(std::int64_t m, std::int64_t n, T* a, std::int64_t leading,
                       std::int32_t* pivots) {
  return Recursion<T>(m, leading).run(m, std::min(m, n), n, a, pivots);
}

#define TANDEM_LU(T) \
  template std::int32_t factor_lu<T>(std::int64_t, std::int64_t, T*, std::int64_t, std::int32_t*);
TANDEM_LU(float)
TANDEM_LU(double)
TANDEM_LU(std::complex<float>)
TANDEM_LU(std::complex<double>)
#undef TANDEM_LU

}  // namespace tandem::host
