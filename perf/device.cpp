// Rates of a device by its driver's own copy, through the table that the backend gave the library.
#include "perf/device.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

#include "runtime/dispatch/backend_loader.h"

namespace tandem::perf {
namespace {

const BackendTable& table_of(Device device) {
  const BackendTable* table = backend_for(device.kind);
  TANDEM_EXPECTS(table != nullptr, DeviceError, device_status(device.kind));
  return *table;
}

void check(const BackendTable& t, int code) {
  TANDEM_EXPECTS(
      code == 0, DeviceError,
      fmt::format("the rates of the device: its driver answered {}", t.error_text(code)));
}

/// Memory straight from the driver: Tandem's pool has no part in the yardstick.
class Buffer {
 public:
  Buffer(Device device, std::size_t bytes) : device_(device) {
    const BackendTable& t = table_of(device);
    check(t, t.driver.allocate(device.index, bytes, &data_));
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { table_of(device_).driver.free(device_.index, data_); }
  void* data() const { return data_; }

 private:
  Device device_;
  void* data_ = nullptr;
};

using Nanoseconds = std::chrono::duration<double, std::nano>;

/// Of one command: the median over passes of a batch, until it is queued and until it is done.
template <class F>
std::pair<double, double> median_times(Device device, int batch, int passes, const F& command) {
  const BackendTable& t = table_of(device);
  std::vector<double> queued, done;
  for (int pass = 0; pass <= passes; ++pass) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < batch; ++i) check(t, command());
    const Nanoseconds until_queued = std::chrono::steady_clock::now() - begin;
    check(t, t.driver.device_synchronize(device.index));
    const Nanoseconds until_done = std::chrono::steady_clock::now() - begin;
    if (pass == 0) continue;  // the first one wakes the device
    queued.push_back(until_queued.count() / batch);
    done.push_back(until_done.count() / batch);
  }
  const auto median = [](std::vector<double>& v) {
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    return *middle;
  };
  return {median(queued), median(done)};
}

}  // namespace

Place& place() {
  static Place p;
  return p;
}

Device parse_device(const std::string& text) {
  const Device device(text);
  TANDEM_EXPECTS(device.is_cpu() || device.is_cuda(), ValueError,
                 fmt::format("--device: expected cpu or cuda[:INDEX], got '{}'", text));
  if (device.is_cpu()) return kCPU;
  const BackendTable& t = table_of(device);
  int index = device.index;
  if (index < 0) check(t, t.driver.current_device(&index));
  TANDEM_EXPECTS(
      index < t.device_count, DeviceError,
      fmt::format("--device: expected a device below cuda:{}, got '{}'", t.device_count, text));
  return Device(device.kind, index);
}

DeviceRates measure_device_rates(Device device, std::size_t bytes, int passes) {
  constexpr int kBatch = 8;        // large commands before a wait
  constexpr int kSmallBatch = 64;  // small ones: fewer than a queue holds
  constexpr std::size_t kSmall = 4;
  const BackendDriver& driver = table_of(device).driver;
  const Buffer from(device, bytes), to(device, bytes);
  void* const stream = current_stream(device).native();
  const auto set = [&](std::size_t n) {
    return [&driver, &from, device, stream, n] {
      return driver.zero(device.index, from.data(), n, stream);
    };
  };
  const auto copy = [&] {
    return driver.copy(device.index, to.data(), from.data(), bytes, kDeviceToDevice, stream);
  };
  const auto size = static_cast<double>(bytes);
  DeviceRates r;
  r.write = size / median_times(device, kBatch, passes, set(bytes)).second;
  // Not over zeros: memory may be faster with them than with a program's data.
  std::vector<std::uint32_t> noise(bytes / sizeof(std::uint32_t));
  std::uint32_t state = 1;
  for (std::uint32_t& word : noise) word = state = state * 1664525u + 1013904223u;
  check(table_of(device),
        driver.copy(device.index, from.data(), noise.data(), bytes, kHostToDevice, stream));
  check(table_of(device), driver.device_synchronize(device.index));
  r.copy = 2 * size / median_times(device, kBatch, passes, copy).second;
  r.launch_ns = median_times(device, kSmallBatch, passes, set(kSmall)).first;
  return r;
}

std::string model_of(Device device) {
  char name[256] = "";
  const BackendTable& t = table_of(device);
  if (t.device_name == nullptr) return "unknown";
  check(t, t.device_name(device.index, name, sizeof name));
  return name;
}

std::string driver_version() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace tandem::perf
