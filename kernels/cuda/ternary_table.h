// The kernels of the ternary and quaternary rows, by row and dtype: see tables.h.
#pragma once

#include "kernels/cuda/tables.h"
#include "kernels/functors/ternary.h"

namespace tandem::cuda {

/// The condition of where is a bool whatever the dtype of the rest.
template <class T>
struct InputType<fn::Where, T, 0> {
  using type = bool;
};

/// The number of a row inside its family.
enum TernaryRow : int {
#define TANDEM_TERNARY(name, ...) ternary_##name,
#include "tandem/ops/ternary.def"
  kTernaryRows
};
enum QuaternaryRow : int {
#define TANDEM_QUATERNARY(name, ...) quaternary_##name,
#include "tandem/ops/ternary.def"
  kQuaternaryRows
};

struct TernaryTable {
  RowTable<3> rows[kTernaryRows];
  RowTable<4> quaternary[kQuaternaryRows];
};

template <std::uint32_t Part>
void fill_ternary(TernaryTable& t) {
#define TANDEM_TERNARY(name, functor, set, ...) \
  fill_row<functor, 3, mask(dtypes::set) & Part>(t.rows[ternary_##name]);
#define TANDEM_QUATERNARY(name, functor, set, ...) \
  fill_row<functor, 4, mask(dtypes::set) & Part>(t.quaternary[quaternary_##name]);
#include "tandem/ops/ternary.def"
}

// One a translation unit, named after its dtypes.
void fill_ternary_inexact(TernaryTable& t);
void fill_ternary_integers(TernaryTable& t);  // and bool

}  // namespace tandem::cuda
