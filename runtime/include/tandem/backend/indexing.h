// Launch structs of the indexing rows (tandem/ops/indexing.def): elements read and written at
// places that arrays of indices tell, and masks. Plain data.
//
// Note [The order of writes]
// What is written to one element is joined from the left: the element itself (unless include_self
// is false), then the values in row-major order of their positions. A plain write keeps the last.
// Nothing else has a part in the result: not threads, layout or device.
#pragma once

#include "tandem/backend.h"

namespace tandem {

/// One array of indices. Where position p holds i, x moves on by i times `step`.
struct IndexArray {
  const std::int64_t* data;     // element of the first position
  const std::int64_t* strides;  // bytes, one a position dimension
  std::int64_t size;            // indices are in [-size, size)
  std::int64_t step;            // bytes of x an index
  int dimension;                // of x, as messages count them
};

enum class IndexMode : std::uint8_t {
  Check,  // on the host: raises IndexError for the first index out of range, touches nothing
  Read,   // other = x at the places
  Write,  // x at the places = other, the last one of a place
  Plus,   // and the rest: x at the places joined with other
  Times,
  Greatest,
  Least,
  Average,
};

/// Positions are the places that the arrays tell; `outer` and `inner` dimensions are walked alike
/// in x and other. Strides run over outer, position and inner dimensions in turn.
struct IndexLaunch {
  const OpRow* row;
  IndexMode mode;
  const std::int64_t* shape;
  int rank_outer, rank_positions, rank_inner;
  std::int64_t outer, positions, inner;  // products of the sizes
  const IndexArray* arrays;
  int n_arrays;
  OperandDesc x;      // strides of 0 in position dimensions that only the arrays move along
  OperandDesc other;  // what Read writes; the values: null data for one number, which is `value`
  unsigned char value[16];  // an element of x's dtype
  bool distinct;            // no two positions are one place, or all values are the same
  bool include_self;        // of the joining modes
  bool scaled;              // values are multiplied by alpha first, in the compute type
  ScalarBits alpha;
  DType computed;  // of the joining modes: int64, uint64 (and bool), or the compute dtype
  Device device;
  void* stream;

  int rank() const { return rank_outer + rank_positions + rank_inner; }
};

/// Where the places of a launch lie: first and last byte offset of x over all indices in range.
struct IndexExtent {
  std::int64_t low = 0, high = 0;
};
inline IndexExtent index_extent(const IndexLaunch& l) {
  IndexExtent e;
  const auto add = [&e](std::int64_t reach) { (reach < 0 ? e.low : e.high) += reach; };
  for (int d = 0; d < l.rank_positions; ++d) {
    add((l.shape[l.rank_outer + d] - 1) * l.x.strides[l.rank_outer + d]);
  }
  for (int k = 0; k < l.n_arrays; ++k) add((l.arrays[k].size - 1) * l.arrays[k].step);
  return e;
}

/// Elements of a mask that are counted together.
inline constexpr std::int64_t kMaskTile = 4096;

enum class MaskStage : std::uint8_t {
  Count,        // offsets[t] = set elements before tile t; offsets[tiles] = all of them
  Coordinates,  // out[k] = coordinates of the k-th set element, int64 [limit][rank]
  Select,       // out[k] = in[i], i the k-th set element, dense, of `width` bytes
  Scatter,      // out[i] = in[k]
};

/// A dense mask of bytes, of which those that are not 0 are set.
struct MaskLaunch {
  const OpRow* row;
  MaskStage stage;
  const std::uint8_t* mask;
  std::int64_t n;
  std::int64_t* offsets;  // tiles + 1
  void* out;
  const void* in;
  std::int64_t limit;         // Coordinates: so many at most. Scatter: elements of `in`
  const std::int64_t* shape;  // Coordinates: of the mask
  int rank;
  int width;
  Device device;
  void* stream;

  std::int64_t tiles() const { return (n + kMaskTile - 1) / kMaskTile; }
};

}  // namespace tandem
