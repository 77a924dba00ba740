// Linear algebra on the last two dimensions of a tensor, dimensions before them being a batch:
// factorisations, solutions, eigenvalues, norms. float32, float64, complex64 and complex128
// (others: TypeError). The host hands them to LAPACK, a device to cuSOLVER, so they are not
// bit-equal. Names: batch dimensions keep theirs; of a matrix (i, j) the inverse is (j, i), and
// what is neither its rows nor its columns has no name. The plain forms wait for the device and
// raise LinAlgError with the batch index of a matrix that has no result; the _ex forms do not wait
// and return info instead (int32, one a matrix: 0 for success, as LAPACK has it), unless
// check_errors.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tandem/tensor.h"

namespace tandem::linalg {

/// A matrix has no result: it is singular, not positive definite, not finite, or its iteration did
/// not converge. Python: tandem.linalg.LinAlgError, a ValueError and a RuntimeError.
class TANDEM_API LinAlgError : public ValueError {
 public:
  using ValueError::ValueError;
};

// ---- factors
// ----------------------------------------------------------------------------------------
/// L, lower triangular, of A = L L^H; upper: U of A = U^H U. Of A one triangle is read. A: [..., n,
/// n], positive definite.
TANDEM_API Tensor cholesky(const Tensor& a, bool upper = false);
TANDEM_API std::tuple<Tensor, Tensor> cholesky_ex(const Tensor& a, bool upper = false,
                                                  bool check_errors = false);
/// Both factors of P A = L U in one matrix [..., m, n] (L has ones on its diagonal) and the rows
/// interchanged, int32, counted from 1: [..., min(m, n)].
TANDEM_API std::tuple<Tensor, Tensor> lu_factor(const Tensor& a);
TANDEM_API std::tuple<Tensor, Tensor, Tensor> lu_factor_ex(const Tensor& a,
                                                           bool check_errors = false);
/// P [..., m, m], L [..., m, k], U [..., k, n] of A = P L U, k = min(m, n).
TANDEM_API std::tuple<Tensor, Tensor, Tensor> lu(const Tensor& a);
/// Q and R of A = Q R. mode: "reduced" (Q [..., m, k], R [..., k, n]), "complete" (Q [..., m, m], R
/// [..., m, n]) or "r" (Q has no elements).
TANDEM_API std::tuple<Tensor, Tensor> qr(const Tensor& a, const std::string& mode = "reduced");
/// The first n columns of the product of k reflectors, of which A [..., m, n] has the vectors below
/// its diagonal and tau [..., k] the factors: k <= n <= m.
TANDEM_API Tensor householder_product(const Tensor& a, const Tensor& tau);

// ---- solutions
// --------------------------------------------------------------------------------------
/// X of A X = B, or with left=false of X A = B. B is a vector [n], a batch of vectors where its
/// shape is A's without the last dimension, else matrices; batches broadcast.
TANDEM_API Tensor solve(const Tensor& a, const Tensor& b, bool left = true);
TANDEM_API std::tuple<Tensor, Tensor> solve_ex(const Tensor& a, const Tensor& b, bool left = true,
                                               bool check_errors = false);
/// solve by the factors and pivots of lu_factor; adjoint: of A^H.
TANDEM_API Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b,
                           bool left = true, bool adjoint = false);
/// solve with a triangle of A alone; unitriangular: its diagonal counts as ones. A zero on the
/// diagonal gives infinities or NaN, no error.
TANDEM_API Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left = true,
                                   bool unitriangular = false);
TANDEM_API Tensor inv(const Tensor& a);
TANDEM_API std::tuple<Tensor, Tensor> inv_ex(const Tensor& a, bool check_errors = false);
/// [...]; 0 of a singular matrix, 1 of one without elements.
TANDEM_API Tensor det(const Tensor& a);
/// The determinant as sign (of modulus 1, or 0) and logarithm of its modulus: neither overflows.
TANDEM_API std::tuple<Tensor, Tensor> slogdet(const Tensor& a);
/// X of tensordot(A, X, X.dim()) = B: A has B's shape and then X's, their sizes having equal
/// products. dims: of A, moved to its end first. Names are dropped.
TANDEM_API Tensor tensorsolve(const Tensor& a, const Tensor& b,
                              const std::optional<Axes>& dims = {});
/// The inverse of tensordot(A, ., ind), A's first `ind` dimensions being rows. Names are dropped.
TANDEM_API Tensor tensorinv(const Tensor& a, std::int64_t ind = 2);

// ---- eigenvalues, singular values
// -------------------------------------------------------------------
/// U, S, Vh of A = U diag(S) Vh; S (real, descending) [..., k], k = min(m, n); U [..., m, k] and Vh
/// [..., k, n], square with full_matrices.
TANDEM_API std::tuple<Tensor, Tensor, Tensor> svd(const Tensor& a, bool full_matrices = true);
TANDEM_API Tensor svdvals(const Tensor& a);
/// Eigenvalues (real, ascending) [..., n] and orthonormal eigenvectors as columns [..., n, n] of
/// Hermitian matrices, of which one triangle is read: uplo "L" or "U".
TANDEM_API std::tuple<Tensor, Tensor> eigh(const Tensor& a, const std::string& uplo = "L");
TANDEM_API Tensor eigvalsh(const Tensor& a, const std::string& uplo = "L");
/// Complex eigenvalues, in no order, and eigenvectors of norm 1 as columns.
TANDEM_API std::tuple<Tensor, Tensor> eig(const Tensor& a);
TANDEM_API Tensor eigvals(const Tensor& a);

// ---- least squares, inverses of any matrix
// ----------------------------------------------------------
struct LeastSquares {
  Tensor solution;  // [..., n, k]
  // [..., k]: sums of |A X - B|^2; without elements where m <= n, or where the driver has found a
  // matrix of the batch whose rank is below n
  Tensor residuals;
  Tensor rank;             // [...], int64; without elements of gels
  Tensor singular_values;  // [..., min(m, n)] of gelsd and gelss; else without elements
};
/// X of least |A X - B|; of several the shortest. rcond: singular values (gelsy: diagonal elements
/// of R) below rcond times the greatest count as 0; the dtype's precision times max(m, n) by
/// default. driver: gelsy (QR with pivots; the host's default), gelsd and gelss (singular values),
/// or gels (QR, for full rank; the only one of a device and its default).
TANDEM_API LeastSquares lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond = {},
                              const std::string& driver = "");
/// A bound for singular values: none, a number, or a real tensor that broadcasts with the batch.
/// ValueError for one below 0 or NaN; in a tensor on a device, which is not waited for, numbers
/// below 0 count as 0, and with NaN every singular value counts as 0.
struct Tolerance {
  Tolerance() = default;
  Tolerance(double x) : number(x) {}             // NOLINT(google-explicit-constructor)
  Tolerance(Tensor t) : tensor(std::move(t)) {}  // NOLINT(google-explicit-constructor)
  bool given() const { return number.has_value() || tensor.defined(); }
  std::optional<double> number;
  Tensor tensor;
};
/// Moore and Penrose's inverse by singular values; those not above max(atol, rtol * the greatest)
/// count as 0. rtol: the dtype's precision times max(m, n) by default, or 0 where atol is above 0.
/// hermitian: by eigh.
TANDEM_API Tensor pinv(const Tensor& a, const Tolerance& atol = {}, const Tolerance& rtol = {},
                       bool hermitian = false);
/// The number of singular values above the bound of pinv: int64 [...].
TANDEM_API Tensor matrix_rank(const Tensor& a, const Tolerance& atol = {},
                              const Tolerance& rtol = {}, bool hermitian = false);

// ---- norms, functions
// -------------------------------------------------------------------------------
/// order: "fro" (root of the sum of squares) or "nuc" (sum of the singular values).
TANDEM_API Tensor matrix_norm(const Tensor& a, const std::string& order = "fro",
                              const std::optional<Axes>& axes = {}, bool keepdim = false,
                              std::optional<DType> dtype = {});
/// order: 2 (-2) the greatest (least) singular value, 1 (-1) sum of moduli of a column, infinity
/// (-infinity) of a row. axes: the last two by default.
TANDEM_API Tensor matrix_norm(const Tensor& a, double order, const std::optional<Axes>& axes = {},
                              bool keepdim = false, std::optional<DType> dtype = {});
/// The ratio of the greatest to the least singular value; with an order, of that matrix_norm of A
/// times that of its inverse; infinite of a singular matrix.
TANDEM_API Tensor cond(const Tensor& a);
TANDEM_API Tensor cond(const Tensor& a, double order);
TANDEM_API Tensor cond(const Tensor& a, const std::string& order);
/// The exponential by scaling, a Pade approximant of order 13 and squaring (N. J. Higham, SIAM J.
/// Matrix Anal. Appl. 26, 2005); of diagonal matrices exp of their elements. Waits for the device:
/// the number of squarings depends on the norm.
TANDEM_API Tensor matrix_exp(const Tensor& a);
/// The definite square root of positive definite matrices, of which the lower triangle is read; NaN
/// of others.
TANDEM_API Tensor matrix_sqrth(const Tensor& a);
/// U [..., m, n] with orthonormal columns and the semidefinite H [..., n, n] of A = U H, m >= n.
TANDEM_API std::tuple<Tensor, Tensor> polar(const Tensor& a);
/// Powers 0 to n - 1 of x [..., k]: [..., k, n]; n is k by default.
TANDEM_API Tensor vander(const Tensor& x, std::optional<std::int64_t> n = {});
/// A view of a diagonal of matrices as the last dimension.
TANDEM_API Tensor diagonal(const Tensor& a, std::int64_t offset = 0, Axis axis1 = -2,
                           Axis axis2 = -1);
/// Sums of a diagonal of matrices [..., m, n]: [...]. Integers and bool in int64.
TANDEM_API Tensor trace(const Tensor& a, std::int64_t offset = 0, std::optional<DType> dtype = {});
/// tandem::cross along the last axis by default. Shapes broadcast.
TANDEM_API Tensor cross(const Tensor& x, const Tensor& y, Axis axis = -1);

}  // namespace tandem::linalg
