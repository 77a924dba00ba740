// Block functions of the scans at one SIMD level. Note [Lanes are segments]
//
// A group is 16 segments of 16 elements. Transposed, segment j is lane j of 16 rows, so that the
// segments are scanned side by side in vectors; their totals give each lane what comes before it,
// which is joined in vectors again on the way back.
#include <cstdint>

#include "host/isa/reduce_level.h"
#include "host/isa/transpose.h"
#include "host/registry.h"
#include "host/scan.h"
#include "kernels/functors/scan.h"

namespace tandem::host::TANDEM_ISA {

namespace {

constexpr int kLine = 64;
constexpr int kSide = static_cast<int>(kSegment);
constexpr int kGroup = kSide * kSide;

template <class Words, int Side>
void transpose_words(void* out, const void* in) {
  constexpr int bytes = static_cast<int>(sizeof(Words)) / Side;
  auto* to = static_cast<char*>(out);
  const auto* from = static_cast<const char*>(in);
  for (int i = 0; i < kSide; i += Side) {
    for (int j = 0; j < kSide; j += Side) {
      transpose_block<Words, Side>(to + (j * kSide + i) * bytes, kSide * bytes,
                                   from + (i * kSide + j) * bytes, kSide * bytes);
    }
  }
}

/// out[j][i] = in[i][j] of 16 x 16 elements.
template <class T>
void transpose(T* out, const T* in) {
  if constexpr (sizeof(T) == 4) {
    transpose_words<Words8, 8>(out, in);
  } else if constexpr (sizeof(T) == 8) {
    transpose_words<Words4, 4>(out, in);
  } else {
    for (int i = 0; i < kSide; ++i) {
      for (int j = 0; j < kSide; ++j) out[j * kSide + i] = in[i * kSide + j];
    }
  }
}

/// What came before within a segment of one sequence, joined to what came before the segment.
template <class Op>
struct Running {
  using Acc = typename Op::Acc;
  bool any = false;
  Acc local{};
  TANDEM_FN void add(Acc a) {
    local = any ? Op::combine(local, a) : a;
    any = true;
  }
  /// Before the next element; false where there is nothing.
  TANDEM_FN bool before(bool has, Acc base, Acc* to) const {
    if (!any) {
      if (has) *to = base;
      return has;
    }
    *to = has ? Op::combine(base, local) : local;
    return true;
  }
};

/// Up to a group, segment after segment; its total.
template <class Op>
typename Op::Acc short_group(typename Op::Elem* value, const typename Op::Elem* in, std::int64_t m,
                             bool has, typename Op::Acc base) {
  using Acc = typename Op::Acc;
  Running<Op> segments;
  for (std::int64_t s = 0; s < m; s += kSegment) {
    Acc before{};
    const bool after = segments.before(has, base, &before);
    const std::int64_t end = s + kSegment < m ? s + kSegment : m;
    Acc local{};
    for (std::int64_t i = s; i < end; ++i) {
      const Acc x = Op::map(in[i], i);
      local = i == s ? x : Op::combine(local, x);
      if (value != nullptr) value[i] = Op::value(after ? Op::combine(before, local) : local);
    }
    segments.add(local);
  }
  return segments.local;
}

/// lanes[j] comes after before[j].
template <class Op>
TANDEM_FN void join_lanes(typename Op::Acc* __restrict__ lanes,
                          const typename Op::Acc* __restrict__ before) {
  for (int j = 0; j < kSide; ++j) lanes[j] = Op::combine(before[j], lanes[j]);
}

/// Groups that are scanned side by side: a chain of joins waits for each of them.
constexpr int kTogether = 4;

/// Joins the segments of `count` whole groups, transposed, at `t`.
template <class Op>
void join_segments(typename Op::Acc* t, const typename Op::Elem* in, int count) {
  for (int q = 0; q < count; ++q) transpose(t + q * kGroup, in + q * kGroup);
  for (int k = 1; k < kSide; ++k) {
    for (int q = 0; q < count; ++q) {
      typename Op::Acc* lanes = t + q * kGroup + k * kSide;
      join_lanes<Op>(lanes, lanes - kSide);
    }
  }
}

/// A whole group of joined segments: joins each to what comes before it; the group's total.
template <class Op>
typename Op::Acc finish_group(typename Op::Elem* value, typename Op::Acc* t, bool has,
                              typename Op::Acc base) {
  using Acc = typename Op::Acc;
  alignas(kLine) Acc total[kSide];
  alignas(kLine) Acc before[kSide];
  for (int j = 0; j < kSide; ++j) total[j] = t[(kSide - 1) * kSide + j];
  Running<Op> segments;
  before[0] = base;
  for (int j = 0; j < kSide; ++j) {
    segments.before(has, base, &before[j]);
    segments.add(total[j]);
  }
  if (value == nullptr) return segments.local;
  alignas(kLine) Acc first[kSide];
  for (int k = 0; k < kSide; ++k) first[k] = t[k * kSide];
  for (int k = 0; k < kSide; ++k) join_lanes<Op>(t + k * kSide, before);
  if (!has) {  // nothing comes before the first segment
    for (int k = 0; k < kSide; ++k) t[k * kSide] = first[k];
  }
  transpose(value, t);
  return segments.local;
}

template <class Op>
void tile_of(typename Op::Elem* value, const typename Op::Elem* in, std::int64_t m,
             const typename Op::Acc* before, typename Op::Acc* total) {
  using Acc = typename Op::Acc;
  constexpr std::int64_t ahead = 4096 / static_cast<std::int64_t>(sizeof(typename Op::Elem));
  constexpr std::int64_t line = kLine / static_cast<std::int64_t>(sizeof(typename Op::Elem));
  const bool has_before = before != nullptr;
  const Acc start = has_before ? *before : Acc{};
  Running<Op> groups;
  alignas(kLine) Acc t[kTogether * kGroup];
  for (std::int64_t g = 0; g < m;) {
    const std::int64_t whole = (m - g) / kGroup;
    const int count = static_cast<int>(whole < kTogether ? whole : kTogether);
    for (std::int64_t i = 0; i < kTogether * kGroup; i += line) {
      __builtin_prefetch(in + g + ahead + i);
    }
    join_segments<Op>(t, in + g, count);
    for (int q = 0; q < (count == 0 ? 1 : count); ++q) {
      Acc base = start;
      const bool has = groups.before(has_before, start, &base);
      auto* to = value == nullptr ? nullptr : value + g;
      groups.add(count == 0 ? short_group<Op>(to, in + g, m - g, has, base)
                            : finish_group<Op>(to, t + q * kGroup, has, base));
      g += count == 0 ? m - g : kGroup;
    }
  }
  *total = groups.local;
}

/// The same of a scan with indices, which has one answer in any order: element after element, on a
/// branch that is seldom taken or seldom not. `total` may take in what came before.
template <class Op>
void extremes(typename Op::Elem* value, std::int64_t* index, const typename Op::Elem* in,
              std::int64_t m, std::int64_t at, const typename Op::Acc* before,
              typename Op::Acc* total) {
  typename Op::Acc a = before != nullptr ? *before : Op::map(in[0], at);
  for (std::int64_t i = 0; i < m; ++i) {
    if (Op::replaces(a.value, in[i])) a = Op::map(in[i], at + i);
    if (value == nullptr) continue;
    value[i] = a.value;
    index[i] = a.index;
  }
  *total = a;
}

template <class Op>
void tile(void* value, std::int64_t* index, const void* in, std::int64_t m, std::int64_t at,
          const void* before, void* total) {
  using Elem = typename Op::Elem;
  using Acc = typename Op::Acc;
  const auto* x = static_cast<const Elem*>(in);
  if constexpr (Op::kIndexed) {
    extremes<Op>(static_cast<Elem*>(value), index, x, m, at, static_cast<const Acc*>(before),
                 static_cast<Acc*>(total));
  } else {
    tile_of<Op>(static_cast<Elem*>(value), x, m, static_cast<const Acc*>(before),
                static_cast<Acc*>(total));
  }
}

template <class Op>
void tile_total(void* total, const void* in, std::int64_t at) {
  tile<Op>(nullptr, nullptr, in, kGroup * kSegment, at, nullptr, total);
}

template <class Op>
void put(typename Op::Elem* value, std::int64_t* index, std::int64_t c, typename Op::Acc a) {
  value[c] = Op::value(a);
  if constexpr (Op::kIndexed) index[c] = Op::index(a);
}

template <class Op>
void row(void* value, std::int64_t* index, const void* in, std::int64_t w, std::int64_t at,
         void* local, const void* before, bool first, const void* next) {
  using Elem = typename Op::Elem;
  using Acc = typename Op::Acc;
  auto* __restrict__ to = static_cast<Elem*>(value);
  auto* __restrict__ where = index;
  const auto* __restrict__ x = static_cast<const Elem*>(in);
  auto* __restrict__ l = static_cast<Acc*>(local);
  const auto* __restrict__ b = static_cast<const Acc*>(before);
  if (next != nullptr) {
    const char* p = static_cast<const char*>(next);
    for (std::int64_t i = 0; i < w * static_cast<std::int64_t>(sizeof(Elem)); i += kLine) {
      __builtin_prefetch(p + i);
    }
  }
  if (first) {
    for (std::int64_t c = 0; c < w; ++c) l[c] = Op::map(x[c], at);
  } else if (to == nullptr || b == nullptr) {
    for (std::int64_t c = 0; c < w; ++c) l[c] = Op::combine(l[c], Op::map(x[c], at));
  } else {
    for (std::int64_t c = 0; c < w; ++c) {
      l[c] = Op::combine(l[c], Op::map(x[c], at));
      put<Op>(to, where, c, Op::combine(b[c], l[c]));
    }
    return;
  }
  if (to == nullptr) return;
  if (b != nullptr) {
    for (std::int64_t c = 0; c < w; ++c) put<Op>(to, where, c, Op::combine(b[c], l[c]));
  } else {
    for (std::int64_t c = 0; c < w; ++c) put<Op>(to, where, c, l[c]);
  }
}

template <class Op>
void join(void* into, const void* a, const void* b, std::int64_t w) {
  using Acc = typename Op::Acc;
  auto* to = static_cast<Acc*>(into);
  const auto* x = static_cast<const Acc*>(a);
  const auto* y = static_cast<const Acc*>(b);
  for (std::int64_t c = 0; c < w; ++c) to[c] = Op::combine(x[c], y[c]);
}

template <class Op>
constexpr ScanBlocks kScanBlocks = {sizeof(typename Op::Acc), Op::kIndexed, tile<Op>,
                                    tile_total<Op>,           row<Op>,      join<Op>};

/// The blocks of a functor over the element types it is instantiated for.
template <template <class> class F, class... Elem>
const ScanBlocks* blocks_of(DType t) {
  const ScanBlocks* found = nullptr;
  static_cast<void>(((t == dtype_of<Elem> ? (found = &kScanBlocks<F<Elem>>, true) : false) || ...));
  return found;
}

constexpr ScanLevel kScanLevel = {
    blocks_of<fn::ScanSum, std::int64_t, float, double, Complex64, Complex128>,
    blocks_of<fn::ScanProd, std::int64_t, float, double, Complex64, Complex128>,
    blocks_of<fn::ScanLogAddExp, float, double, Complex64, Complex128>,
    blocks_of<fn::ScanMax, std::int64_t, std::uint64_t, float, double>,
    blocks_of<fn::ScanMin, std::int64_t, std::uint64_t, float, double>,
    split_planes,
};

}  // namespace

void register_scan(HostRegistry& r) {
  r.bind("cumsum", {launch_cumsum, &kScanLevel});
  r.bind("cumprod", {launch_cumprod, &kScanLevel});
  r.bind("logcumsumexp", {launch_logcumsumexp, &kScanLevel});
  r.bind("cummax", {launch_cummax, &kScanLevel});
  r.bind("cummin", {launch_cummin, &kScanLevel});
}

}  // namespace tandem::host::TANDEM_ISA
