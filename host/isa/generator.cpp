// Registers the generator rows' loops at one SIMD level.
#include "kernels/functors/generator.h"
#include "host/registry.h"
#include "tandem/dtype.h"

namespace TANDEM_ISA_NAMESPACE {

template <class F, class T>
void generate(const fn::GeneratorArgs* args, std::uint64_t first, std::int64_t blocks, void* out) {
  constexpr int kBlock = F::template kBlock<T>;
  auto* o = static_cast<compute_t<T>*>(out);
  const fn::GeneratorArgs a = *args;
  for (std::int64_t b = 0; b < blocks; ++b) {
    F().template operator()<T>(first + static_cast<std::uint64_t>(b), a, o + b * kBlock);
  }
}

template <class F, DTypeSet Set>
void add_generator(HostRegistry& r, const char* op) {
#define TANDEM_DTYPE(id, ctype, ...)                                            \
  if constexpr (Set.has(DType::id)) {                                           \
    r.generator(op, DType::id, F::template kBlock<ctype>, &generate<F, ctype>); \
  }
#include "tandem/dtypes.def"
}

void register_generator(HostRegistry& r) {
#define TANDEM_GENERATOR(name, functor, dt, ...) add_generator<functor, dtypes::dt>(r, #name);
#include "tandem/ops/generator.def"
}

}  // namespace TANDEM_ISA_NAMESPACE
