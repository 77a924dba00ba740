// The boxed forms of sorting.def, where they are not the public functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/sorting.h"

namespace tandem::ops {}  // namespace tandem::ops
