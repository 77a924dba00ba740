// The unary rows in complex64.
#include "kernels/cuda/tables.h"

namespace tandem::cuda {

void fill_unary_complex64(ElementwiseTables& t) { fill_unary<mask(DTypeSet(DType::complex64))>(t); }

}  // namespace tandem::cuda
