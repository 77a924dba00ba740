// Front-ends of the reductions: the table's rows in all their forms, and max, min, argmax, argmin,
// var, std, softmax, log_softmax.
#include <fmt/format.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "runtime/dispatch/promote.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/ops/reduce.h"
#include "runtime/tensor/names.h"
#include "tandem/backend.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace detail {

ReduceLaunch make_launch(const OpRow& row, const Tensor& x, DType computed, const Reduced& r,
                         std::span<const Tensor> outs, LaunchStorage& storage) {
  ReduceLaunch l{};
  l.row = &row;
  l.numel = l.n = 1;
  l.shape = storage.shape;
  l.n_out = static_cast<int>(outs.size());
  l.n_in = 1;
  l.dtype = computed;
  l.device = x.device();
  l.stream = launch_stream(l.device, {&outs.front(), &outs.back()}, {&x});
  const auto bytes = [](const Tensor& t, std::size_t d) {
    return t.strides()[d] * static_cast<std::int64_t>(t.element_size());
  };
  int at = 0;
  for (const bool reduced : {false, true}) {
    std::size_t kept = 0;
    for (std::size_t d = 0; d < x.shape().size(); ++d) {
      const std::size_t out_dim = kept;
      if (!r.has(d) || r.keepdim) ++kept;
      if (r.has(d) != reduced) continue;
      storage.shape[at] = x.shape()[d];
      (reduced ? l.n : l.numel) *= x.shape()[d];
      storage.strides[outs.size()][at] = bytes(x, d);
      for (std::size_t k = 0; k < outs.size() && !reduced; ++k) {
        storage.strides[k][at] = bytes(outs[k], out_dim);
      }
      ++at;
    }
    (reduced ? l.rank_reduced : l.rank_outer) = at - (reduced ? l.rank_outer : 0);
  }
  for (std::size_t k = 0; k < outs.size(); ++k) {
    l.operands[k] = {outs[k].data_ptr(), storage.strides[k], {}, outs[k].dtype(), outs[k].dtype()};
  }
  l.operands[outs.size()] = {x.data_ptr(), storage.strides[outs.size()], {}, x.dtype(), computed};
  return l;
}

Tensor reduce_one(const OpRow& row, const OpRow& kernel, const Tensor& x, const Reduced& r,
                  DType computed, DType result, Tensor* out, double param) {
  return run_one(
      row, out, [&] { return r.spec(x, result); },
      [&](const Tensor& to) {
        if (to.numel() == 0) return;
        const Tensor in = guard_overlap(row, x, to);
        LaunchStorage storage;
        ReduceLaunch l = make_launch(kernel, in, computed, r, {&to, 1}, storage);
        l.operands[0].kernel = result;
        l.param = param;
        launch(kernel, l.device, &l);
      });
}

void check_not_empty(const OpRow& row, const Tensor& x, const Reduced& r, bool all) {
  if (x.numel() != 0) return;
  TANDEM_EXPECTS(!all, IndexError,
                 fmt::format("[{}] Expected reduction dim to be specified for input.numel() == 0. "
                             "Specify the reduction dim with the 'dim' argument.",
                             row.name));
  for (std::size_t d = 0; d < x.shape().size(); ++d) {
    TANDEM_EXPECTS(
        !r.has(d) || x.shape()[d] != 0, IndexError,
        fmt::format("[{}] Expected reduction dim {} to have non-zero size.", row.name, d));
  }
}

}  // namespace detail

namespace {

using detail::check_not_empty;
using detail::LaunchStorage;
using detail::make_launch;
using detail::OutSpec;
using detail::reduce_one;
using detail::Reduced;

bool needs_elements(const OpRow& row) { return &row == &op::amax || &row == &op::amin; }

bool takes_dtype(const OpRow& row) { return row.result == Result::Wide || &row == &op::mean; }

/// The dtype a row of the table computes in.
DType reduction_dtype(const OpRow& row, const Tensor& x, std::optional<DType> dtype) {
  TANDEM_EXPECTS(!dtype || takes_dtype(row), TypeError,
                 fmt::format("[{}] argument 'dtype': expected none, got {}", row.name,
                             name(dtype.value_or(DType::float32))));
  const DType wanted = dtype.value_or(detail::result_dtype(row, x.dtype()));
  if (&row == &op::nansum && category(wanted) == Category::Integer) return wanted;
  if (dtype) return detail::compute_dtype(row, *dtype);
  TANDEM_EXPECTS(&row != &op::mean || category(x.dtype()) >= Category::Float, TypeError,
                 fmt::format("[mean] could not infer output dtype. Input dtype must be either a "
                             "floating point or complex dtype. Got: {}",
                             info(x.dtype()).title));
  const bool wide = row.result == Result::Wide;
  return detail::compute_dtype(row, wide ? detail::result_dtype(row, x.dtype()) : x.dtype());
}

Tensor reduce_row(const OpRow& row, const Tensor& x, const Axes& axes, bool keepdim,
                  std::optional<DType> dtype, Tensor* out) {
  const Reduced r{detail::resolve_axes(axes, x, row.name), keepdim};
  if (dtype == DType::bool_ && (&row == &op::sum || &row == &op::prod)) {
    return reduce_one(row, &row == &op::sum ? op::any : op::all, x, r, x.dtype(), *dtype, out);
  }
  const DType computed = reduction_dtype(row, x, dtype);
  if (needs_elements(row)) check_not_empty(row, x, r, axes.all());
  // Integers have no NaN.
  const OpRow& kernel =
      &row == &op::nansum && category(computed) == Category::Integer ? op::sum : row;
  // A narrow integer dtype that was asked for stays the result's.
  const DType result = row.result == Result::Wide ? computed : detail::result_dtype(row, computed);
  return reduce_one(row, kernel, x, r, computed, result, out);
}

void check_computes(const OpRow& row, DType t, DTypeSet set) {
  TANDEM_EXPECTS(set.has(t), TypeError,
                 fmt::format("[{}] not implemented for '{}'", row.name, info(t).title));
}

Reduced one_axis(const OpRow& row, const Tensor& x, const Axis& axis, bool keepdim) {
  const std::int64_t d = detail::resolve_axis(axis, x, row.name);
  return {x.dim() == 0 ? 0 : std::uint64_t(1) << d, keepdim};
}

Tensor extremum(const OpRow& row, const OpRow& kernel, const Tensor& x) {
  check_computes(row, x.dtype(), kernel.dtypes);
  const Reduced r{detail::resolve_axes({}, x, row.name), false};
  check_not_empty(row, x, r, true);
  return reduce_one(row, kernel, x, r, x.dtype(), x.dtype(), nullptr);
}

std::tuple<Tensor, Tensor> extremum(const OpRow& row, const Tensor& x, Axis axis, bool keepdim) {
  check_computes(row, x.dtype(), dtypes::BoolReals);
  const Reduced r = one_axis(row, x, axis, keepdim);
  check_not_empty(row, x, r, false);
  auto outs = detail::run<2>(
      row, {nullptr, nullptr},
      [&] {
        return std::array<OutSpec, 2>{r.spec(x, x.dtype()), r.spec(x, DType::int64)};
      },
      [&](std::array<Tensor, 2>& to) {
        if (to[0].numel() == 0) return;
        LaunchStorage storage;
        const ReduceLaunch l = make_launch(row, x, x.dtype(), r, to, storage);
        detail::launch(row, l.device, &l);
      });
  return {outs[0], outs[1]};
}

Tensor arg_extremum(const OpRow& row, const Tensor& x, std::optional<Axis> axis, bool keepdim) {
  check_computes(row, x.dtype(), dtypes::BoolReals);
  const Reduced r = axis ? one_axis(row, x, *axis, keepdim)
                         : Reduced{detail::resolve_axes({}, x, row.name), keepdim};
  check_not_empty(row, x, r, !axis);
  return reduce_one(row, row, x, r, x.dtype(), DType::int64, nullptr);
}

Tensor spread(const OpRow& row, const Tensor& x, const Axes& axes, double correction,
              bool keepdim) {
  TANDEM_EXPECTS(category(x.dtype()) >= Category::Float, TypeError,
                 fmt::format("[{}] std and var only support floating point and complex dtypes, "
                             "got {}",
                             row.name, name(x.dtype())));
  const Reduced r{detail::resolve_axes(axes, x, row.name), keepdim};
  return reduce_one(row, row, x, r, x.dtype(), real_part(x.dtype()), nullptr, correction);
}

Tensor along_rows(const OpRow& row, const Tensor& x, Axis axis, std::optional<DType> dtype) {
  const DType computed = dtype.value_or(x.dtype());
  check_computes(row, computed, dtypes::Floats);
  const auto d = static_cast<std::size_t>(detail::resolve_axis(axis, x, row.name));
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{Dims(x.shape()), computed, x.device(), x.body_ptr()->names};
      },
      [&](const Tensor& to) {
        if (to.numel() == 0) return;
        LaunchStorage storage;
        ReduceLaunch outer =
            make_launch(row, x, computed, {x.dim() == 0 ? 0u : 1ull << d, true}, {&to, 1}, storage);
        RowLaunch l{};
        l.row = &row;
        l.numel = outer.numel;
        l.n = outer.n;
        l.shape = storage.shape;
        l.rank = outer.rank_outer;
        l.dtype = computed;
        if (x.dim() > 0) {
          l.in_stride = x.strides()[d] * static_cast<std::int64_t>(x.element_size());
          l.out_stride = to.strides()[d] * static_cast<std::int64_t>(to.element_size());
        }
        l.device = outer.device;
        l.stream = outer.stream;
        l.out = outer.operands[0];
        l.in = outer.operands[1];
        detail::launch(row, l.device, &l);
      });
}

}  // namespace

// ---- the table's rows

#define TANDEM_REDUCTION(name, ...)                                                          \
  Tensor name(const Tensor& x, const Axes& axes, bool keepdim, std::optional<DType> dtype) { \
    return reduce_row(op::name, x, axes, keepdim, dtype, nullptr);                           \
  }                                                                                          \
  Tensor& name##_out(Tensor& out, const Tensor& x, const Axes& axes, bool keepdim,           \
                     std::optional<DType> dtype) {                                           \
    reduce_row(op::name, x, axes, keepdim, dtype, &out);                                     \
    return out;                                                                              \
  }                                                                                          \
  Tensor Tensor::name(const Axes& axes, bool keepdim, std::optional<DType> dtype) const {    \
    return reduce_row(op::name, *this, axes, keepdim, dtype, nullptr);                       \
  }
#include "tandem/ops/ops.def"

// ---- those with a form of their own

std::tuple<Tensor, Tensor> max(const Tensor& x, Axis axis, bool keepdim) {
  return extremum(op::max, x, axis, keepdim);
}
std::tuple<Tensor, Tensor> min(const Tensor& x, Axis axis, bool keepdim) {
  return extremum(op::min, x, axis, keepdim);
}
Tensor max(const Tensor& x) { return extremum(op::max, op::amax, x); }
Tensor min(const Tensor& x) { return extremum(op::min, op::amin, x); }

Tensor argmax(const Tensor& x, std::optional<Axis> axis, bool keepdim) {
  return arg_extremum(op::argmax, x, axis, keepdim);
}
Tensor argmin(const Tensor& x, std::optional<Axis> axis, bool keepdim) {
  return arg_extremum(op::argmin, x, axis, keepdim);
}

Tensor var(const Tensor& x, const Axes& axes, double correction, bool keepdim) {
  return spread(op::var, x, axes, correction, keepdim);
}
Tensor std(const Tensor& x, const Axes& axes, double correction, bool keepdim) {
  return spread(op::std, x, axes, correction, keepdim);
}

Tensor softmax(const Tensor& x, Axis axis, std::optional<DType> dtype) {
  return along_rows(op::softmax, x, axis, dtype);
}
Tensor log_softmax(const Tensor& x, Axis axis, std::optional<DType> dtype) {
  return along_rows(op::log_softmax, x, axis, dtype);
}

Tensor Tensor::max() const { return tandem::max(*this); }
Tensor Tensor::min() const { return tandem::min(*this); }
std::tuple<Tensor, Tensor> Tensor::max(Axis axis, bool keepdim) const {
  return tandem::max(*this, axis, keepdim);
}
std::tuple<Tensor, Tensor> Tensor::min(Axis axis, bool keepdim) const {
  return tandem::min(*this, axis, keepdim);
}
Tensor Tensor::argmax(std::optional<Axis> axis, bool keepdim) const {
  return tandem::argmax(*this, axis, keepdim);
}
Tensor Tensor::argmin(std::optional<Axis> axis, bool keepdim) const {
  return tandem::argmin(*this, axis, keepdim);
}
Tensor Tensor::var(const Axes& axes, double correction, bool keepdim) const {
  return tandem::var(*this, axes, correction, keepdim);
}
Tensor Tensor::std(const Axes& axes, double correction, bool keepdim) const {
  return tandem::std(*this, axes, correction, keepdim);
}
Tensor Tensor::softmax(Axis axis, std::optional<DType> dtype) const {
  return tandem::softmax(*this, axis, dtype);
}
Tensor Tensor::log_softmax(Axis axis, std::optional<DType> dtype) const {
  return tandem::log_softmax(*this, axis, dtype);
}

namespace ops {

std::vector<Value> reduction(const OpRow& row, std::span<const Value> args) {
  const Schema& schema = schema_of(row);
  const auto get = [&]<class T>(std::size_t i) {
    return detail::FromValue<T>::get(detail::argument(row, args, i), {row, schema.params[i]});
  };
  const auto x = get.template operator()<Tensor>(0);
  const auto axes = get.template operator()<Axes>(1);
  const bool keepdim = get.template operator()<bool>(2);
  std::optional<DType> dtype;
  if (schema.params.size() > 3) dtype = get.template operator()<std::optional<DType>>(3);
  return {Value(reduce_row(row, x, axes, keepdim, dtype, nullptr))};
}

std::vector<Value> max(const Tensor& x, std::optional<Axis> axis, bool keepdim) {
  return axis ? detail::results(tandem::max(x, *axis, keepdim)) : detail::results(tandem::max(x));
}
std::vector<Value> min(const Tensor& x, std::optional<Axis> axis, bool keepdim) {
  return axis ? detail::results(tandem::min(x, *axis, keepdim)) : detail::results(tandem::min(x));
}

}  // namespace ops

}  // namespace tandem
