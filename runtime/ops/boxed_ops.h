// The full forms of ops whose plain C++ form takes fewer arguments, as the op table's boxed calls
// need them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/dispatch/boxed.h"

namespace tandem::ops {

using MaybeNames = std::optional<std::vector<std::string>>;
using MaybeDType = std::optional<DType>;
using MaybeDevice = std::optional<Device>;

/// The options that the keywords of creating ops stand for.
Options options_of(MaybeDType dtype, MaybeDevice device, const MaybeNames& names);

Tensor add(const Arg& x, const Arg& y, const Scalar& alpha);
Tensor sub(const Arg& x, const Arg& y, const Scalar& alpha);
Tensor div(const Arg& x, const Arg& y, std::optional<std::string> rounding_mode);
Tensor clamp(const Tensor& x, std::optional<detail::ArgHolder> min,
             std::optional<detail::ArgHolder> max);
Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, const Scalar& value);

Tensor fill(IntSpan size, const Scalar& value, MaybeDType dtype, MaybeDevice device,
            MaybeNames names);
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, MaybeDType dtype,
              MaybeDevice device, MaybeNames names);
Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps, MaybeDType dtype,
                MaybeDevice device, MaybeNames names);
Tensor eye(std::int64_t n, std::optional<std::int64_t> m, MaybeDType dtype, MaybeDevice device,
           MaybeNames names);

Tensor copy_(const Tensor& x, const Tensor& source, bool non_blocking);

Tensor flatten(const Tensor& x, Axis start, Axis end, std::optional<std::string> name);
Tensor unflatten(const Tensor& x, Axis axis, IntSpan sizes, MaybeNames names);
std::vector<Tensor> split(const Tensor& x, const Value& sizes, Axis axis);
Tensor as_strided(const Tensor& x, IntSpan size, IntSpan stride,
                  std::optional<std::int64_t> offset);

Tensor cat(const std::vector<Tensor>& tensors, Axis axis);
Tensor stack(const std::vector<Tensor>& tensors, std::int64_t axis);
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands,
              const std::string& optimize, std::optional<std::int64_t> memory_limit);
std::vector<Value> einsum_path(const std::string& equation, const std::vector<Tensor>& operands,
                               const std::string& optimize,
                               std::optional<std::int64_t> memory_limit);

/// Any reduction row of the table.
std::vector<Value> reduction(const OpRow& row, std::span<const Value> args);
/// Values and indices along an axis; the value alone without one.
std::vector<Value> max(const Tensor& x, std::optional<Axis> axis, bool keepdim);
std::vector<Value> min(const Tensor& x, std::optional<Axis> axis, bool keepdim);

}  // namespace tandem::ops
