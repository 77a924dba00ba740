// What calls of a row give, for bindings that say so ahead of a call.
#pragma once

#include "tandem/op_row.h"

namespace tandem {

/// "Tensor"; "Tensor[]", so many as the arguments say; "bool"; or "values": several, which the
/// schema names, or others by the arguments.
TANDEM_API const char* op_result(const OpRow& row);

}  // namespace tandem
