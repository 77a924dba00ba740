// tandem/cuda_mr.h as programs with kernels of their own include it: by nvcc.
#include "tests/memory/mr.cpp"
