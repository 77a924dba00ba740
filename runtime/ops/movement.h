// The boxed forms of movement.def, where they are not the public functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/movement.h"

namespace tandem::ops {}  // namespace tandem::ops
