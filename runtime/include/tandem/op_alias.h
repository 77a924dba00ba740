// Other names of ops: kernels/include/tandem/ops/alias.def at run time.
#pragma once

#include <vector>

#include "tandem/op_table.h"

namespace tandem {

struct OpAlias {
  const char* name;
  const OpRow* row;
};

/// Every other name with its row. find_op knows them too.
TANDEM_API std::vector<OpAlias> op_aliases();

}  // namespace tandem
