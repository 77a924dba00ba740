// The loops of lanes that a SIMD level fills in, by kind of launch and dtype.
#include "host/lanes.h"

#include "host/small_product.h"
#include "tandem/backend/linalg.h"

namespace tandem::host {

template <class Launch>
LaneLoops<Launch>& lane_loops(DType t) {
  static constinit LaneLoops<Launch> loops[kNumDTypes]{};
  return loops[static_cast<int>(t)];
}

template LaneLoops<SmallLaunch>& lane_loops(DType t);
template LaneLoops<SmallQrLaunch>& lane_loops(DType t);
template LaneLoops<SmallSpectralLaunch>& lane_loops(DType t);
template LaneLoops<SmallProducts>& lane_loops(DType t);

}  // namespace tandem::host
