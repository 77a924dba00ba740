// The unary rows in float32, and in the 16-bit floats that compute in it.
#include "kernels/cuda/unary_table.h"

namespace tandem::cuda {

void fill_unary_float32(UnaryTable& t) {
  fill_unary<mask_if([](DType t) { return info(t).compute == DType::float32; })>(t);
}

}  // namespace tandem::cuda
