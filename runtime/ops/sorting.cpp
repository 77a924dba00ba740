// Front-ends of sort, argsort, msort, topk, kthvalue, median, nanmedian: all of them the kernel of
// sort, which writes the part of the sorted rows that is wanted.
#include "runtime/ops/sorting.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/reduce.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace detail {

void check_sortable(const OpRow& row, DType t, DTypeSet set) {
  TANDEM_EXPECTS(set.has(t), TypeError,
                 fmt::format("[{}] not implemented for '{}'", row.name, info(t).title));
}

void check_has_values(const OpRow& row, const Tensor& x) {
  TANDEM_EXPECTS(!x.is_meta(), NotImplemented,
                 fmt::format("[{}] the result's shape depends on the elements; a meta tensor has "
                             "none",
                             row.name));
}

void check_has_elements(const OpRow& row, const Tensor& x, std::int64_t dim) {
  TANDEM_EXPECTS(
      x.dim() == 0 || x.shape()[static_cast<std::size_t>(dim)] != 0, IndexError,
      fmt::format("[{}] Expected reduction dim {} to have non-zero size.", row.name, dim));
}

Tensor working(const Tensor& x, IntSpan shape, DType t) { return make_empty(shape, t, x.device()); }

Tensor dense_row(const Tensor& x) {
  return x.rename(std::nullopt).reshape({x.numel()}).contiguous();
}

namespace {

/// Memory that a launch points into.
struct SortStorage {
  std::int64_t shape[kMaxRank];
  std::int64_t strides[3][kMaxRank];
};

std::int64_t byte_stride(const Tensor& t, std::size_t d) {
  return t.strides()[d] * static_cast<std::int64_t>(t.element_size());
}

/// The dimensions besides `dim`, those that lie far apart in x first.
SmallVector<std::int64_t, 6> outer_dims(const Tensor& x, std::int64_t dim) {
  SmallVector<std::int64_t, 6> dims;
  for (std::int64_t d = 0; d < x.dim(); ++d) {
    if (d != dim) dims.push_back(d);
  }
  const auto far = [&](std::int64_t d) {
    return std::abs(x.strides()[static_cast<std::size_t>(d)]);
  };
  std::stable_sort(dims.begin(), dims.end(),
                   [&](std::int64_t a, std::int64_t b) { return far(a) > far(b); });
  return dims;
}

}  // namespace

void run_sort(const OpRow& row, const Tensor& x, std::int64_t dim, const Wanted& wanted,
              const Tensor* values, const Tensor* indices) {
  SortStorage storage;
  SortLaunch l{};
  l.row = &row;
  l.shape = storage.shape;
  l.dtype = x.dtype();
  l.descending = wanted.descending;
  l.pick = wanted.pick;
  l.first = wanted.first;
  l.count = wanted.count;
  l.device = x.device();
  const Tensor* tensors[] = {&x, values, indices};
  l.stream = launch_stream(l.device, {values, indices}, {&x});
  OperandDesc* operands[] = {&l.in, &l.values, &l.indices};
  std::int64_t* along[] = {&l.in_stride, &l.values_stride, &l.indices_stride};
  l.n = 1;
  l.rows = 1;
  if (x.dim() > 0) l.n = x.shape()[static_cast<std::size_t>(dim)];
  for (const std::int64_t d : outer_dims(x, dim)) {
    const auto at = static_cast<std::size_t>(d);
    storage.shape[l.rank] = x.shape()[at];
    l.rows *= x.shape()[at];
    for (std::size_t k = 0; k < 3; ++k) {
      if (tensors[k] != nullptr) storage.strides[k][l.rank] = byte_stride(*tensors[k], at);
    }
    ++l.rank;
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const Tensor* t = tensors[k];
    if (t == nullptr) continue;
    *operands[k] = {t->data_ptr(), storage.strides[k], {}, t->dtype(), t->dtype()};
    if (x.dim() > 0) *along[k] = byte_stride(*t, static_cast<std::size_t>(dim));
  }
  if (l.rows == 0 || l.n == 0 || l.count == 0) return;
  launch(op::sort, l.device, &l);
}

}  // namespace detail

namespace {

using detail::OutSpec;
using detail::Wanted;

/// x's shape with another size along `dim`; a 0-d tensor stays one.
Dims resized(const Tensor& x, std::int64_t dim, std::int64_t size) {
  Dims shape(x.shape());
  if (x.dim() > 0) shape[static_cast<std::size_t>(dim)] = size;
  return shape;
}

OutSpec spec_of(const Tensor& x, Dims shape, DType t, bool keeps_layout) {
  OutSpec s{std::move(shape), t, x.device(), x.body_ptr()->names};
  const Tensor* inputs[] = {&x};
  if (keeps_layout) s.strides = detail::output_strides(s.shape, inputs);
  return s;
}

std::int64_t length(const Tensor& x, std::int64_t dim) {
  return x.dim() == 0 ? 1 : x.shape()[static_cast<std::size_t>(dim)];
}

/// Values and indices along a dimension.
std::tuple<Tensor, Tensor> both(const OpRow& row, const Tensor& x, std::int64_t dim,
                                const Wanted& w) {
  const bool whole = w.count == length(x, dim);
  auto outs = detail::run<2>(
      row, {nullptr, nullptr},
      [&] {
        const Dims shape = resized(x, dim, w.count);
        return std::array<OutSpec, 2>{spec_of(x, shape, x.dtype(), whole),
                                      spec_of(x, shape, DType::int64, whole)};
      },
      [&](std::array<Tensor, 2>& to) { detail::run_sort(row, x, dim, w, &to[0], &to[1]); });
  return {outs[0], outs[1]};
}

/// One of the two.
Tensor one(const OpRow& row, const Tensor& x, std::int64_t dim, const Wanted& w, bool indices) {
  return detail::run_one(
      row, nullptr,
      [&] { return spec_of(x, Dims(x.shape()), indices ? DType::int64 : x.dtype(), true); },
      [&](const Tensor& to) {
        detail::run_sort(row, x, dim, w, indices ? nullptr : &to, indices ? &to : nullptr);
      });
}

/// One position of each sorted row, and its index.
std::tuple<Tensor, Tensor> position(const OpRow& row, const Tensor& x, std::int64_t dim,
                                    bool keepdim, const Wanted& w) {
  const detail::Reduced r{x.dim() == 0 ? 0 : std::uint64_t(1) << dim, keepdim};
  auto outs = detail::run<2>(
      row, {nullptr, nullptr},
      [&] {
        return std::array<OutSpec, 2>{r.spec(x, x.dtype()), r.spec(x, DType::int64)};
      },
      [&](std::array<Tensor, 2>& to) {
        const bool as_they_are = keepdim || x.dim() == 0;
        const Tensor values = as_they_are ? to[0] : to[0].unsqueeze(dim);
        const Tensor indices = as_they_are ? to[1] : to[1].unsqueeze(dim);
        detail::run_sort(row, x, dim, w, &values, &indices);
      });
  return {outs[0], outs[1]};
}

Tensor middle_of_all(const OpRow& row, const Tensor& x, SortLaunch::Pick pick) {
  detail::check_sortable(row, x.dtype());
  TANDEM_EXPECTS(
      x.numel() > 0 || is_float(x.dtype()), IndexError,
      fmt::format("[{}] expected elements, got none: only a float can be NaN", row.name));
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{{}, x.dtype(), x.device(), {}};
      },
      [&](const Tensor& to) {
        if (x.numel() == 0) {
          Tensor(to).fill_(std::numeric_limits<double>::quiet_NaN());
          return;
        }
        const Tensor values = to.unsqueeze(0);
        detail::run_sort(row, detail::dense_row(x), 0, {.pick = pick, .count = 1}, &values,
                         nullptr);
      });
}

std::tuple<Tensor, Tensor> middle(const OpRow& row, const Tensor& x, Axis axis, bool keepdim,
                                  SortLaunch::Pick pick) {
  detail::check_sortable(row, x.dtype());
  const std::int64_t dim = detail::resolve_axis(axis, x, row.name);
  detail::check_has_elements(row, x, dim);
  return position(row, x, dim, keepdim, {.pick = pick, .count = 1});
}

}  // namespace

std::tuple<Tensor, Tensor> sort(const Tensor& x, Axis axis, bool descending, bool) {
  detail::check_sortable(op::sort, x.dtype());
  const std::int64_t dim = detail::resolve_axis(axis, x, "sort");
  return both(op::sort, x, dim, {.descending = descending, .count = length(x, dim)});
}

Tensor argsort(const Tensor& x, Axis axis, bool descending, bool) {
  detail::check_sortable(op::argsort, x.dtype());
  const std::int64_t dim = detail::resolve_axis(axis, x, "argsort");
  return one(op::argsort, x, dim, {.descending = descending, .count = length(x, dim)}, true);
}

Tensor msort(const Tensor& x) {
  detail::check_sortable(op::msort, x.dtype());
  return one(op::msort, x, 0, {.count = length(x, 0)}, false);
}

std::tuple<Tensor, Tensor> topk(const Tensor& x, std::int64_t k, Axis axis, bool largest, bool) {
  detail::check_sortable(op::topk, x.dtype());
  const std::int64_t dim = detail::resolve_axis(axis, x, "topk");
  TANDEM_EXPECTS(k >= 0 && k <= length(x, dim), ValueError,
                 fmt::format("[topk] argument 'k': expected a number in [0, {}], the size of "
                             "dimension {}, got {}",
                             length(x, dim), dim, k));
  return both(op::topk, x, dim, {.descending = largest, .count = k});
}

std::tuple<Tensor, Tensor> kthvalue(const Tensor& x, std::int64_t k, Axis axis, bool keepdim) {
  detail::check_sortable(op::kthvalue, x.dtype());
  const std::int64_t dim = detail::resolve_axis(axis, x, "kthvalue");
  TANDEM_EXPECTS(k >= 1 && k <= length(x, dim), ValueError,
                 fmt::format("[kthvalue] argument 'k': expected a number in [1, {}], the size of "
                             "dimension {}, got {}",
                             length(x, dim), dim, k));
  return position(op::kthvalue, x, dim, keepdim, {.first = k - 1, .count = 1});
}

Tensor median(const Tensor& x) { return middle_of_all(op::median, x, SortLaunch::Pick::Median); }
std::tuple<Tensor, Tensor> median(const Tensor& x, Axis dim, bool keepdim) {
  return middle(op::median, x, dim, keepdim, SortLaunch::Pick::Median);
}
Tensor nanmedian(const Tensor& x) {
  return middle_of_all(op::nanmedian, x, SortLaunch::Pick::NanMedian);
}
std::tuple<Tensor, Tensor> nanmedian(const Tensor& x, Axis dim, bool keepdim) {
  return middle(op::nanmedian, x, dim, keepdim, SortLaunch::Pick::NanMedian);
}

namespace ops {

std::vector<Value> median(const Tensor& x, std::optional<Axis> dim, bool keepdim) {
  return dim ? detail::results(tandem::median(x, *dim, keepdim))
             : detail::results(tandem::median(x));
}
std::vector<Value> nanmedian(const Tensor& x, std::optional<Axis> dim, bool keepdim) {
  return dim ? detail::results(tandem::nanmedian(x, *dim, keepdim))
             : detail::results(tandem::nanmedian(x));
}

}  // namespace ops

}  // namespace tandem
