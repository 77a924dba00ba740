// The simulated machine has no CUB: what kernels/sort_words.cu does, by the standard library.
#include <algorithm>

#include "kernels/cuda/sort_words.h"

namespace tandem::cuda {

cudaError_t sort_words(std::uint64_t* words, std::uint64_t* spare, std::int64_t n, int begin,
                       int end, Device, void*, const char*, std::uint64_t** sorted) {
  const int bits = end - begin;
  const std::uint64_t mask = bits >= 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << bits) - 1;
  const auto key = [=](std::uint64_t w) { return begin < 64 ? w >> begin & mask : 0; };
  std::copy_n(words, n, spare);
  std::stable_sort(spare, spare + n,
                   [&](std::uint64_t a, std::uint64_t b) { return key(a) < key(b); });
  *sorted = spare;
  return cudaSuccess;
}

}  // namespace tandem::cuda
