// Races in shared memory, found while kernels run on the CPU (races.cpp).
#pragma once

#include <cstdint>

namespace sim {

/// A block begins, or all its threads have met at a barrier: what was accessed before is ordered.
void next_epoch();
/// Accesses of this thread of the block count from now on; -1: none do.
void watch(int thread);
/// Races since the last call; each is told on standard error, up to a few.
std::uint64_t take_races();

}  // namespace sim
