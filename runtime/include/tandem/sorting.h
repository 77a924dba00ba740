// Sorting, order statistics, sets and counting. In all of them: equal elements keep their order,
// NaN is greater than every number, -0 equals +0. Complex numbers raise TypeError, an axis out of
// range IndexError.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tandem/out.h"
#include "tandem/tensor.h"

namespace tandem {

/// Values and their indices in ascending or descending order along a dimension. Always stable:
/// `stable` changes nothing.
TANDEM_API std::tuple<Tensor, Tensor> sort(const Tensor& x, Axis dim = -1, bool descending = false,
                                           bool stable = true);
TANDEM_OUT_OF_TWO(sort)
/// The indices of sort.
TANDEM_API Tensor argsort(const Tensor& x, Axis dim = -1, bool descending = false,
                          bool stable = true);
/// The values of sort along the first dimension.
TANDEM_API Tensor msort(const Tensor& x);
/// The k greatest (or least) along a dimension and their indices: the first k of the sorted order,
/// in that order whatever `sorted` says. Raises ValueError unless 0 <= k <= size.
TANDEM_API std::tuple<Tensor, Tensor> topk(const Tensor& x, std::int64_t k, Axis dim = -1,
                                           bool largest = true, bool sorted = true);
TANDEM_OUT_OF_TWO(topk)
/// The k-th least (from 1) along a dimension and its index. Raises ValueError unless
/// 1 <= k <= size.
TANDEM_API std::tuple<Tensor, Tensor> kthvalue(const Tensor& x, std::int64_t k, Axis dim = -1,
                                               bool keepdim = false);
TANDEM_OUT_OF_TWO(kthvalue)
/// The lower middle of all elements; NaN where one is NaN (and of no elements of a float dtype).
TANDEM_API Tensor median(const Tensor& x);
/// The same along a dimension, and its index: the first of equals.
TANDEM_API std::tuple<Tensor, Tensor> median(const Tensor& x, Axis dim, bool keepdim = false);
TANDEM_OUT_OF_TWO(median)
/// The lower middle of the elements that are no NaN; NaN where there is none.
TANDEM_API Tensor nanmedian(const Tensor& x);
TANDEM_API std::tuple<Tensor, Tensor> nanmedian(const Tensor& x, Axis dim, bool keepdim = false);
TANDEM_OUT_OF_TWO(nanmedian)

/// Quantiles of floats for q in [0, 1] (a number or a tensor of up to one dimension, which becomes
/// the first of the result), over all elements without an axis. interpolation: "linear", "lower",
/// "higher", "midpoint", "nearest" (half to even). A q outside [0, 1] raises ValueError, in a
/// tensor on a device it gives NaN.
TANDEM_API Tensor quantile(const Tensor& x, const Arg& q, std::optional<Axis> dim = {},
                           bool keepdim = false, const std::string& interpolation = "linear");
/// The same of the elements that are no NaN.
TANDEM_API Tensor nanquantile(const Tensor& x, const Arg& q, std::optional<Axis> dim = {},
                              bool keepdim = false, const std::string& interpolation = "linear");
/// The most frequent value along a dimension, the least of several, and its last index.
TANDEM_API std::tuple<Tensor, Tensor> mode(const Tensor& x, Axis dim = -1, bool keepdim = false);
TANDEM_OUT_OF_TWO(mode)

/// What unique gives. Undefined: not asked for.
struct Unique {
  Tensor values;   // ascending; each NaN apart
  Tensor indices;  // of the first occurrence of each
  Tensor inverse;  // where each element of x is in values
  Tensor counts;
};
/// What of Unique is wanted besides the values.
struct UniqueParts {
  bool indices = false, inverse = false, counts = false;
};
/// The distinct elements, or the distinct slices along a dimension in lexicographic order. Waits
/// for the device: their number depends on values.
TANDEM_API Unique unique(const Tensor& x, std::optional<Axis> dim = {}, UniqueParts parts = {});
/// The same of each run of equal neighbours, in their order. Waits for the device.
TANDEM_API Unique unique_consecutive(const Tensor& x, std::optional<Axis> dim = {},
                                     UniqueParts parts = {});
/// The values of unique. Waits for the device.
TANDEM_API Tensor unique_values(const Tensor& x);

/// Where values go in a sequence that ascends along its last dimension: before the equal elements,
/// after them with `right`. The sequence has one dimension, or all but the last of values'. int64,
/// or int32 with out_int32. `sorter`: the indices that sort the sequence.
TANDEM_API Tensor searchsorted(const Tensor& sorted_sequence, const Arg& values,
                               bool out_int32 = false, bool right = false,
                               const std::optional<Tensor>& sorter = {});
/// searchsorted with the arguments in the other order; the boundaries have one dimension.
TANDEM_API Tensor bucketize(const Arg& input, const Tensor& boundaries, bool out_int32 = false,
                            bool right = false);
/// Whether each element is among test_elements; with `invert` whether it is not. NaN equals
/// nothing. assume_unique changes nothing.
TANDEM_API Tensor isin(const Arg& elements, const Arg& test_elements, bool assume_unique = false,
                       bool invert = false);

/// How often each of 0, 1, ... occurs in a tensor of one dimension, or the sum of the weights of
/// its places; at least minlength results. Raises ValueError where a number is negative. Waits for
/// the device: the length is that of the greatest number.
TANDEM_API Tensor bincount(const Tensor& x, const std::optional<Tensor>& weights = {},
                           std::int64_t minlength = 0);
/// How many elements fall in each of `bins` equal bins over [min, max], in x's dtype; over the
/// elements' own range where min and max are both 0 (no counts where it is not finite). Elements
/// outside and NaN are left out.
TANDEM_API Tensor histc(const Tensor& x, std::int64_t bins = 100, const Scalar& min = 0,
                        const Scalar& max = 0);
/// Counts, or sums of weights, of the elements in `bins` equal bins over the range (that of the
/// elements where none is given), and the edges of the bins; with `density` divided by their sum
/// and the width of the bin. x, weights and edges have one float dtype.
TANDEM_API std::tuple<Tensor, Tensor> histogram(const Tensor& x, std::int64_t bins,
                                                std::optional<std::pair<double, double>> range = {},
                                                const std::optional<Tensor>& weight = {},
                                                bool density = false);
/// The same with given edges, ascending in a tensor of one dimension.
TANDEM_API std::tuple<Tensor, Tensor> histogram(const Tensor& x, const Tensor& edges,
                                                const std::optional<Tensor>& weight = {},
                                                bool density = false);
TANDEM_OUT_OF_TWO(histogram)

/// The same of points in a grid: x's last dimension is a point, weight has x's shape without it. So
/// many equal bins along each dimension, over the range [ends[2 d], ends[2 d + 1]], or that of the
/// points' coordinates where none is given.
TANDEM_API std::tuple<Tensor, std::vector<Tensor>> histogramdd(
    const Tensor& x, IntSpan bins, const std::optional<std::vector<double>>& ends = {},
    const std::optional<Tensor>& weight = {}, bool density = false);
/// The same with given edges along each dimension.
TANDEM_API std::tuple<Tensor, std::vector<Tensor>> histogramdd(
    const Tensor& x, const std::vector<Tensor>& edges, const std::optional<Tensor>& weight = {},
    bool density = false);

}  // namespace tandem
