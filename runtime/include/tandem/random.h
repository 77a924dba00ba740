// Random numbers that take parameters, tensors or a generator: the rest of the distributions.
#pragma once

#include "tandem/tensor.h"

namespace tandem {}  // namespace tandem
