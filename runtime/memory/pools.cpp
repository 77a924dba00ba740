// The pools of the devices, and the public functions of tandem/memory.h on them.
#include "runtime/memory/pools.h"

#include <array>
#include <atomic>
#include <mutex>

#include <fmt/format.h>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/io/atomic_file.h"
#include "runtime/memory/fork.h"
#include "runtime/memory/host_driver.h"
#include "runtime/memory/snapshot.h"
#include "tandem/error.h"

namespace tandem {
namespace {

constexpr std::size_t kMaxDevices = 64;

/// Constant initialised and without a destructor: usable before main and after it.
struct Table {
  std::mutex mutex;
  std::array<std::array<std::atomic<Pool*>, kMaxDevices>,
             static_cast<std::size_t>(DeviceKind::kCount)>
      pools{};
  unsigned registered = 0;
};

/// Apart from the pools and without a guard: asked for at every launch.
constinit std::array<std::array<std::atomic<std::uint16_t>, kMaxDevices>,
                     static_cast<std::size_t>(DeviceKind::kCount)>
    numbers{};

Table& table() {
  static auto* t = new Table;
  return *t;
}

std::atomic<Pool*>* slot(Device device) {
  const std::size_t index = device.index < 0 ? 0 : static_cast<std::size_t>(device.index);
  if (device.is_meta() || device.kind >= DeviceKind::kCount || index >= kMaxDevices) return nullptr;
  return &table().pools[static_cast<std::size_t>(device.kind)][index];
}

}  // namespace

Pool& host_pool() {
  static constinit std::atomic<Pool*> pool{nullptr};
  return made_once(pool, [] { return std::make_unique<Pool>(make_host_driver(), kCPU, 0); });
}

Pool& pool_for(Device device) {
  if (device.is_cpu()) return host_pool();
  const std::atomic<Pool*>* at = slot(device);
  Pool* pool = at == nullptr ? nullptr : at->load(std::memory_order_acquire);
  TANDEM_EXPECTS(pool != nullptr, DeviceError,
                 fmt::format("[memory] expected a device with memory, got {}", device.str()));
  return *pool;
}

unsigned device_number(Device device) noexcept {
  const auto kind = static_cast<std::size_t>(device.kind);
  const auto index = static_cast<std::size_t>(device.index);  // -1 wraps
  if (kind >= numbers.size() || index >= kMaxDevices) return 0;
  return numbers[kind][index].load(std::memory_order_acquire);
}

void forget_device_numbers() noexcept {
  for (auto& of_kind : numbers) {
    for (auto& number : of_kind) number.store(0);
  }
}

Pool& register_pool(Device device, std::unique_ptr<Driver> driver) {
  std::atomic<Pool*>* at = device.is_cpu() ? nullptr : slot(device);
  TANDEM_EXPECTS(
      at != nullptr && device.index >= 0, DeviceError,
      fmt::format("[register_pool] expected a device with an index and memory of its own, got {}",
                  device.str()));
  Table& t = table();
  const std::lock_guard<std::mutex> hold(t.mutex);
  TANDEM_EXPECTS(
      at->load() == nullptr, DeviceError,
      fmt::format("[register_pool] expected a device without a pool, got {}", device.str()));
  auto* pool = new Pool(std::move(driver), device, ++t.registered);
  at->store(pool, std::memory_order_release);
  numbers[static_cast<std::size_t>(device.kind)][static_cast<std::size_t>(device.index)].store(
      static_cast<std::uint16_t>(t.registered), std::memory_order_release);
  return *pool;
}

MemoryStats memory_stats(Device device) {
  if (device.is_meta()) return {};
  return pool_for(resolve_device(device, "memory_stats")).stats();
}

std::vector<PoolStats> memory_pools(Device device) {
  if (device.is_meta()) return {};
  return pool_for(resolve_device(device, "memory_pools")).pools();
}

std::string memory_snapshot(Device device) {
  return memory::to_json(pool_for(resolve_device(device, "memory_snapshot")).snapshot());
}

void write_memory_snapshot(const std::string& path, Device device) {
  const std::string text = memory_snapshot(device);
  io::AtomicFile file("write_memory_snapshot", path);
  file.write(text.data(), text.size());
  file.commit();
}

std::size_t empty_cache(Device device) {
  if (device.is_meta()) return 0;
  device = resolve_device(device, "empty_cache");
  const BackendTable* backend = backend_for(device.kind);
  if (backend != nullptr && backend->driver.drop_caches != nullptr) {
    check_driver(*backend, backend->driver.drop_caches(device.index), "empty_cache");
  }
  return pool_for(device).empty_cache();
}

std::size_t trim_memory(Device device, std::size_t keep) {
  if (device.is_meta()) return 0;
  return pool_for(resolve_device(device, "trim_memory")).trim(keep);
}

void reset_peak_memory(Device device) {
  if (device.is_meta()) return;
  pool_for(resolve_device(device, "reset_peak_memory")).reset_peak();
}

void set_memory_limit(Device device, std::size_t bytes) {
  pool_for(resolve_device(device, "set_memory_limit")).set_limit(bytes);
}

void set_pool_memory_limit(Device device, std::uint32_t pool, std::size_t bytes) {
  device = resolve_device(device, "set_pool_memory_limit");
  pool_for(device).set_limit(static_cast<PoolId>(pool), bytes);
}

void set_memory_resource(Device device, MemoryResource* resource) {
  Pool& pool = pool_for(resolve_device(device, "set_memory_resource"));
  MemoryResource* before = pool.set_resource(resource);
  if (before != nullptr && before != resource) before->removed();
}

}  // namespace tandem
