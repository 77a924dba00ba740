// What the tables of elementwise kernels are made of: a row's kernels by dtype. Each family has its
// own table (unary_table.h, binary_table.h, ternary_table.h), each kernels/<family>_<dtypes>.cu
// fills in its dtypes, and kernels/elementwise.cu binds the rows. A new row recompiles its family
// alone.
#pragma once

#include "kernels/cuda/masks.h"
#include "kernels/functors/on_storage.h"
#include "tandem/backend.h"
#include "tandem/cuda/elementwise.h"

namespace tandem::cuda {

template <int A>
struct RowTable {
  ElementwiseEntry<A> by_dtype[kNumDTypes];
};

/// Instantiates functor F for every dtype of a set.
template <class F, int A, std::uint32_t Set>
void fill_row(RowTable<A>& row) {
  for_each_dtype<Set>([&]<class T>(int d) {
    row.by_dtype[d] =
        make_entry<fn::on_storage_t<F, T>, T, A, wide_t<T>>(std::make_integer_sequence<int, A>());
  });
}

}  // namespace tandem::cuda
