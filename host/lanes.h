// Batches of small tasks on the host, a task in each lane of vectors: what a SIMD level offers, and
// the threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "host/parallel.h"
#include "tandem/backend.h"

namespace tandem::host {

template <class Launch>
struct LaneLoops {
  /// Tasks [first, last) of the launch's batch, on the calling thread; null where there is none.
  void (*run)(const Launch& l, std::int64_t first, std::int64_t last) = nullptr;
  int lanes = 1;  // tasks at a time
};

/// What the level's registration has filled in for a dtype. Defined in host/lanes.cpp: a level's
/// object must not bring a copy of its own.
template <class Launch>
LaneLoops<Launch>& lane_loops(DType t);

/// The whole batch, whole groups of lanes a thread. `work`: vector operations of such a group,
/// which decide how many threads are worth waking.
template <class Launch>
void over_lanes(const Launch& l, DType t, std::int64_t batch, double work) {
  const LaneLoops<Launch>& loops = lane_loops<Launch>(t);
  const std::int64_t groups = (batch + loops.lanes - 1) / loops.lanes;
  constexpr double kPerThread = 1 << 14;
  parallel_for(groups, static_cast<std::int64_t>(kPerThread / work) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 loops.run(l, first * loops.lanes, std::min(last * loops.lanes, batch));
               });
}

}  // namespace tandem::host
