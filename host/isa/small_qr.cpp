// QR of small matrices at one SIMD level, by the shared functor: a matrix in each lane of vectors,
// or, of a few matrices, one after the other with vectors along its rows. The bits are the same.
#include "kernels/functors/small_qr.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "host/isa/wide.h"
#include "host/lanes.h"
#include "host/registry.h"
#include "tandem/backend/linalg.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Vectors of this file are not passed between functions of different levels.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace TANDEM_ISA_NAMESPACE {

template <class R>
struct QrVector {
  using type __attribute__((vector_size(kWideBytes), may_alias)) = R;
  using Word = std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>;
  using mask __attribute__((vector_size(kWideBytes))) = Word;
};

template <class R>
struct QrArithmetic {
  using T = R;
  using Packed = typename QrVector<R>::type;
  using Word = typename QrVector<R>::Word;
  using Mask = typename QrVector<R>::mask;
  static constexpr int kLanes = kWideBytes / static_cast<int>(sizeof(R));
  static constexpr int first = 0, threads = 1;

  TANDEM_FN static void sync() {}
  TANDEM_FN static void absolute(const R& x, R& y) { y = fn::abs_bits(x); }
  TANDEM_FN static void absolute(const Packed& x, Packed& y) {
    Mask word;
    std::memcpy(&word, &x, sizeof word);
    word &= Mask{} + std::numeric_limits<Word>::max();
    std::memcpy(&y, &word, sizeof y);
  }
  TANDEM_FN static void root(const R& x, R& y) { y = fn::sqrt_rn(x); }
  TANDEM_FN static void root(const Packed& x, Packed& y) {
#if defined(__AVX512F__)
    if constexpr (sizeof(R) == 4) {
      y = _mm512_maskz_sqrt_ps(0xffff, x);
    } else {
      y = _mm512_maskz_sqrt_pd(0xff, x);
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(R) == 4) {
      y = _mm256_sqrt_ps(x);
    } else {
      y = _mm256_sqrt_pd(x);
    }
#else
    for (int l = 0; l < kLanes; ++l) y[l] = fn::sqrt_rn(x[l]);
#endif
  }
  TANDEM_FN static void against(const R& norm, const R& x, R& y) { y = fn::copysign_(norm, -x); }
  TANDEM_FN static void against(const Packed& norm, const Packed& x, Packed& y) {
    Mask sign, word;
    std::memcpy(&sign, &x, sizeof sign);
    std::memcpy(&word, &norm, sizeof word);
    word = (word & std::numeric_limits<Word>::max()) | (~sign & std::numeric_limits<Word>::min());
    std::memcpy(&y, &word, sizeof y);
  }
  TANDEM_FN static void add_product(R& sum, const R& a, const R& b) { sum = fn::fma(a, b, sum); }
  TANDEM_FN static void add_product(Packed& sum, const Packed& a, const Packed& b) {
    fused_add<R>(a, b, sum);
  }
  TANDEM_FN static void add_product(Packed& sum, const R& a, const Packed& b) {
    add_product(sum, a - Packed{}, b);
  }
};

/// A matrix in each lane.
template <class R>
struct QrLanes : QrArithmetic<R> {
  using typename QrArithmetic<R>::Packed;
  using typename QrArithmetic<R>::Mask;
  using S = Packed;
  using V = Packed;
  static constexpr int kWide = 1, kTogether = 4, kBlock = 16;
  Packed* elements;
  int leading;

  QrLanes(Packed* e, int l) : elements(e), leading(l) {}
  TANDEM_FN Packed& at(int i, int c) const { return elements[i * leading + c]; }
  TANDEM_FN Packed& chunk(int i, int c) const { return at(i, c); }
  TANDEM_FN static int after(int k) { return k + 1; }
  TANDEM_FN static Packed keep(const Packed& now, const Packed&, int, int) { return now; }
  TANDEM_FN static bool any(const Mask& mask) {
    typename QrArithmetic<R>::Word all = 0;
    for (int l = 0; l < QrArithmetic<R>::kLanes; ++l) all |= mask[l];
    return all != 0;
  }
};

/// One matrix with vectors along its rows, each of which begins with one.
template <class R>
struct QrRows : QrArithmetic<R> {
  using typename QrArithmetic<R>::Packed;
  using typename QrArithmetic<R>::Mask;
  using S = R;
  using V = Packed;
  static constexpr int kWide = QrArithmetic<R>::kLanes, kTogether = 2,
                       kBlock = SmallQrLaunch::kMost;
  R* elements;
  int leading;

  QrRows(R* e, int l) : elements(e), leading(l) {}
  TANDEM_FN R& at(int i, int c) const { return elements[i * leading + c]; }
  TANDEM_FN Packed& chunk(int i, int c) const { return reinterpret_cast<Packed&>(at(i, c)); }
  TANDEM_FN static int after(int k) { return (k + 1) / kWide * kWide; }
  TANDEM_FN static Packed keep(const Packed& now, const Packed& before, int c, int k) {
    Mask column;
    for (int l = 0; l < kWide; ++l) column[l] = l;
    return column > Mask{} + (k - c) ? now : before;
  }
  TANDEM_FN static bool any(bool mask) { return mask; }
};

/// Rows and columns of lanes change places.
template <class R>
struct QrTile {
  using A = QrArithmetic<R>;
  using Packed = typename A::Packed;
  static constexpr int kLanes = A::kLanes;
  Packed rows[kLanes];

  template <int Step, bool High, int... L>
  TANDEM_FN static Packed mixed(const Packed& a, const Packed& b,
                                std::integer_sequence<int, L...>) {
    return __builtin_shufflevector(a, b,
                                   (High ? ((L & Step) == 0 ? L + Step : kLanes + L)
                                         : ((L & Step) == 0 ? L : kLanes + L - Step))...);
  }
  template <int Step>
  TANDEM_FN void exchange() {
    using All = std::make_integer_sequence<int, kLanes>;
    for (int r = 0; r < kLanes; ++r) {
      if ((r & Step) != 0) continue;
      const Packed a = rows[r], b = rows[r + Step];
      rows[r] = mixed<Step, false>(a, b, All{});
      rows[r + Step] = mixed<Step, true>(a, b, All{});
    }
    if constexpr (2 * Step < kLanes) exchange<2 * Step>();
  }
  TANDEM_FN void transpose() { exchange<1>(); }
};

/// Elements of as many matrices as there are lanes, the first of each at at[lane].
template <class R>
struct QrCopy {
  using Tile = QrTile<R>;
  using Packed = typename Tile::Packed;
  static constexpr int kLanes = Tile::kLanes;
  R* at[kLanes];
  int count;  // matrices to be written

  /// `length` neighbours of each from `offset` on, to vectors that are `step` apart, or from them.
  template <bool Store>
  void run(std::int64_t offset, int length, Packed* vectors, int step) const {
    int e = 0;
    for (; e + kLanes <= length; e += kLanes) tile<Store, kLanes>(offset + e, vectors, e, step);
    if (e < length) rest<Store, kLanes>(offset, length, e, vectors, step);
  }
  template <bool Store>
  void single(std::int64_t offset, Packed* vector) const {
    R* numbers = reinterpret_cast<R*>(vector);
    if constexpr (Store) {
      for (int l = 0; l < count; ++l) at[l][offset] = numbers[l];
    } else {
      for (int l = 0; l < kLanes; ++l) numbers[l] = at[l][offset];
    }
  }

 private:
  /// From e on fewer than Size are left: a tile that ends with the last, or smaller ones.
  template <bool Store, int Size>
  void rest(std::int64_t offset, int length, int e, Packed* vectors, int step) const {
    if (length >= Size && length - e > Size / 2) {
      const int from = length - Size;
      return tile<Store, Size>(offset + from, vectors, from, step);
    }
    if constexpr (Size > 2) {
      if (length - e >= Size / 2) {
        tile<Store, Size / 2>(offset + e, vectors, e, step);
        e += Size / 2;
      }
      if (e < length) rest<Store, Size / 2>(offset, length, e, vectors, step);
    } else {
      for (; e < length; ++e) single<Store>(offset + e, vectors + e * step);
    }
  }
  template <bool Store, int Size>
  void tile(std::int64_t offset, Packed* vectors, int e, int step) const {
    Tile t{};
    if constexpr (Store) {
      for (int j = 0; j < Size; ++j) t.rows[j] = vectors[(e + j) * step];
      t.transpose();
      for (int l = 0; l < count; ++l) std::memcpy(at[l] + offset, &t.rows[l], Size * sizeof(R));
    } else {
      for (int l = 0; l < kLanes; ++l) std::memcpy(&t.rows[l], at[l] + offset, Size * sizeof(R));
      t.transpose();
      for (int j = 0; j < Size; ++j) vectors[(e + j) * step] = t.rows[j];
    }
  }
};

/// The tasks of a launch; `Task` says how elements go to and from memory.
template <class Task>
void qr_task(const SmallQrLaunch& l, Task&& task) {
  using Step = SmallQrLaunch::Step;
  const int n = static_cast<int>(l.n), k = static_cast<int>(l.k);
  const int columns = static_cast<int>(l.columns);
  task.load(l.a, l.step == Step::Orthogonal ? k : n);
  if (l.step == Step::Orthogonal) {
    task.factors(true);
  } else {
    task.qr.factor(n, k);
  }
  if (l.step == Step::Factor) {
    task.factors(false);
    return task.store(l.r, static_cast<int>(l.m), n);
  }
  if (l.step != Step::Orthogonal) task.store_upper(l.r, l.step == Step::R ? k : columns, n);
  if (l.step == Step::R) return;
  task.qr.orthogonal(columns, k);
  task.store(l.q, static_cast<int>(l.m), columns);
}

/// As many matrices as there are lanes. Lanes beyond the batch hold its last matrix again.
template <class R>
class QrGroup {
 public:
  using Packed = typename QrArithmetic<R>::Packed;
  static constexpr int kLanes = QrArithmetic<R>::kLanes;
  static constexpr int kMost = SmallQrLaunch::kMost;
  /// An odd number of vectors from row to row: columns share no set of the cache.
  static constexpr int kRoom = kMost * (kMost + 1);

  QrGroup(const SmallQrLaunch& launch, std::int64_t first, std::int64_t last, Packed* room,
          Packed* upper, Packed* tau)
      : qr{tau, static_cast<int>(launch.m), {room, leading_of(launch)}},
        l(launch),
        first_(first),
        count_(static_cast<int>(std::min<std::int64_t>(kLanes, last - first))),
        upper_(upper) {}

  fn::SmallQr<QrLanes<R>> qr;
  const SmallQrLaunch& l;

  void load(const SmallMatrices& from, int columns) const {
    copy<false>(from, qr.m, columns, qr.lanes.elements, qr.lanes.leading);
  }
  void store(const SmallMatrices& to, int rows, int columns) const {
    copy<true>(to, rows, columns, qr.lanes.elements, qr.lanes.leading);
  }
  void store_upper(const SmallMatrices& to, int rows, int columns) const {
    for (int i = 0; i < rows; ++i) {
      for (int c = 0; c < columns; ++c)
        upper_[i * columns + c] = c < i ? Packed{} : qr.lanes.at(i, c);
    }
    copy<true>(to, rows, columns, upper_, columns);
  }
  void factors(bool load) const {
    const int k = static_cast<int>(l.k);
    const SmallMatrices as{l.tau, k, k, 1};
    if (load) {
      copy<false>(as, 1, k, qr.tau, k);
    } else {
      copy<true>(as, 1, k, qr.tau, k);
    }
  }

 private:
  static int leading_of(const SmallQrLaunch& l) {
    const int columns = static_cast<int>(std::max(l.n, l.columns));
    return columns < 16 ? columns : columns | 1;
  }
  template <bool Store>
  void copy(const SmallMatrices& m, int rows, int columns, Packed* vectors, int leading) const {
    QrCopy<R> c;
    c.count = count_;
    for (int lane = 0; lane < kLanes; ++lane) {
      c.at[lane] = static_cast<R*>(m.data) + (first_ + std::min(lane, count_ - 1)) * m.stride;
    }
    if (m.column == 1 && m.row == columns && leading == columns)
      return c.template run<Store>(0, rows * columns, vectors, 1);
    for (int i = 0; i < rows && m.column == 1; ++i)
      c.template run<Store>(i * m.row, columns, vectors + i * leading, 1);
    for (int j = 0; j < columns && m.column != 1; ++j) {
      if (m.row == 1) {
        c.template run<Store>(j * m.column, rows, vectors + j, leading);
        continue;
      }
      for (int i = 0; i < rows; ++i)
        c.template single<Store>(i * m.row + j * m.column, vectors + i * leading + j);
    }
  }

  std::int64_t first_;
  int count_;
  Packed* upper_;
};

/// One matrix.
template <class R>
class QrOne {
 public:
  static constexpr int kWide = QrRows<R>::kWide;

  QrOne(const SmallQrLaunch& launch, std::int64_t which, R* room, R* tau)
      : qr{tau,
           static_cast<int>(launch.m),
           {room,
            static_cast<int>(std::max(launch.n, launch.columns) + kWide - 1) / kWide * kWide}},
        l(launch),
        which_(which) {}

  fn::SmallQr<QrRows<R>> qr;
  const SmallQrLaunch& l;

  void load(const SmallMatrices& from, int columns) const {
    const R* p = static_cast<const R*>(from.data) + which_ * from.stride;
    for (int i = 0; i < qr.m; ++i) {
      R* row = &qr.lanes.at(i, 0);
      for (int c = 0; c < columns; ++c) row[c] = p[i * from.row + c * from.column];
      for (int c = columns; c < qr.lanes.leading; ++c) row[c] = 0;
    }
  }
  void store(const SmallMatrices& to, int rows, int columns) const {
    for (int i = 0; i < rows; ++i) store_row(to, i, 0, columns);
  }
  void store_upper(const SmallMatrices& to, int rows, int columns) const {
    for (int i = 0; i < rows; ++i) {
      const int zeros = std::min(i, columns);
      R* p = static_cast<R*>(to.data) + which_ * to.stride + i * to.row;
      for (int c = 0; c < zeros; ++c) p[c * to.column] = 0;
      store_row(to, i, zeros, columns);
    }
  }
  void factors(bool load) const {
    R* p = static_cast<R*>(l.tau) + which_ * l.k;
    std::copy_n(load ? p : qr.tau, l.k, load ? qr.tau : p);
  }

 private:
  void store_row(const SmallMatrices& to, int i, int from, int columns) const {
    R* p = static_cast<R*>(to.data) + which_ * to.stride + i * to.row;
    const R* row = &qr.lanes.at(i, 0);
    if (to.column == 1) {
      std::copy(row + from, row + columns, p + from);
    } else {
      for (int c = from; c < columns; ++c) p[c * to.column] = row[c];
    }
  }

  std::int64_t which_;
};

template <class R>
__attribute__((noinline)) void qr_one(const SmallQrLaunch& l, std::int64_t which) {
  constexpr int kMost = SmallQrLaunch::kMost;
  alignas(64) R room[kMost * kMost], tau[kMost];
  qr_task(l, QrOne<R>(l, which, room, tau));
}

template <class R>
__attribute__((noinline)) void qr_group(const SmallQrLaunch& l, std::int64_t first,
                                        std::int64_t last) {
  using Group = QrGroup<R>;
  typename Group::Packed room[Group::kRoom], upper[Group::kRoom], tau[Group::kMost];
  qr_task(l, Group(l, first, last, room, upper, tau));
}

template <class R>
void small_qr_run(const SmallQrLaunch& l, std::int64_t first, std::int64_t last) {
  constexpr int kLanes = QrArithmetic<R>::kLanes;
  // Matrices that a group of lanes is not worth, by measurement: it leaves the first cache early.
  const std::int64_t few =
      1 + l.m * std::max(l.n, l.columns) / static_cast<std::int64_t>(32 * sizeof(R));
  for (std::int64_t b = first; b < last; b += kLanes) {
    if (last - b > few) {
      qr_group<R>(l, b, last);
      continue;
    }
    for (std::int64_t which = b; which < last; ++which) qr_one<R>(l, which);
  }
}

void register_small_qr(HostRegistry&) {
  lane_loops<SmallQrLaunch>(DType::float32) = {&small_qr_run<float>, QrArithmetic<float>::kLanes};
  lane_loops<SmallQrLaunch>(DType::float64) = {&small_qr_run<double>, QrArithmetic<double>::kLanes};
}

}  // namespace TANDEM_ISA_NAMESPACE
