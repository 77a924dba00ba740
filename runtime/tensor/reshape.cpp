// The view ops that regroup dimensions: view, reshape, flatten, unflatten, view_as, and general
// indexing.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/trace.h"
#include "runtime/tensor/body.h"
#include "runtime/tensor/names.h"

namespace tandem {

namespace {

/// Replaces the one -1 and checks the number of elements.
void complete_shape(IntSpan wanted, std::int64_t numel, const char* op, Dims& shape) {
  shape.assign(wanted.data(), wanted.size());
  std::int64_t known = 1;
  std::size_t open = shape.size();
  bool overflow = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      TANDEM_EXPECTS(open == shape.size(), ValueError,
                     fmt::format("[{}] only one dimension can be inferred", op));
      open = i;
      continue;
    }
    TANDEM_EXPECTS(shape[i] >= 0, ValueError,
                   fmt::format("[{}] invalid shape dimension {} at index {}", op, shape[i], i));
    overflow = __builtin_mul_overflow(known, shape[i], &known) || overflow;
  }
  if (open != shape.size() && !overflow) {
    TANDEM_EXPECTS(
        known != 0, ValueError,
        fmt::format("[{}] cannot reshape tensor of {} elements into shape [{}] because the "
                    "unspecified dimension size -1 can be any value and is ambiguous",
                    op, numel, fmt::join(wanted, ", ")));
    if (numel % known == 0) shape[open] = numel / known;
  }
  std::int64_t n = 1;
  for (const std::int64_t s : shape) overflow = __builtin_mul_overflow(n, s, &n) || overflow;
  TANDEM_EXPECTS(!overflow && n == numel && (open == shape.size() || shape[open] >= 0), ShapeError,
                 fmt::format("[{}] shape '[{}]' is invalid for input of size {}", op,
                             fmt::join(wanted, ", "), numel));
}

/// Strides of the new shape over the same memory; false where a view can't express it.
bool view_strides(const detail::TensorBody& b, const Dims& shape, Dims& out) {
  out.resize_unset(shape.size());
  if (b.numel == 0) {
    detail::contiguous_strides(shape, out);
    return true;
  }
  // From the right: a run of old dimensions that nest is one block of memory, to be cut by new
  // dimensions.
  std::size_t fresh = shape.size();
  std::int64_t block = 1;  // elements of the current run
  std::int64_t taken = 1;  // of these, covered by new dimensions
  std::int64_t base = b.shape.empty() ? 1 : b.strides.back();
  for (std::size_t i = b.shape.size(); i-- > 0;) {
    block *= b.shape[i];
    const bool run_ends = i == 0 || (b.shape[i - 1] != 1 && b.strides[i - 1] != block * base);
    if (!run_ends) continue;
    while (fresh > 0 && (taken < block || shape[fresh - 1] == 1)) {
      out[fresh - 1] = taken * base;
      taken *= shape[fresh - 1];
      --fresh;
    }
    if (taken != block) return false;
    if (i > 0) {
      base = b.strides[i - 1];
      block = taken = 1;
    }
  }
  while (fresh > 0) {  // leading sizes of 1 (all that can be left)
    out[fresh - 1] = taken * base;
    --fresh;
  }
  return true;
}

/// A dimension that the new shape leaves whole keeps its name: the same size between equal products
/// of the sizes before it and after it. Sizes of 1 keep theirs where they stand between the same
/// whole neighbours.
Names view_names(const detail::TensorBody& b, const Dims& shape) {
  if (b.names.empty()) return {};
  Names out(shape.size());
  std::size_t i = 0;
  std::size_t j = 0;
  const std::size_t n = b.shape.size();
  const std::size_t m = shape.size();
  while (i < n && j < m) {
    if (b.shape[i] == shape[j]) {
      out[j++] = b.names[i++];
      continue;
    }
    if (b.shape[i] == 1) {
      ++i;
      continue;
    }
    if (shape[j] == 1) {
      ++j;
      continue;
    }
    std::int64_t left = b.shape[i++];
    std::int64_t right = shape[j++];
    while (left != right && left != 0 && right != 0) {  // a group that merges or splits
      if (left < right && i < n) {
        left *= b.shape[i++];
      } else if (j < m) {
        right *= shape[j++];
      } else {
        return detail::simplified(out);
      }
    }
  }
  return detail::simplified(out);
}

}  // namespace

namespace {
/// The view of the wanted shape; undefined where the strides allow none.
Tensor try_view(const detail::TensorBody& b, IntSpan wanted, const char* op) {
  detail::check_rank(wanted.size(), op);
  auto* v = detail::begin_view(&b);
  Tensor out = Tensor::adopt(v);
  complete_shape(wanted, b.numel, op, v->shape);
  if (!view_strides(b, v->shape, v->strides)) return {};
  v->numel = b.numel;
  if (!b.names.empty()) v->names = view_names(b, v->shape);
  return out;
}
}  // namespace

Tensor Tensor::view(IntSpan wanted) const {
  Tensor out = try_view(body(), wanted, "view");
  TANDEM_EXPECTS(
      out.defined(), ShapeError,
      "view size is not compatible with input tensor's size and stride (at least one dimension "
      "spans across two contiguous subspaces). Use .reshape(...) instead.");
  return out;
}

Tensor Tensor::reshape(IntSpan wanted) const {
  Tensor out = try_view(body(), wanted, "reshape");
  if (out.defined()) return out;
  const trace::OpScope scope("reshape");  // names the copy in the log
  return contiguous().view(wanted);
}

Tensor Tensor::view_as(DType dtype) const {
  const auto& b = body();
  const auto from = static_cast<std::int64_t>(tandem::element_size(b.dtype));
  const auto to = static_cast<std::int64_t>(tandem::element_size(dtype));
  Dims shape = b.shape;
  Dims strides = b.strides;
  std::int64_t offset = b.offset;
  if (from != to) {
    TANDEM_EXPECTS(
        dim() > 0, ShapeError,
        fmt::format("[view] a 0-d tensor cannot change its element size from {} to {}", from, to));
    TANDEM_EXPECTS(
        strides.back() == 1, ShapeError,
        fmt::format("[view] expected stride 1 of the last dimension to change the element size, "
                    "got {}",
                    strides.back()));
    const bool grows = to > from;
    const std::int64_t ratio = grows ? to / from : from / to;
    const auto scale = [&](std::int64_t v, const char* what) {
      TANDEM_EXPECTS(
          !grows || v % ratio == 0, ShapeError,
          fmt::format("[view] expected {} to be divisible by {} to view {} as {}, got {}", what,
                      ratio, name(b.dtype), name(dtype), v));
      return grows ? v / ratio : v * ratio;
    };
    shape.back() = scale(shape.back(), "the size of the last dimension");
    for (std::size_t i = 0; i + 1 < strides.size(); ++i) {
      if (shape[i] > 1) strides[i] = scale(strides[i], "every stride");  // others lead nowhere
    }
    offset = scale(offset, "the storage offset");
  }
  Tensor v = detail::make_view(*this, offset, shape, strides, b.names);
  v.body_->dtype = dtype;
  // Memory of the caller may begin anywhere.
  const std::size_t align = std::min<std::size_t>(static_cast<std::size_t>(to), 8);
  TANDEM_EXPECTS(
      v.numel() == 0 || reinterpret_cast<std::uintptr_t>(v.data_ptr()) % align == 0, ShapeError,
      fmt::format("[view] expected memory aligned for {}, got an address that is not a multiple of "
                  "{}; clone() the tensor first",
                  name(dtype), align));
  return v;
}

Tensor Tensor::flatten(Axis start, Axis end, std::optional<Name> name) const {
  const auto& b = body();
  if (dim() == 0) {
    Tensor one = reshape({1});
    if (name) one.rename_({*name});
    return one;
  }
  const auto first = static_cast<std::size_t>(detail::resolve_axis(start, *this, "flatten"));
  const auto last = static_cast<std::size_t>(detail::resolve_axis(end, *this, "flatten"));
  TANDEM_EXPECTS(
      first <= last, ShapeError,
      fmt::format("[flatten] expected start_dim <= end_dim, got {} and {}", first, last));
  Dims shape;
  std::int64_t merged = 1;
  for (std::size_t i = 0; i < b.shape.size(); ++i) {
    if (i >= first && i <= last) merged *= b.shape[i];
    if (i < first || i > last) shape.push_back(b.shape[i]);
    if (i == last) shape.push_back(merged);
  }
  Names names;
  if (!b.names.empty() || name) {
    const Names own = this->names();
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (i < first || i > last) names.push_back(own[i]);
      if (i == last) names.push_back(name ? *name : (first == last ? own[i] : Name()));
    }
    names = detail::checked_names(names, shape.size(), "flatten");
  }
  Tensor out = reshape(shape);
  out.body_->names = std::move(names);
  return out;
}

Tensor Tensor::unflatten(Axis axis, IntSpan sizes, const Names& given) const {
  const auto& b = body();
  const auto d = static_cast<std::size_t>(detail::resolve_axis(axis, *this, "unflatten"));
  TANDEM_EXPECTS(dim() > 0 && !sizes.empty(), ShapeError,
                 "[unflatten] expected a tensor with dimensions and at least one size");
  TANDEM_EXPECTS(given.empty() || given.size() == sizes.size(), ShapeError,
                 fmt::format("[unflatten] expected a name for each of {} sizes, got {}",
                             sizes.size(), given.size()));
  Dims inner;
  complete_shape(sizes, b.shape[d], "unflatten", inner);
  Dims shape;
  Dims strides;
  Names names;
  const Names own = this->names();
  for (std::size_t i = 0; i < b.shape.size(); ++i) {
    if (i != d) {
      shape.push_back(b.shape[i]);
      strides.push_back(b.strides[i]);
      names.push_back(own[i]);
      continue;
    }
    Dims steps;
    detail::contiguous_strides(inner, steps);
    for (std::size_t k = 0; k < inner.size(); ++k) {
      shape.push_back(inner[k]);
      strides.push_back(steps[k] * b.strides[i]);
      names.push_back(given.empty() ? (inner.size() == 1 ? own[i] : Name()) : given[k]);
    }
  }
  names = detail::checked_names(names, shape.size(), "unflatten");
  return detail::make_view(*this, b.offset, shape, strides, names);
}

}  // namespace tandem
