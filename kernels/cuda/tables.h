// The kernels of the elementwise rows, by row and dtype. Each kernels/<family>_<dtypes>.cu fills in
// its dtypes; kernels/elementwise.cu binds the rows.
#pragma once

#include "kernels/cuda/masks.h"
#include "kernels/functors/binary.h"
#include "kernels/functors/ternary.h"
#include "kernels/functors/unary.h"
#include "tandem/backend.h"
#include "tandem/cuda/elementwise.h"

namespace tandem::cuda {

/// The condition of where is a bool whatever the dtype of the rest.
template <class T>
struct InputType<fn::Where, T, 0> {
  using type = bool;
};

/// The number of a row inside its family.
enum Row : int {
#define TANDEM_UNARY(name, ...) unary_##name,
#include "tandem/ops/ops.def"
  kUnaryRows,
  kBeforeBinary = -1,
#define TANDEM_BINARY(name, ...) binary_##name,
#include "tandem/ops/ops.def"
  kBinaryRows,
  kBeforeTernary = -1,
#define TANDEM_TERNARY(name, ...) ternary_##name,
#include "tandem/ops/ops.def"
  kTernaryRows,
  kBeforeQuaternary = -1,
#define TANDEM_QUATERNARY(name, ...) quaternary_##name,
#include "tandem/ops/ops.def"
  kQuaternaryRows
};

template <int A>
struct RowTable {
  ElementwiseEntry<A> by_dtype[kNumDTypes];
};

struct ElementwiseTables {
  RowTable<1> unary[kUnaryRows];
  RowTable<2> binary[kBinaryRows];
  RowTable<3> ternary[kTernaryRows];
  RowTable<4> quaternary[kQuaternaryRows];
};

/// Instantiates functor F for every dtype of a set.
template <class F, int A, std::uint32_t Set>
void fill_row(RowTable<A>& row) {
  for_each_dtype<Set>([&]<class T>(int d) {
    row.by_dtype[d] = make_entry<F, T, A, wide_t<T>>(std::make_integer_sequence<int, A>());
  });
}

template <std::uint32_t Part>
void fill_unary(ElementwiseTables& t) {
#define TANDEM_UNARY(name, functor, set, ...) \
  fill_row<functor, 1, mask(dtypes::set) & Part>(t.unary[unary_##name]);
#include "tandem/ops/ops.def"
}

template <std::uint32_t Part>
void fill_binary(ElementwiseTables& t) {
#define TANDEM_BINARY(name, functor, set, ...) \
  fill_row<functor, 2, mask(dtypes::set) & Part>(t.binary[binary_##name]);
#include "tandem/ops/ops.def"
}

template <std::uint32_t Part>
void fill_ternary(ElementwiseTables& t) {
#define TANDEM_TERNARY(name, functor, set, ...) \
  fill_row<functor, 3, mask(dtypes::set) & Part>(t.ternary[ternary_##name]);
#define TANDEM_QUATERNARY(name, functor, set, ...) \
  fill_row<functor, 4, mask(dtypes::set) & Part>(t.quaternary[quaternary_##name]);
#include "tandem/ops/ops.def"
}

// One a translation unit, named after its dtypes.
void fill_unary_float32(ElementwiseTables& t);  // and the 16-bit floats, computed in float
void fill_unary_float64(ElementwiseTables& t);
void fill_unary_complex64(ElementwiseTables& t);
void fill_unary_complex128(ElementwiseTables& t);
void fill_unary_integers(ElementwiseTables& t);  // and bool
void fill_binary_float32(ElementwiseTables& t);
void fill_binary_float64(ElementwiseTables& t);
void fill_binary_complex(ElementwiseTables& t);
void fill_binary_signed(ElementwiseTables& t);
void fill_binary_unsigned(ElementwiseTables& t);  // and bool
void fill_ternary_inexact(ElementwiseTables& t);
void fill_ternary_integers(ElementwiseTables& t);  // and bool

}  // namespace tandem::cuda
