// The kernels of the binary rows, by row and dtype: see tables.h.
#pragma once

#include "kernels/cuda/tables.h"
#include "kernels/functors/activation.h"
#include "kernels/functors/binary.h"

namespace tandem::cuda {

/// The number of a row inside its family.
enum BinaryRow : int {
#define TANDEM_BINARY(name, ...) binary_##name,
#include "tandem/ops/binary.def"
  kBinaryRows
};

struct BinaryTable {
  RowTable<2> rows[kBinaryRows];
};

template <std::uint32_t Part>
void fill_binary(BinaryTable& t) {
#define TANDEM_BINARY(name, functor, set, ...) \
  fill_row<functor, 2, mask(dtypes::set) & Part>(t.rows[binary_##name]);
#include "tandem/ops/binary.def"
}

// One a translation unit, named after its dtypes.
void fill_binary_float32(BinaryTable& t);
void fill_binary_float64(BinaryTable& t);
void fill_binary_complex(BinaryTable& t);
void fill_binary_signed(BinaryTable& t);
void fill_binary_unsigned(BinaryTable& t);  // and bool

}  // namespace tandem::cuda
