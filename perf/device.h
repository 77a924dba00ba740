// The device that is measured: where tensors are made, calls in batches, what its driver gives.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <type_traits>

#include "tandem/tandem.h"

namespace tandem::perf {

/// Where the cases run. A device works behind the calling thread's back, so there calls are timed
/// in batches, each with one wait at its end.
struct Place {
  Device device = kCPU;
  int batch = 1;  // calls before a wait
  bool on_device() const { return !device.is_cpu(); }
};

/// Set once, before the first case runs.
Place& place();

/// A device by its name, with its number; raises ValueError for one that no benchmark can run on
/// and DeviceError for one that is not usable.
Device parse_device(const std::string& text);

/// What the driver's own commands give: the yardstick of rows that run on a device.
struct DeviceRates {
  double write = 0;      // GB/s of setting memory
  double copy = 0;       // GB/s of copying within the device, bytes read and written
  double launch_ns = 0;  // on the calling thread: queueing the smallest of such commands
};

/// Medians of several passes over memory that the driver allocated; no kernel of Tandem's runs.
DeviceRates measure_device_rates(Device device, std::size_t bytes, int passes);

/// Such as "NVIDIA H200".
std::string model_of(Device device);
/// The kernel driver's description of itself; empty where it has none to read.
std::string driver_version();

/// The name of the counter that timed_batches leaves: nanoseconds of a call until it has queued its
/// work, without the wait for it.
inline constexpr const char* kQueued = "queued_ns";

template <class F>
void keep_result(F& f) {
  if constexpr (std::is_void_v<decltype(f())>) {
    f();
    benchmark::ClobberMemory();
  } else {
    auto result = f();
    benchmark::DoNotOptimize(result);
  }
}

template <class F>
void timed_batches(benchmark::State& state, F& f) {
  const Place& p = place();
  keep_result(f);  // loads the kernel and fills the pool
  synchronize(p.device);
  std::chrono::duration<double, std::nano> queued{};
  while (state.KeepRunningBatch(p.batch)) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < p.batch; ++i) keep_result(f);
    queued += std::chrono::steady_clock::now() - begin;
    synchronize(p.device);
  }
  state.counters[kQueued] = queued.count() / static_cast<double>(state.iterations());
}

}  // namespace tandem::perf
