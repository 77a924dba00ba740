// Elements into bins on the host: bincount, histc, histogram. Counts are exact; sums of weights go
// bin by bin along the fixed tree of docs/numerics.md, "Reductions".
#include <vector>

#include "host/reduce.h"
#include "host/sorting.h"
#include "tandem/stored.h"
#include "tandem/tensor.h"

namespace tandem::host {

namespace {

struct Range {
  double low, high;
};

Range range_of(const CountLaunch& l) {
  Range r{l.range != nullptr ? l.range[0] : l.low, l.range != nullptr ? l.range[1] : l.high};
  fn::widen_range(r.low, r.high, l.widen);
  return r;
}

/// bin(i) is the bin of element i, -1 for none.
template <class T>
struct ValueBins {
  const CountLaunch& l;

  std::int64_t operator()(std::int64_t i) const {
    const auto bin = static_cast<std::int64_t>(fn::element_at(static_cast<const T*>(l.in) + i));
    return bin >= 0 && bin < l.bins ? bin : -1;
  }
};

/// Integers are counted as doubles.
template <class T>
using bin_t = std::conditional_t<fn::is_int_v<T>, double, compute_t<T>>;

template <class T>
struct LinearBins {
  const CountLaunch& l;
  Range range;

  std::int64_t operator()(std::int64_t i) const {
    const auto x = fn::cast<bin_t<T>>(fn::element_at(static_cast<const T*>(l.in) + i));
    return fn::linear_bin(x, l.bins, range.low, range.high);
  }
};

template <class T>
struct EdgeBins {
  const CountLaunch& l;
  fn::KeyRule rule;

  std::uint64_t key(const void* data, std::int64_t i) const {
    using U = fn::unsigned_t<T>;
    return fn::sort_key(static_cast<const U*>(data)[i], rule);
  }
  std::int64_t operator()(std::int64_t i) const {
    const std::uint64_t k = key(l.in, i);
    const auto edge = [&](std::int64_t e) { return key(l.edges, e); };
    const std::int64_t above = fn::search_keys(l.bins + 1, k, true, edge);
    if (fn::is_nan_key(k, rule) || above == 0) return -1;
    if (above <= l.bins) return above - 1;
    return k == edge(l.bins) ? l.bins - 1 : -1;
  }
};

/// Counters of each thread, added up; one thread where they would be many.
template <class Bins>
void count(const CountLaunch& l, const Bins& bin) {
  constexpr std::int64_t kMostCounters = std::int64_t(1) << 22;
  const std::int64_t most = std::min<std::int64_t>(get_num_threads(), l.n / kSortGrain);
  const std::int64_t parts = l.bins * most <= kMostCounters ? std::max<std::int64_t>(most, 1) : 1;
  Tensor memory;
  std::int64_t* own = l.counts;
  if (parts > 1) {
    memory = empty({parts * l.bins}, {.dtype = DType::int64});
    own = memory.data<std::int64_t>();
    std::fill_n(own, parts * l.bins, 0);
  }
  const std::int64_t part = (l.n + parts - 1) / parts;
  parallel_for(parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      std::int64_t* counts = own + t * l.bins;
      for (std::int64_t i = std::min(t * part, l.n); i < std::min((t + 1) * part, l.n); ++i) {
        const std::int64_t b = bin(i);
        if (b >= 0) ++counts[b];
      }
    }
  });
  for (std::int64_t t = 0; t < (parts > 1 ? parts : 0); ++t) {
    for (std::int64_t b = 0; b < l.bins; ++b) l.counts[b] += own[t * l.bins + b];
  }
}

template <class Bins>
void run_bins(const CountLaunch& l, const Bins& bin) {
  if (l.step == CountLaunch::Step::Count) return count(l, bin);
  parallel_for(l.n, kSortGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t b = bin(i);
      l.ids[i] = b >= 0 ? b : l.bins;
    }
  });
}

/// The tree over up to a tile of elements x(0), x(1), ...
template <class A, class F>
A tile_sum(std::int64_t n, const F& x) {
  A lanes[kLanes];
  const std::int64_t filled = std::min(n, kLanes);
  for (std::int64_t i = 0; i < filled; ++i) lanes[i] = x(i);
  for (std::int64_t i = kLanes; i < n; ++i) lanes[i % kLanes] = lanes[i % kLanes] + x(i);
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::int64_t i = 0; i < half && i + half < filled; ++i) {
      lanes[i] = lanes[i] + lanes[i + half];
    }
  }
  return n == 0 ? A(0) : lanes[0];
}

/// The tree over the weights at n places.
template <class A>
A tree_sum(const A* weights, const std::int64_t* order, std::int64_t n) {
  const auto tile = [&](std::int64_t start) {
    return tile_sum<A>(std::min(kTile, n - start),
                       [&](std::int64_t i) { return weights[order[start + i]]; });
  };
  if (n <= kTile) return tile(0);
  std::vector<A> tiles;
  for (std::int64_t start = 0; start < n; start += kTile) tiles.push_back(tile(start));
  while (tiles.size() > 1) {
    std::vector<A> next;
    const auto count = static_cast<std::int64_t>(tiles.size());
    for (std::int64_t start = 0; start < count; start += kTile) {
      const A* at = tiles.data() + start;
      next.push_back(
          tile_sum<A>(std::min(kTile, count - start), [at](std::int64_t i) { return at[i]; }));
    }
    tiles.swap(next);
  }
  return tiles[0];
}

template <class A>
void sum_weights(const CountLaunch& l) {
  const auto* weights = static_cast<const A*>(l.weights);
  const std::int64_t each = std::max<std::int64_t>(l.n / std::max<std::int64_t>(l.bins, 1), 1);
  parallel_for(l.bins, std::max<std::int64_t>(kSortGrain / each, 1),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t b = first; b < last; ++b) {
                   const std::int64_t* order = l.order + l.starts[b];
                   static_cast<A*>(l.sums)[b] =
                       tree_sum(weights, order, l.starts[b + 1] - l.starts[b]);
                 }
               });
}

template <class T>
void fill_edges(const CountLaunch& l) {
  const Range r = range_of(l);
  for (std::int64_t i = 0; i <= l.bins; ++i) {
    static_cast<T*>(l.edges)[i] = fn::cast<T>(fn::bin_edge<T>(i, l.bins, r.low, r.high));
  }
}

template <class T>
void run(const CountLaunch& l) {
  if constexpr (dtypes::Floats.has(dtype_of<T>)) {
    if (l.step == CountLaunch::Step::Edges) return fill_edges<T>(l);
    if (l.kind == CountLaunch::Bins::Edges) return run_bins(l, EdgeBins<T>{l, fn::key_rule<T>()});
  } else {
    if (l.kind == CountLaunch::Bins::Values) return run_bins(l, ValueBins<T>{l});
  }
  if (l.kind == CountLaunch::Bins::Linear) run_bins(l, LinearBins<T>{l, range_of(l)});
}

}  // namespace

void launch_count(const void* desc, const void*) {
  const auto& l = *static_cast<const CountLaunch*>(desc);
  if (l.step == CountLaunch::Step::Sums) {
    return l.dtype == DType::float64 ? sum_weights<double>(l) : sum_weights<float>(l);
  }
  visit(l.dtype, [&]<class T>() {
    if constexpr (dtypes::Reals.has(dtype_of<T>)) run<T>(l);
  });
}

}  // namespace tandem::host
