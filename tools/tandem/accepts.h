// Which dtypes an op takes on a device, found by trying.
#pragma once

#include "tandem/op_table.h"

namespace tandem::command {

/// The dtypes of the first tensor (of the result, where the op makes one of none) with which a
/// small call succeeds on the device. Arguments are chosen by the schema's types and names.
DTypeSet accepted(const OpRow& row, Device device);

}  // namespace tandem::command
