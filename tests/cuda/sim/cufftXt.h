// A stand-in for cuFFT's header: what kernels/cuda/fft_library.cpp uses of it. There is no library
// of this version; TANDEM_VENDOR_LIBRARIES names the folder with that
// of fake_cufft.cpp.
#pragma once

// CUDA has these names. NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier)

#include <cstddef>

#include "cuda_runtime_api.h"

#define CUFFT_VER_MAJOR 0
#define CUFFT_FORWARD (-1)
#define CUFFT_INVERSE 1

enum cufftResult : int {
  CUFFT_SUCCESS = 0,
  CUFFT_INVALID_PLAN = 1,
  CUFFT_ALLOC_FAILED = 2,
  CUFFT_INVALID_VALUE = 4,
  CUFFT_EXEC_FAILED = 6
};
enum cudaDataType { CUDA_R_32F = 0, CUDA_R_64F = 1, CUDA_C_32F = 4, CUDA_C_64F = 5 };
using cufftHandle = int;

extern "C" {
cufftResult cufftCreate(cufftHandle* out);
cufftResult cufftDestroy(cufftHandle plan);
cufftResult cufftGetVersion(int* out);
cufftResult cufftSetAutoAllocation(cufftHandle plan, int on);
cufftResult cufftXtMakePlanMany(cufftHandle plan, int rank, long long* n, long long* inembed,
                                long long istride, long long idist, cudaDataType in,
                                long long* onembed, long long ostride, long long odist,
                                cudaDataType out, long long batch, std::size_t* work,
                                cudaDataType computed);
cufftResult cufftSetWorkArea(cufftHandle plan, void* area);
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream);
cufftResult cufftXtExec(cufftHandle plan, void* in, void* out, int direction);
}

// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)
