// The functions of the Python Array API standard: kernels/include/tandem/ops/array_api.def at run
// time.
#pragma once

#include <vector>

#include "tandem/op_table.h"

namespace tandem {

struct StandardFunction {
  const char* part;  // "elementwise", "linalg", ...: linalg and fft are modules of their own
  const char* name;
  const char* op;          // the row that does the work; "": several or none
  const char* kinds;       // of the arrays' dtypes
  const char* parameters;  // as Python writes them
};

/// All of them, in the order of the table.
TANDEM_API std::vector<StandardFunction> array_api_functions();

}  // namespace tandem
