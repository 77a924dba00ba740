// Sums of products of a matrix and a vector on the fixed tree of the reductions, without what the
// general loops of host/reduce.h spend on a row: one pass in registers, or one row after the other
// onto the lanes' sums.
#pragma once

#include <cstdint>

#include "tandem/dtype.h"

namespace tandem::host {

/// Loops over one tile of up to kTile elements of the vector `y`, which is dense and in the compute
/// type, as the sums are.
struct VectorLoops {
  /// acc[i] = the tree of row i: m dense elements, rows `stride` bytes apart. `memory` holds kTile
  /// elements of y.
  void (*rows)(void* acc, const char* a, std::int64_t stride, const void* y, std::int64_t rows,
               std::int64_t m, void* memory) = nullptr;
  /// acc[c] = the tree of column c: m rows of w dense elements, `stride` bytes apart. `memory`
  /// holds kLanes rows of at most 128 sums.
  void (*columns)(void* acc, const char* a, std::int64_t stride, const void* y, std::int64_t m,
                  std::int64_t w, void* memory) = nullptr;
};

/// Null where the level has none for a dtype.
const VectorLoops& vector_loops(DType t);
/// Called by the level's registration.
void bind_vector_loops(DType t, VectorLoops loops);

}  // namespace tandem::host
