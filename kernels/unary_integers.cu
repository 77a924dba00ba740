// The unary rows in bool and the integers.
#include "kernels/cuda/unary_table.h"

namespace tandem::cuda {

void fill_unary_integers(UnaryTable& t) { fill_unary<mask(dtypes::BoolInts)>(t); }

}  // namespace tandem::cuda
