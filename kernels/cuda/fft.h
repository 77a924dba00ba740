// Binds the kernels of the Fourier transform.
#pragma once

namespace tandem::cuda {

/// As the binders of context.h: the number of rows that the host does not know.
int bind_fft();

/// The kernel of rows by cuFFT: FftRowsLaunch.
void launch_fft_library(const void* desc, const void* self);

}  // namespace tandem::cuda
