// Front-ends of counting: bincount, histc, histogram, histogramdd. Sums of weights: the elements
// are sorted by bin, then each bin is summed along the fixed tree.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "runtime/ops/sorting.h"
#include "runtime/tensor/body.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

using detail::working;

/// Bins as a launch wants them, but for the step.
CountLaunch launch_of(const OpRow& row, const Tensor& x, std::int64_t bins,
                      CountLaunch::Bins kind) {
  CountLaunch l{};
  l.row = &row;
  l.kind = kind;
  l.n = x.numel();
  l.bins = bins;
  l.dtype = x.dtype();
  l.in = x.data_ptr();
  l.device = x.device();
  return l;
}

void run(CountLaunch& l, const Tensor& written, std::initializer_list<const Tensor*> read) {
  l.stream = detail::launch_stream(l.device, {&written}, read);
  detail::launch(op::bincount, l.device, &l);
}

/// int64 counts.
Tensor counted(CountLaunch l, const Tensor& x, const Tensor& other) {
  const Tensor counts = zeros({l.bins}, {.dtype = DType::int64, .device = x.device()});
  if (l.n == 0 || l.bins == 0) return counts;
  l.step = CountLaunch::Step::Count;
  l.counts = counts.data<std::int64_t>();
  run(l, counts, {&x, other.defined() ? &other : nullptr});
  return counts;
}

/// Sums of float32 or float64 weights.
Tensor weighted(CountLaunch l, const Tensor& x, const Tensor& other, const Tensor& weights) {
  const Options options{.dtype = weights.dtype(), .device = x.device()};
  if (l.n == 0 || l.bins == 0) return zeros({l.bins}, options);
  Tensor ids = working(x, {l.n}, DType::int64);
  l.step = CountLaunch::Step::Ids;
  l.ids = ids.data<std::int64_t>();
  run(l, ids, {&x, other.defined() ? &other : nullptr});
  if (l.bins < INT32_MAX) ids = ids.to(DType::int32);  // half the passes of the sort
  const Tensor sorted = working(x, {l.n}, ids.dtype());
  const Tensor order = working(x, {l.n}, DType::int64);
  detail::run_sort(*l.row, ids, 0, {.count = l.n}, &sorted, &order);
  const Tensor starts =
      searchsorted(sorted, arange(0, l.bins + 1, 1, {.dtype = ids.dtype(), .device = x.device()}));
  const Tensor sums = empty({l.bins}, options);
  l.step = CountLaunch::Step::Sums;
  l.dtype = weights.dtype();
  l.weights = weights.data_ptr();
  l.order = order.data<std::int64_t>();
  l.starts = starts.data<std::int64_t>();
  l.sums = sums.data_ptr();
  run(l, sums, {&weights, &order, &starts});
  return sums;
}

/// The least and the greatest element as two doubles in the device's memory; 0 and 1 of none.
Tensor own_range(const Tensor& x) {
  if (x.numel() == 0) {
    return arange(0, 2, 1, {.dtype = DType::float64, .device = x.device()});
  }
  return stack({amin(x), amax(x)}).to(DType::float64);
}

/// Bins over a range that is given, or the elements' own.
void set_range(CountLaunch& l, const std::optional<std::pair<double, double>>& given,
               const Tensor& own, double widen) {
  l.low = given ? given->first : 0;
  l.high = given ? given->second : 1;
  l.range = own.defined() ? own.data<double>() : nullptr;
  l.widen = widen;
}

void check_range(const OpRow& row, double low, double high) {
  TANDEM_EXPECTS(std::isfinite(low) && std::isfinite(high), ValueError,
                 fmt::format("[{}] argument 'range': expected finite numbers, got {} and {}",
                             row.name, low, high));
  TANDEM_EXPECTS(low <= high, ValueError,
                 fmt::format("[{}] argument 'range': expected the lesser number first, got {} and "
                             "{}",
                             row.name, low, high));
}

void check_bins(const OpRow& row, std::int64_t bins) {
  TANDEM_EXPECTS(
      bins > 0, ValueError,
      fmt::format("[{}] argument 'bins': expected a number > 0, got {}", row.name, bins));
}

/// `shape`: of the input, or of its points.
void check_weights(const OpRow& row, const Tensor& x, IntSpan shape, const Tensor& w,
                   const char* argument) {
  TANDEM_EXPECTS(
      std::ranges::equal(shape, w.shape()), ShapeError,
      fmt::format("[{}] argument '{}': expected the input's shape [{}], got [{}]", row.name,
                  argument, fmt::join(shape, ", "), fmt::join(w.shape(), ", ")));
  const Tensor* tensors[] = {&x, &w};
  (void)detail::common_device(row, tensors);
  TANDEM_EXPECTS(!is_complex(w.dtype()), TypeError,
                 fmt::format("[{}] argument '{}': not implemented for '{}'", row.name, argument,
                             info(w.dtype()).title));
}

/// The number of bins that the elements need. Waits for the device.
std::int64_t bins_needed(const Tensor& x) {
  if (x.numel() == 0) return 0;
  const Tensor both = stack({amin(x), amax(x)}).cpu();
  const Scalar least = both.select(0, 0).item();
  const Scalar greatest = both.select(0, 1).item();
  TANDEM_EXPECTS(
      least.kind() == Scalar::Kind::UInt || least.to_int() >= 0, ValueError,
      fmt::format("[bincount] argument 'input': expected numbers >= 0, got {}", least.str()));
  TANDEM_EXPECTS(greatest.kind() != Scalar::Kind::UInt && greatest.to_int() < INT64_MAX / 16,
                 ValueError,
                 fmt::format("[bincount] argument 'input': expected numbers that can be counted, "
                             "got {}",
                             greatest.str()));
  return greatest.to_int() + 1;
}

/// Edges of equal bins, in x's dtype.
Tensor equal_edges(const OpRow& row, const Tensor& x, std::int64_t bins,
                   const std::optional<std::pair<double, double>>& range) {
  const Tensor own = range ? Tensor() : own_range(x);
  const Tensor edges = working(x, {bins + 1}, x.dtype());
  CountLaunch l = launch_of(row, x, bins, CountLaunch::Bins::Edges);
  l.step = CountLaunch::Step::Edges;
  l.edges = edges.data_ptr();
  set_range(l, range, own, 0.5);
  run(l, edges, {own.defined() ? &own : nullptr});
  return edges;
}

/// Divided by their sum and, along each dimension, by the bins' widths.
Tensor densities(const Tensor& hist, std::span<const Tensor> edges) {
  Tensor density = div(hist, sum(hist));
  for (std::size_t d = 0; d < edges.size(); ++d) {
    const std::int64_t n = edges[d].numel() - 1;
    Dims shape(edges.size(), 1);
    shape[d] = n;
    const Tensor widths = sub(edges[d].narrow(0, 1, n), edges[d].narrow(0, 0, n));
    density = div(density, widths.reshape(shape));
  }
  return density;
}

/// What weights are summed in.
DType sums_dtype(const Tensor& x) {
  return x.dtype() == DType::float64 ? DType::float64 : DType::float32;
}

std::tuple<Tensor, Tensor> fill_histogram(const OpRow& row, const Tensor& any, const Tensor& edges,
                                          const std::optional<Tensor>& weight, bool density) {
  const Tensor x = detail::dense_row(any);
  CountLaunch l = launch_of(row, x, edges.numel() - 1, CountLaunch::Bins::Edges);
  l.edges = edges.data_ptr();
  Tensor hist;
  if (weight) {
    hist = weighted(l, x, edges, detail::dense_row(*weight).to(sums_dtype(x)));
  } else {
    hist = counted(l, x, edges);
  }
  hist = hist.to(x.dtype());
  return {density ? densities(hist, {&edges, 1}) : hist, edges};
}

/// `shape`: that of the weights.
void check_histogram(const OpRow& row, const Tensor& x, IntSpan shape,
                     const std::optional<Tensor>& weight) {
  detail::check_sortable(row, x.dtype(), dtypes::Floats);
  if (!weight) return;
  check_weights(row, x, shape, *weight, "weight");
  TANDEM_EXPECTS(weight->dtype() == x.dtype(), TypeError,
                 fmt::format("[{}] argument 'weight': expected {}, got {}", row.name,
                             name(x.dtype()), name(weight->dtype())));
}

void check_edges(const OpRow& row, const Tensor& x, const Tensor& edges) {
  TANDEM_EXPECTS(
      edges.dim() == 1 && edges.numel() > 1, ShapeError,
      fmt::format("[{}] argument 'bins': expected two edges or more in one dimension, got "
                  "shape [{}]",
                  row.name, fmt::join(edges.shape(), ", ")));
  TANDEM_EXPECTS(edges.dtype() == x.dtype(), TypeError,
                 fmt::format("[{}] argument 'bins': expected {}, got {}", row.name, name(x.dtype()),
                             name(edges.dtype())));
  const Tensor* tensors[] = {&x, &edges};
  (void)detail::common_device(row, tensors);
}

/// What a meta tensor gives: shapes alone.
std::tuple<Tensor, Tensor> meta_histogram(const Tensor& x, std::int64_t bins) {
  return {working(x, {bins}, x.dtype()), working(x, {bins + 1}, x.dtype())};
}

// ---- points in a grid

void check_points(const OpRow& row, const Tensor& x, std::size_t bins,
                  const std::optional<Tensor>& weight) {
  TANDEM_EXPECTS(x.dim() >= 2 && x.shape().back() > 0, ShapeError,
                 fmt::format("[{}] argument 'input': expected points along the last of two "
                             "dimensions or more, got shape [{}]",
                             row.name, fmt::join(x.shape(), ", ")));
  const auto dims = static_cast<std::size_t>(x.shape().back());
  TANDEM_EXPECTS(bins == dims, ShapeError,
                 fmt::format("[{}] argument 'bins': expected one entry for each of {} dimensions "
                             "of the points, got {}",
                             row.name, dims, bins));
  check_histogram(row, x, x.shape().first(x.shape().size() - 1), weight);
}

/// The points' coordinates, a dense row for each dimension.
std::vector<Tensor> coordinates(const Tensor& x) {
  const std::int64_t dims = x.shape().back();
  const Tensor points = detail::dense_row(x).reshape({x.numel() / dims, dims});
  std::vector<Tensor> rows;
  for (std::int64_t d = 0; d < dims; ++d) rows.push_back(detail::dense_row(points.select(1, d)));
  return rows;
}

/// Each point's cell in a grid with one more bin along each dimension, for what is outside.
Tensor cells_of(const OpRow& row, std::span<const Tensor> points, std::span<const Tensor> edges) {
  Tensor cells;
  for (std::size_t d = 0; d < edges.size(); ++d) {
    const Tensor ids = working(points[d], points[d].shape(), DType::int64);
    if (ids.numel() == 0) return ids;
    CountLaunch l = launch_of(row, points[d], edges[d].numel() - 1, CountLaunch::Bins::Edges);
    l.step = CountLaunch::Step::Ids;
    l.edges = edges[d].data_ptr();
    l.ids = ids.data<std::int64_t>();
    run(l, ids, {&points[d], &edges[d]});
    cells = d == 0 ? ids : add(mul(cells, edges[d].numel()), ids);
  }
  return cells;
}

std::tuple<Tensor, std::vector<Tensor>> fill_grid(const OpRow& row, std::span<const Tensor> points,
                                                  const std::vector<Tensor>& edges,
                                                  const std::optional<Tensor>& weight,
                                                  bool density) {
  Dims around;
  for (const Tensor& e : edges) around.push_back(e.numel());
  const std::int64_t all = detail::checked_numel(around, sizeof(std::int64_t), row.name);
  const Tensor cells = cells_of(row, points, edges);
  const CountLaunch l = launch_of(row, cells, all, CountLaunch::Bins::Values);
  Tensor hist = weight
                    ? weighted(l, cells, {}, detail::dense_row(*weight).to(sums_dtype(points[0])))
                    : counted(l, cells, {});
  hist = hist.reshape(around);
  for (std::size_t d = 0; d < edges.size(); ++d) {
    hist = hist.narrow(static_cast<std::int64_t>(d), 0, around[d] - 1);
  }
  hist = hist.to(points[0].dtype()).contiguous();
  return {density ? densities(hist, edges) : hist, edges};
}

std::tuple<Tensor, std::vector<Tensor>> meta_grid(const Tensor& x, Dims bins) {
  const Tensor hist = working(x, bins, x.dtype());
  std::vector<Tensor> edges;
  for (const std::int64_t n : bins) edges.push_back(working(x, {n + 1}, x.dtype()));
  return {hist, edges};
}

}  // namespace

Tensor bincount(const Tensor& any, const std::optional<Tensor>& weights, std::int64_t minlength) {
  const OpRow& row = op::bincount;
  const trace::OpScope scope(row.name);
  detail::check_sortable(row, any.dtype(), dtypes::Integers);
  TANDEM_EXPECTS(
      any.dim() == 1, ShapeError,
      fmt::format("[bincount] argument 'input': expected one dimension, got {}", any.dim()));
  TANDEM_EXPECTS(
      minlength >= 0, ValueError,
      fmt::format("[bincount] argument 'minlength': expected a number >= 0, got {}", minlength));
  if (weights) check_weights(row, any, any.shape(), *weights, "weights");
  detail::check_has_values(row, any);
  const Tensor x = detail::dense_row(any);
  const std::int64_t bins = std::max(bins_needed(x), minlength);
  const CountLaunch l = launch_of(row, x, bins, CountLaunch::Bins::Values);
  if (!weights) return counted(l, x, {});
  const DType t = weights->dtype() == DType::float32 ? DType::float32 : DType::float64;
  return weighted(l, x, {}, detail::dense_row(*weights).to(x.device(), t));
}

Tensor histc(const Tensor& any, std::int64_t bins, const Scalar& min, const Scalar& max) {
  const OpRow& row = op::histc;
  const trace::OpScope scope(row.name);
  detail::check_sortable(row, any.dtype(), dtypes::Reals);
  check_bins(row, bins);
  std::optional<std::pair<double, double>> range{{min.to_double(), max.to_double()}};
  check_range(row, range->first, range->second);
  if (any.is_meta()) return working(any, {bins}, any.dtype());
  const Tensor x = detail::dense_row(any);
  if (range->first == range->second && x.numel() > 0) range.reset();
  const Tensor own = range ? Tensor() : own_range(x);
  CountLaunch l = launch_of(row, x, bins, CountLaunch::Bins::Linear);
  set_range(l, range, own, 1);
  return counted(l, x, own).to(x.dtype());
}

std::tuple<Tensor, Tensor> histogram(const Tensor& any, std::int64_t bins,
                                     std::optional<std::pair<double, double>> range,
                                     const std::optional<Tensor>& weight, bool density) {
  const OpRow& row = op::histogram;
  const trace::OpScope scope(row.name);
  check_histogram(row, any, any.shape(), weight);
  check_bins(row, bins);
  if (range) check_range(row, range->first, range->second);
  if (any.is_meta()) return meta_histogram(any, bins);
  const Tensor x = detail::dense_row(any);
  const Tensor edges = equal_edges(row, x, bins, range);
  const Tensor w = weight ? detail::dense_row(*weight) : Tensor();
  return fill_histogram(row, x, edges, weight ? std::optional(w) : std::nullopt, density);
}

std::tuple<Tensor, Tensor> histogram(const Tensor& x, const Tensor& edges,
                                     const std::optional<Tensor>& weight, bool density) {
  const OpRow& row = op::histogram;
  const trace::OpScope scope(row.name);
  check_histogram(row, x, x.shape(), weight);
  check_edges(row, x, edges);
  if (x.is_meta()) return meta_histogram(x, edges.numel() - 1);
  return fill_histogram(row, x, detail::dense_row(edges).clone(), weight, density);
}

std::tuple<Tensor, std::vector<Tensor>> histogramdd(const Tensor& x, IntSpan bins,
                                                    const std::optional<std::vector<double>>& ends,
                                                    const std::optional<Tensor>& weight,
                                                    bool density) {
  const OpRow& row = op::histogramdd;
  const trace::OpScope scope(row.name);
  check_points(row, x, bins.size(), weight);
  for (const std::int64_t n : bins) check_bins(row, n);
  TANDEM_EXPECTS(!ends || ends->size() == 2 * bins.size(), ValueError,
                 fmt::format("[{}] argument 'range': expected {} numbers, got {}", row.name,
                             2 * bins.size(), ends ? ends->size() : 0));
  const auto range = [&](std::size_t d) -> std::optional<std::pair<double, double>> {
    if (!ends) return std::nullopt;
    return std::pair((*ends)[2 * d], (*ends)[2 * d + 1]);
  };
  for (std::size_t d = 0; ends && d < bins.size(); ++d) {
    check_range(row, range(d)->first, range(d)->second);
  }
  if (x.is_meta()) return meta_grid(x, Dims(bins));
  const std::vector<Tensor> points = coordinates(x);
  std::vector<Tensor> edges;
  for (std::size_t d = 0; d < bins.size(); ++d) {
    edges.push_back(equal_edges(row, points[d], bins[d], range(d)));
  }
  return fill_grid(row, points, edges, weight, density);
}

std::tuple<Tensor, std::vector<Tensor>> histogramdd(const Tensor& x,
                                                    const std::vector<Tensor>& edges,
                                                    const std::optional<Tensor>& weight,
                                                    bool density) {
  const OpRow& row = op::histogramdd;
  const trace::OpScope scope(row.name);
  check_points(row, x, edges.size(), weight);
  Dims bins;
  for (const Tensor& e : edges) {
    check_edges(row, x, e);
    bins.push_back(e.numel() - 1);
  }
  if (x.is_meta()) return meta_grid(x, bins);
  std::vector<Tensor> own;
  for (const Tensor& e : edges) own.push_back(detail::dense_row(e).clone());
  return fill_grid(row, coordinates(x), own, weight, density);
}

namespace ops {

namespace {
/// The numbers of a list, which is a tensor in a boxed call.
std::vector<double> numbers(const char* op, const Tensor& list) {
  TANDEM_EXPECTS(list.device().is_cpu(), ValueError,
                 fmt::format("[{}] argument 'range': expected numbers, got a tensor on {}", op,
                             list.device().str()));
  const Tensor dense = list.to(DType::float64).contiguous();
  const auto* first = dense.data<double>();
  return {first, first + dense.numel()};
}
}  // namespace

Tensor bincount(const Tensor& x, std::optional<Tensor> weights, std::int64_t minlength) {
  return tandem::bincount(x, weights, minlength);
}

std::vector<Value> histogram(const Tensor& x, const Value& bins, std::optional<Tensor> range,
                             std::optional<Tensor> weight, bool density) {
  if (bins.is<Tensor>()) {
    TANDEM_EXPECTS(!range, ValueError,
                   "[histogram] argument 'range': expected none with edges as bins");
    return detail::results(tandem::histogram(x, bins.as<Tensor>(), weight, density));
  }
  TANDEM_EXPECTS(bins.is<Scalar>() && bins.as<Scalar>().is_integral(), TypeError,
                 "[histogram] argument 'bins': expected an int or a Tensor");
  std::optional<std::pair<double, double>> ends;
  if (range) {
    const std::vector<double> both = numbers("histogram", *range);
    TANDEM_EXPECTS(
        both.size() == 2, ValueError,
        fmt::format("[histogram] argument 'range': expected two numbers, got {}", both.size()));
    ends = {both[0], both[1]};
  }
  return detail::results(tandem::histogram(x, bins.as<Scalar>().to_int(), ends, weight, density));
}

std::vector<Value> histogramdd(const Tensor& x, const Value& bins, std::optional<Tensor> range,
                               std::optional<Tensor> weight, bool density) {
  const auto values = [](std::tuple<Tensor, std::vector<Tensor>> t) {
    return std::vector<Value>{std::get<0>(t), std::get<1>(t)};
  };
  if (bins.is<std::vector<Tensor>>()) {
    TANDEM_EXPECTS(!range, ValueError,
                   "[histogramdd] argument 'range': expected none with edges as bins, got one");
    return values(tandem::histogramdd(x, bins.as<std::vector<Tensor>>(), weight, density));
  }
  Dims counts;
  if (bins.is<Dims>()) counts = bins.as<Dims>();
  if (bins.is<Scalar>() && bins.as<Scalar>().is_integral() && x.dim() > 0) {
    counts = Dims(static_cast<std::size_t>(x.shape().back()), bins.as<Scalar>().to_int());
  }
  TANDEM_EXPECTS(bins.is<Dims>() || (bins.is<Scalar>() && bins.as<Scalar>().is_integral()),
                 TypeError,
                 "[histogramdd] argument 'bins': expected an int, or a list of ints or of tensors");
  std::optional<std::vector<double>> ends;
  if (range) ends = numbers("histogramdd", *range);
  return values(tandem::histogramdd(x, counts, ends, weight, density));
}

}  // namespace ops

}  // namespace tandem
