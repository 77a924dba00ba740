// A stable radix sort from the least digit up, of elements that carry their index. Internal to
// host/.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "host/parallel.h"

namespace tandem::host {

/// A key of up to 32 bits and an index below 2^32 in one word, so that comparing words compares
/// stably.
struct Packed {
  std::uint64_t word;

  static constexpr int kKeyBits = 32;
  static Packed make(std::uint64_t key, std::int64_t index) {
    return {key << 32 | static_cast<std::uint32_t>(index)};
  }
  std::uint64_t key() const { return word >> 32; }
  std::int64_t index() const { return static_cast<std::int64_t>(word & 0xffffffffu); }
  unsigned digit(int shift, unsigned mask) const {
    return static_cast<unsigned>(word >> (32 + shift)) & mask;
  }
  bool operator<(const Packed& o) const { return word < o.word; }
};

/// A key of 64 bits and any index.
struct Wide {
  std::uint64_t bits;
  std::int64_t at;

  static constexpr int kKeyBits = 64;
  static Wide make(std::uint64_t key, std::int64_t index) { return {key, index}; }
  std::uint64_t key() const { return bits; }
  std::int64_t index() const { return at; }
  unsigned digit(int shift, unsigned mask) const {
    return static_cast<unsigned>(bits >> shift) & mask;
  }
  bool operator<(const Wide& o) const { return bits < o.bits || (bits == o.bits && at < o.at); }
};

inline constexpr int kRadixBits = 11;
inline constexpr int kMaxRadix = 1 << kRadixBits;
inline constexpr int kMaxRadixThreads = 64;

/// Counters of every thread, in memory of the caller.
using RadixCounts = std::array<std::int64_t, kMaxRadix>;

template <class E>
void insertion_sort(E* a, std::int64_t n) {
  for (std::int64_t i = 1; i < n; ++i) {
    const E e = a[i];
    std::int64_t j = i;
    for (; j > 0 && e < a[j - 1]; --j) a[j] = a[j - 1];
    a[j] = e;
  }
}

/// One pass by the digit at `shift`; false where all elements have the same digit: nothing was
/// moved.
template <class E>
bool radix_pass(const E* from, E* to, std::int64_t n, int shift, int bits, int threads,
                RadixCounts* counts) {
  const unsigned mask = (1u << bits) - 1;
  const std::int64_t part = (n + threads - 1) / threads;
  const auto each_part = [&](auto&& f) {
    parallel_for(threads, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t)
        f(t, std::min(t * part, n), std::min((t + 1) * part, n));
    });
  };
  each_part([&](std::int64_t t, std::int64_t first, std::int64_t last) {
    std::int64_t* c = counts[t].data();
    std::fill_n(c, mask + 1, 0);
    for (std::int64_t i = first; i < last; ++i) ++c[from[i].digit(shift, mask)];
  });
  std::int64_t at = 0;
  for (unsigned d = 0; d <= mask; ++d) {
    const std::int64_t before = at;
    for (int t = 0; t < threads; ++t) {
      const std::int64_t c = counts[t][d];
      counts[t][d] = at;
      at += c;
    }
    if (at - before == n) return false;
  }
  each_part([&](std::int64_t t, std::int64_t first, std::int64_t last) {
    std::int64_t* c = counts[t].data();
    for (std::int64_t i = first; i < last; ++i) to[c[from[i].digit(shift, mask)]++] = from[i];
  });
  return true;
}

/// Sorts n elements of a by the lower `key_bits` of their keys; equal keys stay in their order. b
/// is as long as a. Returns where the result is: a or b. `counts` holds one RadixCounts a thread.
template <class E>
E* radix_sort(E* a, E* b, std::int64_t n, int key_bits, int threads, RadixCounts* counts) {
  if (n <= 40) {
    insertion_sort(a, n);  // elements come with ascending indices, so that this is stable
    return a;
  }
  const int digit = n < 2048 || key_bits <= 16 ? 8 : kRadixBits;
  for (int shift = 0; shift < key_bits; shift += digit) {
    const int bits = std::min(digit, key_bits - shift);
    if (radix_pass(a, b, n, shift, bits, threads, counts)) std::swap(a, b);
  }
  return a;
}

}  // namespace tandem::host
