// What this build of Tandem is and what it runs on, for `tandem info` and for bug reports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tandem/export.h"

namespace tandem {

/// Tandem's version, such as "0.1.0".
TANDEM_API std::string_view version();
/// The SIMD level that host kernels run at, chosen by the processor: "baseline", "v3" or "v4".
TANDEM_API std::string_view simd_level();
/// The SIMD levels that this build holds.
TANDEM_API std::vector<std::string> simd_levels();
/// Names and versions of the libraries in use, such as "HDF5 1.10.8".
TANDEM_API std::vector<std::string> library_versions();

}  // namespace tandem
