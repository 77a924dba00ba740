// The boxed forms of the pointwise rows whose public functions differ. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "tandem/pointwise.h"

namespace tandem::detail {

/// The kernels of quaternary rows, numbers and dtypes as they are.
Tensor isclose_kernel(const Arg& x, const Arg& y, const Scalar& rtol, const Scalar& atol);
Tensor nan_to_num_kernel(const Tensor& x, const Scalar& nan, const Scalar& above,
                         const Scalar& below);

}  // namespace tandem::detail

namespace tandem::ops {

Tensor logit(const Tensor& x, std::optional<double> eps);
Tensor round(const Tensor& x, std::int64_t decimals);
Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, const Scalar& value);
Tensor nan_to_num(const Arg& x, const Scalar& nan, std::optional<Scalar> posinf,
                  std::optional<Scalar> neginf);
Tensor isclose(const Arg& x, const Arg& y, const Scalar& rtol, const Scalar& atol, bool equal_nan);

}  // namespace tandem::ops
