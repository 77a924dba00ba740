// What the runtime needs of the host backend; implemented in host/registry.cpp, so that the runtime
// includes nothing of host/.
#pragma once

#include <string_view>

#include "tandem/export.h"

namespace tandem::detail {

/// Binds the OpenMP backend's kernels at the SIMD level of this machine; at the first call only.
void register_host_kernels();

/// The SIMD level in use: "baseline", "v3" or "v4".
TANDEM_API std::string_view simd_level();

}  // namespace tandem::detail
