// Runs softmax and log_softmax on the host: the maximum of a row, the fixed tree's sum of
// exp(x - max), then the row again. Exponentials are computed a second time where a row of them
// does not fit a cache: the same functor gives the same bits.
#include <algorithm>

#include "host/parallel.h"
#include "host/reduce_launch.h"
#include "host/reduce_plan.h"
#include "host/reduce_tree.h"
#include "tandem/threads.h"

namespace tandem::host {

namespace {

/// Rows up to this many exponentials are kept instead of computed again.
constexpr std::int64_t kKept = 32768;

struct RowJob {
  ReducePlan plan;
  const RowBlocks* blocks;
  const ReduceBlocks* max;
  const ReduceBlocks* sum;
  Source source;
  OperandDesc out;
  std::int64_t out_stride, out_size;
  Convert to_out;
  bool direct;  // the output's elements are stored in the kernel's dtype
  std::int64_t tiles, work;
  Planes planes;        // splits short dense rows; null: not so
  std::int64_t stored;  // bytes of an element of the input
  bool joins_rows;      // and the results are split back into dense rows
};

struct RowAt {
  const char* in;
  char* out;
};

RowAt row_at(const RowJob& j, std::int64_t rest, std::int64_t column) {
  const ReducePlan& p = j.plan;
  return {j.source.data + p.rest_offset(p.in_outer[0], rest) + column * p.column_stride(0),
          static_cast<char*>(j.out.data) + p.rest_offset(p.out_outer[0], rest) +
              column * p.out_column_stride(0)};
}

const void* tile_of(const RowJob& j, const RowAt& row, std::int64_t t, std::int64_t* m) {
  *m = std::min(kTile, j.plan.n - t * kTile);
  return reduced_run(j.plan, 0, j.source, row.in, t * kTile, *m, scratch().input[0]);
}

/// Where a run of results is computed: in place where the output is dense.
char* out_run(const RowJob& j, char* at, std::int64_t stride) {
  return j.direct && stride == j.out_size ? at : scratch().result[0];
}
void write_run(const RowJob& j, char* at, std::int64_t stride, const char* from,
               std::int64_t count) {
  if (from != at) j.to_out(at, stride, from, j.source.size, count);
}

/// The maximum or the sum of a row from its tiles' accumulators.
void join_row(const ReduceBlocks& blocks, char* tiles, std::int64_t count, std::int64_t n,
              void* result) {
  join_tiles(blocks, tiles, count, 1);
  blocks.finish(result, tiles, 1, n, 0);
}

void out_tile(const RowJob& j, const RowAt& row, std::int64_t t, const void* max, const void* sum) {
  std::int64_t m;
  const void* x = tile_of(j, row, t, &m);
  char* at = row.out + t * kTile * j.out_stride;
  char* to = out_run(j, at, j.out_stride);
  j.blocks->out_tile(to, x, max, sum, m);
  write_run(j, at, j.out_stride, to, m);
}

/// One row by one thread. `tiles` holds an accumulator a tile, `kept` the row's exponentials or is
/// null.
void one_row(const RowJob& j, const RowAt& row, char* tiles, char* kept) {
  alignas(16) char max[16], sum[16];
  std::int64_t m;
  for (std::int64_t t = 0; t < j.tiles; ++t) {
    const void* x = tile_of(j, row, t, &m);
    j.max->tile(tiles + t * j.max->acc_size, x, nullptr, m);
  }
  join_row(*j.max, tiles, j.tiles, j.plan.n, max);
  for (std::int64_t t = 0; t < j.tiles; ++t) {
    const void* x = tile_of(j, row, t, &m);
    char* e = kept != nullptr ? kept + t * kTile * j.work : scratch().result[0];
    j.blocks->exp_tile(e, x, max, m);
    j.sum->tile(tiles + t * j.sum->acc_size, e, nullptr, m);
  }
  join_row(*j.sum, tiles, j.tiles, j.plan.n, sum);
  j.blocks->prepare(sum, 1);
  for (std::int64_t t = 0; t < j.tiles; ++t) {
    if (kept == nullptr) {
      out_tile(j, row, t, max, sum);
      continue;
    }
    char* at = row.out + t * kTile * j.out_stride;
    char* to = out_run(j, at, j.out_stride);
    m = std::min(kTile, j.plan.n - t * kTile);
    j.blocks->divide(to, kept + t * kTile * j.work, sum, m);
    write_run(j, at, j.out_stride, to, m);
  }
}

void many_rows(const RowJob& j) {
  const bool keep = j.blocks->divide != nullptr && j.plan.n <= kKept;
  const std::int64_t columns = j.plan.columns(), tiles = (j.tiles * 8 + 63) / 64 * 64;
  const PerThread work(tiles + (keep ? j.plan.n * j.work : 0));
  parallel_for(j.plan.numel, grain_of(1, j.plan.n * 8), [&](std::int64_t first, std::int64_t last) {
    char* mine = work.mine();
    for (std::int64_t r = first; r < last; ++r) {
      one_row(j, row_at(j, r / columns, r % columns), mine, keep ? mine + tiles : nullptr);
    }
  });
}

/// Few long rows: the threads share the tiles of each.
void long_rows(const RowJob& j) {
  const std::int64_t columns = j.plan.columns();
  const Buffer tiles = make_buffer(j.tiles * 8);
  for (std::int64_t r = 0; r < j.plan.numel; ++r) {
    const RowAt row = row_at(j, r / columns, r % columns);
    alignas(16) char max[16], sum[16];
    parallel_for(j.tiles, 4, [&](std::int64_t first, std::int64_t last) {
      std::int64_t m;
      for (std::int64_t t = first; t < last; ++t) {
        const void* x = tile_of(j, row, t, &m);
        j.max->tile(tiles.get() + t * j.max->acc_size, x, nullptr, m);
      }
    });
    join_row(*j.max, tiles.get(), j.tiles, j.plan.n, max);
    parallel_for(j.tiles, 1, [&](std::int64_t first, std::int64_t last) {
      std::int64_t m;
      for (std::int64_t t = first; t < last; ++t) {
        const void* x = tile_of(j, row, t, &m);
        j.blocks->exp_tile(scratch().result[0], x, max, m);
        j.sum->tile(tiles.get() + t * j.sum->acc_size, scratch().result[0], nullptr, m);
      }
    });
    join_row(*j.sum, tiles.get(), j.tiles, j.plan.n, sum);
    j.blocks->prepare(sum, 1);
    parallel_for(j.tiles, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t) out_tile(j, row, t, max, sum);
    });
  }
}

// ---- rows that lie side by side: a block of columns at a time

void column_block(const RowJob& j, std::int64_t rest, std::int64_t first, std::int64_t w,
                  char* tiles) {
  Scratch& s = scratch();
  const RowAt at = row_at(j, rest, first);
  const std::int64_t stride = j.plan.column_stride(0), step = j.plan.run_stride(0);
  char* split = tiles + j.tiles * w * j.work;
  char* joined = split + j.plan.n * w * j.stored;
  if (j.planes != nullptr) {
    j.planes(split, at.in, w, static_cast<int>(j.plan.n), static_cast<int>(j.stored));
  }
  const auto row = [&](std::int64_t r) {
    if (j.planes != nullptr) {
      return j.source.run(split + r * w * j.stored, j.stored, w, s.input[0]);
    }
    return j.source.run(at.in + r * step, stride, w, s.input[0]);
  };
  const auto ahead = [&](std::int64_t r) -> const void* {
    const bool fetches = j.planes == nullptr && j.source.is_direct(stride);
    return r < j.plan.n && fetches ? at.in + r * step : nullptr;
  };
  char* max = s.wide;
  char* sum = s.wide + Scratch::kRow;
  char* e = s.wide + 2 * Scratch::kRow;
  char* keys = s.rows[0];
  for (std::int64_t r = 0; r < j.plan.n; ++r) {
    j.max->row(keys, row(r), nullptr, w, r == 0, ahead(r + 1));
  }
  j.max->finish(max, keys, w, j.plan.n, 0);
  for (std::int64_t t = 0; t < j.tiles; ++t) {
    const std::int64_t start = t * kTile;
    join_columns(*j.sum, std::min(kTile, j.plan.n - start), w, tiles + t * w * j.work,
                 [&](std::int64_t r, std::int64_t next, bool begins, char* to) {
                   j.blocks->exp_row(e, row(start + r), max, w);
                   j.sum->row(to, e, nullptr, w, begins, next < 0 ? nullptr : ahead(start + next));
                 });
  }
  join_tiles(*j.sum, tiles, j.tiles, w);
  j.sum->finish(sum, tiles, w, j.plan.n, 0);
  j.blocks->prepare(sum, w);
  const std::int64_t out_stride = j.plan.out_column_stride(0);
  for (std::int64_t r = 0; r < j.plan.n && j.joins_rows; ++r) {
    j.blocks->out_row(joined + r * w * j.out_size, row(r), max, sum, w);
  }
  if (j.joins_rows) {
    j.planes(at.out, joined, j.plan.n, static_cast<int>(w), static_cast<int>(j.out_size));
    return;
  }
  for (std::int64_t r = 0; r < j.plan.n; ++r) {
    char* out = at.out + r * j.out_stride;
    char* to = out_run(j, out, out_stride);
    j.blocks->out_row(to, row(r), max, sum, w);
    write_run(j, out, out_stride, to, w);
  }
}

void column_rows(const RowJob& j) {
  const std::int64_t columns = j.plan.columns();
  const std::int64_t share = j.plan.numel / (2 * get_num_threads()) + 1;
  const std::int64_t width = std::clamp<std::int64_t>((share + 63) / 64 * 64, 64, 256);
  const std::int64_t in_row = (columns + width - 1) / width, blocks = j.plan.rest() * in_row;
  const std::int64_t rows = j.planes == nullptr ? 0 : j.plan.n * (j.stored + j.out_size);
  const PerThread work(width * (j.tiles * j.work + rows));
  parallel_for(blocks, grain_of(blocks, j.plan.numel * j.plan.n * 8),
               [&](std::int64_t from, std::int64_t to) {
                 for (std::int64_t b = from; b < to; ++b) {
                   const std::int64_t first = b % in_row * width;
                   column_block(j, b / in_row, first, std::min(width, columns - first),
                                work.mine());
                 }
               });
}

void launch(const RowLaunch& l, const ReduceLevel& level, const RowBlocks* blocks) {
  if (l.numel == 0 || l.n == 0) return;
  RowJob j;
  j.plan = plan_of(l);
  j.blocks = blocks;
  const DType compute = info(l.dtype).compute;
  j.max = level.amax(l.dtype);
  j.sum = level.sum(compute);
  j.source = source_of(l.in, l.dtype);
  j.out = l.out;
  j.out_stride = l.out_stride;
  j.out_size = static_cast<std::int64_t>(element_size(l.out.dtype));
  j.to_out = {l.dtype, l.out.dtype};
  j.direct = l.out.dtype == l.dtype;
  j.tiles = (l.n + kTile - 1) / kTile;
  j.work = static_cast<std::int64_t>(element_size(compute));
  const auto size = [](std::int64_t s) { return s < 0 ? -s : s; };
  j.stored = static_cast<std::int64_t>(element_size(l.in.dtype));
  const bool short_rows = j.plan.has_short_rows(j.stored);
  j.planes = short_rows ? level.planes : nullptr;
  j.joins_rows = short_rows && j.direct && l.out_stride == j.out_size &&
                 j.plan.out_column_stride(0) == l.n * j.out_size;
  if (j.plan.outer > 0 && j.plan.columns() >= 16 &&
      (l.n == 1 || short_rows || size(j.plan.column_stride(0)) < size(j.plan.run_stride(0)))) {
    column_rows(j);
  } else if (j.tiles > 8 && j.plan.numel < 4 * get_num_threads()) {
    long_rows(j);
  } else {
    many_rows(j);
  }
}

}  // namespace

void launch_softmax(const void* desc, const void* self) {
  const auto& l = *static_cast<const RowLaunch*>(desc);
  const auto& level = *static_cast<const ReduceLevel*>(self);
  launch(l, level, level.softmax(l.dtype));
}

void launch_log_softmax(const void* desc, const void* self) {
  const auto& l = *static_cast<const RowLaunch*>(desc);
  const auto& level = *static_cast<const ReduceLevel*>(self);
  launch(l, level, level.log_softmax(l.dtype));
}

}  // namespace tandem::host
