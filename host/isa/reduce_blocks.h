// The loops of ReduceBlocks (host/reduce.h) for any functor of kernels/functors/reduction.h; one
// instance a SIMD level.
#pragma once

#include "host/reduce.h"
#include "kernels/functors/reduction.h"
#include "tandem/stored.h"

namespace tandem::host::TANDEM_ISA {

// Accumulators that stay in registers at a time. A tile of floats is then read in one pass at AVX2
// (all sixteen registers, elements added from memory; measured best) and at AVX-512.
#if defined(__AVX__)
inline constexpr int kGroupBytes = 512;
#else
inline constexpr int kGroupBytes = 128;
#endif
inline constexpr int kLine = 64;
// How far ahead of the reading a tile is fetched. The hardware's own prefetcher stops at every
// page.
inline constexpr int kAhead = 4096;

/// Where `map` finds its arguments: one input, two, or one and a value that is the same for all.
enum class From : std::uint8_t { One, Two, Scalar };

template <class Op, class S, class B, From from>
struct Reader {
  const S* a;
  const B* b;
  TANDEM_FN typename Op::Acc operator()(std::int64_t i) const {
    if constexpr (from == From::One)
      return Op::map(fn::load_at(a + i));
    else if constexpr (from == From::Two)
      return Op::map(fn::load_at(a + i), fn::load_at(b + i));
    else
      return Op::map(fn::load_at(a + i), fn::load_at(b));
  }
  TANDEM_FN void fetch(std::int64_t i) const {
    __builtin_prefetch(reinterpret_cast<const char*>(a + i) + kAhead);
    if constexpr (from == From::Two) {
      __builtin_prefetch(reinterpret_cast<const char*>(b + i) + kAhead);
    }
  }
};

template <class Join, int Half>
TANDEM_FN void halve(typename Join::Acc* lanes) {
  for (int j = 0; j < Half; ++j) lanes[j] = Join::combine(lanes[j], lanes[j + Half]);
}

/// Joins lanes[0..m), m <= kLanes, pairwise: from the smallest power of two above, l and l + half.
/// Out of line: one for each type of accumulator.
template <class Join>
__attribute__((noinline)) typename Join::Acc join_lanes(typename Join::Acc* lanes, int m) {
  int half = 1;
  while (half * 2 < m) half *= 2;
  if (m < half * 2) {
    for (int j = 0; j + half < m; ++j) lanes[j] = Join::combine(lanes[j], lanes[j + half]);
    half /= 2;
  }
  switch (half) {
    case 64:
      halve<Join, 64>(lanes);
      [[fallthrough]];
    case 32:
      halve<Join, 32>(lanes);
      [[fallthrough]];
    case 16:
      halve<Join, 16>(lanes);
      [[fallthrough]];
    case 8:
      halve<Join, 8>(lanes);
      [[fallthrough]];
    case 4:
      halve<Join, 4>(lanes);
      [[fallthrough]];
    case 2:
      halve<Join, 2>(lanes);
      [[fallthrough]];
    case 1:
      halve<Join, 1>(lanes);
      break;
    default:  // one lane, joined already
      break;
  }
  return lanes[0];
}

template <class Op, class R, class S>
TANDEM_FN typename Op::Acc any_tile(const R& read, std::int64_t m) {
  using Acc = typename Op::Acc;
  using Join = typename Op::Joins;
  constexpr int fit = kGroupBytes / static_cast<int>(sizeof(Acc));
  constexpr int group = fit > kLanes ? static_cast<int>(kLanes) : fit;
  constexpr int per_line = kLine / static_cast<int>(sizeof(S));
  alignas(64) Acc lanes[kLanes];
  if (m < kLanes) {
    for (int j = 0; j < static_cast<int>(m); ++j) lanes[j] = read(j);
    return join_lanes<Join>(lanes, static_cast<int>(m));
  }
  const std::int64_t full = m / kLanes * kLanes;
  for (int g = 0; g < kLanes; g += group) {
    Acc acc[group];
    for (int j = 0; j < group; ++j) acc[j] = read(g + j);
    for (std::int64_t k = kLanes; k < full; k += kLanes) {
      if (g == 0) {
        for (int j = 0; j < kLanes; j += per_line) read.fetch(k + j);
      }
      for (int j = 0; j < group; ++j) acc[j] = Join::combine(acc[j], read(k + g + j));
    }
    for (int j = 0; j < group; ++j) lanes[g + j] = acc[j];
  }
  for (std::int64_t j = 0; j < m - full; ++j) lanes[j] = Join::combine(lanes[j], read(full + j));
  return join_lanes<Join>(lanes, kLanes);
}

template <class Op, class S, class B, From from>
void tile(void* acc, const void* a, const void* b, std::int64_t m) {
  using R = Reader<Op, S, B, from>;
  const R read{static_cast<const S*>(a), static_cast<const B*>(b)};
  *static_cast<typename Op::Acc*>(acc) = any_tile<Op, R, S>(read, m);
}

template <class Op, class S, class B, From from>
void row(void* acc, const void* a, const void* b, std::int64_t w, bool first, const void* next) {
  using R = Reader<Op, S, B, from>;
  const R read{static_cast<const S*>(a), static_cast<const B*>(b)};
  auto* __restrict__ to = static_cast<typename Op::Acc*>(acc);
  if (next != nullptr) {
    const char* p = static_cast<const char*>(next);
    for (std::int64_t i = 0; i < w * static_cast<std::int64_t>(sizeof(S)); i += kLine) {
      __builtin_prefetch(p + i);
    }
  }
  if (first) {
    for (std::int64_t c = 0; c < w; ++c) to[c] = read(c);
  } else {
    for (std::int64_t c = 0; c < w; ++c) to[c] = Op::combine(to[c], read(c));
  }
}

template <class Join>
void merge(void* into, const void* from, std::int64_t w) {
  using Acc = typename Join::Acc;
  auto* __restrict__ to = static_cast<Acc*>(into);
  const auto* __restrict__ x = static_cast<const Acc*>(from);
  for (std::int64_t c = 0; c < w; ++c) to[c] = Join::combine(to[c], x[c]);
}

template <class Acc>
struct ReadAcc {
  const Acc* a;
  TANDEM_FN Acc operator()(std::int64_t i) const { return a[i]; }
  TANDEM_FN void fetch(std::int64_t) const {}
};

template <class Join>
struct TreeOf {
  using Acc = typename Join::Acc;
  using Joins = Join;
};

template <class Join>
void tree(void* acc, const void* from, std::int64_t m) {
  using Acc = typename Join::Acc;
  const ReadAcc<Acc> read{static_cast<const Acc*>(from)};
  *static_cast<Acc*>(acc) = any_tile<TreeOf<Join>, ReadAcc<Acc>, Acc>(read, m);
}

template <class Op>
void finish(void* out, const void* acc, std::int64_t w, std::int64_t n, double) {
  using Result = typename Op::Result;
  auto* to = static_cast<Result*>(out);
  const auto* x = static_cast<const typename Op::Acc*>(acc);
  if (n == 0) {
    for (std::int64_t c = 0; c < w; ++c) to[c] = Op::empty();
  } else {
    for (std::int64_t c = 0; c < w; ++c) to[c] = Op::finish(x[c], n);
  }
}

/// The blocks of a functor with one input.
template <class Op, class S>
inline constexpr ReduceBlocks kBlocks = {
    sizeof(typename Op::Acc),
    dtype_of<typename Op::Result>,
    tile<typename Op::Maps, S, S, From::One>,
    nullptr,
    row<typename Op::Maps, S, S, From::One>,
    nullptr,
    merge<typename Op::Joins>,
    tree<typename Op::Joins>,
    finish<Op>,
};

/// The blocks of a functor with two inputs, the second of element type B.
template <class Op, class S, class B, auto Finish>
inline constexpr ReduceBlocks kPairBlocks = {
    sizeof(typename Op::Acc),     dtype_of<typename Op::Result>, tile<Op, S, B, From::Two>,
    tile<Op, S, B, From::Scalar>, row<Op, S, B, From::Two>,      row<Op, S, B, From::Scalar>,
    merge<typename Op::Joins>,    tree<typename Op::Joins>,      Finish,
};

/// Whether a row has blocks for an element type: those it computes in, and for sums the narrower
/// integers, which are widened as they are read.
template <class S>
constexpr bool has_blocks(DTypeSet set, Result result) {
  return set.has(dtype_of<S>) || (result == Result::Wide && dtypes::BoolInts.has(dtype_of<S>));
}

/// Looks the blocks of an element type up, among those of `Part` (what one file instantiates).
template <template <class> class F, const DTypeSet& Set, Result result, const DTypeSet& Part>
struct Lookup {
  template <class S>
  const ReduceBlocks* operator()() const {
    if constexpr (Part.has(dtype_of<S>) && has_blocks<S>(Set, result))
      return &kBlocks<F<compute_t<S>>, S>;
    else
      return nullptr;
  }
};

}  // namespace tandem::host::TANDEM_ISA
