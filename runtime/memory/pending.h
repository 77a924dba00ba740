// Freed blocks that other streams may still use. No locks: the pool holds its mutex around every
// call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/memory/arena.h"
#include "runtime/memory/driver.h"

namespace tandem::memory {

/// The blocks in the order they were freed, each with an event on every stream that used it. A
/// block comes out when all of them have passed, or when someone else waited for their streams.
/// Lists of blocks are linked by `next`.
class Pending {
 public:
  explicit Pending(Driver& driver) : driver_(driver) {}
  ~Pending();
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  /// Adds a block with uses and marks where its streams are now. A stream whose event cannot be had
  /// keeps the block until it is synchronised.
  void add(Block* block) noexcept;
  /// What the events allow by now.
  Block* poll() noexcept;
  /// What may go because all work that the stream (the device) had at the mark is done.
  Block* stream_done(StreamId stream, std::uint64_t mark) noexcept;
  Block* device_done(std::uint64_t mark) noexcept;

  std::uint64_t mark() const { return added_; }
  std::size_t bytes() const { return bytes_; }
  std::uint64_t events() const { return events_; }
  std::size_t count_bytes() const;  // walks the list, for verify

 private:
  template <class Done>
  Block* filter(Done done) noexcept;
  bool take_event(EventHandle* out) noexcept;
  void give_event(EventHandle event) noexcept;

  Driver& driver_;
  Block* head_ = nullptr;
  Block* last_ = nullptr;
  std::uint64_t added_ = 0;   // blocks, ever
  std::uint64_t events_ = 0;  // recorded, ever
  std::size_t bytes_ = 0;
  std::vector<EventHandle> spare_;
};

}  // namespace tandem::memory
