// The binary rows in float32, and in the 16-bit floats that compute in it.
#include "kernels/cuda/binary_table.h"

namespace tandem::cuda {

void fill_binary_float32(BinaryTable& t) {
  fill_binary<mask_if([](DType t) { return info(t).compute == DType::float32; })>(t);
}

}  // namespace tandem::cuda
