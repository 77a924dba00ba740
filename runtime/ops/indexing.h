// What the front-ends of the indexing rows share: the plan of a launch, and checks of arguments.
// The boxed forms of indexing.def are the public functions. Internal.
#pragma once

#include <array>
#include <span>

#include "runtime/dispatch/boxed.h"
#include "runtime/dispatch/funnel.h"
#include "tandem/backend/indexing.h"
#include "tandem/indexing.h"

namespace tandem::detail {

/// One array of indices and the dimension of x that it walks.
struct PlannedArray {
  Tensor index;             // int64, of the shape of the positions
  std::int64_t size, step;  // as in IndexArray
  int dimension;
};

/// A walk over result dimensions: what a launch does, before dimensions are merged. Strides in
/// bytes, one a dimension of `shape`; dimensions [begin, end) are the positions.
struct IndexPlan {
  Dims shape;
  std::size_t begin = 0, end = 0;
  Dims x_strides, other_strides;
  std::vector<PlannedArray> arrays;
};

/// Memory that a launch points into.
struct IndexStorage {
  std::int64_t shape[kMaxRank];
  std::int64_t x[kMaxRank], other[kMaxRank];
  std::vector<IndexArray> arrays;
  std::vector<std::int64_t> array_strides;
};

/// Fills sizes, strides and arrays of a launch from the plan; mode, row and the rest are the
/// caller's. `x` and `other` (may be undefined: the launch's value) hold the elements.
void plan_index(IndexLaunch& l, IndexStorage& storage, const IndexPlan& plan, const Tensor& x,
                const Tensor& other);

/// On the host: raises IndexError for the first index of the plan out of range.
void check_indices(const OpRow& row, const IndexPlan& plan, const Tensor& x);

/// out = x at the plan's places; with the checks.
void read_at(const OpRow& row, const IndexPlan& plan, const Tensor& x, const Tensor& out);

/// How write_at joins.
struct Join {
  IndexMode mode = IndexMode::Write;
  bool include_self = true;
  bool distinct = false;
  std::optional<Scalar> alpha = {};
};

/// Writes values (a tensor that broadcasts to the plan's shape, or a number) at x's places, after
/// the checks. `values` may share memory with x.
void write_at(const OpRow& row, const IndexPlan& plan, const Tensor& x, const Arg& values,
              const Join& join);

/// The dtype that values are joined in: see IndexLaunch::computed.
DType joined_dtype(DType t);

/// A row that writes to x, or to a copy of x.
template <class Go>
Tensor write_to(const OpRow& row, const Tensor& x, bool in_place, Go&& go) {
  const auto infer = [&] {
    OutSpec spec{Dims(x.shape()), x.dtype(), x.device(), x.body_ptr()->names};
    if (is_dense(x.shape(), x.strides())) spec.strides = Dims(x.strides());
    return spec;
  };
  if (in_place) {
    Tensor self = x;
    return run_one(row, &self, infer, go);
  }
  return run_one(row, nullptr, infer, [&](const Tensor& out) {
    copy_elements(out, x);
    go(out);
  });
}

/// The tensor, or a copy where it shares memory with `written`.
inline Tensor apart_from(const Tensor& t, const Tensor& written) {
  return t.defined() && t.shares_storage(written) ? t.clone() : t;
}

/// Raises DeviceError where they lie on two devices.
void check_same_device(const OpRow& row, const Tensor& x, const Tensor& other);

/// The plan of x[:, ..., index, ...]: a vector of indices along one axis.
IndexPlan plan_select(const Tensor& x, std::size_t axis, const Tensor& index);
/// The plan of x[..., index[i][j]..., ...] along an axis of x, i and j those of `shape`.
IndexPlan plan_gather(const OpRow& row, const Tensor& x, std::size_t axis, const Tensor& index);
/// The plan of elements of a vector at indices of any shape.
IndexPlan plan_take(const Tensor& flat, const Tensor& index);

/// Indices as int64. Raises IndexError or TypeError unless they are integers.
Tensor as_indices(const OpRow& row, const char* argument, const Tensor& index);

/// Bytes that are not 0 where the mask is set, dense. Raises IndexError unless bool or uint8.
Tensor as_mask(const OpRow& row, const Tensor& mask);

/// The value of a fill in x's dtype: a number or a 0-d tensor, which `held` keeps.
Arg filling(const OpRow& row, const Tensor& x, const Arg& value, Tensor& held);

/// The set elements of a dense mask: how many before each tile, and of all (waits for the device).
Tensor count_set(const OpRow& row, const Tensor& mask);
std::int64_t total_set(const Tensor& offsets);
/// Launches a stage of the mask kernels: Count writes the offsets, the others read them and write
/// `out`. Null: none.
void launch_mask(MaskLaunch& l, const OpRow& row, MaskStage stage, const Tensor& mask,
                 const Tensor& offsets, const Tensor* out, const Tensor* from);
/// Coordinates of the set elements, [count][rank of the mask]; waits for the device.
Tensor coordinates(const OpRow& row, const Tensor& mask);

/// A 0-d tensor as a vector of one element, for rows that walk along an axis.
inline Tensor at_least_1d(const Tensor& t) { return t.dim() == 0 ? t.unsqueeze(0) : t; }

/// Index arrays by dimension of x (undefined: a whole one), after masks have become coordinates.
struct Arrays {
  std::vector<Tensor> of_dim;
  bool distinct = false;  // from one mask: no place twice
};
/// Raises IndexError, ShapeError. Waits for the device where there are masks.
Arrays expand_indices(const OpRow& row, const Tensor& x, const std::vector<Tensor>& indices);
/// The plan of x[arrays], with the result's names.
IndexPlan plan_arrays(const OpRow& row, const Tensor& x, const Arrays& arrays, Names& names);

/// The basic part of an index expression, and what arrays are left.
struct Expression {
  Tensor view;
  std::vector<Tensor> arrays;  // by dimension of the view; empty: all is said
};
Expression read_expression(const Tensor& x, const Index* list, std::size_t n);

/// The device of an op whose indices may lie on the host: x's. Raises DeviceError.
Tensor on_device_of(const Tensor& index, const Tensor& x);

}  // namespace tandem::detail

namespace tandem::ops {}  // namespace tandem::ops
