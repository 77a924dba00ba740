// The unary rows in complex64.
#include "kernels/cuda/unary_table.h"

namespace tandem::cuda {

void fill_unary_complex64(UnaryTable& t) { fill_unary<mask(DTypeSet(DType::complex64))>(t); }

}  // namespace tandem::cuda
