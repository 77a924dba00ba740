// Scalar: dtype, range checks and text.
#include "tandem/scalar.h"

#include <fmt/format.h>

namespace tandem {

DType Scalar::dtype() const {
  switch (kind_) {
    case Kind::Bool:
      return DType::bool_;
    case Kind::Int:
      return DType::int64;
    case Kind::UInt:
      return DType::uint64;
    case Kind::Float:
      return default_dtype();
    case Kind::Complex:
      return default_dtype() == DType::float64 ? DType::complex128 : DType::complex64;
  }
  __builtin_unreachable();
}

bool Scalar::fits(DType t) const {
  if (tandem::category(t) < Category::Integer) return kind_ == Kind::Bool;
  if (tandem::category(t) >= Category::Float) {
    return kind_ != Kind::Complex || is_complex(t) || im_ == 0;
  }
  return visit(t, [this]<class T>() -> bool {
    if constexpr (fn::is_int_v<T>) {
      using L = fn::IntLimits<T>;
      switch (kind_) {
        case Kind::Bool:
          return true;
        case Kind::Int:
          return L::is_signed ? u_.i >= static_cast<std::int64_t>(L::min) &&
                                    u_.i <= static_cast<std::int64_t>(L::max)
                              : u_.i >= 0 && static_cast<std::uint64_t>(u_.i) <=
                                                 static_cast<std::uint64_t>(L::max);
        case Kind::UInt:
          return !L::is_signed && sizeof(T) == 8;
        default: {
          // The truncated value must be in range; max + 1 is exact in double at every width.
          const double upper = static_cast<double>(static_cast<std::uint64_t>(L::max / 2) + 1) * 2;
          const double v = __builtin_trunc(u_.d);
          return v < upper && v >= static_cast<double>(L::min) && im_ == 0;
        }
      }
    }
    return false;
  });
}

std::string Scalar::str() const {
  switch (kind_) {
    case Kind::Bool:
      return u_.i != 0 ? "True" : "False";
    case Kind::Int:
      return fmt::format("{}", u_.i);
    case Kind::UInt:
      return fmt::format("{}", static_cast<std::uint64_t>(u_.i));
    case Kind::Float:
      return fmt::format("{}", u_.d);
    case Kind::Complex:
      return fmt::format("({}{:+}j)", u_.d, im_);
  }
  __builtin_unreachable();
}

}  // namespace tandem
