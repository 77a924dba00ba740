// Weighted sums of a few planes (the channels of a picture) into an output that no cache holds: one
// pass that reads all planes side by side and streams the result.
#pragma once

#include <cstdint>

#include "tandem/dtype.h"

namespace tandem::host {

inline constexpr int kMostPlanes = 4;

/// out[c] = the fixed tree over planes[k][c] * weights[k], k < n, 2 <= n <= kMostPlanes;
/// stream_fence() afterwards. Pointers to elements of one dtype.
using WeightedPlanes = void (*)(void* out, const void* const* planes, const void* const* weights,
                                int n, std::int64_t columns);

/// The level's function for a dtype; null where there is none.
WeightedPlanes weighted_planes(DType t);
/// Called by the level's registration.
void bind_weighted_planes(DType t, WeightedPlanes f);

}  // namespace tandem::host
