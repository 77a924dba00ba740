// The binary rows in the signed integers.
#include "kernels/cuda/binary_table.h"

namespace tandem::cuda {

void fill_binary_signed(BinaryTable& t) {
  fill_binary<mask_if([](DType t) { return is_integer(t) && info(t).is_signed; })>(t);
}

}  // namespace tandem::cuda
