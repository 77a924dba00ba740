// The caching pool's quick paths, blocks coming back, statistics. What happens where there is no
// memory at hand is in ladder.cpp and growth.cpp, what is cut from what in heap.cpp.
#include "runtime/memory/pool.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <string_view>

#include <fmt/format.h>

#include "runtime/memory/hooks.h"
#include "runtime/memory/poison.h"
#include "tandem/error.h"

namespace tandem {

using memory::FrontCache;
using memory::Heap;
using memory::Tally;

namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

/// What TANDEM_POOL asks for. direct: every allocation on a device (not on the host) is one of the
/// driver's, of the size asked for, and goes back when it is freed. Slow; for tools that look for
/// accesses outside of allocations, such as compute-sanitizer. plain: no virtual memory, for what
/// needs a device's legacy handles between processes.
std::string_view asked_for() {
  const char* text = std::getenv("TANDEM_POOL");
  const std::string_view asked = text == nullptr ? "" : text;
  if (!asked.empty() && asked != "direct" && asked != "plain" && asked != "cached") {
    std::fprintf(stderr, "[tandem] TANDEM_POOL: expected direct, plain or cached, got '%s'\n",
                 text);
  }
  return asked;
}

[[noreturn]] void fatal(const char* message) {
  std::fprintf(stderr, "tandem: %s\n", message);
  std::abort();
}

}  // namespace

Pool::Pool(std::unique_ptr<Driver> driver, Device device, unsigned index, memory::Order& order)
    : driver_(std::move(driver)),
      device_(device),
      index_(index),
      order_(order),
      classes_(driver_->block_alignment()) {
  TANDEM_EXPECTS(
      classes_.count() <= memory::kMaxClasses && driver_->granularity() % memory::kUnit == 0,
      ValueError,
      "[register_pool] expected a driver with block_alignment of 16 or more and granularity "
      "of 64 KiB or a multiple, got other");
  const std::string_view asked = asked_for();
  direct_ = driver_->features().any_size && asked == "direct";
  plain_ = asked == "plain";
  virtual_ = driver_->features().virtual_memory && !direct_ && asked != "plain";
  asynchronous_ = driver_->features().asynchronous;
  if (debug::on(debug::kMemory) && !direct_)
    quarantine_ = std::make_unique<memory::Quarantine>(checks().quarantine);
  if (direct_ || quarantine_ != nullptr) cached_limit_ = 0;
  if (cached_limit_ != 0 && !asynchronous_) kept_limit_ = memory::kKeptLimit;
  for (int c = 0; c < classes_.count(); ++c) depth_[c] = FrontCache::depth(classes_.bytes(c));
  stats_.limit = kNoLimit;
  nothing_.pool = this;
  if (asynchronous_) order_.attach(index_, driver_.get());
  memory::Registry& all = memory::Registry::get();
  const std::lock_guard<std::mutex> hold(all.mutex);
  all.pools.push_back(this);
}

Pool::~Pool() {
  memory::Registry& all = memory::Registry::get();
  {
    const std::lock_guard<std::mutex> hold(all.mutex);
    for (FrontCache* c : all.caches) {
      const std::lock_guard<memory::SpinLock> hold_cache(c->lock);
      if (c->pool != this) continue;
      drain(*c);
      c->pool = nullptr;
    }
    std::erase(all.pools, this);
  }
  for (const auto& [id, h] : heaps_) h->unpin();
  give_up_quarantine();
  if (asynchronous_) synchronize("pool destroyed");
  give_back(0, "pool destroyed");
  if (asynchronous_) order_.detach(index_);
}

// ---- The thread's front cache. ----

inline unsigned Pool::slot_of(StreamId stream) const noexcept {
  const unsigned spread = static_cast<unsigned>(stream.id) + 7 * index_;
  return index_ == 0 ? 0 : 1 + spread % (memory::kSlots - 1);
}

// Inlined into its callers: it is most of the cost of a small allocation.
[[gnu::always_inline]] inline FrontCache* Pool::front(StreamId stream) noexcept {
  FrontCache* c = memory::thread_cache(slot_of(stream));
  if (c == nullptr) [[unlikely]]
    return nullptr;
  c->lock.lock();
  if (c->pool != this || c->stream.id != stream.id) [[unlikely]]
    rebind(*c, stream);
  return c;
}

/// The calling thread's cache, where it is one of this pool, with its lock taken.
FrontCache* Pool::own_front(StreamId stream) noexcept {
  FrontCache* c = memory::thread_cache(slot_of(stream));
  if (c == nullptr) return nullptr;
  c->lock.lock();
  if (c->pool == this) return c;
  c->lock.unlock();
  return nullptr;
}

memory::FrontCache* Pool::locked_front(StreamId stream) noexcept { return front(stream); }

void Pool::rebind(FrontCache& c, StreamId stream) noexcept {
  if (c.pool != nullptr) c.pool->drain(c);
  c.pool = this;
  c.stream = stream;
}

Block* Pool::allocate(std::size_t bytes, StreamId stream, PoolId id) {
  // Zero wraps to a large number.
  if (bytes - 1 < cached_limit_ && id == PoolId::Shared) [[likely]] {
    if (FrontCache* c = front(stream)) [[likely]] {
      const int size_class = classes_.of(bytes);
      Block* b = c->pop(size_class);
      if (b == nullptr && refill(*c, size_class)) b = c->pop(size_class);
      if (b != nullptr) [[likely]]
        return give_out(*c, b, bytes, memory::t_tag);
      c->lock.unlock();
    }
  } else if (bytes - 1 < kept_limit_ && id == PoolId::Shared) {
    if (Block* b = take_kept(bytes, stream)) return b;
  }
  return bytes == 0 ? &nothing_ : allocate_slow(bytes, stream, id);
}

/// A block of a cache, whose lock is let go.
[[gnu::always_inline]] inline Block* Pool::give_out(FrontCache& c, Block* b, std::size_t bytes,
                                                    memory::Label label) noexcept {
  b->requested = bytes;
  b->live = true;
  b->label = label;
  c.tally.allocate(*b);
  c.lock.unlock();
  memory::unpoison(device_, b->data, bytes);
  return b;
}

/// One of the large blocks that the thread freed last; null where none is of that size.
Block* Pool::take_kept(std::size_t bytes, StreamId stream) noexcept {
  const memory::Label label = memory::label_of_op();  // may take a lock
  FrontCache* c = front(stream);
  if (c == nullptr) return nullptr;
  if (Block* b = c->take_kept(memory::range_bytes(bytes))) return give_out(*c, b, bytes, label);
  c->lock.unlock();
  return nullptr;
}

bool Pool::refill(FrontCache& cache, int size_class) noexcept try {
  const std::lock_guard<std::mutex> hold(mutex_);
  fold_front(cache);
  Heap& h = heap(PoolId::Shared);
  const std::size_t bytes = classes_.bytes(size_class);
  if (bytes > memory::kSlabLimit) {
    memory::Range* r = h.take_range(cache.stream, bytes, false);
    if (r != nullptr) cache.push(r);
    return r != nullptr;
  }
  const int wanted = std::max(1, depth_[size_class] / 2);
  int n = 0;
  for (Block* b; n < wanted && (b = h.take_small(cache.stream, size_class)) != nullptr; ++n)
    cache.push(b);
  return n > 0;
} catch (const std::bad_alloc&) {
  return cache.head[size_class] != nullptr;
}

void Pool::free(Block* b) noexcept {
  if (b->data == nullptr) return;
  if (!b->live) [[unlikely]]
    fatal("a block of memory was freed twice");
  memory::poison(device_, b->data, b->size);
  const int size_class = b->size_class;
  if (size_class >= memory::kMaxClasses || b->uses != nullptr) [[unlikely]] {
    const bool kept = size_class == memory::kKeptClass && b->uses == nullptr && kept_limit_ != 0;
    return kept ? keep(b) : free_slow(b);
  }
  FrontCache* c = front(b->stream);
  if (c == nullptr) [[unlikely]]
    return free_slow(b);
  b->live = false;  // with a lock: a snapshot reads it
  c->tally.free(*b);
  if (c->count[size_class] >= depth_[size_class]) [[unlikely]] {
    const std::lock_guard<std::mutex> hold(mutex_);
    fold_front(*c);
    for (int n = (depth_[size_class] + 1) / 2; n > 0; --n) {
      Block* old = c->pop(size_class);
      release_own(old);
    }
  }
  c->push(b);
  c->lock.unlock();
}

/// A large block for the thread's next request of its size. What there is no room for any more goes
/// to the heap.
void Pool::keep(Block* b) noexcept {
  FrontCache* c = front(b->stream);
  if (c == nullptr) return free_slow(b);
  b->live = false;
  c->tally.free(*b);
  if (Block* old = c->keep(b)) {
    const std::lock_guard<std::mutex> hold(mutex_);
    fold_front(*c);
    release_own(old);
  }
  c->lock.unlock();
}

/// With the locks of the cache and the pool.
void Pool::give_up_kept(FrontCache& c) noexcept {
  for (Block*& b : c.kept) {
    if (b != nullptr) release_own(std::exchange(b, nullptr));
  }
}

void Pool::free(Block* b, StreamId stream) noexcept {
  try {
    record_use(b, stream);
  } catch (const std::bad_alloc&) {
    driver_->stream_synchronize(stream);  // nothing to note any more
  }
  free(b);
}

void Pool::drain(FrontCache& c) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  fold_front(c);
  give_up_kept(c);
  for (int i = 0; i < classes_.count(); ++i) {
    release(std::exchange(c.head[i], nullptr));
    c.count[i] = 0;
  }
}

void Pool::drain_all() noexcept {
  memory::Registry& all = memory::Registry::get();
  const std::lock_guard<std::mutex> hold(all.mutex);
  for (FrontCache* c : all.caches) {
    const std::lock_guard<memory::SpinLock> hold_cache(c->lock);
    if (c->pool == this) drain(*c);
  }
}

/// Takes back the large blocks that threads keep, before a request waits or grows. A help only: not
/// where the registry's lock is taken, as during a fork, which a caller may keep waiting: one
/// within a user's resource has the growth lock of some pool.
void Pool::drain_kept() noexcept {
  memory::Registry& all = memory::Registry::get();
  const std::unique_lock<std::mutex> hold(all.mutex, std::try_to_lock);
  if (!hold.owns_lock()) return;
  for (FrontCache* c : all.caches) {
    const std::lock_guard<memory::SpinLock> hold_cache(c->lock);
    if (c->pool != this || (c->kept[0] == nullptr && c->kept[1] == nullptr)) continue;
    const std::lock_guard<std::mutex> hold_pool(mutex_);
    fold_front(*c);
    give_up_kept(*c);
  }
}

/// Adds what was counted of a heap's blocks, and begins anew.
void Pool::fold(Tally& t, Heap* h) noexcept {
  memory::count(stats_.requested, requested_, t.requested, t.requested_peak, t.requested_total);
  memory::count(stats_.allocated, allocated_, t.allocated, t.allocated_peak, t.allocated_total);
  if (h != nullptr) h->sums.add(t);
  stats_.allocations += t.allocations;
  stats_.cache_hits += t.allocations;
  stats_.frees += t.frees;
  t = Tally{};
}

/// Front caches have blocks of the shared heap alone.
void Pool::fold_front(FrontCache& c) noexcept {
  const auto at = heaps_.find(PoolId::Shared);
  fold(c.tally, at == heaps_.end() ? nullptr : at->second.get());
}

// ---- Blocks that come back. ----

Heap& Pool::heap(PoolId id) {
  std::unique_ptr<Heap>& slot = heaps_[id];
  if (slot == nullptr)
    slot = std::make_unique<Heap>(this, id, classes_, descriptors_,
                                  asynchronous_ ? &order_ : nullptr, driver_->granularity());
  return *slot;
}

/// Gives back blocks that their own streams alone used.
void Pool::release(Block* blocks) noexcept {
  for (Block *b = blocks, *following; b != nullptr; b = following) {
    following = b->next;
    b->next = nullptr;
    release_own(b);
  }
}

/// Gives a block to its heap whose own stream alone used it.
void Pool::release_own(Block* b) noexcept {
  if (!asynchronous_) return settle(b);
  b->fence = order_.fence(b->stream);
  if (Heap::owner(*b) == b->stream) return settle(b);
  pending_.add(b);  // another stream took its slab over
}

/// Gives back the pending blocks whose uses are in order by now.
void Pool::release_resolved() noexcept {
  for (Block *b = pending_.resolve(order_), *following; b != nullptr; b = following) {
    following = b->next;
    b->next = nullptr;
    settle(b);
  }
}

void Pool::free_slow(Block* b) noexcept {
  if (quarantine_ != nullptr) [[unlikely]]
    debug::taken_back(*b);
  FrontCache* c = own_front(b->stream);
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    b->live = false;
    // What came before in this thread is counted first, or a peak would be lost.
    if (c != nullptr) {
      fold_front(*c);
      c->lock.unlock();
    }
    Tally one;
    one.free(*b);
    fold(one, &Heap::of(*b));
    if (b->uses != nullptr) {
      b->fence = order_.fence(b->stream);
      for (memory::Use& use : *b->uses) use.fence = order_.fence(use.stream);
      pending_.add(b);
    } else {
      release_own(b);
    }
  }
  if (!direct_) return;
  synchronize("TANDEM_POOL=direct");
  give_back(0, "TANDEM_POOL=direct");
}

void Pool::record_use(Block* b, StreamId stream) {
  if (b->data == nullptr || stream == b->stream) return;
  if (b->last_use.load(std::memory_order_relaxed) == stream.id) return;
  if (!asynchronous_) return;  // its work is done already
  order_.know(stream);
  const std::lock_guard<std::mutex> hold(mutex_);
  if (b->uses == nullptr) b->uses = std::make_unique<std::vector<memory::Use>>();
  const bool known = std::any_of(b->uses->begin(), b->uses->end(),
                                 [&](const memory::Use& use) { return use.stream == stream; });
  if (!known) b->uses->push_back({stream});
  b->last_use.store(stream.id, std::memory_order_relaxed);
}

PoolId Pool::open_private() {
  if (heaps_left_) give_back(0, "a graph is gone", true);  // while it may
  const std::lock_guard<std::mutex> hold(mutex_);
  const auto id = static_cast<PoolId>(private_ + 1);
  (void)heap(id);
  ++private_;
  ++captures_;
  return id;
}

void Pool::end_private(PoolId) noexcept { --captures_; }

void Pool::close_private(PoolId id) noexcept {
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto at = heaps_.find(id);
    if (at != heaps_.end()) at->second->unpin();
  }
  heaps_left_ = true;
  give_back(0, "a graph is gone", true);
}

void Pool::stream_destroyed(StreamId stream) noexcept {
  if (!asynchronous_) return;
  drain_stream(stream);
  order_.destroyed(stream);
  if (quarantine_ == nullptr) return;
  const std::lock_guard<std::mutex> hold(mutex_);
  quarantine_->ended(stream);
}

void Pool::drain_stream(StreamId stream) noexcept {
  memory::Registry& all = memory::Registry::get();
  const std::lock_guard<std::mutex> hold(all.mutex);
  for (FrontCache* c : all.caches) {
    const std::lock_guard<memory::SpinLock> hold_cache(c->lock);
    if (c->pool == this && c->stream == stream) drain(*c);
  }
}

// ---- Statistics and settings. ----

/// Takes the sums of all threads' front caches in, and the large blocks that they keep: how much is
/// free in one piece is to be told.
void Pool::fold_all() noexcept {
  memory::Registry& all = memory::Registry::get();
  const std::lock_guard<std::mutex> hold_registry(all.mutex);
  for (FrontCache* c : all.caches) {
    const std::lock_guard<memory::SpinLock> hold_cache(c->lock);
    if (c->pool != this) continue;
    const std::lock_guard<std::mutex> hold(mutex_);
    fold_front(*c);
    give_up_kept(*c);
  }
}

MemoryStats Pool::stats() {
  fold_all();
  const std::lock_guard<std::mutex> hold(mutex_);
  return stats_locked();
}

MemoryStats Pool::stats_locked() {
  MemoryStats s = stats_;
  s.pending = pending_.bytes() + (quarantine_ != nullptr ? quarantine_->bytes() : 0);
  const memory::Order::Counts order = order_.counts(index_);
  s.events = order.events;
  s.waits = order.waits;
  s.requested.current = static_cast<std::size_t>(std::max<std::int64_t>(requested_, 0));
  s.allocated.current = static_cast<std::size_t>(std::max<std::int64_t>(allocated_, 0));
  for (const auto& [id, h] : heaps_) {
    s.largest_free = std::max(s.largest_free, h->largest_free());
    s.free_ranges += h->free_bytes();
  }
  s.cached = s.reserved.current - std::min(s.reserved.current, s.allocated.current + s.pending);
  return s;
}

/// `pending`: bytes of its blocks that wait for streams. With the pool's lock.
PoolStats Pool::stats_of(const Heap& h, std::size_t pending) const {
  const memory::Sums& sums = h.sums;
  PoolStats s;
  s.id = static_cast<std::uint32_t>(h.id());
  s.kept = h.pinned();
  s.requested = sums.requested;
  s.allocated = sums.allocated;
  s.reserved = sums.reserved;
  s.requested.current = static_cast<std::size_t>(std::max<std::int64_t>(sums.requested_now, 0));
  s.allocated.current = static_cast<std::size_t>(std::max<std::int64_t>(sums.allocated_now, 0));
  s.pending = pending;
  s.cached = s.reserved.current - std::min(s.reserved.current, s.allocated.current + pending);
  s.free_ranges = h.free_bytes();
  s.largest_free = h.largest_free();
  s.limit = h.limit;
  s.allocations = sums.allocations;
  s.frees = sums.frees;
  return s;
}

/// Bytes that were freed and cannot be given out yet. With the pool's lock.
std::map<PoolId, std::size_t> Pool::pending_by_part() const {
  std::map<PoolId, std::size_t> bytes;
  for (const Block* b = pending_.first(); b != nullptr; b = b->next)
    bytes[Heap::of(*b).id()] += b->size;
  if (quarantine_ != nullptr) bytes[PoolId::Shared] += quarantine_->bytes();
  return bytes;
}

std::vector<PoolStats> Pool::pools() {
  fold_all();
  const std::lock_guard<std::mutex> hold(mutex_);
  std::map<PoolId, std::size_t> pending = pending_by_part();
  std::vector<PoolStats> all;
  (void)heap(PoolId::Shared);
  for (const auto& [id, h] : heaps_) all.push_back(stats_of(*h, pending[id]));
  return all;
}

void Pool::reset_peak() {
  const MemoryStats now = stats();
  const std::lock_guard<std::mutex> hold(mutex_);
  for (const auto& [id, h] : heaps_) {
    memory::Sums& s = h->sums;
    s.requested.peak = static_cast<std::size_t>(std::max<std::int64_t>(s.requested_now, 0));
    s.allocated.peak = static_cast<std::size_t>(std::max<std::int64_t>(s.allocated_now, 0));
    s.reserved.peak = s.reserved.current;
  }
  stats_.requested.peak = now.requested.current;
  stats_.allocated.peak = now.allocated.current;
  stats_.reserved.peak = stats_.reserved.current;
}

void Pool::set_limit(std::size_t bytes) {
  const std::lock_guard<std::mutex> hold(mutex_);
  stats_.limit = bytes;
}

void Pool::set_limit(PoolId id, std::size_t bytes) {
  const std::lock_guard<std::mutex> hold(mutex_);
  const bool open = id == PoolId::Shared || heaps_.find(id) != heaps_.end();
  TANDEM_EXPECTS(open, ValueError,
                 fmt::format("[set_pool_memory_limit] expected a part of the pool of {} that is "
                             "open, got {}",
                             device_.str(), static_cast<std::uint32_t>(id)));
  heap(id).limit = bytes;
}

void Pool::notify(MemoryEvent::Kind kind, std::size_t bytes, const char* reason) {
  if (!memory::observed()) return;
  std::size_t reserved = 0;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    reserved = stats_.reserved.current;
  }
  memory::observe({kind, device_, bytes, reserved, reason});
}

std::string Pool::verify() {
  drain_all();
  const std::lock_guard<std::mutex> hold(mutex_);
  std::size_t reserved = 0, taken = 0;
  const std::size_t held = quarantine_ != nullptr ? quarantine_->bytes() : 0;
  const std::size_t pending = pending_.bytes() + held;
  std::int64_t allocated = 0;
  for (const auto& [id, h] : heaps_) {
    const std::size_t before = reserved;
    if (std::string wrong = h->verify(&reserved, &taken); !wrong.empty()) return wrong;
    if (reserved - before != h->sums.reserved.current)
      return fmt::format("part {} of the pool has {} bytes, {} are counted",
                         static_cast<std::uint32_t>(id), reserved - before,
                         h->sums.reserved.current);
    allocated += h->sums.allocated_now;
  }
  if (allocated != allocated_) return "the parts' allocated bytes do not add up";
  if (reserved != stats_.reserved.current) {
    return fmt::format("the segments have {} bytes, {} are reserved", reserved,
                       stats_.reserved.current);
  }
  if (pending != pending_.count_bytes() + held)
    return "the pending blocks do not add up to the pending bytes";
  if (allocated_ < 0 || taken != static_cast<std::size_t>(allocated_) + pending) {
    return fmt::format("{} bytes are taken, {} allocated and {} pending", taken, allocated_,
                       pending);
  }
  return "";
}

}  // namespace tandem
