// Scans along an axis, and the reductions that are made of several passes.
#pragma once

#include <optional>
#include <tuple>

#include "tandem/out.h"
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
/// log(exp(x[0]) + ... + exp(x[i])), without overflow; floats and complex, whose imaginary part is
/// right up to a multiple of 2 pi.
TANDEM_API Tensor logcumsumexp(const Tensor& x, Axis axis);
TANDEM_API Tensor& logcumsumexp_out(Tensor& out, const Tensor& x, Axis axis);
/// Values and indices of the greatest (least) elements so far, the last of equal ones; NaN wins.
TANDEM_API std::tuple<Tensor, Tensor> cummax(const Tensor& x, Axis axis);
TANDEM_OUT_OF_TWO(cummax)
TANDEM_API std::tuple<Tensor, Tensor> cummin(const Tensor& x, Axis axis);
TANDEM_OUT_OF_TWO(cummin)
/// The Array API's names: the axis may be left out for one dimension; `include_initial` puts the
/// sum (product) of no elements before the others.
TANDEM_API Tensor cumulative_sum(const Tensor& x, std::optional<Axis> axis = {},
                                 std::optional<DType> dtype = {}, bool include_initial = false);
TANDEM_API Tensor cumulative_prod(const Tensor& x, std::optional<Axis> axis = {},
                                  std::optional<DType> dtype = {}, bool include_initial = false);

// ---- reductions that are made of several passes; without axes over all elements

/// log(sum(exp(x))) without overflow; integers as the default dtype. -inf without elements.
TANDEM_API Tensor logsumexp(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Mean of the elements that are not NaN; floats, unless a dtype is given.
TANDEM_API Tensor nanmean(const Tensor& x, const Axes& axes = {}, bool keepdim = false,
                          std::optional<DType> dtype = {});
/// (sum of |x|^order)^(1 / order), in the real dtype: floats and complex. Infinity and minus
/// infinity: the greatest and the least magnitude; 0: the number of non-zero elements. Nothing is
/// scaled: squares overflow where they do.
TANDEM_API Tensor vector_norm(const Tensor& x, double order = 2, const Axes& axes = {},
                              bool keepdim = false, std::optional<DType> dtype = {});
/// vector_norm(x - y, order) over all elements.
TANDEM_API Tensor dist(const Tensor& x, const Tensor& y, double order = 2);
/// x with its slices along an axis of two or more multiplied by maxnorm / (norm + 1e-7) where their
/// norm of the order is above maxnorm: floats and complex.
TANDEM_API Tensor renorm(const Tensor& x, double order, Axis axis, double maxnorm);
TANDEM_API Tensor& renorm_(Tensor& x, double order, Axis axis, double maxnorm);
/// The least and the greatest element.
TANDEM_API std::tuple<Tensor, Tensor> aminmax(const Tensor& x, std::optional<Axis> axis = {},
                                              bool keepdim = false);
TANDEM_OUT_OF_TWO(aminmax)
/// var (std) and mean; the mean is computed once.
TANDEM_API std::tuple<Tensor, Tensor> var_mean(const Tensor& x, const Axes& axes = {},
                                               double correction = 1, bool keepdim = false);
TANDEM_OUT_OF_TWO(var_mean)
TANDEM_API std::tuple<Tensor, Tensor> std_mean(const Tensor& x, const Axes& axes = {},
                                               double correction = 1, bool keepdim = false);
TANDEM_OUT_OF_TWO(std_mean)
/// softmax(-x).
TANDEM_API Tensor softmin(const Tensor& x, Axis axis, std::optional<DType> dtype = {});

}  // namespace tandem
