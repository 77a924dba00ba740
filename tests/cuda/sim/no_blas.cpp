// The simulated machine has no vendor library: every product takes the backend's own kernel.
#include "kernels/cuda/gemm.h"

namespace tandem::cuda {

VendorAnswer vendor_gemm(const ProductLaunch&, const char**) { return VendorAnswer::NotTaken; }

}  // namespace tandem::cuda
