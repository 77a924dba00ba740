// Reductions of norms and of logsumexp at one SIMD level.
#include "host/isa/reduce_blocks.h"
#include "host/isa/reduce_level.h"
#include "host/reduce_launch.h"

namespace tandem::host::TANDEM_ISA {

template <template <class> class F>
struct NormLookup {
  template <class S>
  const ReduceBlocks* operator()() const {
    if constexpr (dtypes::Inexact.has(dtype_of<S>))
      return &kBlocks<F<compute_t<S>>, S>;
    else
      return nullptr;
  }
};

struct ExpSumLookup {
  template <class S>
  const ReduceBlocks* operator()() const {
    if constexpr (dtypes::Floats.has(dtype_of<S>)) {
      using Op = fn::ExpSum<compute_t<S>>;
      return &kPairBlocks<Op, S, compute_t<S>, finish<Op>>;
    } else {
      return nullptr;
    }
  }
};

const ReduceBlocks* exp_sum_blocks(DType t) { return visit(t, ExpSumLookup{}); }
const ReduceBlocks* abs_sum_blocks(DType t) { return visit(t, NormLookup<fn::AbsSum>{}); }
const ReduceBlocks* square_sum_blocks(DType t) { return visit(t, NormLookup<fn::SquareSum>{}); }
const ReduceBlocks* abs_max_blocks(DType t) { return visit(t, NormLookup<fn::AbsMax>{}); }
const ReduceBlocks* abs_min_blocks(DType t) { return visit(t, NormLookup<fn::AbsMin>{}); }

void bind_norms(HostRegistry& r, const ReduceLevel& level) {
  r.bind("vector_norm", {launch_vector_norm, &level});
  r.bind("logsumexp", {launch_logsumexp, &level});
}

}  // namespace tandem::host::TANDEM_ISA
