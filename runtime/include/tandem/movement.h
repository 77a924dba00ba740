// Movement: elements in other places or repeated, without arithmetic; and what is a short way of
// writing a few ops: differences, outer and inner products, sums of a product. Names of dimensions
// go where their dimensions go; a dimension that is new, merged or split has none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tandem/scalar.h"
#include "tandem/tensor.h"

namespace tandem {

// ---- views: nothing is copied, and writing to the result writes to x
// ---------------------------------------------------------------------------------------------
/// The order of elements reversed along the axes (none: all of them), by negative strides.
TANDEM_API Tensor flip(const Tensor& x, const Axes& axes = {});
/// flip along axis 1 (left and right) of at least two dimensions.
TANDEM_API Tensor fliplr(const Tensor& x);
/// flip along axis 0 (up and down) of at least one dimension.
TANDEM_API Tensor flipud(const Tensor& x);
/// The plane of two axes turned by k quarter turns, from the first axis to the second.
TANDEM_API Tensor rot90(const Tensor& x, std::int64_t k = 1, const Axes& axes = {});
/// `sections` parts whose sizes differ by one at most, the longer ones first.
TANDEM_API std::vector<Tensor> tensor_split(const Tensor& x, std::int64_t sections, Axis axis = 0);
/// Parts that end before the given indices, and the rest; indices as in a slice.
TANDEM_API std::vector<Tensor> tensor_split_at(const Tensor& x, IntSpan indices, Axis axis = 0);
/// Views of one shape, that of a broadcast; names unify.
TANDEM_API std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors);
/// With dimensions of size 1 where there are fewer than one, two or three.
TANDEM_API Tensor atleast_1d(const Tensor& x);
TANDEM_API Tensor atleast_2d(const Tensor& x);
TANDEM_API Tensor atleast_3d(const Tensor& x);
/// Coordinates as grids: tensor i varies along dimension i ("xy": the first two swapped). Unnamed.
TANDEM_API std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors,
                                        const std::string& indexing = "ij");
/// The last two dimensions swapped. Raises ShapeError below two dimensions.
TANDEM_API Tensor matrix_transpose(const Tensor& x);
/// matrix_transpose of the conjugate: a view of real tensors, a copy of complex ones.
TANDEM_API Tensor adjoint(const Tensor& x);

// ---- joining
// ---------------------------------------------------------------------------------------------
/// Along the second dimension, vectors along their only one.
TANDEM_API Tensor hstack(const std::vector<Tensor>& tensors);
/// Along the first dimension of what is atleast_2d.
TANDEM_API Tensor vstack(const std::vector<Tensor>& tensors);
/// Along the third dimension of what is atleast_3d.
TANDEM_API Tensor dstack(const std::vector<Tensor>& tensors);
/// Vectors as the columns of a matrix; matrices side by side.
TANDEM_API Tensor column_stack(const std::vector<Tensor>& tensors);
/// Matrices along a diagonal, 0 elsewhere; vectors are rows.
TANDEM_API Tensor block_diag(const std::vector<Tensor>& tensors);
/// Every choice of one element of each vector, in the order of the last one first: [n, vectors].
TANDEM_API Tensor cartesian_prod(const std::vector<Tensor>& tensors);
/// Every choice of r elements of a vector, in lexicographic order of their places: [choices, r].
TANDEM_API Tensor combinations(const Tensor& x, std::int64_t r = 2, bool with_replacement = false);

// ---- copies
// ---------------------------------------------------------------------------------------------
/// Elements moved on by the shifts, those that leave at the end come in at the start; of the
/// flattened tensor where no axis is given. An axis given twice moves by the sum.
TANDEM_API Tensor roll(const Tensor& x, IntSpan shifts, const Axes& axes = {});
/// The tensor side by side with itself, `repeats` times along each dimension (at least x.dim() of
/// them; more are new dimensions at the front).
TANDEM_API Tensor repeat(const Tensor& x, IntSpan repeats);
/// As repeat; dimensions that no number is given for are left whole.
TANDEM_API Tensor tile(const Tensor& x, IntSpan repeats);
/// Every element `repeats` times in a row along an axis; of the flattened tensor without one.
TANDEM_API Tensor repeat_interleave(const Tensor& x, std::int64_t repeats,
                                    std::optional<Axis> axis = {});
/// Slice i along the axis repeats[i] times in a row. Waits for the device unless `output_size`, the
/// sum of the repeats, is given. Raises ValueError where the host sees another sum.
TANDEM_API Tensor repeat_interleave(const Tensor& x, const Tensor& repeats,
                                    std::optional<Axis> axis = {},
                                    std::optional<std::int64_t> output_size = {});
/// 0 above (tril) or below (triu) a diagonal of the last two dimensions.
TANDEM_API Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
TANDEM_API Tensor triu(const Tensor& x, std::int64_t diagonal = 0);
/// Rows and columns of the elements that tril (triu) keeps, in row-major order: [2, n], int64
/// unless the options say otherwise.
TANDEM_API Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset = 0,
                               const Options& options = {});
TANDEM_API Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset = 0,
                               const Options& options = {});
/// base to the power of `steps` evenly spaced exponents from start to end, both included.
TANDEM_API Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps,
                           double base = 10, const Options& options = {});
/// A vector as a diagonal, 0 elsewhere; the diagonal of a matrix, copied.
TANDEM_API Tensor diag(const Tensor& x, std::int64_t diagonal = 0);
/// The last dimension as a diagonal of two new ones, 0 elsewhere.
TANDEM_API Tensor diag_embed(const Tensor& x, std::int64_t offset = 0, std::int64_t axis1 = -2,
                             std::int64_t axis2 = -1);
/// diag of the flattened tensor.
TANDEM_API Tensor diagflat(const Tensor& x, std::int64_t offset = 0);
/// Elements added (or, with negative numbers, removed) before and after each dimension: pairs from
/// the last dimension on. mode: "constant", "reflect", "replicate" or "circular".
TANDEM_API Tensor pad(const Tensor& x, IntSpan pad, const std::string& mode = "constant",
                      const Scalar& value = 0);
/// narrow(), copied.
TANDEM_API Tensor narrow_copy(const Tensor& x, Axis axis, std::int64_t start, std::int64_t length);
/// A copy of x in which a slice (an index, a diagonal) is src, cast to x's dtype.
TANDEM_API Tensor select_scatter(const Tensor& x, const Tensor& src, Axis axis, std::int64_t index);
TANDEM_API Tensor slice_scatter(const Tensor& x, const Tensor& src, Axis axis = 0,
                                std::optional<std::int64_t> start = {},
                                std::optional<std::int64_t> end = {}, std::int64_t step = 1);
TANDEM_API Tensor diagonal_scatter(const Tensor& x, const Tensor& src, std::int64_t offset = 0,
                                   Axis axis1 = 0, Axis axis2 = 1);
/// Columns of powers n - 1, ..., 1, 0 of a vector (0, 1, ... where increasing), each the one before
/// times x.
TANDEM_API Tensor vander(const Tensor& x, std::optional<std::int64_t> n = {},
                         bool increasing = false);

}  // namespace tandem
