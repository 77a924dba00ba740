// The boxed forms of random.def, where they are not the public functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/random.h"

namespace tandem::ops {}  // namespace tandem::ops
