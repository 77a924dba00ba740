// Binds the reductions' rows to their launchers with the block functions of one SIMD level.
#include "host/isa/reduce_level.h"
#include "host/reduce_launch.h"
#include "host/registry.h"

namespace tandem::host::TANDEM_ISA {

namespace {

#define TANDEM_REDUCTION(name, ...)                                         \
  const ReduceBlocks* name##_blocks(DType t) {                              \
    return dtypes::Inexact.has(t) ? name##_inexact(t) : name##_integers(t); \
  }
#include "tandem/ops/reduction.def"

constexpr ReduceLevel kReduceLevel = {
#define TANDEM_REDUCTION(name, ...) name##_blocks,
#include "tandem/ops/reduction.def"
    dot_blocks,        variance_blocks,    deviation_blocks, exp_sum_blocks, abs_sum_blocks,
    square_sum_blocks, abs_max_blocks,     abs_min_blocks,   argmax_blocks,  argmin_blocks,
    softmax_blocks,    log_softmax_blocks, split_planes,
};

}  // namespace

void register_reduce(HostRegistry& r) {
#define TANDEM_REDUCTION(name, ...) r.bind(#name, {launch_##name, &kReduceLevel});
#include "tandem/ops/reduction.def"
  r.bind("var", {launch_var, &kReduceLevel});
  r.bind("std", {launch_std, &kReduceLevel});
  r.bind("max", {launch_argmax, &kReduceLevel});
  r.bind("min", {launch_argmin, &kReduceLevel});
  r.bind("argmax", {launch_argmax, &kReduceLevel});
  r.bind("argmin", {launch_argmin, &kReduceLevel});
  bind_softmax(r, kReduceLevel);
  bind_norms(r, kReduceLevel);
}

}  // namespace tandem::host::TANDEM_ISA
