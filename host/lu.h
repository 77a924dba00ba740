// LU on the host: panels and the work of their rows by SIMD level
// (host/isa/lu.cpp), large blocks by the library's products (host/lu.cpp).
#pragma once

#include <complex>
#include <cstdint>

#include "host/reflectors.h"

namespace tandem::host {

/// Columns of a panel.
constexpr int kLuPanel = 16;

/// A panel's copy, by columns with `pitch` rows each, zeros below the matrix's: at least kRowBlock
/// of them, to the end of a block.
template <class T>
struct LuPanel {
  std::int64_t m;
  int n;  // at most kLuPanel
  T* data;
  std::int64_t pitch;
  std::int32_t pivots[kLuPanel];  // rows of the panel, from 0
};

template <class T>
struct LuLoops {
  /// Factors the panel: its elements in the order of kernels/functors/small_matrix.h, complex ones
  /// by docs/numerics.md. The answer: 0, or the first column, from 1, without a pivot.
  int (*factor)(LuPanel<T>& p);
  /// c [m, columns]: its rows interchanged, and the panel's elimination.
  void (*apply)(const LuPanel<T>& p, T* c, std::int64_t leading, std::int64_t columns);
};

LuLoops<float>& lu_loops(float);
LuLoops<double>& lu_loops(double);
LuLoops<std::complex<float>>& lu_loops(std::complex<float>);
LuLoops<std::complex<double>>& lu_loops(std::complex<double>);

/// getrf, by columns: both factors in a, pivots from 1; the answer is 0 or the first place, from 1,
/// of a zero on U's diagonal. The recursion is that of S. Toledo, "Locality of reference in LU
/// decomposition with partial pivoting", SIAM J. Matrix Anal. Appl. 18, 1997.
template <class T>
std::int32_t factor_lu(std::int64_t m, std::int64_t n, T* a, std::int64_t leading,
                       std::int32_t* pivots);

}  // namespace tandem::host
