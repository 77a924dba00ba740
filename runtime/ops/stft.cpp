// Short-time Fourier transforms: frames as a view, the transforms of fft.h, overlapping sums.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/overlap.h"
#include "runtime/tensor/names.h"
#include "tandem/fft.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/signal.h"

namespace tandem {

namespace detail {

Tensor overlap_add(const Tensor& frames, std::int64_t hop) {
  const std::size_t rank = frames.shape().size();
  const std::int64_t f = frames.shape()[rank - 2];
  const std::int64_t n = frames.shape()[rank - 1];
  const std::int64_t pieces = (n + hop - 1) / hop;  // of a frame, each `hop` long but for the last
  Dims shape(frames.shape());
  shape[rank - 2] = f + pieces - 1;
  shape[rank - 1] = hop;
  const Tensor out = empty(shape, {.dtype = frames.dtype(), .device = frames.device()});
  const std::int64_t first = std::min(hop, n);
  out.narrow(-2, 0, f).narrow(-1, 0, first).copy_(frames.narrow(-1, 0, first));
  Tensor rest = out.narrow(-2, f, pieces - 1);
  rest.zero_();
  for (std::int64_t j = 1; j < pieces; ++j) {
    const std::int64_t length = std::min(hop, n - j * hop);
    Tensor target = out.narrow(-2, j, f).narrow(-1, 0, length);
    target.add_(frames.narrow(-1, j * hop, length));
  }
  return out.flatten(-2).narrow(-1, 0, (f - 1) * hop + n);
}

}  // namespace detail

namespace {

using Length = std::optional<std::int64_t>;

Tensor unnamed(const Tensor& t) { return t.has_names() ? t.rename(std::nullopt) : t; }

bool is_complex_or_none(const std::optional<Tensor>& t) { return t && is_complex(t->dtype()); }

void check_float(const OpRow& row, const char* argument, const Tensor& t) {
  TANDEM_EXPECTS(category(t.dtype()) >= Category::Float, TypeError,
                 fmt::format("[{}] argument '{}': expected a float or complex dtype, got {}",
                             row.name, argument, name(t.dtype())));
}

/// What both directions are told of their frames.
struct Frames {
  const OpRow& row;
  std::int64_t n, hop, width;  // of a frame, from frame to frame, of the window
  Tensor window;               // of n elements, unnamed; undefined where all are 1
};

/// Checks the lengths and the window. `after_hop`: overlapping sums need frames without gaps.
Frames frames_of(const OpRow& row, const Tensor& x, std::int64_t n_fft, Length hop_length,
                 Length win_length, const std::optional<Tensor>& window) {
  TANDEM_EXPECTS(
      n_fft > 0, ShapeError,
      fmt::format("[{}] argument 'n_fft': expected a length above 0, got {}", row.name, n_fft));
  Frames f{row, n_fft, hop_length.value_or(n_fft / 4), win_length.value_or(n_fft), {}};
  TANDEM_EXPECTS(f.hop > 0, ShapeError,
                 fmt::format("[{}] argument 'hop_length': expected a length above 0, got {}",
                             row.name, f.hop));
  TANDEM_EXPECTS(f.width > 0 && f.width <= n_fft, ShapeError,
                 fmt::format("[{}] argument 'win_length': expected a length from 1 to n_fft, {}, "
                             "got {}",
                             row.name, n_fft, f.width));
  if (window) {
    TANDEM_EXPECTS(window->dim() == 1 && window->numel() == f.width, ShapeError,
                   fmt::format("[{}] argument 'window': expected shape [{}], as win_length says, "
                               "got [{}]",
                               row.name, f.width, fmt::join(window->shape(), ", ")));
    check_float(row, "window", *window);
    const Tensor* both[] = {&x, &*window};
    (void)detail::common_device(row, both);
  }
  return f;
}

/// The window in the dtype that is computed in, with zeros up to n elements.
void place_window(Frames& f, const std::optional<Tensor>& window, DType dtype, Device device) {
  if (!window && f.width == f.n) return;
  const DType own = is_complex_or_none(window) ? dtype : real_part(dtype);
  const Tensor w =
      window ? unnamed(*window).to(own) : ones(Dims{f.width}, {.dtype = own, .device = device});
  const std::int64_t left = (f.n - f.width) / 2;
  f.window = f.width == f.n ? w : pad(w, Dims{left, f.n - f.width - left});
}

/// The dtype of a signal and its window: half precision is computed in float32, as transforms are.
DType signal_dtype(const Tensor& x, const std::optional<Tensor>& window) {
  const DType t = window ? result_type(x, *window) : x.dtype();
  return is_float(t) && t != DType::float64 ? DType::float32 : t;
}

void check_border(const OpRow& row, const std::string& mode, std::int64_t border,
                  std::int64_t size) {
  const bool reflect = mode == "reflect";
  const bool circular = mode == "circular";
  const bool replicate = mode == "replicate";
  TANDEM_EXPECTS(reflect || circular || replicate || mode == "constant", ValueError,
                 fmt::format("[{}] argument 'pad_mode': expected 'constant', 'reflect', "
                             "'replicate' or 'circular', got '{}'",
                             row.name, mode));
  const std::int64_t most = reflect ? size - 1 : circular ? size : INT64_MAX;
  TANDEM_EXPECTS(border <= most && (!replicate || size > 0), ShapeError,
                 fmt::format("[{}] argument 'x': expected at least {} elements along time to add "
                             "n_fft / 2 = {} before and after in mode '{}', got {}",
                             row.name, reflect ? border + 1 : std::max<std::int64_t>(border, 1),
                             border, mode, size));
}

/// The signal with what is added at its ends. `center`, and the rest of a frame around its window
/// where frames start with their windows.
Tensor extended(const Frames& f, const Tensor& x, bool center, const std::string& mode,
                bool align) {
  if (center) return pad(x, Dims{f.n / 2, f.n / 2}, mode);
  const std::int64_t rest = align ? f.n - f.width : 0;
  return rest == 0 ? x : pad(x, Dims{rest / 2, rest - rest / 2});
}

Names with_last(const Tensor& x, std::size_t dropped, const Names& last) {
  const Names& names = x.body_ptr()->names;
  if (names.empty()) return {};
  Names out;
  for (std::size_t i = 0; i + dropped < names.size(); ++i) out.push_back(names[i]);
  for (const Name n : last) out.push_back(n);
  return detail::simplified(std::move(out));
}

Name last_name(const Tensor& x) {
  const Names& names = x.body_ptr()->names;
  return names.empty() ? Name() : names.back();
}

}  // namespace

Tensor stft(const Tensor& x, std::int64_t n_fft, Length hop_length, Length win_length,
            const std::optional<Tensor>& window, bool center, const std::string& pad_mode,
            bool normalized, std::optional<bool> onesided, std::optional<bool> return_complex,
            std::optional<bool> align_to_window) {
  const OpRow& row = op::stft;
  const trace::OpScope scope(row.name);
  check_float(row, "x", x);
  TANDEM_EXPECTS(
      x.dim() >= 1, ShapeError,
      fmt::format("[{}] argument 'x': expected a tensor with dimensions, got none", row.name));
  const bool complex = is_complex(x.dtype()) || is_complex_or_none(window);
  TANDEM_EXPECTS(complex || return_complex, ValueError,
                 fmt::format("[{}] argument 'return_complex': expected True or False for real "
                             "inputs, got None",
                             row.name));
  TANDEM_EXPECTS(!complex || !onesided.value_or(false), ValueError,
                 fmt::format("[{}] argument 'onesided': expected False where x or the window is "
                             "complex, got True",
                             row.name));
  TANDEM_EXPECTS(
      !center || !align_to_window, ValueError,
      fmt::format("[{}] argument 'align_to_window': expected None with center=True", row.name));
  Frames f = frames_of(row, x, n_fft, hop_length, win_length, window);
  const bool align = align_to_window.value_or(false);
  const std::int64_t size = x.shape().back();
  if (center) check_border(row, pad_mode, n_fft / 2, size);
  const std::int64_t least = center ? n_fft % 2 : align ? f.width : n_fft;
  TANDEM_EXPECTS(size >= least, ShapeError,
                 fmt::format("[{}] argument 'x': expected at least {} elements along time for one "
                             "frame, got {}",
                             row.name, least, size));
  const DType dtype = signal_dtype(x, window);
  place_window(f, window, dtype, x.device());
  const DType own = is_complex(x.dtype()) ? dtype : real_part(dtype);
  const Tensor t = extended(f, unnamed(x).to(own), center, pad_mode, align);
  Tensor frames = t.unfold(-1, n_fft, f.hop);
  if (f.window.defined()) frames = mul(frames, f.window);
  const fft::Norm norm = normalized ? fft::Norm("ortho") : fft::Norm();
  const bool half = onesided.value_or(!complex);
  Tensor bins = half ? fft::rfft(frames, {}, -1, norm) : fft::fft(frames, {}, -1, norm);
  bins = bins.transpose(-1, -2);
  const bool parts = !return_complex.value_or(true);
  if (parts) bins = bins.unsqueeze(-1).view_as(real_part(bins.dtype()));
  Names names =
      with_last(x, 1, parts ? Names{Name(), last_name(x), Name()} : Names{Name(), last_name(x)});
  bins.body_ptr()->names = std::move(names);
  return bins;
}

namespace {

/// Frames [..., f, n] of the bins [..., k, f], not yet times the window.
Tensor frames_from(const Frames& f, const Tensor& x, bool normalized, bool onesided,
                   bool return_complex) {
  const fft::Norm norm = normalized ? fft::Norm("ortho") : fft::Norm();
  const Tensor bins = x.transpose(-1, -2);
  if (return_complex) return fft::ifft(bins, {}, -1, norm);
  return fft::irfft(onesided ? bins : bins.narrow(-1, 0, f.n / 2 + 1), f.n, -1, norm);
}

/// Sums of the window's squares over elements [begin, begin + size) of the signal; raises where
/// they vanish. Waits for the device.
Tensor envelope(const Frames& f, const Tensor& frames, std::int64_t begin, std::int64_t size) {
  const std::int64_t count = frames.shape()[frames.shape().size() - 2];
  const Tensor w =
      f.window.defined()
          ? f.window
          : ones(Dims{f.n}, {.dtype = real_part(frames.dtype()), .device = frames.device()});
  const Tensor squares = mul(w, w).expand(Dims{count, f.n});
  Tensor sums = detail::overlap_add(squares, f.hop).narrow(-1, begin, size);
  if (frames.device().is_meta() || size == 0) return sums;
  const double least = amin(abs(sums)).item().to_double();
  TANDEM_EXPECTS(!(least < 1e-11), ValueError,
                 fmt::format("[{}] argument 'window': expected a sum of squares of overlapping "
                             "windows above 0 at every element, got {}",
                             f.row.name, least));
  return sums;
}

void check_bins(const Frames& f, const Tensor& x, bool onesided) {
  const std::int64_t bins = x.shape()[x.shape().size() - 2];
  const std::int64_t want = onesided ? f.n / 2 + 1 : f.n;
  TANDEM_EXPECTS(bins == want, ShapeError,
                 fmt::format("[{}] argument 'x': expected {} bins for onesided={} and n_fft {}, "
                             "got {}",
                             f.row.name, want, onesided ? "True" : "False", f.n, bins));
  TANDEM_EXPECTS(
      x.shape().back() > 0, ShapeError,
      fmt::format("[{}] argument 'x': expected at least one frame, got none", f.row.name));
}

void check_complex_result(const OpRow& row, bool onesided, bool return_complex,
                          const std::optional<Tensor>& window) {
  TANDEM_EXPECTS(!return_complex || !onesided, ValueError,
                 fmt::format("[{}] argument 'return_complex': expected False for onesided bins, "
                             "which are of a real signal",
                             row.name));
  TANDEM_EXPECTS(return_complex || !is_complex_or_none(window), TypeError,
                 fmt::format("[{}] argument 'window': expected a real one where return_complex is "
                             "False, got {}",
                             row.name, window ? name(window->dtype()) : ""));
}

}  // namespace

Tensor istft(const Tensor& x, std::int64_t n_fft, Length hop_length, Length win_length,
             const std::optional<Tensor>& window, bool center, bool normalized,
             std::optional<bool> onesided, Length length, bool return_complex) {
  const OpRow& row = op::istft;
  const trace::OpScope scope(row.name);
  TANDEM_EXPECTS(is_complex(x.dtype()), TypeError,
                 fmt::format("[{}] argument 'x': expected a complex tensor, as stft with "
                             "return_complex=True gives, got {}",
                             row.name, name(x.dtype())));
  TANDEM_EXPECTS(x.dim() >= 2, ShapeError,
                 fmt::format("[{}] argument 'x': expected shape [..., bins, frames], got [{}]",
                             row.name, fmt::join(x.shape(), ", ")));
  Frames f = frames_of(row, x, n_fft, hop_length, win_length, window);
  TANDEM_EXPECTS(f.hop <= f.width, ShapeError,
                 fmt::format("[{}] argument 'hop_length': expected at most win_length, {}, got {}",
                             row.name, f.width, f.hop));
  const bool half = onesided.value_or(x.shape()[x.shape().size() - 2] != n_fft);
  check_bins(f, x, half);
  check_complex_result(row, half, return_complex, window);
  TANDEM_EXPECTS(
      length.value_or(0) >= 0, ShapeError,
      fmt::format("[{}] argument 'length': expected a length >= 0, got {}", row.name, *length));
  // Elements [begin, end) of the sums are the signal, of which those below `whole` exist.
  const std::int64_t whole = (x.shape().back() - 1) * f.hop + n_fft;
  const std::int64_t begin = center ? n_fft / 2 : 0;
  const std::int64_t size =
      std::max<std::int64_t>(length ? std::min(*length, whole - begin) : whole - 2 * begin, 0);
  const DType dtype = window ? result_type(x, *window) : x.dtype();
  place_window(f, window, dtype, x.device());
  Tensor frames = frames_from(f, unnamed(x).to(dtype), normalized, half, return_complex);
  const Tensor sums = envelope(f, frames, begin, size);
  if (f.window.defined()) frames = mul(frames, f.window);
  Tensor out = div(detail::overlap_add(frames, f.hop).narrow(-1, begin, size), sums);
  if (length && *length > size) out = pad(out, Dims{0, *length - size});
  out.body_ptr()->names = with_last(x, 2, Names{last_name(x)});
  return out;
}

}  // namespace tandem
