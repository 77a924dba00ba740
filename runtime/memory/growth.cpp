// Memory from the driver and back to it: segments, or pages of reserved address space. All with the
// growth lock held, and the driver called without the pool's.
#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "runtime/memory/filling.h"
#include "runtime/memory/hooks.h"
#include "runtime/memory/poison.h"
#include "runtime/memory/pool.h"

namespace tandem {

using memory::Range;
using memory::Segment;

namespace {

constexpr std::size_t kDirectUnit = 16;  // of allocations with TANDEM_POOL=direct

}  // namespace

/// Holds the growth lock, unless the thread does already: from within a user's resource.
class Pool::Growing {
 public:
  explicit Growing(Pool& pool) : pool_(pool), outermost_(pool.grower_.load() != &t_self) {
    if (!outermost_) return;
    pool_.growth_.lock();
    pool_.grower_ = &t_self;
  }
  ~Growing() {
    if (!outermost_) return;
    pool_.grower_ = nullptr;
    pool_.growth_.unlock();
  }
  /// Whether the thread is not within a call of a user's resource.
  bool outermost() const { return outermost_; }
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;

 private:
  static thread_local char t_self;
  Pool& pool_;
  bool outermost_;
};
thread_local char Pool::Growing::t_self = 0;

/// Whether a heap may reserve so many bytes more. With the pool's lock.
bool Pool::within_limit(const memory::Heap& h, std::size_t bytes) const {
  const auto within = [bytes](std::size_t limit, std::size_t reserved) {
    return bytes <= limit && reserved <= limit - bytes;
  };
  return within(stats_.limit, stats_.reserved.current) && within(h.limit, h.sums.reserved.current);
}

/// Memory of a heap went back, or to another.
void Pool::lost(memory::Heap& h, std::size_t bytes) noexcept {
  stats_.reserved.current -= bytes;
  h.sums.reserved.current -= bytes;
}

Block* Pool::grow(Request& q) noexcept try {
  const Growing one(*this);
  if (!direct_) {  // another thread may have grown meanwhile
    if (Block* b = locked(&Pool::take, q)) return b;
  }
  // A resource that allocates here is not asked for that, too.
  q.source = one.outermost() ? source_for(q) : nullptr;
  if (virtual_ && q.source == nullptr) {
    bool space = true;  // where there is none, as with ulimit -v: a segment, this time
    if (grow_virtual(q, &space)) return locked(&Pool::take_grown, q);
    if (space) return nullptr;
  }
  if (direct_) {
    q.size = memory::round_up(q.bytes, kDirectUnit);
    return grow_plain(q, q.size) ? locked(&Pool::take, q) : nullptr;
  }
  const std::size_t segment = !q.large                             ? memory::kSmallSegment
                              : q.size < memory::kLargeSegment / 2 ? memory::kLargeSegment
                                                                   : q.size;
  if (grow_plain(q, segment)) return locked(&Pool::take, q);
  if (q.large && segment > q.size && grow_plain(q, q.size)) return locked(&Pool::take, q);
  return nullptr;
} catch (const std::bad_alloc&) {  // no memory for descriptors is no memory
  return nullptr;
}

/// What growing made room for may lie beside what is the stream's own.
Block* Pool::take_grown(const Request& q) {
  heap(q.id).gather(q.stream);
  return take(q);
}

/// Memory of the user's resource; null where it has none, whatever it raises, or none that is
/// aligned.
void* Pool::ask(MemoryResource& resource, std::size_t bytes, void* stream) noexcept {
  const std::size_t align = driver_->block_alignment();
  try {
    void* p = resource.allocate(bytes, align, stream);
    if (reinterpret_cast<std::uintptr_t>(p) % align == 0) return p;
    resource.deallocate(p, bytes, align, stream);
  } catch (...) {  // it has no memory
  }
  return nullptr;
}

/// The user's resource that a request may be served from; null: the driver.
MemoryResource* Pool::source_for(const Request& q) {
  MemoryResource* resource = nullptr;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    resource = resource_;
  }
  if (resource == nullptr || !resource->stream_ordered()) return resource;
  // What is ordered by a stream of its own now is in no order with replays.
  return q.id == PoolId::Shared && !driver_->capturing(q.stream) ? resource : nullptr;
}

bool Pool::grow_plain(Request& q, std::size_t bytes) {
  MemoryResource* const resource = q.source;
  bytes = memory::round_up(bytes, direct_ ? kDirectUnit : driver_->granularity());
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!within_limit(heap(q.id), bytes)) return false;
    descriptors_.segments.reserve(1);
    descriptors_.ranges.reserve(2);
  }
  const bool ordered = resource != nullptr && resource->stream_ordered();
  void* const stream = ordered ? reinterpret_cast<void*>(q.stream.handle) : nullptr;
  void* p = nullptr;
  if (resource != nullptr) {
    p = ask(*resource, bytes, stream);
    if (p == nullptr) return false;
  } else if (const DriverStatus s = driver_->allocate(bytes, &p); s != DriverStatus::Ok) {
    q.failed |= s == DriverStatus::Failed;
    return false;
  }
  memory::poison(device_, p, bytes);
  std::unique_lock<std::mutex> hold(mutex_);
  // Others took spare descriptors meanwhile: what was had is given back where there are none left.
  try {
    descriptors_.segments.reserve(1);
    descriptors_.ranges.reserve(1);
    heap(q.id).expect(q.stream);
  } catch (const std::bad_alloc&) {
    hold.unlock();
    Segment refused;
    refused.base = static_cast<std::byte*>(p);
    refused.bytes = bytes;
    refused.source = resource;
    give_back_segment(refused, stream);
    throw;
  }
  Segment* segment = descriptors_.segments.take();
  *segment = Segment{};
  segment->base = static_cast<std::byte*>(p);
  segment->bytes = bytes;
  segment->source = resource;
  segment->large = q.large;
  memory::Heap& h = heap(q.id);
  h.add(segment, ordered ? &q.stream : nullptr);
  memory::raise(stats_.reserved, bytes, bytes);
  memory::raise(h.sums.reserved, bytes, bytes);
  ++stats_.driver_allocations;
  q.grown += bytes;
  return true;
}

// ---- address space

/// Reserves address space: as much as the device has memory, more where one request wants it.
bool Pool::reserve_space(const Request& q, std::size_t bytes) {
  MemoryInfo info;
  std::size_t span = memory::kLargeSegment;
  if (driver_->memory_info(&info) == DriverStatus::Ok) span = std::max(span, info.total);
  if (q.id != PoolId::Shared) span /= 16;  // graphs are many
  span = memory::round_up(std::max(span, 2 * bytes), driver_->granularity());
  std::vector<PhysicalHandle> pages(span / driver_->granularity());
  DriverAddress at = 0;
  if (driver_->reserve(span, &at) != DriverStatus::Ok) return false;
  const std::lock_guard<std::mutex> hold(mutex_);
  try {
    descriptors_.segments.reserve(1);
    descriptors_.ranges.reserve(1);
    Segment* segment = descriptors_.segments.take();
    *segment = Segment{};
    segment->base = reinterpret_cast<std::byte*>(at);
    segment->bytes = span;
    segment->large = q.large;
    segment->is_virtual = true;
    segment->pages = std::move(pages);
    heap(q.id).add_space(segment);
  } catch (...) {
    driver_->release(at, span);
    throw;
  }
  return true;
}

/// The page of a virtual segment that has a range's byte `at`.
PhysicalHandle& Pool::page_at(Range& r, std::size_t at) noexcept {
  const auto place = static_cast<std::size_t>(r.data - r.segment->base) + at;
  return r.segment->pages[place / driver_->granularity()];
}

/// Gives memory without an address back; what the driver does not take serves the next growth.
void Pool::destroy_page(PhysicalHandle handle) noexcept {
  if (driver_->destroy(handle, driver_->granularity()) == DriverStatus::Ok) return;
  try {
    spare_pages_.push_back(handle);
  } catch (const std::bad_alloc&) {  // lost
  }
}

/// Gives a busy hole its pages from its beginning on. The bytes that have memory.
std::size_t Pool::map_pages(Range* hole, Filling& f, bool* failed) noexcept {
  const std::size_t page = driver_->granularity();
  const auto base = reinterpret_cast<DriverAddress>(hole->data);
  std::size_t mapped = 0;
  DriverStatus s = DriverStatus::Ok;
  bool refused = false;  // a page that was to move, at this address
  while (mapped < hole->size) {
    const bool room = f.added < f.room, loose = room && !f.loose.empty();
    const bool moves = !loose && f.moved < f.moving.size();
    if (!room && !moves) break;
    PhysicalHandle handle = loose ? f.loose.back() : moves ? f.moving[f.moved] : 0;
    if (!loose && !moves) {
      if (s = driver_->create(page, &handle); s != DriverStatus::Ok) break;
    }
    s = driver_->map(base + mapped, page, handle);
    if (s != DriverStatus::Ok && moves) {
      refused = true;
      f.moving.resize(f.moved);  // the rest from the driver
      continue;
    }
    if (s != DriverStatus::Ok) {
      if (!loose) destroy_page(handle);
      break;
    }
    if (refused) ++refused_moves_;  // another page may be there
    refused = false;
    if (moves) refused_moves_ = 0;
    (moves ? f.moved : f.added) += moves ? 1 : page;
    if (loose) f.loose.pop_back();
    if (!loose && !moves) f.fresh += page;
    page_at(*hole, mapped) = handle;
    mapped += page;
  }
  *failed |= s == DriverStatus::Failed;
  memory::poison(device_, hole->data, mapped);
  return mapped;
}

/// Takes the pages of a busy run from it, and keeps them in `pages` or gives them back. The bytes
/// from the run's beginning that are gone.
std::size_t Pool::unmap_pages(Range* run, std::vector<PhysicalHandle>* pages) noexcept {
  const std::size_t page = driver_->granularity();
  const auto base = reinterpret_cast<DriverAddress>(run->data);
  memory::unpoison(device_, run->data, run->size);
  if (quarantine_ != nullptr) debug::forget(run->data, run->size);
  std::size_t gone = 0;
  for (; gone < run->size; gone += page) {
    if (driver_->unmap(base + gone, page) != DriverStatus::Ok) break;
    const PhysicalHandle handle = page_at(*run, gone);
    if (pages != nullptr) {
      pages->push_back(handle);  // reserved by the caller
    } else {
      destroy_page(handle);
    }
  }
  if (gone != run->size) memory::poison(device_, run->data + gone, run->size - gone);
  return gone;
}

/// Whether `bytes` could be had: pages that are free for all or may move, and the rest from the
/// device.
bool Pool::hopeful(const Request& q, std::size_t bytes, std::size_t spare) {
  std::size_t there = spare, own = 0;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    for (const auto& [id, h] : heaps_) {
      if (captures_ != 0) break;
      if (h->pinned()) continue;
      if (asynchronous_) h->reclaim();
      const std::size_t pages =
          h->clean_pages() + (id == q.id && may_move(q) ? h->own_pages(q.stream) : 0);
      there += pages;
      if (id == q.id) own = pages;
    }
    const memory::Heap& h = heap(q.id);
    const auto over = [](std::size_t limit, std::size_t reserved, std::size_t more) {
      return more > limit || reserved > limit - more;
    };
    if (bytes > there && over(stats_.limit, stats_.reserved.current, bytes - there)) return false;
    if (bytes > own && over(h.limit, h.sums.reserved.current, bytes - own)) return false;
  }
  MemoryInfo info;
  return bytes < there + memory::kLargeSegment || driver_->memory_info(&info) != DriverStatus::Ok ||
         bytes - there <= info.free;
}

/// Collects `bytes` of pages that are free for all, or as many as there are.
void Pool::steal_pages(const Request& q, std::size_t bytes, Filling& f) {
  const std::size_t page = driver_->granularity();
  std::unique_lock<std::mutex> hold(mutex_);
  if (captures_ != 0) return;
  f.loose.reserve(bytes / page);
  for (const auto& [id, h] : heaps_) {
    while (!h->pinned() && f.loose.size() * page < bytes) {
      descriptors_.ranges.reserve(4);
      if (!close_left(*h, hold)) break;
      Range* run = h->open_pages(bytes - f.loose.size() * page);
      if (run == nullptr) break;
      Range* extra = descriptors_.ranges.take();
      hold.unlock();
      const std::size_t gone = unmap_pages(run, &f.loose);
      hold.lock();
      descriptors_.ranges.give(extra);
      const bool whole = gone == run->size;
      lost(*h, gone);
      f.stolen += gone;
      f.own += id == q.id ? gone : 0;
      h->empty(run, gone);
      if (!whole) return;
    }
  }
}

/// What the limits leave, and at least what was taken for the request.
std::size_t Pool::room_for(const Request& q, const Filling& f) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const memory::Heap& h = heap(q.id);
  const auto left = [](std::size_t limit, std::size_t reserved, std::size_t taken) {
    return std::max(limit - std::min(limit, reserved), taken);
  };
  return std::min(left(stats_.limit, stats_.reserved.current, f.stolen),
                  left(h.limit, h.sums.reserved.current, f.own));
}

/// Room for a request in address space. Pages that could be had stay, also where they are not
/// enough.
bool Pool::grow_virtual(Request& q, bool* space) {
  const std::size_t bytes = q.size_class >= 0 ? memory::slab_bytes(q.size) : q.size;
  close_left(false);
  Range* hole = nullptr;
  Range* extra[2] = {};  // for a hole that is filled in part, for a run of which a part moves
  for (int round = 0; hole == nullptr && round < 2; ++round) {
    {
      const std::lock_guard<std::mutex> hold(mutex_);
      descriptors_.ranges.reserve(5);
      hole = heap(q.id).open_hole(q.stream, bytes, q.large);
      for (Range*& r : extra) r = hole != nullptr ? descriptors_.ranges.take() : nullptr;
    }
    if (hole == nullptr && (round == 1 || !reserve_space(q, bytes))) {
      *space = false;
      return false;
    }
  }
  Filling filling;
  filling.loose = std::exchange(spare_pages_, {});
  const std::size_t mapped = fill_hole(q, hole, filling);
  const bool whole = mapped == hole->size;
  const std::lock_guard<std::mutex> hold(mutex_);
  for (Range* r : extra) descriptors_.ranges.give(r);
  memory::Heap& h = heap(q.id);
  h.fill(hole, mapped, filling.moved != 0 ? &q.stream : nullptr);
  end_moves(h, filling);
  if (mapped == 0) return false;
  memory::raise(stats_.reserved, mapped, filling.fresh);
  memory::raise(h.sums.reserved, mapped, filling.fresh);
  if (filling.fresh != 0) ++stats_.driver_allocations;
  q.grown += filling.fresh;
  return whole;
}

/// Maps the hole's pages, from wherever they can be had. What is hopeless is not begun: the pages
/// stay where they are. The bytes that have memory.
std::size_t Pool::fill_hole(Request& q, Range* hole, Filling& f) noexcept {
  const std::size_t page = driver_->granularity();
  std::size_t mapped = 0;
  try {
    if (hopeful(q, hole->size, f.loose.size() * page)) {
      steal_pages(q, hole->size, f);
      f.room = memory::round_down(room_for(q, f), page);
      const std::size_t had = std::min(f.loose.size() * page, f.room);
      if (had < hole->size) open_moves(q, hole->size - had, f);
      mapped = map_pages(hole, f, &q.failed);
    }
  } catch (const std::bad_alloc&) {  // no list of pages
  }
  for (const PhysicalHandle h : f.loose) destroy_page(h);
  return mapped;
}

// ---- back

std::size_t Pool::give_back_pages(std::size_t keep, bool closed) {
  const std::size_t page = driver_->granularity();
  std::size_t bytes = 0;
  std::unique_lock<std::mutex> hold(mutex_);
  for (const auto& [id, h] : heaps_) {
    if (h->pinned() || (closed && id == PoolId::Shared)) continue;
    while (stats_.reserved.current > keep) {
      descriptors_.ranges.reserve(4);
      if (!close_left(*h, hold)) break;
      const std::size_t most = memory::round_up(stats_.reserved.current - keep, page);
      Range* run = h->open_pages(most);
      if (run == nullptr) break;
      Range* extra = descriptors_.ranges.take();  // for a run that goes in part
      hold.unlock();
      const std::size_t gone = unmap_pages(run, nullptr);
      hold.lock();
      descriptors_.ranges.give(extra);
      const bool whole = gone == run->size;
      lost(*h, gone);
      bytes += gone;
      ++stats_.driver_frees;
      h->empty(run, gone);
      if (!whole) break;
    }
  }
  return bytes;
}

/// Idle segments, and address space that has no memory left.
std::size_t Pool::give_back_segments(std::size_t keep, bool closed) {
  std::size_t bytes = 0;
  std::unique_lock<std::mutex> hold(mutex_);
  for (const auto& [id, h] : heaps_) {
    if (h->pinned() || (closed && id == PoolId::Shared)) continue;
    Segment* list = stats_.reserved.current > keep ? h->detach_idle(nullptr) : nullptr;
    if (keep == 0) list = h->detach_space(list);
    while (list != nullptr) {
      Segment* s = list;
      list = s->next;
      if (!s->is_virtual && stats_.reserved.current <= keep) {
        h->reattach(s);
        continue;
      }
      hold.unlock();
      const bool gone = give_back_segment(*s);
      hold.lock();
      if (!gone) {
        h->reattach(s);
        continue;
      }
      if (!s->is_virtual) {
        bytes += s->bytes;
        lost(*h, s->bytes);
        ++stats_.driver_frees;
      }
      h->forget(s);
    }
  }
  std::erase_if(heaps_, [](const auto& entry) {
    return entry.first != PoolId::Shared && !entry.second->pinned() && entry.second->empty();
  });
  return bytes;
}

/// `stream`: where a stream-ordered resource is to take it back; null once all its work is done.
bool Pool::give_back_segment(const Segment& s, void* stream) noexcept {
  if (s.is_virtual)
    return driver_->release(reinterpret_cast<DriverAddress>(s.base), s.bytes) == DriverStatus::Ok;
  memory::unpoison(device_, s.base, s.bytes);
  if (quarantine_ != nullptr) debug::forget(s.base, s.bytes);
  if (s.source != nullptr) {
    try {
      s.source->deallocate(s.base, s.bytes, driver_->block_alignment(), stream);
    } catch (...) {  // the resource has it back either way
    }
    return true;
  }
  if (driver_->free(s.base, s.bytes) == DriverStatus::Ok) return true;
  memory::poison(device_, s.base, s.bytes);
  return false;
}

/// `closed`: what graphs that are gone have left, alone.
std::size_t Pool::give_back(std::size_t keep, const char* reason, bool closed) noexcept {
  std::size_t bytes = 0;
  if (captures_ != 0) return 0;  // the driver may not be asked to now
  try {
    const Growing one(*this);
    if (captures_ != 0) return 0;  // one may have begun meanwhile
    if (asynchronous_) {           // what has passed becomes free for all
      const std::lock_guard<std::mutex> hold(mutex_);
      release_resolved();
      for (const auto& [id, h] : heaps_) h->reclaim();
    }
    close_left(true);
    for (const PhysicalHandle h : std::exchange(spare_pages_, {})) destroy_page(h);
    bytes = give_back_pages(keep, closed) + give_back_segments(keep, closed);
  } catch (const std::bad_alloc&) {  // no descriptors: what is idle stays
  }
  if (bytes != 0) notify(MemoryEvent::Kind::Trim, bytes, reason);
  return bytes;
}

/// Waits for the device; the order knows it then. False where that failed.
bool Pool::synchronize(const char* reason) noexcept try {
  if (captures_ != 0) return false;
  memory::log_wait(device_, reason);
  const std::vector<memory::Point> points = order_.waiting_for_device(index_);
  if (driver_->synchronize() != DriverStatus::Ok) return false;
  order_.waited_for(points);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

MemoryResource* Pool::set_resource(MemoryResource* resource) {
  const Growing one(*this);  // calls of the one before are over then
  const std::lock_guard<std::mutex> hold(mutex_);
  return std::exchange(resource_, resource);
}

std::size_t Pool::trim(std::size_t keep) {
  drain_all();
  give_up_quarantine();
  return give_back(keep, "trim");
}

std::size_t Pool::empty_cache() {
  drain_all();
  if (asynchronous_ && !synchronize("empty_cache")) return 0;
  if (quarantine_ != nullptr) check_held_back();
  return give_back(0, "empty_cache");
}

}  // namespace tandem
