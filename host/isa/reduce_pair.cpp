// Reductions of two inputs at one SIMD level: sums of products (einsum) and the second pass of var
// and std, whose second input is the mean.
#include "host/isa/reduce_blocks.h"
#include "host/isa/reduce_level.h"

namespace tandem::host::TANDEM_ISA {

namespace {

template <class C, bool Root>
void finish_variance(void* out, const void* acc, std::int64_t w, std::int64_t n,
                     double correction) {
  using Op = fn::CenteredSquare<C>;
  using Acc = typename Op::Acc;
  auto* to = static_cast<Acc*>(out);
  const auto* x = static_cast<const Acc*>(acc);
  for (std::int64_t c = 0; c < w; ++c) {
    const Acc v = Op::variance(n == 0 ? Acc(0) : x[c], n, n == 0 ? 0.0 : correction);
    to[c] = Root ? fn::sqrt_rn(v) : v;
  }
}

}  // namespace

struct DotLookup {
  template <class S>
  const ReduceBlocks* operator()() const {
    if constexpr (dtypes::Numbers.has(dtype_of<S>))
      return &kPairBlocks<fn::Dot<compute_t<S>>, S, S, finish<fn::Dot<compute_t<S>>>>;
    else
      return nullptr;
  }
};

template <bool Root>
struct VarianceLookup {
  template <class S>
  const ReduceBlocks* operator()() const {
    if constexpr (dtypes::Inexact.has(dtype_of<S>)) {
      using C = compute_t<S>;
      return &kPairBlocks<fn::CenteredSquare<C>, S, C, finish_variance<C, Root>>;
    } else {
      return nullptr;
    }
  }
};

const ReduceBlocks* dot_blocks(DType t) { return visit(t, DotLookup{}); }
const ReduceBlocks* variance_blocks(DType t) { return visit(t, VarianceLookup<false>{}); }
const ReduceBlocks* deviation_blocks(DType t) { return visit(t, VarianceLookup<true>{}); }

}  // namespace tandem::host::TANDEM_ISA
