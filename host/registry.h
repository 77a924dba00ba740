// How host kernels are bound: each SIMD level's files fill a HostRegistry, the machine's level is
// chosen at run time. TANDEM_SIMD=baseline|v3|v4 lowers the level, for tests. Internal to host/.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/functors/generator.h"
#include "tandem/backend.h"

#if defined(TANDEM_ISA)
#define TANDEM_ISA_NAMESPACE tandem::host::TANDEM_ISA
#endif

namespace tandem::host {

/// The innermost loop of an elementwise op: n contiguous elements of each operand (outputs first),
/// all in compute types.
using Loop = void (*)(char* const* operands, std::int64_t n);
/// n contiguous elements of another dtype.
using CastLoop = void (*)(void* out, const void* in, std::int64_t n);
/// rows x columns elements of one width between a dense block and a strided one (byte strides).
using MoveLoop = void (*)(char* dense, char* strided, std::int64_t rows, std::int64_t columns,
                          std::int64_t row_stride, std::int64_t column_stride);
/// Whole blocks of a generator from first_block on, in compute types.
using GenerateLoop = void (*)(const fn::GeneratorArgs* args, std::uint64_t first_block,
                              std::int64_t blocks, void* out);

/// An elementwise op's loops by the dtype of its computation; the half types use float32's.
struct ElementwiseLoops {
  Loop by_dtype[kNumDTypes] = {};
};

struct GenerateLoops {
  GenerateLoop by_dtype[kNumDTypes] = {};
  int block[kNumDTypes] = {};  // elements of a block
};

/// Element widths of MoveLoops: 1, 2, 4, 8, 16 bytes.
inline constexpr int kNumWidths = 5;
inline int width_index(std::size_t bytes) { return __builtin_ctzll(bytes); }

/// What the level's files offer besides the ops' loops.
struct LevelTable {
  CastLoop cast[kNumDTypes][kNumDTypes];  // [to][from]
  MoveLoop gather[kNumWidths];            // strided to dense
  MoveLoop scatter[kNumWidths];           // dense to strided
  // Copies past the caches; stream_fence() before others may read the result.
  void (*stream)(void* out, const void* in, std::size_t bytes);
  // host/isa/places.cpp
  void (*add_places)(std::int64_t* place, const std::int64_t* index, std::int64_t n,
                     std::int64_t size, std::int64_t step);
  std::int64_t (*keep_places)(const std::int64_t* place, std::int64_t n, std::int64_t low,
                              std::int64_t high, std::int64_t* kept);
};

/// Filled by one level's registration functions. Ops go by their names, so that a new row
/// recompiles nothing but its own family.
class HostRegistry {
 public:
  void elementwise(const char* op, DType dtype, Loop loop);
  void generator(const char* op, DType dtype, int block, GenerateLoop loop);
  /// Any other kernel of a row.
  void bind(const char* op, Kernel kernel);
  LevelTable& level() { return level_; }

 private:
  LevelTable level_{};
};

/// Outputs from this size on are streamed past the caches: they would not fit with their inputs.
inline constexpr std::int64_t kStreamBytes = 16 << 20;

/// Makes what this thread streamed visible to others. Once, after the last block.
inline void stream_fence() {
#if defined(__SSE2__)
  __builtin_ia32_sfence();
#endif
}

/// The table of the level in use.
const LevelTable& level();

}  // namespace tandem::host
