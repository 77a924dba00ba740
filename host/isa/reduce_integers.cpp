// Block functions of the reduction rows for bool and the integers, at one SIMD level.
#include "host/isa/reduce_blocks.h"
#include "host/isa/reduce_level.h"

namespace tandem::host::TANDEM_ISA {

#define TANDEM_REDUCTION(name, functor, set, result, ...)                              \
  const ReduceBlocks* name##_integers(DType t) {                                       \
    return visit(t, Lookup<functor, dtypes::set, Result::result, dtypes::BoolInts>{}); \
  }
#include "tandem/ops/reduction.def"

}  // namespace tandem::host::TANDEM_ISA
