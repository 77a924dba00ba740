// hstack and its kin, diagonals put into matrices, choices of elements, copies with a part
// replaced.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/ops/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

std::vector<Tensor> each(const char* op, const std::vector<Tensor>& tensors,
                         Tensor (*f)(const Tensor&)) {
  TANDEM_EXPECTS(!tensors.empty(), ValueError,
                 fmt::format("[{}] argument 'tensors': expected a non-empty list of Tensors", op));
  std::vector<Tensor> out;
  for (const Tensor& t : tensors) out.push_back(f(t));
  return out;
}

Tensor as_column(const Tensor& t) { return t.dim() > 1 ? t.alias() : atleast_1d(t).unsqueeze(1); }

/// Copies into a part of a fresh output, whose names come later.
void put(const Tensor& part, const Tensor& source) { detail::copy_elements(part, source); }

void expects_same_shape(const char* op, const Tensor& src, const Tensor& part) {
  TANDEM_EXPECTS(
      std::ranges::equal(src.shape(), part.shape()), ShapeError,
      fmt::format("[{}] expected src to have a size equal to the slice of self. src size = [{}], "
                  "slice size = [{}]",
                  op, fmt::join(src.shape(), ", "), fmt::join(part.shape(), ", ")));
}

/// A copy of x in which the part that `of` selects is src.
template <class Of>
Tensor scatter(const OpRow& row, const Tensor& x, const Tensor& src, Of&& of) {
  expects_same_shape(row.name, src, of(x));
  TANDEM_EXPECTS(x.device() == src.device(), DeviceError,
                 fmt::format("[{}] argument 'src': expected a tensor on {}, got one on {}",
                             row.name, x.device().str(), src.device().str()));
  return detail::moved(row, x, Dims(x.shape()), x.body_ptr()->names, [&](const Tensor& out) {
    put(out, x);
    put(of(out), src);
  });
}

/// n! / (r! (n - r)!) below `limit`; nothing from there on.
std::optional<std::int64_t> binomial(std::int64_t n, std::int64_t r, std::int64_t limit) {
  if (r < 0 || r > n) return 0;
  __int128 c = 1;
  for (std::int64_t i = 1; i <= std::min(r, n - r); ++i) {
    c = c * (n - i + 1) / i;
    if (c >= limit) return std::nullopt;
  }
  return static_cast<std::int64_t>(c);
}

void choose(const Tensor& out, const Tensor& x, bool with_replacement) {
  ChoiceLaunch l{};
  l.row = &op::combinations;
  l.choices = out.shape()[0];
  l.n = x.numel();
  l.r = out.shape()[1];
  l.with_replacement = with_replacement;
  l.width = static_cast<int>(x.element_size());
  l.in_stride = x.strides()[0] * l.width;
  l.out = out.data_ptr();
  l.in = x.data_ptr();
  l.device = out.device();
  l.stream = detail::launch_stream(l.device, {&out}, {&x});
  detail::launch(op::combinations, l.device, &l);
}

}  // namespace

Tensor hstack(const std::vector<Tensor>& tensors) {
  const auto parts = each("hstack", tensors, &atleast_1d);
  return cat(parts, parts[0].dim() == 1 ? 0 : 1);
}

Tensor vstack(const std::vector<Tensor>& tensors) {
  return cat(each("vstack", tensors, &atleast_2d), 0);
}

Tensor dstack(const std::vector<Tensor>& tensors) {
  return cat(each("dstack", tensors, &atleast_3d), 2);
}

Tensor column_stack(const std::vector<Tensor>& tensors) {
  return cat(each("column_stack", tensors, &as_column), 1);
}

Tensor block_diag(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> parts;
  const auto infer = [&] {
    TANDEM_EXPECTS(!tensors.empty(), ValueError,
                   "[block_diag] argument 'tensors': expected a non-empty list of Tensors");
    std::vector<const Tensor*> all;
    DType dtype = tensors[0].dtype();
    Dims shape{0, 0};
    for (const Tensor& t : tensors) {
      TANDEM_EXPECTS(t.dim() <= 2, ShapeError,
                     fmt::format("[block_diag] Input tensors must have 2 or fewer dimensions. "
                                 "Input {} has {} dimensions",
                                 all.size(), t.dim()));
      all.push_back(&t);
      dtype = promote_types(dtype, t.dtype());
      parts.push_back(atleast_2d(t));
      shape[0] += parts.back().shape()[0];
      shape[1] += parts.back().shape()[1];
    }
    return detail::OutSpec{shape, dtype, detail::common_device(op::block_diag, all), {}};
  };
  return detail::run_one(op::block_diag, nullptr, infer, [&](Tensor& out) {
    out.zero_();
    std::int64_t row = 0;
    std::int64_t column = 0;
    for (const Tensor& p : parts) {
      const IntSpan s = p.shape();
      put(out.narrow(0, row, s[0]).narrow(1, column, s[1]), p);
      row += s[0];
      column += s[1];
    }
  });
}

Tensor cartesian_prod(const std::vector<Tensor>& tensors) {
  detail::check_vectors(op::cartesian_prod, tensors, false);
  if (tensors.size() == 1) return tensors[0].alias();
  const std::vector<Tensor> grids = meshgrid(tensors, "ij");
  Dims shape(grids[0].shape());
  shape.push_back(static_cast<std::int64_t>(grids.size()));
  const Tensor grid =
      detail::moved(op::cartesian_prod, tensors[0], shape, {}, [&](const Tensor& out) {
        for (std::size_t i = 0; i < grids.size(); ++i) {
          put(out.select(-1, static_cast<std::int64_t>(i)), grids[i]);
        }
      });
  return grid.view({grids[0].numel(), shape.back()});
}

Tensor combinations(const Tensor& x, std::int64_t r, bool with_replacement) {
  TANDEM_EXPECTS(x.dim() == 1, ShapeError,
                 fmt::format("[combinations] Expect a 1D vector, but got shape [{}]",
                             fmt::join(x.shape(), ", ")));
  TANDEM_EXPECTS(r >= 0, ValueError,
                 fmt::format("[combinations] Expect a non-negative number, but got {}", r));
  if (r == 0) return detail::moved(op::combinations, x, Dims{0}, {}, [](const Tensor&) {});
  const std::int64_t n = x.numel();
  TANDEM_EXPECTS(r < std::int64_t(1) << 40, ValueError,
                 fmt::format("[combinations] expected fewer than 2^40 elements, got {}", r));
  const std::int64_t from = with_replacement && n > 0 ? n + r - 1 : n;
  // The kernels multiply numbers of choices by numbers up to `from`.
  const auto count = binomial(from, r, INT64_MAX / std::max<std::int64_t>(from, 1));
  TANDEM_EXPECTS(count.has_value(), ValueError,
                 fmt::format("[combinations] expected fewer choices than {} of {} give", r, n));
  return detail::moved(op::combinations, x, Dims{*count, r}, {}, [&](const Tensor& out) {
    if (out.numel() > 0) choose(out, x, with_replacement);
  });
}

Tensor diag_embed(const Tensor& x, std::int64_t offset, std::int64_t axis1, std::int64_t axis2) {
  TANDEM_EXPECTS(x.dim() > 0, ShapeError,
                 "[diag_embed] expected a tensor with dimensions, got a 0-d tensor");
  const std::int64_t rank = x.dim() + 1;
  const std::int64_t i = detail::wrap_axis(axis1, rank, "diag_embed");
  const std::int64_t j = detail::wrap_axis(axis2, rank, "diag_embed");
  TANDEM_EXPECTS(
      i != j, ShapeError,
      fmt::format("[diag_embed] diagonal dimensions cannot be identical {}, {}", axis1, axis2));
  constexpr std::int64_t kMost = std::int64_t(1) << 62;
  TANDEM_EXPECTS(offset > -kMost && offset < kMost, ValueError,
                 fmt::format("[diag_embed] expected a smaller offset, got {}", offset));
  const std::int64_t side = x.shape().back() + (offset < 0 ? -offset : offset);
  Dims shape;
  Names names;
  std::size_t next = 0;
  for (std::int64_t d = 0; d < rank; ++d) {
    const bool fresh = d == i || d == j;
    if (x.has_names()) names.push_back(fresh ? Name() : x.body_ptr()->names[next]);
    shape.push_back(fresh ? side : x.shape()[next]);
    next += fresh ? 0 : 1;
  }
  return detail::moved(op::diag_embed, x, shape, detail::simplified(names), [&](Tensor& out) {
    out.zero_();
    put(out.diagonal(offset, i, j), x);
  });
}

Tensor diag(const Tensor& x, std::int64_t diagonal) {
  TANDEM_EXPECTS(x.dim() == 1 || x.dim() == 2, ShapeError,
                 fmt::format("[diag] Supports 1D or 2D tensors. Got {}D", x.dim()));
  if (x.dim() == 1) return diag_embed(x, diagonal, 0, 1);
  const Tensor view = x.diagonal(diagonal);
  return detail::moved(op::diag, x, Dims(view.shape()), {},
                       [&](const Tensor& out) { put(out, view); });
}

Tensor diagflat(const Tensor& x, std::int64_t offset) {
  return diag_embed(x.reshape({-1}), offset, 0, 1);
}

Tensor narrow_copy(const Tensor& x, Axis axis, std::int64_t start, std::int64_t length) {
  const Tensor part = x.narrow(axis, start, length);
  return detail::moved(op::narrow_copy, x, Dims(part.shape()), part.body_ptr()->names,
                       [&](const Tensor& out) { put(out, part); });
}

Tensor select_scatter(const Tensor& x, const Tensor& src, Axis axis, std::int64_t index) {
  const std::int64_t d = detail::resolve_axis(axis, x, "select_scatter");
  return scatter(op::select_scatter, x, src, [&](const Tensor& t) { return t.select(d, index); });
}

Tensor slice_scatter(const Tensor& x, const Tensor& src, Axis axis,
                     std::optional<std::int64_t> start, std::optional<std::int64_t> end,
                     std::int64_t step) {
  const std::int64_t d = detail::resolve_axis(axis, x, "slice_scatter");
  return scatter(op::slice_scatter, x, src,
                 [&](const Tensor& t) { return t.slice(d, start, end, step); });
}

Tensor diagonal_scatter(const Tensor& x, const Tensor& src, std::int64_t offset, Axis axis1,
                        Axis axis2) {
  const std::int64_t i = detail::resolve_axis(axis1, x, "diagonal_scatter");
  const std::int64_t j = detail::resolve_axis(axis2, x, "diagonal_scatter");
  return scatter(op::diagonal_scatter, x, src,
                 [&](const Tensor& t) { return t.diagonal(offset, i, j); });
}

Tensor vander(const Tensor& x, std::optional<std::int64_t> n, bool increasing) {
  const auto infer = [&] {
    TANDEM_EXPECTS(
        x.dim() == 1, ShapeError,
        fmt::format("[vander] expected a 1-d tensor, got shape [{}]", fmt::join(x.shape(), ", ")));
    const std::int64_t columns = n.value_or(x.numel());
    TANDEM_EXPECTS(columns >= 0, ValueError,
                   fmt::format("[vander] argument 'N': expected >= 0, got {}", columns));
    const bool whole = category(x.dtype()) <= Category::Integer;
    Names names = x.body_ptr()->names;
    if (!names.empty()) names.push_back(Name());
    // Columns are dense: each is computed from the one before.
    return detail::OutSpec{Dims{x.numel(), columns}, whole ? DType::int64 : x.dtype(), x.device(),
                           names, Dims{1, x.numel()}};
  };
  return detail::run_one(op::vander, nullptr, infer, [&](const Tensor& out) {
    const std::int64_t columns = out.shape()[1];
    const Tensor powers = increasing ? out : flip(out, 1);
    const Tensor factor = x.rename(std::nullopt);
    for (std::int64_t k = 0; k < columns; ++k) {
      Tensor column = powers.select(1, k);
      if (k == 0) column.fill_(1);
      if (k > 0) mul_out(column, powers.select(1, k - 1), factor);
    }
  });
}

}  // namespace tandem
