// Pages that move while work is pending.
//
// Note [Moved pages]
// A request that no free range holds takes whole pages from what is free, wherever that lies. Of
// what is free for all, pages are unmapped and mapped again. What is free in the order of a stream
// alone has work pending, under which nothing can be unmapped; but a later op of that stream comes
// after that work, at whatever address. So for a request of the stream itself such a page is mapped
// at the new address as well, at once. Its old address is left (Range::State::Left): nothing is put
// there, and it is unmapped when the work is done.
//
// CUDA allows several mappings of one allocation. What a kernel or a copy wrote at one of them is
// seen at the others by whatever comes after it in stream order (CUDA C++ Programming Guide,
// "Virtual Aliasing Support"), and no op uses two of them. A driver that refuses three times in a
// row is not asked again.
//
// A page at its current address becomes free for all only once the work before its move has passed,
// too, as events tell what their streams had waited for. So whoever takes such a page to unmap it
// closes its old addresses first, under the same hold of the pool's lock (close_left).
#include <algorithm>
#include <new>
#include <utility>

#include "runtime/memory/filling.h"
#include "runtime/memory/pool.h"

namespace tandem {

using memory::Range;

namespace {

constexpr int kMostRefusals = 3;

}  // namespace

/// Whether pages may be moved for a request. With the growth lock.
bool Pool::may_move(const Request& q) const noexcept {
  return asynchronous_ && captures_ == 0 && q.id == PoolId::Shared &&
         refused_moves_ < kMostRefusals;
}

/// Collects `bytes` of pages that are free in the request's own order, or as many as there are.
void Pool::open_moves(const Request& q, std::size_t bytes, Filling& f) {
  if (!may_move(q)) return;
  const std::size_t page = driver_->granularity();
  f.moving.reserve(bytes / page);
  f.runs.reserve(bytes / page);
  const std::lock_guard<std::mutex> hold(mutex_);
  memory::Heap& h = heap(q.id);
  while (f.moving.size() * page < bytes) {
    try {
      descriptors_.ranges.reserve(4);
    } catch (const std::bad_alloc&) {
      return;  // what was found so far
    }
    Range* run = h.open_own_pages(q.stream, bytes - f.moving.size() * page);
    if (run == nullptr) return;
    f.runs.push_back(run);
    for (std::size_t at = 0; at < run->size; at += page) f.moving.push_back(page_at(*run, at));
  }
}

/// The pages that moved belong to the hole, the others stay. With the pool's lock, and a spare
/// range.
void Pool::end_moves(memory::Heap& h, const Filling& f) noexcept {
  std::size_t left = f.moved * driver_->granularity();
  lost(h, left);
  for (Range* run : f.runs) {
    const std::size_t moved = std::min(left, run->size);
    h.leave(run, moved);
    left -= moved;
  }
}

/// Unmaps the addresses that pages of a heap have left, where no work uses them any more. As long
/// as `hold` is held after that, a page that is free for all has no other address. False where the
/// driver refused: then none may go. With the growth lock.
bool Pool::close_left(memory::Heap& h, std::unique_lock<std::mutex>& hold) {
  if (!asynchronous_ || !virtual_) return true;
  const std::size_t page = driver_->granularity();
  while (const std::size_t n = h.left_passed()) {
    if (captures_ != 0) return false;
    descriptors_.ranges.reserve(n);
    Range* extra = nullptr;  // one for each that goes in part
    for (std::size_t i = 0; i < n; ++i) {
      Range* r = descriptors_.ranges.take();
      r->next = std::exchange(extra, r);
    }
    Range* const list = h.open_left(n);
    hold.unlock();
    bool whole = true;
    for (Range* r = list; r != nullptr; r = static_cast<Range*>(r->next)) {
      const auto base = reinterpret_cast<DriverAddress>(r->data);
      std::size_t gone = 0;
      while (gone < r->size && driver_->unmap(base + gone, page) == DriverStatus::Ok) gone += page;
      if (quarantine_ != nullptr) debug::forget(r->data, gone);
      r->requested = gone;
      whole = whole && gone == r->size;
    }
    hold.lock();
    for (Range* r = extra; r != nullptr;) {
      Range* const each = std::exchange(r, static_cast<Range*>(r->next));
      each->next = nullptr;
      descriptors_.ranges.give(each);
    }
    for (Range* r = list; r != nullptr;) {
      Range* const each = std::exchange(r, static_cast<Range*>(r->next));
      each->next = nullptr;
      h.close_left(each, each->requested);
    }
    if (!whole) return false;
  }
  return true;
}

/// The same of all heaps, as far as it goes.
void Pool::close_left(bool mark) {
  if (!asynchronous_ || !virtual_ || captures_ != 0) return;
  std::unique_lock<std::mutex> hold(mutex_);
  for (const auto& [id, h] : heaps_) {
    h->poll_left(mark);
    close_left(*h, hold);
  }
}

}  // namespace tandem
