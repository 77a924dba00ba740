// Registers the binary rows' loops at one SIMD level.
#include "host/isa/elementwise.h"

namespace TANDEM_ISA_NAMESPACE {

void register_binary(HostRegistry& r) {
#define TANDEM_BINARY(name, functor, dt, result, ulp, lo, hi, flags, ...) \
  add_loops<functor, 2, dtypes::dt, (flags)>(r, #name);
#include "tandem/ops/binary.def"
}

}  // namespace TANDEM_ISA_NAMESPACE
