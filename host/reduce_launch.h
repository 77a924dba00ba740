// The launchers that reductions' rows are bound to; `self` of their kernels is a ReduceLevel.
#pragma once

#include "host/reduce.h"

namespace tandem::host {

#define TANDEM_REDUCTION(name, ...) void launch_##name(const void* desc, const void* self);
#include "tandem/ops/reduction.def"
void launch_var(const void* desc, const void* self);
void launch_std(const void* desc, const void* self);
/// One output: indices; two: values and indices.
void launch_argmax(const void* desc, const void* self);
void launch_argmin(const void* desc, const void* self);
/// `param` is the order: 1, 2, infinity or minus infinity.
void launch_vector_norm(const void* desc, const void* self);
/// Sums exp(x - second input).
void launch_logsumexp(const void* desc, const void* self);
void launch_softmax(const void* desc, const void* self);
void launch_log_softmax(const void* desc, const void* self);

}  // namespace tandem::host
