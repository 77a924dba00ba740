// The boxed forms of scan.def, where they are not the public functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/scan.h"

namespace tandem::ops {}  // namespace tandem::ops
