// Who computes a transform: libraries behind the front of fft. Internal.
#pragma once

#include "runtime/ops/fft.h"
#include "tandem/backend/fft_library.h"

namespace tandem::detail {

/// The transform by the library of out's device, where the settings ask for it and it can; false:
/// nothing is written, and the built-in one is to do it. As fft_complex, fft_real_to_bins and
/// fft_bins_to_real. Raises DeviceError where a provider was asked for by name and is not there.
bool fft_by_library(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out);
/// That on a device, whose library takes plainer ends.
FftAnswer fft_on_device(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out);
/// Rows of x to rows of out along an axis, as an FftRowsLaunch says them.
FftAnswer fft_launch_rows(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out);

/// Whether "auto" takes the library, by what was measured.
bool fft_prefers_library(FftEnds ends, const FftCall& c, const Tensor& x, const Tensor& out);

/// FFTW's effort: that of FftwProblem.
int fft_effort();

inline constexpr std::size_t kFftLibraryPlans = 128;

}  // namespace tandem::detail

namespace tandem::host {
/// Plans of FFTW that are kept, for tests.
TANDEM_API std::size_t fftw_plans_kept();
}  // namespace tandem::host
