// TensorFloat-32 in products of float32 on a device.
#pragma once

#include "tandem/export.h"

namespace tandem {

/// Whether matrix products of float32 and complex64 on a device may round their operands to
/// TensorFloat-32 (10 bits of fraction) where it has such units, at several times the speed. Off by
/// default; a setting of the process. Exact mode, the host and sums on a fixed tree never do.
TANDEM_API bool allow_tf32() noexcept;
TANDEM_API void set_allow_tf32(bool on) noexcept;

}  // namespace tandem
