// The caching pool: the memory of one device, handed out in stream order. Device- and tensor-free;
// pools.h has the pools of the devices.
//
// Note [Memory pool]
// A block belongs to the stream it was allocated on. Freed on it, it is reused on it at once and
// without an event, because work on one stream is in order. Another stream gets it when the host
// knows that the work is done, or when that stream has waited for it: what order.h knows. A block
// that was also used on other streams (record_use, or a free on another stream) waits in `pending_`
// until their work is in the order of its own stream. Events are recorded only when memory is
// wanted and there is none in the right order.
//
// Sizes: up to 256 KiB, size classes in slabs; above, ranges, found by size in constant time, split
// and joined. Each thread's front cache holds blocks of up to 1 MiB, one of each large size; on
// the host also the two freed last of up to 32 MiB: two threads that contend for the lock take
// longer than the pool's work with it. (On a device a launch takes longer than both.) Requests of
// up to 1 MiB live apart from larger ones, because a small long-lived block in the middle of a
// large run would keep a large request from fitting; near the end of memory either kind takes what
// the other has.
//
// Where the driver has virtual memory, address space is reserved once, far more than there is
// memory, and pages of it are mapped and unmapped: a large request takes its pages from whatever is
// free, wherever that lies, before more memory is taken from the device; also from what is free in
// its own stream's order, under work that is still pending (Note [Moved pages]). Else memory comes
// in segments.
//
// Out of memory climbs (ladder.cpp): what is free in the stream's own order or for all; what other
// streams are done with; growing; whatever fits of any kind; waiting, on the device, for other
// streams; giving idle memory back; the threads' front caches; a synchronisation; the user's
// callback; the error with a report.
//
// Locks, in this order: registry, growth, front cache, pool, order. Memory is taken from the driver
// and given back to it with the growth lock held and not the pool's, so that other threads go on,
// and a user's resource may allocate here.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/memory/check.h"
#include "runtime/memory/driver.h"
#include "runtime/memory/front_cache.h"
#include "runtime/memory/heap.h"
#include "runtime/memory/order.h"
#include "runtime/memory/pending.h"
#include "runtime/memory/tags.h"
#include "tandem/export.h"
#include "tandem/memory.h"

namespace tandem {

namespace memory {
struct Snapshot;
struct OutOfMemoryFacts;
class Collector;
}  // namespace memory

class TANDEM_API Pool {
 public:
  /// `index` is the number of the device in the ids of its streams (StreamId::device) and chooses
  /// the threads' cache slots: 0 for the host's pool. `device` appears in messages and events.
  /// `order` is that of the streams, the process's unless a test has its own.
  Pool(std::unique_ptr<Driver> driver, Device device, unsigned index,
       memory::Order& order = memory::Order::process());
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

  /// Opens a pool for what a capture allocates: its memory is given out again within the capture
  /// alone, and stays until the pool is closed. While captures are under way, nothing is given back
  /// to the driver and nothing waits.
  PoolId open_private();
  /// The capture ended, or was given up.
  void end_private(PoolId id) noexcept;
  /// The graph is gone; blocks may live on. The order knows when its streams are done
  /// (Order::finish).
  void close_private(PoolId id) noexcept;

  /// The stream's handle is about to die: what it frees is told apart by its last event, and the
  /// blocks that threads hold for it go back.
  void stream_destroyed(StreamId stream) noexcept;

  /// Gives idle memory back to where it came from, until at most `keep` bytes are held. Waits for
  /// nothing: memory that pending work may use stays. Returns the bytes.
  std::size_t trim(std::size_t keep = 0);
  /// Gives all idle memory back, after synchronising an asynchronous device. Returns the bytes.
  std::size_t empty_cache();

  MemoryStats stats();
  /// Of each part, the shared one first.
  std::vector<PoolStats> pools();
  /// All there is, taken at one moment; without `details` no list of segments. Calls no one.
  memory::Snapshot snapshot(bool details = true);
  void reset_peak();
  void set_limit(std::size_t bytes);
  /// The limit of one part alone. Raises ValueError where it is not open.
  void set_limit(PoolId id, std::size_t bytes);
  /// The one before.
  MemoryResource* set_resource(MemoryResource* resource);

  Driver& driver() { return *driver_; }
  Device device() const { return device_; }
  memory::Order& order() { return order_; }

  /// Checks every invariant, for the tests: the first violation in words, empty if none.
  std::string verify();

  // For the front caches and a fork.
  void drain(memory::FrontCache& cache) noexcept;  // with the cache's lock held
  void lock_growth() { growth_.lock(); }
  void unlock_growth() { growth_.unlock(); }
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  friend class memory::Collector;
  /// An allocation that climbs the ladder.
  struct Request {
    std::size_t bytes;
    int size_class;    // -1: a range
    std::size_t size;  // of the class or the range
    bool large;
    StreamId stream;
    PoolId id;
    std::size_t grown = 0;             // taken from the driver, to be reported without a lock
    MemoryResource* source = nullptr;  // that growing takes from; null: the driver
    bool failed = false;               // the driver reported an error other than no memory
    memory::Label label = 0;
  };

  memory::FrontCache* front(StreamId stream) noexcept;  // with its lock taken
  unsigned slot_of(StreamId stream) const noexcept;
  memory::FrontCache* own_front(StreamId stream) noexcept;
  memory::FrontCache* locked_front(StreamId stream) noexcept;
  Block* give_out(memory::FrontCache& cache, Block* block, std::size_t bytes,
                  memory::Label label) noexcept;
  Block* take_kept(std::size_t bytes, StreamId stream) noexcept;
  void keep(Block* block) noexcept;
  void give_up_kept(memory::FrontCache& cache) noexcept;
  void rebind(memory::FrontCache& cache, StreamId stream) noexcept;
  bool refill(memory::FrontCache& cache, int size_class) noexcept;
  void free_slow(Block* block) noexcept;
  memory::Heap& heap(PoolId id);
  void release(Block* blocks) noexcept;
  void release_own(Block* block) noexcept;
  void drain_all() noexcept;
  void drain_kept() noexcept;
  void drain_stream(StreamId stream) noexcept;
  void fold(memory::Tally& tally, memory::Heap* heap) noexcept;
  void fold_front(memory::FrontCache& cache) noexcept;
  void fold_all() noexcept;
  MemoryStats stats_locked();
  PoolStats stats_of(const memory::Heap& heap, std::size_t pending) const;
  std::map<PoolId, std::size_t> pending_by_part() const;

  void release_resolved() noexcept;
  void notify(MemoryEvent::Kind kind, std::size_t bytes, const char* reason);

  // pool_check.cpp: debug mode.
  void settle(Block* block) noexcept;
  void hold_back(Block* block) noexcept;
  bool poison_freed(Block& block) noexcept;
  void let_go(Block* block) noexcept;
  bool give_up_quarantine() noexcept;
  void check_given_out(Block* block);
  void check_held_back();

  // ladder.cpp
  Block* allocate_slow(std::size_t bytes, StreamId stream, PoolId id);
  Block* climb(Request& q);
  Block* attempt(const Request& q) noexcept;
  Block* locked(Block* (Pool::*rung)(const Request&), const Request& q) noexcept;
  Block* finish(Block* block, const Request& q) noexcept;
  Block* take(const Request& q);
  Block* take_settled(const Request& q);
  Block* take_closed(const Request& q);
  Block* take_any(const Request& q);
  Block* take_waiting(const Request& q);
  bool can_help(const Request& q);
  [[noreturn]] void fail(const Request& q);
  memory::OutOfMemoryFacts facts(const Request& q);

  // growth.cpp
  class Growing;
  Block* grow(Request& q) noexcept;
  Block* take_grown(const Request& q);
  bool within_limit(const memory::Heap& heap, std::size_t bytes) const;
  void lost(memory::Heap& heap, std::size_t bytes) noexcept;
  MemoryResource* source_for(const Request& q);
  void* ask(MemoryResource& resource, std::size_t bytes, void* stream) noexcept;
  bool grow_plain(Request& q, std::size_t bytes);
  bool grow_virtual(Request& q, bool* space);
  bool reserve_space(const Request& q, std::size_t bytes);
  PhysicalHandle& page_at(memory::Range& r, std::size_t at) noexcept;
  void destroy_page(PhysicalHandle handle) noexcept;
  struct Filling;
  std::size_t map_pages(memory::Range* hole, Filling& filling, bool* failed) noexcept;
  std::size_t fill_hole(Request& q, memory::Range* hole, Filling& filling) noexcept;
  std::size_t unmap_pages(memory::Range* run, std::vector<PhysicalHandle>* pages) noexcept;
  bool hopeful(const Request& q, std::size_t bytes, std::size_t spare);
  void steal_pages(const Request& q, std::size_t bytes, Filling& filling);
  std::size_t room_for(const Request& q, const Filling& filling);
  // moves.cpp
  bool may_move(const Request& q) const noexcept;
  void open_moves(const Request& q, std::size_t bytes, Filling& filling);
  void end_moves(memory::Heap& heap, const Filling& filling) noexcept;
  bool close_left(memory::Heap& heap, std::unique_lock<std::mutex>& hold);
  void close_left(bool mark);

  std::size_t give_back_pages(std::size_t keep, bool closed);
  std::size_t give_back_segments(std::size_t keep, bool closed);
  bool give_back_segment(const memory::Segment& segment, void* stream = nullptr) noexcept;
  std::size_t give_back(std::size_t keep, const char* reason, bool closed = false) noexcept;
  bool synchronize(const char* reason) noexcept;

  const std::unique_ptr<Driver> driver_;
  const Device device_;
  const unsigned index_;
  memory::Order& order_;
  const memory::SizeClasses classes_;
  std::uint8_t depth_[memory::kMaxClasses] = {};
  std::size_t cached_limit_ = memory::kLargeLimit;  // requests up to here may be in front caches
  std::size_t kept_limit_ = 0;                      // and these, of which threads keep a few
  bool direct_ = false;                             // TANDEM_POOL=direct
  bool plain_ = false;                              // TANDEM_POOL=plain
  std::atomic<bool> virtual_{false};                // there is virtual memory, and it is wanted
  bool asynchronous_ = false;
  Block nothing_;                                   // what zero bytes get
  std::unique_ptr<memory::Quarantine> quarantine_;  // null unless TANDEM_CHECK=memory

  std::atomic<int> captures_{0};         // under way
  std::uint32_t private_ = 0;            // pools opened, ever
  std::atomic<bool> heaps_left_{false};  // a private pool was closed, ever
  std::mutex growth_;  // one thread at a time takes memory from the driver or gives it back
  std::atomic<const void*> grower_{nullptr};  // that thread: a user's resource may allocate here
  std::vector<PhysicalHandle> spare_pages_;   // that the driver did not take back; under growth_
  int refused_moves_ = 0;                     // one after the other, by the driver; under growth_
  std::mutex mutex_;                          // guards all below
  memory::Descriptors descriptors_;
  std::map<PoolId, std::unique_ptr<memory::Heap>> heaps_;
  memory::Pending pending_;
  MemoryResource* resource_ = nullptr;
  MemoryStats stats_;  // without what is in the front caches' tallies
  std::int64_t requested_ = 0,
               allocated_ = 0;  // signed: a block's free may be counted before its allocation
};

}  // namespace tandem
