// Eigenvalues and singular values of batches of small matrices on the host.
#include "host/small_spectral.h"

#include <algorithm>

#include "host/parallel.h"

namespace tandem::host {

namespace {

SpectralLoops g_loops[2];  // float32, float64

}  // namespace

void bind_spectral_loops(DType t, SpectralLoops loops) {
  g_loops[t == DType::float64 ? 1 : 0] = loops;
}

void run_small_spectral(const SmallSpectralLaunch& l) {
  const SpectralLoops& loops = g_loops[l.dtype == DType::float64 ? 1 : 0];
  const std::int64_t groups = (l.batch + loops.lanes - 1) / loops.lanes;
  // Whole groups of lanes a thread, and as many as are worth waking it: vector operations.
  const double work = 30.0 * static_cast<double>(l.n * l.n) * static_cast<double>(l.m + 8);
  constexpr double kPerThread = 1 << 15;
  parallel_for(groups, static_cast<std::int64_t>(kPerThread / work) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 loops.run(l, first * loops.lanes, std::min(last * loops.lanes, l.batch));
               });
}

}  // namespace tandem::host
