// Elementwise functions beside those that the op table declares (ops.h): the ones made of others,
// views of complex tensors, further arguments, and the operators of integers.
#pragma once

#include <optional>
#include <tuple>

#include "tandem/ops.h"
#include "tandem/tensor.h"

namespace tandem {

// ---- complex tensors
/// The real parts as a view; a real tensor itself.
TANDEM_API Tensor real(const Tensor& z);
/// The imaginary parts as a view. Raises TypeError on a real tensor.
TANDEM_API Tensor imag(const Tensor& z);
/// A view of shape [..., 2]; the new dimension has no name.
TANDEM_API Tensor view_as_real(const Tensor& z);
/// The inverse of view_as_real: the last dimension has size 2 and stride 1, the other strides and
/// the offset are even. float32 or float64.
TANDEM_API Tensor view_as_complex(const Tensor& pairs);
/// Argument in radians; pi or 0 for real numbers.
TANDEM_API Tensor angle(const Tensor& x);

// ---- questions
TANDEM_API Tensor isreal(const Tensor& x);
TANDEM_API Tensor isposinf(const Tensor& x);
TANDEM_API Tensor isneginf(const Tensor& x);
/// Element by element: x == y, or |x - y| <= atol + |rtol * y| with both finite.
TANDEM_API Tensor isclose(const Arg& x, const Arg& y, const Scalar& rtol = 1e-5,
                          const Scalar& atol = 1e-8, bool equal_nan = false);

// ---- arithmetic
/// The tensor itself. Raises TypeError on bool.
TANDEM_API Tensor positive(const Tensor& x);
TANDEM_API Tensor deg2rad(const Tensor& x);
TANDEM_API Tensor rad2deg(const Tensor& x);
TANDEM_API Tensor clamp_min(const Tensor& x, const Arg& min);
TANDEM_API Tensor clamp_max(const Tensor& x, const Arg& max);
/// other - alpha * x
TANDEM_API Tensor rsub(const Tensor& x, const Arg& other, const Scalar& alpha = 1);
/// pow in float64, or complex128 where an argument is complex.
TANDEM_API Tensor float_power(const Arg& x, const Arg& exponent);
/// x + value * a / b
TANDEM_API Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, const Scalar& value = 1);
/// Limits x to [eps, 1 - eps] first.
TANDEM_API Tensor logit(const Tensor& x, double eps);
/// To the nearest multiple of 10^-decimals, half to even in x * 10^decimals; floats only unless
/// decimals is 0.
TANDEM_API Tensor round(const Tensor& x, std::int64_t decimals);
/// NaN, +inf and -inf replaced; infinities by the greatest and least numbers of the dtype where no
/// value is given.
TANDEM_API Tensor nan_to_num(const Arg& x, const Scalar& nan = 0, std::optional<Scalar> posinf = {},
                             std::optional<Scalar> neginf = {});
/// Mantissa, |m| in [0.5, 1), and exponent (int32): x = m * 2^e.
TANDEM_API std::tuple<Tensor, Tensor> frexp(const Tensor& x);
TANDEM_OUT_OF_TWO(frexp)
/// log of the multivariate gamma function; p >= 1, NaN or what lgamma gives below (p - 1) / 2.
TANDEM_API Tensor mvlgamma(const Tensor& x, std::int64_t p);
/// The n-th derivative of digamma, n >= 0.
TANDEM_API Tensor polygamma(std::int64_t n, const Tensor& x);

// ---- functions of neural networks that are pointwise: the others are rows of the table (relu,
// selu, threshold)
TANDEM_API Tensor celu(const Tensor& x);        // alpha = 1
TANDEM_API Tensor hardshrink(const Tensor& x);  // lambd = 0.5
/// x above 0, weight * x elsewhere: one weight, or one for each element of dimension 1.
TANDEM_API Tensor prelu(const Tensor& x, const Tensor& weight);

// ---- operators
inline Tensor operator%(const Tensor& x, const Arg& y) { return remainder(x, y); }
inline Tensor operator%(const Scalar& x, const Tensor& y) { return remainder(x, y); }
inline Tensor operator&(const Tensor& x, const Arg& y) { return bitwise_and(x, y); }
inline Tensor operator&(const Scalar& x, const Tensor& y) { return bitwise_and(x, y); }
inline Tensor operator|(const Tensor& x, const Arg& y) { return bitwise_or(x, y); }
inline Tensor operator|(const Scalar& x, const Tensor& y) { return bitwise_or(x, y); }
inline Tensor operator^(const Tensor& x, const Arg& y) { return bitwise_xor(x, y); }
inline Tensor operator^(const Scalar& x, const Tensor& y) { return bitwise_xor(x, y); }
inline Tensor operator<<(const Tensor& x, const Arg& y) { return bitwise_left_shift(x, y); }
inline Tensor operator<<(const Scalar& x, const Tensor& y) { return bitwise_left_shift(x, y); }
inline Tensor operator>>(const Tensor& x, const Arg& y) { return bitwise_right_shift(x, y); }
inline Tensor operator>>(const Scalar& x, const Tensor& y) { return bitwise_right_shift(x, y); }
inline Tensor operator~(const Tensor& x) { return bitwise_not(x); }

}  // namespace tandem
