// The unary rows in complex128.
#include "kernels/cuda/unary_table.h"

namespace tandem::cuda {

void fill_unary_complex128(UnaryTable& t) { fill_unary<mask(DTypeSet(DType::complex128))>(t); }

}  // namespace tandem::cuda
