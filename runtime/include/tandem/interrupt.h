// Ending long work from outside: what Ctrl-C in Python rests on.
#pragma once

#include "tandem/export.h"

namespace tandem {

/// Called by ops on the host and waits that take long, some 20 times a second, on the thread that
/// called the op and outside of Tandem's locks. What it throws ends the op and leaves it: results
/// are not there, and a tensor that the op was writing to (in place, or as `out`) is written in
/// part. It may be called by several threads at once.
using InterruptCheck = void (*)();

/// Sets the check, null for none; returns the former. Waits for a device end too, while the device
/// works on. One call of a library (one matrix's factorisation) does not: the check comes after it.
TANDEM_API InterruptCheck set_interrupt_check(InterruptCheck check) noexcept;

/// Calls the check, where there is one: for loops of one's own between ops.
TANDEM_API void check_interrupt();

namespace detail {
/// Whether there is a check.
TANDEM_API bool interruptible() noexcept;
}  // namespace detail

}  // namespace tandem
