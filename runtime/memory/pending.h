// Freed blocks that other streams may still use. No locks: the pool holds its mutex around every
// call.
#pragma once

#include <cstddef>

#include "runtime/memory/blocks.h"
#include "runtime/memory/order.h"

namespace tandem::memory {

/// The blocks in the order they were freed, each with the fences of the streams that used it. A
/// block comes out when all of them are in the order of its owner (Heap::owner). Nothing is
/// recorded for a block until someone wants to know. Lists of blocks are linked by `next`.
class Pending {
 public:
  /// Adds a block whose uses have their fences.
  void add(Block* block) noexcept;
  /// What may be given back to its heap by now; records an event on each stream that is behind.
  Block* resolve(Order& order) noexcept;

  std::size_t bytes() const { return bytes_; }
  std::size_t count_bytes() const;  // walks the list, for verify
  bool holds(const Block* block) const;
  const Block* first() const { return head_; }

 private:
  Block* filter(Order& order) noexcept;

  Block* head_ = nullptr;
  Block* last_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tandem::memory
