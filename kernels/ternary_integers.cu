// The ternary rows and quaternary rows in bool and the integers.
#include "kernels/cuda/tables.h"

namespace tandem::cuda {

void fill_ternary_integers(ElementwiseTables& t) { fill_ternary<mask(dtypes::BoolInts)>(t); }

}  // namespace tandem::cuda
