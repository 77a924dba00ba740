// Panels of LU at one SIMD level: see LuLoops.
#include "host/lu.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <utility>

#include "host/isa/wide.h"
#include "host/registry.h"

namespace TANDEM_ISA_NAMESPACE {

template <class R>
TANDEM_FN Wide<R> spread(R x) {
  return Wide<R>(x - typename Wide<R>::Vector{});
}

/// a * b + c: one rounding where the level has it.
template <class R>
TANDEM_FN Wide<R> multiply_add(const Wide<R>& a, const Wide<R>& b, const Wide<R>& c) {
#if defined(__AVX2__)
  return fma(a, b, c);
#else
  return a * b + c;
#endif
}
template <class R>
TANDEM_FN R multiply_add(R a, R b, R c) {
#if defined(__AVX2__)
  return fn::fma(a, b, c);
#else
  return a * b + c;
#endif
}

template <class R>
using WordOf = std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>;
template <class R>
struct WordVector {
  typedef WordOf<R> type __attribute__((vector_size(kWideBytes)));
};
/// Integers beside the lanes of Wide<R>.
template <class R>
using Words = typename WordVector<R>::type;

/// The lanes' own numbers, of elements of so many parts.
template <class R, int Parts, int... I>
TANDEM_FN Words<R> lane_numbers(std::integer_sequence<int, I...>) {
  return Words<R>{I / Parts...};
}

/// Lane l of the result: of lane l ^ Step.
template <int Step, class V, int... I>
TANDEM_FN V exchanged(const V& v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I ^ Step)...);
}

/// The greatest (with Least the least) of the lanes, in all of them.
template <int Step, bool Least, class V>
TANDEM_FN void reduce_lanes(V& v) {
  if constexpr (Step > 0) {
    constexpr int kLanes = static_cast<int>(sizeof(V) / sizeof(v[0]));
    const V other = exchanged<Step>(v, std::make_integer_sequence<int, kLanes>());
    v = (Least ? other < v : other > v) ? other : v;
    reduce_lanes<Step / 2, Least>(v);
  }
}

/// A column's elements as numbers: themselves, or real and imaginary parts beside each other.
template <class T>
struct Parts {
  using R = T;
  static constexpr int kCount = 1;
};
template <class T>
struct Parts<std::complex<T>> {
  using R = T;
  static constexpr int kCount = 2;
};
template <class R>
R* parts_of(std::complex<R>* x) {
  return reinterpret_cast<R*>(x);
}

/// Each number's neighbour of the same element.
template <class R>
TANDEM_FN Wide<R> swapped(const Wide<R>& x) {
  return Wide<R>(exchanged<1>(x.v, std::make_integer_sequence<int, Wide<R>::kLanes>()));
}
/// (a, b, a, b, ...)
template <class R>
TANDEM_FN Wide<R> alternating(R a, R b) {
  using I = std::make_integer_sequence<int, Wide<R>::kLanes>;
  return Wide<R>(lane_numbers<R, 1>(I()) % 2 == 0 ? spread(a).v : spread(b).v);
}

/// |x|, or |re| + |im| as LAPACK compares complex numbers.
template <class R>
TANDEM_FN R size_of(R x) {
  return std::abs(x);
}
template <class R>
TANDEM_FN R size_of(std::complex<R> x) {
  return std::abs(x.real()) + std::abs(x.imag());
}
template <class T>
TANDEM_FN auto sizes_of(const T* x) {
  using R = typename Parts<T>::R;
  Wide<R> w = Wide<R>::from(reinterpret_cast<const R*>(x));
  w.v = w.v < 0 ? -w.v : w.v;
  if constexpr (Parts<T>::kCount == 2) w = w + swapped(w);
  return w.v;
}

/// The place of the first of the greatest sizes among x[from, rows), x[from] itself where it is
/// NaN; behind `rows` there are zeros, or NaN, to the vector's end.
template <class T>
std::int64_t greatest(const T* x, std::int64_t from, std::int64_t rows) {
  using R = typename Parts<T>::R;
  using Lanes = std::make_integer_sequence<int, Wide<R>::kLanes>;
  constexpr int kElements = Wide<R>::kLanes / Parts<T>::kCount;
  const R first = size_of(x[from]);
  if (std::isnan(first)) return from;
  const auto start = static_cast<WordOf<R>>(from);
  const std::int64_t block = from / kElements * kElements;
  auto at = lane_numbers<R, Parts<T>::kCount>(Lanes()) + static_cast<WordOf<R>>(block);
  Words<R> places = Words<R>{} + start;
  auto sizes = spread(first).v;
  auto size = sizes_of(x + block);
  size = at > start ? size : spread(R(0)).v;
  for (std::int64_t i = block; i < rows; i += kElements) {
    if (i > block) size = sizes_of(x + i);
    const auto bigger = size > sizes;
    sizes = bigger ? size : sizes;
    places = bigger ? at : places;
    at += kElements;
  }
  auto most = sizes;
  reduce_lanes<Wide<R>::kLanes / 2, false>(most);
  places = sizes == most ? places : Words<R>{} + std::numeric_limits<WordOf<R>>::max();
  reduce_lanes<Wide<R>::kLanes / 2, true>(places);
  return places[0];
}

/// y -= l * u over k columns of l, an element's in their order; the rows of `Vectors` vectors from
/// i on.
template <class R, int Vectors>
TANDEM_FN void take_products(R* y, const R* l, std::int64_t pitch, const R* u, int k,
                             std::int64_t i) {
  constexpr int kLanes = Wide<R>::kLanes;
  Wide<R> sum[Vectors];
  for (int v = 0; v < Vectors; ++v) sum[v] = Wide<R>::from(y + i + v * kLanes);
  for (int c = 0; c < k; ++c) {
    const Wide<R> by = spread(-u[c]);
    for (int v = 0; v < Vectors; ++v)
      sum[v] = multiply_add(Wide<R>::from(l + c * pitch + i + v * kLanes), by, sum[v]);
  }
  for (int v = 0; v < Vectors; ++v) sum[v].to(y + i + v * kLanes);
}

/// Column j less its products with those before it: U above the diagonal, what is to be divided by
/// the pivot below. Whole vectors: what U has in the first of them is kept.
template <class R>
TANDEM_FN void take_columns_before(const LuPanel<R>& p, int j) {
  constexpr int kLanes = Wide<R>::kLanes;
  R* x = p.data + j * p.pitch;
  for (int k = 0; k < j; ++k) {
    for (int i = k + 1; i < j; ++i) x[i] = multiply_add(p.data[k * p.pitch + i], -x[k], x[i]);
  }
  R u[kLuPanel], kept[kLanes];
  std::copy_n(x, j, u);
  const int block = j / kLanes * kLanes;
  std::copy(x + block, x + j, kept);
  std::int64_t i = block;
  for (; i + 4 * kLanes <= p.m; i += 4 * kLanes) take_products<R, 4>(x, p.data, p.pitch, u, j, i);
  for (; i < p.m; i += kLanes) take_products<R, 1>(x, p.data, p.pitch, u, j, i);
  std::copy_n(kept, j - block, x + block);
}

/// What lies below the diagonal of column j, by the element there.
template <class R>
TANDEM_FN void divide_below(const LuPanel<R>& p, int j) {
  constexpr int kLanes = Wide<R>::kLanes;
  R* x = p.data + j * p.pitch;
  const int block = j / kLanes * kLanes;
  R kept[kLanes];
  std::copy(x + block, x + j + 1, kept);
  const auto by = spread(x[j]);
  for (std::int64_t i = block; i < p.m; i += kLanes)
    Wide<R>(Wide<R>::from(x + i).v / by.v).to(x + i);
  std::copy_n(kept, j + 1 - block, x + block);
}

/// The columns behind j less their products with it, in rows below j.
template <class R>
TANDEM_FN void take_from_columns_behind(const LuPanel<R>& p, int j) {
  constexpr int kLanes = Wide<R>::kLanes;
  const R* l = p.data + j * p.pitch;
  const int block = j / kLanes * kLanes;
  const auto below = lane_numbers<R, 1>(std::make_integer_sequence<int, kLanes>()) > j - block;
  for (int c = j + 1; c < p.n; ++c) {
    R* x = p.data + c * p.pitch;
    const Wide<R> by = spread(-x[j]);
    const Wide<R> before = Wide<R>::from(x + block);
    const Wide<R> sum = multiply_add(Wide<R>::from(l + block), by, before);
    Wide<R>(below ? sum.v : before.v).to(x + block);
    for (std::int64_t i = block + kLanes; i < p.m; i += kLanes)
      multiply_add(Wide<R>::from(l + i), by, Wide<R>::from(x + i)).to(x + i);
  }
}

/// What products with an element's sums make of it: by the real parts on the right, and by the
/// imaginary ones, which have been kept apart.
template <class R>
TANDEM_FN Wide<R> joined(const Wide<R>& by_real, const Wide<R>& by_imaginary) {
  return by_real + swapped(by_imaginary) * alternating<R>(-1, 1);
}

/// x less l * u over k columns of l, both sums in their order; numbers of so many vectors from i
/// on.
template <class R, int Vectors>
TANDEM_FN void take_products(R* x, const R* l, std::int64_t pitch, const std::complex<R>* u, int k,
                             std::int64_t i) {
  constexpr int kLanes = Wide<R>::kLanes;
  Wide<R> sum[Vectors], side[Vectors];
  for (int v = 0; v < Vectors; ++v) {
    sum[v] = Wide<R>::from(x + i + v * kLanes);
    side[v] = spread(R(0));
  }
  for (int c = 0; c < k; ++c) {
    const Wide<R> re = spread(-u[c].real()), im = spread(-u[c].imag());
    for (int v = 0; v < Vectors; ++v) {
      const Wide<R> by = Wide<R>::from(l + c * pitch + i + v * kLanes);
      sum[v] = multiply_add(by, re, sum[v]);
      side[v] = multiply_add(by, im, side[v]);
    }
  }
  for (int v = 0; v < Vectors; ++v) joined(sum[v], side[v]).to(x + i + v * kLanes);
}

template <class R>
TANDEM_FN void take_columns_before(const LuPanel<std::complex<R>>& p, int j) {
  constexpr int kLanes = Wide<R>::kLanes, kElements = kLanes / 2;
  std::complex<R>* column = p.data + j * p.pitch;
  std::complex<R> u[kLuPanel], kept[kElements];
  R sum[2 * kLuPanel], side[2 * kLuPanel] = {};
  std::copy_n(parts_of(column), 2 * j, sum);
  for (int k = 0; k < j; ++k) {
    u[k] = {sum[2 * k] - side[2 * k + 1], sum[2 * k + 1] + side[2 * k]};
    const R* l = parts_of(p.data + k * p.pitch);
    for (int i = 2 * k + 2; i < 2 * j; ++i) {
      sum[i] = multiply_add(l[i], -u[k].real(), sum[i]);
      side[i] = multiply_add(l[i], -u[k].imag(), side[i]);
    }
  }
  std::copy_n(u, j, column);
  const int block = j / kElements * kElements;
  std::copy(column + block, column + j, kept);
  R* x = parts_of(column);
  const R* l = parts_of(p.data);
  std::int64_t i = 2 * block;
  for (; i + 4 * kLanes <= 2 * p.m; i += 4 * kLanes)
    take_products<R, 4>(x, l, 2 * p.pitch, u, j, i);
  for (; i < 2 * p.m; i += kLanes) take_products<R, 1>(x, l, 2 * p.pitch, u, j, i);
  std::copy_n(kept, j - block, column + block);
}

/// R. L. Smith, "Algorithm 116: Complex division", CACM 5, 1962, of numbers scaled by the power of
/// two that takes the divisor near 1: nothing below it in size overflows.
template <class R>
TANDEM_FN void divide_below(const LuPanel<std::complex<R>>& p, int j) {
  constexpr int kLanes = Wide<R>::kLanes, kElements = kLanes / 2;
  std::complex<R>* column = p.data + j * p.pitch;
  int exponent = 0;
  std::frexp(std::max(std::abs(column[j].real()), std::abs(column[j].imag())), &exponent);
  const R scale = std::ldexp(R(1), std::min(-exponent, std::numeric_limits<R>::max_exponent - 2));
  const R re = column[j].real() * scale, im = column[j].imag() * scale;
  const bool by_real = std::abs(re) >= std::abs(im);
  const R ratio = by_real ? im / re : re / im;
  const Wide<R> divisor =
      spread(by_real ? multiply_add(im, ratio, re) : multiply_add(re, ratio, im));
  const Wide<R> crossed = alternating(ratio, -ratio), turned = alternating<R>(1, -1);
  const Wide<R> straight = spread(ratio), scales = spread(scale);
  const int block = j / kElements * kElements;
  std::complex<R> kept[kElements];
  std::copy(column + block, column + j + 1, kept);
  R* x = parts_of(column);
  for (std::int64_t i = 2 * block; i < 2 * p.m; i += kLanes) {
    const Wide<R> own = Wide<R>::from(x + i) * scales, other = swapped(own);
    const Wide<R> product =
        by_real ? multiply_add(other, crossed, own) : multiply_add(own, straight, other * turned);
    Wide<R>(product.v / divisor.v).to(x + i);
  }
  std::copy_n(kept, j + 1 - block, column + block);
}

template <class T>
int factor(LuPanel<T>& p) {
  using R = typename Parts<T>::R;
  constexpr bool kReal = Parts<T>::kCount == 1;
  // Short columns are in registers too shortly for what the order of a column alone costs. (Complex
  // ones have sums that only a column alone can keep.)
  const bool short_columns = kReal && p.m <= 16 * Wide<R>::kLanes;
  int info = 0;
  for (int j = 0; j < p.n; ++j) {
    if (!short_columns) take_columns_before(p, j);
    const T* x = p.data + j * p.pitch;
    const std::int64_t pivot = greatest(x, j, p.m);
    p.pivots[j] = static_cast<std::int32_t>(pivot);
    if (pivot != j) {
      for (int c = 0; c < p.n; ++c) std::swap(p.data[c * p.pitch + j], p.data[c * p.pitch + pivot]);
    }
    if (x[j] != T(0)) {
      divide_below(p, j);
    } else if (info == 0) {
      info = j + 1;
    }
    if constexpr (kReal) {
      if (short_columns) take_from_columns_behind(p, j);
    }
  }
  return info;
}

#if defined(__AVX512F__)
inline constexpr int kTogether = 8;  // columns
#else
inline constexpr int kTogether = 4;
#endif

/// `Vectors` vectors of C columns: c += l * u over the panel's columns, of which l are the same
/// rows.
template <class R, int Vectors, int C>
TANDEM_FN void eliminate(const LuPanel<R>& p, const R* rows, const R (&u)[kLuPanel][kTogether],
                         R* const (&c)[C]) {
  constexpr int kLanes = Wide<R>::kLanes;
  Wide<R> sum[C][Vectors];
  for (int j = 0; j < C; ++j) {
    for (int v = 0; v < Vectors; ++v) sum[j][v] = Wide<R>::from(c[j] + v * kLanes);
  }
  for (int k = 0; k < p.n; ++k) {
    Wide<R> l[Vectors];
    for (int v = 0; v < Vectors; ++v) l[v] = Wide<R>::from(rows + k * p.pitch + v * kLanes);
    for (int j = 0; j < C; ++j) {
      const Wide<R> by = spread(u[k][j]);
      for (int v = 0; v < Vectors; ++v) sum[j][v] = multiply_add(l[v], by, sum[j][v]);
    }
  }
  for (int j = 0; j < C; ++j) {
    for (int v = 0; v < Vectors; ++v) sum[j][v].to(c[j] + v * kLanes);
  }
}

/// The first rows of C columns become U; u: the same by rows, with the sign turned.
template <class R, int C>
TANDEM_FN void solve_above(const LuPanel<R>& p, R* const (&columns)[C],
                           R (&u)[kLuPanel][kTogether]) {
  for (int k = 0; k < p.n; ++k) {
    for (int j = 0; j < C; ++j) u[k][j] = columns[j][k];
  }
  for (int k = 0; k < p.n; ++k) {
    for (int j = 0; j < C; ++j) u[k][j] = -u[k][j];
    for (int i = k + 1; i < p.n; ++i) {
      const R l = p.data[k * p.pitch + i];
      for (int j = 0; j < C; ++j) u[i][j] = multiply_add(l, u[k][j], u[i][j]);
    }
  }
  for (int k = 0; k < p.n; ++k) {
    for (int j = 0; j < C; ++j) columns[j][k] = -u[k][j];
  }
}

template <int C, class R>
void apply_to(const LuPanel<R>& p, R* c, std::int64_t leading) {
  constexpr int kLanes = Wide<R>::kLanes, kVectors = 3;
  R* columns[C];
  for (int j = 0; j < C; ++j) {
    columns[j] = c + j * leading;
    for (int k = 0; k < p.n; ++k) std::swap(columns[j][k], columns[j][p.pivots[k]]);
  }
  R u[kLuPanel][kTogether];
  solve_above(p, columns, u);
  R* at[C];
  std::int64_t i = p.n;
  const auto here = [&] {
    for (int j = 0; j < C; ++j) at[j] = columns[j] + i;
  };
  for (here(); i + kVectors * kLanes <= p.m; i += kVectors * kLanes, here())
    eliminate<R, kVectors, C>(p, p.data + i, u, at);
  for (; i + kLanes <= p.m; i += kLanes, here()) eliminate<R, 1, C>(p, p.data + i, u, at);
  if (i == p.m) return;
  // The last rows by way of vectors of their own.
  R last[C][kLanes] = {};
  for (int j = 0; j < C; ++j) {
    std::copy_n(columns[j] + i, p.m - i, last[j]);
    at[j] = last[j];
  }
  eliminate<R, 1, C>(p, p.data + i, u, at);
  for (int j = 0; j < C; ++j) std::copy_n(last[j], p.m - i, columns[j] + i);
}

/// The same of complex columns, with the two sums of `take_products`; u from place `first` on.
template <class R, int Vectors, int C>
TANDEM_FN void eliminate_complex(const LuPanel<std::complex<R>>& p, const R* rows,
                                 const R (&u)[kLuPanel][Wide<R>::kLanes], int first,
                                 R* const (&c)[C]) {
  constexpr int kLanes = Wide<R>::kLanes;
  Wide<R> sum[C][Vectors], side[C][Vectors];
  for (int j = 0; j < C; ++j) {
    for (int v = 0; v < Vectors; ++v) {
      sum[j][v] = Wide<R>::from(c[j] + v * kLanes);
      side[j][v] = spread(R(0));
    }
  }
  for (int k = 0; k < p.n; ++k) {
    Wide<R> l[Vectors];
    for (int v = 0; v < Vectors; ++v) l[v] = Wide<R>::from(rows + 2 * k * p.pitch + v * kLanes);
    for (int j = 0; j < C; ++j) {
      const R* by = u[k] + 2 * (first + j);
      const Wide<R> re = spread(by[0]), im = spread(by[1]);
      for (int v = 0; v < Vectors; ++v) {
        sum[j][v] = multiply_add(l[v], re, sum[j][v]);
        side[j][v] = multiply_add(l[v], im, side[j][v]);
      }
    }
  }
  for (int j = 0; j < C; ++j) {
    for (int v = 0; v < Vectors; ++v) joined(sum[j][v], side[j][v]).to(c[j] + v * kLanes);
  }
}

/// Complex columns a vector holds a row of.
template <class R>
inline constexpr int kAbreast = Wide<R>::kLanes / 2;
/// Of them, those that are eliminated together.
template <class R>
inline constexpr int kComplexTogether = std::min(kTogether / 2, kAbreast<R>);

template <class R>
TANDEM_FN Wide<R> spread_pair(const R* x) {
  if constexpr (sizeof(R) == 4) {
    std::int64_t bits = 0;
    std::memcpy(&bits, x, sizeof bits);
    const Words<double> all = Words<double>{} + bits;
    Wide<R> w;
    std::memcpy(&w.v, &all, sizeof w.v);
    return w;
  } else {
    return alternating(x[0], x[1]);
  }
}

/// Every element's real part (Part 0) or imaginary one in both of its places.
template <int Part, class R, int... I>
TANDEM_FN Wide<R> doubled(const Wide<R>& x, std::integer_sequence<int, I...>) {
  return Wide<R>(__builtin_shufflevector(x.v, x.v, (I / 2 * 2 + Part)...));
}

/// The first rows of `count` columns become U; u: the same by rows, with the sign turned.
template <class R>
TANDEM_FN void solve_above(const LuPanel<std::complex<R>>& p, std::complex<R>* const* columns,
                           int count, R (&u)[kLuPanel][Wide<R>::kLanes]) {
  using Lanes = std::make_integer_sequence<int, Wide<R>::kLanes>;
  R rows[kLuPanel][Wide<R>::kLanes] = {};
  for (int j = 0; j < count; ++j) {
    for (int k = 0; k < p.n; ++k) std::copy_n(parts_of(columns[j] + k), 2, rows[k] + 2 * j);
  }
  Wide<R> sum[kLuPanel], side[kLuPanel];
  for (int k = 0; k < p.n; ++k) {
    sum[k] = Wide<R>::from(rows[k]);
    side[k] = spread(R(0));
  }
  for (int k = 0; k < p.n; ++k) {
    const Wide<R> value = joined(sum[k], side[k]), turned = -value;
    value.to(rows[k]);
    turned.to(u[k]);
    const Wide<R> re = doubled<0>(turned, Lanes()), im = doubled<1>(turned, Lanes());
    const R* l = parts_of(p.data + k * p.pitch);
    for (int i = k + 1; i < p.n; ++i) {
      const Wide<R> by = spread_pair(l + 2 * i);
      sum[i] = multiply_add(by, re, sum[i]);
      side[i] = multiply_add(by, im, side[i]);
    }
  }
  for (int j = 0; j < count; ++j) {
    for (int k = 0; k < p.n; ++k) std::copy_n(rows[k] + 2 * j, 2, parts_of(columns[j] + k));
  }
}

/// The rows below a panel's of C columns, the first of them at place `first` of u.
template <int C, class R>
void eliminate_below(const LuPanel<std::complex<R>>& p, std::complex<R>* const* columns, int first,
                     const R (&u)[kLuPanel][Wide<R>::kLanes]) {
  constexpr int kLanes = Wide<R>::kLanes, kVectors = 3;
  const R* rows = parts_of(p.data);
  R* at[C];
  const std::int64_t end = 2 * p.m;
  std::int64_t i = 2 * p.n;
  const auto here = [&] {
    for (int j = 0; j < C; ++j) at[j] = parts_of(columns[first + j]) + i;
  };
  for (here(); i + kVectors * kLanes <= end; i += kVectors * kLanes, here())
    eliminate_complex<R, kVectors, C>(p, rows + i, u, first, at);
  for (; i + kLanes <= end; i += kLanes, here())
    eliminate_complex<R, 1, C>(p, rows + i, u, first, at);
  if (i == end) return;
  R last[C][kLanes] = {};
  for (int j = 0; j < C; ++j) {
    std::copy_n(at[j], end - i, last[j]);
    at[j] = last[j];
  }
  eliminate_complex<R, 1, C>(p, rows + i, u, first, at);
  for (int j = 0; j < C; ++j) std::copy_n(last[j], end - i, parts_of(columns[first + j]) + i);
}

template <class R>
void apply(const LuPanel<std::complex<R>>& p, std::complex<R>* c, std::int64_t leading,
           std::int64_t columns) {
  constexpr int kColumns = kComplexTogether<R>;
  std::complex<R>* at[kAbreast<R>];
  R u[kLuPanel][Wide<R>::kLanes];
  for (std::int64_t from = 0; from < columns; from += kAbreast<R>) {
    const int count = static_cast<int>(std::min<std::int64_t>(kAbreast<R>, columns - from));
    for (int j = 0; j < count; ++j) {
      at[j] = c + (from + j) * leading;
      for (int k = 0; k < p.n; ++k) std::swap(at[j][k], at[j][p.pivots[k]]);
    }
    solve_above(p, at, count, u);
    int j = 0;
    for (; j + kColumns <= count; j += kColumns) eliminate_below<kColumns>(p, at, j, u);
    for (; j < count; ++j) eliminate_below<1>(p, at, j, u);
  }
}

template <class R>
void apply(const LuPanel<R>& p, R* c, std::int64_t leading, std::int64_t columns) {
  std::int64_t j = 0;
  for (; j + kTogether <= columns; j += kTogether) apply_to<kTogether>(p, c + j * leading, leading);
  for (; j + 2 <= columns; j += 2) apply_to<2>(p, c + j * leading, leading);
  if (j < columns) apply_to<1>(p, c + j * leading, leading);
}

template <class T>
void bind_lu() {
  LuLoops<T>& loops = lu_loops(T());
  loops.factor = [](LuPanel<T>& p) { return factor(p); };
  loops.apply = [](const LuPanel<T>& p, T* c, std::int64_t leading, std::int64_t columns) {
    apply(p, c, leading, columns);
  };
}

void register_lu(HostRegistry&) {
  bind_lu<float>();
  bind_lu<double>();
  bind_lu<std::complex<float>>();
  bind_lu<std::complex<double>>();
}

}  // namespace TANDEM_ISA_NAMESPACE
