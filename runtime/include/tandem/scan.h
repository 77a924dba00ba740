// Scans along an axis, and the reductions that are made of several passes.
#pragma once

#include "tandem/tensor.h"

namespace tandem {}  // namespace tandem
