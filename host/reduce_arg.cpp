// Runs argmax, argmin and max, min with indices on the host. Not on the tree: keys with first
// indices have one answer in any order.
#include <algorithm>
#include <cstring>

#include "host/parallel.h"
#include "host/reduce_launch.h"
#include "host/reduce_plan.h"
#include "tandem/threads.h"

namespace tandem::host {

namespace {

struct ArgJob {
  ReducePlan plan;
  const ArgBlocks* blocks;
  Source source;
  bool columns;
  Planes planes;  // splits short dense rows; null: not so
  std::int64_t width, blocks_in_row, n_blocks, tiles;
  OperandDesc indices, values;  // values.data is null where only indices are wanted
  Convert to_indices, to_values;
  std::int64_t stored;  // bytes of an element of the input
};

/// The best of `width` columns so far.
struct Best {
  std::int64_t* key;
  std::int64_t* index;
};

void block_tile(const ArgJob& j, const char* base, std::int64_t w, std::int64_t tile,
                const Best& best) {
  Scratch& s = scratch();
  const std::int64_t start = tile * kTile, m = std::min(kTile, j.plan.n - start);
  const std::int64_t stride = j.plan.column_stride(0);
  if (!j.columns) {
    for (std::int64_t c = 0; c < w; ++c) {
      const void* x = reduced_run(j.plan, 0, j.source, base + c * stride, start, m, s.input[0]);
      j.blocks->tile(x, m, best.key + c, best.index + c);
      best.index[c] += start;
    }
    return;
  }
  char* keys = s.rows[0];
  char* at = s.rows[1];
  const bool direct = j.source.is_direct(stride);
  if (j.planes != nullptr) {
    j.planes(s.wide, base, w, static_cast<int>(m), static_cast<int>(j.stored));
  }
  for (std::int64_t r = 0; r < m; ++r) {
    const char* row = j.planes != nullptr ? s.wide + r * w * j.stored
                                          : base + j.plan.reduced_offset(0, start + r);
    const void* x = j.source.run(row, j.planes != nullptr ? j.stored : stride, w, s.input[0]);
    const void* next =
        direct && r + 1 < m ? base + j.plan.reduced_offset(0, start + r + 1) : nullptr;
    j.blocks->row(keys, at, x, w, r, r == 0, next);
  }
  j.blocks->widen(keys, at, w, start, best.key, best.index);
}

void store(const ArgJob& j, std::int64_t rest, std::int64_t first, std::int64_t w,
           const Best& best) {
  const ReducePlan& p = j.plan;
  const int last = p.n_out - 1;
  const std::int64_t stride = p.out_column_stride(last);
  char* to =
      static_cast<char*>(j.indices.data) + p.rest_offset(p.out_outer[last], rest) + first * stride;
  j.to_indices(to, stride, best.index, sizeof(std::int64_t), w);
  if (j.values.data == nullptr) return;
  char* value = static_cast<char*>(j.values.data) + p.rest_offset(p.out_outer[0], rest) +
                first * p.out_column_stride(0);
  const char* base =
      j.source.data + p.rest_offset(p.in_outer[0], rest) + first * p.column_stride(0);
  for (std::int64_t c = 0; c < w; ++c) {
    const char* x = base + c * p.column_stride(0) + p.reduced_offset(0, best.index[c]);
    j.to_values(value + c * p.out_column_stride(0), j.stored, x, j.stored, 1);
  }
}

/// Columns of one block.
struct Span {
  std::int64_t rest, first, width;
  const char* base;
};

Span span_at(const ArgJob& j, std::int64_t block) {
  Span s;
  s.rest = block / j.blocks_in_row;
  s.first = block % j.blocks_in_row * j.width;
  s.width = std::min(j.width, j.plan.columns() - s.first);
  s.base = j.source.data + j.plan.rest_offset(j.plan.in_outer[0], s.rest) +
           s.first * j.plan.column_stride(0);
  return s;
}

void run(const ArgJob& j) {
  const std::int64_t elements = j.plan.numel * j.plan.n;
  if (j.tiles == 1) {
    parallel_for(j.n_blocks, grain_of(j.n_blocks, elements),
                 [&](std::int64_t first, std::int64_t last) {
                   Scratch& s = scratch();
                   const Best best{reinterpret_cast<std::int64_t*>(s.result[0]),
                                   reinterpret_cast<std::int64_t*>(s.result[1])};
                   for (std::int64_t i = first; i < last; ++i) {
                     const Span b = span_at(j, i);
                     block_tile(j, b.base, b.width, 0, best);
                     store(j, b.rest, b.first, b.width, best);
                   }
                 });
    return;
  }
  const std::int64_t items = j.n_blocks * j.tiles;
  const Buffer found = make_buffer(items * j.width * 16);
  auto* keys = reinterpret_cast<std::int64_t*>(found.get());
  auto* indices = keys + items * j.width;
  parallel_for(items, grain_of(items, elements), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const Span b = span_at(j, i / j.tiles);
      block_tile(j, b.base, b.width, i % j.tiles, {keys + i * j.width, indices + i * j.width});
    }
  });
  for (std::int64_t i = 0; i < j.n_blocks; ++i) {
    const Span b = span_at(j, i);
    const Best best{keys + i * j.tiles * j.width, indices + i * j.tiles * j.width};
    for (std::int64_t t = 1; t < j.tiles; ++t) {
      for (std::int64_t c = 0; c < b.width; ++c) {
        // Tiles come in order: an equal key of a later one has a greater index.
        const std::int64_t at = t * j.width + c;
        if (best.key[at] <= best.key[c]) continue;
        best.key[c] = best.key[at];
        best.index[c] = best.index[at];
      }
    }
    store(j, b.rest, b.first, b.width, best);
  }
}

void launch(const ReduceLaunch& l, const ReduceLevel& level, const ArgBlocks* blocks) {
  if (l.numel == 0 || l.n == 0) return;
  ArgJob j;
  j.plan = plan_of(l);
  j.blocks = blocks;
  const OperandDesc& x = l.operands[l.n_out];
  j.source = source_of(x, l.dtype);
  j.stored = static_cast<std::int64_t>(element_size(x.dtype));
  const auto size = [](std::int64_t s) { return s < 0 ? -s : s; };
  const bool short_rows = j.plan.has_short_rows(j.stored);
  j.columns =
      j.plan.outer > 0 && j.plan.columns() >= 8 &&
      (l.n == 1 || short_rows || size(j.plan.column_stride(0)) < size(j.plan.run_stride(0)));
  j.planes = j.columns && short_rows ? level.planes : nullptr;
  j.tiles = (l.n + kTile - 1) / kTile;
  const std::int64_t share = j.plan.numel / (4 * get_num_threads()) + 1;
  j.width = j.columns ? std::clamp<std::int64_t>((share + 63) / 64 * 64, 64, 512)
                      : std::clamp<std::int64_t>(share, 1, j.tiles > 1 ? 1 : 64);
  if (j.planes != nullptr) j.width = std::min(j.width, columns_of_short_rows(l.n, j.stored));
  j.blocks_in_row = (j.plan.columns() + j.width - 1) / j.width;
  j.n_blocks = j.plan.rest() * j.blocks_in_row;
  j.indices = l.operands[l.n_out - 1];
  j.to_indices = {DType::int64, j.indices.dtype};
  j.values.data = nullptr;
  if (l.n_out == 2) {
    j.values = l.operands[0];
    j.to_values = {x.dtype, j.values.dtype};
  }
  run(j);
}

}  // namespace

void launch_argmax(const void* desc, const void* self) {
  const auto& l = *static_cast<const ReduceLaunch*>(desc);
  const auto& level = *static_cast<const ReduceLevel*>(self);
  launch(l, level, level.argmax(l.dtype));
}

void launch_argmin(const void* desc, const void* self) {
  const auto& l = *static_cast<const ReduceLaunch*>(desc);
  const auto& level = *static_cast<const ReduceLevel*>(self);
  launch(l, level, level.argmin(l.dtype));
}

}  // namespace tandem::host
