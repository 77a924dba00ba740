// Front-ends of the rows that write at given places, each as a copy and in place.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/indexing.h"
#include "runtime/tensor/names.h"
#include "tandem/op_table.h"

namespace tandem {

using detail::as_indices;
using detail::at_least_1d;
using detail::IndexPlan;
using detail::Join;

namespace {

void check_same_dtype(const OpRow& row, const Tensor& x, const char* argument, const Tensor& t) {
  TANDEM_EXPECTS(x.dtype() == t.dtype(), TypeError,
                 fmt::format("[{}] argument '{}': Expected self.dtype to be equal to {}.dtype, got "
                             "{} and {}",
                             row.name, argument, argument, name(x.dtype()), name(t.dtype())));
}

void check_no_complex(const OpRow& row, const Tensor& x, IndexMode mode) {
  const bool ordered = mode == IndexMode::Greatest || mode == IndexMode::Least;
  TANDEM_EXPECTS(!(ordered && is_complex(x.dtype())) &&
                     !(mode == IndexMode::Average && x.dtype() == DType::bool_),
                 TypeError,
                 fmt::format("[{}] not implemented for '{}'", row.name, info(x.dtype()).title));
}

/// The mode of a word for `reduce`.
IndexMode mode_of(const OpRow& row, const std::string& reduce, bool has_sum) {
  if (reduce == "prod") return IndexMode::Times;
  if (reduce == "mean") return IndexMode::Average;
  if (reduce == "amax") return IndexMode::Greatest;
  if (reduce == "amin") return IndexMode::Least;
  TANDEM_EXPECTS(has_sum && reduce == "sum", ValueError,
                 fmt::format("[{}] argument 'reduce': reduce argument must be either {}prod, "
                             "mean, amax or amin, got {}",
                             row.name, has_sum ? "sum, " : "", reduce));
  return IndexMode::Plus;
}

/// Slices of x along an axis, told by a vector of indices, and values for them.
Tensor write_slices(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index,
                    const Arg& values, const Join& join, bool in_place) {
  detail::check_same_device(row, x, index);
  check_no_complex(row, x, join.mode);
  TANDEM_EXPECTS(index.dim() <= 1, IndexError,
                 fmt::format("[{}] argument 'index': Index should have dimension 1 or 0 (got {})",
                             row.name, index.dim()));
  const auto d = static_cast<std::size_t>(detail::resolve_axis(axis, x, row.name));
  const Tensor indices = at_least_1d(as_indices(row, "index", index));
  Dims wanted(at_least_1d(x).shape());
  wanted[d] = indices.numel();
  Tensor from;
  if (values.is_tensor() && join.mode == IndexMode::Write && values.tensor().dim() == 0 &&
      x.dim() > 0) {
    from = values.tensor();  // one value for all
  } else if (values.is_tensor()) {
    const Tensor& t = values.tensor();
    detail::check_same_device(row, x, t);
    check_same_dtype(row, x, "source", t);
    from = at_least_1d(t);
    TANDEM_EXPECTS(
        from.dim() == static_cast<std::int64_t>(wanted.size()) && from.shape()[d] == wanted[d],
        IndexError,
        fmt::format("[{}] Number of indices ({}) should be equal to source.size(dim): ({}), for "
                    "dim: {}",
                    row.name, wanted[d], d < from.shape().size() ? from.shape()[d] : from.dim(),
                    d));
    TANDEM_EXPECTS(std::ranges::equal(from.shape(), IntSpan(wanted)), ShapeError,
                   fmt::format("[{}] argument 'source': expected slices of shape [{}], got [{}]",
                               row.name, fmt::join(wanted, ", "), fmt::join(from.shape(), ", ")));
    (void)detail::unify_names(x.body_ptr()->names, x.shape().size(), t.body_ptr()->names,
                              t.shape().size(), row.name);
  }
  return detail::write_to(row, x, in_place, [&](const Tensor& self) {
    const Tensor to = at_least_1d(self);
    detail::write_at(row, detail::plan_select(to, d, indices), to,
                     from.defined() ? Arg(from) : Arg(values.scalar()), join);
  });
}

/// x[index[i][j]][j] = src[i][j] and its like.
Tensor write_along(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index,
                   const Arg& src, const Join& join, bool in_place) {
  detail::check_same_device(row, x, index);
  check_no_complex(row, x, join.mode);
  const auto d = static_cast<std::size_t>(detail::resolve_axis(axis, x, row.name));
  const Tensor indices = at_least_1d(as_indices(row, "index", index));
  Tensor from;
  if (src.is_tensor()) {
    const Tensor& t = src.tensor();
    detail::check_same_device(row, x, t);
    check_same_dtype(row, x, "src", t);
    from = at_least_1d(t);
    TANDEM_EXPECTS(from.dim() == indices.dim(), ShapeError,
                   fmt::format("[{}] Index tensor must have the same number of dimensions as src "
                               "tensor, got {} and {}",
                               row.name, index.dim(), t.dim()));
    for (std::size_t k = 0; k < indices.shape().size(); ++k) {
      TANDEM_EXPECTS(indices.shape()[k] <= from.shape()[k], ShapeError,
                     fmt::format("[{}] Expected index [{}] to be no larger than self [{}] apart "
                                 "from dimension {} and to be no larger size than src [{}]",
                                 row.name, fmt::join(index.shape(), ", "),
                                 fmt::join(x.shape(), ", "), d, fmt::join(t.shape(), ", ")));
      from = from.narrow(static_cast<std::int64_t>(k), 0, indices.shape()[k]);
    }
    Names names = detail::unify_names(x.body_ptr()->names, x.shape().size(), t.body_ptr()->names,
                                      t.shape().size(), row.name);
    (void)detail::unify_names(names, std::max(x.dim(), t.dim()), index.body_ptr()->names,
                              index.shape().size(), row.name);
  }
  (void)detail::plan_gather(row, at_least_1d(x), d, indices);  // its checks, before a copy is made
  return detail::write_to(row, x, in_place, [&](const Tensor& self) {
    const Tensor to = at_least_1d(self);
    detail::write_at(row, detail::plan_gather(row, to, d, indices), to,
                     from.defined() ? Arg(from) : Arg(src.scalar()), join);
  });
}

/// A number that x's dtype holds.
void check_number(const OpRow& row, const Tensor& x, const Scalar& s) {
  TANDEM_EXPECTS(x.dtype() == DType::bool_ || s.fits(x.dtype()), ValueError,
                 fmt::format("[{}] value {} cannot be converted to type {} without overflow",
                             row.name, s.str(), name(x.dtype())));
}

Tensor add_slices(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index,
                  const Tensor& source, const Scalar& alpha, bool in_place) {
  Join join{.mode = IndexMode::Plus};
  if (alpha.to_complex() != std::complex<double>(1)) {
    TANDEM_EXPECTS(alpha.category() <= category(x.dtype()), TypeError,
                   fmt::format("[{}] argument 'alpha': expected a number that {} holds, got {}",
                               row.name, name(x.dtype()), alpha.str()));
    check_number(row, x, alpha);
    join.alpha = alpha;
  }
  return write_slices(row, x, axis, index, source, join, in_place);
}

Tensor fill_slices(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index,
                   const Arg& value, bool in_place) {
  Tensor held;
  const Arg fill = detail::filling(row, x, value, held);
  // A 0-d tensor of a 0-d one is not a slice of it, but its value.
  if (x.dim() == 0 && fill.is_tensor()) {
    return write_slices(row, x, axis, index, fill.tensor().unsqueeze(0).expand({index.numel()}), {},
                        in_place);
  }
  return write_slices(row, x, axis, index, fill, {}, in_place);
}

Tensor scatter_src(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index,
                   const Arg& src, const std::optional<std::string>& reduce, bool in_place) {
  Join join;
  if (reduce) {
    TANDEM_EXPECTS(*reduce == "add" || *reduce == "multiply", ValueError,
                   fmt::format("[{}] argument 'reduce': reduce argument must be either add or "
                               "multiply, got {}",
                               row.name, *reduce));
    join.mode = *reduce == "add" ? IndexMode::Plus : IndexMode::Times;
  }
  if (!src.is_tensor()) check_number(row, x, src.scalar());
  return write_along(row, x, axis, index, src, join, in_place);
}

Tensor put_flat(const OpRow& row, const Tensor& x, const Tensor& index, const Tensor& source,
                bool accumulate, bool in_place) {
  detail::check_same_device(row, x, index);
  detail::check_same_device(row, x, source);
  check_same_dtype(row, x, "source", source);
  TANDEM_EXPECTS(source.numel() == index.numel(), IndexError,
                 fmt::format("[{}] Expected source and index to have the same number of elements, "
                             "but got source.numel() = {}, index.numel() = {}",
                             row.name, source.numel(), index.numel()));
  const Tensor indices = as_indices(row, "index", index).rename(std::nullopt).reshape({-1});
  return detail::write_to(row, x, in_place, [&](const Tensor& self) {
    const Tensor dense = self.rename(std::nullopt).contiguous();
    const Tensor flat = dense.view({-1});
    const Tensor values = detail::apart_from(source, self).rename(std::nullopt).reshape({-1});
    const Join join{.mode = accumulate ? IndexMode::Plus : IndexMode::Write};
    detail::write_at(row, detail::plan_take(flat, detail::apart_from(indices, self)), flat, values,
                     join);
    if (!dense.shares_storage(self)) detail::copy_elements(self, dense);
  });
}

/// Values of x[indices] = values: broadcast, leading sizes of 1 dropped.
Tensor fit_values(const OpRow& row, const Dims& shape, const Names& names, const Tensor& values) {
  Tensor v = values;
  while (v.dim() > static_cast<std::int64_t>(shape.size()) && v.shape()[0] == 1) {
    v = v.select(0, 0);
  }
  bool fits = v.dim() <= static_cast<std::int64_t>(shape.size());
  const std::size_t lead = fits ? shape.size() - v.shape().size() : 0;
  for (std::size_t d = 0; fits && d < v.shape().size(); ++d) {
    fits = v.shape()[d] == shape[lead + d] || v.shape()[d] == 1;
  }
  TANDEM_EXPECTS(fits, ShapeError,
                 fmt::format("shape mismatch: value tensor of shape [{}] cannot be broadcast to "
                             "indexing result of shape [{}]",
                             fmt::join(values.shape(), ", "), fmt::join(shape, ", ")));
  (void)detail::unify_names(names, shape.size(), v.body_ptr()->names, v.shape().size(), row.name);
  return v;
}

Tensor put_at(const OpRow& row, const Tensor& x, const std::vector<Tensor>& indices,
              const Tensor& values, bool accumulate, bool in_place) {
  const trace::OpScope scope(row.name);
  TANDEM_EXPECTS(x.dtype() == values.dtype(), TypeError,
                 fmt::format("[{}] Index put requires the source and destination dtypes match, "
                             "got {} for the destination and {} for the source.",
                             row.name, info(x.dtype()).title, info(values.dtype()).title));
  const bool number = values.dim() == 0 && values.device().is_cpu();
  if (!number) detail::check_same_device(row, x, values);
  const detail::Arrays arrays = detail::expand_indices(row, x, indices);
  Names names;
  const IndexPlan shown = detail::plan_arrays(row, x, arrays, names);
  const Tensor from = fit_values(row, shown.shape, names, values);
  return detail::write_to(row, x, in_place, [&](const Tensor& self) {
    Names ignored;
    const Join join{.mode = accumulate ? IndexMode::Plus : IndexMode::Write,
                    .distinct = arrays.distinct};
    detail::write_at(row, detail::plan_arrays(row, self, arrays, ignored), self, from, join);
  });
}

}  // namespace

// ---- the rows, each as a copy and in place

#define TANDEM_BOTH(name, function, parameters, ...)        \
  Tensor name(const Tensor& x, TANDEM_ARGS parameters) {    \
    return function(op::name, x, __VA_ARGS__, false);       \
  }                                                         \
  Tensor name##_(const Tensor& x, TANDEM_ARGS parameters) { \
    return function(op::name##_, x, __VA_ARGS__, true);     \
  }
#define TANDEM_ARGS(...) __VA_ARGS__

TANDEM_BOTH(index_put, put_at,
            (const std::vector<Tensor>& indices, const Tensor& values, bool accumulate), indices,
            values, accumulate)
TANDEM_BOTH(index_add, add_slices,
            (Axis axis, const Tensor& index, const Tensor& source, const Scalar& alpha), axis,
            index, source, alpha)
TANDEM_BOTH(index_copy, write_slices, (Axis axis, const Tensor& index, const Tensor& source), axis,
            index, source, Join())
TANDEM_BOTH(index_fill, fill_slices, (Axis axis, const Tensor& index, const Arg& value), axis,
            index, value)
TANDEM_BOTH(scatter, scatter_src,
            (Axis axis, const Tensor& index, const Arg& src,
             const std::optional<std::string>& reduce),
            axis, index, src, reduce)
TANDEM_BOTH(scatter_add, write_along, (Axis axis, const Tensor& index, const Tensor& src), axis,
            index, src, Join{.mode = IndexMode::Plus})
TANDEM_BOTH(put, put_flat, (const Tensor& index, const Tensor& source, bool accumulate), index,
            source, accumulate)
#undef TANDEM_ARGS
#undef TANDEM_BOTH

namespace {

Tensor reduce_slices(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index,
                     const Tensor& source, const std::string& reduce, bool include_self,
                     bool in_place) {
  const Join join{.mode = mode_of(row, reduce, false), .include_self = include_self};
  return write_slices(row, x, axis, index, source, join, in_place);
}
Tensor reduce_along(const OpRow& row, const Tensor& x, Axis axis, const Tensor& index,
                    const Tensor& src, const std::string& reduce, bool include_self,
                    bool in_place) {
  const Join join{.mode = mode_of(row, reduce, true), .include_self = include_self};
  return write_along(row, x, axis, index, src, join, in_place);
}

}  // namespace

Tensor index_reduce(const Tensor& x, Axis axis, const Tensor& index, const Tensor& source,
                    const std::string& reduce, bool include_self) {
  return reduce_slices(op::index_reduce, x, axis, index, source, reduce, include_self, false);
}
Tensor index_reduce_(const Tensor& x, Axis axis, const Tensor& index, const Tensor& source,
                     const std::string& reduce, bool include_self) {
  return reduce_slices(op::index_reduce_, x, axis, index, source, reduce, include_self, true);
}
Tensor scatter_reduce(const Tensor& x, Axis axis, const Tensor& index, const Tensor& src,
                      const std::string& reduce, bool include_self) {
  return reduce_along(op::scatter_reduce, x, axis, index, src, reduce, include_self, false);
}
Tensor scatter_reduce_(const Tensor& x, Axis axis, const Tensor& index, const Tensor& src,
                       const std::string& reduce, bool include_self) {
  return reduce_along(op::scatter_reduce_, x, axis, index, src, reduce, include_self, true);
}

}  // namespace tandem
