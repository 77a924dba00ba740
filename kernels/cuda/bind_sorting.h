// Binds the kernels of sorting.def; see the binders of kernels/cuda/context.h. Apart from that
// header, which every kernel includes.
#pragma once

namespace tandem::cuda {

int bind_sorting();
int bind_counting();

}  // namespace tandem::cuda
