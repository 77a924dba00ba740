// Rules for names and axes that every op's inference uses. Internal.
#pragma once

#include "tandem/tensor.h"

namespace tandem::detail {

/// Empty where no dimension is named.
Names simplified(Names names);
/// Raises ShapeError where a name occurs twice.
void check_unique(const Names& names, const char* op);
/// One name a dimension, no duplicates; simplified.
Names checked_names(const Names& names, std::size_t rank, const char* op);
/// The names of a broadcast: equal or one missing, from the right. Raises ShapeError.
Names unify_names(const Names& a, std::size_t rank_a, const Names& b, std::size_t rank_b,
                  const char* op);

/// An axis in [0, rank); a 0-d tensor takes 0 and -1. Raises IndexError.
std::int64_t wrap_axis(std::int64_t axis, std::int64_t rank, const char* op);
/// By position or name. Raises IndexError, ShapeError.
std::int64_t resolve_axis(const Axis& axis, std::int64_t rank, const Names& names, const char* op);
inline std::int64_t resolve_axis(const Axis& axis, const Tensor& t, const char* op) {
  const std::int64_t i = axis.index();
  if (const std::int64_t rank = t.dim(); !axis.is_named() && i >= -rank && i < rank) [[likely]]
    return i < 0 ? i + rank : i;
  return resolve_axis(axis, t.dim(), t.body_ptr()->names, op);
}
/// A set of axes as bits; no axes means all. Raises on duplicates and on names mixed with numbers.
std::uint64_t resolve_axes(const Axes& axes, const Tensor& t, const char* op);
/// Names after a reduction over the set.
Names names_without(const Names& names, std::uint64_t removed, bool keepdim);

}  // namespace tandem::detail
