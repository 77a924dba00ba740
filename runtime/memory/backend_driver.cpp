// The adapter between a backend's table of driver calls and the pool's Driver, and the workspaces
// that backends take from the pools.
#include "runtime/memory/backend_driver.h"

#include <memory>
#include <mutex>
#include <unordered_map>

#include "runtime/memory/driver.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/stream_id.h"

namespace tandem {

namespace {

/// Memory of one device of a backend. cudaMalloc's blocks are taken in 2 MiB steps, so that the
/// pool works in whole pages of the device.
class BackendMemory final : public Driver {
 public:
  BackendMemory(const BackendTable& table, int device) : table_(table), device_(device) {}

  const char* name() const noexcept override { return "cuda"; }
  DriverFeatures features() const noexcept override {
    return {.asynchronous = true, .virtual_memory = false, .any_size = true};
  }
  std::size_t granularity() const noexcept override { return std::size_t(2) << 20; }
  // The kernels read 16 bytes a thread; 256 keeps a warp's accesses within whole cache lines.
  std::size_t block_alignment() const noexcept override { return 256; }

  DriverStatus allocate(std::size_t bytes, void** out) noexcept override {
    if (calls().allocate(device_, bytes, out) == 0) return DriverStatus::Ok;
    // A device that cannot even tell what it has is out of order, not out of memory.
    MemoryInfo info;
    return memory_info(&info) == DriverStatus::Ok ? DriverStatus::OutOfMemory
                                                  : DriverStatus::Failed;
  }
  DriverStatus free(void* p, std::size_t) noexcept override {
    return status(calls().free(device_, p));
  }
  DriverStatus memory_info(MemoryInfo* out) noexcept override {
    return status(calls().memory_info(device_, &out->free, &out->total));
  }

  DriverStatus event_create(EventHandle* out) noexcept override {
    void* event = nullptr;
    const DriverStatus s = status(calls().event_create(device_, &event));
    *out = reinterpret_cast<EventHandle>(event);
    return s;
  }
  DriverStatus event_destroy(EventHandle event) noexcept override {
    return status(calls().event_destroy(pointer(event)));
  }
  DriverStatus event_record(EventHandle event, StreamId stream) noexcept override {
    return status(calls().event_record(device_, pointer(event), pointer(stream.handle)));
  }
  DriverStatus event_query(EventHandle event) noexcept override {
    const int code = calls().event_query(pointer(event));
    return code == 1 ? DriverStatus::NotReady : status(code);
  }
  DriverStatus event_wait(EventHandle event) noexcept override {
    return status(calls().event_synchronize(pointer(event)));
  }
  DriverStatus stream_wait_event(StreamId stream, EventHandle event) noexcept override {
    return status(calls().stream_wait_event(device_, pointer(stream.handle), pointer(event)));
  }
  DriverStatus stream_synchronize(StreamId stream) noexcept override {
    return status(calls().stream_synchronize(device_, pointer(stream.handle)));
  }
  DriverStatus synchronize() noexcept override {
    return status(calls().device_synchronize(device_));
  }

 private:
  const BackendDriver& calls() const { return table_.driver; }
  static void* pointer(std::uint64_t handle) { return reinterpret_cast<void*>(handle); }
  static DriverStatus status(int code) {
    return code == 0 ? DriverStatus::Ok : DriverStatus::Failed;
  }

  const BackendTable& table_;
  int device_;
};

/// The pool's blocks behind the pointers that backends hold.
struct Workspaces {
  std::mutex mutex;
  std::unordered_map<void*, Block*> blocks;
};
Workspaces& workspaces() {
  static Workspaces& w = *new Workspaces();
  return w;
}

}  // namespace

void register_backend_pools(const BackendTable& table) {
  for (int i = 0; i < table.device_count; ++i) {
    register_pool(Device(table.kind, i), std::make_unique<BackendMemory>(table, i));
  }
}

void* backend_workspace_allocate(int device, std::size_t bytes, void* stream) {
  try {
    const Device where(DeviceKind::CUDA, device < 0 ? 0 : device);
    Block* block = pool_for(where).allocate(bytes, stream_id(where, stream));
    void* p = block->data;
    Workspaces& w = workspaces();
    const std::lock_guard lock(w.mutex);
    w.blocks[p] = block;
    return p;
  } catch (const std::exception&) {
    return nullptr;  // the kernel reports it; no exception crosses to the backend
  }
}

void backend_workspace_free(int device, void* p, void*) {
  Block* block = nullptr;
  {
    Workspaces& w = workspaces();
    const std::lock_guard lock(w.mutex);
    const auto found = w.blocks.find(p);
    if (found == w.blocks.end()) return;
    block = found->second;
    w.blocks.erase(found);
  }
  pool_for(Device(DeviceKind::CUDA, device < 0 ? 0 : device)).free(block);
}

}  // namespace tandem
