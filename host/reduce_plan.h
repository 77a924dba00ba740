// A reduction's loops before they run: dimensions merged and sorted, inputs as readers that hand
// out dense runs of elements. Shared by the drivers in reduce*.cpp; knows nothing of functors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "host/parallel.h"
#include "host/reduce.h"

namespace tandem::host {

/// Rows up to this many elements are split into columns, which fill vectors.
inline constexpr std::int64_t kShortRow = 64;

inline constexpr int kMaxInputs = 2, kMaxOutputs = 2;

/// Outer dimensions are sorted so that the last one, whose indices are called columns, is the
/// densest of the first input; the reduced ones stay in logical order.
struct ReducePlan {
  int outer = 0, reduced = 0;
  std::int64_t numel = 1, n = 1;
  std::int64_t outer_size[kMaxRank], reduced_size[kMaxRank];
  std::int64_t in_outer[kMaxInputs][kMaxRank], in_reduced[kMaxInputs][kMaxRank];
  std::int64_t out_outer[kMaxOutputs][kMaxRank];
  int n_in = 0, n_out = 0;

  std::int64_t columns() const { return outer == 0 ? 1 : outer_size[outer - 1]; }
  std::int64_t rest() const { return columns() == 0 ? 0 : numel / columns(); }
  std::int64_t column_stride(int input) const {
    return outer == 0 ? 0 : in_outer[input][outer - 1];
  }
  std::int64_t out_column_stride(int output) const {
    return outer == 0 ? 0 : out_outer[output][outer - 1];
  }
  std::int64_t run_stride(int input) const {
    return reduced == 0 ? 0 : in_reduced[input][reduced - 1];
  }
  /// Byte offset of index `i` of the outer dimensions before the columns.
  std::int64_t rest_offset(const std::int64_t* strides, std::int64_t i) const;
  /// Byte offset of element `i` of the reduced sequence.
  std::int64_t reduced_offset(int input, std::int64_t i) const;
  bool is_constant_along_reduced(int input) const;
  /// Whether the columns are short dense rows, one after the other, of elements of `size` bytes.
  bool has_short_rows(std::int64_t size) const {
    return outer > 0 && reduced == 1 && n >= 2 && n <= kShortRow && run_stride(0) == size &&
           column_stride(0) == n * size;
  }
};

ReducePlan plan_of(const ReduceLaunch& l);
ReducePlan plan_of(const RowLaunch& l);

/// dst[i] = cast(src[i]) for up to kTile elements, strides in bytes.
struct Convert {
  DType from = DType::float32, to = DType::float32;
  void operator()(void* dst, std::int64_t dst_stride, const void* src, std::int64_t src_stride,
                  std::int64_t count) const;
};

/// An input that hands out dense elements of its kernel's dtype, from the tensor's own memory where
/// it lies so, from the buffer otherwise.
struct Source {
  const char* data = nullptr;
  Convert convert;
  std::int64_t size = 0;  // bytes of a dense element
  bool cast = false;

  const void* run(const char* at, std::int64_t stride, std::int64_t count, void* buffer) const {
    if (!cast && (stride == size || count == 1)) return at;
    convert(buffer, size, at, stride, count);
    return buffer;
  }
  bool is_direct(std::int64_t stride) const { return !cast && stride == size; }
};
Source source_of(const OperandDesc& d, DType seen);

/// Elements [start, start + count) of the reduced sequence of one outer index, dense.
const void* reduced_run(const ReducePlan& plan, int input, const Source& source, const char* base,
                        std::int64_t start, std::int64_t count, void* buffer);

/// Memory that a thread reuses between calls: no allocation in a steady state.
struct Scratch {
  static constexpr std::int64_t kBuffer = kTile * 16;  // a tile of the widest dtype
  static constexpr std::int64_t kRow = 4096;           // accumulators of a block's row, bytes
  static constexpr std::int64_t kWide = 128 * 1024;    // accumulators of all lanes
  alignas(64) char input[kMaxInputs][kBuffer];
  alignas(64) char rows[9][kRow];
  alignas(64) char wide[kWide];
  alignas(64) char result[2][kBuffer];
  alignas(64) char convert[2][kBuffer];  // of Convert alone
};
Scratch& scratch();

struct FreeDeleter {
  void operator()(void* p) const { std::free(p); }
};
/// Uninitialised, on cache lines; raises std::bad_alloc.
using Buffer = std::unique_ptr<char, FreeDeleter>;
Buffer make_buffer(std::int64_t bytes);

/// Work memory for each thread of a parallel_for; where the caller is in a parallel region already,
/// that is the calling thread alone.
struct PerThread {
  explicit PerThread(std::int64_t bytes)
      : size((bytes + 63) / 64 * 64), alone(omp_in_parallel() != 0) {
    all = make_buffer((alone ? 1 : get_num_threads()) * size);
  }
  char* mine() const { return all.get() + (alone ? 0 : omp_get_thread_num() * size); }
  std::int64_t size;
  bool alone;
  Buffer all;
};

/// Columns that short rows are split into at a time: they stay in the first cache.
inline std::int64_t columns_of_short_rows(std::int64_t n, std::int64_t size) {
  return std::max<std::int64_t>((std::int64_t(16) << 10) / (n * size), 16);
}

/// Items a thread should have at least, so that its start costs less than its share of the work.
std::int64_t grain_of(std::int64_t items, std::int64_t elements);

}  // namespace tandem::host
