// The simulated machine has no CUB: the interface of kernels/cuda/cub.h by the standard library,
// on one thread. A "stream" there is in order and done when it is queued.
#include "kernels/cuda/cub.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

namespace tandem::cuda {

namespace {

/// Leaves the result in the other buffers and swaps them, as CUB may; the first ones are filled
/// with what is no result.
template <class K, class V>
bool sort(PairBuffers<K, V>& pairs, std::int64_t n, int begin_bit, int end_bit,
          const CubCall& call) {
  if (n <= 1 || begin_bit >= end_bit) return true;
  const Workspace memory(call.device, 64, call.stream, call.op);  // as CUB asks the pool
  if (memory.data() == nullptr) return false;
  const int bits = end_bit - begin_bit;
  const K mask = static_cast<K>(~K(0) >> (static_cast<int>(8 * sizeof(K)) - bits));
  const auto digits = [&](std::int64_t i) {
    return static_cast<K>(pairs.keys[0][i] >> begin_bit & mask);
  };
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return digits(a) < digits(b); });
  for (std::int64_t i = 0; i < n; ++i) {
    pairs.keys[1][i] = pairs.keys[0][order[static_cast<std::size_t>(i)]];
    pairs.values[1][i] = pairs.values[0][order[static_cast<std::size_t>(i)]];
  }
  const auto count = static_cast<std::size_t>(n);
  std::memset(pairs.keys[0], 0xa5, count * sizeof(K));
  std::memset(pairs.values[0], 0xa5, count * sizeof(V));
  std::swap(pairs.keys[0], pairs.keys[1]);
  std::swap(pairs.values[0], pairs.values[1]);
  return true;
}

}  // namespace

bool sort_pairs(PairBuffers<std::uint32_t, std::uint32_t>& pairs, std::int64_t n, int begin_bit,
                int end_bit, const CubCall& call) {
  return sort(pairs, n, begin_bit, end_bit, call);
}
bool sort_pairs(PairBuffers<std::uint64_t, std::uint32_t>& pairs, std::int64_t n, int begin_bit,
                int end_bit, const CubCall& call) {
  return sort(pairs, n, begin_bit, end_bit, call);
}
bool sort_pairs(PairBuffers<std::uint64_t, std::uint64_t>& pairs, std::int64_t n, int begin_bit,
                int end_bit, const CubCall& call) {
  return sort(pairs, n, begin_bit, end_bit, call);
}

bool scan_sums(std::int64_t* data, std::int64_t n, const CubCall&) {
  std::partial_sum(data, data + n, data);
  return true;
}

bool sort_items(const Items& items, std::int64_t* numbers, std::int64_t n, const CubCall&) {
  const auto key = [&](std::int64_t i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, items.data + i * items.bytes, items.bytes);
    return fn::sort_key(bits, items.rule);
  };
  std::stable_sort(numbers, numbers + n, [&](std::int64_t a, std::int64_t b) {
    for (std::int64_t k = 0; k < items.width; ++k) {
      const std::uint64_t x = key(a * items.width + k);
      const std::uint64_t y = key(b * items.width + k);
      if (x != y) return x < y;
    }
    return false;
  });
  return true;
}

}  // namespace tandem::cuda
