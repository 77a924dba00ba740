// The binary rows in the complex dtypes.
#include "kernels/cuda/tables.h"

namespace tandem::cuda {

void fill_binary_complex(ElementwiseTables& t) { fill_binary<mask(dtypes::Complexes)>(t); }

}  // namespace tandem::cuda
