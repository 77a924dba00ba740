// Transforms along one axis into memory that is given, for the front-ends of fft. Internal.
#pragma once

#include "tandem/fft.h"
#include "tandem/op_row.h"

namespace tandem::detail {

/// What is computed along an axis.
struct FftCall {
  const OpRow* row;
  std::int64_t axis;
  std::int64_t n;          // length of the transform
  bool inverse;            // exp(+2 pi i ...)
  double scale;            // of the results
  bool conjugate = false;  // the complex end of a real transform
};

/// out = transform of x: x complex of out's dtype, or real of its parts'. x may be out itself.
void fft_complex(const FftCall& c, const Tensor& x, const Tensor& out);
/// n / 2 + 1 bins of real rows.
void fft_real_to_bins(const FftCall& c, const Tensor& x, const Tensor& out);
/// Real rows from n / 2 + 1 bins; `out` is dense along the axis.
void fft_bins_to_real(const FftCall& c, const Tensor& x, const Tensor& out);

/// Complex dtype that an input is transformed in. Raises TypeError where `real` and it is complex.
DType fft_dtype(const OpRow& row, const Tensor& x, bool real);
/// x in a dtype that the kernels read: its own, or the transform's (its parts').
Tensor fft_readable(const Tensor& x, DType dtype);
/// The factor of `total` elements by the norm. Raises ValueError.
double fft_scale(const OpRow& row, const fft::Norm& norm, bool inverse, double total);
/// Raises ShapeError where a length is below 1.
std::int64_t fft_length(const OpRow& row, std::int64_t n);
/// Strides of a dense tensor whose innermost dimension is `axis`.
Dims fft_strides(IntSpan shape, std::int64_t axis);

}  // namespace tandem::detail
