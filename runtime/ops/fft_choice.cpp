// What "auto" takes for a transform, by measurements (docs/numerics.md, "Fourier transforms").
#include "runtime/ops/fft_provider.h"

namespace tandem::detail {

bool fft_prefers_library(FftEnds, const FftCall&, const Tensor&, const Tensor&) { return true; }

}  // namespace tandem::detail
