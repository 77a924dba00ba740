// Small matrices at one SIMD level, by the shared functor: a matrix in each lane of vectors, or one
// matrix by rows where there are too few of them, or they are so large that a row fills vectors.
#include <algorithm>
#include <numeric>

#include "host/isa/small_lanes.h"
#include "host/isa/transpose.h"
#include "host/lanes.h"
#include "tandem/backend/linalg.h"

namespace TANDEM_ISA_NAMESPACE {

/// Rows up to which a matrix in each lane is faster than one by rows.
template <class E>
inline constexpr int kMostInLanes = fn::is_complex_v<E> ? 32 : 16;

/// As many matrices as there are lanes. Lanes beyond the batch hold its last matrix again.
template <class L>
class SmallGroup {
 public:
  using E = typename L::T;
  using R = typename L::R;
  using S = typename L::S;
  using V = typename L::V;
  using I = typename L::I;
  static constexpr int kLanes = L::kLanes;
  static constexpr int kMost = kLanes == 1 ? SmallLaunch::kMost : kMostInLanes<E>;
  // Vectors, with a column more than there is to compute.
  static constexpr int kSquare = kMost * (kMost + 1);
  static constexpr int kRoom = kMost * (kMost + SmallLaunch::kMost + 1);

  SmallGroup(const SmallLaunch& l, V* room) : l_(l), room_(room), n_(static_cast<int>(l.n)) {
    const bool inverse = l.step == SmallLaunch::Step::Inverse;
    k_ = inverse ? n_ : l.step == SmallLaunch::Step::Solve ? static_cast<int>(l.k) : 0;
    pitch_ = (n_ + k_ + L::kWide - 1) / L::kWide * L::kWide;
    // Columns in lines of a cache that are not all one set, where stores do not delay loads.
    constexpr int kAliased = 2048;  // bytes
    if (kLanes > 1 && pitch_ * static_cast<int>(sizeof(V)) % kAliased == 0) ++pitch_;
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
  /// Of elements X with parts P.
  template <class X = V, class P = S>
  TANDEM_FN static X number(R x) {
    const P part = P{} + x;
    if constexpr (L::kParts == 1) {
      return part;
    } else {
      return {part, P{}};
    }
  }
  E* part(const SmallMatrices& m, int lane) const {
    return static_cast<E*>(m.data) + (first_ + std::min(lane, count_ - 1)) * m.stride;
  }

  /// Calls each(lane, a, i, j) for elements [rows, width) of every lane's matrix from a on, in the
  /// order in which they lie, but for those that block(a, i, j, down) has taken before: as many as
  /// have a part in each lane, from (i, j) on along a row, or down a column.
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
        constexpr int kBlock = kLanes / L::kParts;
        done = length / kBlock * kBlock;
        for (int i = 0; i < lines; ++i) {
          for (int j = 0; j < done; j += kBlock)
            block(part(m, 0) + i * line + j, by_columns ? j : i, by_columns ? i : j, by_columns);
        }
      }
    }
#endif
    if (done == length) return;
    for (int lane = 0; lane < kLanes; ++lane) {
      E* p = part(m, lane);
      for (int i = 0; i < lines; ++i) {
        for (int j = done; j < length; ++j)
          each(lane, p + i * line + j * step, by_columns ? j : i, by_columns ? i : j);
      }
    }
  }

  void load(const SmallMatrices& m, int from, int width) const {
    walk(
        m, n_, width,
        [&]([[maybe_unused]] const E* a, [[maybe_unused]] int i, [[maybe_unused]] int j,
            [[maybe_unused]] bool down) {
#if defined(__AVX2__)
          if constexpr (kLanes > 1) {
            V* to = room_ + i * pitch_ + from + j;
            V column[kLanes / L::kParts];  // parts of an element beside each other
            const bool apart = down && L::kParts > 1;
            transpose_block<LaneWords<R>, kLanes>(reinterpret_cast<char*>(apart ? column : to),
                                                  (down && !apart ? pitch_ : 1) * kWideBytes,
                                                  reinterpret_cast<const char*>(a),
                                                  m.stride * static_cast<std::int64_t>(sizeof(E)));
            for (int e = 0; apart && e < kLanes / L::kParts; ++e) to[e * pitch_] = column[e];
          }
#endif
        },
        [&](int lane, const E* a, int i, int j) {
          L::put(room_, i * pitch_ + from + j, lane, *a);
        });
  }
  void store(const SmallMatrices& m, int from, int width, const V* made) const {
    walk(
        m, n_, width,
        [&]([[maybe_unused]] E* a, [[maybe_unused]] int i, [[maybe_unused]] int j,
            [[maybe_unused]] bool down) {
#if defined(__AVX2__)
          if constexpr (kLanes > 1) {
            const V* of = made + i * pitch_ + from + j;
            V column[kLanes / L::kParts];
            const bool apart = down && L::kParts > 1;
            for (int e = 0; apart && e < kLanes / L::kParts; ++e) column[e] = of[e * pitch_];
            transpose_block<LaneWords<R>, kLanes>(
                reinterpret_cast<char*>(a), m.stride * static_cast<std::int64_t>(sizeof(E)),
                reinterpret_cast<const char*>(apart ? column : of),
                (down && !apart ? pitch_ : 1) * kWideBytes);
          }
#endif
        },
        [&](int lane, E* a, int i, int j) {
          if (lane < count_) *a = L::get(made, i * pitch_ + from + j, lane);
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
      for (int j = i; j < n_; ++j) m.at(i, j) = number(R(i == j ? 1 : 0));
    }
    store(l_.x, 0, n_, room_);
    std::fill_n(made, n_ * pitch_, V{});
    const E one = number<E, R>(1);
    for (int lane = 0; lane < kLanes; ++lane) {
      for (int i = 0; i < n_; ++i) L::put(made, order[lane][i] * pitch_ + i, lane, one);
    }
    store(l_.p, 0, n_, made);
  }

  void determinant() const {
    load(l_.a, 0, n_);
    const fn::SmallMatrix<L> m{room_, n_, pitch_, {}};
    I info;
    S sign = S{} + R(1);
    m.eliminate(info, [&](int k, const I& p) { sign = (p == (I{} + k)) ? sign : -sign; });
    const V product = m.diagonal_product(sign);
    for (int lane = 0; lane < count_; ++lane) *part(l_.x, lane) = L::get(&product, 0, lane);
  }

  void solve() const {
    load(l_.a, 0, n_);
    if (l_.step == SmallLaunch::Step::Inverse) {
      for (int i = 0; i < n_; ++i) {
        for (int j = 0; j < n_; ++j) room_[i * pitch_ + n_ + j] = number(R(i == j ? 1 : 0));
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
  alignas(L::kParts * kWideBytes) typename L::V room[SmallGroup<L>::kRoom];
  SmallGroup<L> group(l, room);
  for (std::int64_t b = first; b < last; b += L::kLanes) group.run(b, last);
}

template <class E>
void small_run(const SmallLaunch& l, std::int64_t first, std::int64_t last) {
  constexpr int kLanes = ManyLanes<E>::kLanes;
  // Matrices that take as long one by one as a vector of them.
  const std::int64_t few = l.n > kMostInLanes<E> ? last - first : 0;
  const std::int64_t rest = (last - first) % kLanes;
  const std::int64_t alone = few > 0 ? few : rest * 4 <= kLanes ? rest : 0;
  if (first < last - alone) run_groups<ManyLanes<E>>(l, first, last - alone);
  if (alone > 0) run_groups<OneLane<E>>(l, last - alone, last);
}

template <class E>
void register_one() {
  lane_loops<SmallLaunch>(dtype_of<E>) = {&small_run<E>, ManyLanes<E>::kLanes};
}

void register_small(HostRegistry&) {
  register_one<float>();
  register_one<double>();
  register_one<Complex64>();
  register_one<Complex128>();
}

}  // namespace TANDEM_ISA_NAMESPACE
