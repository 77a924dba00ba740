// Front-ends of the factorisations by pivots and reflectors: Cholesky, LU, QR.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/ops/linalg.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"
#include "tandem/products.h"

namespace tandem {

namespace detail {

namespace {

/// The order of rows that interchanges leave: [..., m].
Tensor order_of(const OpRow& row, const Matrices& a, const Tensor& pivots) {
  return run_one(
      row, nullptr,
      [&] {
        return OutSpec{a.shape(Dims{a.m}), DType::int64, a.x.device(), {}};
      },
      [&](const Tensor& order) {
        if (order.numel() == 0) return;
        FactorLaunch f = factor_launch(row, FactorLaunch::Step::Permutation, a);
        f.k = std::min(a.m, a.n);
        f.pivots = pivots.data<std::int32_t>();
        f.order = order.data<std::int64_t>();
        f.stream = launch_stream(f.device, {&order}, {&pivots});
        launch(op::linalg_lu_factor_ex, f.device, &f);
      });
}

}  // namespace

std::tuple<Tensor, Tensor, Tensor> unpack_lu(const OpRow& row, const Matrices& a,
                                             const Tensor& pivots, bool data, bool permutation) {
  const std::int64_t k = std::min(a.m, a.n);
  const Tensor none = empty({0}, {.dtype = a.x.dtype(), .device = a.x.device()});
  Tensor p = none, l = none, u = none;
  if (permutation) {
    const Tensor order = order_of(row, a, pivots);
    const Tensor rows = arange(0, a.m, 1, {.dtype = DType::int64, .device = a.x.device()});
    p = named(eq(rows.unsqueeze(-1), order.unsqueeze(-2)).to(a.x.dtype()),
              a.names({a.rows, Name()}, row.name));
  }
  if (data) {
    l = tril(a.x.narrow(-1, 0, k), -1);
    if (l.numel() != 0) l.diagonal(0, -2, -1).fill_(1);
    named(l, a.names({Name(), Name()}, row.name));
    u = named(triu(a.x.narrow(-2, 0, k)), a.names({Name(), a.columns}, row.name));
  }
  return {p, l, u};
}

namespace {

std::pair<Tensor, Tensor> reflect_small(const OpRow& row, const Matrices& a) {
  const Tensor x = small_operand(a.x);
  const Tensor w = fresh_columns(a.x, a.batch, a.m, a.n);
  const std::int64_t k = std::min(a.m, a.n);
  const Tensor tau = run_one(
      row, nullptr,
      [&] {
        return OutSpec{a.shape(Dims{k}), a.x.dtype(), a.x.device(), {}};
      },
      [&](const Tensor& to) {
        if (to.numel() == 0) return;
        SmallQrLaunch f{};
        f.k = k;
        f.r = small_matrices(w);
        f.tau = to.data_ptr();
        run_small_qr(row, SmallQrLaunch::Step::Factor, a, x, f, {&to, &w}, {&x});
      });
  return {w, tau};
}

Tensor orthogonal_small(const OpRow& row, const Matrices& a, const Tensor& reflectors,
                        const Tensor& tau, std::int64_t columns) {
  const Tensor x = small_operand(reflectors);
  return run_one(
      row, nullptr,
      [&] {
        return OutSpec{a.shape(Dims{a.m, columns}), a.x.dtype(), a.x.device(), {}};
      },
      [&](const Tensor& q) {
        if (q.numel() == 0) return;
        SmallQrLaunch f{};
        f.k = tau.shape().back();
        f.columns = columns;
        f.q = small_matrices(q);
        f.tau = tau.data_ptr();
        run_small_qr(row, SmallQrLaunch::Step::Orthogonal, a, x, f, {&q}, {&x, &tau});
      });
}

}  // namespace

std::array<Tensor, 2> qr_small(const OpRow& row, const Matrices& a, std::int64_t columns) {
  const Tensor x = small_operand(a.x);
  const std::int64_t k = std::min(a.m, a.n);
  const bool both = columns > 0;
  return run<2>(
      row, {nullptr, nullptr},
      [&] {
        const auto spec = [&](Dims shape) {
          return OutSpec{std::move(shape), a.x.dtype(), a.x.device(), {}};
        };
        return std::array<OutSpec, 2>{spec(both ? a.shape(Dims{a.m, columns}) : Dims{0}),
                                      spec(a.shape(Dims{both ? columns : k, a.n}))};
      },
      [&](const std::array<Tensor, 2>& to) {
        if (to[1].numel() == 0) return;
        SmallQrLaunch f{};
        f.k = k;
        f.columns = columns;
        if (both) f.q = small_matrices(to[0]);
        f.r = small_matrices(to[1]);
        run_small_qr(row, both ? SmallQrLaunch::Step::QR : SmallQrLaunch::Step::R, a, x, f,
                     {&to[0], &to[1]}, {&x});
      });
}

std::pair<Tensor, Tensor> reflect(const OpRow& row, const Matrices& a) {
  if (is_small_qr(a, 0)) return reflect_small(row, a);
  const Tensor w = by_columns(a.x);
  const Tensor tau = run_one(
      row, nullptr,
      [&] {
        return OutSpec{a.shape(Dims{std::min(a.m, a.n)}), a.x.dtype(), a.x.device(), {}};
      },
      [&](const Tensor& to) {
        if (to.numel() == 0) return;
        FactorLaunch f = factor_launch(row, FactorLaunch::Step::QR, a);
        f.a = batch_of(w);
        f.tau = to.data_ptr();
        f.stream = launch_stream(f.device, {&to, &w}, {});
        launch(op::linalg_qr, f.device, &f);
      });
  return {w, tau};
}

namespace {

/// Q of a batch by products, since no library has orgqr of batches: E - V T V^H E, where T^-1 is
/// the upper triangle of V^H V with 1 / tau as its diagonal (the UT transform: T. Joffrain, T. M.
/// Low, E. S. Quintana-Orti, R. van de Geijn, F. G. Van Zee, ACM Trans. Math. Softw. 32, 2006).
Tensor orthogonal_by_products(const Matrices& a, const Tensor& reflectors, const Tensor& tau,
                              std::int64_t columns) {
  const Tensor turns = ne(tau, 0);  // a reflector with the factor 0 is the identity
  Tensor v = tril(reflectors.narrow(-1, 0, tau.shape().back()), -1);
  v.diagonal(0, -2, -1).fill_(1);
  v = where(turns.unsqueeze(-2), v, 0);
  const Tensor inverse = triu(matmul(adjoint(v), v), 1);
  inverse.diagonal(0, -2, -1).copy_(reciprocal(where(turns, tau, 1)));
  const Tensor known = adjoint(v.narrow(-2, 0, columns));
  const Tensor one = eye(a.m, columns, {.dtype = a.x.dtype(), .device = a.x.device()});
  return sub(one, matmul(v, linalg::solve_triangular(inverse, known, true)));
}

}  // namespace

Tensor orthogonal(const OpRow& row, const Matrices& a, const Tensor& reflectors, const Tensor& tau,
                  std::int64_t columns) {
  Matrices q = a;
  q.n = columns;
  const std::int64_t k = tau.shape().back();
  if (k == 0) {  // no reflector: the identity
    const Tensor one = eye(a.m, columns, {.dtype = a.x.dtype(), .device = a.x.device()});
    return one.expand(a.shape(Dims{a.m, columns})).clone();
  }
  if (is_small_qr(a, columns)) return orthogonal_small(row, a, reflectors, tau, columns);
  if (a.x.device().is_cuda() && goes_batched(a.count(), k)) {
    return orthogonal_by_products(a, reflectors, tau, columns);
  }
  Tensor out = fresh_columns(a.x, a.batch, a.m, columns);
  const std::int64_t known = std::min(a.n, columns);
  out.narrow(-1, 0, known).copy_(reflectors.narrow(-1, 0, known));
  if (out.numel() == 0 || out.device().is_meta()) return out;
  FactorLaunch f = factor_launch(row, FactorLaunch::Step::Orthogonal, q);
  f.k = k;
  f.a = batch_of(out);
  f.tau = tau.data_ptr();
  f.stream = launch_stream(f.device, {&out}, {&tau});
  launch(op::linalg_qr, f.device, &f);
  return out;
}

Tensor checked_tau(const OpRow& row, const Matrices& a, const Tensor& tau) {
  TANDEM_EXPECTS(a.m >= a.n, ShapeError,
                 fmt::format("[{}] argument 'A': expected no more columns than rows, got {} x {}",
                             row.name, a.m, a.n));
  TANDEM_EXPECTS(tau.dtype() == a.x.dtype(), TypeError,
                 fmt::format("[{}] argument 'tau': expected {} as A has, got {}", row.name,
                             name(a.x.dtype()), name(tau.dtype())));
  const bool fits = tau.dim() >= 1 && tau.shape().back() <= a.n &&
                    std::ranges::equal(tau.shape(), a.shape(Dims{tau.shape().back()}));
  TANDEM_EXPECTS(fits, ShapeError,
                 fmt::format("[{}] argument 'tau': expected the batch of A and at most {} factors, "
                             "got the shape ({})",
                             row.name, a.n, fmt::join(tau.shape(), ", ")));
  (void)common_device(row, std::array<const Tensor*, 2>{&a.x, &tau});
  return tau.rename(std::nullopt).contiguous();
}

FactoredLU factor_lu(const OpRow& row, const Matrices& a) {
  const std::int64_t k = std::min(a.m, a.n);
  const Tensor pivots = empty(a.shape(Dims{k}), {.dtype = DType::int32, .device = a.x.device()});
  if (is_small(a)) {
    const Tensor x = small_operand(a.x);
    const Tensor factors = fresh_columns(a.x, a.batch, a.m, a.n);
    const Tensor info = with_info(row, a, k == 0, [&](const Tensor& to) {
      SmallLaunch f{};
      f.a = small_matrices(x);
      f.x = small_matrices(factors);
      f.pivots = pivots.data<std::int32_t>();
      f.info = to.data<std::int32_t>();
      run_small(row, SmallLaunch::Step::LU, a, f, {&to, &factors, &pivots}, {&x});
    });
    return {factors, pivots, info};
  }
  const Tensor factors = by_columns(a.x);
  const Tensor info = with_info(row, a, k == 0, [&](const Tensor& to) {
    FactorLaunch f = factor_launch(row, FactorLaunch::Step::LU, a);
    f.a = batch_of(factors);
    f.pivots = pivots.data<std::int32_t>();
    f.info = to.data<std::int32_t>();
    f.stream = launch_stream(f.device, {&to, &factors, &pivots}, {});
    launch(op::linalg_lu_factor_ex, f.device, &f);
  });
  return {factors, pivots, info};
}

}  // namespace detail

namespace linalg {

namespace {

using detail::Matrices;
using Step = FactorLaunch::Step;

struct Factored {
  Tensor factor, info;
};

/// A of row-major order is, read by columns, A^T = conj(A), whose upper factor, read by rows again,
/// is the lower factor of A: nothing is transposed.
Factored factor_cholesky(const OpRow& row, const Matrices& a, bool upper) {
  if (detail::is_small(a)) {
    const Tensor x = detail::small_operand(a.x);
    const Tensor l = empty(x.shape(), {.dtype = x.dtype(), .device = x.device()});
    const Tensor info = detail::with_info(row, a, a.n == 0, [&](const Tensor& to) {
      SmallLaunch f{};
      f.a = detail::small_matrices(x, upper);
      f.x = detail::small_matrices(l, upper);
      f.info = to.data<std::int32_t>();
      detail::run_small(row, SmallLaunch::Step::Cholesky, a, f, {&to, &l}, {&x});
    });
    return {l, info};
  }
  const Tensor l = upper ? triu(a.x) : tril(a.x);
  const Tensor info = detail::with_info(row, a, a.n == 0, [&](const Tensor& to) {
    FactorLaunch f = detail::factor_launch(row, Step::Cholesky, a);
    f.a = detail::batch_of(l, true);
    f.upper = !upper;
    f.info = to.data<std::int32_t>();
    f.stream = detail::launch_stream(f.device, {&to, &l}, {});
    detail::launch(op::linalg_cholesky_ex, f.device, &f);
  });
  return {l, info};
}

/// P, L and U in one pass.
std::tuple<Tensor, Tensor, Tensor> lu_of_small(const OpRow& row, const Matrices& a) {
  const Tensor x = detail::small_operand(a.x);
  const auto fresh = [&] {
    return empty(a.shape({a.n, a.n}), {.dtype = x.dtype(), .device = x.device()});
  };
  const Tensor p = fresh(), l = fresh(), u = fresh();
  if (p.numel() != 0 && !p.device().is_meta()) {
    SmallLaunch f{};
    f.a = detail::small_matrices(x);
    f.x = detail::small_matrices(l);
    f.u = detail::small_matrices(u);
    f.p = detail::small_matrices(p);
    detail::run_small(row, SmallLaunch::Step::Parts, a, f, {&l, &u, &p}, {&x});
  }
  return {detail::named(p, a.names({a.rows, Name()}, row.name)),
          detail::named(l, a.names({Name(), Name()}, row.name)),
          detail::named(u, a.names({Name(), a.columns}, row.name))};
}

enum class Mode : std::uint8_t { Reduced, Complete, R };

Mode mode_of(const OpRow& row, const std::string& text) {
  if (text == "reduced") return Mode::Reduced;
  if (text == "complete") return Mode::Complete;
  if (text == "r") return Mode::R;
  detail::fail<ValueError>(fmt::format(
      "[{}] argument 'mode': expected 'reduced', 'complete' or 'r', got '{}'", row.name, text));
}

constexpr const char* kNotDefinite = "one that is not";

}  // namespace

std::tuple<Tensor, Tensor> cholesky_ex(const Tensor& x, bool upper, bool check_errors) {
  const OpRow& row = op::linalg_cholesky_ex;
  const Matrices a = detail::squares_of(row, x);
  const Names names = a.names({a.rows, a.columns}, row.name);
  const Factored f = factor_cholesky(row, a, upper);
  if (check_errors) detail::check_info(row, f.info, "positive definite", kNotDefinite);
  return {detail::named(f.factor, names), detail::named(f.info, a.names({}, row.name))};
}

Tensor cholesky(const Tensor& x, bool upper) {
  const OpRow& row = op::linalg_cholesky;
  const Matrices a = detail::squares_of(row, x);
  const Names names = a.names({a.rows, a.columns}, row.name);
  const Factored f = factor_cholesky(row, a, upper);
  detail::check_info(row, f.info, "positive definite", kNotDefinite);
  return detail::named(f.factor, names);
}

std::tuple<Tensor, Tensor, Tensor> lu_factor_ex(const Tensor& x, bool check_errors) {
  const OpRow& row = op::linalg_lu_factor_ex;
  const Matrices a = detail::matrices_of(row, x);
  const detail::FactoredLU f = detail::factor_lu(row, a);
  if (check_errors) detail::check_info(row, f.info, "invertible", "a singular one");
  return {detail::named(f.factors, a.names({a.rows, a.columns}, row.name)),
          detail::named(f.pivots, a.names({Name()}, row.name)),
          detail::named(f.info, a.names({}, row.name))};
}

std::tuple<Tensor, Tensor> lu_factor(const Tensor& x) {
  const OpRow& row = op::linalg_lu_factor;
  const Matrices a = detail::matrices_of(row, x);
  const detail::FactoredLU f = detail::factor_lu(row, a);
  detail::check_info(row, f.info, "invertible", "a singular one");
  return {detail::named(f.factors, a.names({a.rows, a.columns}, row.name)),
          detail::named(f.pivots, a.names({Name()}, row.name))};
}

std::tuple<Tensor, Tensor, Tensor> lu(const Tensor& x) {
  const OpRow& row = op::linalg_lu;
  const Matrices a = detail::matrices_of(row, x);
  if (detail::is_small(a)) return lu_of_small(row, a);
  const detail::FactoredLU f = detail::factor_lu(row, a);
  Matrices factored = a;
  factored.x = f.factors;
  return detail::unpack_lu(row, factored, f.pivots, true, true);
}

std::tuple<Tensor, Tensor> qr(const Tensor& x, const std::string& text) {
  const OpRow& row = op::linalg_qr;
  const Matrices a = detail::matrices_of(row, x);
  const Mode mode = mode_of(row, text);
  const bool both = mode != Mode::R;
  const std::int64_t columns = mode == Mode::Complete ? a.m : std::min(a.m, a.n);
  const Names q_names = a.names({a.rows, Name()}, row.name);
  const Names r_names = a.names({Name(), a.columns}, row.name);
  if (detail::is_small_qr(a, columns)) {
    const auto [q, r] = detail::qr_small(row, a, both ? columns : 0);
    return {both ? detail::named(q, q_names) : q, detail::named(r, r_names)};
  }
  const auto [w, tau] = detail::reflect(row, a);
  const Tensor r = detail::named(triu(w.narrow(-2, 0, columns)), r_names);
  if (!both) return {empty({0}, {.dtype = a.x.dtype(), .device = a.x.device()}), r};
  return {detail::named(detail::orthogonal(row, a, w, tau, columns), q_names), r};
}

Tensor householder_product(const Tensor& x, const Tensor& factors) {
  const OpRow& row = op::linalg_householder_product;
  const Matrices a = detail::matrices_of(row, x);
  const Tensor tau = detail::checked_tau(row, a, factors);
  return detail::named(detail::orthogonal(row, a, a.x, tau, a.n),
                       a.names({a.rows, Name()}, row.name));
}

}  // namespace linalg

namespace ops {

namespace {

void check_pivot(const OpRow& row, bool pivot) {
  TANDEM_EXPECTS(pivot, NotImplemented,
                 fmt::format("[{}] argument 'pivot': expected True: LAPACK has no factorisation "
                             "without pivots",
                             row.name));
}

std::vector<Value> three(std::tuple<Tensor, Tensor, Tensor> t) {
  return {std::get<0>(t), std::get<1>(t), std::get<2>(t)};
}

}  // namespace

std::vector<Value> linalg_lu_factor_ex(const Tensor& a, bool pivot, bool check_errors) {
  check_pivot(op::linalg_lu_factor_ex, pivot);
  return three(linalg::lu_factor_ex(a, check_errors));
}

std::tuple<Tensor, Tensor> linalg_lu_factor(const Tensor& a, bool pivot) {
  check_pivot(op::linalg_lu_factor, pivot);
  return linalg::lu_factor(a);
}

std::vector<Value> linalg_lu(const Tensor& a, bool pivot) {
  check_pivot(op::linalg_lu, pivot);
  return three(linalg::lu(a));
}

}  // namespace ops

}  // namespace tandem
