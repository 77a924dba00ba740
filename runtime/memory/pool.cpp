// The caching pool: locks, the out-of-memory ladder, statistics. What is cut from what is in
// arena.cpp.
#include "runtime/memory/pool.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <string_view>

#include <fmt/format.h>

#include "runtime/memory/hooks.h"
#include "tandem/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace tandem {

using memory::Arena;
using memory::FrontCache;
using memory::Segment;
using memory::Tally;

namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
// Above this, rounding could overflow; no machine has it.
constexpr std::size_t kLargestRequest = std::size_t{1} << 60;
constexpr int kCallbackTries = 8;
constexpr std::size_t kDirectUnit = 16;  // of allocations with TANDEM_POOL=direct

// With the address sanitizer, memory that no one owns is poisoned: use after free, and beyond what
// was asked for.
void poison([[maybe_unused]] const Device& d, [[maybe_unused]] void* p,
            [[maybe_unused]] std::size_t n) {
#if defined(__SANITIZE_ADDRESS__)
  if (d.is_cpu()) ASAN_POISON_MEMORY_REGION(p, n);
#endif
}
void unpoison([[maybe_unused]] const Device& d, [[maybe_unused]] void* p,
              [[maybe_unused]] std::size_t n) {
#if defined(__SANITIZE_ADDRESS__)
  if (d.is_cpu()) ASAN_UNPOISON_MEMORY_REGION(p, n);
#endif
}

/// TANDEM_POOL=direct: every allocation on a device (not on the host) is one of the driver's, of
/// the size asked for, and goes back when it is freed. Slow; for tools that look for accesses
/// outside of allocations, such as compute-sanitizer.
bool asked_for_direct() {
  const char* text = std::getenv("TANDEM_POOL");
  const std::string_view asked = text == nullptr ? "" : text;
  if (!asked.empty() && asked != "direct" && asked != "cached") {
    std::fprintf(stderr, "[tandem] TANDEM_POOL: expected direct or cached, got '%s'\n", text);
  }
  return asked == "direct";
}

[[noreturn]] void fatal(const char* message) {
  std::fprintf(stderr, "tandem: %s\n", message);
  std::abort();
}

void raise(MemoryCounter& c, std::size_t bytes) {
  c.current += bytes;
  c.total += bytes;
  c.peak = std::max(c.peak, c.current);
}

}  // namespace

Pool::Pool(std::unique_ptr<Driver> driver, Device device, unsigned index)
    : driver_(std::move(driver)),
      device_(device),
      index_(index),
      classes_(driver_->block_alignment()),
      pending_(*driver_) {
  TANDEM_EXPECTS(
      classes_.count() <= memory::kMaxClasses && driver_->granularity() % memory::kUnit == 0,
      ValueError,
      "[register_pool] expected a driver with block_alignment of 16 or more and granularity "
      "of 64 KiB or a multiple, got other");
  direct_ = driver_->features().any_size && asked_for_direct();
  cached_limit_ = direct_ ? 0 : memory::kSlabLimit;
  for (int c = 0; c < classes_.count(); ++c) depth_[c] = FrontCache::depth(classes_.bytes(c));
  stats_.limit = kNoLimit;
  nothing_.pool = this;
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
  trim("pool destroyed");
}

// ---- Small blocks: the thread's front cache. ----

// Inlined into its callers: it is most of the cost of a small allocation.
[[gnu::always_inline]] inline FrontCache* Pool::front(StreamId stream) noexcept {
  const unsigned spread = static_cast<unsigned>(stream.id) + 7 * index_;
  FrontCache* c = memory::thread_cache(index_ == 0 ? 0 : 1 + spread % (memory::kSlots - 1));
  if (c == nullptr) [[unlikely]]
    return nullptr;
  c->lock.lock();
  if (c->pool != this || c->stream.id != stream.id) [[unlikely]]
    rebind(*c, stream);
  return c;
}

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
      if (b != nullptr) [[likely]] {
        b->requested = bytes;
        b->live = true;
        c->tally.allocate(*b);
        c->lock.unlock();
        unpoison(device_, b->data, bytes);
        return b;
      }
      c->lock.unlock();
    }
  }
  return bytes == 0 ? &nothing_ : allocate_slow(bytes, stream, id);
}

bool Pool::refill(FrontCache& cache, int size_class) noexcept try {
  const std::lock_guard<std::mutex> hold(mutex_);
  fold(cache.tally);
  Arena& a = arena(cache.stream, PoolId::Shared);
  const int wanted = std::max(1, depth_[size_class] / 2);
  int n = 0;
  for (Block* b; n < wanted && (b = a.take_small(size_class)) != nullptr; ++n) cache.push(b);
  return n > 0;
} catch (const std::bad_alloc&) {
  return cache.head[size_class] != nullptr;
}

void Pool::free(Block* b) noexcept {
  if (b->data == nullptr) return;
  if (!b->live) [[unlikely]]
    fatal("a block of memory was freed twice");
  b->live = false;
  poison(device_, b->data, b->size);
  const int size_class = b->size_class;
  if (size_class >= memory::kMaxClasses || b->uses != nullptr) [[unlikely]]
    return free_slow(b);
  FrontCache* c = front(b->stream);
  if (c == nullptr) [[unlikely]]
    return free_slow(b);
  c->tally.free(*b);
  if (c->count[size_class] >= depth_[size_class]) [[unlikely]] {
    const std::lock_guard<std::mutex> hold(mutex_);
    fold(c->tally);
    for (int n = (depth_[size_class] + 1) / 2; n > 0; --n) {
      Block* old = c->pop(size_class);
      old->next = nullptr;
      release(old, true);
    }
  }
  c->push(b);
  c->lock.unlock();
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
  fold(c.tally);
  for (int i = 0; i < classes_.count(); ++i) {
    release(std::exchange(c.head[i], nullptr), true);
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

void Pool::fold(Tally& t) noexcept {
  const auto add = [](MemoryCounter& c, std::int64_t& current, std::int64_t change,
                      std::int64_t peak, std::uint64_t total) {
    if (current + peak > 0) c.peak = std::max(c.peak, static_cast<std::size_t>(current + peak));
    current += change;
    c.total += total;
  };
  add(stats_.requested, requested_, t.requested, t.requested_peak, t.requested_total);
  add(stats_.allocated, allocated_, t.allocated, t.allocated_peak, t.allocated_total);
  stats_.allocations += t.allocations;
  stats_.cache_hits += t.allocations;
  stats_.frees += t.frees;
  t = Tally{};
}

// ---- Everything else: the pool's lock and the ladder. ----

Arena& Pool::arena(StreamId stream, PoolId id) {
  auto& slot = arenas_[{stream.id, id}];
  if (slot == nullptr) slot = std::make_unique<Arena>(this, stream, id, classes_, descriptors_);
  return *slot;
}

bool Pool::grow(Arena& a, std::size_t bytes, bool large, Growth* growth) {
  bytes = memory::round_up(bytes, direct_ ? kDirectUnit : driver_->granularity());
  if (bytes > stats_.limit || stats_.reserved.current > stats_.limit - bytes) return false;
  descriptors_.segments.reserve(1);
  descriptors_.ranges.reserve(2);
  void* p = nullptr;
  if (resource_ != nullptr) {
    try {
      p = resource_->allocate(bytes, driver_->block_alignment(), nullptr);
    } catch (...) {  // whatever the user's resource raises, it has no memory
    }
    if (p == nullptr) return false;
  } else if (const DriverStatus s = driver_->allocate(bytes, &p); s != DriverStatus::Ok) {
    growth->failed |= s == DriverStatus::Failed;
    return false;
  }
  Segment* segment = descriptors_.segments.take();
  *segment = Segment{};
  segment->base = static_cast<std::byte*>(p);
  segment->bytes = bytes;
  segment->source = resource_;
  segment->large = large;
  a.add(segment);
  poison(device_, p, bytes);
  raise(stats_.reserved, bytes);
  ++stats_.driver_allocations;
  growth->bytes += bytes;
  return true;
}

Block* Pool::attempt_locked(std::size_t bytes, int size_class, Arena& a, Growth* growth) {
  if (direct_) {
    release(pending_.poll(), true);
    return grow(a, bytes, true, growth) ? a.take_range(memory::round_up(bytes, kDirectUnit), true)
                                        : nullptr;
  }
  const std::size_t size =
      size_class >= 0 ? classes_.bytes(size_class) : memory::range_bytes(bytes);
  const bool large = size > memory::kLargeLimit;
  const auto take = [&]() -> Block* {
    if (size_class >= 0) return a.take_small(size_class);
    return a.take_range(size, large);
  };
  if (Block* b = take()) return b;
  if (Block* passed = pending_.poll()) {  // before growing, what other streams are done with
    release(passed, true);
    if (Block* b = take()) return b;
  }
  const std::size_t segment = !large                             ? memory::kSmallSegment
                              : size < memory::kLargeSegment / 2 ? memory::kLargeSegment
                                                                 : size;
  if (grow(a, segment, large, growth)) return take();
  if (large && segment > size && grow(a, size, true, growth)) return take();
  return a.take_any(bytes, size_class);
}

Block* Pool::attempt(std::size_t bytes, StreamId stream, PoolId id, Growth* growth) noexcept {
  FrontCache* c = front(stream);  // locked before the pool; its sums make the peaks exact
  const std::lock_guard<std::mutex> hold(mutex_);
  if (c != nullptr) {
    fold(c->tally);
    c->lock.unlock();
  }
  const std::size_t before = growth->bytes;
  Block* b = nullptr;
  try {
    b = attempt_locked(bytes, bytes <= memory::kSlabLimit ? classes_.of(bytes) : -1,
                       arena(stream, id), growth);
  } catch (const std::bad_alloc&) {  // no memory for descriptors is no memory
  }
  if (b == nullptr) return nullptr;
  b->requested = bytes;
  b->live = true;
  Tally one;
  one.allocate(*b);
  fold(one);
  if (growth->bytes != before) --stats_.cache_hits;  // fold counted it as one
  return b;
}

Block* Pool::allocate_slow(std::size_t bytes, StreamId stream, PoolId id) {
  if (bytes > kLargestRequest) fail(bytes, false);
  Growth growth;
  const auto attempt_and_tell = [&] {
    const std::size_t before = growth.bytes;
    Block* b = attempt(bytes, stream, id, &growth);
    if (growth.bytes != before)
      notify(MemoryEvent::Kind::Grow, growth.bytes - before, "no cached block fits");
    return b;
  };
  Block* b = attempt_and_tell();
  if (b == nullptr && trim_can_help(bytes)) {
    trim("out of memory");
    b = attempt_and_tell();
    if (b != nullptr) {
      const std::lock_guard<std::mutex> hold(mutex_);
      ++stats_.retries;
    }
  }
  for (int i = 0; b == nullptr && i < kCallbackTries && memory::ask_user(device_, bytes); ++i) {
    trim("out of memory");
    b = attempt_and_tell();
  }
  if (b == nullptr) fail(bytes, growth.failed);
  unpoison(device_, b->data, bytes);
  return b;
}

bool Pool::trim_can_help(std::size_t bytes) {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (bytes > stats_.limit) return false;
  MemoryInfo info;
  return resource_ != nullptr || driver_->memory_info(&info) != DriverStatus::Ok ||
         bytes <= info.total;
}

void Pool::fail(std::size_t bytes, bool device_failed) {
  const MemoryStats s = stats();
  MemoryInfo info;
  std::string system = "unknown";
  if (driver_->memory_info(&info) == DriverStatus::Ok) {
    system =
        fmt::format("{} free of {}", memory::in_words(info.free), memory::in_words(info.total));
  }
  const std::size_t used = s.allocated.current + s.pending;
  const std::string message = fmt::format(
      "[allocate] expected {} of memory on {}, got {}: requested {} bytes, live {}, cached {}, "
      "largest cached range {}, "
      "waiting for other streams {}, limit {}, device {}",
      memory::in_words(bytes), device_.str(), device_failed ? "a device error" : "none", bytes,
      memory::in_words(s.allocated.current),
      memory::in_words(s.reserved.current - std::min(used, s.reserved.current)),
      memory::in_words(s.largest_free), memory::in_words(s.pending), memory::in_words(s.limit),
      system);
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    ++stats_.out_of_memory;
  }
  notify(MemoryEvent::Kind::OutOfMemory, bytes, "nothing left to give back");
  if (device_failed) throw DeviceError(message);
  throw OutOfMemory(message);
}

void Pool::free_slow(Block* b) noexcept {
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    Tally one;
    one.free(*b);
    fold(one);
    if (b->uses != nullptr) {
      pending_.add(b);
    } else {
      b->next = nullptr;
      release(b, true);
    }
  }
  if (direct_) trim("TANDEM_POOL=direct");
}

void Pool::record_use(Block* b, StreamId stream) {
  if (b->data == nullptr || stream == b->stream) return;
  if (b->last_use.load(std::memory_order_relaxed) == stream.id) return;
  if (!driver_->features().asynchronous) return;  // its work is done already
  const std::lock_guard<std::mutex> hold(mutex_);
  if (b->uses == nullptr) b->uses = std::make_unique<std::vector<memory::Use>>();
  const bool known = std::any_of(b->uses->begin(), b->uses->end(),
                                 [&](const memory::Use& use) { return use.stream == stream; });
  if (!known) b->uses->push_back({stream});
  b->last_use.store(stream.id, std::memory_order_relaxed);
}

// ---- Blocks that wait for other streams, and giving memory back. ----

void Pool::release(Block* blocks, bool touch) noexcept {
  for (Block *b = blocks, *following; b != nullptr; b = following) {
    following = b->next;
    Segment* segment =
        b->slab != nullptr ? b->slab->range->segment : static_cast<memory::Range*>(b)->segment;
    segment->touched |= touch;
    segment->arena->give(b);
  }
}

std::uint64_t Pool::freed_mark() noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  return pending_.mark();
}

void Pool::stream_synchronized(StreamId stream, std::uint64_t mark) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  release(pending_.stream_done(stream, mark), true);
}

void Pool::device_synchronized(std::uint64_t mark) noexcept {
  const std::lock_guard<std::mutex> hold(mutex_);
  release(pending_.device_done(mark), true);
}

std::size_t Pool::give_back(Segment* segments) noexcept {
  std::size_t bytes = 0;
  for (Segment *s = segments, *following; s != nullptr; s = following) {
    following = s->next;
    unpoison(device_, s->base, s->bytes);
    if (s->source != nullptr) {
      try {
        s->source->deallocate(s->base, s->bytes, driver_->block_alignment(), nullptr);
      } catch (...) {  // the resource has it back either way
      }
    } else if (driver_->free(s->base, s->bytes) != DriverStatus::Ok) {
      poison(device_, s->base, s->bytes);
      s->arena->reattach(s);
      continue;
    }
    bytes += s->bytes;
    stats_.reserved.current -= s->bytes;
    ++stats_.driver_frees;
    s->arena->forget(s);
  }
  return bytes;
}

std::size_t Pool::trim(const char* reason) {
  drain_all();
  const bool asynchronous = driver_->features().asynchronous;
  // What is idle or pending before the synchronisation may go after it; the lock is not held while
  // waiting.
  Segment* idle = nullptr;
  std::uint64_t mark = 0;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    mark = pending_.mark();
    for (auto& [key, a] : arenas_) {
      a->mark();
      idle = a->detach_idle(false, idle);
    }
  }
  if (asynchronous) memory::log_wait(device_, reason);
  const bool done = !asynchronous || driver_->synchronize() == DriverStatus::Ok;
  std::size_t bytes = 0;
  {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (done) {
      release(pending_.device_done(mark), false);
      for (auto& [key, a] : arenas_) idle = a->detach_idle(asynchronous, idle);
      bytes = give_back(idle);
      std::erase_if(arenas_, [](const auto& entry) { return entry.second->empty(); });
    } else {
      for (Segment *s = idle, *following; s != nullptr; s = following) {
        following = s->next;
        s->arena->reattach(s);
      }
    }
  }
  if (bytes != 0) notify(MemoryEvent::Kind::Trim, bytes, reason);
  return bytes;
}

std::size_t Pool::empty_cache() { return trim("empty_cache"); }

// ---- Statistics and settings. ----

MemoryStats Pool::stats() {
  memory::Registry& all = memory::Registry::get();
  const std::lock_guard<std::mutex> hold_registry(all.mutex);
  for (FrontCache* c : all.caches) {
    const std::lock_guard<memory::SpinLock> hold_cache(c->lock);
    if (c->pool != this) continue;
    const std::lock_guard<std::mutex> hold(mutex_);
    fold(c->tally);
  }
  const std::lock_guard<std::mutex> hold(mutex_);
  MemoryStats s = stats_;
  s.pending = pending_.bytes();
  s.events = pending_.events();
  s.requested.current = static_cast<std::size_t>(std::max<std::int64_t>(requested_, 0));
  s.allocated.current = static_cast<std::size_t>(std::max<std::int64_t>(allocated_, 0));
  for (const auto& [key, a] : arenas_) s.largest_free = std::max(s.largest_free, a->largest_free());
  return s;
}

void Pool::reset_peak() {
  const MemoryStats now = stats();
  const std::lock_guard<std::mutex> hold(mutex_);
  stats_.requested.peak = now.requested.current;
  stats_.allocated.peak = now.allocated.current;
  stats_.reserved.peak = stats_.reserved.current;
}

void Pool::set_limit(std::size_t bytes) {
  const std::lock_guard<std::mutex> hold(mutex_);
  stats_.limit = bytes;
}

void Pool::set_resource(MemoryResource* resource) {
  const std::lock_guard<std::mutex> hold(mutex_);
  resource_ = resource;
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
  const std::size_t pending = pending_.bytes();
  for (const auto& [key, a] : arenas_) {
    if (std::string wrong = a->verify(&reserved, &taken); !wrong.empty()) return wrong;
  }
  if (reserved != stats_.reserved.current)
    return "the segments do not add up to the reserved bytes";
  if (pending != pending_.count_bytes())
    return "the pending blocks do not add up to the pending bytes";
  if (allocated_ < 0 || taken != static_cast<std::size_t>(allocated_) + pending) {
    return fmt::format("{} bytes are taken, {} allocated and {} pending", taken, allocated_,
                       pending);
  }
  return "";
}

}  // namespace tandem
