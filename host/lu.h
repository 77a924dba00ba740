// LU of real matrices on the host: panels and the work of their rows by SIMD level
// (host/isa/lu.cpp), large blocks by the library's products (host/lu.cpp).
#pragma once

#include <cstdint>

#include "host/reflectors.h"

namespace tandem::host {

/// Columns of a panel.
constexpr int kLuPanel = 16;

/// A panel's copy, by columns with `pitch` rows each, zeros below the matrix's: at least kRowBlock
/// of them, to the end of a block.
template <class R>
struct LuPanel {
  std::int64_t m;
  int n;  // at most kLuPanel
  R* data;
  std::int64_t pitch;
  std::int32_t pivots[kLuPanel];  // rows of the panel, from 0
};

template <class R>
struct LuLoops {
  /// Factors the panel: its elements in the order of kernels/functors/small_matrix.h. The answer:
  /// 0, or the first column, from 1, without a pivot.
  int (*factor)(LuPanel<R>& p);
  /// c [m, columns]: its rows interchanged, and the panel's elimination.
  void (*apply)(const LuPanel<R>& p, R* c, std::int64_t leading, std::int64_t columns);
};

LuLoops<float>& lu_loops(float);
LuLoops<double>& lu_loops(double);

/// getrf, by columns: both factors in a, pivots from 1; the answer is 0 or the first place, from 1,
/// of a zero on U's diagonal. The recursion is that of S. Toledo, "Locality of reference in LU
/// decomposition with partial pivoting", SIAM J. Matrix Anal. Appl. 18, 1997.
template <class R>
std::int32_t factor_lu(std::int64_t m, std::int64_t n, R* a, std::int64_t leading,
                       std::int32_t* pivots);

}  // namespace tandem::host
