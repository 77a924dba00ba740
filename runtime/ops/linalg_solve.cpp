// Front-ends of linear equations: solve, lu_solve, solve_triangular, inv, det, slogdet.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/ops/linalg.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem::linalg {

namespace {

using detail::Matrices;
using detail::RightSide;
using Step = FactorLaunch::Step;
using Op = FactorLaunch::Op;

/// Factors of A, or where its elements lie by rows of A^T.
struct Factored {
  Tensor factors;  // as nearest_copy gave them
  bool transposed;
  Tensor pivots, info;
};

Factored factor(const OpRow& row, const Matrices& a) {
  if (detail::is_small(a)) {
    const auto [factors, pivots, info] = detail::factor_lu(row, a);
    return {factors, false, pivots, info};
  }
  const auto [w, transposed] = detail::nearest_copy(a.x);
  const Tensor pivots = empty(a.shape(Dims{a.n}), {.dtype = DType::int32, .device = a.x.device()});
  const Tensor info =
      detail::with_info(row, a, a.n == 0, [&, &w = w, &t = transposed](const Tensor& to) {
        FactorLaunch f = detail::factor_launch(row, Step::LU, a);
        f.a = detail::batch_of(w, t);
        f.pivots = pivots.data<std::int32_t>();
        f.info = to.data<std::int32_t>();
        f.stream = detail::launch_stream(f.device, {&to, &w, &pivots}, {});
        detail::launch(op::linalg_lu_factor_ex, f.device, &f);
      });
  return {w, transposed, pivots, info};
}

/// x [..., n, k] = A^-1 B in one pass over small matrices, and info, one of the batch each.
/// A and B have that batch, or are one matrix for all of it. `turned`: of the transposed matrices.
std::tuple<Tensor, Tensor> solved_small(const OpRow& row, const Matrices& a, const Tensor& b,
                                        bool turned) {
  const Tensor x = detail::small_operand(a.x);
  const Tensor right = detail::small_operand(b);
  Tensor y = empty(right.shape(), {.dtype = a.x.dtype(), .device = a.x.device()});
  const bool none = y.numel() == 0;
  const Tensor info = detail::with_info(row, a, a.n == 0, [&](const Tensor& to) {
    SmallLaunch f{};
    f.k = none ? 0 : right.shape()[right.shape().size() - (turned ? 2 : 1)];
    f.a = detail::small_matrices(x, turned);
    f.b = detail::small_matrices(right, turned);
    f.x = detail::small_matrices(y, turned);
    f.info = to.data<std::int32_t>();
    detail::run_small(row, SmallLaunch::Step::Solve, a, f, {&to, &y}, {&x, &right});
  });
  return {y, info};
}

/// B, by columns, becomes op(A)^-1 B. A's batch is B's, or A is one matrix.
void back_substitute(const OpRow& row, const Tensor& factors, bool by_rows, const Tensor& pivots,
                     const Matrices& b, Op op) {
  if (b.x.numel() == 0 || b.x.device().is_meta()) return;
  FactorLaunch f = detail::factor_launch(row, Step::LUSolve, b);
  f.n = b.m;
  f.k = b.n;
  f.op = op;
  f.a = detail::batch_of(factors, by_rows);
  f.pivots = pivots.data<std::int32_t>();
  f.pivots_stride = f.a.stride == 0 ? 0 : f.n;
  f.b = detail::batch_of(b.x);
  f.stream = detail::launch_stream(f.device, {&b.x}, {&factors, &pivots});
  detail::launch(op::linalg_lu_solve, f.device, &f);
}

/// Of A X = B: X has A's columns and B's columns; of X A = B: B's rows and A's rows.
Names solution_names(const OpRow& row, const Matrices& a, const RightSide& r, bool left,
                     const char* of = "A") {
  if (left) {
    detail::check_same_name(row, "rows", a.rows, r.b.rows, of);
  } else {
    detail::check_same_name(row, "columns", a.columns, r.b.columns, of);
  }
  Names names = detail::unify_names(a.batch_names, a.batch.size(), r.b.batch_names,
                                    r.b.batch.size(), row.name);
  names.resize(std::max(a.batch.size(), r.b.batch.size()));
  names.push_back(left ? a.columns : r.b.rows);
  if (!r.vector) names.push_back(left ? r.b.columns : a.rows);
  detail::check_unique(names, row.name);
  return detail::simplified(names);
}

/// B in fresh memory by columns, its batch broadcast; transposed where X A = B.
Matrices columns_of(const Matrices& b, const Dims& batch, bool left) {
  Matrices out = b;
  const Tensor turned = left ? b.x : matrix_transpose(b.x);
  if (!left) std::swap(out.m, out.n);
  out.batch = batch;
  out.x = detail::by_columns(turned.expand(out.shape(Dims{out.m, out.n})));
  return out;
}

Tensor finished(const Tensor& x, bool vector, bool left, const Names& names) {
  const Tensor t = vector ? x.squeeze(Axes{Axis(-1)}) : left ? x : matrix_transpose(x);
  return detail::named(t, names);
}

std::tuple<Tensor, Tensor> solved(const OpRow& row, const Tensor& x, const Tensor& y, bool left) {
  const Matrices a = detail::squares_of(row, x);
  const RightSide r = detail::right_side(row, x, y, left);
  const Dims batch = detail::joint_batch(row, a.batch, r.b.batch);
  const Names names = solution_names(row, a, r, left);
  if (batch == a.batch && detail::is_small(a, left ? r.b.n : r.b.m)) {
    Dims shape = batch;
    shape.push_back(r.b.m);
    shape.push_back(r.b.n);
    const auto [z, info] = solved_small(row, a, r.b.x.expand(shape), !left);
    return {detail::named(r.vector ? z.squeeze(Axes{Axis(-1)}) : z, names), info};
  }
  const Matrices b = columns_of(r.b, batch, left);
  const Factored f = factor(row, a);
  const Tensor factors = detail::expand_batch(f.factors, batch, 2);
  const Tensor pivots = detail::expand_batch(f.pivots, batch, 1);
  // X A = B is A^T X^T = B^T.
  back_substitute(row, factors, f.transposed, pivots, b,
                  f.transposed == left ? Op::Transpose : Op::Plain);
  return {finished(b.x, r.vector, left, names), f.info};
}

std::tuple<Tensor, Tensor> inverted(const OpRow& row, const Matrices& a) {
  const Names names = a.names({a.columns, a.rows}, row.name);
  if (detail::is_small(a, a.n)) {
    const Tensor x = detail::small_operand(a.x);
    const Tensor y = empty(x.shape(), {.dtype = x.dtype(), .device = x.device()});
    const Tensor info = detail::with_info(row, a, a.n == 0, [&](const Tensor& to) {
      SmallLaunch f{};
      f.k = a.n;
      f.a = detail::small_matrices(x);
      f.x = detail::small_matrices(y);
      f.info = to.data<std::int32_t>();
      detail::run_small(row, SmallLaunch::Step::Inverse, a, f, {&to, &y}, {&x});
    });
    return {detail::named(y, names), info};
  }
  const bool device = a.x.device().is_cuda();
  if (device && !goes_batched(a.count(), a.n)) {  // cuSOLVER has no getri of single matrices
    const Tensor one = eye(a.n, a.n, {.dtype = a.x.dtype(), .device = a.x.device()});
    auto [x, info] = solved(row, a.x, one, true);
    return {detail::named(x, names), info};
  }
  // The inverse of a transposed matrix is the transposed inverse: the order of elements stays.
  const auto [w, transposed] = detail::nearest_copy(a.x);
  const Tensor y = !device      ? w
                   : transposed ? empty(w.shape(), {.dtype = w.dtype(), .device = w.device()})
                                : detail::fresh_columns(w, a.batch, a.n, a.n);
  const Tensor info =
      detail::with_info(row, a, a.n == 0, [&, &w = w, &t = transposed](const Tensor& to) {
        FactorLaunch f = detail::factor_launch(row, Step::Inverse, a);
        f.a = detail::batch_of(w, t);
        f.b = detail::batch_of(y, t);
        f.info = to.data<std::int32_t>();
        f.stream = detail::launch_stream(f.device, {&to, &w, &y}, {});
        detail::launch(op::linalg_inv_ex, f.device, &f);
      });
  return {detail::named(y, names), info};
}

/// +1 or -1: each interchange turns the sign.
Tensor parity(const Matrices& a, const Tensor& pivots, DType t) {
  const Tensor own = arange(1, a.n + 1, 1, {.dtype = DType::int32, .device = a.x.device()});
  const Tensor turns = count_nonzero(ne(pivots, own), Axes{Axis(-1)});
  return sub(1, mul(remainder(turns, 2), 2)).to(t);
}

constexpr const char* kSingular = "a singular one";

}  // namespace

}  // namespace tandem::linalg

namespace tandem::detail {

using namespace linalg;  // the helpers above

Tensor lu_solution(const OpRow& row, const char* of, const char* of_pivots, const Tensor& lu,
                   const Tensor& pivots, const Tensor& y, bool left, bool adjoint) {
  const Matrices a = detail::squares_of(row, lu, of);
  const RightSide r = detail::right_side(row, lu, y, left, false, of);
  TANDEM_EXPECTS(pivots.dtype() == DType::int32, TypeError,
                 fmt::format("[{}] argument '{}': expected int32, got {}", row.name, of_pivots,
                             name(pivots.dtype())));
  TANDEM_EXPECTS(
      std::ranges::equal(pivots.shape(), a.shape(Dims{a.n})), ShapeError,
      fmt::format("[{}] argument '{}': expected the shape ({}), got ({})", row.name, of_pivots,
                  fmt::join(a.shape(Dims{a.n}), ", "), fmt::join(pivots.shape(), ", ")));
  (void)detail::common_device(row, std::array<const Tensor*, 2>{&lu, &pivots});
  const Tensor own = pivots.rename(std::nullopt).contiguous();
  detail::check_pivots(row, of_pivots, own, a.n);
  const Dims batch = detail::joint_batch(row, a.batch, r.b.batch);
  const Names names = solution_names(row, a, r, left, of);
  Matrices b = columns_of(r.b, batch, left);
  // X A^H = B is conj(A) X^T = B^T: conjugated, A X^H = B^H.
  const bool conjugate = adjoint && !left && is_complex(lu.dtype());
  if (conjugate) b.x.copy_(conj(b.x));
  const Tensor factors = detail::expand_batch(detail::by_columns(a.x), batch, 2);
  const Op op = left ? (adjoint ? Op::Adjoint : Op::Plain) : (adjoint ? Op::Plain : Op::Transpose);
  back_substitute(row, factors, false, detail::expand_batch(own, batch, 1), b, op);
  if (conjugate) b.x.copy_(conj(b.x));
  return finished(b.x, r.vector, left, names);
}

Tensor triangular_solution(const OpRow& row, const char* of, const Tensor& x, const Tensor& y,
                           bool upper, bool left, bool unitriangular) {
  const Matrices a = detail::squares_of(row, x, of);
  const RightSide r = detail::right_side(row, x, y, left, false, of);
  const Dims batch = detail::joint_batch(row, a.batch, r.b.batch);
  const Names names = solution_names(row, a, r, left, of);
  const Matrices b = columns_of(r.b, batch, left);
  if (b.x.numel() == 0 || b.x.device().is_meta()) return finished(b.x, r.vector, left, names);
  // A dense A is read where it lies, by rows or by columns.
  const bool rows = a.x.is_contiguous();
  const bool columns = !rows && matrix_transpose(a.x).is_contiguous();
  const Tensor own = rows || columns ? a.x : a.x.contiguous();
  const Tensor triangle = detail::expand_batch(own, batch, 2);
  FactorLaunch f = detail::factor_launch(row, Step::Triangular, b);
  f.n = b.m;
  f.k = b.n;
  f.a = detail::batch_of(triangle, !columns);
  f.b = detail::batch_of(b.x);
  f.op = columns == left ? Op::Plain : Op::Transpose;
  f.upper = upper == columns;
  f.unit = unitriangular;
  f.stream = detail::launch_stream(f.device, {&b.x}, {&triangle});
  detail::launch(op::linalg_solve_triangular, f.device, &f);
  return finished(b.x, r.vector, left, names);
}

}  // namespace tandem::detail

namespace tandem::linalg {

Tensor solve(const Tensor& a, const Tensor& b, bool left) {
  const auto [x, info] = solved(op::linalg_solve, a, b, left);
  detail::check_info(op::linalg_solve, info, "invertible", kSingular);
  return x;
}

std::tuple<Tensor, Tensor> solve_ex(const Tensor& a, const Tensor& b, bool left,
                                    bool check_errors) {
  const OpRow& row = op::linalg_solve_ex;
  auto [x, info] = solved(row, a, b, left);
  if (check_errors) detail::check_info(row, info, "invertible", kSingular);
  return {x, detail::named(info, detail::matrices_of(row, a).names({}, row.name))};
}

Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint) {
  return detail::lu_solution(op::linalg_lu_solve, "LU", "pivots", lu, pivots, b, left, adjoint);
}

Tensor solve_triangular(const Tensor& a, const Tensor& b, bool upper, bool left,
                        bool unitriangular) {
  return detail::triangular_solution(op::linalg_solve_triangular, "A", a, b, upper, left,
                                     unitriangular);
}

Tensor inv(const Tensor& x) {
  const OpRow& row = op::linalg_inv;
  const auto [y, info] = inverted(row, detail::squares_of(row, x));
  detail::check_info(row, info, "invertible", kSingular);
  return y;
}

std::tuple<Tensor, Tensor> inv_ex(const Tensor& x, bool check_errors) {
  const OpRow& row = op::linalg_inv_ex;
  const Matrices a = detail::squares_of(row, x);
  auto [y, info] = inverted(row, a);
  if (check_errors) detail::check_info(row, info, "invertible", kSingular);
  return {y, detail::named(info, a.names({}, row.name))};
}

Tensor det(const Tensor& x) {
  const OpRow& row = op::linalg_det;
  const Matrices a = detail::squares_of(row, x);
  if (detail::is_small(a) && a.n > 0) {
    const Tensor own = detail::small_operand(a.x);
    return detail::run_one(
        row, nullptr,
        [&] {
          return detail::OutSpec{a.batch, x.dtype(), x.device(), a.names({}, row.name)};
        },
        [&](const Tensor& to) {
          if (to.numel() == 0) return;
          SmallLaunch f{};
          f.a = detail::small_matrices(own);
          f.x = {to.data_ptr(), 1, 1, 1};
          detail::run_small(row, SmallLaunch::Step::Determinant, a, f, {&to}, {&own});
        });
  }
  const Factored f = factor(row, a);
  const Tensor product = prod(f.factors.diagonal(0, -2, -1), Axes{Axis(-1)});
  return detail::named(mul(product, parity(a, f.pivots, x.dtype())), a.names({}, row.name));
}

std::tuple<Tensor, Tensor> slogdet(const Tensor& x) {
  const OpRow& row = op::linalg_slogdet;
  const Matrices a = detail::squares_of(row, x);
  const Factored f = factor(row, a);
  const Tensor diagonal = f.factors.diagonal(0, -2, -1);
  const Names names = a.names({}, row.name);
  const Tensor sign =
      mul(prod(tandem::sign(diagonal), Axes{Axis(-1)}), parity(a, f.pivots, x.dtype()));
  return {detail::named(sign, names),
          detail::named(sum(log(abs(diagonal)), Axes{Axis(-1)}), names)};
}

Tensor tensorsolve(const Tensor& x, const Tensor& y, const std::optional<Axes>& dims) {
  const OpRow& row = op::linalg_tensorsolve;
  Tensor a = x.rename(std::nullopt);
  if (dims) {
    const std::uint64_t moved = detail::resolve_axes(*dims, x, row.name);
    SmallVector<Axis, 6> from, to;
    for (std::int64_t d = 0; d < x.dim(); ++d) {
      if ((moved >> d & 1u) != 0) from.push_back(Axis(d));
    }
    const auto count = static_cast<std::int64_t>(from.size());
    for (std::int64_t i = 0; i < count; ++i) to.push_back(Axis(i - count));
    a = a.movedim(Axes(from), Axes(to));
  }
  const Tensor b = y.rename(std::nullopt);
  TANDEM_EXPECTS(
      a.dim() >= b.dim() && std::ranges::equal(a.shape().first(b.shape().size()), b.shape()),
      ShapeError,
      fmt::format("[{}] argument 'A': expected a shape that begins with B's ({}), got ({})",
                  row.name, fmt::join(b.shape(), ", "), fmt::join(a.shape(), ", ")));
  const Dims rest(a.shape().subspan(b.shape().size()));
  std::int64_t n = 1;
  for (const std::int64_t s : rest) n *= s;
  TANDEM_EXPECTS(n == b.numel(), ShapeError,
                 fmt::format("[{}] argument 'A': expected as many columns as rows, got {} and {}",
                             row.name, n, b.numel()));
  const auto [z, info] = solved(row, a.reshape({n, n}), b.reshape({n}), true);
  detail::check_info(row, info, "invertible", kSingular);
  return z.reshape(rest);
}

Tensor tensorinv(const Tensor& x, std::int64_t ind) {
  const OpRow& row = op::linalg_tensorinv;
  TANDEM_EXPECTS(ind > 0 && ind <= x.dim(), ValueError,
                 fmt::format("[{}] argument 'ind': expected a number of dimensions in [1, {}], got "
                             "{}",
                             row.name, x.dim(), ind));
  const Tensor a = x.rename(std::nullopt);
  const Dims rows(a.shape().first(static_cast<std::size_t>(ind)));
  const Dims columns(a.shape().subspan(static_cast<std::size_t>(ind)));
  std::int64_t m = 1, n = 1;
  for (const std::int64_t s : rows) m *= s;
  for (const std::int64_t s : columns) n *= s;
  const auto [y, info] = inverted(row, detail::squares_of(row, a.reshape({m, n})));
  detail::check_info(row, info, "invertible", kSingular);
  Dims shape = columns;
  for (const std::int64_t s : rows) shape.push_back(s);
  return y.reshape(shape);
}

}  // namespace tandem::linalg

namespace tandem::ops {

Tensor linalg_tensorsolve(const Tensor& a, const Tensor& b, std::optional<Axes> dims) {
  return linalg::tensorsolve(a, b, dims);
}

}  // namespace tandem::ops
