// What an allocation tries, one rung after the other, where no small block is at hand.
#include <new>
#include <string>

#include "runtime/memory/hooks.h"
#include "runtime/memory/poison.h"
#include "runtime/memory/pool.h"
#include "runtime/memory/report.h"
#include "tandem/error.h"

namespace tandem {

using memory::Heap;
using memory::Tally;

namespace {

// Above this, rounding could overflow; no machine has it.
constexpr std::size_t kLargestRequest = std::size_t{1} << 60;
constexpr int kCallbackTries = 8;

}  // namespace

/// Counts a block as given out. With the pool's lock.
Block* Pool::finish(Block* b, const Request& q) noexcept {
  if (b == nullptr) return nullptr;
  b->requested = q.bytes;
  b->live = true;
  b->label = q.label;
  b->held_back = false;
  if (quarantine_ != nullptr) [[unlikely]]
    b->size_class = 255;  // not for the front caches
  Tally one;
  one.allocate(*b);
  fold(one, &Heap::of(*b));
  if (q.grown != 0) --stats_.cache_hits;  // fold counted it as one
  return b;
}

Block* Pool::take(const Request& q) {
  Heap& h = heap(q.id);
  if (q.size_class >= 0) return h.take_small(q.stream, q.size_class);
  return h.take_range(q.stream, q.size, q.large);
}

/// Runs one rung with the pool's lock. No memory for descriptors is no memory.
Block* Pool::locked(Block* (Pool::*rung)(const Request&), const Request& q) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  try {
    return finish((this->*rung)(q), q);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

/// The quick rung. The calling thread's cache is locked before the pool; its sums make the peaks
/// exact.
Block* Pool::attempt(const Request& q) noexcept {
  memory::FrontCache* c = locked_front(q.stream);
  const std::lock_guard<std::mutex> hold(mutex_);
  if (c != nullptr) {
    fold_front(*c);
    give_up_kept(*c);
    c->lock.unlock();
  }
  if (direct_) return nullptr;
  try {
    return finish(take(q), q);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

/// What other streams are done with, or the stream has waited for.
Block* Pool::take_settled(const Request& q) {
  Heap& h = heap(q.id);
  if (asynchronous_) {
    release_resolved();
    h.settle(q.stream);
  }
  if (Block* b = take(q)) return b;
  if (!asynchronous_) return nullptr;
  h.adopt(q.stream, q.size_class >= 0 ? memory::slab_bytes(q.size) : q.size, q.large);
  if (Block* b = take(q)) return b;
  if (q.size_class >= 0) return h.adopt_slab(q.stream, q.size_class) ? take(q) : nullptr;
  return q.id == PoolId::Shared ? take_closed(q) : nullptr;
}

/// From what graphs that are gone have left.
Block* Pool::take_closed(const Request& q) {
  for (const auto& [id, h] : heaps_) {
    if (id == PoolId::Shared || h->pinned()) continue;
    h->settle(q.stream);
    if (Block* b = h->take_range(q.stream, q.size, q.large)) return b;
  }
  return nullptr;
}

Block* Pool::take_any(const Request& q) {
  return direct_ ? nullptr : heap(q.id).take_any(q.stream, q.bytes, q.size_class);
}

/// The stream waits, on the device, for the others that hold free memory.
Block* Pool::take_waiting(const Request& q) {
  Heap& h = heap(q.id);
  if (!asynchronous_ || direct_ || !h.wait_for_others(q.stream, q.size, q.large)) return nullptr;
  if (Block* b = take_settled(q)) return b;
  return h.take_any(q.stream, q.bytes, q.size_class);
}

Block* Pool::climb(Request& q) {
  if (Block* b = attempt(q)) return b;
  if (!direct_) {
    if (kept_limit_ != 0) drain_kept();
    if (Block* b = locked(&Pool::take_settled, q)) return b;
  }
  if (Block* b = grow(q)) return b;
  if (Block* b = locked(&Pool::take_any, q)) return b;
  if (Block* b = locked(&Pool::take_waiting, q)) return b;
  return nullptr;
}

Block* Pool::allocate_slow(std::size_t bytes, StreamId stream, PoolId id) {
  Request q{bytes, -1, bytes, true, stream, id};
  q.label = memory::label_of_op();
  if (bytes > kLargestRequest) fail(q);
  if (bytes <= memory::kSlabLimit && !direct_) {
    q.size_class = classes_.of(bytes);
    q.size = classes_.bytes(q.size_class);
    q.large = false;
  } else if (!direct_) {
    q.size = memory::range_bytes(bytes);
    q.large = q.size > memory::kLargeLimit;
  }
  const auto climb_and_tell = [&] {
    const std::size_t before = q.grown;
    Block* b = climb(q);
    if (q.grown != before)
      notify(MemoryEvent::Kind::Grow, q.grown - before, "no cached block fits");
    return b;
  };
  Block* b = climb_and_tell();
  if (b == nullptr && give_up_quarantine()) b = climb_and_tell();
  if (b == nullptr && can_help(q)) {
    const auto retry = [&](bool wait) {
      if (wait) synchronize("out of memory");
      give_back(0, "out of memory");
      b = climb_and_tell();
      if (b == nullptr) return;
      const std::lock_guard<std::mutex> hold(mutex_);
      ++stats_.retries;
    };
    retry(false);
    if (b == nullptr) drain_all();
    if (b == nullptr) retry(asynchronous_);
  }
  for (int i = 0; b == nullptr && i < kCallbackTries && memory::ask_user(device_, bytes); ++i) {
    drain_all();
    if (asynchronous_) synchronize("out of memory");
    give_back(0, "out of memory");
    b = climb_and_tell();
  }
  if (b == nullptr) fail(q);
  if (quarantine_ != nullptr) [[unlikely]]
    check_given_out(b);
  memory::unpoison(device_, b->data, bytes);
  return b;
}

/// Whether giving memory back can make room for a request.
bool Pool::can_help(const Request& q) {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (q.bytes > stats_.limit) return false;
  const auto at = heaps_.find(q.id);
  if (at != heaps_.end() && q.bytes > at->second->limit) return false;
  MemoryInfo info;
  return resource_ != nullptr || driver_->memory_info(&info) != DriverStatus::Ok ||
         q.bytes <= info.total;
}

memory::OutOfMemoryFacts Pool::facts(const Request& q) {
  memory::OutOfMemoryFacts f;
  f.bytes = q.bytes;
  f.stream = q.stream;
  f.pool = static_cast<std::uint32_t>(q.id);
  f.failed = q.failed;
  MemoryInfo info;
  if (driver_->memory_info(&info) == DriverStatus::Ok) f.device = info;
  f.held = snapshot(false);
  if (q.label < f.held.labels.size()) f.label = f.held.labels[q.label];
  return f;
}

void Pool::fail(const Request& q) {
  std::string message;
  try {
    message = memory::report(facts(q));
  } catch (const std::bad_alloc&) {  // not even for the report
    message = "[allocate] expected memory on " + device_.str() + ", got none";
  }
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    ++stats_.out_of_memory;
  }
  notify(MemoryEvent::Kind::OutOfMemory, q.bytes, "nothing left to give back");
  if (q.failed) throw DeviceError(message);
  throw OutOfMemory(message);
}

}  // namespace tandem
