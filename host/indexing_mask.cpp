// Masks on the host: set elements counted a tile, then written to their places by tiles. Inside a
// tile every element is stored and the place moves on by the mask, so that there is no branch to
// guess.
#include <cstring>

#include "host/indexing.h"
#include "host/launchers.h"
#include "host/parallel.h"
#include "tandem/backend/indexing.h"
#include "tandem/error.h"

namespace tandem::host {

namespace {

constexpr std::int64_t kGrainTiles = 16;

std::uint64_t word_at(const std::uint8_t* p) {
  std::uint64_t w;
  std::memcpy(&w, p, sizeof w);
  return w;
}

/// 1 in each byte that is not 0.
std::uint64_t set_bytes(std::uint64_t w) {
  constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  return (((w & kLow) + kLow) | w) >> 7 & 0x0101010101010101;
}

std::int64_t count_tile(const std::uint8_t* mask, std::int64_t n) {
  std::int64_t count = 0;
  std::int64_t i = 0;
  while (i + 8 <= n) {
    const std::int64_t end = std::min(n - 7, i + 8 * 255);  // a byte counts to 255
    std::uint64_t sums = 0;
    for (; i < end; i += 8) sums += set_bytes(word_at(mask + i));
    constexpr std::uint64_t kEven = 0x00ff00ff00ff00ff;
    const std::uint64_t pairs = (sums & kEven) + (sums >> 8 & kEven);
    count += static_cast<std::int64_t>(pairs * 0x0001000100010001 >> 48);
  }
  for (; i < n; ++i) count += mask[i] != 0 ? 1 : 0;
  return count;
}

void count(const MaskLaunch& l) {
  parallel_for(l.tiles(), kGrainTiles, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      l.offsets[t] = count_tile(l.mask + t * kMaskTile, std::min(kMaskTile, l.n - t * kMaskTile));
    }
  });
  std::int64_t sum = 0;
  for (std::int64_t t = 0; t < l.tiles(); ++t) {
    const std::int64_t own = l.offsets[t];
    l.offsets[t] = sum;
    sum += own;
  }
  l.offsets[l.tiles()] = sum;
}

/// Calls f(tile, number of its first set element, how many it has) on all threads.
template <class F>
void each_tile(const MaskLaunch& l, F&& f) {
  parallel_for(l.tiles(), kGrainTiles, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t n = l.offsets[t + 1] - l.offsets[t];
      if (n > 0) f(t, l.offsets[t], n);
    }
  });
}

/// `to[k]` = the k-th set element of the tile, from `value(i)`; one more is written than there are.
template <class T, class F>
void compact(const std::uint8_t* mask, std::int64_t n, T* to, F&& value) {
  std::int64_t k = 0;
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    if (word_at(mask + i) == 0) continue;
    for (std::int64_t j = i; j < i + 8; ++j) {
      to[k] = value(j);
      k += mask[j] != 0 ? 1 : 0;
    }
  }
  for (; i < n; ++i) {
    to[k] = value(i);
    k += mask[i] != 0 ? 1 : 0;
  }
}

template <class W>
void select(const MaskLaunch& l) {
  each_tile(l, [&](std::int64_t t, std::int64_t begin, std::int64_t n) {
    const std::int64_t base = t * kMaskTile;
    const std::int64_t size = std::min(kMaskTile, l.n - base);
    const W* in = static_cast<const W*>(l.in) + base;
    W* out = static_cast<W*>(l.out) + begin;
    if (n == size) {
      std::memcpy(static_cast<void*>(out), in, static_cast<std::size_t>(n) * sizeof(W));
      return;
    }
    W found[kMaskTile + 1];
    compact(l.mask + base, size, found, [in](std::int64_t i) { return in[i]; });
    std::memcpy(static_cast<void*>(out), found, static_cast<std::size_t>(n) * sizeof(W));
  });
}

/// Places of a tile's set elements within it.
struct Found {
  std::uint16_t at[kMaskTile + 1];
  Found(const MaskLaunch& l, std::int64_t t) {
    compact(l.mask + t * kMaskTile, std::min(kMaskTile, l.n - t * kMaskTile), at,
            [](std::int64_t i) { return static_cast<std::uint16_t>(i); });
  }
};

template <class W>
void scatter(const MaskLaunch& l) {
  each_tile(l, [&](std::int64_t t, std::int64_t begin, std::int64_t n) {
    const Found found(l, t);
    W* out = static_cast<W*>(l.out) + t * kMaskTile;
    const W* in = static_cast<const W*>(l.in) + begin;
    for (std::int64_t k = 0; k < n; ++k) out[found.at[k]] = in[k];
  });
}

/// Coordinates of `n` elements that lie in one tile, from its first element's on.
void write_rows(const MaskLaunch& l, std::int64_t base, const Found& found, std::int64_t n,
                std::int64_t* out) {
  std::int64_t at[kMaxRank];
  std::int64_t rest = base;
  for (int d = l.rank - 1; d >= 0; --d) {
    at[d] = rest % l.shape[d];
    rest /= l.shape[d];
  }
  const std::int64_t row = l.shape[l.rank - 1];
  std::int64_t column = at[l.rank - 1];
  std::int64_t last = 0;
  for (std::int64_t k = 0; k < n; ++k) {
    column += found.at[k] - last;
    last = found.at[k];
    if (column >= row) {
      std::int64_t carry = column / row;
      column -= carry * row;
      for (int d = l.rank - 2; d >= 0 && carry > 0; --d) {
        at[d] += carry;
        carry = at[d] / l.shape[d];
        at[d] -= carry * l.shape[d];
      }
    }
    std::int64_t* to = out + k * l.rank;
    for (int d = 0; d < l.rank - 1; ++d) to[d] = at[d];
    to[l.rank - 1] = column;
  }
}

void coordinates(const MaskLaunch& l) {
  each_tile(l, [&](std::int64_t t, std::int64_t begin, std::int64_t all) {
    const std::int64_t n = std::min(all, l.limit - begin);
    if (n <= 0) return;
    const Found found(l, t);
    auto* out = static_cast<std::int64_t*>(l.out) + begin * l.rank;
    const std::int64_t base = t * kMaskTile;
    if (l.rank > 1) return write_rows(l, base, found, n, out);
    for (std::int64_t k = 0; k < n; ++k) out[k] = base + found.at[k];
  });
}

}  // namespace

void launch_mask(const void* desc, const void*) {
  const auto& l = *static_cast<const MaskLaunch*>(desc);
  switch (l.stage) {
    case MaskStage::Count:
      return count(l);
    case MaskStage::Coordinates:
      return coordinates(l);
    case MaskStage::Select:
      return by_width(static_cast<std::size_t>(l.width), [&]<class W>() { select<W>(l); });
    case MaskStage::Scatter:
      TANDEM_EXPECTS(l.offsets[l.tiles()] <= l.limit, ShapeError,
                     std::string("[") + l.row->name +
                         "] Number of elements of source < number of ones in mask: " +
                         std::to_string(l.limit) + " and " + std::to_string(l.offsets[l.tiles()]));
      return by_width(static_cast<std::size_t>(l.width), [&]<class W>() { scatter<W>(l); });
  }
}

}  // namespace tandem::host
