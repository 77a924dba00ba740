// Each thread's few free blocks in front of a pool, so that most allocations take no shared lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/memory/blocks.h"
#include "runtime/memory/tags.h"

namespace tandem::memory {

/// A lock for a few instructions, nearly always free: one atomic exchange.
class SpinLock {
 public:
  void lock() noexcept {
    while (taken_.exchange(true, std::memory_order_acquire)) [[unlikely]] wait();
  }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  void wait() noexcept;
  std::atomic<bool> taken_{false};
};

/// Sums since the last time they were added to the pool's; the peaks are relative to that time.
struct Tally {
  std::int64_t requested = 0, requested_peak = 0;
  std::int64_t allocated = 0, allocated_peak = 0;
  std::uint64_t requested_total = 0, allocated_total = 0;
  std::uint64_t allocations = 0, frees = 0;

  void allocate(const Block& b) noexcept {
    const auto r = static_cast<std::int64_t>(b.requested), a = static_cast<std::int64_t>(b.size);
    requested += r;
    allocated += a;
    if (requested > requested_peak) requested_peak = requested;
    if (allocated > allocated_peak) allocated_peak = allocated;
    requested_total += b.requested;
    allocated_total += b.size;
    ++allocations;
  }
  void free(const Block& b) noexcept {
    requested -= static_cast<std::int64_t>(b.requested);
    allocated -= static_cast<std::int64_t>(b.size);
    ++frees;
  }
};

/// Free blocks of one stream of one pool, held by one thread. The owner uses it with its lock
/// taken; other threads take the lock to drain it or to read the sums. Locks are taken in the order
/// registry, front cache, pool.
struct FrontCache {
  SpinLock lock;
  Pool* pool = nullptr;  // null: unbound
  StreamId stream;
  Tally tally;
  Block* head[kMaxClasses] = {};
  std::uint8_t count[kMaxClasses] = {};
  /// The large blocks freed last, the newest first, each for a request of its own size; null: none.
  /// The pool takes them back before it cuts something for another large request of the thread, and
  /// before it grows for any, so that they keep no one from a fit.
  Block* kept[2] = {};

  static constexpr std::size_t kMaxDepth = 64;
  /// How many blocks of a size are kept: up to 64 KiB in all, one at least.
  static std::uint8_t depth(std::size_t block_bytes) {
    const std::size_t n = kUnit / block_bytes;
    return static_cast<std::uint8_t>(n < 1 ? 1 : n > kMaxDepth ? kMaxDepth : n);
  }
  void push(Block* b) noexcept {
    b->next = head[b->size_class];
    head[b->size_class] = b;
    ++count[b->size_class];
  }
  Block* pop(int size_class) noexcept {
    Block* b = head[size_class];
    if (b == nullptr) return nullptr;
    head[size_class] = b->next;
    --count[size_class];
    return b;
  }
  /// Returns the block that there is no room for any more, or null.
  Block* keep(Block* b) noexcept {
    Block* last = kept[1];
    kept[1] = kept[0];
    kept[0] = b;
    return last;
  }
  /// Null: none of that size.
  Block* take_kept(std::size_t bytes) noexcept {
    if (kept[0] != nullptr && kept[0]->size == bytes)
      return std::exchange(kept[0], std::exchange(kept[1], nullptr));
    if (kept[1] != nullptr && kept[1]->size == bytes) return std::exchange(kept[1], nullptr);
    return nullptr;
  }
};

/// All front caches and pools of the process. Never destroyed: a thread may end after everything
/// else.
struct Registry {
  std::mutex mutex;
  std::vector<FrontCache*> caches;
  std::vector<Pool*> pools;
  static Registry& get();
};

inline constexpr int kSlots = 16;
struct ThreadCaches {
  FrontCache* slot[kSlots] = {};
  RecentLabels labels;
};
/// The calling thread's caches; null before the first use and after the thread's end has begun. In
/// the static block of thread-local storage: a call of __tls_get_addr would cost as much as the
/// rest of an allocation.
extern constinit thread_local ThreadCaches* t_caches __attribute__((tls_model("initial-exec")));

/// Makes the calling thread's cache of a slot; null where there can be none.
FrontCache* make_cache(unsigned slot) noexcept;

/// The calling thread's cache of a slot, made at first use; null where there can be none.
inline FrontCache* thread_cache(unsigned slot) noexcept {
  const ThreadCaches* mine = t_caches;
  if (mine != nullptr && mine->slot[slot] != nullptr) [[likely]]
    return mine->slot[slot];
  return make_cache(slot);
}

}  // namespace tandem::memory
