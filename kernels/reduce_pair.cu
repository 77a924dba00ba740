// Reductions of two inputs: sums of products (einsum), and the second pass of var and std, whose
// second input is the mean.
#include "kernels/cuda/masks.h"
#include "kernels/cuda/reduce.h"

namespace tandem::cuda {

namespace {

template <class S>
ReduceEntry dot_entry() {
  using C = wide_t<S>;
  using Op = fn::Dot<C>;
  return general_entry<TwoInputs<Op, PlainFinish<Op>, C, C>>();
}

template <class S, bool Root>
ReduceEntry variance_entry() {
  using C = wide_t<S>;
  using Op = fn::CenteredSquare<C>;
  ReduceEntry e = general_entry<TwoInputs<Op, VarianceFinish<Op, Root>, C, C>>();
  e.computed_second = true;
  return e;
}

}  // namespace

void fill_reductions_pair(ReduceTables& t) {
  for_each_dtype<mask(dtypes::Numbers)>(
      [&]<class S>(int d) { t.rows[reduction_sum].pair[d] = dot_entry<S>(); });
  for_each_dtype<mask(dtypes::Inexact)>([&]<class S>(int d) {
    t.var.by_dtype[d] = variance_entry<S, false>();
    t.std.by_dtype[d] = variance_entry<S, true>();
  });
}

}  // namespace tandem::cuda
