// The random rows whose parameters are numbers.
#include "kernels/cuda/generator_kernel.h"

namespace tandem::cuda {

namespace {

/// The dtypes that a distribution is computed in.
template <class F>
constexpr std::uint32_t made_by() {
  std::uint32_t m = 0;
#define TANDEM_DTYPE(id, ctype, ...) \
  if constexpr (F::template makes<ctype>) m |= 1u << static_cast<int>(DType::id);
#include "tandem/dtypes.def"
  return m;
}

}  // namespace

int bind_random() {
  int unknown = 0;
#define TANDEM_DRAW(name, fn, functor, ...) \
  unknown += bind_generator<functor, made_by<functor>(), true>(#name);
#include "tandem/ops/random.def"
  return unknown;
}

}  // namespace tandem::cuda
