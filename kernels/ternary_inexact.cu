// The ternary rows and quaternary rows in the floats and complex dtypes.
#include "kernels/cuda/tables.h"

namespace tandem::cuda {

void fill_ternary_inexact(ElementwiseTables& t) { fill_ternary<mask(dtypes::Inexact)>(t); }

}  // namespace tandem::cuda
