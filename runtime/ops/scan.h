// The boxed forms of scan.def, where they are not the public functions. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/scan.h"

namespace tandem::ops {

Tensor cumsum_(const Tensor& x, Axis axis, std::optional<DType> dtype);
Tensor cumprod_(const Tensor& x, Axis axis, std::optional<DType> dtype);

Tensor renorm_(const Tensor& x, double order, Axis axis, double maxnorm);
/// The C++ form is x.diagonal().sum(); the namespace of the log has the name.
Tensor trace(const Tensor& x);

/// p: a number, 'fro', 'inf' or '-inf'.
Tensor norm(const Tensor& x, const Value& p, const Axes& axes, bool keepdim,
            std::optional<DType> dtype);

}  // namespace tandem::ops
