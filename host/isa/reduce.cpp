// Binds the reductions' rows to their launchers with the block functions of one SIMD level.
#include "host/isa/reduce_level.h"
#include "host/reduce_launch.h"
#include "host/registry.h"
#include "tandem/op_table.h"

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
    dot_blocks,    variance_blocks, deviation_blocks,   argmax_blocks,
    argmin_blocks, softmax_blocks,  log_softmax_blocks, split_planes,
};

}  // namespace

void register_reduce(HostRegistry& r) {
#define TANDEM_REDUCTION(name, ...) r.bind(#name, {launch_##name, &kReduceLevel});
#include "tandem/ops/reduction.def"
  r.bind(op::var.name, {launch_var, &kReduceLevel});
  r.bind(op::std.name, {launch_std, &kReduceLevel});
  r.bind(op::max.name, {launch_argmax, &kReduceLevel});
  r.bind(op::min.name, {launch_argmin, &kReduceLevel});
  r.bind(op::argmax.name, {launch_argmax, &kReduceLevel});
  r.bind(op::argmin.name, {launch_argmin, &kReduceLevel});
  r.bind(op::softmax.name, {launch_softmax, &kReduceLevel});
  r.bind(op::log_softmax.name, {launch_log_softmax, &kReduceLevel});
}

}  // namespace tandem::host::TANDEM_ISA
