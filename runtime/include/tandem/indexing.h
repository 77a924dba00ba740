// Indexing by masks and arrays of indices: what reads and writes elements at given places.
#pragma once

#include "tandem/tensor.h"

namespace tandem {}  // namespace tandem
