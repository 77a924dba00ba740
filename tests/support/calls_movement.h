// lint: oracle table. Calls of the rows of movement.def: see row_calls.h.
#pragma once

#include "tests/support/call_data.h"

namespace tandem::test {

inline void add_movement_calls(Calls&) {}

inline void add_movement_long_calls(Calls&) {}

/// Kernels that the first call of a row launches on a device, where not one (none for a view).
inline void add_movement_launches(Launches&) {}

}  // namespace tandem::test
