// Boxed forms of view ops whose arguments come in several shapes.
#include <fmt/format.h>

#include "runtime/ops/boxed_ops.h"

namespace tandem::ops {

Tensor flatten(const Tensor& x, Axis start, Axis end, std::optional<std::string> name) {
  return x.flatten(start, end,
                   name ? std::optional<Name>(Name(std::string_view(*name))) : std::nullopt);
}

Tensor unflatten(const Tensor& x, Axis axis, IntSpan sizes, MaybeNames names) {
  Names list;
  if (names) {
    for (const std::string& n : *names) list.push_back(n.empty() || n == "None" ? Name() : Name(n));
  }
  return x.unflatten(axis, sizes, list);
}

std::vector<Tensor> split(const Tensor& x, const Value& sizes, Axis axis) {
  if (sizes.is<Dims>()) return x.split_sizes(sizes.as<Dims>(), axis);
  TANDEM_EXPECTS(sizes.is<Scalar>() && sizes.as<Scalar>().is_integral(), TypeError,
                 "[split] argument 'split_size_or_sections': expected an int or a list of ints");
  return x.split(sizes.as<Scalar>().to_int(), axis);
}

Tensor as_strided(const Tensor& x, IntSpan size, IntSpan stride,
                  std::optional<std::int64_t> offset) {
  return x.as_strided(size, stride, offset);
}

}  // namespace tandem::ops
