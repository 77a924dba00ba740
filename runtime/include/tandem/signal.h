// Short-time Fourier transforms with PyTorch's arguments, and convolution by Fourier transforms
// with SciPy's. All go by the transforms of tandem/fft.h. Windows: tandem/window.h.
#pragma once

#include <optional>
#include <string>

#include "tandem/tensor.h"

namespace tandem {

/// Transforms of the frames of a signal: element [k, f] is the sum over j of
/// window[j] x[f hop_length + j] exp(-2 pi i j k / n_fft). x is [..., time], floats or complex, and
/// the result [..., bins, frames]; frames keep time's name. In order:
/// * hop_length is n_fft / 4 unless given, win_length n_fft; the window has win_length elements
///   (ones without one) and zeros on both sides up to n_fft.
/// * center: x is lengthened by n_fft / 2 at both ends, by pad's mode, so that frame f is around
///   element f hop_length. Without it, align_to_window starts frame f with the window's first
///   element on element f hop_length, and the last frame ends with the window.
/// * onesided: bins 0 to n_fft / 2 alone; the default where x and window are real.
/// * normalized: times n_fft^-1/2.
/// * return_complex: must be given where x and window are real; without it the last dimension of
///   the result is the two parts.
/// Frames of an x that is not lengthened are a view of it, read once with the window.
/// Raises ShapeError for lengths that do not fit, TypeError for integers, ValueError.
TANDEM_API Tensor stft(const Tensor& x, std::int64_t n_fft,
                       std::optional<std::int64_t> hop_length = {},
                       std::optional<std::int64_t> win_length = {},
                       const std::optional<Tensor>& window = {}, bool center = true,
                       const std::string& pad_mode = "reflect", bool normalized = false,
                       std::optional<bool> onesided = {}, std::optional<bool> return_complex = true,
                       std::optional<bool> align_to_window = {});

/// The signal whose stft is nearest to x [..., bins, frames] in least squares (D. W. Griffin and
/// J. S. Lim, 1984): frames times the window, added where they overlap, over the sum of the
/// window's squares there. `center` cuts the n_fft / 2 elements off that stft added; `length` is
/// that of the result, cut or filled with zeros. The default of onesided: unless x has n_fft bins.
/// Waits for the device: raises ValueError where the sum of squares is below 1e-11. Raises also
/// ShapeError, TypeError.
TANDEM_API Tensor istft(const Tensor& x, std::int64_t n_fft,
                        std::optional<std::int64_t> hop_length = {},
                        std::optional<std::int64_t> win_length = {},
                        const std::optional<Tensor>& window = {}, bool center = true,
                        bool normalized = false, std::optional<bool> onesided = {},
                        std::optional<std::int64_t> length = {}, bool return_complex = false);

namespace signal {

/// The convolution of two tensors of one rank along axes, all unless given:
/// out[k] = sum over j of in1[j] in2[k - j]. Other axes broadcast, and so do those where one has a
/// single element. mode: "full", all n1 + n2 - 1 elements; "same", the n1 in the middle; "valid",
/// those that need no zeros beyond the ends, where one input must be as long as the other along
/// every axis. "same" cuts every axis to in1's length, those that broadcast too. The dtypes
/// promote; integers and bool are computed and given in float64, half precision in float32, so that
/// an integer's convolution is exact but for the rounding of the transforms, some 2^-52 of the
/// norms' product. Raises ShapeError, ValueError, IndexError.
TANDEM_API Tensor fftconvolve(const Tensor& in1, const Tensor& in2,
                              const std::string& mode = "full",
                              const std::optional<Axes>& axes = {});

/// The same by transforms of short blocks of the longer input (overlap-add): the time goes with the
/// logarithm of the shorter one's length, and so does the memory beside the result.
TANDEM_API Tensor oaconvolve(const Tensor& in1, const Tensor& in2, const std::string& mode = "full",
                             const std::optional<Axes>& axes = {});

/// The convolution of two tensors of one rank along all their axes, in the dtype that they promote
/// to, modes as above. method: "direct", sums of products on a fixed tree, with the same bits on
/// every backend; "fft", oaconvolve, rounded to the dtype; "auto", what choose_conv_method says.
/// Integers wrap around and are exact: "fft" is taken for them only where the transforms' errors
/// cannot change a rounding, by the dtypes' ranges, or on the CPU by what the inputs hold. Bool is
/// whether any product is True. Nothing of in1 is copied where the mode needs no zeros around it.
/// Raises ShapeError, ValueError.
TANDEM_API Tensor convolve(const Tensor& in1, const Tensor& in2, const std::string& mode = "full",
                           const std::string& method = "auto");

/// out[k] = sum over j of in1[j + k - (n2 - 1)] conj(in2[j]): convolve of in1 and of in2 reversed
/// and conjugated.
TANDEM_API Tensor correlate(const Tensor& in1, const Tensor& in2, const std::string& mode = "full",
                            const std::string& method = "auto");

/// How far in2 is shifted in each element of correlate along an axis, int64: -(in2_len - 1) to
/// in1_len - 1 for "full". For "same" they are those of the elements that correlate gives, where
/// SciPy's are one more for an odd in1_len and an even in2_len. Raises ShapeError for lengths below
/// 1, ValueError.
TANDEM_API Tensor correlation_lags(std::int64_t in1_len, std::int64_t in2_len,
                                   const std::string& mode = "full",
                                   std::optional<Device> device = {});

/// "fft" or "direct": what "auto" does, by an estimate of the time and for integers by what is
/// exact. Raises as convolve does.
TANDEM_API std::string choose_conv_method(const Tensor& in1, const Tensor& in2,
                                          const std::string& mode = "full");

}  // namespace signal
}  // namespace tandem
