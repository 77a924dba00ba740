// Writes at places that arrays of indices tell: in index order on one thread for each element, so
// that the bits depend on nothing else.
//
// Note [Two ways to write]
// direct: the positions are walked in their order and each value is joined to its element at once.
// Threads share a dimension in which no two values meet (another one than the arrays move along),
// or else each walks all positions and writes to a range of x alone. sorted: where the running
// result is no element (half types, means, include_self=False): words of (place, position) are
// sorted, and each run of one place is joined in the compute type and rounded once.
#include <cstring>
#include <vector>

#include "host/indexing.h"
#include "host/launchers.h"
#include "host/parallel.h"
#include "kernels/functors/accumulate.h"
#include "tandem/error.h"
#include "tandem/stored.h"

namespace tandem::host {

namespace {

constexpr std::int64_t kGrain = 16 << 10;  // elements

/// Calls f.operator()<Op>() for a joining mode; Mean sums first.
template <class C, class F>
void by_mode(IndexMode mode, F&& f) {
  switch (mode) {
    case IndexMode::Times:
      return f.template operator()<fn::Mul>();
    case IndexMode::Greatest:
      if constexpr (!fn::is_complex_v<C>) f.template operator()<fn::Maximum>();
      return;
    case IndexMode::Least:
      if constexpr (!fn::is_complex_v<C>) f.template operator()<fn::Minimum>();
      return;
    default:
      return f.template operator()<fn::Add>();
  }
}

const char* values_of(const IndexLaunch& l) {
  return l.other.data != nullptr ? static_cast<const char*>(l.other.data)
                                 : reinterpret_cast<const char*>(l.value);
}

/// A part of a launch with memory of its own.
struct Part {
  IndexLaunch l;
  std::int64_t shape[kMaxRank];
  std::vector<IndexArray> arrays;

  Part(const IndexLaunch& whole, int dim, std::int64_t begin, std::int64_t end)
      : l(whole), arrays(whole.arrays, whole.arrays + whole.n_arrays) {
    std::copy_n(whole.shape, whole.rank(), shape);
    l.shape = shape;
    l.arrays = arrays.data();
    l.x.data = static_cast<char*>(l.x.data) + begin * l.x.strides[dim];
    if (l.other.data != nullptr) {
      l.other.data = static_cast<char*>(l.other.data) + begin * l.other.strides[dim];
    }
    const int position = dim - l.rank_outer;
    if (position >= 0 && position < l.rank_positions) {
      for (IndexArray& a : arrays) {
        a.data = reinterpret_cast<const std::int64_t*>(reinterpret_cast<const char*>(a.data) +
                                                       begin * a.strides[position]);
      }
    }
    std::int64_t& product =
        position < 0 ? l.outer : (position < l.rank_positions ? l.positions : l.inner);
    product = product / shape[dim] * (end - begin);
    shape[dim] = end - begin;
  }
};

/// Places of x in bytes that a thread may write: all, or a range.
struct Range {
  std::int64_t low = INT64_MIN, high = INT64_MAX;
};

/// Calls f(place, value, n) for each run of positions: place(k) and value(k), k < n, are where the
/// k-th that is in the range lies in x and in the values. They hold copies: what is written could
/// be what they refer to, as far as the compiler knows.
template <class F>
void each_kept_run(const IndexLaunch& l, const Range& range, F&& f) {
  const char* values = values_of(l);
  for (std::int64_t o = 0; o < l.outer; ++o) {
    char* x = static_cast<char*>(l.x.data) + offset_of(o, l.shape, l.rank_outer, l.x.strides);
    const char* v = values + offset_of(o, l.shape, l.rank_outer, l.other.strides);
    each_run(l, 0, l.positions, [&](const PositionRun& run) {
      std::int64_t kept[kIndexChunk];
      const std::int64_t n = level().keep_places(run.place, run.n, range.low, range.high, kept);
      const auto place = [x, at = run.place, which = &kept[0]](std::int64_t k) {
        return x + at[which[k]];
      };
      const auto value = [from = v + run.other, step = run.step, which = &kept[0]](std::int64_t k) {
        return from + which[k] * step;
      };
      f(place, value, n);
    });
  }
}

/// Calls f(x address, value address) for each position, or each of its inner rows, in order.
template <class F>
void each_write(const IndexLaunch& l, const Range& range, F&& f) {
  const Fetcher fetcher(l);
  each_kept_run(l, range, [&](auto place, auto value, std::int64_t n) {
    const auto fetch = [place](std::int64_t k) { __builtin_prefetch(place(k), 1); };
    if (l.rank_inner <= 1) {
      fetcher.each(n, fetch, [=](std::int64_t k) { f(place(k), value(k)); });
      return;
    }
    fetcher.each(n, fetch, [&](std::int64_t k) {
      each_inner_row(l, [&](std::int64_t to_at, std::int64_t from_at) {
        f(place(k) + to_at, value(k) + from_at);
      });
    });
  });
}

/// Whether the innermost rows of a position are dense in x and in the values.
bool has_dense_rows(const IndexLaunch& l, const InnerRow& row) {
  const auto size = static_cast<std::int64_t>(element_size(l.x.dtype));
  return row.n > 1 && row.x == size && row.other == size;
}

/// Calls f(x address, value address, bytes) for the dense rows, or pieces of them.
template <class F>
void each_dense_write(const IndexLaunch& l, const Range& range, std::int64_t bytes, F&& f) {
  if (l.rank_inner > 1) {  // several rows a position
    return each_write(l, range, [=](char* to, const char* from) { f(to, from, bytes); });
  }
  const Fetcher fetcher(l);
  each_kept_run(l, range, [&](auto place, auto value, std::int64_t n) {
    // Values as well: of rows side by side a thread may have a part each.
    const auto fetch = [place, value](std::int64_t k, std::int64_t at) {
      __builtin_prefetch(place(k) + at, 1);
      __builtin_prefetch(value(k) + at);
    };
    fetcher.each_piece(n, bytes, fetch, [=](std::int64_t k, std::int64_t at, std::int64_t size) {
      f(place(k) + at, value(k) + at, size);
    });
  });
}

template <class W>
void put(const IndexLaunch& l, const Range& range) {
  const InnerRow row(l);
  if (row.n == 1) {
    return each_write(l, range,
                      [](char* to, const char* from) { std::memcpy(to, from, sizeof(W)); });
  }
  if (has_dense_rows(l, row)) {
    return each_dense_write(l, range, row.n * static_cast<std::int64_t>(sizeof(W)),
                            [](char* to, const char* from, std::int64_t bytes) {
                              std::memcpy(to, from, static_cast<std::size_t>(bytes));
                            });
  }
  each_write(l, range, [&row](char* to, const char* from) {
    for (std::int64_t i = 0; i < row.n; ++i) {
      std::memcpy(to + i * row.x, from + i * row.other, sizeof(W));
    }
  });
}

template <class T>
T alpha_of(const IndexLaunch& l) {
  return visit(l.computed, [&]<class C>() {
    C a;
    std::memcpy(&a, &l.alpha, sizeof a);
    return fn::cast<T>(a);
  });
}

template <class T, class Op>
void join(const IndexLaunch& l, const Range& range) {
  const InnerRow row(l);
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  const bool scaled = l.scaled;
  const T alpha = scaled ? alpha_of<T>(l) : T{};
  const Op op;
  const auto add = [&op](char* to, T v) {
    T* const x = reinterpret_cast<T*>(to);
    *x = op(fn::element_at(x), v);
  };
  const auto value = [scaled, alpha](const char* p) {
    const T v = fn::element_at(reinterpret_cast<const T*>(p));
    return scaled ? fn::Mul()(v, alpha) : v;
  };
  if (row.n == 1) {
    return each_write(l, range, [=](char* to, const char* from) { add(to, value(from)); });
  }
  if (has_dense_rows(l, row)) {
    const auto add_piece = [=](char* to, const char* from, std::int64_t bytes) {
      auto* x = reinterpret_cast<T*>(to);
      const auto* v = reinterpret_cast<const T*>(from);
      const std::int64_t n = bytes / kSize;
      if (scaled) {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i)
          x[i] = op(fn::element_at(x + i), fn::Mul()(fn::element_at(v + i), alpha));
      } else {
#pragma GCC ivdep
        for (std::int64_t i = 0; i < n; ++i)
          x[i] = op(fn::element_at(x + i), fn::element_at(v + i));
      }
    };
    return each_dense_write(l, range, row.n * kSize, add_piece);
  }
  each_write(l, range, [&](char* to, const char* from) {
    for (std::int64_t i = 0; i < row.n; ++i) {
      add(to + i * row.x, value(from + i * row.other));
    }
  });
}

void write_serially(const IndexLaunch& l, const Range& range) {
  if (l.mode == IndexMode::Write) {
    return by_width(element_size(l.x.dtype), [&]<class W>() { put<W>(l, range); });
  }
  visit(l.x.dtype, [&]<class T>() {
    if constexpr (!fn::is_half_v<T>) {
      by_mode<T>(l.mode, [&]<class Op>() { join<T, Op>(l, range); });
    }
  });
}

/// A dimension in which no two values meet, and parts it may have.
struct Shared {
  int dim = -1;
  std::int64_t parts = 1;
};

Shared shared_dim(const IndexLaunch& l) {
  Shared best;
  const auto size = static_cast<std::int64_t>(element_size(l.x.dtype));
  for (int d = 0; d < l.rank(); ++d) {
    if (l.x.strides[d] == 0) continue;
    // Neighbours within one line of the cache are one thread's.
    const std::int64_t line = std::max<std::int64_t>(64 / std::abs(l.x.strides[d]), 1);
    const std::int64_t parts = l.shape[d] / (std::abs(l.x.strides[d]) <= size ? line : 1);
    if (parts > best.parts) best = {d, parts};
  }
  return best;
}

void write_directly(const IndexLaunch& l) {
  const std::int64_t numel = l.outer * l.positions * l.inner;
  const std::int64_t threads = std::min<std::int64_t>(get_num_threads(), numel / kGrain);
  if (threads <= 1) return write_serially(l, {});
  const Shared shared = shared_dim(l);
  if (shared.parts >= threads) {
    return parallel_for(l.shape[shared.dim], l.shape[shared.dim] / threads,
                        [&](std::int64_t first, std::int64_t last) {
                          write_serially(Part(l, shared.dim, first, last).l, {});
                        });
  }
  // Each thread reads every position: with many threads that would be all they do.
  const std::int64_t ranges = std::min<std::int64_t>(threads, 8);
  const IndexExtent extent = index_extent(l);
  const std::int64_t step = (extent.high - extent.low) / ranges + 1;
  parallel_for(ranges, 1, [&](std::int64_t first, std::int64_t last) {
    write_serially(l, {extent.low + first * step, extent.low + last * step});
  });
}

// ---- sorted

int bits_for(std::uint64_t most) { return most == 0 ? 0 : 64 - __builtin_clzll(most); }

/// Stable, by the bits from `begin` on.
void radix_sort(std::vector<std::uint64_t>& words, int begin, int end) {
  constexpr int kDigit = 11;
  std::vector<std::uint64_t> other(words.size());
  for (int shift = begin; shift < end; shift += kDigit) {
    std::vector<std::size_t> starts((std::size_t(1) << kDigit) + 1, 0);
    const auto digit = [&](std::uint64_t w) { return w >> shift & ((1u << kDigit) - 1); };
    for (const std::uint64_t w : words) ++starts[digit(w) + 1];
    for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
    for (const std::uint64_t w : words) other[starts[digit(w)]++] = w;
    words.swap(other);
  }
}

/// (place, position) of every position, sorted.
struct SortedPlaces {
  std::vector<std::uint64_t> words;
  int position_bits = 0;
  std::int64_t low = 0, size = 0;

  explicit SortedPlaces(const IndexLaunch& l) : words(static_cast<std::size_t>(l.positions)) {
    const IndexExtent extent = index_extent(l);
    low = extent.low;
    size = static_cast<std::int64_t>(element_size(l.x.dtype));
    position_bits = bits_for(static_cast<std::uint64_t>(l.positions - 1));
    const int place_bits = bits_for(static_cast<std::uint64_t>((extent.high - low) / size));
    TANDEM_EXPECTS(position_bits + place_bits <= 64, NotImplemented,
                   "[index_put] expected positions and elements that 64 bits count together");
    parallel_for(l.positions, kGrain, [&](std::int64_t first, std::int64_t last) {
      each_run(l, first, last, [&](const PositionRun& run) {
        for (std::int64_t j = 0; j < run.n; ++j) {
          const auto place = static_cast<std::uint64_t>((run.place[j] - low) / size);
          words[static_cast<std::size_t>(run.first + j)] =
              shifted(place) | static_cast<std::uint64_t>(run.first + j);
        }
      });
    });
    radix_sort(words, position_bits, position_bits + place_bits);
  }
  std::uint64_t shifted(std::uint64_t place) const {
    return position_bits < 64 ? place << position_bits : 0;
  }
  std::uint64_t place(std::size_t i) const {
    return position_bits < 64 ? words[i] >> position_bits : 0;
  }
  std::int64_t position(std::size_t i) const {
    return static_cast<std::int64_t>(words[i] - shifted(place(i)));
  }
};

/// Joins the values of one place: byte offsets of them, in order.
template <class T, class C, class Op>
class RunJoiner {
 public:
  explicit RunJoiner(const IndexLaunch& l)
      : l_(l), row_(l), alpha_(l.scaled ? alpha_of<C>(l) : C{}) {}

  void join(std::int64_t place, const std::vector<std::int64_t>& values) const {
    const char* v = values_of(l_);
    for (std::int64_t o = 0; o < l_.outer; ++o) {
      char* to = static_cast<char*>(l_.x.data) + place +
                 offset_of(o, l_.shape, l_.rank_outer, l_.x.strides);
      const char* from = v + offset_of(o, l_.shape, l_.rank_outer, l_.other.strides);
      each_inner_row(l_, [&](std::int64_t to_at, std::int64_t from_at) {
        join_row(to + to_at, from + from_at, values);
      });
    }
  }

 private:
  static constexpr std::int64_t kLanes = 128;

  void join_row(char* to, const char* from, const std::vector<std::int64_t>& values) const {
    for (std::int64_t i = 0; i < row_.n; i += kLanes) {
      join_lanes(to + i * row_.x, from + i * row_.other, values, std::min(kLanes, row_.n - i));
    }
  }
  C value(const char* p) const {
    const C v = fn::cast<C>(fn::element_at(reinterpret_cast<const T*>(p)));
    return l_.scaled ? fn::Mul()(v, alpha_) : v;
  }
  void join_lanes(char* to, const char* from, const std::vector<std::int64_t>& values,
                  std::int64_t lanes) const {
    C acc[kLanes];
    std::size_t next = 0;
    if (l_.include_self) {
      for (std::int64_t i = 0; i < lanes; ++i) {
        acc[i] = fn::cast<C>(fn::element_at(reinterpret_cast<const T*>(to + i * row_.x)));
      }
    } else {
      for (std::int64_t i = 0; i < lanes; ++i) acc[i] = value(from + values[0] + i * row_.other);
      next = 1;
    }
    for (; next < values.size(); ++next) {
      const char* v = from + values[next];
      for (std::int64_t i = 0; i < lanes; ++i) acc[i] = Op()(acc[i], value(v + i * row_.other));
    }
    const auto n = static_cast<std::int64_t>(values.size()) + (l_.include_self ? 1 : 0);
    for (std::int64_t i = 0; i < lanes; ++i) {
      if (l_.mode == IndexMode::Average) acc[i] = fn::mean_of(acc[i], n);
      *reinterpret_cast<T*>(to + i * row_.x) = fn::cast<T>(acc[i]);
    }
  }

  const IndexLaunch& l_;
  InnerRow row_;
  C alpha_;
};

template <class T, class C, class Op>
void join_sorted(const IndexLaunch& l) {
  const SortedPlaces sorted(l);
  const RunJoiner<T, C, Op> joiner(l);
  const std::int64_t each = std::max<std::int64_t>(l.outer * l.inner, 1);
  parallel_for(l.positions, std::max<std::int64_t>(kGrain / each, 1),
               [&](std::int64_t first, std::int64_t last) {
                 auto i = static_cast<std::size_t>(first);
                 const std::size_t n = sorted.words.size();
                 // A run belongs to the thread in whose part it begins.
                 while (i > 0 && i < n && sorted.place(i) == sorted.place(i - 1)) ++i;
                 std::vector<std::int64_t> values;
                 while (i < static_cast<std::size_t>(last)) {
                   const std::uint64_t place = sorted.place(i);
                   values.clear();
                   for (; i < n && sorted.place(i) == place; ++i) {
                     values.push_back(offset_of(sorted.position(i), l.shape + l.rank_outer,
                                                l.rank_positions, l.other.strides + l.rank_outer));
                   }
                   joiner.join(sorted.low + static_cast<std::int64_t>(place) * sorted.size, values);
                 }
               });
}

}  // namespace

void launch_index_put(const void* desc, const void*) {
  const auto& l = *static_cast<const IndexLaunch*>(desc);
  const bool joins = l.mode != IndexMode::Write;
  if (!joins || (!is_half(l.x.dtype) && l.mode != IndexMode::Average && l.include_self)) {
    return write_directly(l);
  }
  visit(l.x.dtype, [&]<class T>() {
    using K = compute_t<T>;
    using Wide = std::conditional_t<fn::is_signed_int_v<K>, std::int64_t, std::uint64_t>;
    using C = std::conditional_t<fn::is_int_v<K> || fn::is_bool_v<K>, Wide, K>;
    by_mode<C>(l.mode, [&]<class Op>() { join_sorted<T, C, Op>(l); });
  });
}

}  // namespace tandem::host
