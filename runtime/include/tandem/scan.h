// Scans along an axis, and the reductions that are made of several passes.
#pragma once

#include <optional>
#include <tuple>

#include "tandem/tensor.h"

namespace tandem {

// ---- scans: out[i] joins x[0], ..., x[i] along an axis. Shape and names are x's. The order of the
// joins is fixed: docs/numerics.md, "Scans"

/// Sums; integers and bool in int64 unless a dtype is given.
TANDEM_API Tensor cumsum(const Tensor& x, Axis axis, std::optional<DType> dtype = {});
TANDEM_API Tensor& cumsum_out(Tensor& out, const Tensor& x, Axis axis,
                              std::optional<DType> dtype = {});
TANDEM_API Tensor& cumsum_(Tensor& x, Axis axis, std::optional<DType> dtype = {});
/// Products; integers and bool in int64 unless a dtype is given.
TANDEM_API Tensor cumprod(const Tensor& x, Axis axis, std::optional<DType> dtype = {});
TANDEM_API Tensor& cumprod_out(Tensor& out, const Tensor& x, Axis axis,
                               std::optional<DType> dtype = {});
TANDEM_API Tensor& cumprod_(Tensor& x, Axis axis, std::optional<DType> dtype = {});
/// log(exp(x[0]) + ... + exp(x[i])), without overflow; floats.
TANDEM_API Tensor logcumsumexp(const Tensor& x, Axis axis);
TANDEM_API Tensor& logcumsumexp_out(Tensor& out, const Tensor& x, Axis axis);
/// Values and indices of the greatest (least) elements so far, the last of equal ones; NaN wins.
TANDEM_API std::tuple<Tensor, Tensor> cummax(const Tensor& x, Axis axis);
TANDEM_API std::tuple<Tensor, Tensor> cummin(const Tensor& x, Axis axis);
/// The Array API's names: the axis may be left out for one dimension; `include_initial` puts the
/// sum (product) of no elements before the others.
TANDEM_API Tensor cumulative_sum(const Tensor& x, std::optional<Axis> axis = {},
                                 std::optional<DType> dtype = {}, bool include_initial = false);
TANDEM_API Tensor cumulative_prod(const Tensor& x, std::optional<Axis> axis = {},
                                  std::optional<DType> dtype = {}, bool include_initial = false);

}  // namespace tandem
