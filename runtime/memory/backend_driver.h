// A backend's driver calls as the memory driver of a caching pool, one pool a device.
#pragma once

#include <cstddef>

#include "tandem/backend.h"

namespace tandem {

/// Gives every device of an opened backend its pool; the table must live until the process ends.
void register_backend_pools(const BackendTable& table);

/// The workspace calls of HostTable: memory of the device's pool in the order of a stream.
void* backend_workspace_allocate(int device, std::size_t bytes, void* stream);
void backend_workspace_free(int device, void* p, void* stream);

}  // namespace tandem
