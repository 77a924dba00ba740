// Batches of small matrix products on the host, a product in each lane of vectors: what a SIMD
// level offers (host/isa/small_product.cpp).
#pragma once

#include <cstdint>

#include "tandem/backend/product.h"

namespace tandem::host {

/// How the products of an element of C are summed (docs/numerics.md): by fused multiply-adds in the
/// order of k, or rounded and on the fixed tree of the reductions.
enum class SmallOrder : std::uint8_t { Chain, Tree };

/// What is done in lanes (host/lanes.h; not bool, which has no product). The tree is of real and
/// complex numbers alone.
struct SmallProducts {
  static constexpr std::int64_t kMostElements = 256;  // of each of A, B and C
  static constexpr std::int64_t kMostTerms = 64;      // k

  const GemmLaunch& g;
  SmallOrder order;
};

/// Whether the batch is one of small products, which is then done. Without `outer` places.
bool small_products(const GemmLaunch& g, SmallOrder order);
/// The same of sums of products of two inputs, if they are those of a matrix and a vector, or of
/// two vectors, each of a batch.
bool small_sums(const ReduceLaunch& l);

}  // namespace tandem::host
