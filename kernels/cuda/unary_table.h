// The kernels of the unary rows, by row and dtype: see tables.h.
#pragma once

#include "kernels/cuda/tables.h"
#include "kernels/functors/activation.h"
#include "kernels/functors/unary.h"

namespace tandem::cuda {

/// The number of a row inside its family.
enum UnaryRow : int {
#define TANDEM_UNARY(name, ...) unary_##name,
#include "tandem/ops/unary.def"
  kUnaryRows
};

struct UnaryTable {
  RowTable<1> rows[kUnaryRows];
};

template <std::uint32_t Part>
void fill_unary(UnaryTable& t) {
#define TANDEM_UNARY(name, functor, set, ...) \
  fill_row<functor, 1, mask(dtypes::set) & Part>(t.rows[unary_##name]);
#include "tandem/ops/unary.def"
}

// One a translation unit, named after its dtypes.
void fill_unary_float32(UnaryTable& t);  // and the 16-bit floats, computed in float
void fill_unary_float64(UnaryTable& t);
void fill_unary_complex64(UnaryTable& t);
void fill_unary_complex128(UnaryTable& t);
void fill_unary_integers(UnaryTable& t);  // and bool

}  // namespace tandem::cuda
