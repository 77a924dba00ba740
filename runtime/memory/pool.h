// The caching pool: the memory of one device, handed out in stream order. Device- and tensor-free;
// pools.h has the pools of the devices.
//
// Note [Memory pool]
// A block belongs to the stream it was allocated on. Freed on it, it is reused on it at once and
// without an event, because work on one stream is in order. It is not reused on another stream. A
// block that was also used on other streams (record_use, or a free on another stream) gets an event
// on each of them and waits in `pending_` until those have passed, which is asked before growing,
// or until someone waited for them (stream_synchronized, device_synchronized, empty_cache).
//
// Sizes: up to 256 KiB, size classes in slabs, with a front cache a thread; above, ranges of
// segments, best fit, split and joined. Requests of up to 1 MiB live in segments of their own kind
// (2 MiB), because a small long-lived block in the middle of a large segment would keep a large
// request from fitting; near the end of memory either kind takes what the other has.
//
// Out of memory climbs: own stream's cache, pending blocks, grow, grow by no more than the request,
// whatever fits of any kind, everything idle given back after a synchronisation, the user's
// callback, the error with a report.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "runtime/memory/arena.h"
#include "runtime/memory/driver.h"
#include "runtime/memory/front_cache.h"
#include "runtime/memory/pending.h"
#include "tandem/export.h"
#include "tandem/memory.h"

namespace tandem {

class TANDEM_API Pool {
 public:
  /// `index` chooses the threads' cache slots: 0 for the host's pool. `device` appears in messages
  /// and events.
  Pool(std::unique_ptr<Driver> driver, Device device, unsigned index);
  /// All blocks must have been freed; gives everything back. The devices' pools are never
  /// destroyed.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// At least `bytes` uninitialised bytes, aligned to the driver's block_alignment, ready for work
  /// of `stream`. Zero bytes: a block with null data that takes no memory. Raises OutOfMemory;
  /// nothing has changed then but that cached memory was given back.
  Block* allocate(std::size_t bytes, StreamId stream = kHostStream, PoolId id = PoolId::Shared);
  /// Gives a block back in the order of its own stream.
  void free(Block* block) noexcept;
  /// The same where the last use was on `stream`.
  void free(Block* block, StreamId stream) noexcept;
  /// Notes that work of another stream uses a live block.
  void record_use(Block* block, StreamId stream);

  /// For whoever waits for a stream (or the device): take the mark, wait, and hand the mark in.
  /// Blocks that became pending after the mark may have been used after the wait began; they go on
  /// waiting.
  std::uint64_t freed_mark() noexcept;
  void stream_synchronized(StreamId stream, std::uint64_t mark) noexcept;
  void device_synchronized(std::uint64_t mark) noexcept;

  /// Gives idle memory back to where it came from, after synchronising an asynchronous device.
  /// Returns the bytes.
  std::size_t empty_cache();

  MemoryStats stats();
  void reset_peak();
  void set_limit(std::size_t bytes);
  void set_resource(MemoryResource* resource);

  Driver& driver() { return *driver_; }
  Device device() const { return device_; }

  /// Checks every invariant, for the tests: the first violation in words, empty if none.
  std::string verify();

  // For the front caches.
  void drain(memory::FrontCache& cache) noexcept;  // with the cache's lock held
  void lock_for_fork() { mutex_.lock(); }
  void unlock_after_fork() { mutex_.unlock(); }

 private:
  struct Growth {  // what an attempt took from the driver, to be reported without a lock
    std::size_t bytes = 0;
    bool failed = false;  // the driver reported an error other than no memory
  };

  memory::FrontCache* front(StreamId stream) noexcept;  // with its lock taken
  void rebind(memory::FrontCache& cache, StreamId stream) noexcept;
  Block* allocate_slow(std::size_t bytes, StreamId stream, PoolId id);
  Block* attempt(std::size_t bytes, StreamId stream, PoolId id, Growth* growth) noexcept;
  Block* attempt_locked(std::size_t bytes, int size_class, memory::Arena& arena, Growth* growth);
  bool refill(memory::FrontCache& cache, int size_class) noexcept;
  bool grow(memory::Arena& arena, std::size_t bytes, bool large, Growth* growth);
  memory::Arena& arena(StreamId stream, PoolId id);
  void free_slow(Block* block) noexcept;
  void release(Block* blocks, bool touch) noexcept;
  void drain_all() noexcept;
  std::size_t trim(const char* reason);
  std::size_t give_back(memory::Segment* segments) noexcept;
  bool trim_can_help(std::size_t bytes);
  [[noreturn]] void fail(std::size_t bytes, bool device_failed);
  void fold(memory::Tally& tally) noexcept;
  void notify(MemoryEvent::Kind kind, std::size_t bytes, const char* reason);

  const std::unique_ptr<Driver> driver_;
  const Device device_;
  const unsigned index_;
  const memory::SizeClasses classes_;
  std::uint8_t depth_[memory::kMaxClasses] = {};
  std::size_t cached_limit_ = memory::kSlabLimit;  // requests up to here may come from front caches
  bool direct_ = false;                            // TANDEM_POOL=direct
  Block nothing_;                                  // what zero bytes get

  std::mutex mutex_;  // guards all below
  memory::Descriptors descriptors_;
  std::map<std::pair<std::uint64_t, PoolId>, std::unique_ptr<memory::Arena>> arenas_;
  memory::Pending pending_;
  MemoryResource* resource_ = nullptr;
  MemoryStats stats_;  // without what is in the front caches' tallies
  std::int64_t requested_ = 0,
               allocated_ = 0;  // signed: a block's free may be counted before its allocation
};

}  // namespace tandem
