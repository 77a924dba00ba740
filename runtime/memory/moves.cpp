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
// "Virtual Aliasing Support"), and no op uses two of them. A driver that refuses is not asked for
// ever.
//
// A page at its current address is free for all only once the work before its move has passed, too,
// as events tell what their streams had waited for. So old addresses are closed before a page goes
// back to the driver.
#include <algorithm>
#include <new>

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
    if (quarantine_ != nullptr && moved != 0) debug::forget(run->data, moved);
    h.leave(run, moved);
    left -= moved;
  }
}

/// Unmaps the addresses that pages have left, where no work uses them any more. False where the
/// driver refused: pages that are free for all may have another address still, and stay. With the
/// growth lock.
bool Pool::close_left() {
  if (!asynchronous_ || !virtual_ || captures_ != 0) return true;
  const std::size_t page = driver_->granularity();
  std::unique_lock<std::mutex> hold(mutex_);
  for (const auto& [id, h] : heaps_) {
    h->poll_left();
    for (;;) {
      descriptors_.ranges.reserve(1);
      Range* run = h->open_left();
      if (run == nullptr) break;
      Range* extra = descriptors_.ranges.take();
      hold.unlock();
      const auto base = reinterpret_cast<DriverAddress>(run->data);
      std::size_t gone = 0;
      while (gone < run->size && driver_->unmap(base + gone, page) == DriverStatus::Ok)
        gone += page;
      hold.lock();
      descriptors_.ranges.give(extra);
      const bool whole = gone == run->size;
      h->close_left(run, gone);
      if (!whole) return false;
    }
  }
  return true;
}

}  // namespace tandem
