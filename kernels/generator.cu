// The generator rows: creation, rand and randn.
#include "kernels/cuda/generator_kernel.h"

namespace tandem::cuda {

int bind_generators() {
  int unknown = 0;
#define TANDEM_GENERATOR(name, functor, set, ...) \
  unknown += bind_generator<functor, mask(dtypes::set), false>(#name);
#include "tandem/ops/generator.def"
  return unknown;
}

}  // namespace tandem::cuda
