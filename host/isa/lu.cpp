// Panels of LU at one SIMD level: see LuLoops.
#include "host/lu.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "host/isa/wide.h"
#include "host/registry.h"

namespace TANDEM_ISA_NAMESPACE {

template <class R>
TANDEM_FN Wide<R> spread(R x) {
  return Wide<R>(typename Wide<R>::Vector{} + x);
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

/// The lanes' own numbers.
template <class R, int... I>
TANDEM_FN Words<R> lane_numbers(std::integer_sequence<int, I...>) {
  return Words<R>{I...};
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

/// The place of the first of the greatest sizes among x[from, rows), x[from] itself where it is
/// NaN; behind `rows` there are zeros, or NaN, to the vector's end.
template <class R>
std::int64_t greatest(const R* x, std::int64_t from, std::int64_t rows) {
  constexpr int kLanes = Wide<R>::kLanes;
  const R first = std::abs(x[from]);
  if (std::isnan(first)) return from;
  const auto start = static_cast<WordOf<R>>(from);
  const std::int64_t block = from / kLanes * kLanes;
  auto at =
      lane_numbers<R>(std::make_integer_sequence<int, kLanes>()) + static_cast<WordOf<R>>(block);
  Words<R> places = Words<R>{} + start;
  auto sizes = spread(first).v;
  auto size = at > start ? Wide<R>::from(x + block).v : spread(R(0)).v;
  for (std::int64_t i = block; i < rows; i += kLanes) {
    if (i > block) size = Wide<R>::from(x + i).v;
    size = size < 0 ? -size : size;
    const auto bigger = size > sizes;
    sizes = bigger ? size : sizes;
    places = bigger ? at : places;
    at += kLanes;
  }
  auto most = sizes;
  reduce_lanes<kLanes / 2, false>(most);
  places = sizes == most ? places : Words<R>{} + std::numeric_limits<WordOf<R>>::max();
  reduce_lanes<kLanes / 2, true>(places);
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
  const auto below = lane_numbers<R>(std::make_integer_sequence<int, kLanes>()) > j - block;
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

template <class R>
int factor(LuPanel<R>& p) {
  // Short columns are in registers too shortly for what the order of a column alone costs.
  const bool short_columns = p.m <= 16 * Wide<R>::kLanes;
  int info = 0;
  for (int j = 0; j < p.n; ++j) {
    if (!short_columns) take_columns_before(p, j);
    const R* x = p.data + j * p.pitch;
    const std::int64_t pivot = greatest(x, j, p.m);
    p.pivots[j] = static_cast<std::int32_t>(pivot);
    if (pivot != j) {
      for (int c = 0; c < p.n; ++c) std::swap(p.data[c * p.pitch + j], p.data[c * p.pitch + pivot]);
    }
    if (x[j] != 0) {
      divide_below(p, j);
    } else if (info == 0) {
      info = j + 1;
    }
    if (short_columns) take_from_columns_behind(p, j);
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

template <class R, int C>
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

template <class R>
void apply(const LuPanel<R>& p, R* c, std::int64_t leading, std::int64_t columns) {
  std::int64_t j = 0;
  for (; j + kTogether <= columns; j += kTogether)
    apply_to<R, kTogether>(p, c + j * leading, leading);
  for (; j + 2 <= columns; j += 2) apply_to<R, 2>(p, c + j * leading, leading);
  if (j < columns) apply_to<R, 1>(p, c + j * leading, leading);
}

void register_lu(HostRegistry&) {
  lu_loops(0.0F) = {&factor<float>, &apply<float>};
  lu_loops(0.0) = {&factor<double>, &apply<double>};
}

}  // namespace TANDEM_ISA_NAMESPACE
