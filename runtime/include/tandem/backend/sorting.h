// Launch structs of sorting, sets and counting; see tandem/backend.h. All but SortLaunch take dense
// row-major operands.
#pragma once

#include "tandem/backend.h"

namespace tandem {

/// Rows along one dimension in stable order: NaN is the greatest, -0 equals +0. Of the sorted row
/// the positions [first, first + count) are written.
struct SortLaunch {
  enum class Pick : std::uint8_t {
    Range,
    Median,    // the lower middle; the first NaN where there is one. count is 1
    NanMedian  // the lower middle of the numbers; the first NaN where there is no number
  };
  const OpRow* row;
  std::int64_t rows, n;
  const std::int64_t* shape;  // outer dimensions
  int rank;
  DType dtype;
  bool descending;
  Pick pick;
  std::int64_t first, count;
  OperandDesc in, values, indices;  // strides over the outer dimensions; no data: not wanted
  std::int64_t in_stride, values_stride, indices_stride;  // bytes along the row
  Device device;
  void* stream;
};

/// Runs of equal items: what `unique` is made of. Items are rows of `width` elements. A step a
/// launch.
struct UniqueLaunch {
  enum class Step : std::uint8_t {
    Order,  // sorts `order` (0, 1, ... at first) by the items' lexicographic order, stably
    Runs,   // ranks[i] = number of the run that item i of the sequence belongs to
    Fill,   // starts, inverse from ranks
    Take    // out, counts, first from starts
  };
  const OpRow* row;
  Step step;
  std::int64_t items, width;
  DType dtype;
  const void* in;
  std::int64_t* order;  // the sequence is in[order[0]], in[order[1]], ...; null: in[0], in[1], ...
  bool sorted_in;       // `in` is in the sequence's order already
  std::int64_t* ranks;
  std::int64_t runs;
  std::int64_t* starts;   // [runs]: position of each run in the sequence
  std::int64_t* inverse;  // [items] or null: the run of each item, in the order of `in`
  std::int64_t* first;    // [runs] or null: the run's first item in the order of `in`
  std::int64_t* counts;   // [runs] or null
  void* out;              // [runs][width]
  Device device;
  void* stream;
};

/// Binary search of `queries` values in each of `rows` ascending sequences of n elements.
struct SearchLaunch {
  enum class Find : std::uint8_t {
    Left,     // the first element that is not below the value
    Right,    // the first that is above it
    Contains  // whether an element equals the value; NaN equals nothing
  };
  const OpRow* row;
  Find find;
  bool invert;  // of Contains
  std::int64_t rows, n, queries;
  DType dtype;
  const void* sequence;
  const std::int64_t* sorter;  // null: the sequence is ascending as it lies
  const void* values;
  void* out;
  DType out_dtype;  // int64, int32; bool for Contains
  Device device;
  void* stream;
};

/// Elements to bins: bincount, histc, histogram. A step a launch.
struct CountLaunch {
  enum class Step : std::uint8_t {
    Edges,  // edges of equal bins
    Count,  // counts[bin] += 1
    Ids,    // ids[i] = bin of element i; `bins` for one that falls in none
    Sums    // sums[bin] = sum of weights[order[i]] for i in [starts[bin], starts[bin + 1])
  };
  enum class Bins : std::uint8_t {
    Values,  // an integer is its bin
    Linear,  // equal bins over the range, by arithmetic
    Edges    // by search among edges; the last bin has both its edges
  };
  const OpRow* row;
  Step step;
  Bins kind;
  std::int64_t n, bins;
  DType dtype;  // of the elements, the edges and, for Sums, of weights and sums
  const void* in;
  double low, high;     // the range, where `range` is null
  const double* range;  // two numbers in the device's memory
  double widen;         // for a range without width
  void* edges;          // [bins + 1]
  std::int64_t* counts;
  std::int64_t* ids;
  const void* weights;
  const std::int64_t* order;
  const std::int64_t* starts;  // [bins + 1]
  void* sums;
  Device device;
  void* stream;
};

/// Quantiles of sorted rows: out[k][row] for q[k].
struct QuantileLaunch {
  const OpRow* row;
  std::int64_t rows, n, count;  // count: of q
  DType dtype;
  const void* sorted;
  const double* q;
  int interpolation;  // a fn::Interpolation
  bool ignore_nan;
  void* out;
  Device device;
  void* stream;
};

/// The most frequent value of sorted rows, in two steps.
struct ModeLaunch {
  enum class Step : std::uint8_t {
    Lengths,  // lengths[i] = length of the run that ends at i; 0 where none ends
    Pick      // values, indices at the position `at` of each row
  };
  const OpRow* row;
  Step step;
  std::int64_t rows, n;
  DType dtype;
  const void* sorted;
  const std::int64_t* order;  // of the sorted row in the row
  std::int64_t* lengths;
  const std::int64_t* at;
  void* values;
  std::int64_t* indices;
  Device device;
  void* stream;
};

}  // namespace tandem
