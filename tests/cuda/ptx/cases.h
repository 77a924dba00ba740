// The flat kernels that the op table asks for: one a row and dtype.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tandem/backend.h"
#include "tandem/dtype.h"
#include "tandem/op_table.h"

namespace tandem::ptx {

/// Numbers of tandem::cuda::Access.
enum class How : std::uint8_t { Vector, Elements, Broadcast, Number };

struct FlatOperand {
  char* data;
  How how;
  ScalarBits number;  // in the compute type
};

struct KernelCase {
  const OpRow* row;
  int arity;
  DType dtype;
  std::string kernel;  // "tandem::cuda::flat_kernel<tandem::fn::Exp, float, 1>"
  DType storage[5];    // output first
  int vector, unroll;  // elements of a vector, vectors a thread
  /// The kernel's parameters as C++ lays them out.
  std::vector<std::byte> (*params)(std::int64_t count, const FlatOperand* operands);

  /// Elements that a block takes in one turn.
  std::int64_t chunk() const { return std::int64_t(256) * vector * unroll; }
};

std::vector<KernelCase> all_cases();

}  // namespace tandem::ptx
