// Launch structs of the ops that move elements: plain data, see backend.h.
#pragma once

#include "tandem/backend.h"

namespace tandem {

/// Where an index outside the input leads.
enum class BorderMode : std::int32_t {
  Constant,   // to the value
  Reflect,    // mirrored at the first and the last element, which are not repeated
  Replicate,  // to the nearest element
  Circular,   // around the end; an index is less than one length away
};

/// out[i] = in[map(i - before)] along every dimension; out is dense in row-major order.
struct BorderLaunch {
  const OpRow* row;
  std::int64_t numel;  // of out
  int rank;
  const std::int64_t* shape;       // of out
  const std::int64_t* in_shape;    // none is 0 but in Constant mode
  const std::int64_t* before;      // may be negative: a crop
  const std::int64_t* in_strides;  // bytes
  BorderMode mode;
  int width;         // bytes of an element: 1, 2, 4, 8 or 16
  ScalarBits value;  // one element's bytes
  void* out;
  const void* in;
  Device device;
  void* stream;
};

/// The lower or upper triangle of dense matrices; the rest becomes zero bytes.
struct TriangleLaunch {
  const OpRow* row;
  std::int64_t numel, rows, columns;
  std::int64_t diagonal;  // limited to [-rows, columns]
  bool upper;
  int width;
  void* out;
  const void* in;
  Device device;
  void* stream;
};

/// Slice i of [outer, n, inner] repeats[i] times in a row; all dense in row-major order. `ends` is
/// a workspace of n: the running sums of the repeats (negative ones as 0). With `out` null only
/// these are computed.
struct RepeatLaunch {
  const OpRow* row;
  std::int64_t outer, n, total;  // total: slices of the output for each outer index
  std::int64_t inner;            // bytes of a slice
  const std::int64_t* repeats;   // n of them, or one for all; null where `ends` are known
  bool one_for_all;
  std::int64_t* ends;
  void* out;
  const void* in;
  Device device;
  void* stream;
};

/// out[row][k] = in[place k of choice number `row`]: choices of r places of n in lexicographic
/// order.
struct ChoiceLaunch {
  const OpRow* row;
  std::int64_t choices, n, r;
  bool with_replacement;
  int width;
  std::int64_t in_stride;  // bytes
  void* out;
  const void* in;
  Device device;
  void* stream;
};

}  // namespace tandem
