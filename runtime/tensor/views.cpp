// Views: other shapes, strides and offsets over the same storage. Nothing here reads or writes an
// element.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/tensor/body.h"
#include "runtime/tensor/names.h"

namespace tandem {

using detail::make_view;
using detail::resolve_axis;

namespace {

/// A view with one dimension's size and stride changed.
Tensor with_dim(const Tensor& t, std::size_t axis, std::int64_t offset, std::int64_t size,
                std::int64_t stride) {
  const auto* b = t.body_ptr();
  auto* v = detail::begin_view(b);
  v->offset = offset;
  v->shape = b->shape;
  v->strides = b->strides;
  v->shape[axis] = size;
  v->strides[axis] = stride;
  v->names = b->names;
  v->numel = 1;  // products, because a division costs as much as the rest of a view
  for (const std::int64_t n : v->shape) v->numel *= n;
  return Tensor::adopt(v);
}

void expects_rank(const Tensor& t, const char* op) {
  TANDEM_EXPECTS(t.dim() > 0, IndexError,
                 fmt::format("[{}] expected a tensor with dimensions, got a 0-d tensor", op));
}

Names pick(const Names& names, const Dims& order) {
  if (names.empty()) return {};
  Names out;
  for (const std::int64_t i : order) out.push_back(names[static_cast<std::size_t>(i)]);
  return out;
}

Tensor permuted(const Tensor& t, const Dims& order) {
  const auto* b = t.body_ptr();
  auto* v = detail::begin_view(b);
  v->numel = b->numel;
  v->shape.resize_unset(order.size());
  v->strides.resize_unset(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    v->shape[i] = b->shape[static_cast<std::size_t>(order[i])];
    v->strides[i] = b->strides[static_cast<std::size_t>(order[i])];
  }
  v->names = pick(b->names, order);
  return Tensor::adopt(v);
}

Dims identity_order(std::int64_t rank) {
  Dims order;
  for (std::int64_t i = 0; i < rank; ++i) order.push_back(i);
  return order;
}

}  // namespace

Tensor Tensor::alias() const {
  const auto& b = body();
  auto* v = detail::begin_view(&b);
  v->numel = b.numel;
  v->shape = b.shape;
  v->strides = b.strides;
  v->names = b.names;
  return adopt(v);
}

Tensor Tensor::select(Axis axis, std::int64_t index) const {
  const auto& b = body();
  TANDEM_EXPECTS(!b.shape.empty(), IndexError, "select() cannot be applied to a 0-dim tensor.");
  const auto d = static_cast<std::size_t>(resolve_axis(axis, *this, "select"));
  const std::int64_t size = b.shape[d];
  TANDEM_EXPECTS(
      index >= -size && index < size, IndexError,
      fmt::format("index {} is out of bounds for dimension {} with size {}", index, d, size));
  const std::int64_t i = index < 0 ? index + size : index;
  auto* v = detail::begin_view(&b);
  v->offset = b.offset + i * b.strides[d];
  v->numel = 1;
  const std::size_t rank = b.shape.size();
  v->shape.resize_unset(rank - 1);
  v->strides.resize_unset(rank - 1);
  for (std::size_t k = 0; k + 1 < rank; ++k) {
    v->shape[k] = b.shape[k + (k >= d ? 1 : 0)];
    v->strides[k] = b.strides[k + (k >= d ? 1 : 0)];
    v->numel *= v->shape[k];
  }
  if (!b.names.empty()) v->names = detail::names_without(b.names, std::uint64_t(1) << d, false);
  return adopt(v);
}

Tensor Tensor::slice(Axis axis, std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                     std::int64_t step) const {
  expects_rank(*this, "slice");
  TANDEM_EXPECTS(step != 0, ValueError, "slice step cannot be zero");
  const auto& b = body();
  const auto d = static_cast<std::size_t>(resolve_axis(axis, *this, "slice"));
  const std::int64_t size = b.shape[d];
  // Python's rules: negative bounds count from the end, bounds outside are clamped.
  const std::int64_t low = step > 0 ? 0 : -1;
  const std::int64_t high = step > 0 ? size : size - 1;
  const auto clamp = [&](std::int64_t v) {
    const std::int64_t wrapped = v < 0 ? (v < -size ? low : v + size) : v;
    return std::clamp(wrapped, low, high);
  };
  const std::int64_t first = start ? clamp(*start) : (step > 0 ? low : high);
  const std::int64_t last = stop ? clamp(*stop) : (step > 0 ? high : low);
  const std::int64_t span = step > 0 ? last - first : first - last;
  const std::uint64_t stride =
      step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
  const std::int64_t n =
      span <= 0   ? 0
      : step == 1 ? span  // without the division
                  : static_cast<std::int64_t>((static_cast<std::uint64_t>(span) - 1) / stride + 1);
  // One element needs no stride; a huge step would overflow it.
  const std::int64_t element_stride = n <= 1 ? b.strides[d] : b.strides[d] * step;
  const std::int64_t offset = n == 0 ? b.offset : b.offset + first * b.strides[d];
  return with_dim(*this, d, offset, n, element_stride);
}

Tensor Tensor::narrow(Axis axis, std::int64_t start, std::int64_t length) const {
  expects_rank(*this, "narrow");
  const auto& b = body();
  const auto d = static_cast<std::size_t>(resolve_axis(axis, *this, "narrow"));
  const std::int64_t size = b.shape[d];
  TANDEM_EXPECTS(length >= 0, ValueError,
                 fmt::format("[narrow] expected length >= 0, got {}", length));
  TANDEM_EXPECTS(
      start >= -size && start <= size, IndexError,
      fmt::format("[narrow] start out of range (expected to be in range of [{}, {}], but got {})",
                  -size, size, start));
  const std::int64_t first = start < 0 ? start + size : start;
  TANDEM_EXPECTS(length <= size - first, ShapeError,
                 fmt::format("[narrow] start ({}) + length ({}) exceeds dimension size ({}).",
                             first, length, size));
  return with_dim(*this, d, b.offset + first * b.strides[d], length, b.strides[d]);
}

Tensor Tensor::transpose(Axis a, Axis b) const {
  const auto i = static_cast<std::size_t>(resolve_axis(a, *this, "transpose"));
  const auto j = static_cast<std::size_t>(resolve_axis(b, *this, "transpose"));
  if (dim() == 0) return alias();
  Dims order = identity_order(dim());
  std::swap(order[i], order[j]);
  return permuted(*this, order);
}

Tensor Tensor::t() const {
  TANDEM_EXPECTS(dim() <= 2, ShapeError,
                 fmt::format("t() expects a tensor with <= 2 dimensions, but self is {}D", dim()));
  return dim() < 2 ? alias() : transpose(0, 1);
}

Tensor Tensor::permute(const Axes& axes) const {
  const auto& list = axes.list();
  TANDEM_EXPECTS(static_cast<std::int64_t>(list.size()) == dim(), ShapeError,
                 fmt::format("[permute] expected {} axes for shape [{}], got {}", dim(),
                             fmt::join(shape(), ", "), list.size()));
  if (dim() == 0) return alias();
  (void)detail::resolve_axes(axes, *this, "permute");  // no axis twice
  Dims order;
  for (const Axis& a : list) order.push_back(resolve_axis(a, *this, "permute"));
  return permuted(*this, order);
}

Tensor Tensor::movedim(const Axes& source, const Axes& destination) const {
  TANDEM_EXPECTS(source.list().size() == destination.list().size(), ShapeError,
                 fmt::format("[movedim] expected as many destinations as sources, got {} and {}",
                             destination.list().size(), source.list().size()));
  if (dim() == 0) return alias();
  const std::uint64_t moved = detail::resolve_axes(source, *this, "movedim");
  const std::uint64_t taken = detail::resolve_axes(destination, *this, "movedim");
  Dims order(static_cast<std::size_t>(dim()), -1);
  for (std::size_t k = 0; k < source.list().size(); ++k) {
    order[static_cast<std::size_t>(resolve_axis(destination.list()[k], *this, "movedim"))] =
        resolve_axis(source.list()[k], *this, "movedim");
  }
  if (source.all() || destination.all()) return alias();
  std::int64_t next = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    if (((taken >> k) & 1u) != 0) continue;
    while (((moved >> next) & 1u) != 0) ++next;
    order[k] = next++;
  }
  return permuted(*this, order);
}

Tensor Tensor::squeeze(const Axes& axes) const {
  const auto& b = body();
  const std::uint64_t asked = axes.none() ? 0 : detail::resolve_axes(axes, *this, "squeeze");
  std::uint64_t removed = 0;
  auto* v = detail::begin_view(&b);
  v->numel = b.numel;
  for (std::size_t i = 0; i < b.shape.size(); ++i) {
    if (b.shape[i] == 1 && ((asked >> i) & 1u) != 0) {
      removed |= std::uint64_t(1) << i;
      continue;
    }
    v->shape.push_back(b.shape[i]);
    v->strides.push_back(b.strides[i]);
  }
  if (!b.names.empty()) v->names = detail::names_without(b.names, removed, false);
  return adopt(v);
}

Tensor Tensor::unsqueeze(std::int64_t axis) const {
  const auto& b = body();
  const std::int64_t d = detail::wrap_axis(axis, dim() + 1, "unsqueeze");
  const auto at = static_cast<std::size_t>(d);
  const std::size_t rank = b.shape.size();
  detail::check_rank(rank + 1, "unsqueeze");
  auto* v = detail::begin_view(&b);
  v->numel = b.numel;
  v->shape.resize_unset(rank + 1);
  v->strides.resize_unset(rank + 1);
  v->shape[at] = 1;
  v->strides[at] = at < rank ? b.shape[at] * b.strides[at] : 1;
  for (std::size_t k = 0; k < rank; ++k) {
    v->shape[k < at ? k : k + 1] = b.shape[k];
    v->strides[k < at ? k : k + 1] = b.strides[k];
  }
  if (!b.names.empty()) {
    v->names = b.names;
    v->names.insert(at, Name());
  }
  return adopt(v);
}

Tensor Tensor::expand(IntSpan wanted) const {
  const auto& b = body();
  const std::size_t rank = b.shape.size();
  TANDEM_EXPECTS(wanted.size() >= rank, ShapeError,
                 fmt::format("[expand] expected at least {} sizes for shape [{}], got {}", rank,
                             fmt::join(b.shape, ", "), wanted.size()));
  const std::size_t fresh = wanted.size() - rank;
  auto* v = detail::begin_view(&b);
  Tensor out = adopt(v);
  Dims& shape = v->shape;
  Dims& strides = v->strides;
  shape.resize_unset(wanted.size());
  strides.resize_unset(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const bool is_new = i < fresh;
    const std::int64_t own = is_new ? 1 : b.shape[i - fresh];
    TANDEM_EXPECTS(
        wanted[i] >= 0 || (wanted[i] == -1 && !is_new), ValueError,
        fmt::format("[expand] expected a size >= 0 (or -1 for an existing dimension), got {} at "
                    "dimension {}",
                    wanted[i], i));
    const std::int64_t size = wanted[i] == -1 ? own : wanted[i];
    TANDEM_EXPECTS(
        own == size || own == 1, ShapeError,
        fmt::format("The expanded size of the tensor ({}) must match the existing size ({}) at "
                    "non-singleton dimension {}.  Target sizes: [{}].  Tensor sizes: [{}]",
                    size, own, i, fmt::join(wanted, ", "), fmt::join(b.shape, ", ")));
    shape[i] = size;
    strides[i] = is_new || (own == 1 && size != 1) ? 0 : b.strides[i - fresh];
  }
  v->numel = detail::checked_numel(shape, tandem::element_size(b.dtype), "expand");
  if (!b.names.empty()) {
    v->names.resize(fresh);
    for (const Name n : b.names) v->names.push_back(n);
  }
  return out;
}

Tensor Tensor::diagonal(std::int64_t offset, Axis axis1, Axis axis2) const {
  TANDEM_EXPECTS(dim() >= 2, ShapeError,
                 fmt::format("[diagonal] expected at least 2 dimensions, got {}", dim()));
  const auto& b = body();
  const auto i = static_cast<std::size_t>(resolve_axis(axis1, *this, "diagonal"));
  const auto j = static_cast<std::size_t>(resolve_axis(axis2, *this, "diagonal"));
  TANDEM_EXPECTS(i != j, ShapeError,
                 fmt::format("[diagonal] diagonal dimensions cannot be identical {}, {}", i, j));
  const std::int64_t room = offset >= 0
                                ? std::min(b.shape[i], b.shape[j] - std::min(offset, b.shape[j]))
                                : std::min(b.shape[i] + std::max(offset, -b.shape[i]), b.shape[j]);
  const std::int64_t n = std::max<std::int64_t>(room, 0);
  Dims shape;
  Dims strides;
  for (std::size_t k = 0; k < b.shape.size(); ++k) {
    if (k == i || k == j) continue;
    shape.push_back(b.shape[k]);
    strides.push_back(b.strides[k]);
  }
  shape.push_back(n);
  strides.push_back(b.strides[i] + b.strides[j]);
  const std::int64_t skip =
      n == 0 ? 0 : (offset >= 0 ? offset * b.strides[j] : -offset * b.strides[i]);
  Names names;
  if (!b.names.empty()) {
    for (std::size_t k = 0; k < b.shape.size(); ++k) {
      if (k != i && k != j) names.push_back(b.names[k]);
    }
    names.push_back(Name());
  }
  return make_view(*this, b.offset + skip, shape, strides, detail::simplified(names));
}

Tensor Tensor::unfold(Axis axis, std::int64_t size, std::int64_t step) const {
  const auto& b = body();
  const auto d = static_cast<std::size_t>(resolve_axis(axis, *this, "unfold"));
  const std::int64_t extent = dim() == 0 ? 1 : b.shape[d];
  TANDEM_EXPECTS(
      size >= 0 && size <= extent, ShapeError,
      fmt::format("[unfold] maximum size for tensor at dimension {} is {} but size is {}", d,
                  extent, size));
  TANDEM_EXPECTS(step > 0, ValueError, fmt::format("[unfold] expected step > 0, got {}", step));
  Dims shape = b.shape;
  Dims strides = b.strides;
  const std::int64_t stride = dim() == 0 ? 1 : strides[d];
  if (dim() > 0) {
    shape[d] = (extent - size) / step + 1;
    // A step beyond the extent leaves one window, whose stride does not matter.
    strides[d] = shape[d] <= 1 ? stride : stride * step;
  }
  shape.push_back(size);
  strides.push_back(stride);
  (void)detail::checked_numel(shape, tandem::element_size(b.dtype), "unfold");
  Names names = b.names;
  if (!names.empty()) names.push_back(Name());
  return make_view(*this, b.offset, shape, strides, names);
}

std::vector<Tensor> Tensor::split_sizes(IntSpan sizes, Axis axis) const {
  TANDEM_EXPECTS(dim() > 0, ShapeError, "split expects at least a 1-dimensional tensor");
  const auto d = static_cast<std::size_t>(resolve_axis(axis, *this, "split"));
  std::int64_t sum = 0;
  for (const std::int64_t s : sizes) {
    TANDEM_EXPECTS(s >= 0, ValueError,
                   fmt::format("[split] expected sizes >= 0, got [{}]", fmt::join(sizes, ", ")));
    sum += s;
  }
  TANDEM_EXPECTS(
      sum == body().shape[d], ShapeError,
      fmt::format("split_with_sizes expects split_sizes to sum exactly to {} (input tensor's size "
                  "at dimension {}), but got split_sizes=[{}]",
                  body().shape[d], d, fmt::join(sizes, ", ")));
  std::vector<Tensor> parts;
  parts.reserve(sizes.size());
  std::int64_t start = 0;
  for (const std::int64_t s : sizes) {
    parts.push_back(narrow(static_cast<std::int64_t>(d), start, s));
    start += s;
  }
  return parts;
}

std::vector<Tensor> Tensor::split(std::int64_t size, Axis axis) const {
  TANDEM_EXPECTS(dim() > 0, ShapeError, "split expects at least a 1-dimensional tensor");
  const auto d = static_cast<std::size_t>(resolve_axis(axis, *this, "split"));
  const std::int64_t extent = body().shape[d];
  TANDEM_EXPECTS(size > 0 || (size == 0 && extent == 0), ValueError,
                 fmt::format("[split] expected a size > 0, got {}", size));
  Dims sizes;
  for (std::int64_t start = 0; start < extent; start += size)
    sizes.push_back(std::min(size, extent - start));
  if (sizes.empty()) sizes.push_back(0);
  return split_sizes(sizes, static_cast<std::int64_t>(d));
}

std::vector<Tensor> Tensor::chunk(std::int64_t chunks, Axis axis) const {
  TANDEM_EXPECTS(dim() > 0, ShapeError, "chunk expects at least a 1-dimensional tensor");
  TANDEM_EXPECTS(chunks > 0, ValueError,
                 fmt::format("[chunk] expected chunks > 0, got {}", chunks));
  const auto d = static_cast<std::size_t>(resolve_axis(axis, *this, "chunk"));
  const std::int64_t extent = body().shape[d];
  if (extent == 0)
    return split_sizes(Dims(static_cast<std::size_t>(chunks), 0), static_cast<std::int64_t>(d));
  return split((extent - 1) / chunks + 1, static_cast<std::int64_t>(d));
}

std::vector<Tensor> Tensor::unbind(Axis axis) const {
  expects_rank(*this, "unbind");
  const auto d = resolve_axis(axis, *this, "unbind");
  std::vector<Tensor> parts;
  const std::int64_t n = body().shape[static_cast<std::size_t>(d)];
  parts.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) parts.push_back(select(d, i));
  return parts;
}

Tensor Tensor::as_strided(IntSpan shape, IntSpan strides,
                          std::optional<std::int64_t> offset) const {
  const auto& b = body();
  TANDEM_EXPECTS(shape.size() == strides.size(), ShapeError,
                 fmt::format("[as_strided] expected as many strides as sizes, got {} and {}",
                             strides.size(), shape.size()));
  const std::int64_t first = offset.value_or(b.offset);
  TANDEM_EXPECTS(
      first >= 0, ValueError,
      fmt::format("[as_strided] argument 'storage_offset': expected >= 0, got {}", first));
  const std::int64_t n = detail::checked_numel(shape, tandem::element_size(b.dtype), "as_strided");
  if (n > 0) {
    // Elements that the strides reach, in 128 bits: hostile strides may overflow 64.
    __int128 low = first;
    __int128 high = first;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const __int128 reach = static_cast<__int128>(shape[i] - 1) * strides[i];
      (reach < 0 ? low : high) += reach;
    }
    const auto held = static_cast<std::int64_t>(b.storage->bytes / tandem::element_size(b.dtype));
    TANDEM_EXPECTS(
        low >= 0 && high < held, ShapeError,
        fmt::format("[as_strided] expected elements within the storage of {} elements, got "
                    "shape [{}], strides [{}], offset {}",
                    held, fmt::join(shape, ", "), fmt::join(strides, ", "), first));
  }
  return make_view(*this, first, Dims(shape), Dims(strides), {});
}

}  // namespace tandem
