// The ternary rows and quaternary rows in bool and the integers.
#include "kernels/cuda/ternary_table.h"

namespace tandem::cuda {

void fill_ternary_integers(TernaryTable& t) { fill_ternary<mask(dtypes::BoolInts)>(t); }

}  // namespace tandem::cuda
