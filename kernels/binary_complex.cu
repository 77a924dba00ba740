// The binary rows in the complex dtypes.
#include "kernels/cuda/binary_table.h"

namespace tandem::cuda {

void fill_binary_complex(BinaryTable& t) { fill_binary<mask(dtypes::Complexes)>(t); }

}  // namespace tandem::cuda
