// Views of movement.h: flips, turns, splits, grids, dimensions of size 1.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

using detail::resolve_axis;

namespace {

Tensor flip_by(const Tensor& x, std::uint64_t mask) {
  const auto* b = x.body_ptr();
  Dims strides = b->strides;
  std::int64_t offset = b->offset;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    if (((mask >> i) & 1u) == 0) continue;
    if (b->numel > 0) offset += (b->shape[i] - 1) * strides[i];
    strides[i] = -strides[i];
  }
  return detail::make_view(x, offset, b->shape, strides, b->names);
}

void expects_dims(const Tensor& x, std::int64_t least, const char* op) {
  TANDEM_EXPECTS(x.dim() >= least, ShapeError,
                 fmt::format("[{}] expected a tensor with at least {} dimension{}, got {}", op,
                             least, least == 1 ? "" : "s", x.dim()));
}

std::vector<const Tensor*> pointers(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> all;
  for (const Tensor& t : tensors) all.push_back(&t);
  return all;
}

/// The ints of a 1-d CPU tensor: where to split is part of the shapes, which the host must know.
Dims indices_of(const Tensor& t, const char* op) {
  TANDEM_EXPECTS(t.device().is_cpu() && t.dtype() == DType::int64 && t.dim() == 1, ValueError,
                 fmt::format("[{}] argument 'indices_or_sections': expected an int64 tensor of 0 "
                             "or 1 dimensions on the CPU, got {} of {} dimensions on {}",
                             op, name(t.dtype()), t.dim(), t.device().str()));
  const Tensor dense = t.contiguous();
  check_host_use(dense);
  return Dims(IntSpan(dense.data<std::int64_t>(), static_cast<std::size_t>(t.numel())));
}

/// A number of sections, or the indices to split at.
struct Places {
  std::optional<std::int64_t> sections;
  Dims indices;
};

Places places_of(const Value& where, const char* op) {
  if (where.is<Dims>()) return {std::nullopt, where.as<Dims>()};
  Scalar number;
  if (where.is<Tensor>()) {
    const Tensor& t = where.as<Tensor>();
    if (t.dim() != 0) return {std::nullopt, indices_of(t, op)};
    TANDEM_EXPECTS(t.device().is_cpu(), ValueError,
                   fmt::format("[{}] argument 'indices_or_sections': expected a tensor on the CPU, "
                               "got one on {}",
                               op, t.device().str()));
    number = t.item();
  } else {
    TANDEM_EXPECTS(where.is<Scalar>(), TypeError,
                   fmt::format("[{}] argument 'indices_or_sections': expected an int, a list of "
                               "ints or a tensor",
                               op));
    number = where.as<Scalar>();
  }
  TANDEM_EXPECTS(number.is_integral(), TypeError,
                 fmt::format("[{}] argument 'indices_or_sections': expected an int, got {}", op,
                             number.str()));
  return {number.to_int(), {}};
}

std::vector<Tensor> split_at(const Tensor& x, IntSpan indices, std::size_t d) {
  std::vector<Tensor> parts;
  std::optional<std::int64_t> start = 0;
  const auto axis = static_cast<std::int64_t>(d);
  for (const std::int64_t end : indices) {
    parts.push_back(x.slice(axis, start, end));
    start = end;
  }
  parts.push_back(x.slice(axis, start));
  return parts;
}

std::vector<Tensor> split_in(const Tensor& x, std::int64_t sections, std::size_t d,
                             const char* op) {
  TANDEM_EXPECTS(
      sections > 0, ValueError,
      fmt::format("[{}] number of sections must be larger than 0, got {}", op, sections));
  const std::int64_t size = x.shape()[d];
  const std::int64_t least = size / sections;
  const std::int64_t longer = size % sections;
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (std::int64_t i = 0; i < sections; ++i) {
    const std::int64_t length = least + (i < longer ? 1 : 0);
    parts.push_back(x.narrow(static_cast<std::int64_t>(d), start, length));
    start += length;
  }
  return parts;
}

/// hsplit and its kin: sections must be equal.
std::vector<Tensor> split_evenly(const Tensor& x, const Value& where, std::size_t d,
                                 const char* op) {
  const Places places = places_of(where, op);
  if (!places.sections) return split_at(x, places.indices, d);
  const std::int64_t sections = *places.sections;
  TANDEM_EXPECTS(
      sections > 0 && x.shape()[d] % sections == 0, ValueError,
      fmt::format("[{}] attempted to split along dimension {}, but the size of the dimension {} is "
                  "not divisible by the split_size {}!",
                  op, d, x.shape()[d], sections));
  return split_in(x, sections, d, op);
}

Tensor unnamed(const Tensor& t) { return t.has_names() ? t.rename(std::nullopt) : t; }

}  // namespace

Tensor flip(const Tensor& x, const Axes& axes) {
  return flip_by(x, axes.none() ? 0 : detail::resolve_axes(axes, x, "flip"));
}

Tensor fliplr(const Tensor& x) {
  expects_dims(x, 2, "fliplr");
  return flip_by(x, 2);
}

Tensor flipud(const Tensor& x) {
  expects_dims(x, 1, "flipud");
  return flip_by(x, 1);
}

Tensor rot90(const Tensor& x, std::int64_t k, const Axes& axes) {
  expects_dims(x, 2, "rot90");
  TANDEM_EXPECTS(axes.all() || axes.list().size() == 2, ValueError,
                 fmt::format("[rot90] expected total rotation dims == 2, but got dims = {}",
                             axes.list().size()));
  (void)detail::resolve_axes(axes, x, "rot90");  // no axis twice
  const std::int64_t a = axes.all() ? 0 : resolve_axis(axes.list()[0], x, "rot90");
  const std::int64_t b = axes.all() ? 1 : resolve_axis(axes.list()[1], x, "rot90");
  const std::uint64_t first = std::uint64_t(1) << a;
  const std::uint64_t second = std::uint64_t(1) << b;
  switch (((k % 4) + 4) % 4) {
    case 1:
      return flip_by(x, second).transpose(a, b);
    case 2:
      return flip_by(x, first | second);
    case 3:
      return flip_by(x, first).transpose(a, b);
    default:
      return x.alias();
  }
}

std::vector<Tensor> tensor_split(const Tensor& x, std::int64_t sections, Axis axis) {
  expects_dims(x, 1, "tensor_split");
  return split_in(x, sections, static_cast<std::size_t>(resolve_axis(axis, x, "tensor_split")),
                  "tensor_split");
}

std::vector<Tensor> tensor_split_at(const Tensor& x, IntSpan indices, Axis axis) {
  expects_dims(x, 1, "tensor_split");
  return split_at(x, indices, static_cast<std::size_t>(resolve_axis(axis, x, "tensor_split")));
}

std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors) {
  const std::vector<const Tensor*> all = pointers(tensors);
  const Dims shape = detail::broadcast_shape(all, "broadcast_tensors");
  Names names;
  std::size_t rank = 0;
  for (const Tensor& t : tensors) {
    names = detail::unify_names(names, rank, t.body_ptr()->names, t.shape().size(),
                                "broadcast_tensors");
    rank = std::max(rank, t.shape().size());
  }
  std::vector<Tensor> views;
  for (const Tensor& t : tensors) {
    Tensor v = unnamed(t).expand(shape);
    v.body_ptr()->names = names;
    views.push_back(std::move(v));
  }
  return views;
}

Tensor atleast_1d(const Tensor& x) { return x.dim() == 0 ? x.unsqueeze(0) : x.alias(); }

Tensor atleast_2d(const Tensor& x) { return x.dim() >= 2 ? x.alias() : atleast_1d(x).unsqueeze(0); }

Tensor atleast_3d(const Tensor& x) {
  return x.dim() >= 3 ? x.alias() : atleast_2d(x).unsqueeze(-1);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, const std::string& indexing) {
  TANDEM_EXPECTS(
      indexing == "ij" || indexing == "xy", ValueError,
      fmt::format("[meshgrid] argument 'indexing': expected 'ij' or 'xy', got '{}'", indexing));
  detail::check_vectors(op::meshgrid, tensors, true);
  std::vector<Tensor> parts = tensors;
  const bool swaps = indexing == "xy" && parts.size() >= 2;
  if (swaps) std::swap(parts[0], parts[1]);
  Dims shape;
  for (const Tensor& t : parts) {
    TANDEM_EXPECTS(t.dtype() == parts[0].dtype(), TypeError,
                   "[meshgrid] expects all tensors to have the same dtype");
    shape.push_back(t.numel());
  }
  (void)detail::common_device(op::meshgrid, pointers(tensors));
  std::vector<Tensor> grids;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Dims own(shape.size(), 1);
    own[i] = shape[i];
    const Tensor line = unnamed(parts[i]);
    Dims strides(shape.size(), 0);
    strides[i] = line.dim() == 0 ? 0 : line.strides()[0];
    grids.push_back(detail::make_view(line, line.storage_offset(), own, strides, {}).expand(shape));
  }
  if (swaps) std::swap(grids[0], grids[1]);
  return grids;
}

Tensor matrix_transpose(const Tensor& x) {
  expects_dims(x, 2, "matrix_transpose");
  return x.transpose(-2, -1);
}

Tensor adjoint(const Tensor& x) {
  expects_dims(x, 2, "adjoint");
  return detail::conjugate(x.transpose(-2, -1));
}

namespace detail {

Tensor conjugate(const Tensor& x) { return is_complex(x.dtype()) ? conj(x) : x; }

void check_vectors(const OpRow& row, const std::vector<Tensor>& tensors, bool scalars) {
  TANDEM_EXPECTS(
      !tensors.empty(), ValueError,
      fmt::format("[{}] argument 'tensors': expected a non-empty list of Tensors", row.name));
  for (const Tensor& t : tensors) {
    TANDEM_EXPECTS(
        t.dim() == 1 || (scalars && t.dim() == 0), ShapeError,
        fmt::format("[{}] expected {}1-d tensors in the tensor list, got one of shape [{}]",
                    row.name, scalars ? "0-d or " : "", fmt::join(t.shape(), ", ")));
  }
}

}  // namespace detail

namespace ops {

std::vector<Tensor> tensor_split(const Tensor& x, const Value& where, Axis axis) {
  const Places places = places_of(where, "tensor_split");
  return places.sections ? tandem::tensor_split(x, *places.sections, axis)
                         : tandem::tensor_split_at(x, places.indices, axis);
}

std::vector<Tensor> hsplit(const Tensor& x, const Value& where) {
  expects_dims(x, 1, "hsplit");
  return split_evenly(x, where, x.dim() == 1 ? 0 : 1, "hsplit");
}

std::vector<Tensor> vsplit(const Tensor& x, const Value& where) {
  expects_dims(x, 2, "vsplit");
  return split_evenly(x, where, 0, "vsplit");
}

std::vector<Tensor> dsplit(const Tensor& x, const Value& where) {
  expects_dims(x, 3, "dsplit");
  return split_evenly(x, where, 2, "dsplit");
}

std::vector<Tensor> split_with_sizes(const Tensor& x, IntSpan sizes, Axis axis) {
  return x.split_sizes(sizes, axis);
}

namespace {
template <class F>
std::vector<Value> each(const std::vector<Tensor>& tensors, F&& f) {
  if (tensors.size() == 1) return {Value(f(tensors[0]))};
  std::vector<Tensor> all;
  for (const Tensor& t : tensors) all.push_back(f(t));
  return {Value(std::move(all))};
}
}  // namespace

std::vector<Value> atleast_1d(const std::vector<Tensor>& tensors) {
  return each(tensors, &tandem::atleast_1d);
}
std::vector<Value> atleast_2d(const std::vector<Tensor>& tensors) {
  return each(tensors, &tandem::atleast_2d);
}
std::vector<Value> atleast_3d(const std::vector<Tensor>& tensors) {
  return each(tensors, &tandem::atleast_3d);
}

}  // namespace ops

}  // namespace tandem
