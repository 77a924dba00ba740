// roll, pad, repeat and its kin.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

std::int64_t product(IntSpan sizes) {
  std::int64_t n = 1;
  for (const std::int64_t s : sizes) n *= s;
  return n;
}

/// Each dimension's shift, in [0, size).
Dims shifts_of(const Tensor& x, IntSpan shifts, const Axes& axes) {
  Dims before(x.shape().size(), 0);
  for (std::size_t k = 0; k < shifts.size(); ++k) {
    const auto d = static_cast<std::size_t>(detail::resolve_axis(axes.list()[k], x, "roll"));
    const std::int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
    if (x.dim() == 0 || n == 0) continue;
    before[d] = ((before[d] + shifts[k] % n) % n + n) % n;
  }
  return before;
}

// ---- pad

/// Numbers before and after each dimension, in the tensor's order.
struct Borders {
  Dims before, after;
};

Borders borders_of(const Tensor& x, IntSpan pad) {
  TANDEM_EXPECTS(pad.size() % 2 == 0, ValueError,
                 fmt::format("[pad] argument 'pad': Padding length must be divisible by 2, got {}",
                             pad.size()));
  const std::size_t rank = x.shape().size();
  TANDEM_EXPECTS(pad.size() / 2 <= rank, ShapeError,
                 fmt::format("[pad] argument 'pad': Padding length should be less than or equal "
                             "to two times the input dimension but got padding length {} and input "
                             "of dimension {}",
                             pad.size(), rank));
  Borders b{Dims(rank, 0), Dims(rank, 0)};
  for (std::size_t k = 0; k < pad.size() / 2; ++k) {
    b.before[rank - 1 - k] = pad[2 * k];
    b.after[rank - 1 - k] = pad[2 * k + 1];
  }
  return b;
}

BorderMode mode_of(const std::string& mode) {
  static constexpr const char* kModes[] = {"constant", "reflect", "replicate", "circular"};
  for (int i = 0; i < 4; ++i) {
    if (mode == kModes[i]) return static_cast<BorderMode>(i);
  }
  detail::fail<ValueError>(
      fmt::format("[pad] argument 'mode': expected 'constant', 'reflect', 'replicate' or "
                  "'circular', got '{}'",
                  mode));
}

/// What a mode allows for one dimension.
void check_border(BorderMode mode, std::size_t d, std::int64_t size, std::int64_t before,
                  std::int64_t after) {
  const std::int64_t most = std::max(before, after);
  if (mode == BorderMode::Reflect) {
    TANDEM_EXPECTS(most <= 0 || most < size, ShapeError,
                   fmt::format("[pad] Padding size should be less than the corresponding input "
                               "dimension, but got: padding ({}, {}) at dimension {} of size {}",
                               before, after, d, size));
  }
  if (mode == BorderMode::Circular) {
    const std::int64_t left =
        size + std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0);
    TANDEM_EXPECTS(left >= 0 && most <= left, ShapeError,
                   fmt::format("[pad] Padding value causes wrapping around more than once: padding "
                               "({}, {}) at dimension {} of size {}",
                               before, after, d, size));
  }
  if (mode == BorderMode::Replicate) {
    TANDEM_EXPECTS(most <= 0 || size > 0, ShapeError,
                   fmt::format("[pad] expected elements to repeat, got dimension {} of size 0", d));
  }
}

Dims padded_shape(const Tensor& x, const Borders& b, BorderMode mode) {
  Dims shape(x.shape());
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t size = shape[d];
    const bool overflow = __builtin_add_overflow(shape[d], b.before[d], &shape[d]) ||
                          __builtin_add_overflow(shape[d], b.after[d], &shape[d]);
    TANDEM_EXPECTS(!overflow && shape[d] >= 0, ShapeError,
                   fmt::format("[pad] The input size {}, plus negative padding {} and {}, resulted "
                               "in a negative output size, which is invalid. Check dimension {} of "
                               "your input.",
                               size, b.before[d], b.after[d], d));
    check_border(mode, d, size, b.before[d], b.after[d]);
  }
  return shape;
}

/// Without what negative borders cut off; they are 0 then.
Tensor cropped(const Tensor& x, Borders& b) {
  Tensor t = x;
  for (std::size_t d = 0; d < b.before.size(); ++d) {
    const std::int64_t low = std::max<std::int64_t>(-b.before[d], 0);
    const std::int64_t high = std::max<std::int64_t>(-b.after[d], 0);
    if (low == 0 && high == 0) continue;
    const auto axis = static_cast<std::int64_t>(d);
    t = t.narrow(axis, low, std::max<std::int64_t>(t.shape()[d] - low - high, 0));
    b.before[d] += low;
    b.after[d] += high;
  }
  return t;
}

ScalarBits element_bits(const Scalar& value, DType dtype) {
  ScalarBits bits{};
  visit(dtype, [&]<class T>() {
    const T element = value.to<T>();
    std::memcpy(&bits, &element, sizeof(T));
  });
  return bits;
}

// ---- repeat

/// x as [1, n0, 1, n1, ...] beside the output as [r0, n0, r1, n1, ...]: a copy with broadcasting.
struct Blocks {
  Dims shape, from, strides;

  Blocks(const Tensor& x, const Dims& repeats) {
    const std::size_t fresh = repeats.size() - x.shape().size();
    for (std::size_t d = 0; d < repeats.size(); ++d) {
      const std::int64_t own = d < fresh ? 1 : x.shape()[d - fresh];
      if (repeats[d] != 1) push(repeats[d], 1, 0);
      if (own != 1) push(own, own, x.strides()[d - fresh]);
    }
  }

 private:
  void push(std::int64_t size, std::int64_t own, std::int64_t stride) {
    shape.push_back(size);
    from.push_back(own);
    strides.push_back(stride);
  }
};

Tensor repeated(const OpRow& row, const Tensor& x, const Dims& repeats) {
  const std::size_t rank = x.shape().size();
  const std::size_t fresh = repeats.size() - rank;
  Dims shape;
  for (std::size_t d = 0; d < repeats.size(); ++d) {
    TANDEM_EXPECTS(
        repeats[d] >= 0, ValueError,
        fmt::format("[{}] expected numbers >= 0, got [{}]", row.name, fmt::join(repeats, ", ")));
    std::int64_t size = d < fresh ? 1 : x.shape()[d - fresh];
    TANDEM_EXPECTS(!__builtin_mul_overflow(size, repeats[d], &size), ValueError,
                   fmt::format("[{}] the result has more elements than 64 bits count", row.name));
    shape.push_back(size);
  }
  Names names;
  if (x.has_names()) {
    names.resize(fresh);
    for (const Name n : x.body_ptr()->names) names.push_back(n);
  }
  const Blocks blocks(x, repeats);
  detail::check_rank(blocks.shape.size(), row.name);
  return detail::moved(row, x, shape, names, [&](const Tensor& out) {
    if (out.numel() == 0) return;
    const Tensor source = detail::make_view(x, x.storage_offset(), blocks.from, blocks.strides, {});
    detail::copy_elements(out.view(blocks.shape), source.expand(blocks.shape));
  });
}

// ---- repeat_interleave

/// The tensor and the axis that a call means: the flattened tensor without an axis.
std::pair<Tensor, std::size_t> along(const Tensor& x, const std::optional<Axis>& axis) {
  if (!axis) return {x.flatten(), 0};
  const auto d = detail::resolve_axis(*axis, x, "repeat_interleave");
  return {x.dim() == 0 ? x.reshape({1}) : x, static_cast<std::size_t>(d)};
}

/// Checks the tensor of repeats; int64, dense.
Tensor counted(const Tensor& x, const Tensor& repeats, std::int64_t n) {
  TANDEM_EXPECTS(repeats.dtype() == DType::int64 || repeats.dtype() == DType::int32, TypeError,
                 fmt::format("[repeat_interleave] argument 'repeats': repeats has to be Long or "
                             "Int tensor, got {}",
                             info(repeats.dtype()).title));
  TANDEM_EXPECTS(repeats.dim() <= 1, ShapeError,
                 fmt::format("[repeat_interleave] argument 'repeats': repeats must be 0-dim or "
                             "1-dim tensor, got {} dimensions",
                             repeats.dim()));
  TANDEM_EXPECTS(repeats.numel() == n || repeats.numel() == 1, ShapeError,
                 fmt::format("[repeat_interleave] argument 'repeats': repeats must have the same "
                             "size as input along dim, but got {} repeats and size {}",
                             repeats.numel(), n));
  TANDEM_EXPECTS(x.device() == repeats.device(), DeviceError,
                 fmt::format("[repeat_interleave] Expected all tensors to be on the same device, "
                             "but found at least two devices, {} and {}!",
                             x.device().str(), repeats.device().str()));
  return repeats.to(DType::int64).contiguous();
}

RepeatLaunch repeat_launch(const Tensor& repeats, const Tensor& ends) {
  RepeatLaunch l{};
  l.row = &op::repeat_interleave;
  l.n = ends.numel();
  l.repeats = repeats.data<std::int64_t>();
  l.one_for_all = repeats.numel() == 1;
  l.ends = ends.data<std::int64_t>();
  l.device = repeats.device();
  return l;
}

/// The sum of the repeats: where the shape depends on it, the host waits.
std::int64_t total_of(const Tensor& repeats, const Tensor& ends) {
  if (ends.numel() == 0) return 0;
  RepeatLaunch l = repeat_launch(repeats, ends);
  l.stream = detail::launch_stream(l.device, {&ends}, {&repeats});
  detail::launch(op::repeat_interleave, l.device, &l);
  return ends.select(0, -1).item<std::int64_t>();
}

/// What only the host can see before any work.
std::int64_t sum_on_host(const Tensor& repeats, std::int64_t n) {
  check_host_use(repeats);
  const auto* r = repeats.data<std::int64_t>();
  const bool one = repeats.numel() == 1;
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t k = r[one ? 0 : i];
    TANDEM_EXPECTS(k >= 0, ValueError,
                   fmt::format("[repeat_interleave] argument 'repeats': repeats can not be "
                               "negative, got {}",
                               k));
    TANDEM_EXPECTS(!__builtin_add_overflow(total, k, &total), ValueError,
                   "[repeat_interleave] the result has more elements than 64 bits count");
  }
  return total;
}

void interleave(const Tensor& out, const Tensor& x, std::size_t d, const Tensor& repeats,
                const Tensor& ends, bool summed) {
  const Tensor dense = x.contiguous();
  RepeatLaunch l = repeat_launch(repeats, ends);
  if (summed) l.repeats = nullptr;
  l.outer = product(x.shape().first(d));
  l.total = out.shape()[d];
  l.inner = product(x.shape().subspan(d + 1)) * static_cast<std::int64_t>(x.element_size());
  l.out = out.data_ptr();
  l.in = dense.data_ptr();
  // Summed already, the ends are read alone.
  l.stream = summed ? detail::launch_stream(l.device, {&out}, {&dense, &repeats, &ends})
                    : detail::launch_stream(l.device, {&out, &ends}, {&dense, &repeats});
  detail::launch(op::repeat_interleave, l.device, &l);
}

}  // namespace

namespace detail {

void launch_border(const OpRow& row, const Tensor& out, const Tensor& in, const Dims& before,
                   BorderMode mode, const Scalar& value) {
  if (out.numel() == 0) return;
  std::int64_t byte_steps[kMaxRank];
  byte_strides(in, byte_steps);
  // Dimensions that are copied whole merge with their neighbours, where the strides nest.
  Dims shape;
  Dims own;
  Dims start;
  Dims steps;
  for (std::size_t d = 0; d < before.size(); ++d) {
    const std::int64_t n = in.shape()[d];
    const bool whole = before[d] == 0 && out.shape()[d] == n;
    if (whole && !shape.empty() && start.back() == 0 && shape.back() == own.back() &&
        steps.back() == byte_steps[d] * n) {
      shape.back() *= n;
      own.back() *= n;
      steps.back() = byte_steps[d];
      continue;
    }
    shape.push_back(out.shape()[d]);
    own.push_back(n);
    start.push_back(before[d]);
    steps.push_back(byte_steps[d]);
  }
  BorderLaunch l{};
  l.row = &row;
  l.numel = out.numel();
  l.rank = static_cast<int>(shape.size());
  l.shape = shape.data();
  l.in_shape = own.data();
  l.before = start.data();
  l.in_strides = steps.data();
  l.mode = mode;
  l.width = static_cast<int>(in.element_size());
  l.value = element_bits(value, in.dtype());
  l.out = out.data_ptr();
  l.in = in.data_ptr();
  l.device = out.device();
  l.stream = launch_stream(l.device, {&out}, {&in});
  detail::launch(op::pad, l.device, &l);
}

}  // namespace detail

Tensor roll(const Tensor& x, IntSpan shifts, const Axes& axes) {
  TANDEM_EXPECTS(!shifts.empty(), ValueError, "[roll] argument 'shifts': expected one or more");
  if (axes.all() && shifts.size() == 1 && x.dim() != 1) {
    Tensor flat = roll(x.rename(std::nullopt).reshape({-1}), shifts, 0).view(x.shape());
    flat.body_ptr()->names = x.body_ptr()->names;
    return flat;
  }
  const Axes chosen = axes.all() && x.dim() == 1 && shifts.size() == 1 ? Axes(0) : axes;
  TANDEM_EXPECTS(chosen.list().size() == shifts.size(), ValueError,
                 fmt::format("[roll] shifts and dimensions must align. shifts: {}, dims: {}",
                             shifts.size(), chosen.list().size()));
  const Dims before = shifts_of(x, shifts, chosen);
  return detail::moved(op::roll, x, Dims(x.shape()), x.body_ptr()->names, [&](const Tensor& out) {
    detail::launch_border(op::roll, out, x, before, BorderMode::Circular, 0);
  });
}

Tensor repeat(const Tensor& x, IntSpan repeats) {
  TANDEM_EXPECTS(repeats.size() >= x.shape().size(), ShapeError,
                 fmt::format("[repeat] Number of dimensions of repeat dims can not be smaller than "
                             "number of dimensions of tensor: got {} and {}",
                             repeats.size(), x.dim()));
  return repeated(op::repeat, x, Dims(repeats));
}

Tensor tile(const Tensor& x, IntSpan repeats) {
  Dims all(repeats);
  while (all.size() < x.shape().size()) all.insert(0, 1);
  return repeated(op::tile, x, all);
}

Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, std::optional<Axis> axis) {
  TANDEM_EXPECTS(repeats >= 0, ValueError,
                 fmt::format("[repeat_interleave] argument 'repeats': repeats can not be negative, "
                             "got {}",
                             repeats));
  const auto [t, d] = along(x, axis);
  Dims shape(t.shape());
  TANDEM_EXPECTS(!__builtin_mul_overflow(shape[d], repeats, &shape[d]), ValueError,
                 "[repeat_interleave] the result has more elements than 64 bits count");
  return detail::moved(op::repeat_interleave, t, shape, t.body_ptr()->names,
                       [&, &t = t, &d = d](const Tensor& out) {
                         if (out.numel() == 0) return;
                         const auto at = static_cast<std::int64_t>(d);
                         const Tensor parts = out.unflatten(at, {t.shape()[d], repeats});
                         detail::copy_elements(
                             parts, t.rename(std::nullopt).unsqueeze(at + 1).expand(parts.shape()));
                       });
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<Axis> axis,
                         std::optional<std::int64_t> output_size) {
  const trace::OpScope scope("repeat_interleave");
  const auto [t, d] = along(x, axis);
  const std::int64_t n = t.shape()[d];
  const Tensor counts = counted(t, repeats, n);
  TANDEM_EXPECTS(!x.is_meta() || output_size, NotImplemented,
                 "[repeat_interleave] the shape depends on the elements of 'repeats', and a meta "
                 "tensor has none: give output_size");
  TANDEM_EXPECTS(!output_size || *output_size >= 0, ValueError,
                 fmt::format("[repeat_interleave] argument 'output_size': expected >= 0, got {}",
                             output_size.value_or(0)));
  std::int64_t total = output_size.value_or(0);
  Tensor ends;
  if (x.device().is_cpu()) {
    total = sum_on_host(counts, n);
    TANDEM_EXPECTS(!output_size || *output_size == total, ValueError,
                   fmt::format("[repeat_interleave] argument 'output_size': expected the sum of "
                               "the repeats, {}, got {}",
                               total, output_size.value_or(0)));
  }
  if (!x.is_meta()) ends = empty({n}, {.dtype = DType::int64, .device = x.device()});
  const bool summed = !x.is_meta() && !x.device().is_cpu() && !output_size;
  if (summed) total = total_of(counts, ends);
  Dims shape(t.shape());
  shape[d] = total;
  return detail::moved(op::repeat_interleave, t, shape, t.body_ptr()->names,
                       [&, &t = t, &d = d](const Tensor& out) {
                         if (out.numel() > 0) interleave(out, t, d, counts, ends, summed);
                       });
}

Tensor pad(const Tensor& x, IntSpan pad, const std::string& mode, const Scalar& value) {
  const BorderMode m = mode_of(mode);
  Borders b = borders_of(x, pad);
  const Dims shape = padded_shape(x, b, m);
  TANDEM_EXPECTS(x.dtype() == DType::bool_ || value.fits(x.dtype()), ValueError,
                 fmt::format("[pad] value {} cannot be converted to type {} without overflow",
                             value.str(), name(x.dtype())));
  // Around the end goes what is left of x; the other modes see the elements that are cut off.
  const Tensor source = m == BorderMode::Circular ? cropped(x, b) : x;
  return detail::moved(op::pad, x, shape, x.body_ptr()->names, [&](const Tensor& out) {
    detail::launch_border(op::pad, out, source, b.before, m, value);
  });
}

namespace ops {

Tensor repeat_interleave(const Tensor& x, const Value& repeats, std::optional<Axis> axis,
                         std::optional<std::int64_t> output_size) {
  if (repeats.is_none()) {  // the indices of the slices
    const Tensor places = tandem::arange(0, x.numel(), 1, {.device = x.device()});
    return tandem::repeat_interleave(places, x, 0, output_size).to(x.dtype());
  }
  if (repeats.is<Tensor>()) {
    return tandem::repeat_interleave(x, repeats.as<Tensor>(), axis, output_size);
  }
  TANDEM_EXPECTS(repeats.is<Scalar>() && repeats.as<Scalar>().is_integral(), TypeError,
                 "[repeat_interleave] argument 'repeats': expected an int or a tensor of ints");
  return tandem::repeat_interleave(x, repeats.as<Scalar>().to_int(), axis);
}

Tensor pad(const Tensor& x, IntSpan pad, const std::string& mode, std::optional<Scalar> value) {
  TANDEM_EXPECTS(!value || mode == "constant" || value->is_zero(), ValueError,
                 fmt::format("[pad] argument 'value': padding mode '{}' takes no value", mode));
  return tandem::pad(x, pad, mode, value.value_or(Scalar(0)));
}

}  // namespace ops

}  // namespace tandem
