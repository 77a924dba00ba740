// Differences and what is built of them: diff, gradient, trapezoid; cov, corrcoef, cross.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/scan.h"

namespace tandem {

namespace {

/// Integers and bools as floats of the default dtype.
Tensor floating(const Tensor& x) {
  return category(x.dtype()) >= Category::Float ? x : x.to(default_dtype());
}

Tensor unnamed(const Tensor& t) { return t.has_names() ? t.rename(std::nullopt) : t; }

Tensor part(const Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t length) {
  return x.narrow(axis, start, length);
}

/// Elements less those before them.
Tensor steps(const Tensor& x, std::int64_t axis) {
  const std::int64_t n = std::max<std::int64_t>(x.shape()[static_cast<std::size_t>(axis)] - 1, 0);
  if (n == 0) return part(x, axis, 0, 0).clone();
  const Tensor later = part(x, axis, 1, n);
  const Tensor earlier = part(x, axis, 0, n);
  return x.dtype() == DType::bool_ ? logical_xor(later, earlier) : sub(later, earlier);
}

/// A vector that varies along one axis of `rank`.
Tensor along(const Tensor& v, std::int64_t axis, std::int64_t rank) {
  Dims shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = v.numel();
  return unnamed(v).reshape(shape);
}

/// out[place] = a * x[i] + b * x[i + 1] + c * x[i + 2], from the left.
void weigh(const Tensor& out, const Tensor& x, std::int64_t axis, std::int64_t i, const Tensor& a,
           const Tensor& b, const Tensor& c, std::int64_t n = 1) {
  Tensor target = out;
  Tensor s = add(mul(a, part(x, axis, i, n)), mul(b, part(x, axis, i + 1, n)));
  add_out(target, s, mul(c, part(x, axis, i + 2, n)));
}

/// Along one axis, of points `h` apart.
void even_gradient(const Tensor& out, const Tensor& x, std::int64_t axis, const Scalar& h,
                   int edge_order) {
  const std::int64_t n = x.shape()[static_cast<std::size_t>(axis)];
  const Scalar twice =
      h.kind() == Scalar::Kind::Complex ? Scalar(h.to_complex() * 2.0) : Scalar(h.to_double() * 2);
  if (n > 2) {
    Tensor middle = part(out, axis, 1, n - 2);
    sub_out(middle, part(x, axis, 2, n - 2), part(x, axis, 0, n - 2));
    middle.div_(twice);
  }
  for (const std::int64_t at : {std::int64_t(0), n - 1}) {
    Tensor edge = part(out, axis, at, 1);
    if (edge_order == 1) {
      const std::int64_t low = at == 0 ? 0 : n - 2;
      sub_out(edge, part(x, axis, low + 1, 1), part(x, axis, low, 1));
    } else {
      // (-3 x0 + 4 x1 - x2) / 2 from the edge inwards, and its mirror image.
      const std::int64_t inwards = at == 0 ? 1 : -1;
      const Tensor near = mul(part(x, axis, at, 1), -1.5 * static_cast<double>(inwards));
      const Tensor next = mul(part(x, axis, at + inwards, 1), 2.0 * static_cast<double>(inwards));
      const Tensor far =
          mul(part(x, axis, at + 2 * inwards, 1), 0.5 * static_cast<double>(inwards));
      sub_out(edge, add(near, next), far);
    }
    edge.div_(h);
  }
}

/// Along one axis, of points at given coordinates: the derivative of the parabola through three.
void uneven_gradient(const Tensor& out, const Tensor& x, std::int64_t axis, const Tensor& at,
                     int edge_order) {
  const std::int64_t n = x.shape()[static_cast<std::size_t>(axis)];
  const Tensor h = steps(along(at.to(x.dtype()), axis, x.dim()), axis);
  if (n > 2) {
    const Tensor h1 = part(h, axis, 0, n - 2);
    const Tensor h2 = part(h, axis, 1, n - 2);
    const Tensor both = add(h1, h2);
    weigh(part(out, axis, 1, n - 2), x, axis, 0, neg(div(h2, mul(h1, both))),
          div(sub(h2, h1), mul(h1, h2)), div(h1, mul(h2, both)), n - 2);
  }
  if (edge_order == 1) {
    for (const std::int64_t i : {std::int64_t(0), n - 2}) {
      Tensor edge = part(out, axis, i == 0 ? 0 : n - 1, 1);
      div_out(edge, sub(part(x, axis, i + 1, 1), part(x, axis, i, 1)), part(h, axis, i, 1));
    }
    // With two points the loop wrote the first twice.
    if (n == 2) part(out, axis, 1, 1).copy_(part(out, axis, 0, 1));
    return;
  }
  const Tensor a1 = part(h, axis, 0, 1);
  const Tensor a2 = part(h, axis, 1, 1);
  const Tensor a = add(a1, a2);
  weigh(part(out, axis, 0, 1), x, axis, 0, neg(div(add(mul(a1, 2), a2), mul(a1, a))),
        div(a, mul(a1, a2)), neg(div(a1, mul(a2, a))));
  const Tensor b1 = part(h, axis, n - 3, 1);
  const Tensor b2 = part(h, axis, n - 2, 1);
  const Tensor b = add(b1, b2);
  weigh(part(out, axis, n - 1, 1), x, axis, n - 3, div(b2, mul(b1, b)), neg(div(b, mul(b1, b2))),
        div(add(mul(b2, 2), b1), mul(b2, b)));
}

/// Twice the areas between neighbours, of steps of 1 where no coordinates are given.
Tensor strips(const char* op, const Tensor& y, const std::optional<Tensor>& x, std::int64_t d) {
  TANDEM_EXPECTS(
      y.dtype() != DType::bool_ && (!x || x->dtype() != DType::bool_), TypeError,
      fmt::format("[{}] received a bool input for x or y, but bool is not supported", op));
  const std::int64_t n = y.shape()[static_cast<std::size_t>(d)];
  const Tensor v = floating(y);
  const std::int64_t m = std::max<std::int64_t>(n - 1, 0);
  Tensor sums = n < 2 ? part(v, d, 0, 0) : add(part(v, d, 1, m), part(v, d, 0, m));
  if (!x) return sums;
  const bool line = x->dim() == 1 && y.dim() != 1;
  const Tensor points = floating(line ? along(*x, d, y.dim()) : *x);
  TANDEM_EXPECTS(
      points.dim() == y.dim() && points.shape()[static_cast<std::size_t>(d)] == n, ShapeError,
      fmt::format(
          "[{}] There must be one `x` value for each sample point, got shapes [{}] and [{}]", op,
          fmt::join(y.shape(), ", "), fmt::join(x->shape(), ", ")));
  return mul(sums, steps(points, d));
}

Tensor halved(const Tensor& sums, bool coordinates, const Scalar& dx) {
  if (coordinates) return div(sums, 2);
  return mul(sums, dx.kind() == Scalar::Kind::Complex ? Scalar(dx.to_complex() / 2.0)
                                                      : Scalar(dx.to_double() / 2));
}

std::int64_t axis_of(const char* op, const Tensor& y, Axis axis) {
  TANDEM_EXPECTS(y.dim() > 0, ShapeError,
                 fmt::format("[{}] expected a tensor with dimensions, got 0-d", op));
  return detail::resolve_axis(axis, y, op);
}

/// The axes of a call, in its order.
Dims axes_of(const Axes& axes, const Tensor& x, const char* op) {
  (void)detail::resolve_axes(axes, x, op);  // no axis twice
  Dims list;
  for (const Axis& a : axes.list()) list.push_back(detail::resolve_axis(a, x, op));
  if (axes.all()) {
    for (std::int64_t d = 0; d < x.dim(); ++d) list.push_back(d);
  }
  return list;
}

void check_spacing(const Tensor& x, const Dims& axes, const std::vector<Spacing>& spacing,
                   int edge_order) {
  TANDEM_EXPECTS(
      edge_order == 1 || edge_order == 2, ValueError,
      fmt::format("[gradient] only supports edge_order=1 and edge_order=2, got {}", edge_order));
  TANDEM_EXPECTS(spacing.size() <= 1 || spacing.size() == axes.size(), ValueError,
                 fmt::format("[gradient] expected spacing to be unspecified, a scalar or one for "
                             "each of {} dims, got {}",
                             axes.size(), spacing.size()));
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const std::int64_t size = x.shape()[static_cast<std::size_t>(axes[k])];
    TANDEM_EXPECTS(size > edge_order, ShapeError,
                   fmt::format("[gradient] expected each dimension size to be at least "
                               "edge_order+1, got {}",
                               size));
    const Spacing* s = spacing.empty() ? nullptr : &spacing[spacing.size() == 1 ? 0 : k];
    if (s == nullptr || !s->coordinates.defined()) continue;
    TANDEM_EXPECTS(s->coordinates.dim() == 1 && s->coordinates.numel() == size, ShapeError,
                   fmt::format("[gradient] expected coordinates of shape [{}], got [{}]", size,
                               fmt::join(s->coordinates.shape(), ", ")));
    TANDEM_EXPECTS(s->coordinates.device() == x.device(), DeviceError,
                   fmt::format("[gradient] Expected all tensors to be on the same device, but "
                               "found at least two devices, {} and {}!",
                               x.device().str(), s->coordinates.device().str()));
  }
}

}  // namespace

Tensor diff(const Tensor& x, std::int64_t n, Axis axis, const std::optional<Tensor>& prepend,
            const std::optional<Tensor>& append) {
  TANDEM_EXPECTS(x.dim() > 0, ShapeError,
                 "[diff] diff expects input to be at least one-dimensional");
  TANDEM_EXPECTS(n >= 0, ValueError,
                 fmt::format("[diff] order must be non-negative but got {}", n));
  const std::int64_t d = detail::resolve_axis(axis, x, "diff");
  std::vector<Tensor> parts;
  for (const std::optional<Tensor>* t : {&prepend, &append}) {
    TANDEM_EXPECTS(!t->has_value() || (*t)->dim() == x.dim(), ShapeError,
                   "[diff] diff expects prepend or append to be the same dimension as input");
  }
  if (n == 0) return x.clone();  // what is put before and after counts in differences alone
  if (prepend) parts.push_back(*prepend);
  parts.push_back(x);
  if (append) parts.push_back(*append);
  Tensor t = parts.size() > 1 ? cat(parts, d) : x;
  for (std::int64_t k = 0; k < n; ++k) {
    t = steps(t, d);
    if (t.numel() == 0 && t.shape()[static_cast<std::size_t>(d)] == 0) break;
  }
  return t;
}

std::vector<Tensor> gradient(const Tensor& x, const std::vector<Spacing>& spacing, const Axes& axes,
                             int edge_order) {
  const Dims list = axes_of(axes, x, "gradient");
  check_spacing(x, list, spacing, edge_order);
  const Tensor values = floating(x);
  std::vector<Tensor> out;
  for (std::size_t k = 0; k < list.size(); ++k) {
    const Spacing s = spacing.empty() ? Spacing{} : spacing[spacing.size() == 1 ? 0 : k];
    out.push_back(detail::moved(
        op::gradient, values, Dims(x.shape()), x.body_ptr()->names, [&](const Tensor& one) {
          if (one.numel() == 0) return;
          if (s.coordinates.defined()) {
            uneven_gradient(one, unnamed(values), list[k], s.coordinates, edge_order);
          } else {
            even_gradient(one, unnamed(values), list[k], s.step, edge_order);
          }
        }));
  }
  return out;
}

Tensor trapezoid(const Tensor& y, const std::optional<Tensor>& x, const Scalar& dx, Axis axis) {
  const std::int64_t d = axis_of("trapezoid", y, axis);
  return halved(sum(strips("trapezoid", y, x, d), d), x.has_value(), dx);
}

Tensor cumulative_trapezoid(const Tensor& y, const std::optional<Tensor>& x, const Scalar& dx,
                            Axis axis) {
  const std::int64_t d = axis_of("cumulative_trapezoid", y, axis);
  return halved(cumsum(strips("cumulative_trapezoid", y, x, d), d), x.has_value(), dx);
}

namespace {

/// Checks the weights of cov's n observations; they wait for the device.
Tensor observed(const Tensor& w, const char* name, Category c, std::int64_t n) {
  TANDEM_EXPECTS(
      w.dim() <= 1 && w.numel() == n, ShapeError,
      fmt::format("[cov] argument '{}': expected {} weights in one dimension, got shape [{}]", name,
                  n, fmt::join(w.shape(), ", ")));
  TANDEM_EXPECTS(category(w.dtype()) == c, TypeError,
                 fmt::format("[cov] argument '{}': expected {} dtype, got {}", name,
                             c == Category::Integer ? "an integral" : "a floating point",
                             tandem::name(w.dtype())));
  const Tensor flat = unnamed(w).reshape({n});
  TANDEM_EXPECTS(flat.is_meta() || !any(lt(flat, 0)).item<bool>(), ValueError,
                 fmt::format("[cov] argument '{}': expected no negative weights", name));
  return flat;
}
}  // namespace

Tensor cov(const Tensor& x, double correction, const std::optional<Tensor>& fweights,
           const std::optional<Tensor>& aweights) {
  const trace::OpScope scope("cov");
  TANDEM_EXPECTS(x.dim() <= 2, ShapeError,
                 fmt::format("[cov] expected input to have two or fewer dimensions but got an "
                             "input with {} dimensions",
                             x.dim()));
  TANDEM_EXPECTS(x.dtype() != DType::bool_, TypeError,
                 "[cov] bool dtype is not supported for input");
  const DType floats = floating(unnamed(x)).dtype();
  const DType result = aweights ? promote_types(floats, aweights->dtype()) : floats;
  // Half types are computed in float32 and rounded once.
  const DType working = info(result).compute;
  const Tensor values = unnamed(x).to(working);
  const Tensor in = x.dim() < 2 ? values.reshape({1, -1}) : values;
  const std::int64_t n = in.shape()[1];
  const Tensor f = fweights ? observed(*fweights, "fweights", Category::Integer, n) : Tensor();
  const Tensor a = aweights ? observed(*aweights, "aweights", Category::Float, n) : Tensor();
  if (!f.defined() && !a.defined()) {
    const Tensor centred = sub(in, mean(in, 1, true));
    const double norm = std::max(static_cast<double>(n) - correction, 0.0);
    return div(matmul(centred, detail::conjugate(centred.t())), norm).squeeze().to(result);
  }
  const DType real = real_part(working);
  const Tensor w = (f.defined() && a.defined() ? mul(f, a.to(real)) : f.defined() ? f : a).to(real);
  const Tensor total = sum(w);
  const Tensor centred = sub(in, div(sum(mul(in, w), 1, true), total));
  const Tensor lost = a.defined() && correction != 0
                          ? mul(div(sum(mul(w, a)), total), correction)
                          : full({}, correction, {.dtype = real, .device = x.device()});
  const Tensor norm = clamp(sub(total, lost), 0, Scalar(HUGE_VAL));
  return div(matmul(mul(centred, w), detail::conjugate(centred.t())), norm).squeeze().to(result);
}

Tensor corrcoef(const Tensor& x) {
  TANDEM_EXPECTS(x.dim() <= 2, ShapeError,
                 fmt::format("[corrcoef] expected input to have two or fewer dimensions but got an "
                             "input with {} dimensions",
                             x.dim()));
  const Tensor c = cov(x, 1, {}, {});
  if (c.dim() == 0) return div(c, c);  // 1, or NaN without a deviation
  const Tensor d = c.diagonal();
  const Tensor deviation = sqrt(is_complex(d.dtype()) ? abs(d) : d);
  const Tensor r = div(div(c, deviation.unsqueeze(1)), deviation.unsqueeze(0));
  return is_complex(r.dtype()) ? r : clamp(r, -1, 1);
}

Tensor cross(const Tensor& x, const Tensor& y, std::optional<Axis> axis) {
  TANDEM_EXPECTS(
      x.dim() == y.dim(), ShapeError,
      fmt::format("[cross] inputs must have the same number of dimensions, got {} and {}", x.dim(),
                  y.dim()));
  const Tensor* both[] = {&x, &y};
  (void)detail::common_device(op::cross, both);
  const Dims shape = detail::broadcast_shape(both, "cross");
  const Names names = detail::unify_names(x.body_ptr()->names, shape.size(), y.body_ptr()->names,
                                          shape.size(), "cross");
  std::int64_t d = axis ? detail::resolve_axis(*axis, x.dim(), names, "cross") : 0;
  while (!axis && d < x.dim() && shape[static_cast<std::size_t>(d)] != 3) ++d;
  TANDEM_EXPECTS(d < x.dim(), ShapeError, "[cross] no dimension of size 3 in input");
  const auto at = static_cast<std::size_t>(d);
  TANDEM_EXPECTS(x.shape()[at] == 3 && y.shape()[at] == 3, ShapeError,
                 fmt::format("[cross] inputs dimension {} must have length 3. Got {} and {}", d,
                             x.shape()[at], y.shape()[at]));
  const DType dtype = promote_types(x.dtype(), y.dtype());
  TANDEM_EXPECTS(dtype != DType::bool_, NotImplemented, "[cross] not implemented for 'Bool'");
  const Tensor a = unnamed(x.to(dtype));
  const Tensor b = unnamed(y.to(dtype));
  return detail::moved(op::cross, a, shape, names, [&](const Tensor& out) {
    if (out.numel() == 0) return;
    for (std::int64_t i = 0; i < 3; ++i) {
      const std::int64_t j = (i + 1) % 3;
      const std::int64_t k = (i + 2) % 3;
      Tensor component = out.select(d, i);
      sub_out(component, mul(a.select(d, j), b.select(d, k)), mul(a.select(d, k), b.select(d, j)));
    }
  });
}

namespace ops {

namespace {
Spacing spacing_of(const Tensor& t) {
  if (t.dim() > 0) return {1, t};
  TANDEM_EXPECTS(t.device().is_cpu(), ValueError,
                 "[gradient] argument 'spacing': expected numbers and vectors, got a 0-d tensor on "
                 "a device");
  return {t.item(), {}};
}
}  // namespace

std::vector<Tensor> gradient(const Tensor& x, const Value& spacing, const Axes& axes,
                             std::int64_t edge_order) {
  std::vector<Spacing> list;
  if (spacing.is<Scalar>()) list.push_back({spacing.as<Scalar>(), {}});
  if (spacing.is<Tensor>()) list.push_back(spacing_of(spacing.as<Tensor>()));
  if (spacing.is<Dims>()) {
    for (const std::int64_t s : spacing.as<Dims>()) list.push_back({Scalar(s), {}});
  }
  if (spacing.is<std::vector<Tensor>>()) {
    for (const Tensor& t : spacing.as<std::vector<Tensor>>()) list.push_back(spacing_of(t));
  }
  TANDEM_EXPECTS(spacing.is_none() || !list.empty(), TypeError,
                 "[gradient] argument 'spacing': expected a number, or numbers or tensors one a "
                 "dimension");
  const std::size_t dims = axes.all() ? x.shape().size() : axes.list().size();
  TANDEM_EXPECTS(
      spacing.is_none() || spacing.is<Scalar>() || spacing.is<Tensor>() || list.size() == dims,
      ValueError,
      fmt::format("[gradient] expected spacing to be unspecified, a scalar or one for "
                  "each of {} dims, got {}",
                  dims, list.size()));
  return tandem::gradient(x, list, axes, static_cast<int>(edge_order));
}

Tensor trapezoid(const Tensor& y, std::optional<Tensor> x, std::optional<Scalar> dx, Axis axis) {
  TANDEM_EXPECTS(!x || !dx, ValueError, "[trapezoid] expected x or dx, got both");
  return tandem::trapezoid(y, x, dx.value_or(Scalar(1)), axis);
}

Tensor cumulative_trapezoid(const Tensor& y, std::optional<Tensor> x, std::optional<Scalar> dx,
                            Axis axis) {
  TANDEM_EXPECTS(!x || !dx, ValueError, "[cumulative_trapezoid] expected x or dx, got both");
  return tandem::cumulative_trapezoid(y, x, dx.value_or(Scalar(1)), axis);
}

Tensor diff(const Tensor& x, std::int64_t n, Axis axis, std::optional<Tensor> prepend,
            std::optional<Tensor> append) {
  return tandem::diff(x, n, axis, prepend, append);
}

Tensor cov(const Tensor& x, double correction, std::optional<Tensor> fweights,
           std::optional<Tensor> aweights) {
  return tandem::cov(x, correction, fweights, aweights);
}

}  // namespace ops

}  // namespace tandem
