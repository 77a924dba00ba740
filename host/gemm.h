// Matrix products by our own kernel in the fixed order of docs/numerics.md (host/isa/gemm.cpp): one
// rectangle of a result on the calling thread.

#include <cstdint>

#include "tandem/dtype.h"

namespace tandem::host {

/// C = A B, m x k by k x n, any strides (in elements).
struct GemmPart {
  const void* a;
  const void* b;
  void* c;
  std::int64_t m, n, k;
  std::int64_t a_row, a_col, b_row, b_col, c_row, c_col;
};

/// What a level offers for a dtype.
struct GemmLoops {
  void (*run)(const GemmPart& part, char* memory) = nullptr;
  std::int64_t (*memory)(const GemmPart& part) = nullptr;  // bytes that `run` needs, 64-aligned
  bool fast = false;  // the level has wide vectors and fused multiply-adds
};

/// Null for bool, which has no product. `wide`: of int8 and uint8, to int32.
const GemmLoops& gemm_loops(DType t, bool wide);
/// Called by the level's registration.
void bind_gemm_loops(DType t, bool wide, GemmLoops loops);

}  // namespace tandem::host
