// The binary rows in the signed integers.
#include "kernels/cuda/tables.h"

namespace tandem::cuda {

void fill_binary_signed(ElementwiseTables& t) {
  fill_binary<mask_if([](DType t) { return is_integer(t) && info(t).is_signed; })>(t);
}

}  // namespace tandem::cuda
