// CUB's sorts and sums for every launcher: see kernels/cuda/cub.h. The only file that parses CUB.
#include <cub/device/device_merge_sort.cuh>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>

#include "kernels/cuda/cub.h"
#include "kernels/cuda/sorting.h"

namespace tandem::cuda {

namespace {

/// Runs a call of CUB: once to learn how much memory it needs, once for the work.
template <class F>
bool run_cub(const CubCall& call, const F& f) {
  const DeviceGuard guard(call.device.index);
  if (guard.error != cudaSuccess) {
    check(guard.error, call.op);
    return false;
  }
  std::size_t bytes = 0;
  cudaError_t e = f(nullptr, bytes);
  if (e == cudaSuccess) {
    if (bytes == 0) bytes = 1;
    const Workspace memory(call.device, bytes, call.stream, call.op);
    if (memory.data() == nullptr) return false;
    e = f(memory.data(), bytes);
  }
  const cudaError_t last = cudaGetLastError();  // clears what a failed launch left behind
  if (e == cudaSuccess) e = last;
  check(e, call.op);
  return e == cudaSuccess;
}

struct ItemLess {
  Items items;

  __device__ bool operator()(std::int64_t a, std::int64_t b) const {
    const KeyReader key{items.data, items.bytes, items.rule};
    const std::int64_t at_a = a * items.width;
    const std::int64_t at_b = b * items.width;
    for (std::int64_t k = 0; k < items.width; ++k) {
      const std::uint64_t x = key(at_a + k);
      const std::uint64_t y = key(at_b + k);
      if (x != y) return x < y;
    }
    return false;
  }
};

}  // namespace

template <class K, class V>
bool sort_pairs(PairBuffers<K, V>& pairs, std::int64_t n, int begin_bit, int end_bit,
                const CubCall& call) {
  if (n <= 1 || begin_bit >= end_bit) return true;
  cub::DoubleBuffer<K> keys(pairs.keys[0], pairs.keys[1]);
  cub::DoubleBuffer<V> values(pairs.values[0], pairs.values[1]);
  const bool sorted = run_cub(call, [&](void* memory, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(memory, bytes, keys, values, n, begin_bit, end_bit,
                                           static_cast<cudaStream_t>(call.stream));
  });
  pairs = {{keys.Current(), keys.Alternate()}, {values.Current(), values.Alternate()}};
  return sorted;
}
template bool sort_pairs(PairBuffers<std::uint32_t, std::uint32_t>&, std::int64_t, int, int,
                         const CubCall&);
template bool sort_pairs(PairBuffers<std::uint64_t, std::uint32_t>&, std::int64_t, int, int,
                         const CubCall&);
template bool sort_pairs(PairBuffers<std::uint64_t, std::uint64_t>&, std::int64_t, int, int,
                         const CubCall&);

bool sort_pairs(const SortPairs& s, const CubCall& call) {
  return run_cub(call, [&](void* memory, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(
        memory, bytes, s.keys, s.sorted_keys, reinterpret_cast<const std::uint64_t*>(s.values),
        reinterpret_cast<std::uint64_t*>(s.sorted_values), s.n, s.begin_bit, s.end_bit,
        static_cast<cudaStream_t>(call.stream));
  });
}

bool sort_words(std::uint64_t* (&words)[2], std::int64_t n, int begin_bit, int end_bit,
                const CubCall& call) {
  if (n <= 1 || begin_bit >= end_bit) return true;
  cub::DoubleBuffer<std::uint64_t> buffers(words[0], words[1]);
  const bool sorted = run_cub(call, [&](void* memory, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortKeys(memory, bytes, buffers, n, begin_bit, end_bit,
                                          static_cast<cudaStream_t>(call.stream));
  });
  words[0] = buffers.Current();
  words[1] = buffers.Alternate();
  return sorted;
}

bool scan_sums(std::int64_t* data, std::int64_t n, const CubCall& call) {
  if (n == 0) return true;
  return run_cub(call, [&](void* memory, std::size_t& bytes) {
    return cub::DeviceScan::InclusiveSum(memory, bytes, data, data, n,
                                         static_cast<cudaStream_t>(call.stream));
  });
}

bool sort_items(const Items& items, std::int64_t* numbers, std::int64_t n, const CubCall& call) {
  if (n <= 1 || items.width == 0) return true;
  return run_cub(call, [&](void* memory, std::size_t& bytes) {
    return cub::DeviceMergeSort::StableSortKeys(memory, bytes, numbers, n, ItemLess{items},
                                                static_cast<cudaStream_t>(call.stream));
  });
}

}  // namespace tandem::cuda
