// The binary rows in bool and the unsigned integers.
#include "kernels/cuda/tables.h"

namespace tandem::cuda {

void fill_binary_unsigned(ElementwiseTables& t) {
  fill_binary<mask_if([](DType t) { return !info(t).is_signed; })>(t);
}

}  // namespace tandem::cuda
