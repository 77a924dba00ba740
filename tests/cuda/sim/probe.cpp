// The simulated machine's answer to "can this machine run the backend?": three devices.
#include <cstdio>

#include "kernels/cuda/context.h"

namespace tandem::cuda {

bool probe(char* status, std::size_t size, int* devices) {
  std::snprintf(status, size, "usable: simulated on the CPU");
  *devices = 3;
  return true;
}

}  // namespace tandem::cuda
