// Work on frames, whose lengths depend on the data: columns of 64 bits, masks, sorts and joins.
#include <deque>

#include "perf/traces/layers.h"

namespace tandem::traces {
namespace {

constexpr DType kDouble = dtype_of<double>, kBool = dtype_of<bool>;

struct Frame {
  Tensor key;
  std::vector<Tensor> columns;
  std::int64_t rows() const { return key.size(0); }
};

Frame frame(std::int64_t rows, int columns) {
  Frame f{meta({rows}, kLong), {}};
  for (int i = 0; i < columns; ++i) f.columns.push_back(meta({rows}, kDouble));
  return f;
}

Frame take_rows(const Frame& f, const Tensor& places) {
  Frame out{index_select(f.key, 0, places), {}};
  for (const Tensor& c : f.columns) out.columns.push_back(index_select(c, 0, places));
  return out;
}

/// How many, only the device knows: the host waits for the number.
Tensor places_of(const Tensor& mask, std::int64_t found) {
  const Tensor space = workspace(mask.numel() / 256 + 1024);
  host_waits();
  return meta({found}, kLong);
}

Frame filter(const Frame& f, std::int64_t kept) {
  const Tensor mask = logical_and(f.columns[0] > 0.5, f.columns[1] < 2.0);
  return take_rows(f, places_of(mask, kept));
}

Tensor sorted_places(const Tensor& key) {
  const Tensor space = workspace(16 * key.numel() + 65536);  // of a radix sort: keys and places
  return argsort(key);
}

Frame group_by(const Frame& f, std::int64_t groups) {
  const Frame sorted = take_rows(f, sorted_places(f.key));
  const std::int64_t n = f.rows();
  const Tensor edges = ne(sorted.key.narrow(0, 1, n - 1), sorted.key.narrow(0, 0, n - 1));
  const Tensor ends = places_of(edges, groups);
  Frame out{index_select(sorted.key, 0, ends), {}};
  for (const Tensor& c : sorted.columns) {
    const Tensor sums = index_select(cumsum(c, 0), 0, ends);
    out.columns.push_back(diff(cat({meta({1}, kDouble), sums})));
  }
  return out;
}

Frame join(const Frame& left, const Frame& right, std::int64_t found) {
  const Frame sorted = take_rows(right, sorted_places(right.key));
  const Tensor at = searchsorted(sorted.key, left.key);
  const Tensor places = places_of(eq(index_select(sorted.key, 0, at), left.key), found);
  Frame out = take_rows(left, places);
  const Tensor others = index_select(at, 0, places);
  for (const Tensor& c : sorted.columns) out.columns.push_back(index_select(c, 0, others));
  return out;
}

Frame sort_by(const Frame& f, std::size_t column) {
  return take_rows(f, sorted_places(f.columns[column]));
}

Frame join_rows(const Frame& a, const Frame& b) {
  Frame out{cat({a.key, b.key}), {}};
  for (std::size_t i = 0; i < std::min(a.columns.size(), b.columns.size()); ++i)
    out.columns.push_back(cat({a.columns[i], b.columns[i]}));
  return out;
}

}  // namespace

void dataframe() {
  Draw draw(3);
  const Frame sales = frame(6000000, 4), shops = frame(900000, 3);
  std::deque<Frame> results;  // the last few are kept
  for (int query = 0; query < 60; ++query) {
    const Frame some = filter(sales, draw.between(60000, 4800000));
    switch (draw.between(0, 3)) {
      case 0:
        results.push_back(group_by(some, draw.between(100, some.rows() / 2)));
        break;
      case 1: {
        const Frame both = join(some, shops, draw.between(1000, some.rows()));
        results.push_back(group_by(both, draw.between(10, both.rows() / 4)));
        break;
      }
      case 2:
        results.push_back(sort_by(some, 1));
        break;
      default:
        results.push_back(results.empty() ? some : join_rows(some, results.back()));
        break;
    }
    while (results.size() > 4) results.pop_front();
    if (draw.between(0, 7) == 0)
      results.erase(results.begin() + draw.between(0, 1) % results.size());
  }
}

}  // namespace tandem::traces
