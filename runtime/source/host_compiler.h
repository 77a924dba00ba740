// Programs compiled by the system's C++ compiler and loaded.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/functors/source_kernel.h"

namespace tandem::source {

/// Elements [first, last) of the launch.
using HostFunction = void (*)(const SourceArgs* args, std::int64_t first, std::int64_t last);

/// The compiled form of what host_program() gives, from the store where it is there. Raises
/// ValueError with the compiler's words where it does not compile, NotImplemented where there is no
/// compiler (TANDEM_CXX, else c++, g++ or clang++), FileError where it cannot be kept.
HostFunction host_function(const std::string& program, const char* op);

/// The folder with the headers that programs include.
std::string include_folder(const char* op);

}  // namespace tandem::source
