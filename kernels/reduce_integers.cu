// Reductions of bool and the integers.
#include "kernels/cuda/reduce_fill.h"

namespace tandem::cuda {

void fill_reductions_integers(ReduceTables& t) { fill_reductions<mask(dtypes::BoolInts)>(t); }

}  // namespace tandem::cuda
