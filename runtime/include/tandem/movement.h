// Movement: elements in other places or repeated, without arithmetic.
#pragma once

#include "tandem/tensor.h"

namespace tandem {}  // namespace tandem
