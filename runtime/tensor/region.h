// The bytes that a tensor's elements take, and whether two tensors share any. Internal.
#pragma once

#include <cstdint>
#include <span>

#include "tandem/export.h"
#include "tandem/small_vector.h"
#include "tandem/tensor.h"

namespace tandem::detail {

/// Runs of bytes at equal steps, nested. Steps of 0 and negative ones, sizes of 1 and dimensions
/// that join with their neighbours are gone; the innermost step is 1.
struct Region {
  struct Dim {
    std::uint64_t step, count;
    bool operator==(const Dim&) const = default;
  };
  std::uint64_t first = 0, last = 0;  // bytes; last < first where there are none
  SmallVector<Dim, 6> dims;           // outermost first

  bool empty() const { return last < first; }
  bool dense() const { return dims.size() == 1; }
};

/// Of a tensor's elements; its memory need not be there any more.
TANDEM_API Region region_of(const TensorBody& t);
/// Of a range of bytes.
TANDEM_API Region region_of(const void* data, std::size_t bytes);

/// Whether the two share a byte. Exact, but for views that would take more than a million steps to
/// tell apart: these count as sharing.
TANDEM_API bool share_bytes(const Region& a, const Region& b);

/// Whether all bytes of `b` are bytes of `a`, where that is plain to see: `a` is dense, or the
/// same.
TANDEM_API bool covers(const Region& a, const Region& b);

}  // namespace tandem::detail
