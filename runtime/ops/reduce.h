// What the front-ends of the reductions share: the axes that go, and the launch. Internal.
#pragma once

#include <span>

#include "runtime/dispatch/funnel.h"
#include "runtime/tensor/names.h"
#include "tandem/backend.h"

namespace tandem::detail {

/// Dimensions that go, as bits, and what that leaves.
struct Reduced {
  std::uint64_t mask;
  bool keepdim;

  bool has(std::size_t d) const { return (mask >> d & 1u) != 0; }
  Dims shape(const Tensor& x) const {
    Dims s;
    for (std::size_t d = 0; d < x.shape().size(); ++d) {
      if (!has(d)) s.push_back(x.shape()[d]);
      if (has(d) && keepdim) s.push_back(1);
    }
    return s;
  }
  OutSpec spec(const Tensor& x, DType dtype) const {
    return {shape(x), dtype, x.device(), names_without(x.body_ptr()->names, mask, keepdim)};
  }
};

/// Memory that a launch points into.
struct LaunchStorage {
  std::int64_t shape[kMaxRank];
  std::int64_t strides[3][kMaxRank];
};

/// A launch over x's dimensions, the outer ones first. Outputs come first among the operands.
ReduceLaunch make_launch(const OpRow& row, const Tensor& x, DType computed, const Reduced& r,
                         std::span<const Tensor> outs, LaunchStorage& storage);

/// Reduces to one output. `row` names the op, `kernel` is the row whose kernel runs.
Tensor reduce_one(const OpRow& row, const OpRow& kernel, const Tensor& x, const Reduced& r,
                  DType computed, DType result, Tensor* out, double param = 0);

/// Greatest and least have no value without elements.
void check_not_empty(const OpRow& row, const Tensor& x, const Reduced& r, bool all);

}  // namespace tandem::detail
