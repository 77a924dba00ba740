// The fixed tree over columns that are reduced side by side, and over the results of tiles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "host/reduce.h"
#include "host/reduce_plan.h"

namespace tandem::host {

/// The `bits` lowest bits of i in reverse.
inline int reversed(int i, int bits) {
  int r = 0;
  for (int k = 0; k < bits; ++k) r |= (i >> k & 1) << (bits - 1 - k);
  return r;
}

/// One tile of m rows of w columns. `add(r, next, first, to)` joins row r to the accumulators at
/// `to`, or starts them; row `next` (-1: none) follows. Lanes come in bit-reversed order: then a
/// lane's partner in the tree is always the next one, and a stack of eight rows of accumulators,
/// which stays in the first cache, replaces 128 of them.
template <class Add>
void join_columns(const ReduceBlocks& blocks, std::int64_t m, std::int64_t w, char* acc,
                  const Add& add) {
  Scratch& s = scratch();
  int bits = 0;
  while (bits < 7 && (std::int64_t(1) << bits) < m) ++bits;
  const int lanes = 1 << bits;
  char* stack[9] = {acc,       s.rows[1], s.rows[2], s.rows[3], s.rows[4],
                    s.rows[5], s.rows[6], s.rows[7], s.rows[8]};
  int top = 0;
  for (int i = 0; i < lanes; ++i) {
    const int lane = reversed(i, bits);
    const bool odd = i % 2 != 0;
    if (lane < m) {
      const int after = i + 1 < lanes ? reversed(i + 1, bits) : -1;
      const std::int64_t next_lane = after < m ? after : -1;
      if (odd && m <= kLanes) {  // a lane of one row joins its partner without a stop in between
        add(lane, next_lane, false, stack[top - 1]);
      } else {
        for (std::int64_t r = lane; r < m; r += kLanes) {
          add(r, r + kLanes < m ? r + kLanes : next_lane, r == lane, stack[top]);
        }
        ++top;
        if (odd) {
          blocks.merge(stack[top - 2], stack[top - 1], w);
          --top;
        }
      }
    }
    for (int t = odd ? i >> 1 : 0; t % 2 != 0; t >>= 1) {
      blocks.merge(stack[top - 2], stack[top - 1], w);
      --top;
    }
  }
}

/// The first lanes of rows of accumulators joined pairwise in place: the result is row 0.
inline void join_lane_rows(const ReduceBlocks& blocks, char* rows, std::int64_t lanes,
                           std::int64_t width) {
  std::int64_t half = 1;
  while (half * 2 < lanes) half *= 2;
  for (; lanes > 1; lanes = half, half /= 2) {
    blocks.merge(rows, rows + half * width * blocks.acc_size, (lanes - half) * width);
  }
}

/// The tree over `count` rows of accumulators (the results of tiles), in place: the result is row
/// 0.
inline void join_tiles(const ReduceBlocks& blocks, char* rows, std::int64_t count,
                       std::int64_t width) {
  const std::int64_t row = width * blocks.acc_size;
  while (count > 1) {
    const std::int64_t tiles = (count + kTile - 1) / kTile;
    for (std::int64_t t = 0; t < tiles; ++t) {
      char* at = rows + t * kTile * row;
      const std::int64_t m = std::min(kTile, count - t * kTile);
      if (width == 1) {
        blocks.tree(at, at, m);
      } else {
        for (std::int64_t r = kLanes; r < m; ++r) {
          blocks.merge(at + r % kLanes * row, at + r * row, width);
        }
        join_lane_rows(blocks, at, std::min(kLanes, m), width);
      }
      if (t > 0) std::memcpy(rows + t * row, at, static_cast<std::size_t>(row));
    }
    count = tiles;
  }
}

}  // namespace tandem::host
