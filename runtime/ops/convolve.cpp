// Convolution by Fourier transforms, of whole inputs or by blocks.
#include "runtime/ops/convolve.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/overlap.h"
#include "runtime/tensor/names.h"
#include "tandem/fft.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/signal.h"

namespace tandem::signal {

Mode mode_of(const OpRow& row, const std::string& mode) {
  if (mode == "full") return Mode::Full;
  if (mode == "same") return Mode::Same;
  if (mode == "valid") return Mode::Valid;
  detail::fail<ValueError>(fmt::format(
      "[{}] argument 'mode': expected 'full', 'same' or 'valid', got '{}'", row.name, mode));
}

namespace {

/// A call with everything checked. `moving`: the axes that are convolved and along which both
/// inputs have more than one element, in order. The others broadcast.
struct Call {
  const OpRow& row;
  Mode mode;
  Dims moving;
  Tensor a, b;  // unnamed, in the dtype that is computed in; a the longer one where mode is Valid
  Dims first;   // shape of in1
  Names names;
};

/// Integers and bool in float64, half precision in float32.
DType dtype_of(const Tensor& in1, const Tensor& in2) {
  const DType t = result_type(in1, in2);
  if (category(t) < Category::Float) return DType::float64;
  return is_float(t) && t != DType::float64 ? DType::float32 : t;
}

Dims axes_of(const OpRow& row, const Tensor& x, const Names& names,
             const std::optional<Axes>& axes) {
  Dims out;
  if (!axes || (axes->all() && !axes->none())) {
    for (std::int64_t d = 0; d < x.dim(); ++d) out.push_back(d);
    return out;
  }
  TANDEM_EXPECTS(
      !axes->list().empty(), ValueError,
      fmt::format("[{}] argument 'axes': expected at least one axis, got none", row.name));
  for (const Axis& a : axes->list()) {
    out.push_back(detail::resolve_axis(a, x.dim(), names, row.name));
  }
  std::sort(out.begin(), out.end());
  for (std::size_t i = 1; i < out.size(); ++i) {
    TANDEM_EXPECTS(out[i] != out[i - 1], ValueError,
                   fmt::format("[{}] argument 'axes': expected different dimensions, got {} twice",
                               row.name, out[i]));
  }
  return out;
}

std::int64_t at(IntSpan shape, std::int64_t axis) { return shape[static_cast<std::size_t>(axis)]; }

bool has(const Dims& axes, std::int64_t axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

/// Raises unless the axes that are not convolved broadcast; for Valid, whether the second input is
/// the longer one.
bool check_shapes(const OpRow& row, const Tensor& in1, const Tensor& in2, const Dims& moving,
                  Mode mode) {
  bool first = true, second = true;
  for (std::int64_t d = 0; d < in1.dim(); ++d) {
    const std::int64_t n1 = at(in1.shape(), d);
    const std::int64_t n2 = at(in2.shape(), d);
    if (has(moving, d)) {
      first = first && n1 >= n2;
      second = second && n2 >= n1;
      continue;
    }
    TANDEM_EXPECTS(
        n1 == n2 || n1 == 1 || n2 == 1, ShapeError,
        fmt::format("[{}] expected inputs that broadcast along the axes that are not "
                    "convolved, got shapes [{}] and [{}]",
                    row.name, fmt::join(in1.shape(), ", "), fmt::join(in2.shape(), ", ")));
  }
  if (mode != Mode::Valid) return false;
  TANDEM_EXPECTS(first || second, ShapeError,
                 fmt::format("[{}] argument 'mode': expected one input to be as long as the other "
                             "along every axis for 'valid', got shapes [{}] and [{}]",
                             row.name, fmt::join(in1.shape(), ", "), fmt::join(in2.shape(), ", ")));
  return !first;
}

Tensor prepared(const Tensor& x, DType dtype) {
  const Tensor t = x.has_names() ? x.rename(std::nullopt) : x;
  return t.to(is_complex(dtype) || is_complex(x.dtype()) ? dtype : real_part(dtype));
}

Call call_of(const OpRow& row, const Tensor& in1, const Tensor& in2, const std::string& mode,
             const std::optional<Axes>& axes) {
  TANDEM_EXPECTS(in1.dim() == in2.dim(), ShapeError,
                 fmt::format("[{}] expected inputs with as many dimensions as each other, got {} "
                             "and {}",
                             row.name, in1.dim(), in2.dim()));
  Call c{row, mode_of(row, mode), {}, {}, {}, Dims(in1.shape()), {}};
  const auto rank = static_cast<std::size_t>(in1.dim());
  c.names = detail::unify_names(in1.body_ptr()->names, rank, in2.body_ptr()->names, rank, row.name);
  for (const std::int64_t d : axes_of(row, in1, c.names, axes)) {
    if (at(in1.shape(), d) != 1 && at(in2.shape(), d) != 1) c.moving.push_back(d);
  }
  const Tensor* both[] = {&in1, &in2};
  (void)detail::common_device(row, both);
  const bool swapped = check_shapes(row, in1, in2, c.moving, c.mode);
  const DType dtype = dtype_of(in1, in2);
  c.a = prepared(swapped ? in2 : in1, dtype);
  c.b = prepared(swapped ? in1 : in2, dtype);
  return c;
}

/// Elements of a full convolution along a moving axis.
std::int64_t full_length(const Call& c, std::int64_t axis) {
  const std::int64_t n1 = at(c.a.shape(), axis);
  const std::int64_t n2 = at(c.b.shape(), axis);
  return n1 == 0 || n2 == 0 ? 0 : n1 + n2 - 1;
}

/// The elements of the full convolution that the mode wants, named: "same" cuts the axes that are
/// not convolved too, as in SciPy. The result does not share memory that is much longer than
/// itself.
Tensor finished(const Call& c, Tensor out) {
  for (std::int64_t d = 0; d < out.dim(); ++d) {
    const bool moves = has(c.moving, d);
    const std::int64_t whole = moves ? full_length(c, d) : at(out.shape(), d);
    std::int64_t size = whole;
    if (c.mode == Mode::Same) size = std::min(whole, at(c.first, d));
    if (c.mode == Mode::Valid && moves) {
      size = whole == 0 ? 0 : at(c.a.shape(), d) - at(c.b.shape(), d) + 1;
    }
    out = out.narrow(d, (whole - size) / 2, size);
  }
  if (!out.is_contiguous()) out = out.contiguous();
  out.body_ptr()->names = c.names;
  return out;
}

/// The result where an input has no elements, or where no axis moves.
Tensor without_transforms(const Call& c) {
  if (c.moving.empty()) return finished(c, mul(c.a, c.b));
  Dims shape(c.a.shape());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t n2 = c.b.shape()[d];
    const auto axis = static_cast<std::int64_t>(d);
    if (shape[d] == 1) shape[d] = n2;
    if (has(c.moving, axis)) shape[d] = full_length(c, axis);
  }
  return finished(c, zeros(shape, {.dtype = result_type(c.a, c.b), .device = c.a.device()}));
}

/// The product of transforms, into the memory of one of them where it has the shape.
Tensor product(const Tensor& a, const Tensor& b) {
  for (const Tensor* t : {&a, &b}) {
    const Tensor& other = t == &a ? b : a;
    bool fits = true;
    for (std::size_t d = 0; d < t->shape().size(); ++d) {
      fits = fits && (other.shape()[d] == t->shape()[d] || other.shape()[d] == 1);
    }
    if (!fits) continue;
    Tensor out = *t;
    out.mul_(other);
    return out;
  }
  return mul(a, b);
}

/// The circular convolution of two tensors along axes, of lengths that have no factors beyond 5.
Tensor circular(const Tensor& a, const Tensor& b, const Dims& lengths, const Axes& axes) {
  if (is_complex(a.dtype()) || is_complex(b.dtype())) {
    return fft::ifftn(product(fft::fftn(a, lengths, axes), fft::fftn(b, lengths, axes)), {}, axes);
  }
  return fft::irfftn(product(fft::rfftn(a, lengths, axes), fft::rfftn(b, lengths, axes)), lengths,
                     axes);
}

std::int64_t good_length(const Call& c, std::int64_t least) {
  return fft::next_fast_len(least, !is_complex(c.a.dtype()) && !is_complex(c.b.dtype()));
}

Tensor whole_convolution(const Call& c) {
  Dims lengths;
  SmallVector<Axis, 6> axes;
  for (const std::int64_t d : c.moving) {
    lengths.push_back(good_length(c, full_length(c, d)));
    axes.push_back(Axis(d));
  }
  return finished(c, circular(c.a, c.b, lengths, Axes(axes)));
}

// ---- blocks

/// How an axis is cut: `count` blocks of `step` elements, transforms of `length`.
struct Blocks {
  std::int64_t count, step, length;
};

/// The transform's length by the least work for an element of the result, among powers of two that
/// are shorter than that of the whole.
Blocks blocks_of(const Call& c, std::int64_t axis) {
  const std::int64_t n = at(c.a.shape(), axis);
  const std::int64_t taps = at(c.b.shape(), axis);
  Blocks best{1, n, good_length(c, n + taps - 1)};
  const auto cost = [](double length, double count) { return count * length * std::log2(length); };
  double least = cost(static_cast<double>(best.length), 1);
  for (std::int64_t length = 64; length < best.length; length *= 2) {
    if (length < 2 * taps) continue;
    const std::int64_t step = length - taps + 1;
    const std::int64_t count = (n + step - 1) / step;
    const double work = cost(static_cast<double>(length), static_cast<double>(count));
    if (count > 1 && work < least) {
      least = work;
      best = {count, step, length};
    }
  }
  return best;
}

/// x with every moving axis cut in two, blocks and their elements; filled with zeros up to whole
/// blocks.
Tensor in_blocks(const Call& c, const std::vector<Blocks>& blocks) {
  const std::int64_t rank = c.a.dim();
  Dims border(static_cast<std::size_t>(2 * rank), 0);
  bool grows = false;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::int64_t more = blocks[i].count * blocks[i].step - at(c.a.shape(), c.moving[i]);
    border[static_cast<std::size_t>(2 * (rank - 1 - c.moving[i]) + 1)] = more;
    grows = grows || more != 0;
  }
  Tensor x = grows ? pad(c.a, border) : c.a;
  for (std::size_t i = blocks.size(); i-- > 0;) {
    x = x.unflatten(c.moving[i], Dims{blocks[i].count, blocks[i].step});
  }
  return x;
}

Tensor block_convolution(const Call& c) {
  std::vector<Blocks> blocks;
  bool many = false;
  for (const std::int64_t d : c.moving) {
    blocks.push_back(blocks_of(c, d));
    many = many || blocks.back().count > 1;
  }
  if (!many) return whole_convolution(c);
  const Tensor a = in_blocks(c, blocks);
  Tensor b = c.b;
  Dims lengths;
  SmallVector<Axis, 6> axes;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::int64_t place = c.moving[i] + static_cast<std::int64_t>(i);  // of the blocks
    b = b.unsqueeze(place);
    lengths.push_back(blocks[i].length);
    axes.push_back(Axis(place + 1));
  }
  Tensor out = circular(a, b, lengths, Axes(axes));
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    // The axes before are joined again: the blocks of this one are where the axis was.
    const std::int64_t d = c.moving[i];
    const std::int64_t n = blocks[i].step + at(c.b.shape(), d) - 1;
    const Tensor frames = out.narrow(d + 1, 0, n).movedim(Axes{d, d + 1}, Axes{-2, -1});
    out = detail::overlap_add(frames, blocks[i].step).movedim(Axis(-1), Axis(d));
  }
  return finished(c, out);
}

bool is_plain(const Call& c) { return c.moving.empty() || c.a.numel() == 0 || c.b.numel() == 0; }

}  // namespace

Tensor fftconvolve(const Tensor& in1, const Tensor& in2, const std::string& mode,
                   const std::optional<Axes>& axes) {
  const OpRow& row = op::signal_fftconvolve;
  const trace::OpScope scope(row.name);
  const Call c = call_of(row, in1, in2, mode, axes);
  return is_plain(c) ? without_transforms(c) : whole_convolution(c);
}

Tensor oaconvolve(const Tensor& in1, const Tensor& in2, const std::string& mode,
                  const std::optional<Axes>& axes) {
  const OpRow& row = op::signal_oaconvolve;
  const trace::OpScope scope(row.name);
  Call c = call_of(row, in1, in2, mode, axes);
  if (is_plain(c)) return without_transforms(c);
  // The longer one is cut: convolution commutes, and `first` keeps what the mode needs.
  if (c.mode != Mode::Valid && c.b.numel() > c.a.numel()) std::swap(c.a, c.b);
  return block_convolution(c);
}

}  // namespace tandem::signal
