// Batches of small matrix products on the host, a product in each lane of vectors: what a SIMD
// level offers (host/isa/small_product.cpp).
#pragma once

#include <cstdint>

#include "tandem/backend/product.h"

namespace tandem::host {

/// How the products of an element of C are summed (docs/numerics.md): by fused multiply-adds in the
/// order of k, or rounded and on the fixed tree of the reductions.
enum class SmallOrder : std::uint8_t { Chain, Tree };

struct SmallProductLoops {
  static constexpr std::int64_t kMostElements = 256;  // of each of A, B and C
  static constexpr std::int64_t kMostTerms = 64;      // k

  /// Products [first, last) of the batch, on the calling thread.
  void (*run)(const GemmLaunch& g, SmallOrder order, std::int64_t first,
              std::int64_t last) = nullptr;
  int lanes = 1;  // products at a time
};

/// Null for bool, which has no product; the tree of real and complex numbers alone.
const SmallProductLoops& small_product_loops(DType t);
/// Called by the level's registration.
void bind_small_product_loops(DType t, SmallProductLoops loops);

/// Whether the batch is one of small products, which is then done. Without `outer` places.
bool small_products(const GemmLaunch& g, SmallOrder order);
/// The same of sums of products of two inputs, if they are those of a matrix and a vector, or of
/// two vectors, each of a batch.
bool small_sums(const ReduceLaunch& l);

}  // namespace tandem::host
