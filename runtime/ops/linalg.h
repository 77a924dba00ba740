// What the front-ends of linalg.def share, and its boxed forms where they are not the public
// functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "runtime/dispatch/funnel.h"
#include "tandem/backend/linalg.h"
#include "tandem/linalg.h"

namespace tandem::detail {

/// A tensor as a batch of matrices, without names, and the names apart.
struct Matrices {
  Tensor x;
  Dims batch;
  std::int64_t m, n;
  Names batch_names;  // one a dimension
  Name rows, columns;

  std::int64_t count() const;
  Dims shape(IntSpan matrix) const;
  /// Names of a result with these after the batch's; `op` for the message where one comes twice.
  Names names(std::initializer_list<Name> last, const char* op) const;
};

/// Raises TypeError for a dtype that has no factorisations, ShapeError below two dimensions.
Matrices matrices_of(const OpRow& row, const Tensor& x, const char* argument = "A");
/// The same, and ShapeError where they are not square.
Matrices squares_of(const OpRow& row, const Tensor& x, const char* argument = "A");

/// Gives a fresh result its names.
Tensor named(Tensor t, const Names& names);

/// A dense copy whose matrices lie by columns.
Tensor by_columns(const Tensor& x);

/// Dense matrices of x's dtype or another, not yet written, that lie by columns.
Tensor fresh_columns(const Tensor& like, const Dims& batch, std::int64_t m, std::int64_t n,
                     std::optional<DType> dtype = {});

/// A dense copy in the order that is nearest to x's. `transposed`: what LAPACK reads as columns are
/// x's rows.
struct Copied {
  Tensor data;
  bool transposed;
};
Copied nearest_copy(const Tensor& x);

/// A batch as a launch has it: matrices that lie by columns (or, transposed, by rows), densely.
MatrixBatch batch_of(const Tensor& t, bool transposed = false);

/// The launch of a step on a batch of m x n matrices of x's dtype and device.
FactorLaunch factor_launch(const OpRow& row, FactorLaunch::Step step, const Matrices& a);

/// An info tensor and what `go(info)` does to fill it; zeros where the batch or the matrices have
/// no elements.
template <class Go>
Tensor with_info(const OpRow& row, const Matrices& a, bool empty, Go&& go) {
  return run_one(
      row, nullptr,
      [&] {
        return OutSpec{a.batch, DType::int32, a.x.device(), {}};
      },
      [&](const Tensor& info) {
        if (info.numel() == 0) return;
        if (empty) {
          Tensor(info).zero_();
        } else {
          go(info);
        }
      });
}

/// Raises ValueError for pivots on the host that name no row of n: LAPACK goes where they point. On
/// a device the kernels look.
void check_pivots(const OpRow& row, const char* argument, const Tensor& pivots, std::int64_t n);

/// Whether batches of such matrices (k columns on the right) are a task of SmallLaunch.
bool is_small(const Matrices& a, std::int64_t k = 1);
/// Matrices as a SmallLaunch reads or writes them; `turned`: transposed. t is dense in its batch or
/// one matrix for the whole of it.
SmallMatrices small_matrices(const Tensor& t, bool turned = false);
/// x, or a copy where its batch is neither dense nor one matrix.
Tensor small_operand(const Tensor& x);
/// Runs the step: `written` and `read` are its tensors, for the order of streams.
void run_small(const OpRow& row, SmallLaunch::Step step, const Matrices& a, SmallLaunch l,
               std::initializer_list<const Tensor*> written,
               std::initializer_list<const Tensor*> read);

/// Whether QR of such matrices, with `columns` of Q, is a task of SmallQrLaunch.
bool is_small_qr(const Matrices& a, std::int64_t columns);
/// Runs the step on a: l has k, columns, the results and tau; x is a.x as small_operand gives it.
void run_small_qr(const OpRow& row, SmallQrLaunch::Step step, const Matrices& a, const Tensor& x,
                  SmallQrLaunch l, std::initializer_list<const Tensor*> written,
                  std::initializer_list<const Tensor*> read);

/// Q's first `columns` columns, or with 0 no element, and R, where is_small_qr.
std::array<Tensor, 2> qr_small(const OpRow& row, const Matrices& a, std::int64_t columns);

/// Whether eigenvalues and singular values of such matrices are a task of SmallSpectralLaunch.
bool is_small_spectral(const Matrices& a);
/// Values [..., min(m, n)]; where wanted, left vectors by columns and, of svd, V^H.
struct SmallSpectrum {
  Tensor values, left, right, info;
};
SmallSpectrum small_eigh(const OpRow& row, const Matrices& a, bool upper, bool vectors);
SmallSpectrum small_svd(const OpRow& row, const Matrices& a, bool vectors, bool full);

/// Factors by columns, the rows interchanged (from 1) and info.
struct FactoredLU {
  Tensor factors, pivots, info;
};
FactoredLU factor_lu(const OpRow& row, const Matrices& a);

/// P, L and U of factors and pivots; what is not wanted has no elements.
std::tuple<Tensor, Tensor, Tensor> unpack_lu(const OpRow& row, const Matrices& a,
                                             const Tensor& pivots, bool data, bool permutation);

/// Reflectors and R below and above the diagonal, and the reflectors' factors [..., min(m, n)].
std::pair<Tensor, Tensor> reflect(const OpRow& row, const Matrices& a);
/// The first `columns` columns of the product of the reflectors of which tau [..., k] has factors.
Tensor orthogonal(const OpRow& row, const Matrices& a, const Tensor& reflectors, const Tensor& tau,
                  std::int64_t columns);
/// Raises ShapeError or TypeError where tau has no factors [..., k] for reflectors in A [..., m,
/// n], k <= n <= m; tau without names, densely.
Tensor checked_tau(const OpRow& row, const Matrices& a, const Tensor& tau);

/// Waits for info and raises LinAlgError for the first matrix without a result:
/// "[linalg_inv] argument 'A': expected invertible matrices, got a singular one at batch index (2,
/// 1)". `expected`: "invertible"; `got`: "a singular one".
void check_info(const OpRow& row, const Tensor& info, const char* expected, const char* got);

/// Batch dimensions of two, broadcast.
Dims joint_batch(const OpRow& row, const Dims& a, const Dims& b);
/// t with a larger batch; without a copy where t is one matrix.
Tensor expand_batch(const Tensor& t, const Dims& batch, std::size_t matrix_rank);

/// Raises ShapeError where the rows or columns that A (the argument `of`) and B share have
/// different names.
void check_same_name(const OpRow& row, const char* which, Name a, Name b, const char* of = "A");

/// A right-hand side of A, the argument `of`, as PyTorch reads it: a vector, or with `batches` a
/// batch of them, becomes matrices of one column.
struct RightSide {
  Matrices b;
  bool vector;
};
RightSide right_side(const OpRow& row, const Tensor& a, const Tensor& b, bool left,
                     bool batches = true, const char* of = "A");
/// solve_triangular for the op of this row, whose argument `of` is the triangle.
Tensor triangular_solution(const OpRow& row, const char* of, const Tensor& a, const Tensor& b,
                           bool upper, bool left = true, bool unitriangular = false);
/// lu_solve for the op of this row.
Tensor lu_solution(const OpRow& row, const char* of, const char* of_pivots, const Tensor& lu,
                   const Tensor& pivots, const Tensor& b, bool left, bool adjoint);

}  // namespace tandem::detail

namespace tandem::ops {

std::vector<Value> linalg_lu_factor_ex(const Tensor& a, bool pivot, bool check_errors);
std::tuple<Tensor, Tensor> linalg_lu_factor(const Tensor& a, bool pivot);
std::vector<Value> linalg_lu(const Tensor& a, bool pivot);
std::vector<Value> linalg_svd(const Tensor& a, bool full_matrices,
                              std::optional<std::string> driver);
Tensor linalg_svdvals(const Tensor& a, std::optional<std::string> driver);
std::vector<Value> linalg_lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond,
                                std::optional<std::string> driver);
/// ord: a number, "fro" or "nuc".
Tensor linalg_matrix_norm(const Tensor& a, const Value& order, std::optional<Axes> axes,
                          bool keepdim, std::optional<DType> dtype);
Tensor linalg_norm(const Tensor& a, const Value& order, std::optional<Axes> axes, bool keepdim,
                   std::optional<DType> dtype);
Tensor linalg_cond(const Tensor& a, const Value& order);
Tensor linalg_tensorsolve(const Tensor& a, const Tensor& b, std::optional<Axes> dims);

Tensor linalg_pinv(const Tensor& a, const Value& rcond, bool hermitian, const Value& atol,
                   const Value& rtol);
Tensor linalg_matrix_rank(const Tensor& a, const Value& tol, bool hermitian, const Value& atol,
                          const Value& rtol);

// PyTorch's names outside linalg, with parameters of their own: linalg_forms.cpp.
Tensor logdet(const Tensor& a);
Tensor cholesky_solve(const Tensor& b, const Tensor& l, bool upper);
Tensor cholesky_inverse(const Tensor& l, bool upper);
std::tuple<Tensor, Tensor> qr(const Tensor& a, bool some);
std::vector<Value> svd(const Tensor& a, bool some, bool compute_uv);
Tensor pinverse(const Tensor& a, double rcond);
Tensor lu_solve(const Tensor& b, const Tensor& lu, const Tensor& pivots);
std::vector<Value> lu_unpack(const Tensor& lu, const Tensor& pivots, bool data, bool permutation);
std::tuple<Tensor, Tensor> geqrf(const Tensor& a);
Tensor ormqr(const Tensor& a, const Tensor& tau, const Tensor& c, bool left, bool transpose);
std::tuple<Tensor, Tensor> triangular_solve(const Tensor& b, const Tensor& a, bool upper,
                                            bool transpose, bool unitriangular);

}  // namespace tandem::ops
