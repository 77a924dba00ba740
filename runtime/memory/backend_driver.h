// A backend's driver calls as the memory driver of a caching pool, one pool a device.
#pragma once

#include <cstddef>
#include <memory>

#include "runtime/memory/driver.h"
#include "tandem/backend.h"
#include "tandem/export.h"

namespace tandem {

/// Gives every device of an opened backend its pool; the table must live until the process ends.
void register_backend_pools(const BackendTable& table);

/// Memory of one device of a backend, for its pool. The table must outlive it.
TANDEM_API std::unique_ptr<Driver> make_backend_driver(const BackendTable& table, int device);

/// The workspace calls of HostTable: memory of the device's pool in the order of a stream. Null
/// where there is none (see detail::fail_launch).
void* backend_workspace_allocate(Device device, std::size_t bytes, void* stream) noexcept;
void backend_workspace_free(void* p) noexcept;

}  // namespace tandem
