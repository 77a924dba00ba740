// What the runtime needs of the host backend; implemented in host/registry.cpp, so that the runtime
// includes nothing of host/.
#pragma once

#include <cstdint>
#include <string_view>

#include "tandem/export.h"

namespace tandem {
struct SourceArgs;
}

namespace tandem::detail {

/// Binds the OpenMP backend's kernels at the SIMD level of this machine; at the first call only.
void register_host_kernels();

/// f(args, first, last) on parts of a launch of `n` elements, spread over the threads.
void run_source_on_host(void (*f)(const SourceArgs*, std::int64_t, std::int64_t),
                        const SourceArgs& args, std::int64_t n);

/// The SIMD level in use: "baseline", "v3" or "v4".
TANDEM_API std::string_view simd_level();

}  // namespace tandem::detail
