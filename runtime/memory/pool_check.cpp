// The pool in debug mode: freed blocks are poisoned, held back and looked at. See check.h.
#include <cstring>
#include <utility>
#include <vector>

#include "runtime/memory/poison.h"
#include "runtime/memory/pool.h"

namespace tandem {

using memory::Heap;

/// Gives a block to its heap whose uses are in the order of its owner by now; in debug mode later.
void Pool::settle(Block* b) noexcept {
  if (quarantine_ != nullptr && !b->held_back) [[unlikely]]
    return hold_back(b);
  Heap::of(*b).give(b);
}

/// Fills a freed block. Not where a fill would become part of a graph, nor where the block's own
/// stream is out of reach or its memory in another's order.
bool Pool::poison_freed(Block& b) noexcept {
  if (!asynchronous_) {
    memory::unpoison(device_, b.data, b.size);
    std::memset(b.data, debug::kPoison, b.size);
    memory::poison(device_, b.data, b.size);
    return true;
  }
  if (captures_ != 0 || quarantine_->is_dead(b.stream) || !(Heap::owner(b) == b.stream) ||
      driver_->capturing(b.stream)) {
    return false;
  }
  return driver_->fill(b.data, debug::kPoison, b.size, b.stream) == DriverStatus::Ok;
}

/// With the pool's lock.
void Pool::hold_back(Block* b) noexcept {
  b->held_back = true;
  if (Heap::of(*b).id() != PoolId::Shared) return Heap::of(*b).give(b);  // replays use it
  if (poison_freed(*b)) debug::poisoned(*b);
  try {
    if (!quarantine_->takes(*b)) return let_go(b);
    quarantine_->push(b);
  } catch (const std::bad_alloc&) {
    return let_go(b);
  }
  while (quarantine_->full()) let_go(quarantine_->pop());
}

/// Gives a block that was held back to its heap. Its fill comes after the fence it had.
void Pool::let_go(Block* b) noexcept { release_own(b); }

/// Gives all that is held back to the heaps; false where nothing was.
bool Pool::give_up_quarantine() noexcept {
  if (quarantine_ == nullptr) [[likely]]
    return false;
  const std::lock_guard<std::mutex> hold(mutex_);
  const bool any = !quarantine_->empty();
  while (!quarantine_->empty()) let_go(quarantine_->pop());
  return any;
}

/// Looks at the poison of what a block's memory was before. The block is freed again where an error
/// is raised.
void Pool::check_given_out(Block* b) {
  memory::unpoison(device_, b->data, b->size);
  try {
    if (const std::string wrong = debug::given_out(device_, *b); !wrong.empty())
      debug::mistake(wrong);
  } catch (...) {
    free(b);
    throw;
  }
  memory::poison(device_, b->data, b->size);  // but for what was asked for
}

/// Looks at all that is held back, and lets go of it. No work is pending.
void Pool::check_held_back() {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  std::vector<unsigned char> copy(kPiece);
  std::string wrong;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    for (const Block* b : quarantine_->blocks()) {
      for (std::size_t at = 0; at < b->size && wrong.empty(); at += kPiece) {
        const std::size_t n = std::min(kPiece, b->size - at);
        if (asynchronous_) {
          if (driver_->read(b->data + at, n, copy.data()) != DriverStatus::Ok) break;
        } else {
          memory::unpoison(device_, b->data + at, n);
          std::memcpy(copy.data(), b->data + at, n);
          memory::poison(device_, b->data + at, n);
        }
        wrong = debug::written_to(*b, at, copy.data(), n);
      }
      if (!wrong.empty()) break;
    }
  }
  give_up_quarantine();
  if (!wrong.empty()) debug::mistake(wrong);
}

}  // namespace tandem
