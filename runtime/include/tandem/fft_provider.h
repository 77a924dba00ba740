// Which library computes Fourier transforms.
#pragma once

#include <string>

#include "tandem/device.h"
#include "tandem/export.h"

namespace tandem::fft {

// Three providers are behind the functions of tandem/fft.h: "built-in", Tandem's own kernels, the
// same bits on every device, at any number of threads and SIMD level; "fftw" on the host, where the
// plug-in libtandem_fftw is found (next to libtandem, or where TANDEM_FFTW_LIBRARY says); "cufft"
// on a CUDA device, where cuFFT is found. Each rounds in another order, so that the last bits
// differ. "auto", the setting at the start, takes the library where it is there and is not slower.
// Exact mode (tandem/exact.h) is always built-in.

/// What transforms on the device use, of this thread at this time: "built-in", "fftw" or "cufft".
/// One that was asked for by name is told even where it cannot be used and transforms raise.
TANDEM_API std::string provider(Device device = kCPU);
/// Why: a sentence, with the library's version or the reason that it is not used.
TANDEM_API std::string provider_reason(Device device = kCPU);

/// The provider of the process, "auto", "built-in", "fftw" or "cufft"; at its start that of the
/// environment variable TANDEM_FFT_PROVIDER, else "auto". "fftw" concerns the host, "cufft" CUDA
/// devices; the other is left to itself. Raises ValueError for another name, DeviceError, saying
/// why, where the library cannot be used.
TANDEM_API void set_provider(const std::string& name);

/// The same for the calling thread, as long as the object lives.
class TANDEM_API ProviderGuard {
 public:
  explicit ProviderGuard(const std::string& name);
  ~ProviderGuard();
  ProviderGuard(const ProviderGuard&) = delete;
  ProviderGuard& operator=(const ProviderGuard&) = delete;

 private:
  int before_;
};

/// How hard FFTW looks for its way, "estimate" (at the start), "measure" or "patient"; the
/// environment variable TANDEM_FFTW_PLANNING sets it too. Measuring takes up to seconds at the
/// first transform of a shape, and what is found, and so the last bits, differs from process to
/// process; estimates do not. Of the process, for plans to come. Raises ValueError for another
/// name.
TANDEM_API void set_planning(const std::string& effort);
TANDEM_API std::string planning();

}  // namespace tandem::fft
