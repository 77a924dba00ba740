// Registers every elementwise row's loops at one SIMD level, by expanding the op table. The unary
// and binary rows are in files of their own, for the build's parallelism.
#include "host/isa/elementwise.h"

namespace TANDEM_ISA_NAMESPACE {

void register_unary(HostRegistry&);
void register_binary(HostRegistry&);

void register_elementwise(HostRegistry& r) {
  register_unary(r);
  register_binary(r);
#define TANDEM_TERNARY(name, functor, dt, result, ulp, lo, hi, flags, ...) \
  add_loops<functor, 3, dtypes::dt, (flags)>(r, #name);
#define TANDEM_QUATERNARY(name, functor, dt, result, ulp, lo, hi, flags, ...) \
  add_loops<functor, 4, dtypes::dt, (flags)>(r, #name);
#include "tandem/ops/ternary.def"
}

}  // namespace TANDEM_ISA_NAMESPACE
