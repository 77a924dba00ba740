// einsum's options to an order of contractions, and the order as a table. Internal.
#pragma once

#include "runtime/ops/einsum_operands.h"
#include "tandem/einsum.h"

namespace tandem::detail {

/// The order that the options ask for. Raises ValueError.
Steps steps_of(const OpRow& row, const Expression& e, const EinsumOptions& options);

EinsumPath report_path(const Expression& e, const Steps& steps);

}  // namespace tandem::detail
