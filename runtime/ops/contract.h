// Sums of products, the inner part of matmul and einsum. Internal.
#pragma once

#include "runtime/dispatch/registry.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// out[outer] = sum over the reduced dimensions of a * b, on the fixed tree, in one pass: both are
/// views of one shape, the outer dimensions first. Names are the caller's business.
Tensor product_sum(const OpRow& row, const Tensor& a, const Tensor& b, std::int64_t outer_rank);

/// Forms of a product that a backend does in one go.
struct ProductForm {
  bool wide = false;             // of int8 or uint8, to int32
  const Tensor* bias = nullptr;  // [n], dense, of the result's dtype: added to each row, on devices
};

/// [batch, m, k] times [batch, k, n], any strides and dtypes but bool; batch sizes of 1 broadcast
/// by stride 0. Vendor libraries compute it for float, double and complex. `out`: where the result
/// goes, a tensor of its shape and dtype; null for a fresh one.
Tensor batched_product(const OpRow& row, const Tensor& a, const Tensor& b, Tensor* out = nullptr,
                       const ProductForm& form = {});

/// The same of [batch..., m, k] and [batch..., k, n] with equal batch dimensions, which may be
/// views with any strides: [places, m, n]. Nothing is copied.
Tensor product_of_places(const OpRow& row, const Tensor& a, const Tensor& b,
                         const ProductForm& form);
/// How many launches of a library of one stride a place that takes; 1: batched_product does.
std::int64_t strided_batches(const Tensor& a, const Tensor& b);

/// matmul in a form of its own; a bias only where takes_bias.
Tensor matmul_as(const Tensor& a, const Tensor& b, const ProductForm& form);
/// Whether matmul_as(a, b) may be given this bias.
bool takes_bias(const Tensor& a, const Tensor& b, const Tensor& bias);

}  // namespace tandem::detail
