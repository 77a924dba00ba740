// The iteration plan of elementwise launches: dimensions sorted and merged, strides in bytes.
#pragma once

#include <span>

#include "tandem/backend.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// The memory that a launch struct's pointers point into; on the stack of the call.
struct PlanStorage {
  std::int64_t shape[kMaxRank];
  std::int64_t strides[kMaxOperands][kMaxRank];
};

/// Fills shape, rank, numel, strides, data and `contiguous` of a launch over `shape`. tensors[i]
/// belongs to launch.operands[i] (null: a number) and broadcasts to `shape`; tensors[0] is the
/// output. Operands' dtype and kernel dtype are set before.
void plan_elementwise(ElementwiseLaunch& launch, PlanStorage& storage, IntSpan shape,
                      std::span<const Tensor* const> tensors);

/// The shape that the tensors (null: none there) broadcast to, from the right. Raises ShapeError.
Dims broadcast_shape(std::span<const Tensor* const> tensors, const char* op);

/// Byte strides of a tensor for a launch that keeps the logical order.
void byte_strides(const Tensor& t, std::int64_t* out);

/// Strides (elements) for a fresh output of `shape`: the inputs' order of dimensions, dense.
Dims output_strides(IntSpan shape, std::span<const Tensor* const> inputs);

}  // namespace tandem::detail
