// Eigenvalues and singular values of small matrices on the host: what a SIMD level offers
// (host/isa/small_spectral.cpp).
#pragma once

#include "tandem/backend/linalg.h"

namespace tandem::host {

/// Some matrices of a launch, [first, last) of its batch, on the calling thread.
using SpectralLoop = void (*)(const SmallSpectralLaunch& l, std::int64_t first, std::int64_t last);

struct SpectralLoops {
  SpectralLoop run = nullptr;
  int lanes = 1;  // matrices at a time
};
/// Called by the level's registration.
void bind_spectral_loops(DType t, SpectralLoops loops);
/// The whole batch, by the threads there are.
void run_small_spectral(const SmallSpectralLaunch& l);

}  // namespace tandem::host
