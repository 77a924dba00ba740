// Where the parts of a level's ReduceLevel (host/reduce.h) are: one translation unit a part.
#pragma once

#include "host/reduce.h"
#include "host/registry.h"

namespace tandem::host::TANDEM_ISA {

// Split by dtype, because compiling takes long.
#define TANDEM_REDUCTION(name, ...)             \
  const ReduceBlocks* name##_integers(DType t); \
  const ReduceBlocks* name##_inexact(DType t);
#include "tandem/ops/reduction.def"
const ReduceBlocks* dot_blocks(DType t);
const ReduceBlocks* variance_blocks(DType t);
const ReduceBlocks* deviation_blocks(DType t);
const ReduceBlocks* exp_sum_blocks(DType t);
const ReduceBlocks* abs_sum_blocks(DType t);
const ReduceBlocks* square_sum_blocks(DType t);
const ReduceBlocks* abs_max_blocks(DType t);
const ReduceBlocks* abs_min_blocks(DType t);
const ArgBlocks* argmax_blocks(DType t);
const ArgBlocks* argmin_blocks(DType t);
const RowBlocks* softmax_blocks(DType t);
const RowBlocks* log_softmax_blocks(DType t);
/// Bind the rows that a file's blocks are for.
void bind_softmax(HostRegistry& r, const ReduceLevel& level);
void bind_norms(HostRegistry& r, const ReduceLevel& level);
void split_planes(void* out, const void* in, std::int64_t count, int n, int width);

}  // namespace tandem::host::TANDEM_ISA
