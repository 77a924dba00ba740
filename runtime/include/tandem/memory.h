// Memory of the devices: statistics, tags, limits, giving cached memory back, and the user's own
// resource under a pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tandem/device.h"
#include "tandem/export.h"

namespace tandem {

class Stream;

/// A quantity in bytes over time.
struct MemoryCounter {
  std::size_t current = 0;
  std::size_t peak = 0;     // largest since the start or the last reset_peak_memory
  std::uint64_t total = 0;  // sum of all increases since the start
};

/// What a device's pool holds and did. Peaks are exact on one thread; with several, blocks that
/// moved through the threads' front caches since their last refill may shift a peak by what those
/// caches can hold: some MiB of small ones a thread, on the host two large ones, of 32 MiB at most.
struct MemoryStats {
  MemoryCounter requested;        // bytes asked for by live allocations
  MemoryCounter allocated;        // the same, rounded as the pool rounds
  MemoryCounter reserved;         // bytes taken from the driver: live and cached
  std::size_t cached = 0;         // reserved, and neither allocated nor pending
  std::size_t free_ranges = 0;    // of these, not in a slab of small blocks nor in a front cache
  std::size_t pending = 0;        // freed, but another stream may still use it
  std::size_t largest_free = 0;   // largest cached range that one allocation could take
  std::size_t limit = 0;          // most bytes that may be reserved; SIZE_MAX: no limit
  std::uint64_t allocations = 0;  // allocations that were given out, zero bytes aside
  std::uint64_t frees = 0;        // and came back
  std::uint64_t cache_hits = 0;   // allocations that needed nothing from the driver
  std::uint64_t driver_allocations = 0;
  std::uint64_t driver_frees = 0;
  std::uint64_t events = 0;         // events recorded for memory, on the device's streams
  std::uint64_t waits = 0;          // of these streams for others, inserted for memory
  std::uint64_t out_of_memory = 0;  // allocations that failed
  std::uint64_t retries = 0;  // allocations that succeeded only after cached memory was given back

  /// How much of the free ranges one allocation could not have: 0 where they are one, towards 1
  /// where they are many small ones.
  double fragmentation() const {
    return free_ranges == 0
               ? 0.0
               : 1.0 - static_cast<double>(largest_free) / static_cast<double>(free_ranges);
  }
};

/// Statistics of a device's pool. Zeros for a device that has no memory (meta).
TANDEM_API MemoryStats memory_stats(Device device = kCPU);

/// The same for one part of a device's pool: what all streams share, or a graph's private part.
struct PoolStats {
  std::uint32_t id = 0;     // 0: the shared part
  bool kept = false;        // a graph may be replayed into it: its memory stays where it is
  MemoryCounter requested;  // in bytes, as in MemoryStats
  MemoryCounter allocated;
  MemoryCounter reserved;
  std::size_t cached = 0;
  std::size_t free_ranges = 0;
  std::size_t pending = 0;
  std::size_t largest_free = 0;
  std::size_t limit = 0;  // its own, besides the device's; SIZE_MAX: none
  std::uint64_t allocations = 0;
  std::uint64_t frees = 0;

  /// As in MemoryStats.
  double fragmentation() const {
    return free_ranges == 0
               ? 0.0
               : 1.0 - static_cast<double>(largest_free) / static_cast<double>(free_ranges);
  }
};

/// Statistics of each part of a device's pool, the shared one first. Nothing for a device that has
/// no memory (meta).
TANDEM_API std::vector<PoolStats> memory_pools(Device device = kCPU);

/// Gives what this thread allocates a name, as long as the object lives: statistics, snapshots and
/// out-of-memory reports tell memory by it. A tag within a tag is "outer/inner". Costs an
/// allocation nothing. Raises ValueError for a name that is empty, longer than 200 bytes (1000 with
/// those around it) or has control characters.
class TANDEM_API MemoryTag {
 public:
  explicit MemoryTag(std::string_view name);
  ~MemoryTag();
  MemoryTag(const MemoryTag&) = delete;
  MemoryTag& operator=(const MemoryTag&) = delete;

 private:
  std::uint32_t before_;
};

/// All that a device's pool holds, as JSON: statistics, segments with their ranges and blocks,
/// tags, streams, what waits for what. Equal states give equal texts. docs/memory.md has the
/// format; `tandem memory` draws it. Waits for nothing, but no one allocates meanwhile.
TANDEM_API std::string memory_snapshot(Device device = kCPU);
/// The same into a file, which is there as a whole or not at all. Raises FileError.
TANDEM_API void write_memory_snapshot(const std::string& path, Device device = kCPU);

/// Gives memory that no tensor uses back to the device, after waiting for the device where its work
/// is asynchronous. Returns the number of bytes.
TANDEM_API std::size_t empty_cache(Device device = kCPU);

/// Gives idle memory back until at most `keep` bytes are reserved. Waits for nothing: what pending
/// work may use stays. Returns the number of bytes.
TANDEM_API std::size_t trim_memory(Device device = kCPU, std::size_t keep = 0);

/// Sets the peaks of the statistics to the present values.
TANDEM_API void reset_peak_memory(Device device = kCPU);

/// Caps what the pool may take from the device, in bytes; SIZE_MAX removes the cap. Memory is taken
/// in segments of 2 MiB or more. An allocation over the cap behaves as one that the device refuses:
/// OutOfMemory. A cap below what is reserved takes nothing away.
TANDEM_API void set_memory_limit(Device device, std::size_t bytes);

/// The same for one part of the pool, by its number in memory_pools, besides the device's cap.
/// Raises ValueError where there is no such part.
TANDEM_API void set_pool_memory_limit(Device device, std::uint32_t pool, std::size_t bytes);

/// The pool of pinned host memory (Tensor::pin_memory), for the functions above: all devices share
/// it. Zeros where nothing was pinned yet.
struct PinnedMemory {};
inline constexpr PinnedMemory kPinned{};
TANDEM_API MemoryStats memory_stats(PinnedMemory);
TANDEM_API std::size_t empty_cache(PinnedMemory);
TANDEM_API std::size_t trim_memory(PinnedMemory, std::size_t keep = 0);
TANDEM_API void reset_peak_memory(PinnedMemory);
/// Raises DeviceError where there is no device that memory could be pinned for.
TANDEM_API void set_memory_limit(PinnedMemory, std::size_t bytes);

/// Called when an allocation of `bytes` found no memory, also after the cache was emptied. Returns
/// whether it freed something and the allocation should be tried again (it is called again if that
/// fails, eight times at most). It may allocate and free; those calls do not come back to it.
using OutOfMemoryCallback = std::function<bool(Device device, std::size_t bytes)>;
/// Sets the callback of all devices; an empty function removes it.
TANDEM_API void set_out_of_memory_callback(OutOfMemoryCallback callback);

/// A source of memory that a pool takes its segments from, instead of the device's driver.
struct TANDEM_API MemoryResource {
  virtual ~MemoryResource();
  /// Returns memory of `bytes`, aligned to `align`, or null (or throws) when there is none. It is
  /// ready for use in any order, and `stream` is null; or, of a resource that is stream_ordered, in
  /// the order of the stream with this native handle (null: the default one) and of what comes
  /// after it.
  virtual void* allocate(std::size_t bytes, std::size_t align, void* stream) = 0;
  /// Takes memory back, with the same sizes. All work that used it is done, and `stream` is null;
  /// or it was not used, and `stream` is that of allocate.
  virtual void deallocate(void* p, std::size_t bytes, std::size_t align, void* stream) = 0;
  /// Whether memory is given in the order of a stream, as by cudaMallocAsync. The private pools of
  /// graphs take none from such a resource, but from the device's driver.
  virtual bool stream_ordered() const noexcept { return false; }
  /// The pool asks for no more: another resource is under it, or none. Memory may still be out.
  virtual void removed() noexcept {}
};
/// Puts `resource` (null: the device's own driver) under the pool of the device, after calls of the
/// one before that are under way. Memory taken earlier stays and goes back to where it came from.
/// The resource must outlive all memory taken from it: call empty_cache before it dies.
TANDEM_API void set_memory_resource(Device device, MemoryResource* resource);

/// Lends memory of the pool of a stream's device to the program: at least one byte, uninitialised,
/// aligned to 64 bytes on the host and 256 on a device, for work in the order of the stream. On a
/// stream that is being captured it belongs to the capture. Raises OutOfMemory, DeviceError.
TANDEM_API void* allocate_memory(std::size_t bytes, const Stream& stream);
/// Gives lent memory back: it is used by others after what `stream` has to do by now, which may be
/// another stream than it was lent on. Does nothing for null. Raises ValueError for a pointer that
/// allocate_memory did not give, or that was given back.
TANDEM_API void deallocate_memory(void* p, const Stream& stream);

/// A change in what a pool holds of a device's memory.
struct MemoryEvent {
  enum class Kind : std::uint8_t { Grow, Trim, OutOfMemory };
  Kind kind;
  Device device;
  std::size_t bytes;     // taken, given back, or asked for in vain
  std::size_t reserved;  // held afterwards
  const char* reason;
};
using MemoryObserver = void (*)(const MemoryEvent&);
/// Called on the thread that caused the change, with no lock of the pool held. Null removes it.
TANDEM_API void set_memory_observer(MemoryObserver observer);

}  // namespace tandem
