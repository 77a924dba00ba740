// What was asked of the simulated CUDA runtime (tests/cuda/sim/sim.cpp).
#pragma once

#include <dlfcn.h>

#include <cstdlib>

#include "tandem/device.h"

namespace tandem::test {

/// In the order of tandem_sim_counts.
struct SimCounts {
  long launches = 0, allocations = 0, frees = 0, copies = 0, fills = 0, waits = 0, records = 0,
       queries = 0;
};

using SimCounters = void (*)(long (&out)[8]);

/// The counters; null where the backend is another one.
inline SimCounters sim_counters() {
  const char* path = std::getenv("TANDEM_CUDA_LIBRARY");
  if (path == nullptr || !is_available(DeviceKind::CUDA)) return nullptr;
  void* library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return nullptr;
  return reinterpret_cast<SimCounters>(dlsym(library, "tandem_sim_counts"));
}

inline SimCounts read(SimCounters counters) {
  long c[8];
  counters(c);
  return {c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]};
}

}  // namespace tandem::test
