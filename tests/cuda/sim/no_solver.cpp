// The simulated machine has no vendor library: factorisations say so, as they do where cuSOLVER is
// not installed.
#include <cstdio>

#include "kernels/cuda/context.h"
#include "kernels/cuda/solver.h"

namespace tandem::cuda {

void vendor_factor(const FactorLaunch& l) {
  char message[160];
  std::snprintf(message, sizeof message,
                "[%s] expected libcusolver, which the simulated device has not", l.row->name);
  host().raise(message);
}

}  // namespace tandem::cuda
