// Pointwise functions made of the table's rows, with arguments that a row has not, and the views of
// complex tensors.
#include "runtime/ops/pointwise.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/tensor/body.h"
#include "tandem/op_table.h"

namespace tandem {

namespace {

constexpr double kPi = 3.14159265358979323846;

DType part_dtype(DType t) { return t == DType::complex128 ? DType::float64 : DType::float32; }

/// A view of a complex tensor's parts: twice the strides, from the first real or imaginary one.
Tensor parts_view(const Tensor& x, std::int64_t first, bool both) {
  const detail::TensorBody& b = *x.body_ptr();
  Dims shape = b.shape;
  Dims strides = b.strides;
  for (std::int64_t& s : strides) s *= 2;
  Names names = b.names;
  if (both) {
    shape.push_back(2);
    strides.push_back(1);
    if (!names.empty()) names.push_back(Name());
  }
  Tensor v = detail::make_view(x, 2 * b.offset + first, shape, strides, names);
  v.body_ptr()->dtype = part_dtype(b.dtype);
  return v;
}

void expect_complex(const char* op, const Tensor& x) {
  TANDEM_EXPECTS(
      is_complex(x.dtype()), TypeError,
      fmt::format("[{}] argument 'x': expected a complex tensor, got {}", op, name(x.dtype())));
}
void expect_real(const char* op, const Tensor& x) {
  TANDEM_EXPECTS(
      !is_complex(x.dtype()), TypeError,
      fmt::format("[{}] argument 'x': expected a real tensor, got {}", op, name(x.dtype())));
}

DType dtype_of_arg(const Arg& a) { return a.is_tensor() ? a.tensor().dtype() : a.scalar().dtype(); }

void expect_tolerance(const char* what, const Scalar& s) {
  TANDEM_EXPECTS(
      s.category() < Category::Complex && s.to_double() >= 0, ValueError,
      fmt::format("[isclose] argument '{}': expected a number that is not negative, got {}", what,
                  s.str()));
}

}  // namespace

// ---- complex tensors

Tensor real(const Tensor& x) { return is_complex(x.dtype()) ? parts_view(x, 0, false) : x; }

Tensor imag(const Tensor& x) {
  expect_complex("imag", x);
  return parts_view(x, 1, false);
}

Tensor view_as_real(const Tensor& x) {
  expect_complex("view_as_real", x);
  return parts_view(x, 0, true);
}

Tensor view_as_complex(const Tensor& x) {
  const DType t = x.dtype();
  TANDEM_EXPECTS(
      t == DType::float32 || t == DType::float64, TypeError,
      fmt::format("[view_as_complex] argument 'x': expected float32 or float64, got {}", name(t)));
  TANDEM_EXPECTS(x.dim() > 0 && x.shape().back() == 2, ShapeError,
                 "[view_as_complex] Tensor must have a last dimension of size 2");
  TANDEM_EXPECTS(x.strides().back() == 1, ShapeError,
                 "[view_as_complex] Tensor must have a last dimension with stride 1");
  const detail::TensorBody& b = *x.body_ptr();
  Dims shape(IntSpan(b.shape).first(b.shape.size() - 1));
  Dims strides(IntSpan(b.strides).first(shape.size()));
  for (std::size_t d = 0; d < shape.size(); ++d) {
    TANDEM_EXPECTS(strides[d] % 2 == 0 || shape[d] <= 1, ShapeError,
                   "[view_as_complex] Tensor must have a stride divisible by 2 for all but last "
                   "dimension");
    strides[d] /= 2;
  }
  TANDEM_EXPECTS(b.offset % 2 == 0, ShapeError,
                 "[view_as_complex] Tensor must have a storage_offset divisible by 2");
  Names names = b.names;
  if (!names.empty()) names.pop_back();
  Tensor v = detail::make_view(x, b.offset / 2, shape, strides, names);
  v.body_ptr()->dtype = t == DType::float64 ? DType::complex128 : DType::complex64;
  TANDEM_EXPECTS(
      v.numel() == 0 || reinterpret_cast<std::uintptr_t>(v.data_ptr()) % 8 == 0, ShapeError,
      "[view_as_complex] expected memory aligned for complex numbers; clone() the tensor "
      "first");
  return v;
}

Tensor angle(const Tensor& x) {
  if (is_complex(x.dtype())) return atan2(imag(x), real(x));
  const Tensor negative = category(x.dtype()) == Category::Bool ? logical_and(x, false) : lt(x, 0);
  if (category(x.dtype()) < Category::Float) return mul(negative, kPi);
  return where(negative, kPi, clamp(x, 0, 0));  // NaN stays
}

// ---- questions

Tensor isreal(const Tensor& x) {
  if (is_complex(x.dtype())) return eq(imag(x), 0);
  return full_like(x, true, {.dtype = DType::bool_});
}

Tensor isposinf(const Tensor& x) {
  expect_real("isposinf", x);
  return eq(x, INFINITY);
}

Tensor isneginf(const Tensor& x) {
  expect_real("isneginf", x);
  return eq(x, -INFINITY);
}

Tensor isclose(const Arg& x, const Arg& y, const Scalar& rtol, const Scalar& atol, bool equal_nan) {
  expect_tolerance("rtol", rtol);
  expect_tolerance("atol", atol);
  TANDEM_EXPECTS(!x.is_tensor() || !y.is_tensor() || x.tensor().dtype() == y.tensor().dtype(),
                 TypeError,
                 fmt::format("[isclose] expected tensors of one dtype, got {} and {}",
                             name(dtype_of_arg(x)), name(dtype_of_arg(y))));
  if (category(result_type(x, y)) < Category::Float) {
    // Of integers and bool: exact where nothing is tolerated, else in float64.
    if (rtol.is_zero() && atol.is_zero()) return eq(x, y);
    const auto wide = [](const Arg& a) {
      return a.is_tensor() ? a.tensor().to(DType::float64)
                           : scalar_tensor(a.scalar(), {.dtype = DType::float64});
    };
    const Tensor a = wide(x);
    const Tensor b = wide(y);
    return isclose(a, b, rtol, atol);
  }
  Tensor close = detail::isclose_kernel(x, y, rtol, atol);
  if (!equal_nan) return close;
  const auto nan_of = [](const Arg& a) {
    return isnan(a.is_tensor() ? a.tensor() : scalar_tensor(a.scalar()));
  };
  return logical_or(close, logical_and(nan_of(x), nan_of(y)));
}

// ---- arithmetic

Tensor positive(const Tensor& x) {
  TANDEM_EXPECTS(x.dtype() != DType::bool_, TypeError,
                 "[positive] argument 'x': expected a tensor of numbers, got bool");
  return x;
}

Tensor deg2rad(const Tensor& x) {
  expect_real("deg2rad", x);
  return mul(x, kPi / 180);
}

Tensor rad2deg(const Tensor& x) {
  expect_real("rad2deg", x);
  return mul(x, 180 / kPi);
}

Tensor clamp_min(const Tensor& x, const Arg& min) { return maximum(x, min); }
Tensor clamp_max(const Tensor& x, const Arg& max) { return minimum(x, max); }

Tensor rsub(const Tensor& x, const Arg& other, const Scalar& alpha) { return sub(other, x, alpha); }

Tensor float_power(const Arg& x, const Arg& exponent) {
  const bool complex_result = is_complex(dtype_of_arg(x)) || is_complex(dtype_of_arg(exponent));
  const DType t = complex_result ? DType::complex128 : DType::float64;
  const auto in = [t](const Arg& a) {
    return a.is_tensor() ? a.tensor().to(t) : scalar_tensor(a.scalar(), {.dtype = t});
  };
  // A number stays one: it is an argument of the kernel.
  if (!exponent.is_tensor()) return pow(in(x), exponent.scalar());
  if (!x.is_tensor()) return pow(x.scalar(), in(exponent));
  return pow(in(x), in(exponent));
}

Tensor logit(const Tensor& x, double eps) {
  if (eps <= 0.5) return logit(clamp(x, eps, 1 - eps));
  // The limits have changed places: the lower one comes first, as in PyTorch.
  return logit(where(lt(x, eps), eps, clamp(x, Scalar(-HUGE_VAL), 1 - eps)));
}

Tensor round(const Tensor& x, std::int64_t decimals) {
  if (decimals == 0) return round(x);
  TANDEM_EXPECTS(is_float(x.dtype()), TypeError,
                 fmt::format("[round] argument 'decimals': expected 0 for a tensor of {}, got {}",
                             name(x.dtype()), decimals));
  const double scale = std::pow(10.0, std::fabs(static_cast<double>(decimals)));
  if (decimals > 0) return div(round(mul(x, scale)), scale);
  return mul(round(div(x, scale)), scale);
}

Tensor nan_to_num(const Arg& x, const Scalar& nan, std::optional<Scalar> posinf,
                  std::optional<Scalar> neginf) {
  const Tensor t = x.is_tensor() ? x.tensor() : scalar_tensor(x.scalar());
  if (category(t.dtype()) < Category::Float) return t.clone();
  if (is_complex(t.dtype())) {
    const Tensor parts = nan_to_num(view_as_real(t), nan, posinf, neginf);
    return view_as_complex(parts.strides().back() == 1 ? parts : parts.contiguous());
  }
  const double most = info(t.dtype()).max;
  return detail::nan_to_num_kernel(t, nan, posinf.value_or(most), neginf.value_or(-most));
}

std::tuple<Tensor, Tensor> frexp(const Tensor& x) {
  TANDEM_EXPECTS(
      is_float(x.dtype()), TypeError,
      fmt::format("[frexp] argument 'x': expected a float tensor, got {}", name(x.dtype())));
  return {frexp_mantissa(x), frexp_exponent(x)};
}

Tensor mvlgamma(const Tensor& x, std::int64_t p) {
  TANDEM_EXPECTS(p >= 1, ValueError,
                 fmt::format("[mvlgamma] argument 'p': expected 1 or more, got {}", p));
  Tensor sum = lgamma(x);
  for (std::int64_t j = 1; j < p; ++j) {
    sum = add(sum, lgamma(sub(x, static_cast<double>(j) / 2)));
  }
  const double constant = static_cast<double>(p * (p - 1)) / 4 * std::log(kPi);
  return p == 1 ? sum : add(sum, constant);
}

Tensor polygamma(std::int64_t n, const Tensor& x) {
  TANDEM_EXPECTS(n >= 0, ValueError,
                 fmt::format("[polygamma] argument 'n': expected 0 or more, got {}", n));
  return n == 0 ? digamma(x) : digamma_derivative(x, n);
}

Tensor celu(const Tensor& x) { return celu(x, 1); }
Tensor hardshrink(const Tensor& x) { return hardshrink(x, 0.5); }

Tensor prelu(const Tensor& x, const Tensor& weight) {
  TANDEM_EXPECTS(x.dtype() == weight.dtype() && is_float(x.dtype()), TypeError,
                 fmt::format("[prelu] expected floats of one dtype, got {} and {}", name(x.dtype()),
                             name(weight.dtype())));
  TANDEM_EXPECTS(
      weight.dim() <= 1, ShapeError,
      fmt::format("[prelu] argument 'weight': expected 0 or 1 dimensions, got {}", weight.dim()));
  const std::int64_t channels = x.dim() > 1 ? x.shape()[1] : 1;
  TANDEM_EXPECTS(weight.numel() == 1 || weight.numel() == channels, ShapeError,
                 fmt::format("[prelu] argument 'weight': expected 1 or {} elements, got {}",
                             channels, weight.numel()));
  Dims along(x.shape().size(), 1);
  if (x.dim() > 1) along[1] = weight.numel();
  const Tensor plain = weight.has_names() ? weight.rename(std::nullopt) : weight;
  return where(gt(x, 0), x, mul(plain.reshape(along), x));
}

namespace ops {
Tensor logit(const Tensor& x, std::optional<double> eps) {
  return eps ? tandem::logit(x, *eps) : tandem::logit(x);
}
Tensor round(const Tensor& x, std::int64_t decimals) { return tandem::round(x, decimals); }
Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, const Scalar& value) {
  return tandem::addcdiv(x, a, b, value);
}
Tensor nan_to_num(const Arg& x, const Scalar& nan, std::optional<Scalar> posinf,
                  std::optional<Scalar> neginf) {
  return tandem::nan_to_num(x, nan, posinf, neginf);
}
Tensor isclose(const Arg& x, const Arg& y, const Scalar& rtol, const Scalar& atol, bool equal_nan) {
  return tandem::isclose(x, y, rtol, atol, equal_nan);
}
}  // namespace ops

}  // namespace tandem
