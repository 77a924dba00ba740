// The registry: rows, their boxed functions and parsed schemas; binding of kernels; users' rows.
// Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/backend.h"

namespace tandem::detail {

/// Binds a kernel to the row of a name; 0, or 1 where there is none. The function of HostTable.
int bind_kernel(const char* op, DeviceKind kind, Kernel kernel);

/// Adds a user's row; it must live until the process ends. Raises ValueError where the name is
/// taken.
TANDEM_API void register_row(const OpRow& row, BoxedFn boxed);

/// The kernel of a row on a kind of device. Opens the backend at the first need. Raises
/// NotImplemented.
const Kernel& kernel_of(const OpRow& row, DeviceKind kind);

}  // namespace tandem::detail
