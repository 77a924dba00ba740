// Front-ends of what is made of factorisations: norms, condition numbers, ranks, pseudoinverses,
// the exponential.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/dispatch/promote.h"
#include "runtime/ops/linalg.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"
#include "tandem/scan.h"

namespace tandem {

namespace {

using detail::Matrices;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The order of a norm: a number, or one of two words.
struct Order {
  enum class Kind : std::uint8_t { Number, Frobenius, Nuclear } kind;
  double number;
};

Order word_of(const OpRow& row, const char* argument, const std::string& text) {
  if (text == "fro") return {Order::Kind::Frobenius, 0};
  if (text == "nuc") return {Order::Kind::Nuclear, 0};
  if (text == "inf" || text == "-inf")
    return {Order::Kind::Number, text == "inf" ? kInfinity : -kInfinity};
  detail::fail<ValueError>(fmt::format(
      "[{}] argument '{}': expected 'fro', 'nuc' or a number, got '{}'", row.name, argument, text));
}

Order order_of(const OpRow& row, const char* argument, const Value& v) {
  if (v.is<std::string>()) return word_of(row, argument, v.as<std::string>());
  TANDEM_EXPECTS(
      v.is<Scalar>() && v.as<Scalar>().kind() != Scalar::Kind::Complex, TypeError,
      fmt::format("[{}] argument '{}': expected 'fro', 'nuc' or a number", row.name, argument));
  return {Order::Kind::Number, v.as<Scalar>().to_double()};
}

void check_order(const OpRow& row, const char* argument, const Order& o) {
  if (o.kind != Order::Kind::Number) return;
  const double size = std::abs(o.number);
  TANDEM_EXPECTS(size == 1 || size == 2 || std::isinf(size), ValueError,
                 fmt::format("[{}] argument '{}': expected 'fro', 'nuc', 1, -1, 2, -2, inf or "
                             "-inf, got {}",
                             row.name, argument, o.number));
}

/// The greatest or the least of the last axis; of none the greatest is 0, as the norm of nothing.
Tensor extreme(const OpRow& row, const Tensor& x, bool least) {
  if (x.shape().back() > 0) return least ? amin(x, Axes{Axis(-1)}) : amax(x, Axes{Axis(-1)});
  TANDEM_EXPECTS(!least, IndexError,
                 fmt::format("[{}] argument 'A': expected matrices with elements for the least of "
                             "their norms, got none",
                             row.name));
  return sum(x, Axes{Axis(-1)});
}

/// Of the last two dimensions, which are taken away.
Tensor norm_of_last(const OpRow& row, const Tensor& a, const Order& o) {
  const Axes last{Axis(-1)};
  const Axes both{Axis(-2), Axis(-1)};
  if (o.kind == Order::Kind::Frobenius) return vector_norm(a, 2, both);
  if (o.kind == Order::Kind::Nuclear) return sum(linalg::svdvals(a), last);
  const bool least = o.number < 0;
  if (std::abs(o.number) == 2) {
    const Tensor s = linalg::svdvals(a);
    return extreme(row, s, least);
  }
  const Tensor sums = vector_norm(a, 1, Axes{Axis(std::isinf(o.number) ? -1 : -2)});
  return extreme(row, sums, least);
}

/// Two different axes, the rows' first.
std::pair<std::int64_t, std::int64_t> axes_of(const OpRow& row, const Tensor& a,
                                              const std::optional<Axes>& axes) {
  TANDEM_EXPECTS(a.dim() >= 2, ShapeError,
                 fmt::format("[{}] argument 'A': expected a matrix or a batch of them, got {} "
                             "dimensions",
                             row.name, a.dim()));
  if (!axes) return {a.dim() - 2, a.dim() - 1};
  TANDEM_EXPECTS(!axes->all() && axes->list().size() == 2, ValueError,
                 fmt::format("[{}] argument 'dim': expected two axes", row.name));
  const std::int64_t r = detail::resolve_axis(axes->list()[0], a, row.name);
  const std::int64_t c = detail::resolve_axis(axes->list()[1], a, row.name);
  TANDEM_EXPECTS(
      r != c, ValueError,
      fmt::format("[{}] argument 'dim': expected two different axes, got {} twice", row.name, r));
  return {r, c};
}

Tensor matrix_norm_of(const OpRow& row, const Tensor& x, const Order& o,
                      const std::optional<Axes>& axes, bool keepdim, std::optional<DType> dtype) {
  check_order(row, "ord", o);
  const auto [r, c] = axes_of(row, x, axes);
  const DType t = dtype.value_or(x.dtype());
  TANDEM_EXPECTS(category(t) >= Category::Float, TypeError,
                 fmt::format("[{}] argument '{}': expected a floating point or complex dtype, got "
                             "{}",
                             row.name, dtype ? "dtype" : "A", name(t)));
  TANDEM_EXPECTS(!dtype || category(t) >= category(x.dtype()), TypeError,
                 fmt::format("[{}] argument 'dtype': expected one that takes {}, got {}", row.name,
                             name(x.dtype()), name(t)));
  const Tensor plain = x.rename(std::nullopt);
  const Tensor moved = plain.movedim(Axes{Axis(r), Axis(c)}, Axes{Axis(-2), Axis(-1)});
  Tensor y = norm_of_last(row, moved.dtype() == t ? moved : moved.to(t), o);
  if (keepdim) y = y.unsqueeze(std::min(r, c)).unsqueeze(std::max(r, c));
  const std::uint64_t gone = std::uint64_t(1) << r | std::uint64_t(1) << c;
  return detail::named(y, detail::names_without(x.body_ptr()->names, gone, keepdim));
}

Tensor condition(const OpRow& row, const Tensor& x, const Order& o) {
  check_order(row, "p", o);
  const bool by_values = o.kind == Order::Kind::Number && std::abs(o.number) == 2;
  if (o.kind == Order::Kind::Number) {
    const Matrices a = detail::matrices_of(row, x);
    if (a.m == 0 || a.n == 0) {  // nothing has to be inverted
      const Options options{.dtype = real_part(x.dtype()), .device = x.device()};
      return detail::named(zeros(a.batch, options), a.names({}, row.name));
    }
  }
  const Matrices a = by_values ? detail::matrices_of(row, x) : detail::squares_of(row, x);
  const Names names = a.names({}, row.name);
  if (by_values) {
    const Tensor s = linalg::svdvals(a.x);
    const Tensor most = s.select(-1, 0);
    const Tensor least = s.select(-1, s.shape().back() - 1);
    return detail::named(o.number > 0 ? div(most, least) : div(least, most), names);
  }
  const auto [inverse, info] = linalg::inv_ex(a.x);
  const Tensor product =
      mul(norm_of_last(row, a.x, o),
          norm_of_last(row, where(ne(info, 0).unsqueeze(-1).unsqueeze(-1), 0, inverse), o));
  return detail::named(where(ne(info, 0), kInfinity, product), names);
}

/// A tolerance as a tensor [..., 1] of the singular values' dtype.
Tensor tolerance_of(const OpRow& row, const char* argument, const linalg::Tolerance& t,
                    const Tensor& s) {
  if (!t.tensor.defined()) {
    TANDEM_EXPECTS(t.number.value_or(0) >= 0, ValueError,
                   fmt::format("[{}] argument '{}': expected a number >= 0, got {}", row.name,
                               argument, t.number.value_or(0)));
    return full({1}, t.number.value_or(0), {.dtype = s.dtype(), .device = s.device()});
  }
  TANDEM_EXPECTS(!is_complex(t.tensor.dtype()), TypeError,
                 fmt::format("[{}] argument '{}': expected real numbers, got {}", row.name,
                             argument, name(t.tensor.dtype())));
  const IntSpan own = t.tensor.shape();
  const IntSpan batch = s.shape().first(s.shape().size() - 1);
  for (std::size_t i = 1; i <= std::min(own.size(), batch.size()); ++i) {
    const std::int64_t x = own[own.size() - i], y = batch[batch.size() - i];
    TANDEM_EXPECTS(
        x == y || x == 1 || y == 1, ShapeError,
        fmt::format("[{}] argument '{}': expected a shape that broadcasts with the batch "
                    "[{}], got [{}]",
                    row.name, argument, fmt::join(batch, ", "), fmt::join(own, ", ")));
  }
  if (t.tensor.device().is_cpu()) {
    // NaN is not >= 0 either.
    TANDEM_EXPECTS(all(ge(t.tensor, 0)).item<bool>(), ValueError,
                   fmt::format("[{}] argument '{}': expected numbers >= 0, got one below or NaN",
                               row.name, argument));
  }
  const Tensor each = t.tensor.to(s.device(), s.dtype()).rename(std::nullopt).unsqueeze(-1);
  return t.tensor.device().is_cuda() ? maximum(each, 0) : each;
}

/// What singular values have to be above: [..., 1].
Tensor bound_of(const OpRow& row, const Matrices& a, const Tensor& s, const linalg::Tolerance& atol,
                const linalg::Tolerance& rtol) {
  const double eps = std::ldexp(1.0, 1 - info(s.dtype()).bits);
  const double usual = eps * static_cast<double>(std::max(a.m, a.n));
  const Tensor most = amax(s, Axes{Axis(-1)}, true);
  const Tensor least = tolerance_of(row, "atol", atol, s);
  const Tensor relative = rtol.given()   ? tolerance_of(row, "rtol", rtol, s)
                          : atol.given() ? where(gt(least, 0), 0, usual).to(s.dtype())
                                         : tolerance_of(row, "rtol", usual, s);
  return maximum(mul(most, relative), least);
}

/// A tolerance of a boxed call: nothing, a number or a tensor.
linalg::Tolerance tolerance_from(const OpRow& row, const char* argument, const Value& v) {
  if (v.is_none()) return {};
  if (v.is<Tensor>()) return v.as<Tensor>();
  TANDEM_EXPECTS(
      v.is<Scalar>() && v.as<Scalar>().kind() != Scalar::Kind::Complex, TypeError,
      fmt::format("[{}] argument '{}': expected a number or a tensor", row.name, argument));
  return v.as<Scalar>().to_double();
}

/// The tolerance that may be given by an older name too.
linalg::Tolerance one_of(const OpRow& row, const char* older, const Value& by_older,
                         const char* name, const Value& v) {
  TANDEM_EXPECTS(by_older.is_none() || v.is_none(), TypeError,
                 fmt::format("[{}] expected '{}' or '{}', got both", row.name, older, name));
  return by_older.is_none() ? tolerance_from(row, name, v) : tolerance_from(row, older, by_older);
}

/// Of Higham's approximant of order 13 and the norm up to which it needs no scaling: (2.4) and
/// table 2.3 of the paper that tandem/linalg.h names.
constexpr double kPade[] = {64764752532480000.,
                            32382376266240000.,
                            7771770303897600.,
                            1187353796428800.,
                            129060195264000.,
                            10559470521600.,
                            670442572800.,
                            33522128640.,
                            1323241920.,
                            40840800.,
                            960960.,
                            16380.,
                            182.,
                            1.};
constexpr double kMostNorm = 5.371920351148152;

/// r13(a), a [..., n, n] without names.
Tensor pade(const Tensor& a, const Tensor& one) {
  const Tensor a2 = matmul(a, a);
  const Tensor a4 = matmul(a2, a2);
  const Tensor a6 = matmul(a4, a2);
  const auto series = [&](int from) {  // coefficients from, from + 2, ...
    const Tensor high =
        add(add(mul(a6, kPade[from + 12]), mul(a4, kPade[from + 10])), mul(a2, kPade[from + 8]));
    const Tensor low = add(add(mul(a6, kPade[from + 6]), mul(a4, kPade[from + 4])),
                           add(mul(a2, kPade[from + 2]), mul(one, kPade[from])));
    return add(matmul(a6, high), low);
  };
  const auto odd = [&] {
    const Tensor high = add(add(mul(a6, kPade[13]), mul(a4, kPade[11])), mul(a2, kPade[9]));
    const Tensor low =
        add(add(mul(a6, kPade[7]), mul(a4, kPade[5])), add(mul(a2, kPade[3]), mul(one, kPade[1])));
    return add(matmul(a6, high), low);
  };
  const Tensor v = series(0);
  const Tensor u = matmul(a, odd());
  return std::get<0>(linalg::solve_ex(sub(v, u), add(v, u)));
}

}  // namespace

namespace linalg {

Tensor matrix_norm(const Tensor& a, const std::string& order, const std::optional<Axes>& axes,
                   bool keepdim, std::optional<DType> dtype) {
  const OpRow& row = op::linalg_matrix_norm;
  return matrix_norm_of(row, a, word_of(row, "ord", order), axes, keepdim, dtype);
}
Tensor matrix_norm(const Tensor& a, double order, const std::optional<Axes>& axes, bool keepdim,
                   std::optional<DType> dtype) {
  return matrix_norm_of(op::linalg_matrix_norm, a, {Order::Kind::Number, order}, axes, keepdim,
                        dtype);
}

Tensor cond(const Tensor& a) { return cond(a, 2.0); }
Tensor cond(const Tensor& a, double order) {
  return condition(op::linalg_cond, a, {Order::Kind::Number, order});
}
Tensor cond(const Tensor& a, const std::string& order) {
  return condition(op::linalg_cond, a, word_of(op::linalg_cond, "p", order));
}

Tensor matrix_rank(const Tensor& x, const Tolerance& atol, const Tolerance& rtol, bool hermitian) {
  const OpRow& row = op::linalg_matrix_rank;
  const Matrices a = hermitian ? detail::squares_of(row, x) : detail::matrices_of(row, x);
  const Tensor s = hermitian ? abs(eigvalsh(a.x)) : svdvals(a.x);
  const Names names = a.names({}, row.name);
  const bool none = std::min(a.m, a.n) == 0;
  // The least value there is counts as one where there is none, which no bound is below.
  const Tensor most =
      none ? zeros(a.shape(Dims{1}), {.dtype = s.dtype(), .device = s.device()}) : s;
  const Tensor above = gt(most, bound_of(row, a, most, atol, rtol));
  const Tensor rank = count_nonzero(above, Axes{Axis(-1)});
  return rank.dim() == static_cast<std::int64_t>(a.batch.size()) ? detail::named(rank, names)
                                                                 : rank;
}

Tensor pinv(const Tensor& x, const Tolerance& atol, const Tolerance& rtol, bool hermitian) {
  const OpRow& row = op::linalg_pinv;
  const Matrices a = hermitian ? detail::squares_of(row, x) : detail::matrices_of(row, x);
  const Names names = a.names({a.columns, a.rows}, row.name);
  if (std::min(a.m, a.n) == 0) {
    return detail::named(zeros(a.shape(Dims{a.n, a.m}), {.dtype = x.dtype(), .device = x.device()}),
                         names);
  }
  Tensor u, s, v;  // A = u diag(s) v^H
  if (hermitian) {
    std::tie(s, u) = eigh(a.x);
    v = u;
  } else {
    Tensor vh;
    std::tie(u, s, vh) = svd(a.x, false);
    v = adjoint(vh);
  }
  const Tensor size = abs(s);
  const Tensor inverse = where(gt(size, bound_of(row, a, size, atol, rtol)), div(1, s), 0);
  const Tensor y = matmul(mul(v, inverse.unsqueeze(-2)), adjoint(u));
  return y.dim() == x.dim() ? detail::named(y, names) : y;
}

Tensor matrix_exp(const Tensor& x) {
  const OpRow& row = op::linalg_matrix_exp;
  const Matrices a = detail::squares_of(row, x);
  const Names names = a.names({a.rows, a.columns}, row.name);
  if (x.numel() == 0) return detail::named(a.x.clone(), names);
  const Tensor norm = norm_of_last(row, a.x, {Order::Kind::Number, 1});
  // Each matrix is halved as often as its norm asks for.
  const Tensor halvings =
      where(isfinite(norm), clamp(ceil(log2(div(norm, kMostNorm))), 0, 1100), 0);
  const Tensor each = halvings.unsqueeze(-1).unsqueeze(-1);
  const Tensor one = eye(a.n, a.n, {.dtype = x.dtype(), .device = x.device()});
  Tensor y = pade(mul(a.x, exp2(neg(each))), one);
  const int most = x.device().is_meta() ? 0 : static_cast<int>(amax(halvings).item<double>());
  for (int i = 0; i < most; ++i) y = where(gt(each, i), matmul(y, y), y);
  // Of diagonal matrices the powers are: products of rows would multiply infinities by zeros.
  const Tensor own = eye(a.n, a.n, {.dtype = DType::bool_, .device = x.device()});
  const Tensor diagonal = where(own, exp(a.x.diagonal(0, -2, -1)).unsqueeze(-2), 0);
  const Tensor others = any(ne(where(own, 0, a.x), 0), Axes{Axis(-2), Axis(-1)}, true);
  return detail::named(where(others, y, diagonal), names);
}

Tensor matrix_sqrth(const Tensor& x) {
  const OpRow& row = op::linalg_matrix_sqrth;
  const Matrices a = detail::squares_of(row, x);
  const Names names = a.names({a.rows, a.columns}, row.name);
  const auto [w, v] = eigh(a.x);
  return detail::named(matmul(mul(v, sqrt(w).unsqueeze(-2)), adjoint(v)), names);
}

std::tuple<Tensor, Tensor> polar(const Tensor& x) {
  const OpRow& row = op::linalg_polar;
  const Matrices a = detail::matrices_of(row, x);
  TANDEM_EXPECTS(a.m >= a.n, ShapeError,
                 fmt::format("[{}] argument 'A': expected no more columns than rows, got {} x {}",
                             row.name, a.m, a.n));
  const auto [u, s, vh] = svd(a.x, false);
  return {detail::named(matmul(u, vh), a.names({a.rows, Name()}, row.name)),
          detail::named(matmul(mul(adjoint(vh), s.unsqueeze(-2)), vh),
                        a.names({Name(), a.columns}, row.name))};
}

Tensor cross(const Tensor& x, const Tensor& y, Axis axis) {
  // Broadcast from the end, as shapes are: the axis is one of both.
  Tensor a = x, b = y;
  while (a.dim() < b.dim()) a = a.unsqueeze(0);
  while (b.dim() < a.dim()) b = b.unsqueeze(0);
  return tandem::cross(a, b, axis);
}

Tensor vander(const Tensor& x, std::optional<std::int64_t> n) {
  TANDEM_EXPECTS(x.dim() >= 1, ShapeError,
                 "[linalg_vander] argument 'x': expected a vector or a batch of them, got 0 "
                 "dimensions");
  const std::int64_t columns = n.value_or(x.shape().back());
  TANDEM_EXPECTS(
      columns >= 0, ValueError,
      fmt::format("[linalg_vander] argument 'N': expected a number >= 0, got {}", columns));
  Names names = x.body_ptr()->names;
  names.resize(x.shape().size() + 1);
  Dims shape(x.shape());
  shape.push_back(columns);
  const Tensor flat = x.rename(std::nullopt).reshape({x.numel()});
  return detail::named(tandem::vander(flat, columns, true).view(shape), detail::simplified(names));
}

Tensor diagonal(const Tensor& a, std::int64_t offset, Axis axis1, Axis axis2) {
  return a.diagonal(offset, axis1, axis2);
}

Tensor trace(const Tensor& a, std::int64_t offset, std::optional<DType> dtype) {
  TANDEM_EXPECTS(a.dim() >= 2, ShapeError,
                 fmt::format("[linalg_trace] argument 'A': expected a matrix or a batch of them, "
                             "got {} dimensions",
                             a.dim()));
  return sum(a.diagonal(offset, -2, -1), Axes{Axis(-1)}, false, dtype);
}

}  // namespace linalg

namespace ops {

Tensor linalg_matrix_norm(const Tensor& a, const Value& order, std::optional<Axes> axes,
                          bool keepdim, std::optional<DType> dtype) {
  const OpRow& row = op::linalg_matrix_norm;
  return matrix_norm_of(row, a, order_of(row, "ord", order), axes, keepdim, dtype);
}

Tensor linalg_norm(const Tensor& a, const Value& order, std::optional<Axes> axes, bool keepdim,
                   std::optional<DType> dtype) {
  const OpRow& row = op::linalg_norm;
  if (order.is_none()) return vector_norm(a, 2, axes.value_or(Axes()), keepdim, dtype);
  const Order o = order_of(row, "ord", order);
  const bool listed = axes && !axes->all();
  const std::size_t rank = listed ? axes->list().size() : a.shape().size();
  TANDEM_EXPECTS(rank == 1 || rank == 2, ShapeError,
                 fmt::format("[{}] argument '{}': expected one or two {}, got {}", row.name,
                             listed ? "dim" : "A", listed ? "axes" : "dimensions", rank));
  const std::optional<Axes> chosen = listed ? axes : std::nullopt;
  if (rank == 2) return matrix_norm_of(row, a, o, chosen, keepdim, dtype);
  TANDEM_EXPECTS(o.kind == Order::Kind::Number, ValueError,
                 fmt::format("[{}] argument 'ord': expected a number for vectors", row.name));
  return vector_norm(a, o.number, axes.value_or(Axes()), keepdim, dtype);
}

Tensor linalg_pinv(const Tensor& a, const Value& rcond, bool hermitian, const Value& atol,
                   const Value& rtol) {
  const OpRow& row = op::linalg_pinv;
  return linalg::pinv(a, tolerance_from(row, "atol", atol),
                      one_of(row, "rcond", rcond, "rtol", rtol), hermitian);
}

Tensor linalg_matrix_rank(const Tensor& a, const Value& tol, bool hermitian, const Value& atol,
                          const Value& rtol) {
  const OpRow& row = op::linalg_matrix_rank;
  const linalg::Tolerance absolute = one_of(row, "tol", tol, "atol", atol);
  const linalg::Tolerance relative = tolerance_from(row, "rtol", rtol);
  // The older argument stands alone.
  return linalg::matrix_rank(a, absolute,
                             tol.is_none() || relative.given() ? relative : linalg::Tolerance(0.0),
                             hermitian);
}

Tensor linalg_cond(const Tensor& a, const Value& order) {
  const OpRow& row = op::linalg_cond;
  if (order.is_none()) return linalg::cond(a);
  return condition(row, a, order_of(row, "p", order));
}

}  // namespace ops

}  // namespace tandem
