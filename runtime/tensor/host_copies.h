// Copies that devices make from and to pinned memory of the host: host code that touches such
// memory waits for exactly these.
#pragma once

#include "tandem/storage.h"
#include "tandem/stream.h"

namespace tandem::detail {

/// Notes that the stream's last work is a copy that writes (or reads) the pinned storage.
void note_host_copy(const StorageBody& storage, const Stream& stream, bool writes);
/// Waits for the copies that stand against a use by the host: those that write, and where the host
/// writes those that read, too. Only storages that are pinned have any.
void wait_for_host_copies(const StorageBody& storage, bool host_writes);
/// The storage is gone.
void forget_host_copies(const StorageBody& storage) noexcept;

}  // namespace tandem::detail
