// Front-ends of what is read from sorted rows: quantile, nanquantile, mode.
#include <fmt/format.h>

#include "kernels/functors/sorting.h"
#include "runtime/ops/reduce.h"
#include "runtime/ops/sorting.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

using detail::OutSpec;
using detail::working;

fn::Interpolation interpolation_of(const OpRow& row, const std::string& text) {
  static constexpr std::string_view kTexts[] = {"linear", "lower", "higher", "midpoint", "nearest"};
  for (int i = 0; i < 5; ++i) {
    if (text == kTexts[i]) return static_cast<fn::Interpolation>(i);
  }
  detail::fail<ValueError>(
      fmt::format("[{}] argument 'interpolation': expected linear, lower, higher, midpoint or "
                  "nearest, got '{}'",
                  row.name, text));
}

/// Dimensions but the reduced one, that one last; x's elements are not copied.
Tensor reduced_last(const Tensor& x, std::optional<std::int64_t> dim) {
  if (!dim) return detail::dense_row(x);
  const Tensor plain = x.rename(std::nullopt);
  return x.dim() == 0 ? plain.reshape({1}) : plain.movedim(*dim, -1);
}

std::int64_t last_size(const Tensor& t) { return t.shape()[t.shape().size() - 1]; }

/// The values, and where wanted the order, of rows along the last dimension, dense.
std::pair<Tensor, Tensor> sorted_rows(const OpRow& row, const Tensor& rows, bool wants_order) {
  const Tensor values = working(rows, rows.shape(), rows.dtype());
  Tensor order;
  if (wants_order) order = working(rows, rows.shape(), DType::int64);
  detail::run_sort(row, rows, rows.dim() - 1, {.count = last_size(rows)}, &values,
                   wants_order ? &order : nullptr);
  return {values, order};
}

/// A q that the host knows has to lie in [0, 1].
void check_q(const OpRow& row, const Arg& q) {
  if (!q.is_tensor()) {
    const double v = q.scalar().to_double();
    TANDEM_EXPECTS(
        v >= 0 && v <= 1, ValueError,
        fmt::format("[{}] argument 'q': expected a number in [0, 1], got {}", row.name, v));
    return;
  }
  const Tensor& t = q.tensor();
  TANDEM_EXPECTS(t.dim() <= 1, ShapeError,
                 fmt::format("[{}] argument 'q': expected a number or one dimension, got {}",
                             row.name, t.dim()));
  detail::check_sortable(row, t.dtype());
  if (!t.device().is_cpu()) return;
  const Tensor all = t.to(DType::float64).contiguous();
  for (std::int64_t i = 0; i < all.numel(); ++i) {
    const double v = all.data<double>()[i];
    TANDEM_EXPECTS(
        v >= 0 && v <= 1, ValueError,
        fmt::format("[{}] argument 'q': expected numbers in [0, 1], got {}", row.name, v));
  }
}

Tensor quantiles(const OpRow& row, const Tensor& x, const Arg& q, std::optional<Axis> axis,
                 bool keepdim, const std::string& interpolation, bool ignore_nan) {
  detail::check_sortable(row, x.dtype(), dtypes::Floats);
  check_q(row, q);
  const fn::Interpolation how = interpolation_of(row, interpolation);
  std::optional<std::int64_t> dim;
  if (axis) dim = detail::resolve_axis(*axis, x, row.name);
  TANDEM_EXPECTS(
      dim ? x.dim() == 0 || x.shape()[static_cast<std::size_t>(*dim)] > 0 : x.numel() > 0,
      ValueError, fmt::format("[{}] expected elements, got none", row.name));
  const bool many = q.is_tensor() && q.tensor().dim() == 1;
  const std::int64_t count = q.is_tensor() ? q.tensor().numel() : 1;
  const auto infer = [&] {
    const std::uint64_t gone = x.dim() == 0 ? 0
                               : dim        ? std::uint64_t(1) << *dim
                                            : ~std::uint64_t(0) >> (64 - x.dim());
    Dims shape;
    Names names;
    if (many) shape.push_back(count);
    for (std::size_t d = 0; d < x.shape().size(); ++d) {
      const bool reduced = (gone >> d & 1u) != 0;
      if (!reduced || keepdim) shape.push_back(reduced ? 1 : x.shape()[d]);
    }
    for (const Name& n : detail::names_without(x.body_ptr()->names, gone, keepdim)) {
      if (names.empty() && many) names.push_back(Name());
      names.push_back(n);
    }
    return OutSpec{shape, x.dtype(), x.device(), names};
  };
  return detail::run_one(row, nullptr, infer, [&](const Tensor& out) {
    if (out.numel() == 0) return;
    const Tensor rows = reduced_last(x, dim);
    const Tensor sorted = sorted_rows(row, rows, false).first;
    const Tensor ranks =
        q.is_tensor() ? q.tensor().rename(std::nullopt).to(x.device(), DType::float64).contiguous()
                      : scalar_tensor(q.scalar(), {.dtype = DType::float64, .device = x.device()});
    QuantileLaunch l{};
    l.row = &row;
    l.n = last_size(rows);
    l.rows = rows.numel() / l.n;
    l.count = count;
    l.dtype = x.dtype();
    l.sorted = sorted.data_ptr();
    l.q = ranks.data<double>();
    l.interpolation = static_cast<int>(how);
    l.ignore_nan = ignore_nan;
    l.out = out.data_ptr();
    l.device = x.device();
    l.stream = detail::launch_stream(l.device, {&out}, {&sorted, &ranks});
    detail::launch(op::quantile, l.device, &l);
  });
}

void find_modes(const Tensor& x, std::int64_t dim, const Tensor& values, const Tensor& indices) {
  const Tensor rows = reduced_last(x, dim);
  const auto [sorted, order] = sorted_rows(op::mode, rows, true);
  const Tensor lengths = working(x, rows.shape(), DType::int64);
  ModeLaunch l{};
  l.row = &op::mode;
  l.n = last_size(rows);
  l.rows = rows.numel() / l.n;
  l.dtype = x.dtype();
  l.sorted = sorted.data_ptr();
  l.order = order.data<std::int64_t>();
  l.lengths = lengths.data<std::int64_t>();
  l.device = x.device();
  l.stream = detail::launch_stream(l.device, {&lengths}, {&sorted, &order});
  detail::launch(op::mode, l.device, &l);
  const Tensor at = argmax(lengths, -1);  // the first of the longest runs has the least value
  l.step = ModeLaunch::Step::Pick;
  l.at = at.data<std::int64_t>();
  l.values = values.data_ptr();
  l.indices = indices.data<std::int64_t>();
  (void)detail::launch_stream(l.device, {&values, &indices}, {&at, &sorted, &order, &lengths});
  detail::launch(op::mode, l.device, &l);
}

}  // namespace

Tensor quantile(const Tensor& x, const Arg& q, std::optional<Axis> dim, bool keepdim,
                const std::string& interpolation) {
  return quantiles(op::quantile, x, q, dim, keepdim, interpolation, false);
}
Tensor nanquantile(const Tensor& x, const Arg& q, std::optional<Axis> dim, bool keepdim,
                   const std::string& interpolation) {
  return quantiles(op::nanquantile, x, q, dim, keepdim, interpolation, true);
}

std::tuple<Tensor, Tensor> mode(const Tensor& x, Axis axis, bool keepdim) {
  detail::check_sortable(op::mode, x.dtype());
  const std::int64_t dim = detail::resolve_axis(axis, x, "mode");
  detail::check_has_elements(op::mode, x, dim);
  const detail::Reduced r{x.dim() == 0 ? 0 : std::uint64_t(1) << dim, keepdim};
  auto outs = detail::run<2>(
      op::mode, {nullptr, nullptr},
      [&] {
        return std::array<OutSpec, 2>{r.spec(x, x.dtype()), r.spec(x, DType::int64)};
      },
      [&](std::array<Tensor, 2>& to) {
        if (to[0].numel() > 0) find_modes(x, dim, to[0], to[1]);
      });
  return {outs[0], outs[1]};
}

namespace ops {

Tensor quantile(const Tensor& x, const Arg& q, std::optional<Axis> dim, bool keepdim,
                const std::string& interpolation) {
  return tandem::quantile(x, q, dim, keepdim, interpolation);
}
Tensor nanquantile(const Tensor& x, const Arg& q, std::optional<Axis> dim, bool keepdim,
                   const std::string& interpolation) {
  return tandem::nanquantile(x, q, dim, keepdim, interpolation);
}

}  // namespace ops

}  // namespace tandem
