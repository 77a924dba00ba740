// What the kernels of the indexing rows share: rows of bytes in units, places in x, sorted words.
//
// Note [Places]
// The arrays of a launch become one list of places: byte offsets in x, one a position, of one
// kernel an array; what is out of range is flagged and becomes kNoPlace. A single array that is
// read once is looked up where it is needed instead. For writes a place and its position are one
// word, place above position; sorted by the place, the words of one element of x are a run in index
// order. A plain write is that of a run's last word, the others join a run from the left.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cuda/context.h"
#include "kernels/cuda/flag.h"
#include "tandem/backend/indexing.h"
#include "tandem/cuda/elementwise.h"
#include "tandem/cuda/index.h"
#include "tandem/cuda/launch.h"

namespace tandem::cuda {

inline constexpr std::int64_t kNoPlace = INT64_MIN;

/// (place, position) words: how they are packed.
struct WordFormat {
  std::int64_t low = 0, size = 1;  // place = low + number * size
  std::uint64_t most = 0;          // the greatest number in range; one more is kNoPlace
  int position_bits = 0;

  __device__ std::uint64_t number(std::uint64_t word) const {
    return position_bits >= 64 ? 0 : word >> position_bits;
  }
  __device__ std::uint64_t position(std::uint64_t word) const {
    return position_bits >= 64 ? word : word & ((std::uint64_t(1) << position_bits) - 1);
  }
  __device__ std::int64_t place(std::uint64_t number) const {
    return low + static_cast<std::int64_t>(number) * size;
  }
};

/// The places of a launch in a workspace, as they are or as words.
class Places {
 public:
  /// Queues the kernels; `as_words` for writes, sorted unless no place can come twice.
  Places(const IndexLaunch& l, bool as_words, bool sorted);
  bool ok() const { return ok_; }
  const std::uint64_t* data() const { return data_; }
  const WordFormat& format() const { return format_; }

 private:
  cudaError_t fill(const IndexLaunch& l, bool as_words);
  bool sort(const IndexLaunch& l);

  Workspace room_;
  WordFormat format_;
  int place_bits_ = 0;
  std::uint64_t* data_ = nullptr;
  bool ok_ = false;
};

/// Appends dimensions [begin, end) of a launch to a walk, innermost first; `strides(d, k)` are
/// those of its operands.
template <class Walk, class Strides>
void push_dims(Walk& walk, const std::int64_t* shape, int begin, int end, const Strides& strides) {
  for (int d = end - 1; d >= begin; --d) {
    strides(d, walk.strides[walk.rank]);
    walk.push(shape[d]);
  }
}

/// The other.data or, where values are one number, nothing.
void launch_join(const IndexLaunch& l, const Places& places);

}  // namespace tandem::cuda
