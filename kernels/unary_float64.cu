// The unary rows in float64.
#include "kernels/cuda/unary_table.h"

namespace tandem::cuda {

void fill_unary_float64(UnaryTable& t) { fill_unary<mask(DTypeSet(DType::float64))>(t); }

}  // namespace tandem::cuda
