// What "auto" takes for a transform along one axis of the host: FFTW where it was faster than the
// built-in transform (2 threads of Zen 5, 2^19 elements in rows of 16 to 65536 points, along rows,
// down columns and alone; docs/numerics.md has the numbers). A choice by the call alone, so that a
// program repeats its bits.
#include "runtime/ops/fft_provider.h"

namespace tandem::detail {

namespace {

bool is_smooth(std::int64_t n) {
  for (const int p : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31}) {
    while (n % p == 0) n /= p;
  }
  return n == 1;
}

constexpr std::int64_t kLong = 12'000;  // from here on the built-in passes are better

}  // namespace

bool fft_prefers_library(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out) {
  if (!out.device().is_cpu()) return true;  // cuFFT
  const auto axis = static_cast<std::size_t>(c.axis);
  const std::int64_t n = c.n;
  if (n > 2048 && !is_smooth(n)) return false;  // Bluestein's
  const bool wide = x.element_size() == (is_complex(x.dtype()) ? 16 : 8);
  const bool complex = ends == FftEnds::Complex && is_complex(x.dtype());
  const bool alone = out.numel() < 4 * out.shape()[axis];
  const bool columns = !alone && x.strides()[axis] != 1;
  const bool power = (n & (n - 1)) == 0;
  if (alone)
    return n >= (ends == FftEnds::RealOut ? 256 : 32) && (n <= kLong || (wide && !complex));
  if (!complex) return wide && n >= 4096;
  if (columns) return wide ? n > 1024 : power && n >= 4096;
  return n <= kLong && (n >= (wide ? 2000 : 4096) || (power && n >= 256));
}

}  // namespace tandem::detail
