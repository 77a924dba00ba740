// What a hole in address space is filled with.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/memory/pool.h"

namespace tandem {

/// Pages without an address first, then pages that move, then new ones of the driver.
struct Pool::Filling {
  std::vector<PhysicalHandle> loose;
  std::vector<PhysicalHandle> moving;
  std::vector<memory::Range*> runs;  // where `moving` are, in their order; busy
  std::size_t moved = 0;             // pages of `moving` that are in the hole
  bool may_steal = true;             // Pool::close_left
};

}  // namespace tandem
