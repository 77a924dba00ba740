// The host's memory as a driver of the caching pool.
#pragma once

#include <memory>

#include "runtime/memory/driver.h"

namespace tandem {

/// Maps anonymous memory, 2 MiB aligned and advised for huge pages (`huge_pages` false: not
/// advised, for measuring).
TANDEM_API std::unique_ptr<Driver> make_host_driver(bool huge_pages = true);

}  // namespace tandem
