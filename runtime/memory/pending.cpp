// Waiting for other streams without waiting: fences, asked when memory is wanted.
#include "runtime/memory/pending.h"

#include <algorithm>
#include <array>

#include "runtime/memory/heap.h"

namespace tandem::memory {
namespace {

/// The streams that blocks wait for, with the newest fence of each. More than it holds are asked
/// about in the next round.
class Behind {
 public:
  void add(StreamId stream, std::uint64_t fence) {
    for (std::size_t i = 0; i < n_; ++i) {
      if (uses_[i].stream == stream) {
        uses_[i].fence = std::max(uses_[i].fence, fence);
        return;
      }
    }
    if (n_ < uses_.size()) uses_[n_++] = {stream, fence};
  }
  const Use* begin() const { return uses_.data(); }
  const Use* end() const { return uses_.data() + n_; }

 private:
  std::array<Use, 32> uses_;
  std::size_t n_ = 0;
};

/// Calls f for each use that is not in the order of the block's owner by itself.
template <class F>
void for_each_use(const Block& b, F f) {
  if (b.uses != nullptr) {
    for (const Use& use : *b.uses) f(use);
  }
  if (!(Heap::owner(b) == b.stream)) f(Use{b.stream, b.fence});
}

}  // namespace

void Pending::add(Block* b) noexcept {
  b->next = nullptr;
  (last_ != nullptr ? last_->next : head_) = b;
  last_ = b;
  bytes_ += b->size;
}

Block* Pending::filter(Order& order) noexcept {
  Block* released = nullptr;
  Block** at = &head_;
  last_ = nullptr;
  while (Block* b = *at) {
    const StreamId owner = Heap::owner(*b);
    bool behind = false;
    bool done = order.passed(b->stream, b->fence);
    for_each_use(*b, [&](const Use& use) {
      behind = behind || !order.ordered(owner, use.stream, use.fence);
      done = done && order.passed(use.stream, use.fence);
    });
    if (behind) {
      last_ = b;
      at = &b->next;
      continue;
    }
    *at = b->next;
    b->uses.reset();
    b->last_use.store(kNoStream, std::memory_order_relaxed);
    // Else its uses are before whatever the owner does next.
    b->fence = done ? 0 : order.fence(owner);
    bytes_ -= b->size;
    b->next = released;
    released = b;
  }
  return released;
}

Block* Pending::resolve(Order& order) noexcept {
  if (head_ == nullptr) return nullptr;
  const auto behind = [&] {
    Behind streams;
    for (const Block* b = head_; b != nullptr; b = b->next) {
      for_each_use(*b, [&](const Use& use) { streams.add(use.stream, use.fence); });
    }
    return streams;
  };
  for (const Use& use : behind()) order.poll(use.stream);
  Block* released = filter(order);
  if (head_ == nullptr) return released;
  // One event a stream for all that is left; it has passed at once where the stream has no work.
  for (const Use& use : behind()) {
    if (order.mark(use.stream, use.fence)) order.poll(use.stream);
  }
  Block* more = filter(order);
  if (more == nullptr) return released;
  Block* end = more;
  while (end->next != nullptr) end = end->next;
  end->next = released;
  return more;
}

std::size_t Pending::count_bytes() const {
  std::size_t bytes = 0;
  for (const Block* b = head_; b != nullptr; b = b->next) bytes += b->size;
  return bytes;
}

bool Pending::holds(const Block* block) const {
  const Block* b = head_;
  while (b != nullptr && b != block) b = b->next;
  return b != nullptr;
}

}  // namespace tandem::memory
