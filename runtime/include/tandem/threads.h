// The number of threads of host ops.
#pragma once

#include "tandem/export.h"

namespace tandem {

/// Threads that host ops may use; the default is OpenMP's. Sets nothing of OpenMP's own. In the
/// child of a process that forked after it had used several threads it stays 1: OpenMP's threads do
/// not come along.
TANDEM_API void set_num_threads(int n);
TANDEM_API int get_num_threads();

}  // namespace tandem
