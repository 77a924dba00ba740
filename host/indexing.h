// Walking the positions of an indexing launch on the host, in row-major order.
#pragma once

#include <algorithm>
#include <cstdlib>

#include "host/registry.h"
#include "tandem/backend/indexing.h"
#include "tandem/backend/units.h"

namespace tandem::host {

/// Positions that are looked up together.
inline constexpr std::int64_t kIndexChunk = 512;

/// Byte offset of the i-th element of `rank` dimensions in row-major order.
inline std::int64_t offset_of(std::int64_t i, const std::int64_t* shape, int rank,
                              const std::int64_t* strides) {
  std::int64_t offset = 0;
  for (int d = rank - 1; d >= 0; --d) {
    const std::int64_t n = i / shape[d];
    offset += (i - n * shape[d]) * strides[d];
    i = n;
  }
  return offset;
}

/// A run of positions along the last position dimension.
struct PositionRun {
  std::int64_t first, n;      // positions
  std::int64_t other, step;   // byte offset of the first in `other`, and between them
  const std::int64_t* place;  // byte offsets in x, one a position
};

/// Calls f(run) for positions [first, last), at most kIndexChunk at a time. Indices are in range.
template <class F>
void each_run(const IndexLaunch& l, std::int64_t first, std::int64_t last, F&& f) {
  const int rank = l.rank_positions;
  const std::int64_t* shape = l.shape + l.rank_outer;
  const std::int64_t* x_strides = l.x.strides + l.rank_outer;
  const std::int64_t* other_strides = l.other.strides + l.rank_outer;
  const std::int64_t row = rank > 0 ? shape[rank - 1] : 1;
  const std::int64_t x_step = rank > 0 ? x_strides[rank - 1] : 0;
  std::int64_t place[kIndexChunk];
  for (std::int64_t p = first; p < last;) {
    const std::int64_t n = std::min({row - p % row, last - p, kIndexChunk});
    const std::int64_t base = offset_of(p, shape, rank, x_strides);
    for (std::int64_t j = 0; j < n; ++j) place[j] = base + j * x_step;
    for (int k = 0; k < l.n_arrays; ++k) {
      const IndexArray& a = l.arrays[k];
      const std::int64_t step = rank > 0 ? a.strides[rank - 1] : 0;
      const char* at = reinterpret_cast<const char*>(a.data) + offset_of(p, shape, rank, a.strides);
      if (step == static_cast<std::int64_t>(sizeof(std::int64_t))) {
        level().add_places(place, reinterpret_cast<const std::int64_t*>(at), n, a.size, a.step);
      } else {
        for (std::int64_t j = 0; j < n; ++j) {
          const std::int64_t i = *reinterpret_cast<const std::int64_t*>(at + j * step);
          place[j] += (i + (i < 0 ? a.size : 0)) * a.step;
        }
      }
    }
    f(PositionRun{p, n, offset_of(p, shape, rank, other_strides),
                  rank > 0 ? other_strides[rank - 1] : 0, place});
    p += n;
  }
}

/// Asks for memory ahead of its use. The processor looks some ten random places ahead by itself,
/// and follows a row only once it is being read; a few hundred lines at once are what hides the way
/// to memory (perf/NOTES.md).
class Fetcher {
 public:
  /// Nothing is fetched where all that the arrays reach stays in a cache.
  explicit Fetcher(const IndexLaunch& l) : far_(reach(l) > kNear) {}

  /// Calls f(k) for k in [0, n) and fetch(k), which asks for one line, long before.
  template <class Fetch, class F>
  void each(std::int64_t n, Fetch&& fetch, F&& f) const {
    const std::int64_t ahead = far_ ? std::min(kLines, n) : 0;
    for (std::int64_t k = 0; k < ahead; ++k) fetch(k);
    if (ahead == 0 || ahead == n) {
      for (std::int64_t k = 0; k < n; ++k) f(k);
      return;
    }
    for (std::int64_t k = 0; k < n; ++k) {
      if (k + ahead < n) fetch(k + ahead);
      f(k);
    }
  }

  /// The same for rows of so many bytes, in pieces: f(k, at, size) and, before, fetch(k, at) for
  /// each line.
  template <class Fetch, class F>
  void each_piece(std::int64_t n, std::int64_t bytes, Fetch&& fetch, F&& f) const {
    const std::int64_t piece = std::min(bytes, kPiece);
    const std::int64_t lines = (piece + 63) / 64;
    std::int64_t row = far_ ? 0 : n;  // what is fetched next
    std::int64_t at = 0;
    const auto fetch_next = [&] {
      if (row >= n) return;
      for (std::int64_t i = at; i < std::min(at + piece, bytes); i += 64) fetch(row, i);
      at += piece;
      if (at < bytes) return;
      at = 0;
      ++row;
    };
    for (std::int64_t i = 0; i < kLines; i += lines) fetch_next();
    for (std::int64_t k = 0; k < n; ++k) {
      for (std::int64_t i = 0; i < bytes; i += piece) {
        fetch_next();
        f(k, i, std::min(piece, bytes - i));
      }
    }
  }

 private:
  static constexpr std::int64_t kLines = 192;  // on their way at a time
  static constexpr std::int64_t kPiece = 1024;
  static constexpr std::int64_t kNear = 256 << 10;

  /// Bytes over which the places of a launch lie.
  static std::int64_t reach(const IndexLaunch& l) {
    std::int64_t all = 0;
    for (int k = 0; k < l.n_arrays; ++k) all += l.arrays[k].size * std::abs(l.arrays[k].step);
    return all;
  }

  bool far_;
};

/// 2, 4, 8 or 16 bytes of an element that are moved, not computed with.
template <int Bytes>
struct Moved {
  alignas(Bytes < 8 ? Bytes : 8) unsigned char bytes[Bytes];
};

/// Calls f.operator()<W>() with a type of so many bytes.
template <class F>
void by_width(std::size_t bytes, F&& f) {
  with_unit<Moved<16>>(bytes, f);
}

/// Calls f(x offset, other offset) for each row of the inner dimensions, which is the innermost
/// one.
template <class F>
void each_inner_row(const IndexLaunch& l, F&& f) {
  const int begin = l.rank_outer + l.rank_positions;
  const int rank = l.rank_inner - 1;  // without the row's own
  std::int64_t rows = 1;
  for (int d = 0; d < rank; ++d) rows *= l.shape[begin + d];
  for (std::int64_t r = 0; r < rows; ++r) {
    f(offset_of(r, l.shape + begin, rank, l.x.strides + begin),
      offset_of(r, l.shape + begin, rank, l.other.strides + begin));
  }
}

/// The innermost row of the inner dimensions.
struct InnerRow {
  std::int64_t n, x, other;  // elements, and bytes between them

  explicit InnerRow(const IndexLaunch& l) : n(1), x(0), other(0) {
    if (l.rank_inner == 0) return;
    const int d = l.rank() - 1;
    n = l.shape[d];
    x = l.x.strides[d];
    other = l.other.strides[d];
  }
};

}  // namespace tandem::host
