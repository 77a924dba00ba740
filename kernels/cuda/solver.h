// The vendor libraries of factorisations, and the kernels beside them.
#pragma once

#include "tandem/backend/linalg.h"

namespace tandem::cuda {

/// Queues a step on cuSOLVER or cuBLAS, which are opened at the first one. What cannot be done is
/// reported by raise().
void vendor_factor(const FactorLaunch& l);

// From kernels/linalg.cu: between the pivots of cuSOLVER (int64) and those of FactorLaunch, `count`
// numbers that lie densely.
void launch_widen_pivots(const FactorLaunch& l, const std::int32_t* from, std::int64_t* to,
                         std::int64_t count);
void launch_narrow_pivots(const FactorLaunch& l, const std::int64_t* from, std::int32_t* to,
                          std::int64_t count);

int bind_linalg();  // as in context.h

}  // namespace tandem::cuda
