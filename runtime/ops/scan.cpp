// Front-ends of the scans along an axis.
#include "runtime/ops/scan.h"

#include <fmt/format.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/promote.h"
#include "runtime/tensor/names.h"
#include "tandem/backend/scan.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

using detail::OutSpec;

/// The dtype that values are computed and returned in.
DType scan_result(const OpRow& row, const Tensor& x, std::optional<DType> dtype) {
  const DType t = dtype.value_or(detail::result_dtype(op::sum, x.dtype()));
  TANDEM_EXPECTS(dtypes::Numbers.has(t), TypeError,
                 fmt::format("[{}] not implemented for '{}'", row.name, info(t).title));
  return t;
}

/// Memory that a launch points into.
struct LaunchStorage {
  std::int64_t shape[kMaxRank];
  std::int64_t strides[3][kMaxRank];  // of the input and the outputs
};

ScanLaunch make_launch(const OpRow& row, const Tensor& x, DType computed, std::int64_t axis,
                       std::span<const Tensor> outs, LaunchStorage& storage) {
  ScanLaunch l{};
  l.row = &row;
  l.numel = l.n = 1;
  l.shape = storage.shape;
  l.n_out = static_cast<int>(outs.size());
  l.dtype = computed;
  l.device = x.device();
  l.stream = detail::launch_stream(l.device, {&outs.front(), &outs.back()}, {&x});
  const auto bytes = [](const Tensor& t, std::size_t d) {
    return t.strides()[d] * static_cast<std::int64_t>(t.element_size());
  };
  for (std::size_t d = 0; d < x.shape().size(); ++d) {
    if (static_cast<std::int64_t>(d) == axis) {
      l.n = x.shape()[d];
      l.in_stride = bytes(x, d);
      for (std::size_t k = 0; k < outs.size(); ++k) l.out_stride[k] = bytes(outs[k], d);
      continue;
    }
    storage.shape[l.rank] = x.shape()[d];
    l.numel *= x.shape()[d];
    storage.strides[0][l.rank] = bytes(x, d);
    for (std::size_t k = 0; k < outs.size(); ++k)
      storage.strides[1 + k][l.rank] = bytes(outs[k], d);
    ++l.rank;
  }
  l.in = {x.data_ptr(), storage.strides[0], {}, x.dtype(), computed};
  for (std::size_t k = 0; k < outs.size(); ++k) {
    const DType kernel = k == 0 ? computed : DType::int64;
    l.out[k] = {outs[k].data_ptr(), storage.strides[1 + k], {}, outs[k].dtype(), kernel};
  }
  return l;
}

/// Scans x into tensors of its shape, values first. `kernel` is the row whose kernel runs.
void scan_into(const OpRow& row, const OpRow& kernel, const Tensor& x, DType computed,
               std::int64_t axis, std::span<const Tensor> outs) {
  if (x.numel() == 0) return;
  // Values that the wide dtype of the loops does not cast as `computed` does.
  const bool lossy = category(x.dtype()) > category(computed);
  const Tensor in =
      detail::guard_overlap(row, lossy && x.dtype() != computed ? x.to(computed) : x, outs[0]);
  LaunchStorage storage;
  const ScanLaunch l = make_launch(kernel, in, computed, axis, outs, storage);
  detail::launch(kernel, l.device, &l);
}

/// Scans x into `to`; integers narrower than those of the loops wrap before they become another
/// dtype.
void scan_values(const OpRow& row, const OpRow& kernel, const Tensor& x, DType computed,
                 std::int64_t axis, const Tensor& to) {
  const bool wraps = category(computed) < Category::Float && to.dtype() != computed;
  if (!wraps || computed == DType::int64) {
    return scan_into(row, kernel, x, computed, axis, {&to, 1});
  }
  const Tensor exact = empty(x.shape(), {.dtype = computed, .device = x.device()});
  scan_into(row, kernel, x, computed, axis, {&exact, 1});
  detail::copy_elements(to, exact);
}

Tensor scan(const OpRow& row, const OpRow& kernel, const Tensor& x, Axis axis, DType computed,
            Tensor* out) {
  const std::int64_t d = detail::resolve_axis(axis, x, row.name);
  return detail::run_one(
      row, out,
      [&] {
        return OutSpec{Dims(x.shape()), computed, x.device(), x.body_ptr()->names};
      },
      [&](const Tensor& to) { scan_values(row, kernel, x, computed, d, to); });
}

Tensor& scan_in_place(const OpRow& row, const OpRow& kernel, Tensor& x, Axis axis,
                      std::optional<DType> dtype) {
  TANDEM_EXPECTS(!dtype || *dtype == x.dtype(), TypeError,
                 fmt::format("[{}] argument 'dtype': expected the tensor's own {}, got {}",
                             row.name, name(x.dtype()), name(dtype.value_or(x.dtype()))));
  scan(row, kernel, x, axis, scan_result(row, x, x.dtype()), &x);
  return x;
}

DType checked(const OpRow& row, const Tensor& x, DTypeSet set) {
  TANDEM_EXPECTS(set.has(x.dtype()), TypeError,
                 fmt::format("[{}] not implemented for '{}'", row.name, info(x.dtype()).title));
  return x.dtype();
}

std::tuple<Tensor, Tensor> extremes(const OpRow& row, const Tensor& x, Axis axis) {
  const DType t = checked(row, x, dtypes::BoolReals);
  const std::int64_t d = detail::resolve_axis(axis, x, row.name);
  auto outs = detail::run<2>(
      row, {nullptr, nullptr},
      [&] {
        const auto spec = [&](DType dtype) {
          return OutSpec{Dims(x.shape()), dtype, x.device(), x.body_ptr()->names};
        };
        return std::array<OutSpec, 2>{spec(t), spec(DType::int64)};
      },
      [&](std::array<Tensor, 2>& to) { scan_into(row, row, x, t, d, to); });
  return {outs[0], outs[1]};
}

/// The Array API's form: one more element in front where the initial value is wanted.
Tensor cumulative(const OpRow& row, const OpRow& kernel, const Tensor& x, std::optional<Axis> axis,
                  std::optional<DType> dtype, bool include_initial, double initial) {
  TANDEM_EXPECTS(axis || x.dim() == 1, ValueError,
                 fmt::format("[{}] argument 'dim': expected an axis for a tensor of {} dimensions, "
                             "got none",
                             row.name, x.dim()));
  TANDEM_EXPECTS(
      x.dim() > 0, ShapeError,
      fmt::format("[{}] argument 'x': expected at least one dimension, got none", row.name));
  const DType computed = scan_result(row, x, dtype);
  const Axis along = axis.value_or(Axis(0));
  if (!include_initial) return scan(row, kernel, x, along, computed, nullptr);
  const std::int64_t d = detail::resolve_axis(along, x, row.name);
  return detail::run_one(
      row, nullptr,
      [&] {
        Dims shape(x.shape());
        ++shape[static_cast<std::size_t>(d)];
        return OutSpec{shape, computed, x.device(), x.body_ptr()->names};
      },
      [&](const Tensor& to) {
        Tensor first = to.narrow(d, 0, 1);
        if (first.numel() != 0) first.fill_(initial);
        const Tensor rest = to.narrow(d, 1, x.shape()[static_cast<std::size_t>(d)]);
        scan_values(row, kernel, x, computed, d, rest);
      });
}

}  // namespace

#define TANDEM_SCAN(name)                                                                   \
  Tensor name(const Tensor& x, Axis axis, std::optional<DType> dtype) {                     \
    return scan(op::name, op::name, x, axis, scan_result(op::name, x, dtype), nullptr);     \
  }                                                                                         \
  Tensor& name##_out(Tensor& out, const Tensor& x, Axis axis, std::optional<DType> dtype) { \
    scan(op::name, op::name, x, axis, scan_result(op::name, x, dtype), &out);               \
    return out;                                                                             \
  }                                                                                         \
  Tensor& name##_(Tensor& x, Axis axis, std::optional<DType> dtype) {                       \
    return scan_in_place(op::name##_, op::name, x, axis, dtype);                            \
  }
TANDEM_SCAN(cumsum)
TANDEM_SCAN(cumprod)
#undef TANDEM_SCAN

Tensor logcumsumexp(const Tensor& x, Axis axis) {
  const OpRow& row = op::logcumsumexp;
  return scan(row, row, x, axis, checked(row, x, dtypes::Inexact), nullptr);
}
Tensor& logcumsumexp_out(Tensor& out, const Tensor& x, Axis axis) {
  const OpRow& row = op::logcumsumexp;
  scan(row, row, x, axis, checked(row, x, dtypes::Inexact), &out);
  return out;
}

std::tuple<Tensor, Tensor> cummax(const Tensor& x, Axis axis) {
  return extremes(op::cummax, x, axis);
}
std::tuple<Tensor, Tensor> cummin(const Tensor& x, Axis axis) {
  return extremes(op::cummin, x, axis);
}

Tensor cumulative_sum(const Tensor& x, std::optional<Axis> axis, std::optional<DType> dtype,
                      bool include_initial) {
  return cumulative(op::cumulative_sum, op::cumsum, x, axis, dtype, include_initial, 0);
}
Tensor cumulative_prod(const Tensor& x, std::optional<Axis> axis, std::optional<DType> dtype,
                       bool include_initial) {
  return cumulative(op::cumulative_prod, op::cumprod, x, axis, dtype, include_initial, 1);
}

namespace ops {

Tensor cumsum_(const Tensor& x, Axis axis, std::optional<DType> dtype) {
  Tensor to = x;
  return tandem::cumsum_(to, axis, dtype);
}
Tensor cumprod_(const Tensor& x, Axis axis, std::optional<DType> dtype) {
  Tensor to = x;
  return tandem::cumprod_(to, axis, dtype);
}

}  // namespace ops

}  // namespace tandem
