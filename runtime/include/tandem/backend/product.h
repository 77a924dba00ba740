// The launch of a matrix product.
#pragma once

#include "tandem/backend.h"

namespace tandem {

/// Steps of k in a block of the fixed order of a product: a chain of fused multiply-adds from zero,
/// one block's sum added after the other (docs/numerics.md).
inline constexpr std::int64_t kGemmDepth = 256;

/// What the row `matmul` launches.
struct ProductLaunch : GemmLaunch {
  bool exact = false;  // in the fixed order, by no vendor's library
  bool tf32 = false;   // float32 may be multiplied as TensorFloat-32 by a device that has it
  bool wide = false;   // of int8 or uint8; the result is int32
  /// n dense elements that are added to each row of the result; null on the host.
  const void* bias = nullptr;
};

}  // namespace tandem
