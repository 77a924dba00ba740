// Hears of the storages on the meta device: how the allocations of a program are recorded without
// running it. Internal.
#pragma once

#include <cstddef>

#include "tandem/export.h"

namespace tandem::detail {

struct StorageObserver {
  /// Called on the thread that makes or drops the storage; `storage` tells it apart while it lives.
  void (*made)(const void* storage, std::size_t bytes);
  void (*gone)(const void* storage);  // must not raise
};

/// From here on storages on meta are told to `observer`, which must outlive them; null: to nobody.
/// Storages that were made before may be told to be gone.
TANDEM_API void observe_meta_storages(const StorageObserver* observer) noexcept;

}  // namespace tandem::detail
