// Libraries that libtandem opens while it runs: where they are looked for. Internal.
#pragma once

#include <string>

namespace tandem::detail {

/// Opens the library `name` that the environment variable `variable` may name by another path: that
/// path alone where it is set, else next to libtandem, else as the system's loader finds it. Null,
/// and a sentence in `why`, where it cannot be opened or the variable is empty. It is never closed.
void* open_beside(const char* variable, const char* name, std::string* why);

}  // namespace tandem::detail
