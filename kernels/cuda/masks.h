// Sets of dtypes as template arguments: what a translation unit instantiates.
#pragma once

#include <cstdint>
#include <utility>

#include "tandem/dtype.h"

namespace tandem::cuda {

/// A bit for each dtype of a set, or for each that a condition holds for.
constexpr std::uint32_t mask(DTypeSet set) {
  std::uint32_t m = 0;
  for (int d = 0; d < kNumDTypes; ++d) m |= set.has(static_cast<DType>(d)) ? 1u << d : 0u;
  return m;
}
template <class Condition>
constexpr std::uint32_t mask_if(Condition condition) {
  std::uint32_t m = 0;
  for (int d = 0; d < kNumDTypes; ++d) m |= condition(static_cast<DType>(d)) ? 1u << d : 0u;
  return m;
}

/// Calls f.operator()<T>(number of the dtype) for the element type of each dtype of a mask.
template <std::uint32_t Mask, int D = 0, class F>
void for_each_dtype(const F& f) {
  if constexpr (D < kNumDTypes) {
    if constexpr ((Mask >> D & 1u) != 0) {
      f.template operator()<typename CTypeOf<static_cast<DType>(D)>::type>(D);
    }
    for_each_dtype<Mask, D + 1>(f);
  }
}

}  // namespace tandem::cuda
