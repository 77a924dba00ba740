// The secular equation of divide and conquer (host/isa/secular.cpp), by SIMD level.
#pragma once

#include <cstdint>

#include "tandem/dtype.h"

namespace tandem::host {

/// The roots of 1 / rho + sum over i of z[i]^2 / (d[i] - x) = 0, d ascending and rho > 0: root j
/// lies right of d[j]. values[j]: the root; differences[j * leading + i] = d[i] - root, to the
/// precision of the type also where it is small. fitted[i]: a weight near z[i], of which the
/// computed roots are the exact ones (M. Gu and S. C. Eisenstat). k >= 1.
template <class R>
struct SecularProblem {
  std::int64_t k;
  const R* d;
  const R* z;
  R rho;
  R* values;
  R* differences;
  std::int64_t leading;
  R* fitted;
};

template <class R>
using SecularLoop = void (*)(const SecularProblem<R>& p);

SecularLoop<float>& secular_loop(float);
SecularLoop<double>& secular_loop(double);

/// Eigenvalues d (ascending) and orthonormal eigenvectors q [n, n], by columns, of the symmetric
/// tridiagonal matrix with diagonal d and off-diagonal e [n - 1], which is lost. Returns LAPACK's
/// info: above 0 where an iteration did not converge.
template <class R>
std::int32_t tridiagonal_eigh(std::int64_t n, R* d, R* e, R* q);

}  // namespace tandem::host
