// Pinned host memory: its driver over a backend's calls, its pool, and the public functions on it.
#include "runtime/memory/pinned.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/memory/order.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "tandem/error.h"
#include "tandem/memory.h"

namespace tandem {
namespace {

/// The last of the numbers of devices: none of a backend's.
constexpr unsigned kPinnedIndex = memory::kMostDevices - 1;
/// The host's order, as the pool knows it: its work is done when a call returns.
constexpr StreamId kOwnStream{std::uint64_t{kPinnedIndex} << StreamId::kDeviceShift, 0};

class PinnedHostMemory final : public Driver {
 public:
  explicit PinnedHostMemory(const BackendTable& table) : table_(table) {}

  const char* name() const noexcept override { return "pinned"; }
  DriverFeatures features() const noexcept override {
    return {.asynchronous = true, .virtual_memory = false, .any_size = true};
  }
  std::size_t granularity() const noexcept override { return std::size_t{2} << 20; }
  std::size_t block_alignment() const noexcept override { return 256; }
  DriverStatus allocate(std::size_t bytes, void** out) noexcept override {
    return table_.driver.pinned_allocate(bytes, out) == 0 ? DriverStatus::Ok
                                                          : DriverStatus::OutOfMemory;
  }
  // Neither a wait for a device nor a release of memory is allowed while one is captured: it would
  // end the capture.
  DriverStatus free(void* p, std::size_t) noexcept override {
    if (detail::may_capture()) return DriverStatus::Failed;
    return table_.driver.pinned_free(p) == 0 ? DriverStatus::Ok : DriverStatus::Failed;
  }
  DriverStatus memory_info(MemoryInfo* out) noexcept override {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    out->free = page * static_cast<std::size_t>(sysconf(_SC_AVPHYS_PAGES));
    out->total = page * static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES));
    return DriverStatus::Ok;
  }
  // Of its one stream, the host's.
  DriverStatus stream_query(StreamId) noexcept override { return DriverStatus::Ok; }
  /// The host is not to wait for what a device does.
  DriverStatus stream_wait_event(StreamId, EventHandle) noexcept override {
    return DriverStatus::Unsupported;
  }
  DriverStatus synchronize() noexcept override {
    if (detail::may_capture()) return DriverStatus::Failed;
    for (int i = 0; i < table_.device_count; ++i) {
      // A device that no stream was used of has no copies, and should not get a context for this.
      if (!memory::Order::process().knows_device(device_number(Device(table_.kind, i)))) continue;
      if (table_.driver.device_synchronize(i) != 0) return DriverStatus::Failed;
    }
    return DriverStatus::Ok;
  }

 private:
  const BackendTable& table_;
};

constinit std::atomic<Pool*> g_pool{nullptr};

}  // namespace

Pool* pinned_pool_if_any() noexcept { return g_pool.load(std::memory_order_acquire); }

Pool& pinned_pool(const char* op) {
  if (Pool* pool = pinned_pool_if_any()) return *pool;
  const BackendTable* backend = backend_for(DeviceKind::CUDA);
  TANDEM_EXPECTS(backend != nullptr && backend->driver.pinned_allocate != nullptr, DeviceError,
                 "[" + std::string(op) +
                     "] expected a device that memory can be pinned for, got none: " +
                     device_status(DeviceKind::CUDA));
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (Pool* pool = pinned_pool_if_any()) return *pool;
  auto* made = new Pool(std::make_unique<PinnedHostMemory>(*backend), kCPU, kPinnedIndex);
  g_pool.store(made, std::memory_order_release);
  return *made;
}

namespace detail {

Storage pinned_storage(std::size_t bytes, const char* op) {
  Pool& pool = pinned_pool(op);
  Block* block = pool.allocate(bytes, kOwnStream);
  try {
    return Storage(*block, kCPU);
  } catch (...) {
    pool.free(block);
    throw;
  }
}

bool is_pinned(const StorageBody& storage) noexcept {
  const Pool* pool = pinned_pool_if_any();
  return pool != nullptr && storage.block != nullptr &&
         static_cast<const Block*>(storage.block)->pool == pool;
}

}  // namespace detail

MemoryStats memory_stats(PinnedMemory) {
  Pool* pool = pinned_pool_if_any();
  return pool == nullptr ? MemoryStats() : pool->stats();
}
std::size_t empty_cache(PinnedMemory) {
  Pool* pool = pinned_pool_if_any();
  return pool == nullptr ? 0 : pool->empty_cache();
}
std::size_t trim_memory(PinnedMemory, std::size_t keep) {
  Pool* pool = pinned_pool_if_any();
  return pool == nullptr ? 0 : pool->trim(keep);
}
void reset_peak_memory(PinnedMemory) {
  if (Pool* pool = pinned_pool_if_any()) pool->reset_peak();
}
void set_memory_limit(PinnedMemory, std::size_t bytes) {
  pinned_pool("set_memory_limit").set_limit(bytes);
}

}  // namespace tandem
