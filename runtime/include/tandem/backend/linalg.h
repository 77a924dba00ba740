// The launch struct of factorisations; see tandem/backend.h.
#pragma once

#include "tandem/backend.h"

namespace tandem {

/// A batch of column-major matrices: element (i, j) of matrix b is data[b * stride + j * leading +
/// i]. A stride of 0 gives every member of the batch the same matrix.
struct MatrixBatch {
  void* data;
  std::int64_t leading, stride;  // in elements
};

/// A batch of matrices with any strides, in elements.
struct SmallMatrices {
  void* data;
  std::int64_t stride, row, column;
};

/// A whole task for a batch of small matrices in one pass, from a and b to x: no copy before
/// it, no transposition after it. Both backends run kernels/functors/small_matrix.h, with the same
/// bits. a and x may be one memory where their strides are the same.
struct SmallLaunch {
  enum class Step : std::uint8_t {
    LU,           // x [n, n]: both factors; pivots
    Parts,        // a = p x u: x [n, n] the lower factor, u and p [n, n]
    Cholesky,     // x [n, n]: the lower factor, 0 above it; the lower triangle of a is read, of
                  // its diagonal the real parts
    Solve,        // x [n, k] = a^-1 b
    Inverse,      // x [n, n] = a^-1
    Determinant,  // x [1, 1]
  };
  static constexpr int kMost = 32;  // of n and of k

  const OpRow* row;
  Step step;
  std::int64_t batch, n, k;
  DType dtype;  // float32, float64, complex64 or complex128
  SmallMatrices a, b, x, u, p;
  std::int32_t* pivots;  // [batch, n], counted from 1
  std::int32_t* info;    // [batch] or null; as FactorLaunch has it
  Device device;
  void* stream;
};

/// QR of a batch of small real matrices in one pass, as SmallLaunch: kernels/functors/small_qr.h.
struct SmallQrLaunch {
  enum class Step : std::uint8_t {
    QR,          // q [m, columns]; r [columns, n]; columns from k to m
    R,           // r [k, n]
    Factor,      // r [m, n]: R and the reflectors below it; tau
    Orthogonal,  // q [m, columns] from the first k columns of a, reflectors, and tau
  };
  static constexpr int kMost = 32;  // of every extent

  const OpRow* row;
  Step step;
  std::int64_t batch, m, n, k;  // a is [m, n]; k reflectors
  std::int64_t columns;         // of q, at least k; 0 where there is none
  DType dtype;                  // float32 or float64
  SmallMatrices a, q, r;
  void* tau;  // [batch, k]
  Device device;
  void* stream;
};

/// Eigenvalues or singular values, and vectors, for a batch of small real matrices in one pass.
/// Both backends run kernels/functors/small_spectral.h, with the same bits. values [batch, n] lie
/// densely; component i of vector j is element (i, j) of left and right, whose data is null where
/// no vectors are wanted.
struct SmallSpectralLaunch {
  enum class Step : std::uint8_t {
    Eigh,  // a [n, n]: the triangle `upper` is read; values ascend; left [n, n]
    Svd,   // a [m, n], m >= n; values descend; left [m, n] or, where `full`, [m, m]; right [n, n]
  };
  static constexpr int kMost = 16;  // of m and of n

  const OpRow* row;
  Step step;
  std::int64_t batch, m, n;
  DType dtype;  // float32 or float64
  SmallMatrices a, left, right;
  void* values;
  std::int32_t* info;  // [batch]; as FactorLaunch has it
  bool upper, full;
  Device device;
  void* stream;
};

/// Whether a device gives n x n matrices to the form of its library that takes a whole batch in one
/// call. Such a form keeps a matrix to few multiprocessors: n^3 operations in each, while a loop of
/// single calls spends about n steps that wait for each other on every matrix of the batch. From
/// the two rates of a Hopper card they meet near n = 128 batch (an estimate, not measured), and
/// cuBLAS means its forms for small matrices: 512 rows at most.
inline bool goes_batched(std::int64_t batch, std::int64_t n) {
  return batch > 1 && n <= 512 && n <= 128 * batch;
}

/// One step of a factorisation for a whole batch, in place. Extents are above 0. Steps write info,
/// one number a matrix, as LAPACK does: 0 for success, above 0 for a matrix that is singular, not
/// positive definite or without convergence, kNotFinite where an element is infinite or NaN (of the
/// steps that would not end then).
struct FactorLaunch {
  enum class Step : std::uint8_t {
    Cholesky,      // a [n, n]: the factor, in the triangle that `upper` names; the other is kept
    LU,            // a [m, n]: both factors; pivots
    LUSolve,       // b [n, k] = op(a)^-1 b, with the factors and pivots of LU
    Inverse,       // a [n, n]: its inverse; on a device, where goes_batched, b [n, n] is,
                   // and a is lost
    Triangular,    // b [n, k] = op(a)^-1 b, of the triangle `upper`
    QR,            // a [m, n]: R and the reflectors below it; tau
    Orthogonal,    // a [m, n]: from the first k reflectors and tau, n columns of Q
    Eigh,          // a [n, n]: eigenvectors, where wanted; values ascend
    Svd,           // a [m, n] is lost; values descend; u [m, *] and v [*, n], where wanted
    Eig,           // a [n, n] is lost; complex values; u [n, n]: complex vectors, where wanted
    LeastSquares,  // a [m, n] is lost; b [max(m, n), k]: the solution in its first n rows; rank,
                   // values (of gelsd and gelss)
    Permutation,   // order [m]: where the rows of a come from that LU has interchanged by k pivots
    Small,    // the task `small`; nothing else of this struct but row, device and stream is set
    SmallQr,  // the same of the task `small_qr`
    SmallSpectral  // the same of the task `spectral`
  };
  enum class Op : std::uint8_t { Plain, Transpose, Adjoint };
  enum class Driver : std::uint8_t { Gels, Gelsy, Gelsd, Gelss };
  static constexpr std::int32_t kNotFinite = -1;

  const OpRow* row;
  Step step;
  const SmallLaunch* small;
  const SmallQrLaunch* small_qr;
  const SmallSpectralLaunch* spectral;
  std::int64_t batch, m, n, k;
  DType dtype;
  MatrixBatch a, b, u, v;
  void* tau;             // [batch, min(m, n)]
  void* values;          // [batch, min(m, n)], real; of Eig complex
  std::int32_t* pivots;  // [batch, min(m, n)], counted from 1
  std::int64_t pivots_stride;
  std::int64_t* order;  // [batch, m]
  std::int32_t* info;   // [batch] or null
  std::int64_t* rank;   // [batch]
  double rcond;
  Driver driver;
  Op op;
  bool upper, unit;
  bool vectors, full;  // of Svd: full gives square u and v
  Device device;
  void* stream;
};

}  // namespace tandem
