// Sorting, order statistics, sets and counting.
#pragma once

#include "tandem/tensor.h"

namespace tandem {}  // namespace tandem
