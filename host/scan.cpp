// Runs scans on the host: rows tile by tile, or blocks of columns row by row, in scan order 1 of
// docs/numerics.md. The loops themselves are in isa/scan.cpp.
#include "host/scan.h"

#include <algorithm>
#include <cstring>

#include "host/parallel.h"
#include "host/reduce_plan.h"
#include "host/registry.h"
#include "tandem/backend/scan.h"

namespace tandem::host {

namespace {

/// What comes before each element of a sequence of totals of w columns: 16 of them are a segment,
/// whose total is pushed to the next sequence.
class Prefix {
 public:
  static constexpr int kDepth = 16;
  static std::int64_t bytes(std::int64_t row) { return 2 * kDepth * row; }

  Prefix(const ScanBlocks& blocks, std::int64_t w, char* memory)
      : blocks_(blocks), w_(w), row_(w * blocks.acc_size), memory_(memory) {
    begin(nullptr, kDepth);
  }

  /// `before` comes before the first element; only `limit` sequences are kept.
  void begin(const void* before, int limit) {
    limit_ = limit;
    std::fill_n(count_, kDepth, 0);
    std::fill_n(base_, kDepth, static_cast<const void*>(nullptr));
    if (before != nullptr) std::fill_n(base_, limit, before);
  }

  /// Appends a total; what comes before the next one, valid until then (null after the last that
  /// is kept).
  const void* push(const void* total, int k = 0) {
    char* mine = local(k);
    if (count_[k] == 0) {
      std::memcpy(mine, total, static_cast<std::size_t>(row_));
    } else {
      blocks_.join(mine, mine, total, w_);
    }
    if (++count_[k] < kSegment) {
      if (base_[k] == nullptr) return mine;
      char* sum = mine + row_;
      blocks_.join(sum, base_[k], mine, w_);
      return sum;
    }
    if (k + 1 == limit_) return nullptr;
    count_[k] = 0;
    base_[k] = push(mine, k + 1);
    return base_[k];
  }

  /// The totals of the current segment of sequence k, joined.
  char* local(int k) const { return memory_ + 2 * k * row_; }

 private:
  const ScanBlocks& blocks_;
  std::int64_t w_, row_;
  char* memory_;
  int limit_;
  std::int64_t count_[kDepth];
  const void* base_[kDepth];
};

/// Sequences of totals inside a tile: of segments and of groups.
constexpr int kInTile = 2;

struct Job {
  ReducePlan plan;
  const ScanBlocks* blocks;
  Source source;
  Convert widen, narrow, to_out, to_index;
  bool widens, direct, stream;
  std::int64_t elem, kernel;  // bytes of an element in the loops, of the dtype asked for
  OperandDesc out, index;
  std::int64_t out_stride, index_stride;
  bool columns;
  std::int64_t width, blocks_in_row, n_blocks, tiles;
  Planes planes;                  // splits short dense rows into columns, and back; null: not so
  std::int64_t stored, out_size;  // bytes of an element of the input, of the output
};

/// A block of neighbouring outer indices.
struct Block {
  std::int64_t width;
  const char* in;
  char* out;
  char* index;
};

Block block_at(const Job& j, std::int64_t i) {
  const ReducePlan& p = j.plan;
  const std::int64_t rest = i / j.blocks_in_row, first = i % j.blocks_in_row * j.width;
  Block b;
  b.width = std::min(j.width, p.columns() - first);
  b.in = j.source.data + p.rest_offset(p.in_outer[0], rest) + first * p.column_stride(0);
  b.out = static_cast<char*>(j.out.data) + p.rest_offset(p.out_outer[0], rest) +
          first * p.out_column_stride(0);
  b.index = nullptr;
  if (j.blocks->indexed) {
    b.index = static_cast<char*>(j.index.data) + p.rest_offset(p.out_outer[1], rest) +
              first * p.out_column_stride(1);
  }
  return b;
}

// ---- runs of elements in and out

const void* read(const Job& j, const char* at, std::int64_t stride, std::int64_t count) {
  Scratch& s = scratch();
  const void* x = j.source.run(at, stride, count, s.input[0]);
  if (!j.widens) return x;
  j.widen(s.input[1], j.elem, x, j.source.size, count);
  return s.input[1];
}

/// Where the loops write a run, and its way to the output from there.
struct Written {
  Written(const Job& job, char* out, std::int64_t out_stride, char* index,
          std::int64_t index_stride)
      : j(job), at(out), stride(out_stride), where(index), where_stride(index_stride) {
    Scratch& s = scratch();
    value = j.direct && !j.stream && stride == j.elem ? at : s.result[0];
    const bool dense = j.index.dtype == DType::int64 && where_stride == 8;
    indices = reinterpret_cast<std::int64_t*>(dense ? where : s.wide);
    if (where == nullptr) indices = nullptr;
  }

  void done(std::int64_t count) const {
    Scratch& s = scratch();
    if (j.stream) {
      level().stream(at, value, static_cast<std::size_t>(count * j.elem));
    } else if (value != at) {
      const char* from = value;
      std::int64_t size = j.elem;
      if (j.narrow.from != j.narrow.to) {
        j.narrow(s.result[1], j.kernel, from, size, count);
        from = s.result[1];
        size = j.kernel;
      }
      j.to_out(at, stride, from, size, count);
    }
    const char* from = reinterpret_cast<const char*>(indices);
    if (from != where) j.to_index(where, where_stride, from, 8, count);
  }

  const Job& j;
  char* at;
  std::int64_t stride;
  char* where;
  std::int64_t where_stride;
  char* value;
  std::int64_t* indices;
};

// ---- rows: one outer index after the other, tile by tile

const void* tile_in(const Job& j, const char* in, std::int64_t t, std::int64_t* m) {
  *m = std::min(kTile, j.plan.n - t * kTile);
  const std::int64_t stride = j.plan.run_stride(0);
  return read(j, in + t * kTile * stride, stride, *m);
}

void row_tile(const Job& j, const Block& b, std::int64_t t, const void* before, void* total) {
  std::int64_t m;
  const void* x = tile_in(j, b.in, t, &m);
  const std::int64_t at = t * kTile;
  char* index = b.index == nullptr ? nullptr : b.index + at * j.index_stride;
  const Written to(j, b.out + at * j.out_stride, j.out_stride, index, j.index_stride);
  j.blocks->tile(to.value, to.indices, x, m, at, before, total);
  to.done(m);
}

void row_block(const Job& j, const Block& b) {
  const ReducePlan& p = j.plan;
  alignas(16) char memory[2 * Prefix::kDepth * 16], total[16];
  for (std::int64_t c = 0; c < b.width; ++c) {
    const Block one{1, b.in + c * p.column_stride(0), b.out + c * p.out_column_stride(0),
                    b.index == nullptr ? nullptr : b.index + c * p.out_column_stride(1)};
    Prefix prefix(*j.blocks, 1, memory);
    const void* before = nullptr;
    for (std::int64_t t = 0; t < j.tiles; ++t) {
      row_tile(j, one, t, before, total);
      if (t + 1 < j.tiles) before = prefix.push(total);
    }
  }
}

// ---- columns: row after row of a block

/// Rows [start, start + count), which begin a tile or are all of them.
void column_rows(const Job& j, const Block& b, std::int64_t start, std::int64_t count,
                 const void* before, bool writes, char* local, Prefix& prefix) {
  const ReducePlan& p = j.plan;
  const std::int64_t step = p.run_stride(0), across = p.column_stride(0);
  const bool fetches = j.source.is_direct(across);
  for (std::int64_t r = start; r < start + count; ++r) {
    const char* at = b.in + r * step;
    const void* x = read(j, at, across, b.width);
    const void* next = fetches && r + 1 < start + count ? at + step : nullptr;
    const bool first = r % kSegment == 0;
    if (writes) {
      char* index = b.index == nullptr ? nullptr : b.index + r * j.index_stride;
      const Written to(j, b.out + r * j.out_stride, p.out_column_stride(0), index,
                       index == nullptr ? 0 : p.out_column_stride(1));
      j.blocks->row(to.value, to.indices, x, b.width, r, local, before, first, next);
      to.done(b.width);
    } else {
      j.blocks->row(nullptr, nullptr, x, b.width, r, local, before, first, next);
    }
    if (r % kSegment == kSegment - 1) before = prefix.push(local);
  }
}

std::int64_t in_lines(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

std::int64_t column_bytes(const Job& j) {
  const std::int64_t row = j.columns ? j.width * j.blocks->acc_size : 0;
  return in_lines(row + Prefix::bytes(row));
}

/// What short rows are split into: elements, values, indices.
std::int64_t split_bytes(const Job& j) {
  const std::int64_t each = j.width * j.plan.n;
  return j.planes == nullptr
             ? 0
             : in_lines(each * j.stored) + in_lines(each * j.out_size) + in_lines(each * 8);
}

/// A block of short dense rows: as columns in `split`, whose results become rows again.
void short_rows(const Job& j, const Block& b, char* local, char* split) {
  const std::int64_t w = b.width, n = j.plan.n;
  Job t = j;
  const int outer = t.plan.outer - 1, reduced = t.plan.reduced - 1;
  t.plan.in_outer[0][outer] = j.stored;
  t.plan.in_reduced[0][reduced] = w * j.stored;
  t.plan.out_outer[0][outer] = j.out_size;
  t.out_stride = w * j.out_size;
  t.plan.out_outer[1][outer] = 8;
  t.index_stride = w * 8;
  t.stream = false;
  char* values = split + in_lines(w * n * j.stored);
  char* indices = values + in_lines(w * n * j.out_size);
  const Block columns{w, split, values, b.index == nullptr ? nullptr : indices};
  j.planes(split, b.in, w, static_cast<int>(n), static_cast<int>(j.stored));
  Prefix prefix(*j.blocks, w, local + w * j.blocks->acc_size);
  column_rows(t, columns, 0, n, nullptr, true, local, prefix);
  j.planes(b.out, values, n, static_cast<int>(w), static_cast<int>(j.out_size));
  if (b.index != nullptr) j.planes(b.index, indices, n, static_cast<int>(w), 8);
}

// ---- many blocks: each by one thread

void many_blocks(const Job& j) {
  const PerThread work(column_bytes(j) + split_bytes(j));
  const std::int64_t elements = j.plan.numel * j.plan.n * 2;
  parallel_for(j.n_blocks, grain_of(j.n_blocks, elements),
               [&](std::int64_t first, std::int64_t last) {
                 char* local = work.mine();
                 for (std::int64_t i = first; i < last; ++i) {
                   const Block b = block_at(j, i);
                   if (!j.columns) {
                     row_block(j, b);
                     continue;
                   }
                   if (j.planes != nullptr) {
                     short_rows(j, b, local, local + column_bytes(j));
                     continue;
                   }
                   Prefix prefix(*j.blocks, b.width, local + b.width * j.blocks->acc_size);
                   column_rows(j, b, 0, j.plan.n, nullptr, true, local, prefix);
                 }
                 if (j.stream) stream_fence();
               });
}

// ---- few blocks of many tiles: the threads share the tiles of each

/// Elements whose totals are found before they are scanned: few enough to be in a thread's second
/// cache still.
constexpr std::int64_t kChunkBytes = 512 << 10;

void tile_total(const Job& j, const Block& b, std::int64_t t, char* local, char* total) {
  std::int64_t m;
  if (!j.columns) {
    j.blocks->total(total, tile_in(j, b.in, t, &m), t * kTile);
    return;
  }
  const std::int64_t row = b.width * j.blocks->acc_size;
  Prefix prefix(*j.blocks, b.width, local + row);
  prefix.begin(nullptr, kInTile);
  column_rows(j, b, t * kTile, kTile, nullptr, false, local, prefix);
  std::memcpy(total, prefix.local(kInTile - 1), static_cast<std::size_t>(row));
}

void tile_scan(const Job& j, const Block& b, std::int64_t t, const void* before, char* local) {
  if (!j.columns) {
    alignas(16) char total[16];
    row_tile(j, b, t, before, total);
    return;
  }
  Prefix prefix(*j.blocks, b.width, local + b.width * j.blocks->acc_size);
  prefix.begin(before, kInTile);
  column_rows(j, b, t * kTile, std::min(kTile, j.plan.n - t * kTile), before, true, local, prefix);
}

void shared_tiles(const Job& j) {
  const std::int64_t row = j.width * j.blocks->acc_size;
  const std::int64_t each =
      std::clamp<std::int64_t>(kChunkBytes / (kTile * j.width * j.elem), 1, 64);
  const std::int64_t chunk = each * get_num_threads();
  const PerThread work(column_bytes(j));
  const Buffer prefixes = make_buffer(Prefix::bytes(row));
  const Buffer memory = make_buffer(2 * (chunk + 1) * row);
  char* totals = memory.get();
  char* before = totals + (chunk + 1) * row;  // of each tile of the chunk and of the next one
  for (std::int64_t i = 0; i < j.n_blocks; ++i) {
    const Block b = block_at(j, i);
    Prefix prefix(*j.blocks, b.width, prefixes.get());
    for (std::int64_t start = 0; start < j.tiles; start += chunk) {
      const std::int64_t count = std::min(chunk, j.tiles - start);
      parallel_for(count, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t t = first; t < last; ++t) {
          if (start + t + 1 < j.tiles) tile_total(j, b, start + t, work.mine(), totals + t * row);
        }
      });
      for (std::int64_t t = 0; t < count && start + t + 1 < j.tiles; ++t) {
        std::memcpy(before + (t + 1) * row, prefix.push(totals + t * row),
                    static_cast<std::size_t>(b.width * j.blocks->acc_size));
      }
      parallel_for(count, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t t = first; t < last; ++t) {
          const bool none = start + t == 0;
          tile_scan(j, b, start + t, none ? nullptr : before + t * row, work.mine());
        }
        if (j.stream) stream_fence();
      });
      std::memcpy(before, before + count * row, static_cast<std::size_t>(row));
    }
  }
}

// ---- the plan

/// Shorter runs are not worth the copy that streaming past the caches takes.
constexpr std::int64_t kStreamRun = 64;

ReducePlan scan_plan(const ScanLaunch& l) {
  std::int64_t shape[kMaxRank + 1], in_strides[kMaxRank + 1];
  std::copy_n(l.shape, l.rank, shape);
  std::copy_n(l.in.strides, l.rank, in_strides);
  shape[l.rank] = l.n;
  in_strides[l.rank] = l.in_stride;
  ReduceLaunch r{};
  r.numel = l.numel;
  r.n = l.n;
  r.shape = shape;
  r.rank_outer = l.rank;
  r.rank_reduced = 1;
  r.n_out = l.n_out;
  r.n_in = 1;
  std::copy_n(l.out, l.n_out, r.operands);
  r.operands[l.n_out] = l.in;
  r.operands[l.n_out].strides = in_strides;
  return plan_of(r);
}

/// Side by side where that is the memory's order, or where rows are too short to fill a vector.
bool by_columns(const ReducePlan& p) {
  constexpr std::int64_t kShort = 64, kFewColumns = 16;
  const auto size = [](std::int64_t s) { return s < 0 ? -s : s; };
  if (p.outer == 0 || p.columns() < kFewColumns || p.n == 1) return false;
  return p.n < kShort || size(p.column_stride(0)) < size(p.run_stride(0));
}

void set_width(Job& j) {
  const ReducePlan& p = j.plan;
  const std::int64_t share = p.numel / (4 * get_num_threads()) + 1;
  if (j.columns) {
    const std::int64_t fit = Scratch::kRow / j.blocks->acc_size;
    j.width =
        std::clamp<std::int64_t>((share + 63) / 64 * 64, 64, std::min<std::int64_t>(fit, 512));
    if (j.planes != nullptr) {
      j.width = std::min(j.width, columns_of_short_rows(p.n, std::max(j.stored, j.out_size)));
    }
    j.width = std::min(j.width, p.columns());
  } else {
    const std::int64_t most = std::clamp<std::int64_t>(32768 / (p.n + 1), 1, 256);
    j.width = j.tiles > 1 ? 1 : std::clamp<std::int64_t>(share, 1, most);
  }
  j.blocks_in_row = (p.columns() + j.width - 1) / j.width;
  j.n_blocks = p.rest() * j.blocks_in_row;
}

/// Whether an output's rows are dense, one after the other.
bool writes_rows(const ReducePlan& p, int output, std::int64_t stride, std::int64_t size) {
  return stride == size && p.out_column_stride(output) == p.n * size;
}

void launch(const ScanLaunch& l, const ScanBlocks* (*blocks_of)(DType), bool indexed,
            Planes planes) {
  if (l.numel == 0 || l.n == 0) return;
  Job j;
  const DType elem = scan_dtype(l.dtype, indexed);
  j.blocks = blocks_of(elem);
  j.plan = scan_plan(l);
  j.source = source_of(l.in, l.dtype);
  j.widens = elem != l.dtype;
  j.widen = {l.dtype, elem};
  j.narrow = {elem, l.dtype};
  j.out = l.out[0];
  j.to_out = {l.dtype, j.out.dtype};
  j.out_stride = l.out_stride[0];
  j.index = {nullptr, nullptr, {}, DType::int64, DType::int64};
  j.index_stride = 0;
  if (indexed) {
    j.index = l.out[1];
    j.index_stride = l.out_stride[1];
  }
  j.to_index = {DType::int64, j.index.dtype};
  j.elem = static_cast<std::int64_t>(element_size(elem));
  j.kernel = static_cast<std::int64_t>(element_size(l.dtype));
  j.direct = !j.widens && j.out.dtype == l.dtype;
  j.tiles = (l.n + kTile - 1) / kTile;
  j.columns = by_columns(j.plan);
  j.stored = static_cast<std::int64_t>(element_size(l.in.dtype));
  j.out_size = static_cast<std::int64_t>(element_size(j.out.dtype));
  bool splits = j.columns && j.plan.has_short_rows(j.stored) &&
                writes_rows(j.plan, 0, j.out_stride, j.out_size);
  if (indexed) {
    splits = splits && j.index.dtype == DType::int64 && writes_rows(j.plan, 1, j.index_stride, 8);
  }
  j.planes = splits ? planes : nullptr;
  set_width(j);
  const std::int64_t dense = j.columns ? j.plan.out_column_stride(0) : j.out_stride;
  j.stream = j.direct && dense == j.elem && l.out[0].data != l.in.data &&
             l.numel * l.n * j.elem >= kStreamBytes && (j.columns ? j.width : l.n) >= kStreamRun;
  if (j.tiles > 1 && j.n_blocks < 4 * get_num_threads() && get_num_threads() > 1) {
    shared_tiles(j);
  } else {
    many_blocks(j);
  }
}

}  // namespace

#define TANDEM_SCAN(name, indexed)                                                    \
  void launch_##name(const void* desc, const void* self) {                            \
    const auto& level = *static_cast<const ScanLevel*>(self);                         \
    launch(*static_cast<const ScanLaunch*>(desc), level.name, indexed, level.planes); \
  }
TANDEM_SCAN(cumsum, false)
TANDEM_SCAN(cumprod, false)
TANDEM_SCAN(logcumsumexp, false)
TANDEM_SCAN(cummax, true)
TANDEM_SCAN(cummin, true)
#undef TANDEM_SCAN

}  // namespace tandem::host
