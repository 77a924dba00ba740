// What others hear of a pool's troubles: the log, the user's observer and out-of-memory callback.
#pragma once

#include <cstddef>
#include <string>

#include "tandem/memory.h"

namespace tandem::memory {

/// Asks the user's callback to free something; false where there is none, or where this thread is
/// in it already. Raises what the callback raises.
bool ask_user(Device device, std::size_t bytes);

/// Whether anyone wants to hear of memory events.
bool observed() noexcept;
/// Tells the log (TANDEM_LOG=alloc) and the user's observer. Without a pool's lock: either may
/// allocate.
void observe(const MemoryEvent& event);

/// Tells the log (TANDEM_LOG=sync) that a pool waits for its device.
void log_wait(Device device, const char* reason);

/// "1.50 MiB"; "none" for SIZE_MAX, which stands for no limit.
std::string in_words(std::size_t bytes);

}  // namespace tandem::memory
