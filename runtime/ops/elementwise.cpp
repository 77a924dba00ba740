// Front-ends of the elementwise rows: free functions, methods, in-place and out forms, by expanding
// the table; and the rules that belong to single ops (zero divisors, mixed-sign comparisons,
// alpha).
#include <fmt/format.h>

#include <cmath>

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/promote.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/ops/pointwise.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/zero_division.h"

namespace tandem {

namespace {

bool is_integer_args(std::span<const Arg> in) {
  return std::all_of(in.begin(), in.end(), [](const Arg& a) {
    return a.is_tensor() ? category(a.tensor().dtype()) <= Category::Integer
                         : a.scalar().is_integral();
  });
}

/// A zero divisor that the host knows raises before any work; inside a tensor the quotient is 0.
void check_divisor(const OpRow& row, std::span<const Arg> in) {
  if (&row != &op::floor_divide && &row != &op::trunc_divide && &row != &op::remainder &&
      &row != &op::fmod) {
    return;
  }
  TANDEM_EXPECTS(
      in[1].is_tensor() || !in[1].scalar().is_zero() || !is_integer_args(in), ZeroDivisionError,
      fmt::format("[{}] ZeroDivisionError: argument 'y': expected a non-zero integer, got 0",
                  row.name));
}

void check_exponent(const OpRow& row, std::span<const Arg> in) {
  if (&row != &op::pow || in[1].is_tensor() || !is_integer_args(in)) return;
  TANDEM_EXPECTS(in[1].scalar().to_int() >= 0 || in[1].scalar().kind() == Scalar::Kind::UInt, Error,
                 "[pow] Integers to negative integer powers are not allowed.");
}

void check_celu(const OpRow& row, std::span<const Arg> in) {
  if (&row != &op::celu) return;
  TANDEM_EXPECTS(
      in[1].is_tensor() || !in[1].scalar().is_zero(), ZeroDivisionError,
      "[celu] ZeroDivisionError: argument 'alpha': expected a number other than 0, got 0");
}

/// Rows whose numbers are parameters: they have no say in the dtype.
bool takes_parameters(const OpRow& row) {
  return &row == &op::threshold || &row == &op::celu || &row == &op::hardshrink;
}

/// A parameter as an element of t: for integers its integer part.
Scalar parameter_of(const OpRow& row, const Scalar& s, DType t) {
  if (category(t) == Category::Bool) return s.to_bool();
  const bool whole = is_integer(t) && s.kind() == Scalar::Kind::Float;
  TANDEM_EXPECTS((s.category() < Category::Complex || is_complex(t)) &&
                     (!whole || std::fabs(s.to_double()) < 0x1p63),
                 ValueError,
                 fmt::format("[{}] value {} cannot be converted to type {} without overflow",
                             row.name, s.str(), name(t)));
  return whole ? Scalar(s.to_int()) : s;
}

/// What a comparison of x with a number beyond x's range gives, for all x.
bool beyond_result(const OpRow& row, bool x_is_less) {
  if (&row == &op::ne) return true;
  if (&row == &op::lt || &row == &op::le) return x_is_less;
  if (&row == &op::gt || &row == &op::ge) return !x_is_less;
  return false;  // eq
}

/// Compares an integer tensor with a number that its dtype cannot hold: every element gives the
/// same.
Tensor compare_beyond(const OpRow& row, const Tensor& x, const Scalar& s, bool x_first,
                      Tensor* out) {
  const bool x_is_less = s.kind() == Scalar::Kind::UInt || s.to_int() > 0;
  const bool value = beyond_result(row, x_first == x_is_less);
  const Arg same[] = {x, x};
  return detail::elementwise(value ? op::eq : op::ne, same, out);
}

/// uint64 against a signed tensor: no dtype holds both, so the sign decides first.
Tensor compare_mixed(const OpRow& row, const Tensor& x, const Tensor& y, Tensor* out) {
  const trace::OpScope scope(row.name);
  const bool x_signed = info(x.dtype()).is_signed;
  const Tensor& s = x_signed ? x : y;
  const Tensor& u = x_signed ? y : x;
  const Tensor negative = lt(s, 0);
  const Tensor wide = s.to(DType::uint64);
  const Arg same_sign[] = {x_signed ? wide : u, x_signed ? u : wide};
  const Tensor plain = detail::elementwise(row, same_sign);
  // Where s is negative, it is the lesser one.
  const bool value = beyond_result(row, x_signed);
  const Arg parts[] = {negative, plain};
  if (value) return detail::elementwise(op::logical_or, parts, out);
  const Tensor positive = logical_not(negative);
  const Arg both[] = {positive, plain};
  return detail::elementwise(op::logical_and, both, out);
}

bool mixes_uint64(DType a, DType b) {
  const auto is_signed = [](DType t) { return is_integer(t) && info(t).is_signed; };
  return (a == DType::uint64 && is_signed(b)) || (b == DType::uint64 && is_signed(a));
}

/// Comparisons that promotion would get wrong; undefined where the plain path is right.
Tensor exact_compare(const OpRow& row, std::span<const Arg> in, Tensor* out) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!in[i].is_tensor() || in[1 - i].is_tensor()) continue;
    const Scalar& s = in[1 - i].scalar();
    const Tensor& x = in[i].tensor();
    if (s.is_integral() && is_integer(x.dtype()) && !s.fits(x.dtype())) {
      return compare_beyond(row, x, s, i == 0, out);
    }
  }
  if (in[0].is_tensor() && in[1].is_tensor() &&
      mixes_uint64(in[0].tensor().dtype(), in[1].tensor().dtype())) {
    return compare_mixed(row, in[0].tensor(), in[1].tensor(), out);
  }
  return {};
}

/// What a row gives of dtypes that need no kernel of its own; undefined where it has one. conj of
/// real numbers is the tensor itself, the sign of integers a comparison.
Tensor without_kernel(const OpRow& row, std::span<const Arg> in, Tensor* out) {
  if (!in[0].is_tensor()) return {};
  const Tensor& x = in[0].tensor();
  if (&row == &op::conj && !is_complex(x.dtype())) {
    if (out == nullptr || out->body_ptr() == x.body_ptr()) return x;
    return detail::run_one(
        row, out,
        [&] {
          return detail::OutSpec{Dims(x.shape()), x.dtype(), x.device(), x.body_ptr()->names};
        },
        [&](const Tensor& target) { detail::copy_elements(target, x); });
  }
  if (&row == &op::signbit && category(x.dtype()) < Category::Float) {
    const Arg args[] = {x, Scalar(0)};
    return detail::elementwise(op::lt, args, out);
  }
  return {};
}

Tensor call(const OpRow& row, std::span<const Arg> in, Tensor* out = nullptr,
            bool in_place = false) {
  if (row.arity == 1) {
    Tensor t = without_kernel(row, in, out);
    if (t.defined()) return t;
  }
  if (row.arity == 2) [[likely]] {
    check_divisor(row, in);
    check_exponent(row, in);
    check_celu(row, in);
    if ((row.flags & kExactCompare) != 0) {
      Tensor t = exact_compare(row, in, out);
      if (t.defined()) return t;
    }
  }
  bool any = false;
  for (const Arg& a : in) any = any || a.is_tensor();
  if (any && !takes_parameters(row)) [[likely]]
    return detail::elementwise(row, in, out, in_place);
  std::vector<Arg> args(in.begin(), in.end());
  // Numbers only: the first becomes a 0-d tensor.
  const Tensor first = any ? Tensor() : scalar_tensor(in[0].scalar());
  if (!any) args[0] = Arg(first);
  if (takes_parameters(row) && args[0].is_tensor()) {
    for (std::size_t i = 1; i < args.size(); ++i) {
      if (!args[i].is_tensor())
        args[i] = Arg(parameter_of(row, args[i].scalar(), args[0].tensor().dtype()));
    }
  }
  return detail::elementwise(row, args, out, in_place);
}

/// Writes into a tensor that the caller has.
void call_into(const OpRow& row, std::span<const Arg> in, Tensor& out, bool in_place = false) {
  if (row.arity == 2) {
    check_divisor(row, in);
    check_exponent(row, in);
    check_celu(row, in);
  }
  if (!detail::elementwise_plain(row, in, out)) call(row, in, &out, in_place);
}

}  // namespace

#define TANDEM_UNARY(name, ...)                                                          \
  Tensor name(const Tensor& x) { return call(op::name, std::initializer_list<Arg>{x}); } \
  Tensor& name##_out(Tensor& out, const Tensor& x) {                                     \
    call_into(op::name, std::initializer_list<Arg>{x}, out);                             \
    return out;                                                                          \
  }                                                                                      \
  Tensor Tensor::name() const { return tandem::name(*this); }                            \
  Tensor& Tensor::name##_() {                                                            \
    call_into(op::name, std::initializer_list<Arg>{*this}, *this, true);                 \
    return *this;                                                                        \
  }
#define TANDEM_BINARY(name, ...)                                                     \
  Tensor name(const Arg& x, const Arg& y) {                                          \
    return call(op::name, std::initializer_list<Arg>{x, y});                         \
  }                                                                                  \
  Tensor& name##_out(Tensor& out, const Arg& x, const Arg& y) {                      \
    call_into(op::name, std::initializer_list<Arg>{x, y}, out);                      \
    return out;                                                                      \
  }                                                                                  \
  Tensor Tensor::name(const Arg& other) const { return tandem::name(*this, other); } \
  Tensor& Tensor::name##_(const Arg& other) {                                        \
    call_into(op::name, std::initializer_list<Arg>{*this, other}, *this, true);      \
    return *this;                                                                    \
  }
#define TANDEM_TERNARY(name, ...)                                                       \
  Tensor name(const Arg& x, const Arg& y, const Arg& z) {                               \
    return call(op::name, std::initializer_list<Arg>{x, y, z});                         \
  }                                                                                     \
  Tensor& name##_out(Tensor& out, const Arg& x, const Arg& y, const Arg& z) {           \
    call_into(op::name, std::initializer_list<Arg>{x, y, z}, out);                      \
    return out;                                                                         \
  }                                                                                     \
  Tensor Tensor::name(const Arg& second, const Arg& third) const {                      \
    return tandem::name(*this, second, third);                                          \
  }                                                                                     \
  Tensor& Tensor::name##_(const Arg& second, const Arg& third) {                        \
    call_into(op::name, std::initializer_list<Arg>{*this, second, third}, *this, true); \
    return *this;                                                                       \
  }
#include "tandem/ops/ops.def"

namespace {
bool is_one(const Scalar& s) { return s.is_integral() ? s.to_int() == 1 : s.to_complex() == 1.0; }

Scalar negated(const Scalar& s) {
  if (s.kind() == Scalar::Kind::Complex) return -s.to_complex();
  const bool exact = s.kind() <= Scalar::Kind::Int && s.to_int() != INT64_MIN;
  return exact ? Scalar(-s.to_int()) : Scalar(-s.to_double());
}

void check_fits(const char* op, const Scalar& alpha, DType t) {
  TANDEM_EXPECTS(alpha.fits(t), ValueError,
                 fmt::format("[{}] argument 'alpha': value {} cannot be converted to type {} "
                             "without overflow",
                             op, alpha.str(), name(t)));
}

/// Minus an integer as an element of t: it wraps, so that t holds it whatever its sign.
Scalar wrapped_negative(const Scalar& s, DType t) {
  check_fits("sub", s, t);
  return visit(t, [&]<class T>() -> Scalar {
    if constexpr (fn::is_int_v<T>) return Scalar(static_cast<T>(std::uint64_t(0) - s.to<T>()));
    return s;
  });
}

/// alpha must not raise the category of the result, as in PyTorch.
void check_alpha(const char* op, const Arg& x, const Arg& y, const Scalar& alpha) {
  TANDEM_EXPECTS(
      alpha.category() <= category(result_type(x, y)), TypeError,
      fmt::format("[{}] argument 'alpha': expected a number of the inputs' category ({}), got {}",
                  op, name(result_type(x, y)), alpha.str()));
}
}  // namespace

Tensor add(const Arg& x, const Arg& y, const Scalar& alpha) {
  if (is_one(alpha)) return add(x, y);
  check_alpha("add", x, y, alpha);
  const DType t = result_type(x, y);
  if (t == DType::bool_) return logical_or(x, logical_and(y, alpha));
  check_fits("add", alpha, t);
  return add_scaled(x, y, alpha);
}

Tensor sub(const Arg& x, const Arg& y, const Scalar& alpha) {
  if (is_one(alpha)) return sub(x, y);
  check_alpha("sub", x, y, alpha);
  // x - alpha * y: the product of -alpha is the exact negative, integers wrap to the same bits.
  const DType t = result_type(x, y);
  if (is_integer(t)) return add_scaled(x, y, wrapped_negative(alpha, t));
  return add_scaled(x, y, negated(alpha));
}

Tensor div(const Arg& x, const Arg& y, const std::string& rounding_mode) {
  if (rounding_mode.empty()) return div(x, y);
  if (rounding_mode == "floor") return floor_divide(x, y);
  TANDEM_EXPECTS(
      rounding_mode == "trunc", ValueError,
      fmt::format(
          "[div] argument 'rounding_mode': expected one of None, 'trunc', 'floor', got '{}'",
          rounding_mode));
  return trunc_divide(x, y);
}

Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, const Scalar& value) {
  return call(op::addcmul, std::initializer_list<Arg>{x, a, b, value});
}

Tensor addcdiv(const Arg& x, const Arg& a, const Arg& b, const Scalar& value) {
  return call(op::addcdiv, std::initializer_list<Arg>{x, a, b, value});
}

namespace detail {
Tensor isclose_kernel(const Arg& x, const Arg& y, const Scalar& rtol, const Scalar& atol) {
  return call(op::isclose, std::initializer_list<Arg>{x, y, rtol, atol});
}
Tensor nan_to_num_kernel(const Tensor& x, const Scalar& nan, const Scalar& above,
                         const Scalar& below) {
  return call(op::nan_to_num, std::initializer_list<Arg>{x, nan, above, below});
}
}  // namespace detail

namespace ops {
Tensor add(const Arg& x, const Arg& y, const Scalar& alpha) { return tandem::add(x, y, alpha); }
Tensor sub(const Arg& x, const Arg& y, const Scalar& alpha) { return tandem::sub(x, y, alpha); }
Tensor div(const Arg& x, const Arg& y, std::optional<std::string> mode) {
  return tandem::div(x, y, mode.value_or(""));
}
Tensor clamp(const Tensor& x, std::optional<detail::ArgHolder> min,
             std::optional<detail::ArgHolder> max) {
  TANDEM_EXPECTS(min || max, ValueError, "[clamp] At least one of 'min' or 'max' must not be None");
  if (min && max) return tandem::clamp(x, Arg(*min), Arg(*max));
  return min ? maximum(x, Arg(*min)) : minimum(x, Arg(*max));
}
Tensor addcmul(const Arg& x, const Arg& a, const Arg& b, const Scalar& value) {
  return tandem::addcmul(x, a, b, value);
}
}  // namespace ops

}  // namespace tandem
