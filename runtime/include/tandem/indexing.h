// Indexing by masks and arrays of indices: what reads and writes elements at given places.
//
// Indices are of any integer dtype and count from the end where negative. One out of range is an
// IndexError before anything is written; on a device the element is left out (a read gives 0) and
// the next call that waits for the stream raises IndexError. Where several values meet in one
// element, they are joined in the order of their positions, on every device (docs/numerics.md).
#pragma once

#include "tandem/tensor.h"

namespace tandem {

// ---- expressions: x[...] with masks and arrays is x.index({...}); this is x[...] = value.

/// Casts the value to x's dtype, unless x is indexed by arrays, where the dtypes must be equal.
/// Waits for the device where a mask is among the indices.
TANDEM_API void set_index(const Tensor& x, const std::vector<Index>& index, const Arg& value);

// ---- reading

/// Undefined tensors stand for whole dimensions; masks wait for the device.
TANDEM_API Tensor index(const Tensor& x, const std::vector<Tensor>& indices);
/// The slices along an axis that a vector of indices names.
TANDEM_API Tensor index_select(const Tensor& x, Axis axis, const Tensor& index);
/// out[i][j] = x[index[i][j]][j] along axis 0, and alike for others.
TANDEM_API Tensor gather(const Tensor& x, Axis axis, const Tensor& index);
/// Of the flattened tensor, or along an axis as index_select does.
TANDEM_API Tensor take(const Tensor& x, const Tensor& index, std::optional<Axis> axis = {});
/// gather with broadcasting; of the flattened tensors without an axis.
TANDEM_API Tensor take_along_dim(const Tensor& x, const Tensor& indices,
                                 std::optional<Axis> axis = {});

// ---- masks

/// Elements where the mask is set, in row-major order; the two are broadcast. Waits for the device.
TANDEM_API Tensor masked_select(const Tensor& x, const Tensor& mask);
TANDEM_API Tensor masked_fill(const Tensor& x, const Tensor& mask, const Arg& value);
TANDEM_API Tensor masked_fill_(const Tensor& x, const Tensor& mask, const Arg& value);
/// The elements where the mask is set become the source's first ones, in row-major order.
TANDEM_API Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source);
TANDEM_API Tensor masked_scatter_(const Tensor& x, const Tensor& mask, const Tensor& source);
/// Coordinates of the elements that are not 0, a row each. Waits for the device.
TANDEM_API Tensor nonzero(const Tensor& x);
/// nonzero() with a dimension for a 0-d tensor's only element.
TANDEM_API Tensor argwhere(const Tensor& x);
/// Coordinates of the first `size` elements that are not 0, then rows of fill_value; waits for
/// nothing.
TANDEM_API Tensor nonzero_static(const Tensor& x, std::int64_t size, std::int64_t fill_value = -1);

// ---- writing: a copy, and (with _) in place

#define TANDEM_BOTH(name, ...)                          \
  TANDEM_API Tensor name(const Tensor& x, __VA_ARGS__); \
  TANDEM_API Tensor name##_(const Tensor& x, __VA_ARGS__);
/// Undefined tensors stand for whole dimensions; masks wait for the device. Dtypes must be equal.
TANDEM_BOTH(index_put, const std::vector<Tensor>& indices, const Tensor& values,
            bool accumulate = false)
/// x's slices at the indices += alpha * source's slices.
TANDEM_BOTH(index_add, Axis axis, const Tensor& index, const Tensor& source,
            const Scalar& alpha = 1)
TANDEM_BOTH(index_copy, Axis axis, const Tensor& index, const Tensor& source)
TANDEM_BOTH(index_fill, Axis axis, const Tensor& index, const Arg& value)
/// reduce: "prod", "mean", "amax", "amin".
TANDEM_BOTH(index_reduce, Axis axis, const Tensor& index, const Tensor& source,
            const std::string& reduce, bool include_self = true)
/// x[index[i][j]][j] = src[i][j] along axis 0, and alike for others; reduce: "add", "multiply".
TANDEM_BOTH(scatter, Axis axis, const Tensor& index, const Arg& src,
            const std::optional<std::string>& reduce = {})
TANDEM_BOTH(scatter_add, Axis axis, const Tensor& index, const Tensor& src)
/// reduce: "sum", "prod", "mean", "amax", "amin".
TANDEM_BOTH(scatter_reduce, Axis axis, const Tensor& index, const Tensor& src,
            const std::string& reduce, bool include_self = true)
/// Of the flattened tensor.
TANDEM_BOTH(put, const Tensor& index, const Tensor& source, bool accumulate = false)
#undef TANDEM_BOTH

}  // namespace tandem
