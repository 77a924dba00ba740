// QR of small matrices on the host: whole groups of lanes a thread.
#include "host/small_qr.h"

#include <algorithm>

#include "host/parallel.h"

namespace tandem::host {

namespace {

SmallQrLoops g_loops[2];  // float32, float64

SmallQrLoops& loops_of(DType t) { return g_loops[t == DType::float64 ? 1 : 0]; }

}  // namespace

void bind_small_qr_loops(DType t, SmallQrLoops loops) { loops_of(t) = loops; }

void run_small_qr(const SmallQrLaunch& l) {
  const SmallQrLoops& loops = loops_of(l.dtype);
  const std::int64_t groups = (l.batch + loops.lanes - 1) / loops.lanes;
  const double cube = static_cast<double>(l.m * (l.n + l.columns)) * static_cast<double>(l.k);
  constexpr double kPerThread = 1 << 14;  // vector operations that are worth waking one
  parallel_for(groups, static_cast<std::int64_t>(kPerThread / cube) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 loops.run(l, first * loops.lanes, std::min(last * loops.lanes, l.batch));
               });
}

}  // namespace tandem::host
