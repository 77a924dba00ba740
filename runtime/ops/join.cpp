// cat and stack.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/boxed_ops.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"

namespace tandem {

namespace {

/// PyTorch skips tensors of shape (0,), whatever the other shapes.
bool is_legacy_empty(const Tensor& t) { return t.dim() == 1 && t.numel() == 0; }

struct Join {
  std::vector<const Tensor*> parts;  // those that count
  std::size_t axis = 0;
};

detail::OutSpec infer_cat(const std::vector<Tensor>& tensors, Axis axis, Join& join) {
  TANDEM_EXPECTS(!tensors.empty(), ValueError,
                 "[cat] argument 'tensors': expected a non-empty list of Tensors");
  std::vector<const Tensor*> all;
  std::vector<Arg> args;
  for (const Tensor& t : tensors) {
    TANDEM_EXPECTS(t.dim() > 0, ShapeError, "[cat] zero-dimensional tensor cannot be concatenated");
    all.push_back(&t);
    args.emplace_back(t);
    if (!is_legacy_empty(t)) join.parts.push_back(&t);
  }
  const Device device = detail::common_device(op::cat, all);
  DType dtype = tensors[0].dtype();
  for (const Tensor& t : tensors) dtype = promote_types(dtype, t.dtype());
  if (join.parts.empty()) return {Dims{0}, dtype, device, tensors[0].body_ptr()->names};
  const Tensor& first = *join.parts[0];
  const std::size_t rank = first.shape().size();
  Names names = first.body_ptr()->names;
  for (const Tensor* t : join.parts) {
    TANDEM_EXPECTS(t->shape().size() == rank, ShapeError,
                   fmt::format("[cat] Tensors must have same number of dimensions: got {} and {}",
                               rank, t->shape().size()));
    names = detail::unify_names(names, rank, t->body_ptr()->names, rank, "cat");
  }
  join.axis = static_cast<std::size_t>(detail::resolve_axis(
      axis, static_cast<std::int64_t>(rank), names.empty() ? Names(rank) : names, "cat"));
  Dims shape(first.shape());
  shape[join.axis] = 0;
  for (std::size_t i = 0; i < join.parts.size(); ++i) {
    const IntSpan s = join.parts[i]->shape();
    for (std::size_t d = 0; d < rank; ++d) {
      TANDEM_EXPECTS(
          d == join.axis || s[d] == shape[d], ShapeError,
          fmt::format("[cat] Sizes of tensors must match except in dimension {}. Expected size {} "
                      "but got size {} for tensor number {} in the list.",
                      join.axis, shape[d], s[d], i));
    }
    TANDEM_EXPECTS(!__builtin_add_overflow(shape[join.axis], s[join.axis], &shape[join.axis]),
                   ShapeError, "[cat] the joined dimension has more elements than 64 bits count");
  }
  return {shape, dtype, device, names};
}

}  // namespace

namespace {

Tensor join_into(const std::vector<Tensor>& tensors, Axis axis, Tensor* given) {
  Join join;
  return detail::run_one(
      op::cat, given, [&] { return infer_cat(tensors, axis, join); },
      [&](const Tensor& out) {
        // Every input is read before any part of it can be overwritten.
        std::vector<Tensor> apart;
        for (const Tensor* t : join.parts) {
          apart.push_back(given != nullptr && t->shares_storage(out) ? t->clone() : *t);
        }
        std::int64_t start = 0;
        for (const Tensor& t : apart) {
          const std::int64_t n = t.shape()[join.axis];
          detail::copy_elements(out.narrow(static_cast<std::int64_t>(join.axis), start, n), t);
          start += n;
        }
      });
}

/// Checks the tensors of stack and gives each its new dimension.
std::vector<Tensor> with_axis(const std::vector<Tensor>& tensors, std::int64_t axis) {
  TANDEM_EXPECTS(!tensors.empty(), ValueError,
                 "[stack] argument 'tensors': expected a non-empty list of Tensors");
  std::vector<Tensor> parts;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    TANDEM_EXPECTS(
        std::ranges::equal(tensors[i].shape(), tensors[0].shape()), ShapeError,
        fmt::format(
            "[stack] stack expects each tensor to be equal size, but got [{}] at entry 0 and "
            "[{}] at entry {}",
            fmt::join(tensors[0].shape(), ", "), fmt::join(tensors[i].shape(), ", "), i));
    parts.push_back(tensors[i].unsqueeze(axis));
  }
  return parts;
}

std::int64_t whole(const Tensor& first, std::int64_t axis) {
  return axis < 0 ? axis + first.dim() + 1 : axis;
}

}  // namespace

Tensor cat(const std::vector<Tensor>& tensors, Axis axis) {
  return join_into(tensors, axis, nullptr);
}

Tensor& cat_out(Tensor& out, const std::vector<Tensor>& tensors, Axis axis) {
  join_into(tensors, axis, &out);
  return out;
}

Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis) {
  const std::vector<Tensor> parts = with_axis(tensors, axis);
  return cat(parts, whole(tensors[0], axis));
}

Tensor& stack_out(Tensor& out, const std::vector<Tensor>& tensors, std::int64_t axis) {
  const std::vector<Tensor> parts = with_axis(tensors, axis);
  return cat_out(out, parts, whole(tensors[0], axis));
}

bool equal(const Tensor& x, const Tensor& y) {
  if (!std::ranges::equal(x.shape(), y.shape())) return false;
  return all(eq(x, y)).item<bool>();
}

bool allclose(const Tensor& x, const Tensor& y, double rtol, double atol, bool equal_nan) {
  TANDEM_EXPECTS(x.dtype() == y.dtype(), TypeError,
                 fmt::format("[allclose] expected tensors of one dtype, got {} and {}",
                             name(x.dtype()), name(y.dtype())));
  return all(isclose(x, y, rtol, atol, equal_nan)).item<bool>();
}

namespace ops {
Tensor cat(const std::vector<Tensor>& tensors, Axis axis) { return tandem::cat(tensors, axis); }
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis) {
  return tandem::stack(tensors, axis);
}
}  // namespace ops

}  // namespace tandem
