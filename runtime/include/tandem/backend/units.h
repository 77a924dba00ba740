// What moves elements without reading them moves units of 1 to 16 bytes: the choice of their type,
// for both backends.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

/// Calls f.operator()<U>() with the unsigned type of so many bytes, with Widest for 16 of them.
template <class Widest, class F>
decltype(auto) with_unit(std::size_t bytes, F&& f) {
  switch (bytes) {
    case 1:
      return f.template operator()<std::uint8_t>();
    case 2:
      return f.template operator()<std::uint16_t>();
    case 4:
      return f.template operator()<std::uint32_t>();
    case 8:
      return f.template operator()<std::uint64_t>();
    default:
      return f.template operator()<Widest>();
  }
}

}  // namespace tandem
