// The C++ program that applies a user's function to the elements of a launch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tandem/dtype.h"
#include "tandem/export.h"

namespace tandem::source {

/// Which program: the dtype that the function computes in, those of the operands in memory (the
/// output first), and the number of its number arguments.
struct Types {
  DType computed;
  std::vector<DType> operands;
  std::size_t numbers;
  bool operator==(const Types&) const = default;
};

/// The name of the last function that is defined at the top level of the source. Raises ValueError,
/// naming the op `elementwise_kernel`, where there is none, and for an #include, which a kernel has
/// no use for.
TANDEM_API std::string function_of(std::string_view source);
/// Raises it for an #include alone: where the function's name is given.
TANDEM_API void check_source(std::string_view source);

/// For the host's compiler: a function tandem_source_run(const SourceArgs*, first, last).
std::string host_program(std::string_view source, const std::string& function, const Types& types);
/// For NVRTC: a kernel tandem_source_kernel(SourceArgs).
std::string device_program(std::string_view source, const std::string& function,
                           const Types& types);

}  // namespace tandem::source
