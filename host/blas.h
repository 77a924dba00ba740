// Matrix products of the host's libraries.
#pragma once

#include "tandem/backend/product.h"

namespace tandem::host {

/// Computes the whole batch on up to `threads` threads by oneDNN or OpenBLAS. False where neither
/// has a product of that dtype and these strides (docs/numerics.md says which they have); nothing
/// is written then. k > 0.
bool library_product(const ProductLaunch& g, int threads);

}  // namespace tandem::host
