// What is counted of one part of a pool over time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "runtime/memory/front_cache.h"
#include "tandem/memory.h"

namespace tandem::memory {

/// Adds a tally's changes to a counter. `now` is signed: a block's free may be counted before its
/// allocation.
inline void count(MemoryCounter& c, std::int64_t& now, std::int64_t change, std::int64_t peak,
                  std::uint64_t total) noexcept {
  if (now + peak > 0) c.peak = std::max(c.peak, static_cast<std::size_t>(now + peak));
  now += change;
  c.total += total;
}

/// `fresh`: what of it was not there before.
inline void raise(MemoryCounter& c, std::size_t bytes, std::size_t fresh) noexcept {
  c.current += bytes;
  c.total += fresh;
  c.peak = std::max(c.peak, c.current);
}

/// The sums of a heap, without what is in the front caches' tallies.
struct Sums {
  MemoryCounter requested, allocated, reserved;
  std::int64_t requested_now = 0, allocated_now = 0;
  std::uint64_t allocations = 0, frees = 0;

  void add(const Tally& t) noexcept {
    count(requested, requested_now, t.requested, t.requested_peak, t.requested_total);
    count(allocated, allocated_now, t.allocated, t.allocated_peak, t.allocated_total);
    allocations += t.allocations;
    frees += t.frees;
  }
};

}  // namespace tandem::memory
