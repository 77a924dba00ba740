// Window functions: weights for pieces of a signal. Computed in float64 and rounded once to the
// dtype, a float one (the default dtype where none is given), with the same bits on every device.
// No elements give an empty tensor, one gives 1. Formulas: the op table. Symmetric windows are the
// same from both ends, to the bit; a periodic one is the first n elements of a symmetric one with
// n + 1, as a discrete Fourier transform wants it.
//
// Errors: ValueError for a negative length or a parameter out of range, TypeError for a dtype that
// is no float.
#pragma once

#include <optional>
#include <span>

#include "tandem/tensor.h"

namespace tandem {

TANDEM_API Tensor bartlett_window(std::int64_t n, bool periodic = true,
                                  const Options& options = {});
TANDEM_API Tensor blackman_window(std::int64_t n, bool periodic = true,
                                  const Options& options = {});
TANDEM_API Tensor hamming_window(std::int64_t n, bool periodic = true, double alpha = 0.54,
                                 double beta = 0.46, const Options& options = {});
TANDEM_API Tensor hann_window(std::int64_t n, bool periodic = true, const Options& options = {});
/// |beta| at most 700: beyond it i0 is no float64.
TANDEM_API Tensor kaiser_window(std::int64_t n, bool periodic = true, double beta = 12,
                                const Options& options = {});

/// PyTorch's torch.signal.windows: symmetric unless told otherwise.
namespace signal::windows {

TANDEM_API Tensor bartlett(std::int64_t n, bool sym = true, const Options& options = {});
TANDEM_API Tensor blackman(std::int64_t n, bool sym = true, const Options& options = {});
TANDEM_API Tensor cosine(std::int64_t n, bool sym = true, const Options& options = {});
/// center, in elements from the first one: the middle where none is given, as it must be with sym.
TANDEM_API Tensor exponential(std::int64_t n, std::optional<double> center = std::nullopt,
                              double tau = 1, bool sym = true, const Options& options = {});
/// std: in elements.
TANDEM_API Tensor gaussian(std::int64_t n, double std = 1, bool sym = true,
                           const Options& options = {});
/// a: one or more weights of cosines.
TANDEM_API Tensor general_cosine(std::int64_t n, std::span<const double> a, bool sym = true,
                                 const Options& options = {});
TANDEM_API Tensor general_hamming(std::int64_t n, double alpha = 0.54, bool sym = true,
                                  const Options& options = {});
TANDEM_API Tensor hamming(std::int64_t n, bool sym = true, const Options& options = {});
TANDEM_API Tensor hann(std::int64_t n, bool sym = true, const Options& options = {});
TANDEM_API Tensor kaiser(std::int64_t n, double beta = 12, bool sym = true,
                         const Options& options = {});
TANDEM_API Tensor nuttall(std::int64_t n, bool sym = true, const Options& options = {});

}  // namespace signal::windows

}  // namespace tandem
