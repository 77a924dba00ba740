// Discrete Fourier transforms, n-dimensional and of real numbers, with PyTorch's arguments.
#pragma once

#include <optional>
#include <string>

#include "tandem/fft_provider.h"
#include "tandem/tensor.h"

namespace tandem::fft {

// Floats below 64 bits, in float32; integers and bool in the default dtype: half precision goes to
// complex64. A transformed dimension keeps its name. `n`, `s`: the input is cut or filled with
// zeros to these lengths, for real outputs those of the output. `norm`: "backward" (the default)
// divides inverse transforms by the length, "forward" forward ones, "ortho" all by its root.
// Raises IndexError for an axis that is not there, ShapeError for lengths below 1, TypeError where
// real numbers are wanted and the input is complex, ValueError for another norm. How the bits come
// about: docs/numerics.md, "Fourier transforms".

using Norm = std::optional<std::string>;
using Length = std::optional<std::int64_t>;
using Lengths = std::optional<Dims>;
using Dim = std::optional<Axes>;

/// X[k] = sum over j of x[j] exp(-2 pi i j k / n) along an axis; ifft has +2 pi.
TANDEM_API Tensor fft(const Tensor& x, Length n = {}, Axis dim = -1, const Norm& norm = {});
TANDEM_API Tensor ifft(const Tensor& x, Length n = {}, Axis dim = -1, const Norm& norm = {});
/// fft of real elements: bins 0 to n / 2. irfft is its inverse, of n = 2 (bins - 1) elements unless
/// given; the imaginary parts of bin 0 and of bin n / 2 are not read.
TANDEM_API Tensor rfft(const Tensor& x, Length n = {}, Axis dim = -1, const Norm& norm = {});
TANDEM_API Tensor irfft(const Tensor& x, Length n = {}, Axis dim = -1, const Norm& norm = {});
/// fft of elements 0 to n / 2 of a Hermitian row: real. ihfft is its inverse.
TANDEM_API Tensor hfft(const Tensor& x, Length n = {}, Axis dim = -1, const Norm& norm = {});
TANDEM_API Tensor ihfft(const Tensor& x, Length n = {}, Axis dim = -1, const Norm& norm = {});

#define TANDEM_FFT_MANY(name)                                                            \
  TANDEM_API Tensor name##2(const Tensor& x, const Lengths& s = {}, const Dim& dim = {}, \
                            const Norm& norm = {});                                      \
  TANDEM_API Tensor name##n(const Tensor& x, const Lengths& s = {}, const Dim& dim = {}, \
                            const Norm& norm = {});
/// Along several axes: the last two, or all (the last ones where `s` is given alone), unless `dim`
/// is given. The real ones are real along the last axis.
TANDEM_FFT_MANY(fft)
TANDEM_FFT_MANY(ifft)
TANDEM_FFT_MANY(rfft)
TANDEM_FFT_MANY(irfft)
TANDEM_FFT_MANY(hfft)
TANDEM_FFT_MANY(ihfft)
#undef TANDEM_FFT_MANY

/// [0, 1, ..., (n - 1) / 2, -(n / 2), ..., -1] / (n d): the frequencies of fft's bins.
/// None for n = 0; raises ValueError where it is negative.
TANDEM_API Tensor fftfreq(std::int64_t n, double d = 1, std::optional<DType> dtype = {},
                          std::optional<Device> device = {});
/// [0, 1, ..., n / 2] / (n d): those of rfft's; NaN for n = 0, which has one bin.
TANDEM_API Tensor rfftfreq(std::int64_t n, double d = 1, std::optional<DType> dtype = {},
                           std::optional<Device> device = {});
/// The bins rolled by half their number, so that frequency 0 is in the middle; ifftshift undoes it.
TANDEM_API Tensor fftshift(const Tensor& x, const Dim& dim = {});
TANDEM_API Tensor ifftshift(const Tensor& x, const Dim& dim = {});

/// The least work is that of this length, among the target and those above it: 2^a 3^b 5^c, b and c
/// at most 2, and even where the elements are `real`. Raises ValueError for a target below 1 or
/// above 2^60.
TANDEM_API std::int64_t next_fast_len(std::int64_t target, bool real = false);

}  // namespace tandem::fft
