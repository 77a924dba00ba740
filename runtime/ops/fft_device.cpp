// Transforms by the library of a device, which takes whole rows without conjugates and factors:
// what else a call asks for is done by ops around it.
#include "runtime/dispatch/funnel.h"
#include "runtime/ops/fft_provider.h"
#include "tandem/movement.h"
#include "tandem/ops.h"

namespace tandem::detail {

namespace {

/// x cut or filled with zeros to n elements along an axis.
Tensor fitted(const Tensor& x, std::int64_t axis, std::int64_t n) {
  const std::int64_t size = x.shape()[static_cast<std::size_t>(axis)];
  if (size >= n) return size == n ? x : x.narrow(axis, 0, n);
  Dims border;
  for (std::int64_t d = x.dim() - 1; d >= 0; --d) {
    border.push_back(0);
    border.push_back(d == axis ? n - size : 0);
  }
  return pad(x, border);
}

/// The bins that a real row is made of: a copy, which the library may overwrite.
Tensor bins_of(const FftCall& c, const Tensor& x) {
  const std::int64_t count = c.n / 2 + 1;
  Tensor from = fitted(x, c.axis, count);
  if (c.conjugate) from = conj(from);
  Tensor bins = empty(from.shape(), {.dtype = x.dtype(), .device = x.device()});
  copy_elements(bins, from);
  const Tensor imaginary =
      bins.view_as(real_part(bins.dtype())).unflatten(-1, Dims{-1, 2}).select(-1, 1);
  imaginary.select(c.axis, 0).fill_(0);
  if (c.n % 2 == 0) imaginary.select(c.axis, count - 1).fill_(0);
  return bins;
}

/// x in memory that begins as complex elements must, so that who transforms it does not depend on
/// its address.
Tensor aligned(const Tensor& x, DType complex) {
  const auto pair = static_cast<std::uintptr_t>(element_size(complex));
  return reinterpret_cast<std::uintptr_t>(x.data_ptr()) % pair == 0 ? x : x.clone();
}

/// Rows that are laid out in more ways than one stride tells are transformed in dense memory.
FftAnswer run_rows(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out) {
  FftAnswer answer = fft_launch_rows(ends, c, x, out);
  if (answer.done || !answer.retry) return answer;
  FftCall last = c;
  last.axis = x.dim() - 1;
  const DType complex = is_complex(out.dtype()) ? out.dtype() : x.dtype();
  const Tensor from = aligned(x.movedim(Axis(c.axis), Axis(-1)).contiguous(), complex);
  const Tensor to = out.movedim(Axis(c.axis), Axis(-1));
  const Tensor dense = empty(to.shape(), {.dtype = out.dtype(), .device = out.device()});
  answer = fft_launch_rows(ends, last, from, dense);
  if (answer.done) copy_elements(to, dense);
  return answer;
}

}  // namespace

FftAnswer fft_on_device(FftEnds ends, const FftCall& c, const Tensor& x_named,
                        const Tensor& out_named) {
  const Tensor x = x_named.has_names() ? x_named.rename(std::nullopt) : x_named;
  Tensor out = out_named.has_names() ? out_named.rename(std::nullopt) : out_named;
  FftCall plain = c;
  plain.conjugate = false;
  plain.scale = 1;
  Tensor in;
  if (ends == FftEnds::RealOut) {
    in = bins_of(c, x);
  } else {
    in = fitted(x, c.axis, c.n);
    if (ends == FftEnds::Complex && !is_complex(in.dtype())) in = in.to(out.dtype());
  }
  const FftAnswer answer = run_rows(ends, plain, in, out);
  if (!answer.done) return answer;
  if (ends == FftEnds::RealIn && c.conjugate) conj_out(out, out);
  if (c.scale != 1) out.mul_(c.scale);
  return answer;
}

}  // namespace tandem::detail
