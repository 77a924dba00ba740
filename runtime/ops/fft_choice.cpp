// What "auto" takes for a transform along one axis of the host: FFTW where it was faster than the
// built-in transform (2 threads of Zen 5, 2^19 and 2^21 elements in rows of 1 to 16384 points,
// along rows and down columns, and rows alone of up to 2^20; docs/fft.md has numbers). A choice by
// the call alone, so that a program repeats its bits.
#include "runtime/ops/fft_provider.h"

namespace tandem::detail {

namespace {

bool is_smooth(std::int64_t n) {
  for (const int p : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31}) {
    while (n % p == 0) n /= p;
  }
  return n == 1;
}

bool is_power(std::int64_t n) { return (n & (n - 1)) == 0; }

/// What a transform is chosen by.
struct Shape {
  FftEnds ends;
  bool complex, wide;  // complex at both ends; double precision
  std::int64_t n;
};

/// A row, or so few that threads do not have one each.
bool prefers_alone(const Shape& s) {
  if (s.ends == FftEnds::RealOut) return s.n >= 200 && s.n <= 4096;
  if (s.complex) return s.n >= 32 && s.n < (s.wide ? 4096 : 8192);
  return s.n >= 32 && (s.wide ? s.n <= (1 << 17) : s.n < 8192);
}

/// Rows down the columns of memory: another dimension's elements are neighbours.
bool prefers_columns(const Shape& s) {
  if (!s.wide || s.ends == FftEnds::RealOut) return false;
  return s.n < 8 || (!s.complex && s.n >= 2500);
}

/// Other rows with steps.
bool prefers_steps(const Shape& s) {
  if (s.complex && is_power(s.n) && s.n >= (s.wide ? 2048 : 4096)) return true;
  return prefers_columns(s) || (s.wide && s.complex && s.n > 1024 && s.n <= 3000);
}

bool has_columns(const Tensor& x, std::size_t axis) {
  for (std::size_t d = 0; d < x.shape().size(); ++d) {
    if (d != axis && x.shape()[d] > 1 && x.strides()[d] == 1) return true;
  }
  return false;
}

/// Rows whose elements are neighbours.
bool prefers_rows(const Shape& s) {
  if (s.ends == FftEnds::RealOut) return s.wide && s.n >= 2500;
  if (!s.complex) return s.wide ? (s.n < 16 && s.n != 8) || s.n >= 2500 : s.n < 8;
  if (is_power(s.n) && s.n >= (s.wide ? 256 : 512) && s.n <= (s.wide ? 4096 : 2048)) return true;
  if (s.wide) return s.n <= 16 || (s.n > 1024 && s.n <= 3000);
  return s.n < 16 && s.n != 8;
}

}  // namespace

bool fft_prefers_library(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out) {
  if (!out.device().is_cpu()) return true;  // cuFFT
  const auto axis = static_cast<std::size_t>(c.axis);
  const bool wide = x.element_size() == (is_complex(x.dtype()) ? 16 : 8);
  const Shape s{ends, ends == FftEnds::Complex && is_complex(x.dtype()), wide, c.n};
  // Bluestein's, where the convolution is more than one pass.
  if (c.n > (wide ? 512 : 1024) && !is_smooth(c.n)) return false;
  if (out.numel() < 4 * out.shape()[axis]) return prefers_alone(s);
  if (x.strides()[axis] == 1) return prefers_rows(s);
  return has_columns(x, axis) ? prefers_columns(s) : prefers_steps(s);
}

}  // namespace tandem::detail
