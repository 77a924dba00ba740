// Reductions of float32 and of the 16-bit floats, which are accumulated in it.
#include "kernels/cuda/reduce_fill.h"

namespace tandem::cuda {

void fill_reductions_float32(ReduceTables& t) {
  fill_reductions<mask_if([](DType t) { return info(t).compute == DType::float32; })>(t);
}

}  // namespace tandem::cuda
