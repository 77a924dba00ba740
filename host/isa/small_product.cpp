// Batches of small matrix products at one SIMD level: a product in each lane of vectors. An element
// has the same operations in the same order as in host/isa/gemm.cpp, or as in the reductions.
#include "host/small_product.h"

#include <algorithm>
#include <bit>

#include "host/isa/transpose.h"
#include "host/isa/wide.h"
#include "host/lanes.h"
#include "host/registry.h"
#include "kernels/functors/complex_math.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Vectors of this file are not passed between functions of different levels.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace TANDEM_ISA_NAMESPACE {

/// What elements are multiplied in, part by part. Integers wrap: 32 bits without a sign do for
/// those of 32 bits and less.
template <class T>
struct PartOf {
  using type = std::conditional_t<fn::is_int_v<T>,
                                  std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>,
                                  compute_t<T>>;
};
template <class R>
struct PartOf<Complex<R>> {
  using type = R;
};
template <class T>
using Part = typename PartOf<T>::type;
template <class T>
inline constexpr int kParts = fn::is_complex_v<T> ? 2 : 1;
template <class T>
inline constexpr int kLanes = kWideBytes / static_cast<int>(sizeof(Part<T>));

template <class R>
struct LaneVector {
  using type __attribute__((vector_size(kWideBytes))) = R;
};
template <class T>
using Lanes = typename LaneVector<Part<T>>::type;

/// sum = a * b + sum: rounded once, integers wrapping.
template <class R, class V>
TANDEM_FN void multiply_add(const V& a, const V& b, V& sum) {
  if constexpr (fn::is_real_float_v<R>) {
    fused_add<R>(a, b, sum);
  } else {
    sum += a * b;
  }
}

/// An element of a product in every lane: its real and, if it has one, its imaginary part.
template <class T>
struct Element {
  Lanes<T> part[kParts<T>];
};

template <class T>
TANDEM_FN void add_product(const Element<T>& a, const Element<T>& b, Element<T>& sum) {
  using R = Part<T>;
  multiply_add<R>(a.part[0], b.part[0], sum.part[0]);
  if constexpr (kParts<T> == 2) {
    multiply_add<R>(-a.part[1], b.part[1], sum.part[0]);
    multiply_add<R>(a.part[0], b.part[1], sum.part[1]);
    multiply_add<R>(a.part[1], b.part[0], sum.part[1]);
  }
}

/// a * b, each product rounded.
template <class T>
TANDEM_FN void multiply(const Element<T>& a, const Element<T>& b, Element<T>& product) {
  if constexpr (kParts<T> == 1) {
    product.part[0] = a.part[0] * b.part[0];
  } else {
    const auto& [re, im] = a.part;
    product.part[0] = rounded(re * b.part[0]) - rounded(im * b.part[1]);
    product.part[1] = rounded(re * b.part[1]) + rounded(im * b.part[0]);
  }
}

/// One of the three matrices in memory, and its elements in the order in which they lie there.
template <class T>
struct Operand {
  T* data;
  std::int64_t stride;  // from one product of the batch to the next
  int rows, columns;
  std::int64_t row, column;

  bool by_columns() const { return row == 1 && column != 1 && rows > 1; }
  int length() const { return by_columns() ? rows : columns; }
  int lines() const { return by_columns() ? columns : rows; }
  std::int64_t step() const { return by_columns() ? row : column; }
  std::int64_t line() const { return by_columns() ? column : row; }
  /// Lines that lie one after the other are one.
  bool dense() const {
    return (step() == 1 || length() == 1) && (line() == length() || lines() == 1);
  }
  /// Where element (i, j) is in the room.
  int place_row() const { return by_columns() ? 1 : columns; }
  int place_column() const { return by_columns() ? rows : 1; }
};

/// Element at `offset` of each lane's matrix.
template <class T>
TANDEM_FN void take(Element<T>& to, T* const (&lanes)[kLanes<T>], std::int64_t offset) {
  for (int l = 0; l < kLanes<T>; ++l) {
    const T& x = lanes[l][offset];
    if constexpr (kParts<T> == 2) {
      to.part[0][l] = x.re;
      to.part[1][l] = x.im;
    } else if constexpr (fn::is_int_v<T>) {
      to.part[0][l] = static_cast<Part<T>>(x);
    } else {
      to.part[0][l] = fn::cast<Part<T>>(x);
    }
  }
}
template <class T>
TANDEM_FN void give(const Element<T>& from, T* const (&lanes)[kLanes<T>], std::int64_t offset) {
  for (int l = 0; l < kLanes<T>; ++l) {
    T& x = lanes[l][offset];
    if constexpr (kParts<T> == 2) {
      x.re = from.part[0][l];
      x.im = from.part[1][l];
    } else if constexpr (fn::is_int_v<T>) {
      x = static_cast<T>(from.part[0][l]);
    } else {
      x = fn::cast<T>(from.part[0][l]);
    }
  }
}

/// As many products as there are lanes. Lanes beyond the batch hold its last product again.
template <class T>
class ProductGroup {
 public:
  using E = Element<T>;
  using R = Part<T>;
  static constexpr int kMost = SmallProducts::kMostElements;

  explicit ProductGroup(const GemmLaunch& g)
      : a_(operand(g.a, g.a_batch, g.m, g.k, g.a_row, g.a_col)),
        b_(operand(g.b, g.b_batch, g.k, g.n, g.b_row, g.b_col)),
        c_(operand(g.c, g.c_batch, g.m, g.n, g.c_row, g.c_col)),
        m_(static_cast<int>(g.m)),
        n_(static_cast<int>(g.n)),
        k_(static_cast<int>(g.k)) {
    if (a_.stride == 0) load(a_, a_room_);
    if (b_.stride == 0) load(b_, b_room_);
  }

  void run(SmallOrder order, std::int64_t first, std::int64_t last) {
    first_ = first;
    count_ = static_cast<int>(std::min<std::int64_t>(kLanes<T>, last - first));
    if (a_.stride != 0) load(a_, a_room_);
    if (b_.stride != 0) load(b_, b_room_);
    if (order == SmallOrder::Tree) {
      if constexpr (!fn::is_int_v<T>) by_tree();
    } else {
      for (int i = 0; i < m_; ++i) {
        int j = 0;
        for (; j + 4 <= n_; j += 4) by_chain<4>(i, j);
        for (; j < n_; ++j) by_chain<1>(i, j);
      }
    }
    store();
  }

 private:
  static Operand<T> operand(const void* p, std::int64_t batch, std::int64_t rows,
                            std::int64_t columns, std::int64_t row, std::int64_t column) {
    return {const_cast<T*>(static_cast<const T*>(p)),
            batch,
            static_cast<int>(rows),
            static_cast<int>(columns),
            row,
            column};
  }
  T* of_lane(const Operand<T>& x, int lane) const {
    return x.data + (first_ + std::min(lane, count_ - 1)) * x.stride;
  }

  /// Whether an element's lanes are neighbours in memory.
  bool side_by_side(const Operand<T>& x) const {
    return fn::same_v<T, R> && x.stride == 1 && count_ == kLanes<T>;
  }
  /// Element e of the room, of lane 0.
  T* place(const Operand<T>& x, int e) const {
    return of_lane(x, 0) + e / x.length() * x.line() + e % x.length() * x.step();
  }

  /// Where the lanes' matrices are. Lanes beyond the batch hold its last product again, and leave
  /// it as it is.
  void lanes_of(const Operand<T>& x, T* (&lanes)[kLanes<T>]) const {
    for (int l = 0; l < kLanes<T>; ++l) lanes[l] = of_lane(x, l);
  }

  /// Calls block(p, e) for elements that lie one after the other, as many as fill a vector with
  /// their parts, the first at p of lane 0 and number e of the room, each(offset, e) for the rest.
  template <class Whole, class Each>
  void walk(const Operand<T>& x, [[maybe_unused]] Whole&& block, Each&& each) const {
    const bool dense = x.dense();
    const int lines = dense ? 1 : x.lines();
    const int length = dense ? x.rows * x.columns : x.length();
    const std::int64_t step = dense ? 1 : x.step();
    int done = 0;
#if defined(__AVX2__)
    if constexpr (sizeof(T) == sizeof(R) * kParts<T>) {
      constexpr int kWhole = kLanes<T> / kParts<T>;
      if (step == 1 && count_ == kLanes<T> && x.stride != 0) {
        done = length / kWhole * kWhole;
        for (int i = 0; i < lines; ++i) {
          for (int j = 0; j < done; j += kWhole)
            block(of_lane(x, 0) + i * x.line() + j, i * length + j);
        }
      }
    }
#endif
    if (done == length) return;
    for (int i = 0; i < lines; ++i) {
      std::int64_t offset = i * x.line() + done * step;
      for (int j = done; j < length; ++j, offset += step) each(offset, i * length + j);
    }
  }

  void load(const Operand<T>& x, E* room) {
    if (x.stride == 0) count_ = kLanes<T>;
    if (side_by_side(x)) {
      for (int e = 0; e < x.rows * x.columns; ++e)
        __builtin_memcpy(room + e, place(x, e), sizeof(E));
      return;
    }
    T* lanes[kLanes<T>];
    lanes_of(x, lanes);
    walk(
        x,
        [&]([[maybe_unused]] const T* p, [[maybe_unused]] int e) {
#if defined(__AVX2__)
          transpose_block<LaneWords<R>, kLanes<T>>(reinterpret_cast<char*>(room + e), kWideBytes,
                                                   reinterpret_cast<const char*>(p),
                                                   x.stride * static_cast<std::int64_t>(sizeof(T)));
#endif
        },
        [&](std::int64_t offset, int e) { take<T>(room[e], lanes, offset); });
  }
  void store() const {
    if (side_by_side(c_)) {
      for (int e = 0; e < c_.rows * c_.columns; ++e)
        __builtin_memcpy(place(c_, e), c_room_ + e, sizeof(E));
      return;
    }
    T* lanes[kLanes<T>];
    lanes_of(c_, lanes);
    walk(
        c_,
        [&]([[maybe_unused]] T* p, [[maybe_unused]] int e) {
#if defined(__AVX2__)
          transpose_block<LaneWords<R>, kLanes<T>>(
              reinterpret_cast<char*>(p), c_.stride * static_cast<std::int64_t>(sizeof(T)),
              reinterpret_cast<const char*>(c_room_ + e), kWideBytes);
#endif
        },
        [&](std::int64_t offset, int e) { give<T>(c_room_[e], lanes, offset); });
  }

  const E& a(int i, int k) const { return a_room_[i * a_.place_row() + k * a_.place_column()]; }
  const E& b(int k, int j) const { return b_room_[k * b_.place_row() + j * b_.place_column()]; }
  E& c(int i, int j) { return c_room_[i * c_.place_row() + j * c_.place_column()]; }

  template <int Columns>
  void by_chain(int i, int j) {
    E sum[Columns] = {};
    const E* left = &a(i, 0);
    const E* right = &b(0, j);
    const int a_step = a_.place_column(), b_step = b_.place_row(), column = b_.place_column();
    for (int k = 0; k < k_; ++k, left += a_step, right += b_step) {
#pragma GCC unroll 4
      for (int x = 0; x < Columns; ++x) add_product<T>(*left, right[x * column], sum[x]);
    }
    for (int x = 0; x < Columns; ++x) c(i, j + x) = sum[x];
  }

  void by_tree() {
    E products[SmallProducts::kMostTerms];
    const int lanes = std::bit_ceil(static_cast<unsigned>(k_));
    for (int i = 0; i < m_; ++i) {
      for (int j = 0; j < n_; ++j) {
        for (int k = 0; k < k_; ++k) multiply<T>(a(i, k), b(k, j), products[k]);
        for (int half = lanes / 2; half > 0; half /= 2) {
          for (int l = 0; l < half && l + half < k_; ++l) {
            for (int p = 0; p < kParts<T>; ++p) products[l].part[p] += products[l + half].part[p];
          }
        }
        c(i, j) = products[0];
      }
    }
  }

  Operand<T> a_, b_, c_;
  int m_, n_, k_;
  std::int64_t first_ = 0;
  int count_ = 0;
  E a_room_[kMost], b_room_[kMost], c_room_[kMost];
};

template <class T>
void small_product_run(const SmallProducts& l, std::int64_t first, std::int64_t last) {
  ProductGroup<T> group(l.g);
  for (std::int64_t b = first; b < last; b += kLanes<T>) group.run(l.order, b, last);
}

void register_small_product(HostRegistry&) {
  for (int d = 0; d < kNumDTypes; ++d) {
    const DType t = static_cast<DType>(d);
    visit(t, [&]<class T>() {
      if constexpr (fn::is_int_v<T> || fn::is_complex_v<T> || fn::is_real_float_v<compute_t<T>>)
        lane_loops<SmallProducts>(t) = {&small_product_run<T>, kLanes<T>};
    });
  }
}

}  // namespace TANDEM_ISA_NAMESPACE
