// The ternary rows and quaternary rows in the floats and complex dtypes.
#include "kernels/cuda/ternary_table.h"

namespace tandem::cuda {

void fill_ternary_inexact(TernaryTable& t) { fill_ternary<mask(dtypes::Inexact)>(t); }

}  // namespace tandem::cuda
