// Waiting for other streams without waiting: events, asked in the order of the frees.
#include "runtime/memory/pending.h"

#include <algorithm>
#include <array>
#include <new>

namespace tandem::memory {

Pending::~Pending() {
  for (const EventHandle e : spare_) driver_.event_destroy(e);
}

bool Pending::take_event(EventHandle* out) noexcept {
  if (spare_.empty()) return driver_.event_create(out) == DriverStatus::Ok;
  *out = spare_.back();
  spare_.pop_back();
  return true;
}

void Pending::give_event(EventHandle event) noexcept {
  try {
    spare_.push_back(event);
  } catch (const std::bad_alloc&) {
    driver_.event_destroy(event);
  }
}

void Pending::add(Block* b) noexcept {
  for (Use& use : *b->uses) {
    if (!take_event(&use.event)) continue;
    use.recorded = driver_.event_record(use.event, use.stream) == DriverStatus::Ok;
    if (use.recorded) {
      ++events_;
    } else {
      give_event(use.event);
    }
  }
  b->freed = ++added_;
  b->next = nullptr;
  (last_ != nullptr ? last_->next : head_) = b;
  last_ = b;
  bytes_ += b->size;
}

template <class Done>
Block* Pending::filter(Done done) noexcept {
  Block* released = nullptr;
  Block** at = &head_;
  last_ = nullptr;
  while (Block* b = *at) {
    std::erase_if(*b->uses, [&](const Use& use) {
      if (!done(*b, use)) return false;
      if (use.recorded) give_event(use.event);
      return true;
    });
    if (!b->uses->empty()) {
      last_ = b;
      at = &b->next;
      continue;
    }
    *at = b->next;
    b->uses.reset();
    b->last_use.store(kNoStream, std::memory_order_relaxed);
    bytes_ -= b->size;
    b->next = released;
    released = b;
  }
  return released;
}

Block* Pending::poll() noexcept {
  // A stream's events pass in order: after one that has not, its later ones need not be asked. More
  // busy streams than the array holds are asked each time.
  std::array<StreamId, 16> busy;
  std::size_t n = 0;
  return filter([&](const Block&, const Use& use) {
    if (!use.recorded || std::find(busy.begin(), busy.begin() + n, use.stream) != busy.begin() + n)
      return false;
    if (driver_.event_query(use.event) == DriverStatus::Ok) return true;
    if (n < busy.size()) busy[n++] = use.stream;
    return false;
  });
}

Block* Pending::stream_done(StreamId stream, std::uint64_t mark) noexcept {
  return filter(
      [&](const Block& b, const Use& use) { return use.stream == stream && b.freed <= mark; });
}

Block* Pending::device_done(std::uint64_t mark) noexcept {
  return filter([&](const Block& b, const Use&) { return b.freed <= mark; });
}

std::size_t Pending::count_bytes() const {
  std::size_t bytes = 0;
  for (const Block* b = head_; b != nullptr; b = b->next) bytes += b->size;
  return bytes;
}

}  // namespace tandem::memory
