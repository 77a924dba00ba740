// The binary rows in float64.
#include "kernels/cuda/binary_table.h"

namespace tandem::cuda {

void fill_binary_float64(BinaryTable& t) { fill_binary<mask(DTypeSet(DType::float64))>(t); }

}  // namespace tandem::cuda
