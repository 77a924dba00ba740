// Free ranges by size: found, put in and taken out in constant time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "runtime/memory/blocks.h"

namespace tandem::memory {

/// Lists of free ranges, a list a size class, and a bitmap of the lists that hold something:
/// two-level segregated fit (Masmano, Ripoll, Crespo and Real 2004). Sixteen classes an octave of
/// 64 KiB units; below 32 units a class has one size, so that a range of the class fits exactly.
class Bins {
 public:
  void insert(Range* r) noexcept {
    const int bin = bin_of(r->size);
    r->left = nullptr;
    r->right = heads_[bin];
    if (r->right != nullptr) r->right->left = r;
    heads_[bin] = r;
    full_[bin / 64] |= std::uint64_t{1} << (bin % 64);
  }
  void erase(Range* r) noexcept {
    const int bin = bin_of(r->size);
    (r->left != nullptr ? r->left->right : heads_[bin]) = r->right;
    if (r->right != nullptr) r->right->left = r->left;
    if (heads_[bin] == nullptr) full_[bin / 64] &= ~(std::uint64_t{1} << (bin % 64));
    r->left = r->right = nullptr;
  }
  /// A range of `bytes` or more: the best of the first few of the class where not all of it fit,
  /// then one of the next class that has any, where all do. `whole` looks at the first class to its
  /// end.
  Range* find(std::size_t bytes, bool whole = false) const noexcept {
    const int bin = bin_of(bytes);
    Range* best = nullptr;
    int looked = 0;
    for (Range* r = heads_[bin]; r != nullptr && (whole || looked < kLooks);
         r = r->right, ++looked) {
      if (r->size >= bytes && (best == nullptr || r->size < best->size)) best = r;
    }
    return best != nullptr ? best : first_from(bin + 1);
  }
  std::size_t largest() const noexcept {
    for (int word = kWords - 1; word >= 0; --word) {
      if (full_[word] == 0) continue;
      const int bin = word * 64 + 63 - std::countl_zero(full_[word]);
      std::size_t bytes = 0;
      for (const Range* r = heads_[bin]; r != nullptr; r = r->right)
        bytes = r->size > bytes ? r->size : bytes;
      return bytes;
    }
    return 0;
  }
  bool contains(const Range* r) const noexcept {
    const Range* at = heads_[bin_of(r->size)];
    while (at != nullptr && at != r) at = at->right;
    return at != nullptr;
  }

 private:
  static constexpr int kLooks = 16;
  static constexpr int kWords = 8;
  static constexpr int kBins = 64 * kWords;

  static int bin_of(std::size_t bytes) noexcept {
    const std::size_t units = bytes / kUnit;
    const int width = std::bit_width(units);
    if (width <= 5) return static_cast<int>(units);
    const int bin = 16 * (width - 4) + static_cast<int>(units >> (width - 5) & 15);
    return bin < kBins ? bin : kBins - 1;
  }
  Range* first_from(int bin) const noexcept {
    for (int word = bin / 64; word < kWords; ++word) {
      const std::uint64_t set =
          full_[word] & (word == bin / 64 ? ~std::uint64_t{0} << (bin % 64) : ~std::uint64_t{0});
      if (set != 0) return heads_[word * 64 + std::countr_zero(set)];
    }
    return nullptr;
  }

  std::uint64_t full_[kWords] = {};
  Range* heads_[kBins] = {};
};

}  // namespace tandem::memory
