// Copies and casts between strided tensors.
#include <cstring>

#include "host/launchers.h"
#include "host/parallel.h"
#include "host/registry.h"
#include "host/tile.h"

namespace tandem::host {

namespace {

constexpr std::int64_t kGrainBytes = 256 << 10;

/// Both sides dense in the same order.
void copy_dense(const ElementwiseLaunch& l, CastLoop cast) {
  auto* out = static_cast<char*>(l.operands[0].data);
  const auto* in = static_cast<const char*>(l.operands[1].data);
  const auto to = static_cast<std::int64_t>(element_size(l.operands[0].dtype));
  const auto from = static_cast<std::int64_t>(element_size(l.operands[1].dtype));
  const bool stream = l.numel * to >= kStreamBytes;
  const std::int64_t step = kTileBytes / std::max(to, from);
  parallel_for(l.numel, kGrainBytes / to, [&](std::int64_t first, std::int64_t last) {
    if (cast == nullptr) {
      const auto bytes = static_cast<std::size_t>((last - first) * to);
      if (stream) {
        level().stream(out + first * to, in + first * from, bytes);
        stream_fence();
      } else {
        std::memcpy(out + first * to, in + first * from, bytes);
      }
      return;
    }
    if (!stream) {
      cast(out + first * to, in + first * from, last - first);
      return;
    }
    alignas(64) char block[kTileBytes];
    for (std::int64_t i = first; i < last; i += step) {
      const std::int64_t n = std::min(step, last - i);
      cast(block, in + i * from, n);
      level().stream(out + i * to, block, static_cast<std::size_t>(n * to));
    }
    stream_fence();
  });
}

struct Side {
  char* data;
  const std::int64_t* strides;
  std::int64_t size, row, column;
  int rank;

  Side(const ElementwiseLaunch& l, int i)
      : data(static_cast<char*>(l.operands[i].data)),
        strides(l.operands[i].strides),
        size(static_cast<std::int64_t>(element_size(l.operands[i].dtype))),
        row(l.rank > 1 ? strides[l.rank - 2] : 0),
        column(l.rank > 0 ? strides[l.rank - 1] : size),
        rank(l.rank) {}
  char* at(const Tiling::Tile& t) const { return data + tile_offset(t, strides, rank); }
  bool dense(const Tiling::Tile& t) const {
    return (t.columns == 1 || column == size) && (t.rows == 1 || row == t.columns * size);
  }
};

/// Asks for the lines of a tile whose columns are dense, before it is turned: they are far apart.
void fetch_columns(const Side& in, const Tiling::Tile& t) {
  const char* first = in.at(t);
  for (std::int64_t c = 0; c < t.columns; ++c) {
    for (std::int64_t at = 0; at < t.rows * in.size; at += 64) {
      __builtin_prefetch(first + c * in.column + at);
    }
  }
}

/// Whether the rows of every tile are whole lines of an output that no cache holds.
bool streams_rows(const ElementwiseLaunch& l, const Side& out, std::int64_t columns) {
  const auto base = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(out.data));
  return l.numel * out.size >= kStreamBytes && out.column == out.size && columns % 64 == 0 &&
         base % 64 == 0 && out.row % 64 == 0;
}

void copy_tiled(const ElementwiseLaunch& l, CastLoop cast) {
  const Side out(l, 0);
  const Side in(l, 1);
  const LevelTable& t = level();
  const MoveLoop gather = t.gather[width_index(static_cast<std::size_t>(in.size))];
  const MoveLoop scatter = t.scatter[width_index(static_cast<std::size_t>(out.size))];
  const bool conflict = l.rank > 1 && std::abs(in.row) == in.size && std::abs(in.column) > in.size;
  const std::int64_t most = kTileBytes / std::max(in.size, out.size);
  const Tiling tiling(l.shape, l.rank, most, conflict);
  const bool turns = conflict && in.row == in.size;
  Tiling::Tile whole;
  tiling.locate(0, whole);
  const bool stream = turns && cast == nullptr && streams_rows(l, out, whole.columns * out.size);
  const std::int64_t per_tile = std::max<std::int64_t>(l.numel * out.size / tiling.count(), 1);
  parallel_for(
      tiling.count(), kGrainBytes / per_tile + 1, [&](std::int64_t first, std::int64_t last) {
        alignas(64) char gathered[kTileBytes];
        alignas(64) char converted[kTileBytes];
        Tiling::Tile tile;
        Tiling::Tile next;
        for (std::int64_t k = first; k < last; ++k) {
          tiling.locate(k, tile);
          if (turns && k + 1 < last) {
            tiling.locate(k + 1, next);
            fetch_columns(in, next);
          }
          char* from = in.at(tile);
          char* to = out.at(tile);
          const bool direct = cast == nullptr && out.dense(tile);
          if (!in.dense(tile)) {
            char* block = direct ? to : gathered;
            gather(block, from, tile.rows, tile.columns, in.row, in.column);
            if (direct) continue;
            from = block;
            if (stream) {
              const std::int64_t bytes = tile.columns * out.size;
              for (std::int64_t r = 0; r < tile.rows; ++r) {
                t.stream(to + r * out.row, from + r * bytes, static_cast<std::size_t>(bytes));
              }
              continue;
            }
          } else if (direct) {
            std::memcpy(to, from, static_cast<std::size_t>(tile.rows * tile.columns * out.size));
            continue;
          }
          if (cast != nullptr) {
            char* block = out.dense(tile) ? to : converted;
            cast(block, from, tile.rows * tile.columns);
            if (block == to) continue;
            from = block;
          }
          scatter(from, to, tile.rows, tile.columns, out.row, out.column);
        }
        if (stream) stream_fence();
      });
}

}  // namespace

void launch_copy(const void* desc, const void*) {
  const auto& l = *static_cast<const ElementwiseLaunch*>(desc);
  const DType to = l.operands[0].dtype;
  const DType from = l.operands[1].dtype;
  const CastLoop cast =
      to == from ? nullptr : level().cast[static_cast<int>(to)][static_cast<int>(from)];
  const Side out(l, 0);
  const Side in(l, 1);
  const bool dense = l.rank == 0 || (l.rank == 1 && out.column == out.size && in.column == in.size);
  if (dense) {
    copy_dense(l, cast);
  } else {
    copy_tiled(l, cast);
  }
}

}  // namespace tandem::host
