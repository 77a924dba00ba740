// The texts of the headers that a program compiled at run time includes.
#pragma once

#include <span>

namespace tandem::source {

struct Header {
  const char* name;  // by which it is included
  const char* text;
};

/// Those of kernels/functors/source_kernel.h; made by tools/cmake/embed.cmake.
std::span<const Header> headers();

}  // namespace tandem::source
