// Front-ends of the Fourier transforms along one axis.
#include "runtime/ops/fft.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/promote.h"
#include "runtime/ops/fft_plan.h"
#include "runtime/tensor/names.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace detail {

DType fft_dtype(const OpRow& row, const Tensor& x, bool real) {
  TANDEM_EXPECTS(!real || !is_complex(x.dtype()), TypeError,
                 fmt::format("[{}] argument 'x': expected a real input tensor, got {}", row.name,
                             name(x.dtype())));
  const DType t = category(x.dtype()) < Category::Float ? default_dtype() : x.dtype();
  return t == DType::float64 || t == DType::complex128 ? DType::complex128 : DType::complex64;
}

Tensor fft_readable(const Tensor& x, DType dtype) {
  const DType wanted = is_complex(x.dtype()) ? dtype : real_part(dtype);
  return x.dtype() == wanted ? x : x.to(wanted);
}

double fft_scale(const OpRow& row, const fft::Norm& norm, bool inverse, double total) {
  const std::string mode = norm.value_or("backward");
  TANDEM_EXPECTS(mode == "backward" || mode == "forward" || mode == "ortho", ValueError,
                 fmt::format("[{}] argument 'norm': expected 'backward', 'ortho' or 'forward', got "
                             "'{}'",
                             row.name, mode));
  if (mode == "ortho") return 1 / std::sqrt(total);
  return (mode == "backward") == inverse ? 1 / total : 1;
}

std::int64_t fft_length(const OpRow& row, std::int64_t n) {
  TANDEM_EXPECTS(
      n >= 1, ShapeError,
      fmt::format("[{}] argument 'n': expected at least one element to transform, got {}", row.name,
                  n));
  return n;
}

Dims fft_strides(IntSpan shape, std::int64_t axis) {
  Dims strides(shape);
  std::int64_t step = 1;
  const auto place = [&](std::size_t d) {
    strides[d] = step;
    step *= std::max<std::int64_t>(shape[d], 1);
  };
  place(static_cast<std::size_t>(axis));
  for (std::size_t d = shape.size(); d-- > 0;) {
    if (static_cast<std::int64_t>(d) != axis) place(d);
  }
  return strides;
}

}  // namespace detail

namespace fft {

namespace {

using detail::FftCall;
using detail::OutSpec;

/// Lengths and dtypes of a transform along one axis.
struct Line {
  FftCall call;
  DType dtype;  // of the complex end
  Dims shape;   // of the result
};

Line line_of(const OpRow& row, const Tensor& x, Axis dim, bool real) {
  TANDEM_EXPECTS(
      x.dim() > 0, IndexError,
      fmt::format("[{}] argument 'dim': expected a tensor with dimensions, got none", row.name));
  const DType dtype = detail::fft_dtype(row, x, real);
  const std::int64_t axis = detail::resolve_axis(dim, x, row.name);
  return {{&row, axis, 0, false, 1}, dtype, Dims(x.shape())};
}

Tensor complex_line(const OpRow& row, const Tensor& x, Length n, Axis dim, const Norm& norm,
                    bool inverse) {
  Line line = line_of(row, x, dim, false);
  std::int64_t& size = line.shape[static_cast<std::size_t>(line.call.axis)];
  size = line.call.n = detail::fft_length(row, n.value_or(size));
  line.call.inverse = inverse;
  line.call.scale = detail::fft_scale(row, norm, inverse, static_cast<double>(size));
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{line.shape, line.dtype, x.device(), x.body_ptr()->names};
      },
      [&](const Tensor& out) {
        detail::fft_complex(line.call, detail::fft_readable(x, line.dtype), out);
      });
}

/// rfft, and ihfft, its conjugate with the other norm.
Tensor real_to_bins(const OpRow& row, const Tensor& x, Length n, Axis dim, const Norm& norm,
                    bool conjugate) {
  Line line = line_of(row, x, dim, true);
  std::int64_t& size = line.shape[static_cast<std::size_t>(line.call.axis)];
  line.call.n = detail::fft_length(row, n.value_or(size));
  line.call.conjugate = conjugate;
  line.call.scale = detail::fft_scale(row, norm, conjugate, static_cast<double>(line.call.n));
  size = line.call.n / 2 + 1;
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{line.shape, line.dtype, x.device(), x.body_ptr()->names};
      },
      [&](const Tensor& out) {
        detail::fft_real_to_bins(line.call, detail::fft_readable(x, line.dtype), out);
      });
}

/// irfft, and hfft, that of the conjugates with the other norm.
Tensor bins_to_real(const OpRow& row, const Tensor& x, Length n, Axis dim, const Norm& norm,
                    bool hermitian) {
  Line line = line_of(row, x, dim, false);
  std::int64_t& size = line.shape[static_cast<std::size_t>(line.call.axis)];
  size = line.call.n = detail::fft_length(row, n.value_or(2 * (size - 1)));
  line.call.inverse = !hermitian;
  line.call.conjugate = hermitian;
  line.call.scale = detail::fft_scale(row, norm, !hermitian, static_cast<double>(size));
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{line.shape, real_part(line.dtype), x.device(), x.body_ptr()->names,
                       detail::fft_strides(line.shape, line.call.axis)};
      },
      [&](const Tensor& out) {
        const Tensor in = x.dtype() == line.dtype ? x : x.to(line.dtype);
        detail::fft_bins_to_real(line.call, in, out);
      });
}

Tensor frequencies(const OpRow& row, std::int64_t n, double d, std::optional<DType> dtype,
                   std::optional<Device> device, bool half) {
  const DType t = dtype.value_or(default_dtype());
  TANDEM_EXPECTS(
      is_float(t), TypeError,
      fmt::format("[{}] argument 'dtype': expected a float dtype, got {}", row.name, name(t)));
  TANDEM_EXPECTS(n >= 0, ValueError,
                 fmt::format("[{}] argument 'n': expected at least 0, got {}", row.name, n));
  const Options options{.dtype = t == DType::float64 ? t : DType::float32,
                        .device = device.value_or(kCPU)};
  const double step = 1 / (static_cast<double>(n) * d);
  const Tensor first = arange(0, half ? n / 2 + 1 : (n + 1) / 2, 1, options);
  const Tensor all = half ? first : cat({first, arange(-(n / 2), 0, 1, options)}, 0);
  return mul(all, step).to(t);
}

Tensor shifted(const OpRow& row, const Tensor& x, const Dim& dim, bool back) {
  const std::uint64_t chosen = detail::resolve_axes(dim.value_or(Axes{}), x, row.name);
  Dims shifts;
  SmallVector<Axis, 6> axes;
  for (std::size_t d = 0; d < x.shape().size(); ++d) {
    if (((chosen >> d) & 1u) == 0) continue;
    axes.push_back(Axis(static_cast<std::int64_t>(d)));
    const std::int64_t n = x.shape()[d];
    shifts.push_back(back ? (n + 1) / 2 : n / 2);
  }
  return shifts.empty() ? x.clone() : roll(x, shifts, Axes(axes));
}

}  // namespace

Tensor fft(const Tensor& x, Length n, Axis dim, const Norm& norm) {
  return complex_line(op::fft_fft, x, n, dim, norm, false);
}
Tensor ifft(const Tensor& x, Length n, Axis dim, const Norm& norm) {
  return complex_line(op::fft_ifft, x, n, dim, norm, true);
}
Tensor rfft(const Tensor& x, Length n, Axis dim, const Norm& norm) {
  return real_to_bins(op::fft_rfft, x, n, dim, norm, false);
}
Tensor ihfft(const Tensor& x, Length n, Axis dim, const Norm& norm) {
  return real_to_bins(op::fft_ihfft, x, n, dim, norm, true);
}
Tensor irfft(const Tensor& x, Length n, Axis dim, const Norm& norm) {
  return bins_to_real(op::fft_irfft, x, n, dim, norm, false);
}
Tensor hfft(const Tensor& x, Length n, Axis dim, const Norm& norm) {
  return bins_to_real(op::fft_hfft, x, n, dim, norm, true);
}

Tensor fftfreq(std::int64_t n, double d, std::optional<DType> dtype, std::optional<Device> device) {
  return frequencies(op::fft_fftfreq, n, d, dtype, device, false);
}
Tensor rfftfreq(std::int64_t n, double d, std::optional<DType> dtype,
                std::optional<Device> device) {
  return frequencies(op::fft_rfftfreq, n, d, dtype, device, true);
}
Tensor fftshift(const Tensor& x, const Dim& dim) {
  return shifted(op::fft_fftshift, x, dim, false);
}
Tensor ifftshift(const Tensor& x, const Dim& dim) {
  return shifted(op::fft_ifftshift, x, dim, true);
}

std::int64_t next_fast_len(std::int64_t target, bool real) {
  constexpr std::int64_t kMost = std::int64_t(1) << 60;
  TANDEM_EXPECTS(
      target > 0 && target <= kMost, ValueError,
      fmt::format("[fft.next_fast_len] argument 'target': expected a length from 1 to 2^60, got {}",
                  target));
  if (!real || target == 1) return detail::fft_good_length(target);
  // Rows of reals are transformed as half as many.
  return 2 * detail::fft_good_length((target + 1) / 2);
}

}  // namespace fft

}  // namespace tandem
