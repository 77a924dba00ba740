// Binds the kernels of the Fourier transform.
#pragma once

namespace tandem::cuda {

/// As the binders of context.h: the number of rows that the host does not know.
int bind_fft();

}  // namespace tandem::cuda
