// Backend libraries: found and opened at first use, once a process, never with an exception.
#pragma once

#include <atomic>
#include <exception>
#include <string>

#include "tandem/backend.h"
#include "tandem/device.h"
#include "tandem/error.h"
#include "tandem/export.h"

namespace tandem {

/// The table of the backend of a kind, opened at the first call; null where it cannot be used (see
/// device_status) and for the kinds that libtandem itself serves. Exported for the benchmark, whose
/// yardstick is the driver's own copy.
TANDEM_API const BackendTable* backend_for(DeviceKind kind);

/// Gives a device without an index the number of its kind's current one; other devices stay. Raises
/// DeviceError, naming `op`, where the kind cannot be used or has no such device.
Device resolve_device(Device device, const char* op);

/// Raises DeviceError with the backend's words for a code of its driver calls; 0 is no error.
void check_driver(const BackendTable& backend, int code, const char* op);

/// A function of the kind's backend library beside its entry point; null where it has none.
void* backend_function(DeviceKind kind, const char* name);

namespace detail {
/// Set by HostTable::raise on the thread that launches; see check_launch.
extern thread_local bool launch_failed __attribute__((tls_model("initial-exec")));
[[noreturn]] void throw_launch_error();
/// Has check_launch raise an exception, where the launch has not failed for another reason before.
void fail_launch(std::exception_ptr why) noexcept;
}  // namespace detail

/// To be called after each kernel of a backend: raises the error it left behind, if any: a
/// DeviceError with its words (HostTable::raise), or what kept it from getting memory.
inline void check_launch() {
  if (detail::launch_failed) [[unlikely]]
    detail::throw_launch_error();
}

}  // namespace tandem
