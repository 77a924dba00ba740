// The pool of pinned host memory, which devices copy from and to directly.
//
// Its blocks belong to the host's order. A copy that a stream makes from or to a block is a use of
// the block on that stream; a block that is freed waits in the pool until all such streams are past
// it, without that the host waits.
#pragma once

#include "runtime/memory/pool.h"
#include "tandem/storage.h"

namespace tandem {

/// Made at the first call. Raises DeviceError, naming `op`, where there is no device that memory
/// could be pinned for.
Pool& pinned_pool(const char* op);
/// Null where it was not made.
Pool* pinned_pool_if_any() noexcept;

namespace detail {
/// Uninitialised pinned memory. Raises as pinned_pool does, and OutOfMemory.
Storage pinned_storage(std::size_t bytes, const char* op);
bool is_pinned(const StorageBody& storage) noexcept;
}  // namespace detail

}  // namespace tandem
