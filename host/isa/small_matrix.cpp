// Small matrices at one SIMD level, by the shared functor: a matrix in each lane of vectors, or one
// matrix by rows where there are too few of them, or they are so large that a row fills vectors.
#include "kernels/functors/small_matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "host/isa/transpose.h"
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
template <class R>
using Block = std::conditional_t<sizeof(R) == 4, Words16, WideWords8>;
#elif defined(__AVX2__)
inline constexpr int kLaneBytes = 32;
template <class R>
using Block = std::conditional_t<sizeof(R) == 4, Words8, Words4>;
#else
inline constexpr int kLaneBytes = 16;
#endif

/// Rows up to which a matrix in each lane is faster than one by rows.
inline constexpr int kMostInLanes = 16;

template <class R>
struct LaneVector {
  using type __attribute__((vector_size(kLaneBytes))) = R;
};

/// A matrix in each lane.
template <class R>
struct ManyLanes {
  using T = R;
  using V = typename LaneVector<R>::type;
  using Word = std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>;
  using I = typename LaneVector<Word>::type;
  static constexpr int kLanes = kLaneBytes / static_cast<int>(sizeof(R)), kWide = 1;
  static constexpr int first = 0, step = 1;
  static constexpr bool kByRows = false;

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

  TANDEM_FN static void add_row(V* to, const V* from, const V& factor, int a, int b) {
    for (int c = a; c < b; ++c) add_product(to[c], factor, from[c]);
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

  template <class Vector>
  TANDEM_FN static auto lane(const Vector& x, int l) {
    return x[l];
  }
};

/// One matrix, whose rows are vectors: as many columns as fill them.
template <class R>
struct OneLane {
  using T = R;
  using V = R;
  using I = std::int32_t;
  using Many = ManyLanes<R>;
  static constexpr int kLanes = 1, kWide = ManyLanes<R>::kLanes;  // columns come in so many
  static constexpr int first = 0, step = 1;
  static constexpr bool kByRows = true;

  TANDEM_FN static int after(int k) { return k + 1; }
  TANDEM_FN static void sync() {}
  TANDEM_FN static void absolute(R x, R& y) { y = std::abs(x); }
  TANDEM_FN static void root(R x, R& y) { y = std::sqrt(x); }
  /// Whole vectors, the first with what lies before a as it was, the last into the room behind b.
  TANDEM_FN static void add_row(R* to, const R* from, R factor, int a, int b) {
    using V = typename Many::V;
    using I = typename Many::I;
    const V by = V{} + factor;
    const auto sum_at = [&](int c) {
      V x, y;
      __builtin_memcpy(&x, from + c, sizeof x);
      __builtin_memcpy(&y, to + c, sizeof y);
      V sum = y;
      Many::add_product(sum, by, x);
      return std::pair(sum, y);
    };
    int c = a / kWide * kWide;
    if (c != a) {
      const auto [sum, before] = sum_at(c);
      I place;
      for (int l = 0; l < kWide; ++l) place[l] = l;
      const V mixed = place >= I{} + (a - c) ? sum : before;
      __builtin_memcpy(to + c, &mixed, sizeof mixed);
      c += kWide;
    }
    for (; c < b; c += kWide) {
      const V sum = sum_at(c).first;
      __builtin_memcpy(to + c, &sum, sizeof sum);
    }
  }
  TANDEM_FN static void swap_rows(R* a, int, int columns, int k, int p) {
    if (p != k) std::swap_ranges(a + k * columns, a + (k + 1) * columns, a + p * columns);
  }
  template <class Number>
  TANDEM_FN static Number lane(Number x, int) {
    return x;
  }
};

/// As many matrices as there are lanes. Lanes beyond the batch hold its last matrix again.
template <class L>
class SmallGroup {
 public:
  using R = typename L::T;
  using V = typename L::V;
  using I = typename L::I;
  static constexpr int kLanes = L::kLanes;
  static constexpr int kMost = kLanes == 1 ? SmallLaunch::kMost : kMostInLanes;
  static constexpr int kSquare = kMost * kMost;  // vectors

  SmallGroup(const SmallLaunch& l, V* room) : l_(l), room_(room), n_(static_cast<int>(l.n)) {
    const bool inverse = l.step == SmallLaunch::Step::Inverse;
    k_ = inverse ? n_ : l.step == SmallLaunch::Step::Solve ? static_cast<int>(l.k) : 0;
    pitch_ = (n_ + k_ + L::kWide - 1) / L::kWide * L::kWide;
    std::fill_n(room_, pitch_ > n_ + k_ ? n_ * pitch_ : 0, V{});
  }

  void run(std::int64_t first, std::int64_t last) {
    first_ = first;
    count_ = static_cast<int>(std::min<std::int64_t>(kLanes, last - first));
    using Step = SmallLaunch::Step;
    switch (l_.step) {
      case Step::LU:
        return lu();
      case Step::Parts:
        return parts();
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

  /// Calls each(lane, a, i, j) for elements [rows, width) of every lane's matrix from a on, in the
  /// order in which they lie, but for those that block(a, i, j, rows) has taken before: as many as
  /// there are lanes, from (i, j) on along a row, or a column.
  template <class Whole, class Each>
  void walk(const SmallMatrices& m, int rows, int width, [[maybe_unused]] Whole&& block,
            Each&& each) const {
    const bool by_columns = m.row == 1 && m.column != 1;
    const int lines = by_columns ? width : rows, length = by_columns ? rows : width;
    const std::int64_t line = by_columns ? m.column : m.row;
    const std::int64_t step = by_columns ? m.row : m.column;
    int done = 0;
#if defined(__AVX2__)
    if constexpr (kLanes > 1) {
      if (step == 1 && count_ == kLanes) {
        done = length / kLanes * kLanes;
        for (int i = 0; i < lines; ++i) {
          for (int j = 0; j < done; j += kLanes)
            block(part(m, 0) + i * line + j, by_columns ? j : i, by_columns ? i : j, by_columns);
        }
      }
    }
#endif
    if (done == length) return;
    for (int lane = 0; lane < kLanes; ++lane) {
      R* p = part(m, lane);
      for (int i = 0; i < lines; ++i) {
        for (int j = done; j < length; ++j)
          each(lane, p + i * line + j * step, by_columns ? j : i, by_columns ? i : j);
      }
    }
  }

  void load(const SmallMatrices& m, int from, int width) const {
    R* numbers = reinterpret_cast<R*>(room_);
    walk(
        m, n_, width,
        [&]([[maybe_unused]] const R* a, [[maybe_unused]] int i, [[maybe_unused]] int j,
            [[maybe_unused]] bool down) {
#if defined(__AVX2__)
          if constexpr (kLanes > 1)
            transpose_block<Block<R>, kLanes>(
                reinterpret_cast<char*>(room_ + i * pitch_ + from + j),
                (down ? pitch_ : 1) * kLaneBytes, reinterpret_cast<const char*>(a),
                m.stride * static_cast<std::int64_t>(sizeof(R)));
#endif
        },
        [&](int lane, const R* a, int i, int j) {
          numbers[(i * pitch_ + from + j) * kLanes + lane] = *a;
        });
  }
  void store(const SmallMatrices& m, int from, int width, const V* made) const {
    const R* numbers = reinterpret_cast<const R*>(made);
    walk(
        m, n_, width,
        [&]([[maybe_unused]] R* a, [[maybe_unused]] int i, [[maybe_unused]] int j,
            [[maybe_unused]] bool down) {
#if defined(__AVX2__)
          if constexpr (kLanes > 1)
            transpose_block<Block<R>, kLanes>(
                reinterpret_cast<char*>(a), m.stride * static_cast<std::int64_t>(sizeof(R)),
                reinterpret_cast<const char*>(made + i * pitch_ + from + j),
                (down ? pitch_ : 1) * kLaneBytes);
#endif
        },
        [&](int lane, R* a, int i, int j) {
          if (lane < count_) *a = numbers[(i * pitch_ + from + j) * kLanes + lane];
        });
  }
  void tell(const I& info) const {
    if (l_.info == nullptr) return;
    for (int lane = 0; lane < count_; ++lane)
      l_.info[first_ + lane] = static_cast<std::int32_t>(L::lane(info, lane));
  }

  void lu() const {
    load(l_.a, 0, n_);
    const fn::SmallMatrix<L> m{room_, n_, pitch_, {}};
    I info;
    m.eliminate(info, [&](int k, const I& p) {
      for (int lane = 0; lane < count_; ++lane)
        l_.pivots[(first_ + lane) * n_ + k] = static_cast<std::int32_t>(L::lane(p, lane)) + 1;
    });
    store(l_.x, 0, n_, room_);
    tell(info);
  }

  void parts() const {
    load(l_.a, 0, n_);
    const fn::SmallMatrix<L> m{room_, n_, pitch_, {}};
    std::int32_t order[kLanes][SmallLaunch::kMost];  // where the rows come from
    for (auto& rows : order) std::iota(rows, rows + n_, 0);
    I info;
    m.eliminate(info, [&](int k, const I& p) {
      for (int lane = 0; lane < kLanes; ++lane)
        std::swap(order[lane][k], order[lane][L::lane(p, lane)]);
    });
    tell(info);
    V made[kSquare];
    for (int i = 0; i < n_; ++i) {
      for (int j = 0; j < n_; ++j) made[i * pitch_ + j] = j < i ? V{} : m.at(i, j);
    }
    store(l_.u, 0, n_, made);
    for (int i = 0; i < n_; ++i) {
      for (int j = i; j < n_; ++j) m.at(i, j) = V{} + R(i == j ? 1 : 0);
    }
    store(l_.x, 0, n_, room_);
    std::fill_n(made, n_ * pitch_, V{});
    R* numbers = reinterpret_cast<R*>(made);
    for (int lane = 0; lane < kLanes; ++lane) {
      for (int i = 0; i < n_; ++i) numbers[(order[lane][i] * pitch_ + i) * kLanes + lane] = 1;
    }
    store(l_.p, 0, n_, made);
  }

  void determinant() const {
    load(l_.a, 0, n_);
    const fn::SmallMatrix<L> m{room_, n_, pitch_, {}};
    I info;
    V sign = V{} + R(1);
    m.eliminate(info, [&](int k, const I& p) { sign = (p == (I{} + k)) ? sign : -sign; });
    const V product = m.diagonal_product(sign);
    for (int lane = 0; lane < count_; ++lane) *part(l_.x, lane) = L::lane(product, lane);
  }

  void solve() const {
    load(l_.a, 0, n_);
    if (l_.step == SmallLaunch::Step::Inverse) {
      for (int i = 0; i < n_; ++i) {
        for (int j = 0; j < n_; ++j) room_[i * pitch_ + n_ + j] = V{} + R(i == j ? 1 : 0);
      }
    } else {
      load(l_.b, n_, k_);
    }
    const fn::SmallMatrix<L> m{room_, n_, pitch_, {}};
    I info;
    m.eliminate(info, [](int, const I&) {});
    m.substitute();
    store(l_.x, n_, k_, room_);
    tell(info);
  }

  void cholesky() const {
    const auto turned = [](SmallMatrices m) {
      if (L::kByRows) std::swap(m.row, m.column);
      return m;
    };
    load(turned(l_.a), 0, n_);
    const fn::SmallMatrix<L> m{room_, n_, pitch_, {}};
    I info;
    m.cholesky(info);
    for (int i = 0; i < n_; ++i) {
      for (int j = i + 1; j < n_; ++j) (L::kByRows ? m.at(j, i) : m.at(i, j)) = V{};
    }
    store(turned(l_.x), 0, n_, room_);
    tell(info);
  }

  const SmallLaunch& l_;
  V* room_;
  int n_, k_, pitch_;  // pitch: vectors of a row in the room
  std::int64_t first_ = 0;
  int count_ = 0;
};

template <class L>
void run_groups(const SmallLaunch& l, std::int64_t first, std::int64_t last) {
  constexpr int kMost = SmallGroup<L>::kMost;
  alignas(kLaneBytes) typename L::V room[kMost * (kMost + SmallLaunch::kMost)];
  SmallGroup<L> group(l, room);
  for (std::int64_t b = first; b < last; b += L::kLanes) group.run(b, last);
}

template <class R>
void small_run(const SmallLaunch& l, std::int64_t first, std::int64_t last) {
  constexpr int kLanes = ManyLanes<R>::kLanes;
  // Matrices that take as long one by one as a vector of them.
  const std::int64_t few = l.n > kMostInLanes ? last - first : 0;
  const std::int64_t rest = (last - first) % kLanes;
  const std::int64_t alone = few > 0 ? few : rest * 4 <= kLanes ? rest : 0;
  if (first < last - alone) run_groups<ManyLanes<R>>(l, first, last - alone);
  if (alone > 0) run_groups<OneLane<R>>(l, last - alone, last);
}

void register_small(HostRegistry&) {
  bind_small_loops(DType::float32, {&small_run<float>, ManyLanes<float>::kLanes});
  bind_small_loops(DType::float64, {&small_run<double>, ManyLanes<double>::kLanes});
}

}  // namespace TANDEM_ISA_NAMESPACE
