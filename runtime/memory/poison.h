// Memory that no one owns, to the address sanitizer.
#pragma once

#include <cstddef>

#include "tandem/device.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace tandem::memory {

// With the address sanitizer, memory that no one owns is poisoned: use after free, and beyond what
// was asked for.
inline void poison([[maybe_unused]] const Device& d, [[maybe_unused]] void* p,
                   [[maybe_unused]] std::size_t n) {
#if defined(__SANITIZE_ADDRESS__)
  if (d.is_cpu()) ASAN_POISON_MEMORY_REGION(p, n);
#endif
}
inline void unpoison([[maybe_unused]] const Device& d, [[maybe_unused]] void* p,
                     [[maybe_unused]] std::size_t n) {
#if defined(__SANITIZE_ADDRESS__)
  if (d.is_cpu()) ASAN_UNPOISON_MEMORY_REGION(p, n);
#endif
}

}  // namespace tandem::memory
