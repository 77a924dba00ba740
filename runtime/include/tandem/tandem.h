// The whole public interface for the host compiler. CUDA users add tandem/cuda.h.
#pragma once

#include "tandem/ops.h"
#include "tandem/stream.h"
#include "tandem/tensor.h"
