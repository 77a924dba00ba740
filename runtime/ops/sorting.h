// What the front-ends of sorting, sets and counting share, and the boxed forms of sorting.def where
// they are not the public functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "runtime/dispatch/funnel.h"
#include "tandem/backend/sorting.h"
#include "tandem/sorting.h"

namespace tandem::detail {

/// Complex numbers have no order. Raises TypeError.
void check_sortable(const OpRow& row, DType t, DTypeSet set = dtypes::BoolReals);
/// Raises NotImplemented for meta tensors: the shape of the result depends on values.
void check_has_values(const OpRow& row, const Tensor& x);
/// Raises IndexError where the dimension has no elements.
void check_has_elements(const OpRow& row, const Tensor& x, std::int64_t dim);

/// What of the sorted row is wanted.
struct Wanted {
  bool descending = false;
  SortLaunch::Pick pick = SortLaunch::Pick::Range;
  std::int64_t first = 0, count = 0;
};
/// Sorts along a dimension. Outputs have x's dimensions, `count` elements along `dim`; null: not
/// wanted.
void run_sort(const OpRow& row, const Tensor& x, std::int64_t dim, const Wanted& wanted,
              const Tensor* values, const Tensor* indices);

/// Fresh memory of x's device for what an op keeps while it works.
Tensor working(const Tensor& x, IntSpan shape, DType t);

/// x as one dense row, its elements in row-major order.
Tensor dense_row(const Tensor& x);

}  // namespace tandem::detail

namespace tandem::ops {

std::vector<Value> median(const Tensor& x, std::optional<Axis> dim, bool keepdim);
std::vector<Value> nanmedian(const Tensor& x, std::optional<Axis> dim, bool keepdim);
Tensor quantile(const Tensor& x, const Arg& q, std::optional<Axis> dim, bool keepdim,
                const std::string& interpolation);
Tensor nanquantile(const Tensor& x, const Arg& q, std::optional<Axis> dim, bool keepdim,
                   const std::string& interpolation);
std::vector<Value> unique(const Tensor& x, bool sorted, bool return_inverse, bool return_counts,
                          std::optional<Axis> dim);
std::vector<Value> unique_consecutive(const Tensor& x, bool return_inverse, bool return_counts,
                                      std::optional<Axis> dim);
std::vector<Value> unique_all(const Tensor& x);
std::vector<Value> unique_counts(const Tensor& x);
std::vector<Value> unique_inverse(const Tensor& x);
Tensor searchsorted(const Tensor& sorted_sequence, const Arg& input, bool out_int32, bool right,
                    std::optional<std::string> side, std::optional<Tensor> sorter);
Tensor bucketize(const Arg& input, const Tensor& boundaries, bool out_int32, bool right);
Tensor bincount(const Tensor& x, std::optional<Tensor> weights, std::int64_t minlength);
std::vector<Value> histogram(const Tensor& x, const Value& bins, std::optional<Tensor> range,
                             std::optional<Tensor> weight, bool density);
/// bins: a number, a list of them, or a list of edges.
std::vector<Value> histogramdd(const Tensor& x, const Value& bins, std::optional<Tensor> range,
                               std::optional<Tensor> weight, bool density);
Tensor isin(const Arg& elements, const Arg& test_elements, bool assume_unique, bool invert);

}  // namespace tandem::ops
