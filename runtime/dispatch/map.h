// A function that is no row of the table, through the funnel of the elementwise ops. Internal.
#pragma once

#include <functional>

#include "tandem/backend.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// Checks, promotes and broadcasts `n` inputs (at most 5) like an elementwise op, allocates the
/// result in the dtype that `result` names for the promoted one (kCount: TypeError), and calls
/// `run` with what is to be done. Raises as any op does.
Tensor map_with(const OpRow& row, const Tensor* const* inputs, int n,
                const std::function<DType(DType)>& result,
                const std::function<void(const ElementwiseLaunch&)>& run);

}  // namespace tandem::detail
