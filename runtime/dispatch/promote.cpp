// Promotion over operands and the result rules of the table.
#include "runtime/dispatch/promote.h"

#include <fmt/format.h>

#include "tandem/ops.h"
#include "tandem/value.h"

namespace tandem {
namespace detail {

namespace {
DType join(DType a, DType b) {
  if (a == DType::kCount) return b;
  if (b == DType::kCount) return a;
  return promote_types(a, b);
}

/// A lower class decides only where its category is higher; a complex number takes its width from
/// the real float it meets: float64 with 1j is complex128, float32 with a 0-d complex128 complex64.
DType combine(DType higher, DType lower) {
  if (higher == DType::kCount) return lower;
  if (lower == DType::kCount || category(lower) <= category(higher)) return higher;
  if (is_float(higher) && is_complex(lower))
    return higher == DType::float64 ? DType::complex128 : DType::complex64;
  return promote_types(higher, lower);
}
}  // namespace

DType promote_args(std::span<const Arg> args) {
  DType dims = DType::kCount;
  DType zero = DType::kCount;
  DType number = DType::kCount;
  for (const Arg& a : args) {
    if (!a.is_tensor()) {
      number = join(number, a.scalar().dtype());
    } else if (a.tensor().dim() == 0) {
      zero = join(zero, a.tensor().dtype());
    } else {
      dims = join(dims, a.tensor().dtype());
    }
  }
  return combine(combine(dims, zero), number);
}

DType compute_dtype(const OpRow& row, DType promoted) {
  DType t = promoted;
  if (row.result == Result::Float && category(t) < Category::Float) t = default_dtype();
  if (row.result == Result::Number && t == DType::bool_) t = DType::int64;
  if (!row.dtypes.has(t)) [[unlikely]] {
    const std::string& hint = schema_of(row).hint;
    fail<TypeError>(fmt::format("[{}] not implemented for '{}'{}{}", row.name, info(t).title,
                                hint.empty() ? "" : "; ", hint));
  }
  return t;
}

DType result_dtype(const OpRow& row, DType computed) {
  switch (row.result) {
    case Result::Same:
    case Result::Number:
    case Result::Float:
      return computed;
    case Result::Bool:
      return DType::bool_;
    case Result::Real:
      return real_part(computed);
    case Result::Wide:
      return category(computed) < Category::Float ? DType::int64 : computed;
    case Result::Index:
      return DType::int64;
    case Result::Int32:
      return DType::int32;
    case Result::Complex:
      return computed == DType::float64 ? DType::complex128 : DType::complex64;
  }
  __builtin_unreachable();
}

}  // namespace detail

DType result_type(const Arg& x, const Arg& y) {
  const Arg args[] = {x, y};
  return detail::promote_args(args);
}

}  // namespace tandem
