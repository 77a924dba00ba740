// Block functions of the reduction rows for floats and complex numbers, at one SIMD level.
#include "host/isa/reduce_blocks.h"
#include "host/isa/reduce_level.h"

namespace tandem::host::TANDEM_ISA {

#define TANDEM_REDUCTION(name, functor, set, result, ...)                             \
  const ReduceBlocks* name##_inexact(DType t) {                                       \
    return visit(t, Lookup<functor, dtypes::set, Result::result, dtypes::Inexact>{}); \
  }
#include "tandem/ops/reduction.def"

}  // namespace tandem::host::TANDEM_ISA
