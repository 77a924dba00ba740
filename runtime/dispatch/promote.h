// Type promotion of an op's operands: dimensioned tensors before 0-d tensors before numbers.
// Internal.
#pragma once

#include <span>

#include "tandem/op_row.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// PyTorch's result_type over tensors and numbers.
DType promote_args(std::span<const Arg> args);

/// The dtype an op computes in, from the promoted dtype of its inputs, by the row's Result rule;
/// raises TypeError where the row does not take it.
DType compute_dtype(const OpRow& row, DType promoted);

/// The dtype of the op's result, from the one it computes in.
DType result_dtype(const OpRow& row, DType computed);

}  // namespace tandem::detail
