// Front-ends of the rows that read at given places: index, index_select, gather, take,
// take_along_dim.
#include "runtime/ops/indexing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/plan.h"
#include "runtime/tensor/names.h"
#include "tandem/op_table.h"

namespace tandem {

using detail::as_indices;
using detail::at_least_1d;
using detail::IndexPlan;
using detail::OutSpec;

namespace detail {

namespace {
std::int64_t bytes(const Tensor& t) { return static_cast<std::int64_t>(t.element_size()); }
}  // namespace

void check_same_device(const OpRow& row, const Tensor& x, const Tensor& other) {
  TANDEM_EXPECTS(x.device() == other.device(), DeviceError,
                 fmt::format("[{}] Expected all tensors to be on the same device, but found at "
                             "least two devices, {} and {}!",
                             row.name, x.device().str(), other.device().str()));
}

IndexPlan plan_select(const Tensor& x, std::size_t axis, const Tensor& index) {
  IndexPlan plan;
  plan.shape = Dims(x.shape());
  plan.shape[axis] = index.numel();
  plan.begin = axis;
  plan.end = axis + 1;
  for (const std::int64_t s : x.strides()) plan.x_strides.push_back(s * bytes(x));
  plan.arrays.push_back(
      {index.rename(std::nullopt), x.shape()[axis], plan.x_strides[axis], static_cast<int>(axis)});
  plan.x_strides[axis] = 0;
  return plan;
}

IndexPlan plan_gather(const OpRow& row, const Tensor& x, std::size_t axis, const Tensor& index) {
  TANDEM_EXPECTS(x.dim() == index.dim(), ShapeError,
                 fmt::format("[{}] Index tensor must have the same number of dimensions as input "
                             "tensor, got {} and {}",
                             row.name, index.dim(), x.dim()));
  IndexPlan plan;
  plan.shape = Dims(index.shape());
  plan.end = plan.shape.size();
  for (std::size_t k = 0; k < plan.end; ++k) {
    TANDEM_EXPECTS(
        k == axis || plan.shape[k] <= x.shape()[k], ShapeError,
        fmt::format("[{}] Size does not match at dimension {} expected index [{}] to "
                    "be no larger than self [{}] apart from dimension {}",
                    row.name, k, fmt::join(index.shape(), ", "), fmt::join(x.shape(), ", "), axis));
    plan.x_strides.push_back(k == axis ? 0 : x.strides()[k] * bytes(x));
  }
  plan.arrays.push_back({index.rename(std::nullopt), x.shape()[axis], x.strides()[axis] * bytes(x),
                         static_cast<int>(axis)});
  return plan;
}

IndexPlan plan_take(const Tensor& flat, const Tensor& index) {
  IndexPlan plan;
  plan.shape = Dims(index.shape());
  plan.end = plan.shape.size();
  plan.x_strides = Dims(plan.end, 0);
  plan.arrays.push_back(
      {index.rename(std::nullopt), flat.numel(), flat.strides()[0] * bytes(flat), 0});
  return plan;
}

}  // namespace detail

namespace {

Tensor select_along(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index) {
  detail::check_same_device(row, x, index);
  TANDEM_EXPECTS(index.dim() <= 1, IndexError,
                 fmt::format("[{}] Index is supposed to be a vector, got {} dimensions", row.name,
                             index.dim()));
  TANDEM_EXPECTS(x.dim() > 0 || index.numel() == 1, IndexError,
                 fmt::format("[{}] Index to scalar can have only 1 value, got {} value(s)",
                             row.name, index.numel()));
  const auto d = static_cast<std::size_t>(detail::resolve_axis(axis, x, row.name));
  const Tensor from = at_least_1d(x);
  const Tensor indices = at_least_1d(as_indices(row, "index", index));
  const IndexPlan plan = detail::plan_select(from, d, indices);
  return detail::run_one(
      row, nullptr,
      [&] {
        OutSpec spec{x.dim() == 0 ? Dims() : plan.shape, x.dtype(), x.device(),
                     x.body_ptr()->names};
        if (!spec.names.empty()) spec.names[d] = Name();
        spec.names = detail::simplified(spec.names);
        return spec;
      },
      [&](const Tensor& out) { detail::read_at(row, plan, from, at_least_1d(out)); });
}

/// Elements of the flattened tensor.
Tensor take_flat(const OpRow& row, const Tensor& x, const Tensor& index) {
  detail::check_same_device(row, x, index);
  const Tensor indices = as_indices(row, "index", index);
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{Dims(index.shape()), x.dtype(), x.device(), {}};
      },
      [&](const Tensor& out) {
        const Tensor flat = x.rename(std::nullopt).reshape({-1});
        const IndexPlan plan = detail::plan_take(flat, indices);
        detail::read_at(row, plan, flat, out);
      });
}

Tensor gather_along(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index) {
  detail::check_same_device(row, x, index);
  const auto d = static_cast<std::size_t>(detail::resolve_axis(axis, x, row.name));
  const Tensor from = at_least_1d(x);
  const Tensor indices = at_least_1d(as_indices(row, "index", index));
  const IndexPlan plan = detail::plan_gather(row, from, d, indices);
  return detail::run_one(
      row, nullptr,
      [&] {
        const bool same_rank = x.dim() == index.dim();
        return OutSpec{
            Dims(index.shape()), x.dtype(), x.device(),
            same_rank ? detail::unify_names(x.body_ptr()->names, x.shape().size(),
                                            index.body_ptr()->names, index.shape().size(), row.name)
                      : index.body_ptr()->names};
      },
      [&](const Tensor& out) { detail::read_at(row, plan, from, at_least_1d(out)); });
}

}  // namespace

Tensor index(const Tensor& x, const std::vector<Tensor>& indices) {
  const trace::OpScope scope("index");
  // A mask over the whole tensor alone needs no coordinates.
  if (indices.size() == 1 && indices[0].defined() && indices[0].dtype() == DType::bool_ &&
      x.dim() > 0 && std::ranges::equal(indices[0].shape(), x.shape())) {
    return masked_select(x, indices[0]);
  }
  const detail::Arrays arrays = detail::expand_indices(op::index, x, indices);
  Names names;
  const IndexPlan plan = detail::plan_arrays(op::index, x, arrays, names);
  return detail::run_one(
      op::index, nullptr,
      [&] {
        return OutSpec{plan.shape, x.dtype(), x.device(), names};
      },
      [&](const Tensor& out) { detail::read_at(op::index, plan, x, out); });
}

Tensor index_select(const Tensor& x, Axis axis, const Tensor& index) {
  return select_along(op::index_select, x, axis, index);
}

Tensor gather(const Tensor& x, Axis axis, const Tensor& index) {
  if (index.numel() == 0 && index.dim() != x.dim()) {  // nothing is read, as PyTorch has it
    (void)as_indices(op::gather, "index", index);
    detail::check_same_device(op::gather, x, index);
    (void)detail::resolve_axis(axis, x, "gather");
    return empty(index.shape(), {.dtype = x.dtype(), .device = x.device()});
  }
  return gather_along(op::gather, x, axis, index);
}

Tensor take(const Tensor& x, const Tensor& index, std::optional<Axis> axis) {
  return axis ? select_along(op::take, x, *axis, index) : take_flat(op::take, x, index);
}

Tensor take_along_dim(const Tensor& x, const Tensor& indices, std::optional<Axis> axis) {
  const OpRow& row = op::take_along_dim;
  detail::check_same_device(row, x, indices);
  if (!axis) {
    return gather_along(row, x.rename(std::nullopt).reshape({-1}), 0,
                        indices.rename(std::nullopt).reshape({-1}));
  }
  TANDEM_EXPECTS(x.dim() == indices.dim(), ShapeError,
                 fmt::format("[{}] input and indices should have the same number of dimensions, "
                             "but got {} dimensions for input, and {} dimensions for indices",
                             row.name, x.dim(), indices.dim()));
  if (x.dim() == 0) return gather_along(row, x, *axis, indices);
  const auto d = static_cast<std::size_t>(detail::resolve_axis(*axis, x, row.name));
  // All but the axis broadcast.
  Dims wide(x.shape());
  Dims narrow(indices.shape());
  for (std::size_t k = 0; k < wide.size(); ++k) {
    if (k == d) continue;
    TANDEM_EXPECTS(wide[k] == narrow[k] || wide[k] == 1 || narrow[k] == 1, ShapeError,
                   fmt::format("[{}] The size of tensor a ({}) must match the size of tensor b "
                               "({}) at non-singleton dimension {}",
                               row.name, wide[k], narrow[k], k));
    wide[k] = narrow[k] = wide[k] == 1 ? narrow[k] : wide[k];
  }
  return gather_along(row, x.expand(wide), static_cast<std::int64_t>(d), indices.expand(narrow));
}

}  // namespace tandem
