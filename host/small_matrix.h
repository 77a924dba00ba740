// Small matrices on the host: what a SIMD level offers (host/isa/small_matrix.cpp).
#pragma once

#include "tandem/backend/linalg.h"

namespace tandem::host {

/// Some matrices of a launch, [first, last) of its batch, on the calling thread.
using SmallLoop = void (*)(const SmallLaunch& l, std::int64_t first, std::int64_t last);

struct SmallLoops {
  SmallLoop run = nullptr;
  int lanes = 1;  // matrices at a time
};
const SmallLoops& small_loops(DType t);
/// Called by the level's registration.
void bind_small_loops(DType t, SmallLoops loops);

}  // namespace tandem::host
