// Sums of overlapping frames, for istft and convolution by blocks. Internal.
#pragma once

#include "tandem/tensor.h"

namespace tandem::detail {

/// frames [..., f, n], unnamed, added `hop` apart: [..., (f - 1) hop + n]. An element is the sum of
/// its frames from the last one to the first, so that the order depends on nothing but the place.
Tensor overlap_add(const Tensor& frames, std::int64_t hop);

}  // namespace tandem::detail
