// Instantiates the rows of reduction.def for the dtypes of a translation unit.
#pragma once

#include "kernels/cuda/masks.h"
#include "kernels/cuda/reduce.h"

namespace tandem::cuda {

template <template <class> class F, std::uint32_t Set>
void fill_reduction(ReduceRow& row) {
  for_each_dtype<Set>([&]<class S>(int d) { row.by_dtype[d] = one_input_entry<F, S>(); });
}

template <std::uint32_t Part>
void fill_reductions(ReduceTables& t) {
#define TANDEM_REDUCTION(name, functor, set, ...) \
  fill_reduction<functor, mask(dtypes::set) & Part>(t.rows[reduction_##name]);
#include "tandem/ops/reduction.def"
}

}  // namespace tandem::cuda
