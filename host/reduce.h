// What the reductions' driver (reduce.cpp: plan, threads, scratch) needs of a SIMD level: functions
// over blocks of dense elements. Note [Block functions]
//
// The driver cuts a launch into tiles of the fixed tree (docs/numerics.md, "Reductions") and into
// blocks of columns, finds threads and memory for them, and makes elements that are strided or of
// another dtype dense first. A level supplies the loops, once an element type: small, without
// threads, memory or error handling, so that they are compiled for every level without emitting
// anything that another level could pick up.
#pragma once

#include <cstdint>

#include "tandem/backend.h"

namespace tandem::host {

/// The tree: elements of a tile, and lanes that stride through it.
inline constexpr std::int64_t kTile = 4096;
inline constexpr std::int64_t kLanes = 128;

/// One reduction over one element type. Accumulators lie dense; `acc_size` bytes each.
struct ReduceBlocks {
  std::int32_t acc_size;
  DType result;  // what `finish` writes
  /// *acc = the tree of m <= kTile elements. `b` is the second input: dense, null where there is
  /// none.
  void (*tile)(void* acc, const void* a, const void* b, std::int64_t m);
  /// The same with one value of the second input for all.
  void (*tile_scalar)(void* acc, const void* a, const void* b, std::int64_t m);
  /// acc[c] = map(a[c]) if `first`, else combine(acc[c], map(a[c])); the lines at `next` will be
  /// read soon (null: none).
  void (*row)(void* acc, const void* a, const void* b, std::int64_t w, bool first,
              const void* next);
  void (*row_scalar)(void* acc, const void* a, const void* b, std::int64_t w, bool first,
                     const void* next);
  /// into[c] = combine(into[c], from[c])
  void (*merge)(void* into, const void* from, std::int64_t w);
  /// *acc = the tree of m <= kTile accumulators.
  void (*tree)(void* acc, const void* from, std::int64_t m);
  /// out[c] = the result from acc[c] and n elements; `param` is var's correction. n == 0: the value
  /// without elements, `acc` is not read.
  void (*finish)(void* out, const void* acc, std::int64_t w, std::int64_t n, double param);
};

/// Finding the greatest of an element type: keys are 4 or 8 bytes, indices as wide.
struct ArgBlocks {
  std::int32_t key_size;
  /// The greatest key of m <= kTile dense elements and its first position.
  void (*tile)(const void* a, std::int64_t m, std::int64_t* key, std::int64_t* index);
  /// Column by column: key[c], index[c] take row number r where a[c] is greater (or `first`).
  void (*row)(void* key, void* index, const void* a, std::int64_t w, std::int64_t r, bool first,
              const void* next);
  /// Widens keys and indices (base + index) of a block of columns.
  void (*widen)(const void* key, const void* index, std::int64_t w, std::int64_t base,
                std::int64_t* wide_key, std::int64_t* wide_index);
};

/// Softmax and log_softmax of an element type; maxima, exponentials and sums are of the compute
/// type.
struct RowBlocks {
  /// e[i] = exp(a[i] - max), one maximum for all or one a column.
  void (*exp_tile)(void* e, const void* a, const void* max, std::int64_t m);
  void (*exp_row)(void* e, const void* a, const void* max, std::int64_t w);
  /// Turns sums into what `out` wants: log_softmax takes their logarithms.
  void (*prepare)(void* sum, std::int64_t w);
  /// out[i], from exp_tile's e where `divide` is not null.
  void (*out_tile)(void* out, const void* a, const void* max, const void* sum, std::int64_t m);
  void (*out_row)(void* out, const void* a, const void* max, const void* sum, std::int64_t w);
  void (*divide)(void* out, const void* e, const void* sum, std::int64_t m);
};

/// Splits `count` groups of n neighbours of `width` bytes (the channels of pixels, short rows) into
/// n dense runs, one after the other; groups of 2, 3 and 4 have loops of their own.
using Planes = void (*)(void* out, const void* in, std::int64_t count, int n, int width);

/// What a level supplies: null where a row has no such dtype.
struct ReduceLevel {
#define TANDEM_REDUCTION(name, ...) const ReduceBlocks* (*name)(DType);
#include "tandem/ops/reduction.def"
  const ReduceBlocks* (*dot)(DType);
  const ReduceBlocks* (*variance)(DType);  // second input: the mean in the compute type
  const ReduceBlocks* (*deviation)(DType);
  const ReduceBlocks* (*exp_sum)(DType);  // second input: the maximum in the compute type
  const ReduceBlocks* (*abs_sum)(DType);  // the norms of order 1, 2, inf, -inf
  const ReduceBlocks* (*square_sum)(DType);
  const ReduceBlocks* (*abs_max)(DType);
  const ReduceBlocks* (*abs_min)(DType);
  const ArgBlocks* (*argmax)(DType);
  const ArgBlocks* (*argmin)(DType);
  const RowBlocks* (*softmax)(DType);
  const RowBlocks* (*log_softmax)(DType);
  Planes planes;
};

}  // namespace tandem::host
