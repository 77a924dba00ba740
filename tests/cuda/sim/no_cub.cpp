// The simulated machine has no CUB: one of its threads sorts. What the launchers make of the result
// is their own, and so is tested.
#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/cuda/context.h"
#include "kernels/cuda/sort_pairs.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

namespace {

void sort_kernel(SortPairs s) {
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  const int width = s.end_bit - s.begin_bit;
  const std::uint64_t mask = width == 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << width) - 1;
  std::vector<std::int64_t> order(static_cast<std::size_t>(s.n));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  const auto key = [&](std::int64_t i) { return s.keys[i] >> s.begin_bit & mask; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return key(a) < key(b); });
  for (std::size_t i = 0; i < order.size(); ++i) {
    s.sorted_keys[i] = s.keys[order[i]];
    s.sorted_values[i] = s.values[order[i]];
  }
}

}  // namespace

void sort_pairs(const SortPairs& s, const char* op) {
  check(launch(&sort_kernel, 1, 32, s, s.device, s.stream), op);
}

}  // namespace tandem::cuda
