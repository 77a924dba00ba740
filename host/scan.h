// What the scans' driver (scan.cpp: plan, threads, scratch) needs of a SIMD level: functions over
// runs of dense elements. See Note [Block functions] in host/reduce.h.
#pragma once

#include <cstdint>

#include "host/reduce.h"
#include "tandem/backend.h"

namespace tandem::host {

/// Elements of a segment, and segments whose totals are a segment of the next sequence: scan
/// order 1 of docs/numerics.md.
inline constexpr std::int64_t kSegment = 16;

/// One scan over one type of elements (scan_dtype). Accumulators lie dense; `acc_size` bytes each.
/// `before` is what all earlier elements joined to; null where there are none.
struct ScanBlocks {
  std::int32_t acc_size;
  bool indexed;
  /// value[i] (and index[i]) for m <= kTile elements of a tile, of which the first has number
  /// `at`; *total = the tile's total. value may be `in`.
  void (*tile)(void* value, std::int64_t* index, const void* in, std::int64_t m, std::int64_t at,
               const void* before, void* total);
  /// *total = a whole tile's total.
  void (*total)(void* total, const void* in, std::int64_t at);
  /// Row number `at` of w columns joins local[c] (`first`: starts it); value[c] is that with
  /// before[c]. Null value: nothing is written. The lines at `next` will be read soon.
  void (*row)(void* value, std::int64_t* index, const void* in, std::int64_t w, std::int64_t at,
              void* local, const void* before, bool first, const void* next);
  /// into[c] = a[c] joined with b[c]; into may be a.
  void (*join)(void* into, const void* a, const void* b, std::int64_t w);
};

/// What a level supplies, by scan_dtype; null where a row has no such dtype.
struct ScanLevel {
  const ScanBlocks* (*cumsum)(DType);
  const ScanBlocks* (*cumprod)(DType);
  const ScanBlocks* (*logcumsumexp)(DType);
  const ScanBlocks* (*cummax)(DType);
  const ScanBlocks* (*cummin)(DType);
  Planes planes;
};

void launch_cumsum(const void* desc, const void* self);
void launch_cumprod(const void* desc, const void* self);
void launch_logcumsumexp(const void* desc, const void* self);
void launch_cummax(const void* desc, const void* self);
void launch_cummin(const void* desc, const void* self);

}  // namespace tandem::host
