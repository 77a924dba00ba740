// How values that meet in one element are joined (scatter, index_add, index_put and their kin), in
// the dtype of IndexLaunch::computed. The order is not here: see Note [The order of writes].
#pragma once

#include "kernels/functors/binary.h"
#include "kernels/functors/complex_math.h"
#include "kernels/functors/integer.h"
#include "tandem/fn.h"

namespace tandem::fn {

/// The sum's mean: floats divide, integers round down.
template <class C>
TANDEM_FN C mean_of(C sum, std::int64_t n) {
  if constexpr (is_complex_v<C>) {
    const auto d = static_cast<real_t<C>>(n);
    return C{sum.re / d, sum.im / d};
  } else if constexpr (is_int_v<C>) {
    return floor_quotient(sum, static_cast<C>(n));
  } else {
    return sum / static_cast<C>(n);
  }
}

}  // namespace tandem::fn
