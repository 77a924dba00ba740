// Elements to compute with: every special value crossed, random bits, values of the row's domain.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/cuda/ptx/cases.h"

namespace tandem::ptx {

/// Elements of each input (as they are stored), all of one length.
struct Inputs {
  std::int64_t count = 0;
  std::vector<std::vector<char>> elements;
};

/// The special values crossed, then `random` elements.
Inputs make_inputs(const KernelCase& c, std::int64_t random, std::uint64_t seed);

}  // namespace tandem::ptx
