// Where the greatest or least element is: argmax, argmin, and max, min along an axis.
#include "kernels/cuda/masks.h"
#include "kernels/cuda/reduce.h"

namespace tandem::cuda {

namespace {

template <template <class> class F, class S>
ReduceEntry indexed_entry() {
  using C = wide_t<S>;
  ReduceEntry e = general_entry<Indexed<F<C>, IndexFinish<C>, C>>();
  e.indexed = true;
  return e;
}

}  // namespace

void fill_reductions_indexed(ReduceTables& t) {
  for_each_dtype<mask(dtypes::BoolReals)>([&]<class S>(int d) {
    t.argmax.by_dtype[d] = indexed_entry<fn::ArgMax, S>();
    t.argmin.by_dtype[d] = indexed_entry<fn::ArgMin, S>();
  });
}

}  // namespace tandem::cuda
