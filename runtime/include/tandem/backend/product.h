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
  /// Of a batch whose places no single stride tells `batch` is the innermost dimension, and these
  /// are the ones before it, in elements; results lie one after the other.
  int outer = 0;
  std::int64_t outer_shape[kMaxRank], outer_a[kMaxRank], outer_b[kMaxRank];
};

inline std::int64_t outer_places(const ProductLaunch& l) {
  std::int64_t n = 1;
  for (int d = 0; d < l.outer; ++d) n *= l.outer_shape[d];
  return n;
}

/// The products at place i of the outer dimensions: a launch without any.
inline ProductLaunch outer_place(const ProductLaunch& l, std::int64_t i, std::int64_t in_bytes,
                                 std::int64_t out_bytes) {
  ProductLaunch at = l;
  at.outer = 0;
  std::int64_t a = 0, b = 0, rest = i;
  for (int d = l.outer - 1; d >= 0; --d) {
    a += rest % l.outer_shape[d] * l.outer_a[d];
    b += rest % l.outer_shape[d] * l.outer_b[d];
    rest /= l.outer_shape[d];
  }
  at.a = static_cast<const char*>(l.a) + a * in_bytes;
  at.b = static_cast<const char*>(l.b) + b * in_bytes;
  at.c = static_cast<char*>(l.c) + i * l.batch * l.c_batch * out_bytes;
  return at;
}

}  // namespace tandem
