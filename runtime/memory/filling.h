// What a hole in address space is filled with.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/memory/pool.h"

namespace tandem {

/// Pages without an address first, then pages that move, then new ones of the driver.
struct Pool::Filling {
  std::vector<PhysicalHandle> loose;
  std::size_t stolen = 0, own = 0;   // bytes that were taken for it; of them, from the same heap
  std::size_t room = 0;              // bytes that it may get beside what moves: what limits leave
  std::size_t added = 0, fresh = 0;  // bytes that it got beside what moved; of them, new ones
  std::vector<PhysicalHandle> moving;
  std::vector<memory::Range*> runs;  // where `moving` are, in their order; busy
  std::size_t moved = 0;             // pages of `moving` that are in the hole
};

}  // namespace tandem
