// Reads at places that arrays of indices tell, and the check of the arrays.
#include "host/indexing.h"

#include <fmt/format.h>

#include <atomic>
#include <cstring>

#include "host/launchers.h"
#include "host/parallel.h"
#include "host/registry.h"
#include "tandem/error.h"

namespace tandem::host {

namespace {

constexpr std::int64_t kGrainBytes = 256 << 10;

// ---- the check

/// One array as it lies: dimensions along which it does not move count once.
struct Scanned {
  const IndexArray& array;
  std::int64_t shape[kMaxRank];
  std::int64_t n = 1;
  int rank;

  Scanned(const IndexLaunch& l, const IndexArray& a) : array(a), rank(l.rank_positions) {
    for (int d = 0; d < rank; ++d) {
      shape[d] = a.strides[d] == 0 ? 1 : l.shape[l.rank_outer + d];
      n *= shape[d];
    }
  }
  std::int64_t at(std::int64_t i) const {
    return *reinterpret_cast<const std::int64_t*>(reinterpret_cast<const char*>(array.data) +
                                                  offset_of(i, shape, rank, array.strides));
  }
  bool is_bad(std::int64_t i) const { return i < -array.size || i >= array.size; }

  /// Whether one of [first, last) is out of range: then a sign bit is set.
  bool finds_bad(std::int64_t first, std::int64_t last) const {
    const std::int64_t row = rank > 0 ? shape[rank - 1] : 1;
    const std::int64_t step = rank > 0 ? array.strides[rank - 1] : 0;
    const auto size = static_cast<std::uint64_t>(array.size);
    std::uint64_t bad = array.size == 0 ? std::uint64_t(1) << 63 : 0;
    for (std::int64_t p = first; p < last;) {
      const std::int64_t run = std::min(row - p % row, last - p);
      const char* at =
          reinterpret_cast<const char*>(array.data) + offset_of(p, shape, rank, array.strides);
      if (step == static_cast<std::int64_t>(sizeof(std::int64_t))) {
        const auto* index = reinterpret_cast<const std::uint64_t*>(at);
        for (std::int64_t j = 0; j < run; ++j) bad |= (index[j] + size) | (size - 1 - index[j]);
      } else {
        for (std::int64_t j = 0; j < run; ++j) {
          const auto i = *reinterpret_cast<const std::uint64_t*>(at + j * step);
          bad |= (i + size) | (size - 1 - i);
        }
      }
      p += run;
    }
    return (bad >> 63) != 0;
  }
};

void check(const IndexLaunch& l) {
  for (int k = 0; k < l.n_arrays; ++k) {
    const Scanned s(l, l.arrays[k]);
    std::atomic<bool> bad{false};
    parallel_for(s.n, kGrainBytes / 8, [&](std::int64_t first, std::int64_t last) {
      if (s.finds_bad(first, last)) bad.store(true, std::memory_order_relaxed);
    });
    if (!bad) continue;
    for (std::int64_t p = 0; p < s.n; ++p) {
      const std::int64_t i = s.at(p);
      TANDEM_EXPECTS(!s.is_bad(i), IndexError,
                     fmt::format("[{}] index {} is out of bounds for dimension {} with size {}, "
                                 "at position {} of the indices",
                                 l.row->name, i, s.array.dimension, s.array.size, p));
    }
  }
}

// ---- reads

// Closures hold copies: what they refer to could be where the elements are written, as far as the
// compiler knows, and would be read again for each.

template <class W>
void get_elements(char* out, const char* x, const PositionRun& run, const Fetcher& fetcher) {
  const auto place = [x, at = run.place](std::int64_t j) { return x + at[j]; };
  const auto fetch = [place](std::int64_t j) { __builtin_prefetch(place(j)); };
  if (run.step == static_cast<std::int64_t>(sizeof(W))) {
    auto* to = reinterpret_cast<W*>(out);
    return fetcher.each(run.n, fetch, [place, to](std::int64_t j) {
      to[j] = *reinterpret_cast<const W*>(place(j));
    });
  }
  fetcher.each(run.n, fetch, [place, out, step = run.step](std::int64_t j) {
    *reinterpret_cast<W*>(out + j * step) = *reinterpret_cast<const W*>(place(j));
  });
}

/// Dense rows.
void get_rows(char* out, const char* x, const PositionRun& run, std::int64_t bytes, bool stream,
              const Fetcher& fetcher) {
  const auto place = [x, at = run.place](std::int64_t j) { return x + at[j]; };
  fetcher.each_piece(
      run.n, bytes, [place](std::int64_t j, std::int64_t at) { __builtin_prefetch(place(j) + at); },
      [=, step = run.step](std::int64_t j, std::int64_t at, std::int64_t size) {
        char* to = out + j * step + at;
        if (stream) {
          level().stream(to, place(j) + at, static_cast<std::size_t>(size));
        } else {
          std::memcpy(to, place(j) + at, static_cast<std::size_t>(size));
        }
      });
}

template <class W>
void get_strided(const IndexLaunch& l, char* out, const char* x, const PositionRun& run) {
  const InnerRow row(l);
  for (std::int64_t j = 0; j < run.n; ++j) {
    each_inner_row(l, [&](std::int64_t from_at, std::int64_t to_at) {
      const char* from = x + run.place[j] + from_at;
      char* to = out + j * run.step + to_at;
      for (std::int64_t i = 0; i < row.n; ++i) {
        *reinterpret_cast<W*>(to + i * row.other) = *reinterpret_cast<const W*>(from + i * row.x);
      }
    });
  }
}

void get(const IndexLaunch& l) {
  const auto size = static_cast<std::int64_t>(element_size(l.x.dtype));
  const InnerRow row(l);
  const bool dense = l.rank_inner == 1 && row.x == size && row.other == size;
  const std::int64_t bytes = l.inner * size;
  const bool stream = dense && bytes >= 256 && l.outer * l.positions * bytes >= kStreamBytes;
  const std::int64_t grain =
      std::max<std::int64_t>(kGrainBytes / std::max<std::int64_t>(bytes, 16), 1);
  const Fetcher fetcher(l);
  parallel_for(l.outer * l.positions, grain, [&](std::int64_t first, std::int64_t last) {
    while (first < last) {
      const std::int64_t o = first / l.positions;
      const std::int64_t end = std::min(last, (o + 1) * l.positions);
      const char* x =
          static_cast<const char*>(l.x.data) + offset_of(o, l.shape, l.rank_outer, l.x.strides);
      char* out =
          static_cast<char*>(l.other.data) + offset_of(o, l.shape, l.rank_outer, l.other.strides);
      each_run(l, first - o * l.positions, end - o * l.positions, [&](const PositionRun& run) {
        char* to = out + run.other;
        if (dense) return get_rows(to, x, run, bytes, stream, fetcher);
        by_width(static_cast<std::size_t>(size), [&]<class W>() {
          if (l.rank_inner == 0) {
            get_elements<W>(to, x, run, fetcher);
          } else {
            get_strided<W>(l, to, x, run);
          }
        });
      });
      first = end;
    }
    if (stream) stream_fence();
  });
}

}  // namespace

void register_indexing(HostRegistry& r) {
  r.bind("index", Kernel{&launch_index, nullptr});
  r.bind("index_put", Kernel{&launch_index_put, nullptr});
  r.bind("nonzero", Kernel{&launch_mask, nullptr});
}

void launch_index(const void* desc, const void*) {
  const auto& l = *static_cast<const IndexLaunch*>(desc);
  if (l.mode == IndexMode::Check) {
    check(l);
  } else {
    get(l);
  }
}

}  // namespace tandem::host
