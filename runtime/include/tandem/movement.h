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
/// cat and stack into a given tensor, which casts and, where it is empty, is resized; it may share
/// memory with the inputs.
TANDEM_API Tensor& cat_out(Tensor& out, const std::vector<Tensor>& tensors, Axis axis = 0);
TANDEM_API Tensor& stack_out(Tensor& out, const std::vector<Tensor>& tensors,
                             std::int64_t axis = 0);
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

// ---- differences
// ---------------------------------------------------------------------------------------------
/// Elements less those before them, n times over, of prepend, x and append joined.
TANDEM_API Tensor diff(const Tensor& x, std::int64_t n = 1, Axis axis = -1,
                       const std::optional<Tensor>& prepend = {},
                       const std::optional<Tensor>& append = {});
/// How far apart points are: a number, or the coordinates of each.
struct Spacing {
  Scalar step = 1;
  Tensor coordinates = {};
};
/// Slopes along each axis (none: all), by central differences of second order within and one-sided
/// ones of the given order at the ends. One spacing, or one an axis.
TANDEM_API std::vector<Tensor> gradient(const Tensor& x, const std::vector<Spacing>& spacing = {},
                                        const Axes& axes = {}, int edge_order = 1);
/// The integral along an axis by the trapezoidal rule, at points x or dx apart.
TANDEM_API Tensor trapezoid(const Tensor& y, const std::optional<Tensor>& x = {},
                            const Scalar& dx = 1, Axis axis = -1);
/// The integrals up to each point but the first.
TANDEM_API Tensor cumulative_trapezoid(const Tensor& y, const std::optional<Tensor>& x = {},
                                       const Scalar& dx = 1, Axis axis = -1);
/// Covariances of the rows of a matrix; weights of observations by their number and importance.
TANDEM_API Tensor cov(const Tensor& x, double correction = 1,
                      const std::optional<Tensor>& fweights = {},
                      const std::optional<Tensor>& aweights = {});
/// Pearson's correlations of the rows of a matrix.
TANDEM_API Tensor corrcoef(const Tensor& x);
/// Vector products along an axis of size 3 (none: the first of this size).
TANDEM_API Tensor cross(const Tensor& x, const Tensor& y, std::optional<Axis> axis = {});

// ---- products: forms of matmul and einsum, with their names and bits
// ---------------------------------------------------------------------------------------------
TANDEM_API Tensor mm(const Tensor& x, const Tensor& y);
TANDEM_API Tensor mv(const Tensor& x, const Tensor& vec);
TANDEM_API Tensor bmm(const Tensor& x, const Tensor& y);
/// Of two vectors; vdot conjugates the first.
TANDEM_API Tensor dot(const Tensor& x, const Tensor& y);
TANDEM_API Tensor vdot(const Tensor& x, const Tensor& y);
/// dot along an axis of a broadcast, the first conjugated, on the fixed tree.
TANDEM_API Tensor vecdot(const Tensor& x, const Tensor& y, Axis axis = -1);
TANDEM_API Tensor outer(const Tensor& x, const Tensor& y);
/// Sums of products along the last dimensions.
TANDEM_API Tensor inner(const Tensor& x, const Tensor& y);
/// Every element of x times y, as blocks. Unnamed.
TANDEM_API Tensor kron(const Tensor& x, const Tensor& y);
/// Sums of products over the last n dimensions of x and the first n of y, or over pairs of axes.
TANDEM_API Tensor tensordot(const Tensor& x, const Tensor& y, std::int64_t n = 2);
TANDEM_API Tensor tensordot(const Tensor& x, const Tensor& y, const Axes& first,
                            const Axes& second);
/// beta * x + alpha * product, each step rounded; where beta is 0, x is not read.
TANDEM_API Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta = 1,
                        const Scalar& alpha = 1);
TANDEM_API Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& v, const Scalar& beta = 1,
                        const Scalar& alpha = 1);
TANDEM_API Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta = 1,
                          const Scalar& alpha = 1);
/// The products of a batch added up.
TANDEM_API Tensor addbmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta = 1,
                         const Scalar& alpha = 1);
TANDEM_API Tensor addr(const Tensor& x, const Tensor& u, const Tensor& v, const Scalar& beta = 1,
                       const Scalar& alpha = 1);
/// In the cheapest order.
TANDEM_API Tensor chain_matmul(const std::vector<Tensor>& matrices);

}  // namespace tandem
