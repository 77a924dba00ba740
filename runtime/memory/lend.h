// Blocks of the pools that are known by their address alone: what backends take as workspaces, and
// what the program borrows (allocate_memory).
#pragma once

#include <optional>

#include "runtime/memory/pool.h"
#include "tandem/stream.h"

namespace tandem::memory {

/// A block in the order of a stream, of the stream's capture where it is being captured; of one
/// byte at least. Raises OutOfMemory.
Block* allocate_lent(std::size_t bytes, StreamId stream, Device device);
/// Forgets the block at an address; null where none was lent there, or it is another device's.
Block* take_lent(const void* p, std::optional<Device> device = {}) noexcept;

}  // namespace tandem::memory
