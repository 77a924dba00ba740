// Front-ends of sets and searches: unique and its kin, searchsorted, bucketize, isin.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/promote.h"
#include "runtime/ops/sorting.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

using detail::OutSpec;
using detail::working;

// ---- unique

struct Runs {
  const OpRow& row;
  Tensor items;            // [n][width], dense
  Tensor order;            // undefined: the items' own
  bool sorted_in = false;  // items are in the sequence's order
  Tensor ranks;

  std::int64_t count() const { return items.shape()[0]; }

  UniqueLaunch launch_of(UniqueLaunch::Step step) const {
    UniqueLaunch l{};
    l.row = &row;
    l.step = step;
    l.items = count();
    l.width = count() == 0 ? 0 : items.numel() / count();
    l.dtype = items.dtype();
    l.in = items.data_ptr();
    l.order = order.defined() ? order.data<std::int64_t>() : nullptr;
    l.sorted_in = sorted_in;
    l.ranks = ranks.defined() ? ranks.data<std::int64_t>() : nullptr;
    l.device = items.device();
    return l;
  }
  void run(UniqueLaunch& l, std::initializer_list<const Tensor*> written,
           const Tensor* starts = nullptr) const {
    const bool sorts = l.step == UniqueLaunch::Step::Order;
    const bool counts = l.step == UniqueLaunch::Step::Runs;
    const Tensor* read[] = {&items, sorts ? nullptr : &order, counts ? nullptr : &ranks, starts};
    l.stream = detail::launch_stream(l.device, written, read);
    detail::launch(op::unique, l.device, &l);
  }

  /// The number of runs; waits for the device.
  std::int64_t number() {
    if (count() == 0) return 0;
    ranks = working(items, {count()}, DType::int64);
    UniqueLaunch l = launch_of(UniqueLaunch::Step::Runs);
    run(l, {&ranks});
    return ranks.select(0, count() - 1).item<std::int64_t>() + 1;
  }
};

/// Items of x along a dimension, or its elements.
Tensor items_of(const Tensor& x, std::optional<std::int64_t> dim) {
  if (!dim) return detail::dense_row(x);
  return x.rename(std::nullopt).movedim(*dim, 0).contiguous();
}

Runs sorted_runs(const OpRow& row, const Tensor& x, std::optional<std::int64_t> dim,
                 bool wants_order) {
  Runs runs{row, items_of(x, dim), {}, false, {}};
  const std::int64_t n = runs.count();
  if (!dim) {
    const Tensor values = working(x, {n}, x.dtype());
    if (wants_order) runs.order = working(x, {n}, DType::int64);
    detail::run_sort(row, runs.items, 0, {.count = n}, &values,
                     wants_order ? &runs.order : nullptr);
    runs.items = values;
    runs.sorted_in = true;
    return runs;
  }
  runs.order = arange(0, n, 1, {.dtype = DType::int64, .device = x.device()});
  UniqueLaunch l = runs.launch_of(UniqueLaunch::Step::Order);
  runs.run(l, {&runs.order});
  return runs;
}

Names one_name(const Tensor& x, std::optional<std::int64_t> dim) {
  const Names& names = x.body_ptr()->names;
  if (!dim || names.empty()) return {};
  const Name name = names[static_cast<std::size_t>(*dim)];
  return name.is_none() ? Names() : Names{name};
}

/// The results from numbered runs.
Unique collect(Runs& runs, const Tensor& x, std::optional<std::int64_t> dim, UniqueParts parts) {
  const std::int64_t n = runs.count();
  const std::int64_t k = runs.number();
  Unique u;
  Dims shape(runs.items.shape());
  shape[0] = k;
  u.values = working(x, shape, x.dtype());
  const Tensor starts = working(x, {k}, DType::int64);
  if (parts.inverse) u.inverse = working(x, {n}, DType::int64);
  if (parts.counts) u.counts = working(x, {k}, DType::int64);
  if (parts.indices) u.indices = working(x, {k}, DType::int64);
  if (n > 0) {
    const auto data = [](const Tensor& t) {
      return t.defined() ? t.data<std::int64_t>() : nullptr;
    };
    UniqueLaunch l = runs.launch_of(UniqueLaunch::Step::Fill);
    l.runs = k;
    l.starts = data(starts);
    l.inverse = data(u.inverse);
    runs.run(l, {&starts, &u.inverse});
    l.step = UniqueLaunch::Step::Take;
    l.counts = data(u.counts);
    l.first = data(u.indices);
    l.out = u.values.data_ptr();
    runs.run(l, {&u.counts, &u.indices, &u.values}, &starts);
  }
  if (dim) {
    u.values = u.values.movedim(0, *dim).contiguous();
    u.values.rename_(x.names());
  } else if (u.inverse.defined()) {
    u.inverse = u.inverse.reshape(x.shape());
    u.inverse.rename_(x.names());
  }
  for (Tensor* t : {&u.indices, &u.counts, &u.inverse}) {
    if (t->defined() && dim) t->rename_(one_name(x, dim));
  }
  return u;
}

std::optional<std::int64_t> dim_of(const OpRow& row, const Tensor& x, std::optional<Axis> axis) {
  if (!axis) return std::nullopt;
  TANDEM_EXPECTS(x.dim() > 0, IndexError,
                 fmt::format("[{}] argument 'dim': expected none for a 0-d tensor", row.name));
  return detail::resolve_axis(*axis, x, row.name);
}

Unique find_runs(const OpRow& row, const Tensor& x, std::optional<Axis> axis, UniqueParts parts,
                 bool neighbours) {
  const trace::OpScope scope(row.name);
  detail::check_sortable(row, x.dtype());
  const std::optional<std::int64_t> dim = dim_of(row, x, axis);
  detail::check_has_values(row, x);
  Runs runs = neighbours ? Runs{row, items_of(x, dim), {}, false, {}}
                         : sorted_runs(row, x, dim, parts.inverse || parts.indices);
  return collect(runs, x, dim, parts);
}

// ---- searches

/// The dtype that values are compared in: integers and floats meet in float64.
DType compared_dtype(const OpRow& row, const Arg& a, const Arg& b) {
  const auto sort_of = [](const Arg& x) {
    return x.is_tensor() ? category(x.tensor().dtype()) : x.scalar().category();
  };
  const Arg both[] = {a, b};
  DType t = detail::promote_args(both);
  if (is_float(t) && (sort_of(a) < Category::Float || sort_of(b) < Category::Float)) {
    t = DType::float64;
  }
  detail::check_sortable(row, t);
  return t;
}

Device device_of(const OpRow& row, const Arg& a, const Arg& b) {
  const Tensor* tensors[] = {a.is_tensor() ? &a.tensor() : nullptr,
                             b.is_tensor() ? &b.tensor() : nullptr};
  return detail::common_device(row, tensors);
}

/// An operand as a dense tensor of the dtype on the device.
Tensor operand(const Arg& a, DType t, Device device) {
  if (!a.is_tensor()) return scalar_tensor(a.scalar(), {.dtype = t, .device = device});
  return a.tensor().rename(std::nullopt).to(device, t).contiguous();
}

Dims shape_of(const Arg& a) { return a.is_tensor() ? Dims(a.tensor().shape()) : Dims(); }
Names names_of(const Arg& a) { return a.is_tensor() ? a.tensor().body_ptr()->names : Names(); }

void run_search(const OpRow& row, const Tensor& sequence, const Tensor* sorter,
                const Tensor& values, SearchLaunch::Find find, bool invert, const Tensor& out) {
  SearchLaunch l{};
  l.row = &row;
  l.find = find;
  l.invert = invert;
  l.n = sequence.shape()[sequence.shape().size() - 1];
  l.rows = 1;
  for (std::size_t d = 0; d + 1 < sequence.shape().size(); ++d) l.rows *= sequence.shape()[d];
  if (out.numel() == 0) return;
  l.queries = out.numel() / l.rows;
  l.dtype = sequence.dtype();
  l.sequence = sequence.data_ptr();
  l.sorter = sorter != nullptr ? sorter->data<std::int64_t>() : nullptr;
  l.values = values.data_ptr();
  l.out = out.data_ptr();
  l.out_dtype = out.dtype();
  l.device = out.device();
  l.stream = detail::launch_stream(l.device, {&out}, {&sequence, sorter, &values});
  detail::launch(op::searchsorted, l.device, &l);
}

void check_sequence(const OpRow& row, const Tensor& sequence, const Arg& values,
                    const char* argument) {
  const IntSpan s = sequence.shape();
  const Dims v = shape_of(values);
  TANDEM_EXPECTS(!s.empty(), ShapeError,
                 fmt::format("[{}] argument '{}': expected one dimension or more, got none",
                             row.name, argument));
  if (s.size() == 1) return;
  const bool matches = v.size() == s.size() && std::equal(s.begin(), s.end() - 1, v.begin());
  TANDEM_EXPECTS(matches, ShapeError,
                 fmt::format("[{}] argument '{}': expected one dimension, or those of the values "
                             "[{}] but for the last, got [{}]",
                             row.name, argument, fmt::join(v, ", "), fmt::join(s, ", ")));
}

Tensor search(const OpRow& row, const Tensor& sequence, const Arg& values, bool out_int32,
              bool right, const std::optional<Tensor>& sorter) {
  const DType t = compared_dtype(row, sequence, values);
  const Device device = device_of(row, sequence, values);
  if (sorter) {
    TANDEM_EXPECTS(sorter->dtype() == DType::int64, TypeError,
                   fmt::format("[{}] argument 'sorter': expected int64, got {}", row.name,
                               name(sorter->dtype())));
    TANDEM_EXPECTS(
        std::ranges::equal(sorter->shape(), sequence.shape()), ShapeError,
        fmt::format("[{}] argument 'sorter': expected the shape [{}], got [{}]", row.name,
                    fmt::join(sequence.shape(), ", "), fmt::join(sorter->shape(), ", ")));
    (void)device_of(row, sequence, *sorter);
  }
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{shape_of(values), out_int32 ? DType::int32 : DType::int64, device,
                       names_of(values)};
      },
      [&](const Tensor& out) {
        const Tensor order = sorter ? operand(*sorter, DType::int64, device) : Tensor();
        run_search(row, operand(sequence, t, device), sorter ? &order : nullptr,
                   operand(values, t, device),
                   right ? SearchLaunch::Find::Right : SearchLaunch::Find::Left, false, out);
      });
}

}  // namespace

Unique unique(const Tensor& x, std::optional<Axis> dim, UniqueParts parts) {
  return find_runs(op::unique, x, dim, parts, false);
}
Unique unique_consecutive(const Tensor& x, std::optional<Axis> dim, UniqueParts parts) {
  return find_runs(op::unique_consecutive, x, dim, parts, true);
}
Tensor unique_values(const Tensor& x) {
  return find_runs(op::unique_values, x, {}, {}, false).values;
}

Tensor searchsorted(const Tensor& sorted_sequence, const Arg& values, bool out_int32, bool right,
                    const std::optional<Tensor>& sorter) {
  check_sequence(op::searchsorted, sorted_sequence, values, "sorted_sequence");
  return search(op::searchsorted, sorted_sequence, values, out_int32, right, sorter);
}

Tensor bucketize(const Arg& input, const Tensor& boundaries, bool out_int32, bool right) {
  TANDEM_EXPECTS(boundaries.dim() == 1, ShapeError,
                 fmt::format("[bucketize] argument 'boundaries': expected one dimension, got {}",
                             boundaries.dim()));
  return search(op::bucketize, boundaries, input, out_int32, right, {});
}

Tensor isin(const Arg& elements, const Arg& test_elements, bool, bool invert) {
  const OpRow& row = op::isin;
  TANDEM_EXPECTS(elements.is_tensor() || test_elements.is_tensor(), TypeError,
                 "[isin] argument 'elements': expected a Tensor, or one as test_elements");
  const DType t = compared_dtype(row, elements, test_elements);
  const Device device = device_of(row, elements, test_elements);
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{shape_of(elements), DType::bool_, device, names_of(elements)};
      },
      [&](const Tensor& out) {
        const Tensor test = operand(test_elements, t, device);
        const std::int64_t n = test.numel();
        const Tensor sorted = detail::make_empty({n}, t, device);
        detail::run_sort(row, test.reshape({n}), 0, {.count = n}, &sorted, nullptr);
        run_search(row, sorted, nullptr, operand(elements, t, device), SearchLaunch::Find::Contains,
                   invert, out);
      });
}

namespace ops {

namespace {

std::vector<Value> values_of(const Unique& u) {
  std::vector<Value> r{Value(u.values)};
  for (const Tensor* t : {&u.indices, &u.inverse, &u.counts}) {
    if (t->defined()) r.emplace_back(*t);
  }
  return r;
}

}  // namespace

std::vector<Value> unique(const Tensor& x, bool, bool return_inverse, bool return_counts,
                          std::optional<Axis> dim) {
  return values_of(tandem::unique(x, dim, {.inverse = return_inverse, .counts = return_counts}));
}
std::vector<Value> unique_consecutive(const Tensor& x, bool return_inverse, bool return_counts,
                                      std::optional<Axis> dim) {
  return values_of(
      tandem::unique_consecutive(x, dim, {.inverse = return_inverse, .counts = return_counts}));
}
std::vector<Value> unique_all(const Tensor& x) {
  return values_of(find_runs(op::unique_all, x, {}, {true, true, true}, false));
}
std::vector<Value> unique_counts(const Tensor& x) {
  return values_of(find_runs(op::unique_counts, x, {}, {.counts = true}, false));
}
std::vector<Value> unique_inverse(const Tensor& x) {
  return values_of(find_runs(op::unique_inverse, x, {}, {.inverse = true}, false));
}

Tensor searchsorted(const Tensor& sorted_sequence, const Arg& input, bool out_int32, bool right,
                    std::optional<std::string> side, std::optional<Tensor> sorter) {
  TANDEM_EXPECTS(!side || *side == "left" || *side == "right", ValueError,
                 fmt::format("[searchsorted] argument 'side': expected 'left' or 'right', got '{}'",
                             side.value_or("")));
  TANDEM_EXPECTS(!side || *side == "right" || !right, ValueError,
                 "[searchsorted] argument 'side': expected 'right' with right=True, got 'left'");
  return tandem::searchsorted(sorted_sequence, input, out_int32,
                              right || side.value_or("left") == "right", sorter);
}

Tensor bucketize(const Arg& input, const Tensor& boundaries, bool out_int32, bool right) {
  return tandem::bucketize(input, boundaries, out_int32, right);
}

Tensor isin(const Arg& elements, const Arg& test_elements, bool assume_unique, bool invert) {
  return tandem::isin(elements, test_elements, assume_unique, invert);
}

}  // namespace ops

}  // namespace tandem
