// Small matrices at one SIMD level: a matrix in each lane of vectors, by the shared functor.
#include "kernels/functors/small_matrix.h"

#include <algorithm>
#include <cmath>

#include "host/registry.h"
#include "host/small_matrix.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Vectors of this file are not passed between functions of different levels.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace TANDEM_ISA_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr int kLaneBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kLaneBytes = 32;
#else
inline constexpr int kLaneBytes = 16;
#endif

template <class R>
struct LaneVector {
  using type __attribute__((vector_size(kLaneBytes))) = R;
};

template <class R>
struct SmallLanes {
  using T = R;
  using V = typename LaneVector<R>::type;
  using Word = std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>;
  using I = typename LaneVector<Word>::type;
  static constexpr int kLanes = kLaneBytes / static_cast<int>(sizeof(R));
  static constexpr int first = 0, step = 1;

  TANDEM_FN static int after(int k) { return k + 1; }
  TANDEM_FN static void sync() {}
  TANDEM_FN static void absolute(const V& x, V& y) {
    // Without the sign's bit.
    I word;
    __builtin_memcpy(&word, &x, sizeof word);
    constexpr Word kSign = std::numeric_limits<Word>::min();
    word &= ~(I{} + kSign);
    __builtin_memcpy(&y, &word, sizeof y);
  }
  TANDEM_FN static void root(const V& x, V& y) {
    for (int l = 0; l < kLanes; ++l) y[l] = std::sqrt(x[l]);
  }
  TANDEM_FN static void add_product(V& sum, const V& a, const V& b) {
#if defined(__AVX512F__)
    if constexpr (sizeof(R) == 4) {
      sum = _mm512_fmadd_ps(a, b, sum);
    } else {
      sum = _mm512_fmadd_pd(a, b, sum);
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(R) == 4) {
      sum = _mm256_fmadd_ps(a, b, sum);
    } else {
      sum = _mm256_fmadd_pd(a, b, sum);
    }
#else
    for (int l = 0; l < kLanes; ++l) sum[l] = fn::fma(a[l], b[l], sum[l]);
#endif
  }

  /// Short columns by selects, long ones lane by lane: the first are as many as rows and columns,
  /// the second as columns alone.
  TANDEM_FN static void swap_rows(V* a, int n, int columns, int k, const I& p) {
    const I moved = p != (I{} + k);
    Word any = 0;
    for (int l = 0; l < kLanes; ++l) any |= moved[l];
    if (any == 0) return;
    constexpr int kShort = 8;
    if (n - k <= kShort) {
      for (int i = k + 1; i < n; ++i) {
        const I hit = p == (I{} + i);
        for (int c = 0; c < columns; ++c) {
          V& upper = a[k * columns + c];
          V& lower = a[i * columns + c];
          const V kept = upper;
          upper = hit ? lower : upper;
          lower = hit ? kept : lower;
        }
      }
      return;
    }
    R* numbers = reinterpret_cast<R*>(a);
    for (int l = 0; l < kLanes; ++l) {
      if (p[l] == k) continue;
      R* upper = numbers + std::int64_t(k) * columns * kLanes + l;
      R* lower = numbers + std::int64_t(p[l]) * columns * kLanes + l;
      for (int c = 0; c < columns; ++c) std::swap(upper[c * kLanes], lower[c * kLanes]);
    }
  }
};

/// As many matrices as there are lanes. Lanes beyond the batch hold its last matrix again.
template <class R>
class SmallGroup {
 public:
  using L = SmallLanes<R>;
  using V = typename L::V;
  using I = typename L::I;
  static constexpr int kLanes = L::kLanes;

  SmallGroup(const SmallLaunch& l, V* room) : l_(l), room_(room), n_(static_cast<int>(l.n)) {}

  void run(std::int64_t first, std::int64_t last) {
    first_ = first;
    count_ = static_cast<int>(std::min<std::int64_t>(kLanes, last - first));
    using Step = SmallLaunch::Step;
    switch (l_.step) {
      case Step::LU:
        return lu();
      case Step::Cholesky:
        return cholesky();
      case Step::Determinant:
        return determinant();
      default:
        return solve();
    }
  }

 private:
  R* part(const SmallMatrices& m, int lane) const {
    return static_cast<R*>(m.data) + (first_ + std::min(lane, count_ - 1)) * m.stride;
  }
  void load(const SmallMatrices& m, int rows, int from, int width, int columns) const {
    R* numbers = reinterpret_cast<R*>(room_);
    for (int lane = 0; lane < kLanes; ++lane) {
      const R* p = part(m, lane);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < width; ++j)
          numbers[(i * columns + from + j) * kLanes + lane] = p[i * m.row + j * m.column];
      }
    }
  }
  void store(const SmallMatrices& m, int rows, int from, int width, int columns) const {
    const R* numbers = reinterpret_cast<const R*>(room_);
    for (int lane = 0; lane < count_; ++lane) {
      R* p = part(m, lane);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < width; ++j)
          p[i * m.row + j * m.column] = numbers[(i * columns + from + j) * kLanes + lane];
      }
    }
  }
  void tell(const I& info) const {
    if (l_.info == nullptr) return;
    for (int lane = 0; lane < count_; ++lane)
      l_.info[first_ + lane] = static_cast<std::int32_t>(info[lane]);
  }

  void lu() const {
    load(l_.a, n_, 0, n_, n_);
    const fn::SmallMatrix<L> m{room_, n_, n_, {}};
    I info;
    m.eliminate(info, [&](int k, const I& p) {
      for (int lane = 0; lane < count_; ++lane)
        l_.pivots[(first_ + lane) * n_ + k] = static_cast<std::int32_t>(p[lane]) + 1;
    });
    store(l_.x, n_, 0, n_, n_);
    tell(info);
  }

  void determinant() const {
    load(l_.a, n_, 0, n_, n_);
    const fn::SmallMatrix<L> m{room_, n_, n_, {}};
    I info;
    V sign = V{} + R(1);
    m.eliminate(info, [&](int k, const I& p) { sign = (p == (I{} + k)) ? sign : -sign; });
    const V product = m.diagonal_product(sign);
    for (int lane = 0; lane < count_; ++lane) *part(l_.x, lane) = product[lane];
  }

  void solve() const {
    const bool inverse = l_.step == SmallLaunch::Step::Inverse;
    const int k = inverse ? n_ : static_cast<int>(l_.k);
    const int columns = n_ + k;
    load(l_.a, n_, 0, n_, columns);
    if (inverse) {
      for (int i = 0; i < n_; ++i) {
        for (int j = 0; j < n_; ++j) room_[i * columns + n_ + j] = V{} + R(i == j ? 1 : 0);
      }
    } else {
      load(l_.b, n_, n_, k, columns);
    }
    const fn::SmallMatrix<L> m{room_, n_, columns, {}};
    I info;
    m.eliminate(info, [](int, const I&) {});
    m.substitute();
    store(l_.x, n_, n_, k, columns);
    tell(info);
  }

  void cholesky() const {
    load(l_.a, n_, 0, n_, n_);
    const fn::SmallMatrix<L> m{room_, n_, n_, {}};
    I info;
    m.cholesky(info);
    for (int i = 0; i < n_; ++i) {
      for (int j = i + 1; j < n_; ++j) m.at(i, j) = V{};
    }
    store(l_.x, n_, 0, n_, n_);
    tell(info);
  }

  const SmallLaunch& l_;
  V* room_;
  int n_;
  std::int64_t first_ = 0;
  int count_ = 0;
};

template <class R>
void small_run(const SmallLaunch& l, std::int64_t first, std::int64_t last) {
  using L = SmallLanes<R>;
  constexpr int kMost = SmallLaunch::kMost;
  typename L::V room[kMost * 2 * kMost];
  SmallGroup<R> group(l, room);
  for (std::int64_t b = first; b < last; b += L::kLanes) group.run(b, last);
}

void register_small(HostRegistry&) {
  bind_small_loops(DType::float32, {&small_run<float>, SmallLanes<float>::kLanes});
  bind_small_loops(DType::float64, {&small_run<double>, SmallLanes<double>::kLanes});
}

}  // namespace TANDEM_ISA_NAMESPACE
