// The boxed forms of indexing.def, where they are not the public functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/indexing.h"

namespace tandem::ops {}  // namespace tandem::ops
