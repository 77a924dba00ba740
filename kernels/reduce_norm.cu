// Reductions of norms.
#include "kernels/cuda/masks.h"
#include "kernels/cuda/reduce.h"

namespace tandem::cuda {

void fill_reductions_norm(ReduceTables& t) {
  for_each_dtype<mask(dtypes::Inexact)>([&]<class S>(int d) {
    t.abs_sum.by_dtype[d] = one_input_entry<fn::AbsSum, S>();
    t.square_sum.by_dtype[d] = one_input_entry<fn::SquareSum, S>();
    t.abs_max.by_dtype[d] = one_input_entry<fn::AbsMax, S>();
    t.abs_min.by_dtype[d] = one_input_entry<fn::AbsMin, S>();
  });
}

}  // namespace tandem::cuda
