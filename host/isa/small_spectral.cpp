// Eigenvalues and singular values of small matrices at one SIMD level: a matrix in each lane of
// vectors, by the shared functor.
#include "kernels/functors/small_spectral.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "host/lanes.h"
#include "host/registry.h"
#include "tandem/backend/linalg.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Vectors of this file are not passed between functions of different levels.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace TANDEM_ISA_NAMESPACE {

#if defined(__AVX512F__)
inline constexpr int kSpectralBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kSpectralBytes = 32;
#else
inline constexpr int kSpectralBytes = 16;
#endif

template <class R, int Bytes>
struct SpectralVector {
  using type __attribute__((vector_size(Bytes))) = R;
};

/// The blocks of all rounds of n columns.
template <int N>
struct RoundBlocks {
  static constexpr fn::Tournament kTournament{N};
  static constexpr int kRow = std::max(kTournament.blocks(), 1);
  fn::SpectralBlock all[std::max(kTournament.rounds(), 1) * kRow]{};
  constexpr RoundBlocks() {
    for (int r = 0; r < kTournament.rounds(); ++r) {
      for (int b = 0; b < kTournament.blocks(); ++b) all[r * kRow + b] = kTournament.block(r, b);
    }
  }
};
template <int N>
inline constexpr RoundBlocks<N> kRoundBlocks{};
template <int... N>
constexpr auto block_tables(std::integer_sequence<int, N...>) {
  return std::array<const fn::SpectralBlock*, sizeof...(N)>{kRoundBlocks<N>.all...};
}
inline constexpr auto kBlockTables =
    block_tables(std::make_integer_sequence<int, SmallSpectralLaunch::kMost + 1>());

/// A whole vector each, and one number each.
template <class R, int Bytes>
struct SpectralLanes {
  using T = R;
  using V = typename SpectralVector<R, Bytes>::type;
  using Word = typename fn::SpectralFormat<R>::Word;
  using I = typename SpectralVector<Word, Bytes>::type;
  using Mask = I;
  static constexpr int kLanes = Bytes / static_cast<int>(sizeof(R));
  static constexpr int first = 0, step = 1;

  TANDEM_FN static int after(int k) { return k + 1; }
  TANDEM_FN static void sync() {}
  TANDEM_FN static V absolute(const V& x) {
    constexpr Word kSign = std::numeric_limits<Word>::min();
    return __builtin_bit_cast(V, __builtin_bit_cast(I, x) & ~(I{} + kSign));
  }
  TANDEM_FN static V root(const V& x) {
    V y;
    for (int l = 0; l < kLanes; ++l) y[l] = std::sqrt(x[l]);
    return y;
  }
  TANDEM_FN static V fused(const V& a, const V& b, const V& c) {
#if defined(__AVX512F__)
    if constexpr (Bytes == 64 && sizeof(R) == 4) return V(_mm512_fmadd_ps(a, b, c));
    if constexpr (Bytes == 64 && sizeof(R) == 8) return V(_mm512_fmadd_pd(a, b, c));
#endif
#if defined(__AVX2__)
    if constexpr (Bytes == 32 && sizeof(R) == 4) return V(_mm256_fmadd_ps(a, b, c));
    if constexpr (Bytes == 32 && sizeof(R) == 8) return V(_mm256_fmadd_pd(a, b, c));
    if constexpr (Bytes == 16 && sizeof(R) == 4) return V(_mm_fmadd_ps(a, b, c));
    if constexpr (Bytes == 16 && sizeof(R) == 8) return V(_mm_fmadd_pd(a, b, c));
#endif
    V sum;
    for (int l = 0; l < kLanes; ++l) sum[l] = fn::fma(a[l], b[l], c[l]);
    return sum;
  }
  TANDEM_FN static bool some(const Mask& m) {
    Word any = 0;
    for (int l = 0; l < kLanes; ++l) any |= m[l];
    return any != 0;
  }
  TANDEM_FN static bool any(const Mask& m) { return some(m); }
  TANDEM_FN static Mask joint(const Mask& m) { return m; }
  TANDEM_FN static const fn::SpectralBlock& block(const fn::Tournament& t, int round, int b) {
    return kBlockTables[t.n][round * t.blocks() + b];
  }
  TANDEM_FN static void rotate(V* x, V* y, int n, const V s, const V tau) {
    for (int i = 0; i < n; ++i) fn::Rotations<SpectralLanes>::rotate(x[i], y[i], s, tau);
  }
  TANDEM_FN static V dot(const V* x, const V* y, int from, int to) {
    return fn::QuarterSums<SpectralLanes>::dot(x, y, from, to);
  }
  TANDEM_FN static void dots(const V* x, const V* y, int n, V& xx, V& xy, V& yy) {
    fn::QuarterSums<SpectralLanes>::dots(x, y, n, xx, xy, yy);
  }
  template <class Get, class Put>
  TANDEM_FN static Mask angles(int begin, int count, int by, R tolerance, const Get& get,
                               const Put& put) {
    return fn::Rotations<SpectralLanes>::angles(begin, count, by, tolerance, get, put);
  }
};

/// One matrix: vectors hold neighbours of a column where all get the same operations.
template <class R>
struct SpectralLanes<R, 0> {
  using T = R;
  using V = R;
  using I = typename fn::SpectralFormat<R>::Word;
  using Mask = bool;
  static constexpr int kLanes = 1;
  static constexpr int first = 0, step = 1;

  TANDEM_FN static int after(int k) { return k + 1; }
  TANDEM_FN static void sync() {}
  TANDEM_FN static R absolute(R x) { return fn::abs_bits(x); }
  TANDEM_FN static R root(R x) { return fn::sqrt_rn(x); }
  TANDEM_FN static R fused(R a, R b, R c) { return fn::fma(a, b, c); }
  TANDEM_FN static bool some(bool m) { return m; }
  TANDEM_FN static bool any(bool m) { return m; }
  TANDEM_FN static bool joint(bool m) { return m; }
  TANDEM_FN static const fn::SpectralBlock& block(const fn::Tournament& t, int round, int b) {
    return kBlockTables[t.n][round * t.blocks() + b];
  }
  TANDEM_FN static void rotate(R* __restrict x, R* __restrict y, int n, const R s, const R tau) {
    for (int i = 0; i < n; ++i) fn::Rotations<SpectralLanes>::rotate(x[i], y[i], s, tau);
  }
  /// The four sums of QuarterSums in a vector.
  using Quarters = SpectralLanes<R, 4 * static_cast<int>(sizeof(R))>;
  using Q = typename Quarters::V;
  TANDEM_FN static Q read(const R* x) {
    Q q;
    __builtin_memcpy(&q, x, sizeof q);
    return q;
  }
  TANDEM_FN static Q read(const R* x, int count) {
    Q q{};
    for (int i = 0; i < 3; ++i) {
      if (i < count) q[i] = x[i];
    }
    return q;
  }
  TANDEM_FN static R join(const Q& c) { return (c[0] + c[1]) + (c[2] + c[3]); }
  TANDEM_FN static R dot(const R* x, const R* y, int from, int to) {
    Q c{};
    int i = from;
    for (; i + 4 <= to; i += 4) c = Quarters::fused(read(x + i), read(y + i), c);
    if (i < to) c = Quarters::fused(read(x + i, to - i), read(y + i, to - i), c);
    return join(c);
  }
  TANDEM_FN static void dots(const R* x, const R* y, int n, R& xx, R& xy, R& yy) {
    Q a{}, b{}, c{};
    const auto add = [&](const Q& p, const Q& q) {
      a = Quarters::fused(p, p, a);
      b = Quarters::fused(p, q, b);
      c = Quarters::fused(q, q, c);
    };
    int i = 0;
    for (; i + 4 <= n; i += 4) add(read(x + i), read(y + i));
    if (i < n) add(read(x + i, n - i), read(y + i, n - i));
    xx = join(a);
    xy = join(b);
    yy = join(c);
  }
  template <class Get, class Put>
  TANDEM_FN static bool angles(int begin, int count, int by, R tolerance, const Get& get,
                               const Put& put) {
    if (count <= 2) {
      return fn::Rotations<SpectralLanes>::angles(begin, count, by, tolerance, get, put);
    }
    if (count <= 4) return angles_in_lanes<4>(count, tolerance, get, put);
    return angles_in_lanes<8>(count, tolerance, get, put);
  }

 private:
  /// A pair a lane.
  template <int N, class Get, class Put>
  TANDEM_FN static bool angles_in_lanes(int count, R tolerance, const Get& get, const Put& put) {
    constexpr int kBytes = std::min(kSpectralBytes, N * static_cast<int>(sizeof(R)));
    using Pairs = SpectralLanes<R, kBytes>;
    using P = typename Pairs::V;
    constexpr int kVectors = N / Pairs::kLanes;
    alignas(64) R in[3][N]{}, out[3][N];
    alignas(64) typename Pairs::Word wanted[N];
    for (int k = 0; k < count; ++k) get(k, in[0][k], in[1][k], in[2][k]);
    typename Pairs::Mask any{};
    for (int v = 0; v < kVectors; ++v) {
      const auto at = [&](auto& row) { return reinterpret_cast<P*>(row) + v; };
      const typename Pairs::Mask w = fn::Rotations<Pairs>::angle(
          *at(in[0]), *at(in[1]), *at(in[2]), tolerance, *at(out[0]), *at(out[1]), *at(out[2]));
      __builtin_memcpy(wanted + v * Pairs::kLanes, &w, sizeof w);
      any = any | w;
    }
    for (int k = 0; k < count; ++k) put(k, out[0][k], out[1][k], out[2][k], wanted[k] != 0);
    return Pairs::some(any);
  }
};

/// As many matrices as there are lanes. Lanes beyond the batch hold its last matrix again.
template <class R, int Bytes>
class SpectralGroup {
 public:
  using L = SpectralLanes<R, Bytes>;
  using V = typename L::V;
  using I = typename L::I;
  static constexpr int kLanes = L::kLanes;

  SpectralGroup(const SmallSpectralLaunch& l, std::int64_t first, std::int64_t last)
      : l_(l),
        m_(static_cast<int>(l.m)),
        n_(static_cast<int>(l.n)),
        first_(first),
        count_(static_cast<int>(std::min<std::int64_t>(kLanes, last - first))) {}

  void eigh() {
    load_triangle();
    const bool vectors = l_.left.data != nullptr;
    const fn::SmallEigh<L> f{a_, z_, vectors, turns(), n_, {}};
    I by, info;
    typename L::Mask bad;
    f.run(by, bad, info);
    tell(bad, info);
    for (int j = 0; j < n_; ++j) {
      place_[j] = f.place(j);
      put_value(j, fn::Rotations<L>::original(a_[j * n_ + j], by));
      if (vectors) put_vector(l_.left, place_[j], z_ + j * n_, n_, nullptr);
    }
  }

  void svd() {
    load();
    const bool vectors = l_.left.data != nullptr;
    const int left = l_.full ? m_ : n_;
    I order[kMost];
    V size[kMost], tau[kMost];
    const fn::SmallSvd<L> f{a_, g_, z_, vectors, size, tau, turns(), order, m_, n_, left, {}};
    I by, info;
    typename L::Mask bad;
    f.run(by, bad, info);
    tell(bad, info);
    for (int j = 0; j < n_; ++j) {
      place_[j] = f.place(j);
      put_value(j, fn::Rotations<L>::original(size[j], by));
      if (!vectors) continue;
      put_vector(l_.left, place_[j], z_ + j * m_, m_, nullptr);
      put_vector(l_.right, place_[j], g_ + j * n_, n_, order);
    }
    for (int j = n_; vectors && j < left; ++j)
      put_vector(l_.left, I{} + j, z_ + j * m_, m_, nullptr);
  }

 private:
  static constexpr int kMost = SmallSpectralLaunch::kMost;

  static R& number(V& x, int lane) { return reinterpret_cast<R*>(&x)[lane]; }
  static R number(const V& x, int lane) { return reinterpret_cast<const R*>(&x)[lane]; }
  template <class X>
  static auto number(const X& x, int lane) {
    if constexpr (kLanes == 1) {
      return x;
    } else {
      return x[lane];
    }
  }
  R* part(const SmallMatrices& m, int lane) const {
    return static_cast<R*>(m.data) + (first_ + std::min(lane, count_ - 1)) * m.stride;
  }
  fn::SpectralTurns<V> turns() { return fn::SpectralTurns<V>::in(turn_, kMost / 2); }
  /// By columns.
  void load() {
    for (int lane = 0; lane < kLanes; ++lane) {
      const R* p = part(l_.a, lane);
      for (int j = 0; j < n_; ++j) {
        for (int i = 0; i < m_; ++i)
          number(a_[j * m_ + i], lane) = p[i * l_.a.row + j * l_.a.column];
      }
    }
  }
  /// The triangle that is read, as the upper one, and zeros.
  void load_triangle() {
    const std::int64_t row = l_.upper ? l_.a.row : l_.a.column;
    const std::int64_t column = l_.upper ? l_.a.column : l_.a.row;
    for (int i = 1; i < n_; ++i) std::fill_n(a_ + i * n_, i, V{});
    for (int lane = 0; lane < kLanes; ++lane) {
      const R* p = part(l_.a, lane);
      for (int i = 0; i < n_; ++i) {
        for (int j = i; j < n_; ++j) number(a_[i * n_ + j], lane) = p[i * row + j * column];
      }
    }
  }
  void put_value(int j, const V& x) const {
    for (int lane = 0; lane < count_; ++lane)
      static_cast<R*>(l_.values)[(first_ + lane) * n_ + number(place_[j], lane)] = number(x, lane);
  }
  /// Vector x to column `place`, component i to row i, or order[i].
  void put_vector(const SmallMatrices& to, const I& place, const V* x, int rows,
                  const I* order) const {
    for (int lane = 0; lane < count_; ++lane) {
      R* p = part(to, lane) + number(place, lane) * to.column;
      for (int i = 0; i < rows; ++i)
        p[(order == nullptr ? i : number(order[i], lane)) * to.row] = number(x[i], lane) + R(0);
    }
  }
  void tell(const typename L::Mask& bad, const I& info) const {
    for (int lane = 0; lane < count_; ++lane)
      l_.info[first_ + lane] = number(bad, lane) != 0
                                   ? FactorLaunch::kNotFinite
                                   : static_cast<std::int32_t>(number(info, lane));
  }

  const SmallSpectralLaunch& l_;
  int m_, n_;
  std::int64_t first_;
  int count_;
  V a_[kMost * kMost], g_[kMost * kMost], z_[kMost * kMost];
  V turn_[fn::SpectralTurns<V>::kArrays * kMost / 2];
  I place_[kMost];
};

template <class R, int Bytes>
void spectral_group(const SmallSpectralLaunch& l, std::int64_t first, std::int64_t last) {
  SpectralGroup<R, Bytes> group(l, first, last);
  if (l.step == SmallSpectralLaunch::Step::Eigh) {
    group.eigh();
  } else {
    group.svd();
  }
}

/// What fills few lanes goes in narrow vectors, with the same bits: they take less time.
template <class R>
void spectral_run(const SmallSpectralLaunch& l, std::int64_t first, std::int64_t last) {
  constexpr int kWide = kSpectralBytes / static_cast<int>(sizeof(R));
  constexpr int kNarrow = 16 / static_cast<int>(sizeof(R));
  for (std::int64_t b = first; b < last; b += kWide) {
    if (last - b == 1) {
      spectral_group<R, 0>(l, b, last);
    } else if (last - b <= kNarrow) {
      spectral_group<R, 16>(l, b, last);
    } else {
      spectral_group<R, kSpectralBytes>(l, b, last);
    }
  }
}

void register_small_spectral(HostRegistry&) {
  lane_loops<SmallSpectralLaunch>(DType::float32) = {&spectral_run<float>, kSpectralBytes / 4};
  lane_loops<SmallSpectralLaunch>(DType::float64) = {&spectral_run<double>, kSpectralBytes / 8};
}

}  // namespace TANDEM_ISA_NAMESPACE
