// Front-ends of the Fourier transforms along several axes: one after the other, the last one first
// (and last of all where its end is real), from the second on in place.
#include <fmt/format.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/fft.h"
#include "runtime/tensor/names.h"
#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem::fft {

namespace {

using detail::FftCall;
using detail::OutSpec;

/// The axes of a call, and the length along each, of the longer end where the two differ.
struct Block {
  const OpRow& row;
  Dims axes, lengths;
  double total = 1;
  DType dtype = DType::complex64;
};

Dims axes_of(const OpRow& row, const Tensor& x, const Lengths& s, const Dim& dim) {
  Dims axes;
  if (dim) {
    TANDEM_EXPECTS(
        x.dim() > 0 || dim->list().empty(), IndexError,
        fmt::format("[{}] argument 'dim': expected a tensor with dimensions, got none", row.name));
    for (const Axis& a : dim->list()) axes.push_back(detail::resolve_axis(a, x, row.name));
    for (std::size_t i = 0; i < axes.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        TANDEM_EXPECTS(axes[i] != axes[j], ValueError,
                       fmt::format("[{}] argument 'dim': expected different dimensions, got {} "
                                   "twice",
                                   row.name, axes[i]));
      }
    }
    return axes;
  }
  const std::int64_t count = s ? static_cast<std::int64_t>(s->size()) : x.dim();
  TANDEM_EXPECTS(count <= x.dim(), ShapeError,
                 fmt::format("[{}] argument 's': expected at most one length a dimension, got {} "
                             "for {} dimensions",
                             row.name, count, x.dim()));
  for (std::int64_t d = x.dim() - count; d < x.dim(); ++d) axes.push_back(d);
  return axes;
}

enum class Ends { Complex, RealIn, RealOut };

Block block_of(const OpRow& row, const Tensor& x, const Lengths& s, const Dim& dim, Ends ends) {
  Block b{row, axes_of(row, x, s, dim), {}};
  b.dtype = detail::fft_dtype(row, x, ends == Ends::RealIn);
  TANDEM_EXPECTS(!s || s->size() == b.axes.size(), ShapeError,
                 fmt::format("[{}] argument 's': expected as many lengths as axes, {}, got {}",
                             row.name, b.axes.size(), s ? s->size() : 0));
  TANDEM_EXPECTS(
      ends == Ends::Complex || !b.axes.empty(), ShapeError,
      fmt::format("[{}] argument 'dim': expected at least one axis, got none", row.name));
  for (std::size_t i = 0; i < b.axes.size(); ++i) {
    const bool bins = ends == Ends::RealOut && i + 1 == b.axes.size();
    const std::int64_t size = x.shape()[static_cast<std::size_t>(b.axes[i])];
    const bool given = s && (*s)[i] != -1;
    const std::int64_t n = given ? (*s)[i] : bins ? 2 * (size - 1) : size;
    b.lengths.push_back(detail::fft_length(row, n));
    b.total *= static_cast<double>(n);
  }
  return b;
}

/// x cut or filled with zeros to the lengths along the axes before `count`, unnamed.
Tensor resized(const Block& b, const Tensor& x, std::size_t count) {
  Tensor t = x.has_names() ? x.rename(std::nullopt) : x;
  Dims border;
  for (std::int64_t i = 0; i < 2 * t.dim(); ++i) border.push_back(0);
  bool grows = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t size = t.shape()[static_cast<std::size_t>(b.axes[i])];
    if (size > b.lengths[i]) t = t.narrow(b.axes[i], 0, b.lengths[i]);
    if (size >= b.lengths[i]) continue;
    border[static_cast<std::size_t>(2 * (t.dim() - 1 - b.axes[i]) + 1)] = b.lengths[i] - size;
    grows = true;
  }
  return grows ? pad(t, border) : t;
}

/// Complex transforms along the first `count` axes, from the last of them to the first, of x into
/// `out`, which may be x itself.
void transform(const Block& b, std::size_t count, bool inverse, double scale, const Tensor& x,
               const Tensor& out) {
  const Tensor* from = &x;
  for (std::size_t i = count; i-- > 0;) {
    detail::fft_complex({&b.row, b.axes[i], b.lengths[i], inverse, i == 0 ? scale : 1.0}, *from,
                        out);
    from = &out;
  }
}

Dims shape_with(const Tensor& x, const Block& b, bool half_last) {
  Dims shape(x.shape());
  for (std::size_t i = 0; i < b.axes.size(); ++i) {
    const bool half = half_last && i + 1 == b.axes.size();
    shape[static_cast<std::size_t>(b.axes[i])] = half ? b.lengths[i] / 2 + 1 : b.lengths[i];
  }
  return shape;
}

Tensor complex_block(const OpRow& row, const Tensor& x, const Lengths& s, const Dim& dim,
                     const Norm& norm, bool inverse) {
  const Block b = block_of(row, x, s, dim, Ends::Complex);
  const double scale = detail::fft_scale(row, norm, inverse, b.total);
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{shape_with(x, b, false), b.dtype, x.device(), x.body_ptr()->names};
      },
      [&](const Tensor& out) {
        const Tensor in = detail::fft_readable(resized(b, x, b.axes.size()), b.dtype);
        if (b.axes.empty()) return detail::copy_elements(out, in);
        transform(b, b.axes.size(), inverse, scale, in, out);
      });
}

Tensor real_to_bins(const OpRow& row, const Tensor& x, const Lengths& s, const Dim& dim,
                    const Norm& norm, bool conjugate) {
  const Block b = block_of(row, x, s, dim, Ends::RealIn);
  const double scale = detail::fft_scale(row, norm, conjugate, b.total);
  const std::size_t others = b.axes.size() - 1;
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{shape_with(x, b, true), b.dtype, x.device(), x.body_ptr()->names};
      },
      [&](const Tensor& out) {
        const Tensor in = detail::fft_readable(resized(b, x, others), b.dtype);
        FftCall last{&row, b.axes.back(), b.lengths.back(), false, others == 0 ? scale : 1.0};
        last.conjugate = conjugate;
        detail::fft_real_to_bins(last, in, out);
        transform(b, others, conjugate, scale, out, out);
      });
}

Tensor bins_to_real(const OpRow& row, const Tensor& x, const Lengths& s, const Dim& dim,
                    const Norm& norm, bool hermitian) {
  const Block b = block_of(row, x, s, dim, Ends::RealOut);
  const double scale = detail::fft_scale(row, norm, !hermitian, b.total);
  const std::size_t others = b.axes.size() - 1;
  return detail::run_one(
      row, nullptr,
      [&] {
        const Dims shape = shape_with(x, b, false);
        return OutSpec{shape, real_part(b.dtype), x.device(), x.body_ptr()->names,
                       detail::fft_strides(shape, b.axes.back())};
      },
      [&](const Tensor& out) {
        Tensor in = resized(b, x, others);
        in = others == 0 ? in.to(b.dtype) : detail::fft_readable(in, b.dtype);
        if (others != 0) {
          const Tensor bins = empty(in.shape(), {.dtype = b.dtype, .device = x.device()});
          transform(b, others, !hermitian, 1, in, bins);
          in = bins;
        }
        FftCall last{&row, b.axes.back(), b.lengths.back(), !hermitian, scale};
        last.conjugate = hermitian;
        detail::fft_bins_to_real(last, in, out);
      });
}

/// The last two axes, unless others are given.
Dim two(const Dim& dim) { return dim ? dim : Dim(Axes{-2, -1}); }

}  // namespace

#define TANDEM_FFT_MANY(name, function, flag)                                           \
  Tensor name##2(const Tensor& x, const Lengths& s, const Dim& dim, const Norm& norm) { \
    return function(op::fft_##name##2, x, s, two(dim), norm, flag);                     \
  }                                                                                     \
  Tensor name##n(const Tensor& x, const Lengths& s, const Dim& dim, const Norm& norm) { \
    return function(op::fft_##name##n, x, s, dim, norm, flag);                          \
  }
TANDEM_FFT_MANY(fft, complex_block, false)
TANDEM_FFT_MANY(ifft, complex_block, true)
TANDEM_FFT_MANY(rfft, real_to_bins, false)
TANDEM_FFT_MANY(ihfft, real_to_bins, true)
TANDEM_FFT_MANY(irfft, bins_to_real, false)
TANDEM_FFT_MANY(hfft, bins_to_real, true)
#undef TANDEM_FFT_MANY

}  // namespace tandem::fft
