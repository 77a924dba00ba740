// Sums of products, the inner part of matmul and einsum. Internal.
#pragma once

#include "runtime/dispatch/registry.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// out[outer] = sum over the reduced dimensions of a * b, on the fixed tree, in one pass: both are
/// views of one shape, the outer dimensions first. Names are the caller's business.
Tensor product_sum(const OpRow& row, const Tensor& a, const Tensor& b, std::int64_t outer_rank);

/// [batch, m, k] times [batch, k, n], any strides and dtypes but bool; batch sizes of 1 broadcast
/// by stride 0. Vendor libraries compute it for float, double and complex. `out`: where the result
/// goes, a tensor of its shape and dtype; null for a fresh one.
Tensor batched_product(const OpRow& row, const Tensor& a, const Tensor& b, Tensor* out = nullptr);

}  // namespace tandem::detail
