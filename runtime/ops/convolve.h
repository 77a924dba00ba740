// What the rows of convolution share. Internal.
#pragma once

#include <string>

#include "runtime/dispatch/registry.h"

namespace tandem::signal {

enum class Mode { Full, Same, Valid };

/// Raises ValueError for another word.
Mode mode_of(const OpRow& row, const std::string& mode);

}  // namespace tandem::signal
