// PyTorch's names of linear algebra outside linalg, with parameters of their own, made of linalg's.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "runtime/ops/linalg.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"
#include "tandem/products.h"

namespace tandem::ops {

using detail::Matrices;

Tensor logdet(const Tensor& x) {
  const OpRow& row = op::logdet;
  (void)detail::squares_of(row, x);
  const auto [sign, size] = linalg::slogdet(x);
  if (is_complex(x.dtype())) return add(size, log(sign));
  return where(lt(sign, 0), std::numeric_limits<double>::quiet_NaN(), size);
}

Tensor cholesky_solve(const Tensor& b, const Tensor& l, bool upper) {
  const OpRow& row = op::cholesky_solve;
  (void)detail::squares_of(row, l, "L");
  (void)detail::matrices_of(row, b, "B");
  const Tensor lower = upper ? adjoint(l) : l;
  const Tensor half = detail::triangular_solution(row, "L", lower, b, false);
  return detail::triangular_solution(row, "L", adjoint(lower), half, true);
}

Tensor cholesky_inverse(const Tensor& l, bool upper) {
  const OpRow& row = op::cholesky_inverse;
  const Matrices a = detail::squares_of(row, l, "L");
  const Names names = a.names({a.rows, a.columns}, row.name);
  const Tensor one = eye(a.n, {}, {.dtype = l.dtype(), .device = l.device()});
  const Tensor x = detail::triangular_solution(row, "L", upper ? adjoint(a.x) : a.x, one, false);
  return detail::named(matmul(adjoint(x), x), names);
}

std::tuple<Tensor, Tensor> qr(const Tensor& a, bool some) {
  return linalg::qr(a, some ? "reduced" : "complete");
}

std::vector<Value> svd(const Tensor& x, bool some, bool compute_uv) {
  if (compute_uv) {
    const auto [u, s, vh] = linalg::svd(x, !some);
    return {u, s, adjoint(vh)};
  }
  const Matrices a = detail::matrices_of(op::svd, x);
  const Options options{.dtype = x.dtype(), .device = x.device()};
  return {zeros(a.shape(Dims{a.m, a.m}), options), linalg::svdvals(x),
          zeros(a.shape(Dims{a.n, a.n}), options)};
}

Tensor pinverse(const Tensor& a, double rcond) { return linalg::pinv(a, {}, rcond); }

Tensor lu_solve(const Tensor& b, const Tensor& lu, const Tensor& pivots) {
  return detail::lu_solution(op::lu_solve, "LU_data", "LU_pivots", lu, pivots, b, true, false);
}

std::vector<Value> lu_unpack(const Tensor& lu, const Tensor& pivots, bool data, bool permutation) {
  const OpRow& row = op::lu_unpack;
  const Matrices a = detail::matrices_of(row, lu, "LU_data");
  const Dims shape = a.shape(Dims{std::min(a.m, a.n)});
  TANDEM_EXPECTS(pivots.dtype() == DType::int32, TypeError,
                 fmt::format("[{}] argument 'LU_pivots': expected int32, got {}", row.name,
                             name(pivots.dtype())));
  TANDEM_EXPECTS(std::ranges::equal(pivots.shape(), shape), ShapeError,
                 fmt::format("[{}] argument 'LU_pivots': expected the shape ({}), got ({})",
                             row.name, fmt::join(shape, ", "), fmt::join(pivots.shape(), ", ")));
  (void)detail::common_device(row, std::array<const Tensor*, 2>{&lu, &pivots});
  const Tensor own = pivots.rename(std::nullopt).contiguous();
  detail::check_pivots(row, "LU_pivots", own, a.m);
  const auto [p, l, u] = detail::unpack_lu(row, a, own, data, permutation);
  return {p, l, u};
}

std::tuple<Tensor, Tensor> geqrf(const Tensor& x) {
  const OpRow& row = op::geqrf;
  const Matrices a = detail::matrices_of(row, x);
  const auto [w, tau] = detail::reflect(row, a);
  return {detail::named(w, a.names({a.rows, a.columns}, row.name)),
          detail::named(tau, a.names({Name()}, row.name))};
}

Tensor ormqr(const Tensor& x, const Tensor& factors, const Tensor& c, bool left, bool transpose) {
  const OpRow& row = op::ormqr;
  const Matrices a = detail::matrices_of(row, x);
  const Tensor tau = detail::checked_tau(row, a, factors);
  const Matrices other = detail::matrices_of(row, c, "C");
  TANDEM_EXPECTS((left ? other.m : other.n) == a.m, ShapeError,
                 fmt::format("[{}] argument 'C': expected {} {}, got {}", row.name, a.m,
                             left ? "rows" : "columns", left ? other.m : other.n));
  (void)detail::common_device(row, std::array<const Tensor*, 2>{&x, &c});
  const Tensor whole = detail::orthogonal(row, a, a.x, tau, a.m);
  const Tensor q = transpose ? adjoint(whole) : whole;
  const Tensor product = left ? matmul(q, other.x) : matmul(other.x, q);
  return product.dim() == c.dim() ? detail::named(product, c.body_ptr()->names) : product;
}

std::tuple<Tensor, Tensor> triangular_solve(const Tensor& b, const Tensor& a, bool upper,
                                            bool transpose, bool unitriangular) {
  (void)detail::squares_of(op::triangular_solve, a);
  (void)detail::matrices_of(op::triangular_solve, b, "B");
  const Tensor x =
      detail::triangular_solution(op::triangular_solve, "A", transpose ? matrix_transpose(a) : a, b,
                                  upper != transpose, true, unitriangular);
  return {x, a.clone()};
}

}  // namespace tandem::ops
