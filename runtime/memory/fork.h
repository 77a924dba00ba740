// Locks that a fork must find free.
#pragma once

#include <mutex>

#include "tandem/export.h"

namespace tandem {

/// Holds a lock that lives for ever across every fork from now on, so that the child does not find
/// it taken by a thread that it does not have. Locks are taken in the reverse order of these calls,
/// and before those of the pools: who takes lock A with B held has A registered first.
void hold_across_fork(std::mutex& mutex);

}  // namespace tandem
