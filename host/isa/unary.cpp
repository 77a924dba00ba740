// Registers the unary rows' loops at one SIMD level.
#include "host/isa/elementwise.h"

namespace TANDEM_ISA_NAMESPACE {

void register_unary(HostRegistry& r) {
#define TANDEM_UNARY(name, functor, dt, result, ulp, lo, hi, flags, ...) \
  add_loops<functor, 1, dtypes::dt, (flags)>(r, #name);
#include "tandem/ops/unary.def"
}

}  // namespace TANDEM_ISA_NAMESPACE
