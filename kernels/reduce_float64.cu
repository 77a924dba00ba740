// Reductions of float64 and of the complex dtypes.
#include "kernels/cuda/reduce_fill.h"

namespace tandem::cuda {

void fill_reductions_float64(ReduceTables& t) {
  fill_reductions<mask_if([](DType t) { return t == DType::float64 || is_complex(t); })>(t);
}

}  // namespace tandem::cuda
