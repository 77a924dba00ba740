// Front-ends of singular values, eigenvalues and least squares.
#include <fmt/format.h>

#include <cmath>

#include "runtime/ops/linalg.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"

namespace tandem {

namespace linalg {

namespace {

using detail::Matrices;
using Step = FactorLaunch::Step;

DType complex_part(DType t) {
  return t == DType::float32 || t == DType::complex64 ? DType::complex64 : DType::complex128;
}

Tensor values_like(const Matrices& a, std::int64_t n, DType t) {
  return empty(a.shape(Dims{n}), {.dtype = t, .device = a.x.device()});
}

constexpr const char* kConvergent = "convergent";
constexpr const char* kDiverged = "one whose iteration did not converge";

/// cuSOLVER does not search for elements that are not finite: an info that says so where they are.
Tensor with_finite(const Tensor& x, const Tensor& info) {
  if (!x.device().is_cuda()) return info;
  const Tensor finite = all(isfinite(x), Axes{Axis(-2), Axis(-1)});
  return where(finite, info, FactorLaunch::kNotFinite);
}

struct Singular {
  Tensor u, s, v, info;
};

Singular singular(const OpRow& row, const Matrices& a, bool vectors, bool full) {
  if (detail::is_small_spectral(a)) {
    detail::SmallSpectrum f = detail::small_svd(row, a, vectors, full);
    detail::check_info(row, f.info, kConvergent, kDiverged);
    return {f.left, f.values, f.right, f.info};
  }
  const std::int64_t k = std::min(a.m, a.n);
  if (a.x.device().is_cuda() && a.m < a.n) {  // cuSOLVER wants no fewer rows than columns
    Matrices turned = a;
    std::swap(turned.m, turned.n);
    turned.x = adjoint(a.x);
    Singular f = singular(row, turned, vectors, full);
    if (!vectors) return f;
    return {adjoint(f.v), f.s, adjoint(f.u), f.info};
  }
  Singular out;
  out.s = values_like(a, k, real_part(a.x.dtype()));
  if (vectors) {
    out.u = detail::fresh_columns(a.x, a.batch, a.m, full ? a.m : k);
    out.v = detail::fresh_columns(a.x, a.batch, full ? a.n : k, a.n);
  }
  if (k == 0 && vectors) {  // any orthonormal columns do
    const Options options{.dtype = a.x.dtype(), .device = a.x.device()};
    out.u.copy_(eye(a.m, full ? a.m : k, options));
    out.v.copy_(eye(full ? a.n : k, a.n, options));
  }
  const Tensor w = k == 0 ? Tensor() : detail::by_columns(a.x);
  out.info = detail::with_info(row, a, k == 0, [&](const Tensor& info) {
    FactorLaunch f = detail::factor_launch(row, Step::Svd, a);
    f.a = detail::batch_of(w);
    f.values = out.s.data_ptr();
    f.vectors = vectors;
    f.full = full;
    f.info = info.data<std::int32_t>();
    if (vectors) {
      f.u = detail::batch_of(out.u);
      f.v = detail::batch_of(out.v);
      f.stream = detail::launch_stream(f.device, {&info, &w, &out.s, &out.u, &out.v}, {});
    } else {
      f.stream = detail::launch_stream(f.device, {&info, &w, &out.s}, {});
    }
    detail::launch(op::linalg_svd, f.device, &f);
  });
  detail::check_info(row, with_finite(a.x, out.info), kConvergent, kDiverged);
  return out;
}

bool upper_of(const OpRow& row, const std::string& uplo) {
  const bool u = uplo == "U" || uplo == "u";
  TANDEM_EXPECTS(
      u || uplo == "L" || uplo == "l", ValueError,
      fmt::format("[{}] argument 'UPLO': expected 'L' or 'U', got '{}'", row.name, uplo));
  return u;
}

/// Values and, where wanted, vectors. Read by columns, a real symmetric matrix of row-major order
/// is itself, its other triangle first.
std::pair<Tensor, Tensor> hermitian(const OpRow& row, const Matrices& a, const std::string& uplo,
                                    bool vectors) {
  const bool upper = upper_of(row, uplo);
  if (detail::is_small_spectral(a)) {
    const detail::SmallSpectrum f = detail::small_eigh(row, a, upper, vectors);
    detail::check_info(row, f.info, kConvergent, kDiverged);
    return {f.values, f.left};
  }
  const bool real = !is_complex(a.x.dtype());
  const detail::Copied w =
      real ? detail::nearest_copy(a.x) : detail::Copied{detail::by_columns(a.x), false};
  const Tensor values = values_like(a, a.n, real_part(a.x.dtype()));
  const Tensor info = detail::with_info(row, a, a.n == 0, [&](const Tensor& to) {
    FactorLaunch f = detail::factor_launch(row, Step::Eigh, a);
    f.a = detail::batch_of(w.data, w.transposed);
    f.values = values.data_ptr();
    f.upper = upper != w.transposed;
    f.vectors = vectors;
    f.info = to.data<std::int32_t>();
    f.stream = detail::launch_stream(f.device, {&to, &w.data, &values}, {});
    detail::launch(op::linalg_eigh, f.device, &f);
  });
  const Tensor read = !a.x.device().is_cuda() ? a.x : upper ? triu(a.x) : tril(a.x);
  detail::check_info(row, with_finite(read, info), kConvergent, kDiverged);
  return {values, w.transposed ? matrix_transpose(w.data) : w.data};
}

std::pair<Tensor, Tensor> general(const OpRow& row, const Matrices& a, bool vectors) {
  const DType t = complex_part(a.x.dtype());
  // cuSOLVER gets complex matrices, so that there are no pairs to join.
  const bool widened = a.x.device().is_cuda() && !is_complex(a.x.dtype());
  const Tensor w = detail::by_columns(widened ? a.x.to(t) : a.x);
  const Tensor values = values_like(a, a.n, t);
  const Tensor u = vectors ? detail::fresh_columns(a.x, a.batch, a.n, a.n, t) : values;
  const Tensor info = detail::with_info(row, a, a.n == 0, [&](const Tensor& to) {
    FactorLaunch f = detail::factor_launch(row, Step::Eig, a);
    f.dtype = w.dtype();
    f.a = detail::batch_of(w);
    f.values = values.data_ptr();
    f.vectors = vectors;
    f.info = to.data<std::int32_t>();
    if (vectors) f.u = detail::batch_of(u);
    f.stream = detail::launch_stream(f.device, {&to, &w, &values, &u}, {});
    detail::launch(op::linalg_eig, f.device, &f);
  });
  detail::check_info(row, with_finite(a.x, info), kConvergent, kDiverged);
  return {values, u};
}

// ---- least squares
// ------------------------------------------------------------------------------------

using Driver = FactorLaunch::Driver;

Driver driver_of(const OpRow& row, const std::string& text, Device device) {
  static constexpr std::string_view kTexts[] = {"gels", "gelsy", "gelsd", "gelss"};
  if (text.empty()) return device.is_cuda() ? Driver::Gels : Driver::Gelsy;
  for (int i = 0; i < 4; ++i) {
    if (text != kTexts[i]) continue;
    TANDEM_EXPECTS(i == 0 || !device.is_cuda(), NotImplemented,
                   fmt::format("[{}] argument 'driver': expected gels on a device, got {}: "
                               "cuSOLVER has no other",
                               row.name, text));
    return static_cast<Driver>(i);
  }
  detail::fail<ValueError>(fmt::format(
      "[{}] argument 'driver': expected gels, gelsy, gelsd or gelss, got '{}'", row.name, text));
}

/// By QR of A, or where it has more columns than rows of its adjoint: the shortest solution.
Tensor by_qr(const Tensor& a, const Tensor& b) {
  if (a.shape()[a.shape().size() - 2] >= a.shape().back()) {
    const auto [q, r] = qr(a);
    return solve_triangular(r, tandem::matmul(adjoint(q), b), true);
  }
  const auto [q, r] = qr(adjoint(a));
  return tandem::matmul(q, solve_triangular(adjoint(r), b, false));
}

/// A, B and the solution in B's memory, and what the driver tells beside it.
struct Problem {
  Matrices a;  // by columns, the batch broadcast
  Tensor b;    // [..., max(m, n), k] by columns
  Tensor rank, values, info;
};

void solve_least(const OpRow& row, Problem& p, Driver driver, double rcond) {
  const std::int64_t k = p.b.shape().back();
  const bool empty = std::min({p.a.m, p.a.n, k}) == 0;
  p.info = detail::with_info(row, p.a, empty, [&](const Tensor& to) {
    FactorLaunch f = detail::factor_launch(row, Step::LeastSquares, p.a);
    f.k = k;
    f.a = detail::batch_of(p.a.x);
    f.b = detail::batch_of(p.b);
    f.driver = driver;
    f.rcond = rcond;
    f.rank = p.rank.data<std::int64_t>();
    const bool has_values = driver == Driver::Gelsd || driver == Driver::Gelss;
    if (has_values) f.values = p.values.data_ptr();
    f.info = to.data<std::int32_t>();
    f.stream = detail::launch_stream(f.device, {&to, &p.a.x, &p.b, &p.rank, &p.values}, {});
    detail::launch(op::linalg_lstsq, f.device, &f);
  });
  if (!empty || p.info.device().is_meta()) return;
  p.b.zero_();
  p.rank.zero_();
  p.values.zero_();
}

double precision(DType t) { return std::ldexp(1.0, 1 - info(real_part(t)).bits); }

}  // namespace

std::tuple<Tensor, Tensor, Tensor> svd(const Tensor& x, bool full_matrices) {
  const OpRow& row = op::linalg_svd;
  const Matrices a = detail::matrices_of(row, x);
  const Singular f = singular(row, a, true, full_matrices);
  return {detail::named(f.u, a.names({a.rows, Name()}, row.name)),
          detail::named(f.s, a.names({Name()}, row.name)),
          detail::named(f.v, a.names({Name(), a.columns}, row.name))};
}

Tensor svdvals(const Tensor& x) {
  const OpRow& row = op::linalg_svdvals;
  const Matrices a = detail::matrices_of(row, x);
  return detail::named(singular(row, a, false, false).s, a.names({Name()}, row.name));
}

std::tuple<Tensor, Tensor> eigh(const Tensor& x, const std::string& uplo) {
  const OpRow& row = op::linalg_eigh;
  const Matrices a = detail::squares_of(row, x);
  const auto [values, vectors] = hermitian(row, a, uplo, true);
  return {detail::named(values, a.names({Name()}, row.name)),
          detail::named(vectors, a.names({a.rows, Name()}, row.name))};
}

Tensor eigvalsh(const Tensor& x, const std::string& uplo) {
  const OpRow& row = op::linalg_eigvalsh;
  const Matrices a = detail::squares_of(row, x);
  return detail::named(hermitian(row, a, uplo, false).first, a.names({Name()}, row.name));
}

std::tuple<Tensor, Tensor> eig(const Tensor& x) {
  const OpRow& row = op::linalg_eig;
  const Matrices a = detail::squares_of(row, x);
  const auto [values, vectors] = general(row, a, true);
  return {detail::named(values, a.names({Name()}, row.name)),
          detail::named(vectors, a.names({a.rows, Name()}, row.name))};
}

Tensor eigvals(const Tensor& x) {
  const OpRow& row = op::linalg_eigvals;
  const Matrices a = detail::squares_of(row, x);
  return detail::named(general(row, a, false).first, a.names({Name()}, row.name));
}

LeastSquares lstsq(const Tensor& x, const Tensor& y, std::optional<double> rcond,
                   const std::string& text) {
  const OpRow& row = op::linalg_lstsq;
  Problem p{detail::matrices_of(row, x), {}, {}, {}, {}};
  const Driver driver = driver_of(row, text, x.device());
  const bool vectors = y.dim() == 1 || y.dim() + 1 == x.dim();
  TANDEM_EXPECTS(x.dtype() == y.dtype(), TypeError,
                 fmt::format("[{}] argument 'B': expected {} as A has, got {}", row.name,
                             name(x.dtype()), name(y.dtype())));
  const Matrices b = detail::matrices_of(row, vectors ? y.unsqueeze(-1) : y, "B");
  (void)detail::common_device(row, std::array<const Tensor*, 2>{&x, &y});
  TANDEM_EXPECTS(b.m == p.a.m, ShapeError,
                 fmt::format("[{}] argument 'B': expected {} rows, got {}", row.name, p.a.m, b.m));
  const Dims batch = detail::joint_batch(row, p.a.batch, b.batch);
  detail::check_same_name(row, "rows", p.a.rows, b.rows);
  Names names = detail::unify_names(p.a.batch_names, p.a.batch.size(), b.batch_names,
                                    b.batch.size(), row.name);
  names.resize(batch.size());
  p.a.batch = batch;
  p.a.x = p.a.x.expand(p.a.shape(Dims{p.a.m, p.a.n}));
  const Tensor right = b.x.expand(p.a.shape(Dims{b.m, b.n}));
  const Tensor given = p.a.x;
  const std::int64_t k = std::min(p.a.m, p.a.n);
  const Options whole{.dtype = DType::int64, .device = x.device()};
  const Options numbers{.dtype = real_part(x.dtype()), .device = x.device()};
  LeastSquares out;
  if (x.device().is_cuda()) {
    out.solution = by_qr(given, right);
  } else {
    p.a.x = detail::by_columns(given);
    p.b = detail::fresh_columns(x, batch, std::max(p.a.m, p.a.n), b.n);
    p.b.narrow(-2, 0, b.m).copy_(right);
    p.rank = empty(batch, whole);
    p.values = empty(p.a.shape(Dims{k}), numbers);
    const auto size = static_cast<double>(std::max(p.a.m, p.a.n));
    solve_least(row, p, driver, rcond.value_or(precision(x.dtype()) * size));
    detail::check_info(row, p.info, driver == Driver::Gels ? "full-rank" : kConvergent,
                       driver == Driver::Gels ? "one of lower rank" : kDiverged);
    out.solution = p.b.narrow(-2, 0, p.a.n);
  }
  // Of a matrix of lower rank nobody says which solution they would belong to. What has told no
  // ranks takes them for full.
  const bool full =
      driver == Driver::Gels || x.device().is_meta() || all(eq(p.rank, p.a.n)).item<bool>();
  const bool rest = p.a.m > p.a.n && full;
  out.residuals = empty({0}, numbers);
  if (rest) {
    const Tensor far = abs(sub(tandem::matmul(given, out.solution), right));
    out.residuals = sum(mul(far, far), Axes{Axis(-2)});
    if (vectors) out.residuals = out.residuals.squeeze(Axes{Axis(-1)});
  }
  const bool has_values = driver == Driver::Gelsd || driver == Driver::Gelss;
  out.rank = driver == Driver::Gels ? empty({0}, whole) : p.rank;
  out.singular_values = has_values ? p.values : empty({0}, numbers);
  if (vectors) out.solution = out.solution.squeeze(Axes{Axis(-1)});
  names.push_back(p.a.columns);
  if (!vectors) names.push_back(b.columns);
  detail::check_unique(names, row.name);
  detail::named(out.solution, detail::simplified(names));
  return out;
}

}  // namespace linalg

namespace ops {

namespace {

/// PyTorch's choice among cuSOLVER's routines: one serves here.
void check_driver(const OpRow& row, const std::optional<std::string>& driver) {
  TANDEM_EXPECTS(!driver || *driver == "gesvd" || *driver == "gesvdj" || *driver == "gesvda",
                 ValueError,
                 fmt::format("[{}] argument 'driver': expected None, gesvd, gesvdj or gesvda, got "
                             "'{}'",
                             row.name, driver.value_or("")));
}

}  // namespace

std::vector<Value> linalg_svd(const Tensor& a, bool full_matrices,
                              std::optional<std::string> driver) {
  check_driver(op::linalg_svd, driver);
  const auto [u, s, v] = linalg::svd(a, full_matrices);
  return {u, s, v};
}

Tensor linalg_svdvals(const Tensor& a, std::optional<std::string> driver) {
  check_driver(op::linalg_svdvals, driver);
  return linalg::svdvals(a);
}

std::vector<Value> linalg_lstsq(const Tensor& a, const Tensor& b, std::optional<double> rcond,
                                std::optional<std::string> driver) {
  const linalg::LeastSquares l = linalg::lstsq(a, b, rcond, driver.value_or(""));
  return {l.solution, l.residuals, l.rank, l.singular_values};
}

}  // namespace ops

}  // namespace tandem
