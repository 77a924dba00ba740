// Front-ends of the reductions of several passes: norms, renorm, logsumexp, nanmean, trace, var and
// std with their mean, aminmax.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "runtime/dispatch/promote.h"
#include "runtime/ops/reduce.h"
#include "runtime/ops/scan.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"

namespace tandem {

namespace {

using detail::OutSpec;
using detail::Reduced;

void check_inexact(const OpRow& row, DType t, const char* what) {
  TANDEM_EXPECTS(dtypes::Inexact.has(t), TypeError,
                 fmt::format("[{}] argument '{}': expected a floating point or complex dtype, got "
                             "{}",
                             row.name, what, name(t)));
}

/// The sums of powers, whose order has no kernel of its own.
Tensor power_norm(const OpRow& row, const Tensor& x, double order, const Reduced& r, DType computed,
                  DType result) {
  const DType wide = info(real_part(computed)).compute;
  const Tensor powers = pow(abs(x.dtype() == computed ? x : x.to(computed)).to(wide), order);
  const Tensor sums = detail::reduce_one(row, op::sum, powers, r, wide, wide, nullptr);
  return pow(sums, 1 / order).to(result);
}

Tensor norm_of(const OpRow& row, const Tensor& x, double order, const Axes& axes, bool keepdim,
               std::optional<DType> dtype) {
  check_inexact(row, dtype.value_or(x.dtype()), dtype ? "dtype" : "x");
  const Reduced r{detail::resolve_axes(axes, x, row.name), keepdim};
  const DType computed = dtype.value_or(x.dtype()), result = real_part(computed);
  // Casting down is left to those who ask for it, as in PyTorch.
  TANDEM_EXPECTS(!dtype || category(*dtype) >= category(x.dtype()), TypeError,
                 fmt::format("[{}] argument 'dtype': expected one that takes {}, got {}", row.name,
                             name(x.dtype()), name(computed)));
  if (order == 0) {
    return detail::reduce_one(row, op::count_nonzero, x, r, x.dtype(), DType::int64, nullptr)
        .to(result);
  }
  if (std::isinf(order)) detail::check_not_empty(row, x, r, axes.all());
  if (order == 1 || order == 2 || std::isinf(order)) {
    return detail::reduce_one(row, op::vector_norm, x, r, computed, result, nullptr, order);
  }
  return power_norm(row, x, order, r, computed, result);
}

/// What the slices along an axis are multiplied by so that no norm is above maxnorm; in x's real
/// dtype.
Tensor renorm_factors(const OpRow& row, const Tensor& x, double order, Axis axis, double maxnorm) {
  check_inexact(row, x.dtype(), "x");
  TANDEM_EXPECTS(
      x.dim() >= 2, ShapeError,
      fmt::format("[{}] argument 'x': expected two dimensions or more, got {}", row.name, x.dim()));
  TANDEM_EXPECTS(order > 0, ValueError,
                 fmt::format("[{}] argument 'p': expected a number > 0, got {}", row.name, order));
  TANDEM_EXPECTS(
      maxnorm >= 0, ValueError,
      fmt::format("[{}] argument 'maxnorm': expected a number >= 0, got {}", row.name, maxnorm));
  const std::int64_t kept = detail::resolve_axis(axis, x, row.name);
  SmallVector<Axis, 6> others;
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    if (d != kept) others.push_back(Axis(d));
  }
  const Tensor norms = norm_of(row, x, order, Axes(others), true, info(x.dtype()).compute);
  return where(gt(norms, maxnorm), div(maxnorm, add(norms, 1e-7)), 1).to(real_part(x.dtype()));
}

/// exp(x - shift) summed, without a tensor of the exponentials.
Tensor shifted_sums(const OpRow& row, const Tensor& in, const Tensor& shift, const Reduced& kept,
                    DType compute) {
  return detail::run_one(
      row, nullptr, [&] { return kept.spec(in, compute); },
      [&](const Tensor& to) {
        detail::LaunchStorage storage;
        ReduceLaunch l = detail::make_launch(row, in, in.dtype(), kept, {&to, 1}, storage);
        std::int64_t strides[kMaxRank] = {};  // 0 along the reduced dimensions
        auto step = static_cast<std::int64_t>(element_size(compute));
        for (int d = l.rank_outer - 1; d >= 0; --d) {
          strides[d] = step;
          step *= l.shape[d];
        }
        l.n_in = 2;
        l.operands[0].kernel = compute;
        l.operands[2] = {shift.data_ptr(), strides, {}, compute, compute};
        detail::launch(row, l.device, &l);
      });
}

/// var or std and the mean they are computed from, in one run.
std::tuple<Tensor, Tensor> spread_and_mean(const OpRow& row, const OpRow& kernel, const Tensor& x,
                                           const Axes& axes, double correction, bool keepdim) {
  check_inexact(row, x.dtype(), "x");
  const Reduced r{detail::resolve_axes(axes, x, row.name), keepdim};
  const DType compute = info(x.dtype()).compute;
  auto outs = detail::run<2>(
      row, {nullptr, nullptr},
      [&] {
        return std::array<OutSpec, 2>{r.spec(x, real_part(x.dtype())), r.spec(x, compute)};
      },
      [&](std::array<Tensor, 2>& to) {
        if (to[0].numel() == 0) return;
        detail::LaunchStorage storage;
        ReduceLaunch l = detail::make_launch(kernel, x, x.dtype(), r, to, storage);
        l.param = correction;
        detail::launch(kernel, l.device, &l);
      });
  return {outs[0], outs[1].to(x.dtype())};
}

}  // namespace

Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim) {
  const OpRow& row = op::logsumexp;
  const DType t = category(x.dtype()) < Category::Float ? default_dtype() : x.dtype();
  TANDEM_EXPECTS(dtypes::Inexact.has(t), TypeError,
                 fmt::format("[{}] not implemented for '{}'", row.name, info(t).title));
  const Reduced r{detail::resolve_axes(axes, x, row.name), keepdim};
  const Reduced kept{r.mask, true};
  if (x.numel() == 0) {
    Tensor none = detail::run_one(
        row, nullptr, [&] { return r.spec(x, t); }, [](const Tensor&) {});
    if (none.numel() != 0) none.fill_(-std::numeric_limits<double>::infinity());
    return none;
  }
  const Tensor in = x.dtype() == t ? x : x.to(t);
  // Complex numbers are shifted by the greatest real part.
  const bool complex = is_complex(t);
  const DType compute = info(real_part(t)).compute;
  const Tensor greatest = detail::reduce_one(row, op::amax, complex ? real(in) : in, kept,
                                             real_part(t), compute, nullptr);
  // Nothing is taken from infinities: exp(inf - inf) has no value.
  const Tensor shift = where(isfinite(greatest), greatest, 0);
  const Tensor sums =
      complex ? detail::reduce_one(row, op::sum, exp(sub(in, shift)), kept, t, t, nullptr)
              : shifted_sums(row, in, shift, kept, compute);
  Tensor y = add(log(sums), shift);
  if (!keepdim) y = y.reshape(r.shape(x));
  y = y.dtype() == t ? y : y.to(t);
  y.rename_(detail::names_without(x.body_ptr()->names, r.mask, keepdim));
  return y;
}

Tensor nanmean(const Tensor& x, const Axes& axes, bool keepdim, std::optional<DType> dtype) {
  const OpRow& row = op::nanmean;
  const DType t = dtype.value_or(x.dtype());
  TANDEM_EXPECTS(dtypes::Floats.has(t), TypeError,
                 fmt::format("[{}] expected a floating point dtype, got {}", row.name, name(t)));
  const Tensor in = x.dtype() == t ? x : x.to(t);
  const DType compute = info(t).compute;
  const Reduced r{detail::resolve_axes(axes, x, row.name), keepdim};
  const Tensor total = detail::reduce_one(row, op::nansum, in, r, t, compute, nullptr);
  const Tensor count = detail::reduce_one(row, op::count_nonzero, eq(in, in), r, DType::bool_,
                                          DType::int64, nullptr);
  const Tensor y = div(total, count.to(compute));
  return y.dtype() == t ? y : y.to(t);
}

Tensor vector_norm(const Tensor& x, double order, const Axes& axes, bool keepdim,
                   std::optional<DType> dtype) {
  return norm_of(op::vector_norm, x, order, axes, keepdim, dtype);
}

Tensor dist(const Tensor& x, const Tensor& y, double order) {
  return norm_of(op::dist, sub(x, y), order, {}, false, {});
}

Tensor renorm(const Tensor& x, double order, Axis axis, double maxnorm) {
  return mul(x, renorm_factors(op::renorm, x, order, axis, maxnorm));
}
Tensor& renorm_(Tensor& x, double order, Axis axis, double maxnorm) {
  return x.mul_(renorm_factors(op::renorm_, x, order, axis, maxnorm));
}

std::tuple<Tensor, Tensor> aminmax(const Tensor& x, std::optional<Axis> axis, bool keepdim) {
  const OpRow& row = op::aminmax;
  TANDEM_EXPECTS(dtypes::BoolReals.has(x.dtype()), TypeError,
                 fmt::format("[{}] not implemented for '{}'", row.name, info(x.dtype()).title));
  Axes axes;
  if (axis) axes = Axes{*axis};
  const Reduced r{detail::resolve_axes(axes, x, row.name), keepdim};
  detail::check_not_empty(row, x, r, !axis);
  const auto one = [&](const OpRow& kernel) {
    return detail::reduce_one(row, kernel, x, r, x.dtype(), x.dtype(), nullptr);
  };
  return {one(op::amin), one(op::amax)};
}

std::tuple<Tensor, Tensor> var_mean(const Tensor& x, const Axes& axes, double correction,
                                    bool keepdim) {
  return spread_and_mean(op::var_mean, op::var, x, axes, correction, keepdim);
}
std::tuple<Tensor, Tensor> std_mean(const Tensor& x, const Axes& axes, double correction,
                                    bool keepdim) {
  return spread_and_mean(op::std_mean, op::std, x, axes, correction, keepdim);
}

Tensor softmin(const Tensor& x, Axis axis, std::optional<DType> dtype) {
  const DType t = dtype.value_or(x.dtype());
  TANDEM_EXPECTS(dtypes::Floats.has(t), TypeError,
                 fmt::format("[softmin] not implemented for '{}'", info(t).title));
  return softmax(neg(x.dtype() == t ? x : x.to(t)), axis, t);
}

namespace ops {

Tensor renorm_(const Tensor& x, double order, Axis axis, double maxnorm) {
  Tensor to = x;
  return tandem::renorm_(to, order, axis, maxnorm);
}

Tensor trace(const Tensor& x) {
  TANDEM_EXPECTS(
      x.dim() == 2, ShapeError,
      fmt::format("[trace] argument 'x': expected a matrix, got {} dimensions", x.dim()));
  return sum(x.diagonal());
}

Tensor norm(const Tensor& x, const Value& p, const Axes& axes, bool keepdim,
            std::optional<DType> dtype) {
  double order = 2;
  if (p.is<std::string>()) {
    const std::string& s = p.as<std::string>();
    TANDEM_EXPECTS(s == "fro" || s == "inf" || s == "-inf", ValueError,
                   fmt::format("[norm] argument 'p': expected a number, 'fro', 'inf' or '-inf', "
                               "got '{}'",
                               s));
    if (s != "fro") order = (s == "inf" ? 1 : -1) * std::numeric_limits<double>::infinity();
  } else {
    TANDEM_EXPECTS(p.is<Scalar>() && p.as<Scalar>().kind() != Scalar::Kind::Complex, TypeError,
                   "[norm] argument 'p': expected a number, 'fro', 'inf' or '-inf'");
    order = p.as<Scalar>().to_double();
  }
  return norm_of(op::norm, x, order, axes, keepdim, dtype);
}

}  // namespace ops

}  // namespace tandem
