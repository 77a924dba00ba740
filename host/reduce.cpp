// Runs reductions on the host: cuts a launch into tiles of the fixed tree and blocks of columns and
// spreads them over threads. The loops themselves are in isa/reduce_*.cpp.
#include "host/reduce.h"

#include <algorithm>
#include <cstring>

#include "host/parallel.h"
#include "host/reduce_launch.h"
#include "host/reduce_plan.h"
#include "host/reduce_tree.h"
#include "host/registry.h"
#include "host/small_product.h"
#include "host/vector_product.h"
#include "host/weighted.h"

namespace tandem::host {

namespace {

/// How the elements of a block of outer indices are walked. Each gives the same bits.
enum class Walk : std::uint8_t {
  Rows,          // one outer index after the other, its elements made dense
  Columns,       // all columns of the block side by side, one reduced index after the other
  Lanes,         // long dense columns: all lanes of a few of them, read in the memory's order
  Wide,          // few dense columns: 128 rows of them are one long row, read in the memory's order
  VectorRows,    // dense rows times one vector
  VectorColumns  // dense columns times one vector, read in the memory's order
};

struct Job {
  ReducePlan plan;
  const ReduceBlocks* blocks;
  Walk walk;
  Source source[kMaxInputs];
  bool pair, constant;        // a second input; it is the same for all elements (Rows) or columns
  bool direct;                // results are stored as `finish` gives them
  bool stream;                // and past the caches
  WeightedPlanes weighted;    // does a block of columns in one pass; null: not so
  const VectorLoops* vector;  // of products with one vector
  Planes planes;              // splits the few neighbours that a column consists of; null: not so
  std::int64_t width;         // columns of a block
  std::int64_t blocks_in_row, n_blocks, tiles;
  // Output.
  OperandDesc out;
  double param;
  Convert to_kernel, to_out;
  std::int64_t stored, result_size, kernel_size, out_size;
};

/// Where a block begins.
struct Block {
  std::int64_t rest, first, width;
  const char* base[kMaxInputs];
  const char* following;  // where the first input's next block of columns begins; null: elsewhere
};

Block block_at(const Job& j, std::int64_t i) {
  Block b;
  b.rest = i / j.blocks_in_row;
  b.first = i % j.blocks_in_row * j.width;
  b.width = std::min(j.width, j.plan.columns() - b.first);
  for (int k = 0; k < j.plan.n_in; ++k) {
    b.base[k] = j.source[k].data + j.plan.rest_offset(j.plan.in_outer[k], b.rest) +
                b.first * j.plan.column_stride(k);
  }
  const bool last = b.first + b.width >= j.plan.columns();
  b.following = last ? nullptr : b.base[0] + b.width * j.plan.column_stride(0);
  return b;
}

// ---- rows: every outer index by itself

void rows_tile(const Job& j, const Block& b, std::int64_t start, std::int64_t m, char* acc) {
  Scratch& s = scratch();
  for (std::int64_t c = 0; c < b.width; ++c) {
    const char* base = b.base[0] + c * j.plan.column_stride(0);
    const void* x = reduced_run(j.plan, 0, j.source[0], base, start, m, s.input[0]);
    char* to = acc + c * j.blocks->acc_size;
    if (!j.pair) {
      j.blocks->tile(to, x, nullptr, m);
      continue;
    }
    const char* second = b.base[1] + c * j.plan.column_stride(1);
    if (j.constant) {
      const void* y = j.source[1].run(second, 0, 1, s.input[1]);
      j.blocks->tile_scalar(to, x, y, m);
    } else {
      const void* y = reduced_run(j.plan, 1, j.source[1], second, start, m, s.input[1]);
      j.blocks->tile(to, x, y, m);
    }
  }
}

// ---- columns: one row of the block after the other

void add_row(const Job& j, const Block& b, std::int64_t r, std::int64_t next, bool first,
             char* acc) {
  Scratch& s = scratch();
  const std::int64_t stored = j.plan.run_stride(0);
  const std::int64_t stride = j.planes != nullptr ? stored : j.plan.column_stride(0);
  const char* at =
      j.planes != nullptr ? s.wide + r * b.width * stored : b.base[0] + j.plan.reduced_offset(0, r);
  const void* x = j.source[0].run(at, stride, b.width, s.input[0]);
  const void* ahead = nullptr;
  if (j.planes == nullptr && j.source[0].is_direct(stride)) {
    ahead = next >= 0 ? b.base[0] + j.plan.reduced_offset(0, next) : b.following;
  }
  if (!j.pair) {
    j.blocks->row(acc, x, nullptr, b.width, first, ahead);
    return;
  }
  const char* second = b.base[1] + j.plan.reduced_offset(1, r);
  if (j.constant) {
    const void* y = j.source[1].run(second, 0, 1, s.input[1]);
    j.blocks->row_scalar(acc, x, y, b.width, first, ahead);
  } else {
    const void* y = j.source[1].run(second, j.plan.column_stride(1), b.width, s.input[1]);
    j.blocks->row(acc, x, y, b.width, first, ahead);
  }
}

void columns_tile(const Job& j, const Block& b, std::int64_t start, std::int64_t m, char* acc) {
  if (j.planes != nullptr) {
    j.planes(scratch().wide, b.base[0], b.width, static_cast<int>(m),
             static_cast<int>(j.plan.run_stride(0)));
  }
  join_columns(*j.blocks, m, b.width, acc,
               [&](std::int64_t r, std::int64_t next, bool first, char* to) {
                 add_row(j, b, start + r, next < 0 ? -1 : start + next, first, to);
               });
}

// ---- lanes: the accumulators of all lanes of a few columns stay in the second cache

/// Columns of a block, and how many rows ahead of the reading one is fetched: measured best, at
/// AVX2 and with two threads, for rows of 16 KiB.
constexpr std::int64_t kLaneColumns = 64, kRowsAhead = 8;

void lanes_tile(const Job& j, const Block& b, std::int64_t start, std::int64_t m, char* acc) {
  Scratch& s = scratch();
  const std::int64_t row = b.width * j.blocks->acc_size, stride = j.plan.run_stride(0);
  const char* at = b.base[0] + j.plan.reduced_offset(0, start);
  for (std::int64_t r = 0; r < m; ++r, at += stride) {
    j.blocks->row(s.wide + r % kLanes * row, at, nullptr, b.width, r < kLanes,
                  at + kRowsAhead * stride);
  }
  join_lane_rows(*j.blocks, s.wide, std::min(kLanes, m), b.width);
  std::memcpy(acc, s.wide, static_cast<std::size_t>(row));
}

// ---- wide rows: kLanes rows of all columns lie one after the other in memory

void wide_tile(const Job& j, const Block& b, std::int64_t start, std::int64_t m, char* acc) {
  Scratch& s = scratch();
  const std::int64_t w = b.width;
  const char* at = b.base[0] + j.plan.reduced_offset(0, start);
  const std::int64_t stride = j.plan.run_stride(0);
  for (std::int64_t r = 0; r < m; r += kLanes) {
    const std::int64_t rows = std::min(kLanes, m - r);
    j.blocks->row(s.wide, at + r * stride, nullptr, rows * w, r == 0, at + (r + kLanes) * stride);
  }
  join_lane_rows(*j.blocks, s.wide, std::min(kLanes, m), w);
  std::memcpy(acc, s.wide, static_cast<std::size_t>(w * j.blocks->acc_size));
}

// ---- a matrix and a vector

void vector_tile(const Job& j, const Block& b, std::int64_t start, std::int64_t m, char* acc) {
  Scratch& s = scratch();
  const void* y = reduced_run(j.plan, 1, j.source[1], b.base[1], start, m, s.input[1]);
  const char* at = b.base[0] + j.plan.reduced_offset(0, start);
  if (j.walk == Walk::VectorRows) {
    j.vector->rows(acc, at, j.plan.column_stride(0), y, b.width, m, s.wide);
  } else {
    j.vector->columns(acc, at, j.plan.run_stride(0), y, m, b.width, s.wide);
  }
}

void block_tile(const Job& j, const Block& b, std::int64_t tile, char* acc) {
  const std::int64_t start = tile * kTile, m = std::min(kTile, j.plan.n - start);
  switch (j.walk) {
    case Walk::Rows:
      return rows_tile(j, b, start, m, acc);
    case Walk::Columns:
      return columns_tile(j, b, start, m, acc);
    case Walk::Lanes:
      return lanes_tile(j, b, start, m, acc);
    case Walk::Wide:
      return wide_tile(j, b, start, m, acc);
    case Walk::VectorRows:
    case Walk::VectorColumns:
      return vector_tile(j, b, start, m, acc);
  }
}

// ---- the tiles' results, and out

void store(const Job& j, const Block& b, const char* acc) {
  const std::int64_t stride = j.plan.out_column_stride(0);
  char* to = static_cast<char*>(j.out.data) + j.plan.rest_offset(j.plan.out_outer[0], b.rest) +
             b.first * stride;
  if (j.direct && !j.stream && (stride == j.out_size || b.width == 1)) {
    j.blocks->finish(to, acc, b.width, j.plan.n, j.param);
    return;
  }
  Scratch& s = scratch();
  j.blocks->finish(s.result[0], acc, b.width, j.plan.n, j.param);
  if (j.stream) {
    level().stream(to, s.result[0], static_cast<std::size_t>(b.width * j.out_size));
    return;
  }
  const void* from = s.result[0];
  std::int64_t size = j.result_size;
  if (j.to_kernel.from != j.to_kernel.to) {
    j.to_kernel(s.result[1], j.kernel_size, from, size, b.width);
    from = s.result[1];
    size = j.kernel_size;
  }
  j.to_out(to, stride, from, size, b.width);
}

/// Few planes times a weight each, straight to the output.
void weighted_block(const Job& j, const Block& b) {
  const void* planes[kMostPlanes];
  const void* weights[kMostPlanes];
  for (std::int64_t k = 0; k < j.plan.n; ++k) {
    planes[k] = b.base[0] + j.plan.reduced_offset(0, k);
    weights[k] = b.base[1] + j.plan.reduced_offset(1, k);
  }
  char* to = static_cast<char*>(j.out.data) + j.plan.rest_offset(j.plan.out_outer[0], b.rest) +
             b.first * j.out_size;
  j.weighted(to, planes, weights, static_cast<int>(j.plan.n), b.width);
}

void run(const Job& j) {
  const std::int64_t elements = j.plan.numel * std::max<std::int64_t>(j.plan.n, 1);
  if (j.tiles <= 1) {
    parallel_for(j.n_blocks, grain_of(j.n_blocks, elements),
                 [&](std::int64_t first, std::int64_t last) {
                   char* acc = scratch().rows[0];
                   for (std::int64_t i = first; i < last; ++i) {
                     const Block b = block_at(j, i);
                     if (j.weighted != nullptr) {
                       weighted_block(j, b);
                       continue;
                     }
                     if (j.tiles == 1) block_tile(j, b, 0, acc);
                     store(j, b, acc);
                   }
                   if (j.stream) stream_fence();
                 });
    return;
  }
  // Every tile of every block for itself, then the tree over each block's tiles.
  const std::int64_t row = j.width * j.blocks->acc_size, items = j.n_blocks * j.tiles;
  const Buffer sums = make_buffer(items * row);
  parallel_for(items, grain_of(items, elements), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const Block b = block_at(j, i / j.tiles);
      // A narrower last block is stored at its own width: its rows must be neighbours.
      block_tile(
          j, b, i % j.tiles,
          sums.get() + i / j.tiles * j.tiles * row + i % j.tiles * b.width * j.blocks->acc_size);
    }
  });
  parallel_for(j.n_blocks, grain_of(j.n_blocks, j.plan.numel * j.tiles),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t i = first; i < last; ++i) {
                   const Block b = block_at(j, i);
                   char* of_block = sums.get() + i * j.tiles * row;
                   join_tiles(*j.blocks, of_block, j.tiles, b.width);
                   store(j, b, of_block);
                 }
                 if (j.stream) stream_fence();
               });
}

// ---- the plan

std::int64_t magnitude(std::int64_t x) { return x < 0 ? -x : x; }

Walk choose_walk(const Job& j) {
  const ReducePlan& p = j.plan;
  // Fewer elements than this do not fill a tile's vectors: many outer indices at once do.
  constexpr std::int64_t kShort = 16, kFewColumns = 8;
  const std::int64_t along = magnitude(p.run_stride(0)), across = magnitude(p.column_stride(0));
  const std::int64_t columns = p.columns();
  if (p.outer == 0 || p.n == 1) return p.outer == 0 ? Walk::Rows : Walk::Columns;
  const bool wide = !j.pair && p.reduced == 1 && j.source[0].is_direct(p.column_stride(0)) &&
                    p.run_stride(0) == columns * j.source[0].size &&
                    kLanes * columns * j.blocks->acc_size <= Scratch::kWide / 2;
  if (wide) return Walk::Wide;
  if (columns < kFewColumns) return Walk::Rows;
  if (p.n < kShort || p.has_short_rows(j.stored)) return Walk::Columns;
  // Windows of a row (convolution) overlap: neighbours lie beside each other both ways.
  const bool windows = j.pair && across == along && p.column_stride(1) == 0;
  if (across >= along && !windows) return Walk::Rows;
  const bool lanes = !j.pair && p.reduced == 1 && j.source[0].is_direct(p.column_stride(0)) &&
                     p.n >= 4 * kLanes &&
                     kLanes * kLaneColumns * j.blocks->acc_size <= Scratch::kWide;
  return lanes ? Walk::Lanes : Walk::Columns;
}

/// Columns of a block: enough to be worth a call, few enough that the accumulators stay in the
/// first cache and that every thread finds blocks. The bits do not depend on it.
std::int64_t choose_width(const Job& j) {
  const ReducePlan& p = j.plan;
  const std::int64_t fit = Scratch::kRow / j.blocks->acc_size;
  const std::int64_t share = p.numel / (4 * get_num_threads()) + 1;
  switch (j.walk) {
    case Walk::Rows:
      return j.tiles > 1 ? 1
                         : std::clamp<std::int64_t>(
                               share, 1, std::clamp<std::int64_t>(32768 / (p.n + 1), 1, 256));
    case Walk::Columns:
      // Short columns need few rows of accumulators.
      return std::min(
          std::clamp<std::int64_t>((share + 63) / 64 * 64, 64, p.n <= 8 ? fit : fit / 2),
          j.planes != nullptr ? columns_of_short_rows(p.n, j.stored) : fit);
    case Walk::Lanes:
      return kLaneColumns;
    case Walk::Wide:
      return p.columns();
    case Walk::VectorRows:
      // The vector may be converted for each block.
      return std::clamp<std::int64_t>(share, 1, std::clamp<std::int64_t>(262144 / p.n, 16, 256));
    case Walk::VectorColumns: {
      // Long pieces of the memory's rows, but work for every thread.
      const std::int64_t each = (p.columns() / get_num_threads() + 63) / 64 * 64;
      return std::clamp<std::int64_t>(each, 64, 256);
    }
  }
  __builtin_unreachable();
}

/// Sums of products in which the second input is the same for all columns, by the loops for a
/// matrix and a vector.
bool takes_vector(Job& j, const OperandDesc& second, DType t) {
  constexpr std::int64_t kLeast = 8;
  const ReducePlan& p = j.plan;
  const VectorLoops& loops = vector_loops(t);
  if (loops.rows == nullptr || p.reduced != 1 || p.columns() < kLeast) return false;
  if (j.source[0].cast || p.column_stride(0) == 0 || p.column_stride(1) != 0) return false;
  const bool rows = p.run_stride(0) == j.source[0].size && p.n >= 2 * kLeast;
  const bool columns = p.column_stride(0) == j.source[0].size && p.n > 1;
  if (!rows && !columns) return false;
  j.vector = &loops;
  j.walk = rows ? Walk::VectorRows : Walk::VectorColumns;
  j.source[1] = source_of(second, info(t).compute);
  return true;
}

WeightedPlanes g_weighted[kNumDTypes] = {};
VectorLoops g_vector[kNumDTypes] = {};

/// Runs one row. `sums`: integers are widened as they are read. The second input, if any, is seen
/// in dtype `second_kernel`.
void reduce_blocks(const ReduceLaunch& l, const ReduceLevel& level,
                   const ReduceBlocks* (*blocks_of)(DType), bool sums, DType second_kernel) {
  if (l.numel == 0) return;
  Job j;
  j.plan = plan_of(l);
  const OperandDesc& x = l.operands[l.n_out];
  const bool widens = sums && l.n_in == 1 && l.dtype == DType::int64 &&
                      dtypes::BoolInts.has(x.dtype) && x.dtype != DType::uint64;
  j.blocks = blocks_of(widens ? x.dtype : l.dtype);
  // Sums of narrower integers read them as they are: their map widens exactly as the cast would.
  j.source[0] = source_of(x, widens ? x.dtype : l.dtype);
  j.pair = l.n_in == 2;
  if (j.pair) j.source[1] = source_of(l.operands[l.n_out + 1], second_kernel);
  j.tiles = (l.n + kTile - 1) / kTile;
  j.stored = static_cast<std::int64_t>(element_size(x.dtype));
  const bool vector =
      j.pair && j.blocks == level.dot(l.dtype) && takes_vector(j, l.operands[l.n_out + 1], l.dtype);
  if (!vector) j.walk = choose_walk(j);
  j.constant = j.pair && (j.walk == Walk::Rows ? j.plan.is_constant_along_reduced(1)
                                               : j.plan.column_stride(1) == 0);
  const bool groups = j.walk == Walk::Columns && j.plan.has_short_rows(j.stored);
  j.planes = groups ? level.planes : nullptr;
  j.width = choose_width(j);
  j.blocks_in_row = (j.plan.columns() + j.width - 1) / j.width;
  j.n_blocks = j.plan.rest() * j.blocks_in_row;
  j.out = l.operands[0];
  j.param = l.param;
  const DType kernel = info(j.out.kernel).compute;
  j.to_kernel = {j.blocks->result, kernel};
  j.to_out = {kernel, j.out.dtype};
  j.direct = j.blocks->result == kernel && kernel == j.out.dtype;
  j.stream = j.walk == Walk::Columns && j.direct &&
             l.numel * static_cast<std::int64_t>(element_size(kernel)) >= kStreamBytes &&
             j.plan.out_column_stride(0) == static_cast<std::int64_t>(element_size(kernel));
  const bool few = l.n >= 2 && l.n <= kMostPlanes && j.constant && j.stream &&
                   j.blocks == level.dot(l.dtype) &&
                   j.source[0].is_direct(j.plan.column_stride(0)) && !j.source[1].cast;
  j.weighted = few ? weighted_planes(l.dtype) : nullptr;
  j.result_size = static_cast<std::int64_t>(element_size(j.blocks->result));
  j.kernel_size = static_cast<std::int64_t>(element_size(kernel));
  j.out_size = static_cast<std::int64_t>(element_size(j.out.dtype));
  run(j);
}

}  // namespace

const VectorLoops& vector_loops(DType t) { return g_vector[static_cast<int>(t)]; }
void bind_vector_loops(DType t, VectorLoops loops) { g_vector[static_cast<int>(t)] = loops; }
WeightedPlanes weighted_planes(DType t) { return g_weighted[static_cast<int>(t)]; }
void bind_weighted_planes(DType t, WeightedPlanes f) { g_weighted[static_cast<int>(t)] = f; }

// ---- the rows

namespace {

/// With two inputs their products are summed, whatever the row is called.
void reduce_row(const ReduceLaunch& l, const ReduceLevel& level,
                const ReduceBlocks* (*blocks_of)(DType), bool sums) {
  if (l.n_in == 2 && small_sums(l)) return;
  reduce_blocks(l, level, l.n_in == 2 ? level.dot : blocks_of, sums, l.dtype);
}

}  // namespace

#define TANDEM_REDUCTION(name, functor, set, result, ...)             \
  void launch_##name(const void* desc, const void* self) {            \
    const auto& l = *static_cast<const ReduceLaunch*>(desc);          \
    const auto& level = *static_cast<const ReduceLevel*>(self);       \
    reduce_row(l, level, level.name, Result::result == Result::Wide); \
  }
#include "tandem/ops/reduction.def"

namespace {

/// Two passes on one tree: the mean, then the squared distances from it. The means are in the
/// compute type, unrounded for the half types.
void launch_variance(const ReduceLaunch& l, const ReduceLevel& level,
                     const ReduceBlocks* (*last)(DType)) {
  const DType compute = info(l.dtype).compute;
  const auto size = static_cast<std::int64_t>(element_size(compute));
  const bool kept = l.n_out == 2;  // the means are a result too, dense and in the compute type
  const Buffer means = make_buffer(kept ? 0 : l.numel * size);
  std::int64_t strides[kMaxRank] = {};
  std::int64_t stride = size;
  for (int d = l.rank_outer - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= l.shape[d];
  }
  const OperandDesc mean{kept ? l.operands[1].data : means.get(), strides, {}, compute, compute};
  ReduceLaunch first = l;
  first.n_out = 1;
  first.operands[0] = mean;
  first.operands[1] = l.operands[l.n_out];
  reduce_blocks(first, level, level.mean, false, compute);
  ReduceLaunch second = first;
  second.n_in = 2;
  second.operands[0] = l.operands[0];
  second.operands[2] = mean;
  reduce_blocks(second, level, last, false, compute);
}

}  // namespace

void launch_var(const void* desc, const void* self) {
  const auto& level = *static_cast<const ReduceLevel*>(self);
  launch_variance(*static_cast<const ReduceLaunch*>(desc), level, level.variance);
}

void launch_std(const void* desc, const void* self) {
  const auto& level = *static_cast<const ReduceLevel*>(self);
  launch_variance(*static_cast<const ReduceLaunch*>(desc), level, level.deviation);
}

void launch_vector_norm(const void* desc, const void* self) {
  const auto& l = *static_cast<const ReduceLaunch*>(desc);
  const auto& level = *static_cast<const ReduceLevel*>(self);
  const auto blocks = l.param == 1   ? level.abs_sum
                      : l.param == 2 ? level.square_sum
                      : l.param > 0  ? level.abs_max
                                     : level.abs_min;
  reduce_blocks(l, level, blocks, false, l.dtype);
}

void launch_logsumexp(const void* desc, const void* self) {
  const auto& l = *static_cast<const ReduceLaunch*>(desc);
  const auto& level = *static_cast<const ReduceLevel*>(self);
  reduce_blocks(l, level, level.exp_sum, false, info(l.dtype).compute);
}

}  // namespace tandem::host
