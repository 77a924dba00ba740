// The simulated devices have no virtual memory: every segment is an allocation that a sanitizer
// knows.
#include "kernels/cuda/context.h"

namespace tandem::cuda {

void add_virtual_memory(BackendDriver&) {}

}  // namespace tandem::cuda
