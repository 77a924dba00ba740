// Products of more than two matrices, with a bias, and of 8-bit integers.
#pragma once

#include <optional>
#include <vector>

#include "tandem/tensor.h"

namespace tandem {

/// input weight^T + bias: [..., in] and [out, in] give [..., out]; a weight of one dimension gives
/// [...]. The bias is [out] or anything that broadcasts to the result. The product is rounded, then
/// the sum. Raises ShapeError, and TypeError for dtypes that differ.
TANDEM_API Tensor linear(const Tensor& input, const Tensor& weight,
                         const std::optional<Tensor>& bias = {});

/// [m, k] times [k, n], both int8 or both uint8, summed as int32.
TANDEM_API Tensor int_mm(const Tensor& x, const Tensor& y);

namespace linalg {

/// The product of two or more matrices in the order that takes the fewest multiplications, found by
/// the classic recurrence over ranges (T. H. Cormen et al., Introduction to Algorithms, 15.2). The
/// first may be a vector, a row, and the last one, a column; their dimensions are dropped.
TANDEM_API Tensor multi_dot(const std::vector<Tensor>& tensors);

/// [..., n, n] to an integer power by squaring; 0 gives identities, a negative one that of the
/// inverse: NotImplemented where there is no row linalg_inv, which also says what raises.
TANDEM_API Tensor matrix_power(const Tensor& a, std::int64_t n);

}  // namespace linalg
}  // namespace tandem
