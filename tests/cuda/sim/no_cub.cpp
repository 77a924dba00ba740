// The simulated machine has no CUB: the interface of kernels/cuda/cub.h by the standard library,
// on one thread. A "stream" there is in order and done when it is queued, or recorded into a graph.
#include "kernels/cuda/cub.h"

#include "tests/cuda/sim/capture.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

namespace tandem::cuda {

namespace {

/// The order of n keys by some of their bits; equal ones keep theirs.
template <class K>
std::vector<std::size_t> order_of(const K* keys, std::int64_t n, int begin_bit, int end_bit) {
  const K mask = static_cast<K>(~K(0) >> (static_cast<int>(8 * sizeof(K)) - (end_bit - begin_bit)));
  std::vector<std::size_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::size_t(0));
  const auto digits = [&](std::size_t i) { return static_cast<K>(keys[i] >> begin_bit & mask); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return digits(a) < digits(b); });
  return order;
}

/// As CUB asks the pool.
bool asks_for_memory(const CubCall& call) {
  return Workspace(call.device, 64, call.stream, call.op).data() != nullptr;
}

/// What a capture knows the calls by.
enum Call : int { kSortPairs = 16, kSortApart, kSortWords, kScan, kSortItems };

/// Does the work, or has the stream's capture do it at every replay.
template <class F>
bool queue(const CubCall& call, Call kind, F work) {
  const auto stream = static_cast<cudaStream_t>(call.stream);
  if (!sim::capturing(stream)) {
    work();
    return true;
  }
  const cudaError_t e = sim::record(stream, {kind}, [work] {
    work();
    return cudaSuccess;
  });
  check(e, call.op);
  return e == cudaSuccess;
}

/// `to` gets what is in `from` in the order; `from` is left with what is no result.
template <class T>
void reorder(T* from, T* to, const std::vector<std::size_t>& order) {
  for (std::size_t i = 0; i < order.size(); ++i) to[i] = from[order[i]];
  std::memset(from, 0xa5, order.size() * sizeof(T));
}

}  // namespace

// The buffers are swapped when the work is queued, as CUB may do.
template <class K, class V>
bool sort_pairs(PairBuffers<K, V>& pairs, std::int64_t n, int begin_bit, int end_bit,
                const CubCall& call) {
  if (n <= 1 || begin_bit >= end_bit) return true;
  if (!asks_for_memory(call)) return false;
  const bool queued = queue(call, kSortPairs, [pairs, n, begin_bit, end_bit] {
    const std::vector<std::size_t> order = order_of(pairs.keys[0], n, begin_bit, end_bit);
    reorder(pairs.keys[0], pairs.keys[1], order);
    reorder(pairs.values[0], pairs.values[1], order);
  });
  std::swap(pairs.keys[0], pairs.keys[1]);
  std::swap(pairs.values[0], pairs.values[1]);
  return queued;
}
template bool sort_pairs(PairBuffers<std::uint32_t, std::uint32_t>&, std::int64_t, int, int,
                         const CubCall&);
template bool sort_pairs(PairBuffers<std::uint64_t, std::uint32_t>&, std::int64_t, int, int,
                         const CubCall&);
template bool sort_pairs(PairBuffers<std::uint64_t, std::uint64_t>&, std::int64_t, int, int,
                         const CubCall&);

bool sort_pairs(const SortPairs& s, const CubCall& call) {
  if (!asks_for_memory(call)) return false;
  return queue(call, kSortApart, [s] {
    const std::vector<std::size_t> order = order_of(s.keys, s.n, s.begin_bit, s.end_bit);
    for (std::size_t i = 0; i < order.size(); ++i) {
      s.sorted_keys[i] = s.keys[order[i]];
      s.sorted_values[i] = s.values[order[i]];
    }
  });
}

bool sort_words(std::uint64_t* (&words)[2], std::int64_t n, int begin_bit, int end_bit,
                const CubCall& call) {
  if (n <= 1 || begin_bit >= end_bit) return true;
  if (!asks_for_memory(call)) return false;
  std::uint64_t* const from = words[0];
  std::uint64_t* const to = words[1];
  const bool queued =
      queue(call, kSortWords, [=] { reorder(from, to, order_of(from, n, begin_bit, end_bit)); });
  std::swap(words[0], words[1]);
  return queued;
}

bool scan_sums(std::int64_t* data, std::int64_t n, const CubCall& call) {
  return queue(call, kScan, [=] { std::partial_sum(data, data + n, data); });
}

bool sort_items(const Items& items, std::int64_t* numbers, std::int64_t n, const CubCall& call) {
  return queue(call, kSortItems, [items, numbers, n] {
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
  });
}

}  // namespace tandem::cuda
