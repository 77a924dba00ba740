// The adapter between a backend's table of driver calls and the pool's Driver, and the workspaces
// that backends take from the pools.
#include "runtime/memory/backend_driver.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/memory/driver.h"
#include "runtime/memory/lend.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/stream_id.h"

namespace tandem {

namespace {

/// TANDEM_POOL=plain: memory comes in whole segments of the driver, not by pages joined in address
/// space.
bool asked_for_plain() {
  const char* text = std::getenv("TANDEM_POOL");
  return text != nullptr && std::string_view(text) == "plain";
}

/// Memory of one device of a backend. cudaMalloc's blocks are taken in 2 MiB steps, so that the
/// pool works in whole pages of the device.
class BackendMemory final : public Driver {
 public:
  BackendMemory(const BackendTable& table, int device) : table_(table), device_(device) {
    virtual_ = !asked_for_plain() && has_virtual_memory();
  }

  const char* name() const noexcept override { return "cuda"; }
  DriverFeatures features() const noexcept override {
    return {.asynchronous = true, .virtual_memory = virtual_, .any_size = true};
  }
  std::size_t granularity() const noexcept override { return kGranularity; }
  // The kernels read 16 bytes a thread; 256 keeps a warp's accesses within whole cache lines.
  std::size_t block_alignment() const noexcept override { return 256; }

  DriverStatus allocate(std::size_t bytes, void** out) noexcept override {
    return memory_status(calls().allocate(device_, bytes, out));
  }
  DriverStatus free(void* p, std::size_t) noexcept override {
    return status(calls().free(device_, p));
  }
  DriverStatus memory_info(MemoryInfo* out) noexcept override {
    return status(calls().memory_info(device_, &out->free, &out->total));
  }

  DriverStatus reserve(std::size_t bytes, DriverAddress* out) noexcept override {
    return virtual_ ? memory_status(calls().reserve(device_, bytes, out)) : kUnsupported;
  }
  DriverStatus release(DriverAddress at, std::size_t bytes) noexcept override {
    return virtual_ ? status(calls().release(device_, at, bytes)) : kUnsupported;
  }
  DriverStatus create(std::size_t bytes, PhysicalHandle* out) noexcept override {
    return virtual_ ? memory_status(calls().create(device_, bytes, out)) : kUnsupported;
  }
  DriverStatus destroy(PhysicalHandle memory, std::size_t bytes) noexcept override {
    return virtual_ ? status(calls().destroy(device_, memory, bytes)) : kUnsupported;
  }
  DriverStatus map(DriverAddress at, std::size_t bytes, PhysicalHandle memory) noexcept override {
    return virtual_ ? memory_status(calls().map(device_, at, bytes, memory)) : kUnsupported;
  }
  DriverStatus unmap(DriverAddress at, std::size_t bytes) noexcept override {
    return virtual_ ? status(calls().unmap(device_, at, bytes)) : kUnsupported;
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
    // Where the stream is out of reach all its work is done first; then any point will do.
    if (is_of_another_thread(stream) && synchronize() != DriverStatus::Ok) return kFailed;
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
    if (is_of_another_thread(stream)) return event_wait(event);
    return status(calls().stream_wait_event(device_, pointer(stream.handle), pointer(event)));
  }
  DriverStatus stream_synchronize(StreamId stream) noexcept override {
    if (is_of_another_thread(stream)) return synchronize();
    return status(calls().stream_synchronize(device_, pointer(stream.handle)));
  }
  DriverStatus stream_query(StreamId stream) noexcept override {
    if (is_of_another_thread(stream)) return DriverStatus::NotReady;
    const int code = calls().stream_query(device_, pointer(stream.handle));
    return code == 1 ? DriverStatus::NotReady : status(code);
  }
  bool capturing(StreamId stream) noexcept override {
    int yes = 0;
    return calls().capturing != nullptr && !is_of_another_thread(stream) &&
           calls().capturing(device_, pointer(stream.handle), &yes) == 0 && yes != 0;
  }
  DriverStatus synchronize() noexcept override {
    return status(calls().device_synchronize(device_));
  }
  DriverStatus fill(void* p, int byte, std::size_t bytes, StreamId stream) noexcept override {
    if (calls().fill == nullptr || is_of_another_thread(stream)) return kUnsupported;
    return status(calls().fill(device_, p, byte, bytes, pointer(stream.handle)));
  }
  DriverStatus read(const void* p, std::size_t bytes, void* to) noexcept override {
    if (status(calls().copy(device_, to, p, bytes, kDeviceToHost, nullptr)) != DriverStatus::Ok)
      return kFailed;
    return status(calls().stream_synchronize(device_, nullptr));
  }

 private:
  const BackendDriver& calls() const { return table_.driver; }
  static void* pointer(std::uint64_t handle) { return reinterpret_cast<void*>(handle); }
  static DriverStatus status(int code) {
    return code == 0 ? DriverStatus::Ok : DriverStatus::Failed;
  }
  /// Of a call that takes memory. A device that cannot even tell what it has is out of order, not
  /// out of memory.
  DriverStatus memory_status(int code) noexcept {
    if (code == 0) return DriverStatus::Ok;
    MemoryInfo info;
    return memory_info(&info) == DriverStatus::Ok ? DriverStatus::OutOfMemory : kFailed;
  }
  bool has_virtual_memory() const {
    const BackendDriver& d = calls();
    std::size_t step = 0;
    return d.virtual_granularity != nullptr && d.reserve != nullptr && d.release != nullptr &&
           d.create != nullptr && d.destroy != nullptr && d.map != nullptr && d.unmap != nullptr &&
           d.virtual_granularity(device_, &step) == 0 && step != 0 && kGranularity % step == 0;
  }
  /// The handle by which each thread knows a stream of its own, where it is not this thread's.
  bool is_of_another_thread(StreamId stream) const noexcept {
    if (stream.handle == 0 || pointer(stream.handle) != calls().per_thread_stream) [[likely]]
      return false;
    std::uint64_t own = 0;
    const std::uint64_t number = stream.id & ((std::uint64_t{1} << StreamId::kDeviceShift) - 1);
    return calls().stream_id(device_, pointer(stream.handle), &own) != 0 || own + 1 != number;
  }

  static constexpr std::size_t kGranularity = std::size_t(2) << 20;
  static constexpr DriverStatus kUnsupported = DriverStatus::Unsupported;
  static constexpr DriverStatus kFailed = DriverStatus::Failed;

  const BackendTable& table_;
  int device_;
  bool virtual_ = false;
};

/// The identity of a stream that a launch was given, nearly always the current one.
StreamId launched_on(Device device, void* native) {
  const Stream current = current_stream(device);
  return current.native() == native ? stream_id(current) : stream_id(device, native);
}

}  // namespace

std::unique_ptr<Driver> make_backend_driver(const BackendTable& table, int device) {
  return std::make_unique<BackendMemory>(table, device);
}

void register_backend_pools(const BackendTable& table) {
  for (int i = 0; i < table.device_count; ++i) {
    register_pool(Device(table.kind, i), make_backend_driver(table, i));
  }
}

void* backend_workspace_allocate(Device device, std::size_t bytes, void* stream) noexcept {
  try {
    device = resolve_device(device, "workspace");
    return memory::allocate_lent(bytes, launched_on(device, stream), device)->data;
  } catch (...) {  // none crosses to the backend: the launch raises it when it has returned
    detail::fail_launch(std::current_exception());
    return nullptr;
  }
}

void backend_workspace_free(void* p) noexcept {
  if (Block* block = memory::take_lent(p)) block->pool->free(block);
}

}  // namespace tandem
