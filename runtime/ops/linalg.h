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

/// Waits for info and raises ValueError for the first matrix without a result:
/// "[linalg_inv] argument 'A': expected invertible matrices, got a singular one at batch index (2,
/// 1)". `expected`: "invertible"; `got`: "a singular one".
void check_info(const OpRow& row, const Tensor& info, const char* expected, const char* got);

/// Batch dimensions of two, broadcast.
Dims joint_batch(const OpRow& row, const Dims& a, const Dims& b);
/// t with a larger batch; without a copy where t is one matrix.
Tensor expand_batch(const Tensor& t, const Dims& batch, std::size_t matrix_rank);

/// Raises ShapeError where the rows or columns that A and B share have different names.
void check_same_name(const OpRow& row, const char* which, Name a, Name b);

/// A right-hand side as PyTorch reads it: a vector, or with `batches` a batch of them, becomes
/// matrices of one column.
struct RightSide {
  Matrices b;
  bool vector;
};
RightSide right_side(const OpRow& row, const Tensor& a, const Tensor& b, bool left,
                     bool batches = true);

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

}  // namespace tandem::ops
