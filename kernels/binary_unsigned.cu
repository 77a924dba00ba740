// The binary rows in bool and the unsigned integers.
#include "kernels/cuda/binary_table.h"

namespace tandem::cuda {

void fill_binary_unsigned(BinaryTable& t) {
  fill_binary<mask_if([](DType t) { return !info(t).is_signed; })>(t);
}

}  // namespace tandem::cuda
