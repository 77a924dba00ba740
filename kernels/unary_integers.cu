// The unary rows in bool and the integers.
#include "kernels/cuda/tables.h"

namespace tandem::cuda {

void fill_unary_integers(ElementwiseTables& t) { fill_unary<mask(dtypes::BoolInts)>(t); }

}  // namespace tandem::cuda
