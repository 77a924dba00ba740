// The vendor library's matrix product, if it takes a launch.
#pragma once

#include <cuda_runtime_api.h>

#include "tandem/backend/product.h"

namespace tandem::cuda {

enum class VendorAnswer { Done, NotTaken, Failed };

/// Queues the product, with its bias if it has one, on cuBLASLt, which is opened at the first call.
/// NotTaken: no such library, or a dtype or layout it has no product for. Failed: `problem` says
/// why, in words that stay valid.
VendorAnswer vendor_gemm(const ProductLaunch& l, const char** problem);

/// Queues the writing of where the matrices of a batch with outer dimensions begin: of a, of b and
/// of c, one after the other.
cudaError_t write_pointers(const ProductLaunch& l, void** to);

}  // namespace tandem::cuda
