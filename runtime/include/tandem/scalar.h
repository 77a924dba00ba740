// A number that is not a tensor: a C++ or Python scalar, exact until an op decides its dtype.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <type_traits>

#include "tandem/dtype.h"
#include "tandem/error.h"

namespace tandem {

/// Holds bool, int64, uint64 (only above int64's range), double or complex<double>.
class Scalar {
 public:
  enum class Kind : std::uint8_t { Bool, Int, UInt, Float, Complex };

  constexpr Scalar() : kind_(Kind::Int), u_{} {}
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Scalar(T v) : u_{} {
    if constexpr (std::is_same_v<T, bool>) {
      kind_ = Kind::Bool;
      u_.i = v;
    } else if constexpr (std::is_integral_v<T>) {
      const bool big = std::is_unsigned_v<T> && static_cast<std::uint64_t>(v) > INT64_MAX;
      kind_ = big ? Kind::UInt : Kind::Int;
      u_.i = static_cast<std::int64_t>(v);
    } else {
      kind_ = Kind::Float;
      u_.d = static_cast<double>(v);
    }
  }
  template <class T>
  constexpr Scalar(std::complex<T> v) : kind_(Kind::Complex), u_{}, im_(v.imag()) {
    u_.d = v.real();
  }
  /// From an element in memory.
  template <class T>
  static Scalar from_element(T v) {
    if constexpr (fn::is_complex_v<T>) {
      return Scalar(std::complex<double>(v.re, v.im));
    } else if constexpr (fn::is_half_v<T>) {
      return Scalar(static_cast<double>(fn::widen(v)));
    } else {
      return Scalar(v);
    }
  }

  Kind kind() const { return kind_; }
  bool is_integral() const { return kind_ <= Kind::UInt; }
  Category category() const {
    constexpr Category of[] = {Category::Bool, Category::Integer, Category::Integer,
                               Category::Float, Category::Complex};
    return of[static_cast<int>(kind_)];
  }
  /// The dtype a tensor of this scalar would have: bool, int64, default_dtype() or its complex.
  TANDEM_API DType dtype() const;

  /// Converts as an element would: integers wrap, floats saturate, complex drops its imaginary
  /// part.
  template <class T>
  T to() const {
    switch (kind_) {
      case Kind::Bool:
        return fn::cast<T>(u_.i != 0);
      case Kind::Int:
        return fn::cast<T>(u_.i);
      case Kind::UInt:
        return fn::cast<T>(static_cast<std::uint64_t>(u_.i));
      case Kind::Float:
        return fn::cast<T>(u_.d);
      case Kind::Complex:
        return fn::cast<T>(Complex128{u_.d, im_});
    }
    __builtin_unreachable();
  }
  bool to_bool() const { return to<bool>(); }
  std::int64_t to_int() const { return to<std::int64_t>(); }
  double to_double() const { return to<double>(); }
  std::complex<double> to_complex() const {
    return {to_double(), kind_ == Kind::Complex ? im_ : 0.0};
  }
  /// Whether a tensor of the dtype holds the value: integers in range, no fraction or imaginary
  /// part lost in category. Floats are always held by float dtypes (they round).
  TANDEM_API bool fits(DType t) const;
  bool is_zero() const { return !to<bool>(); }
  TANDEM_API std::string str() const;

 private:
  Kind kind_;
  union {
    std::int64_t i;
    double d;
  } u_;
  double im_ = 0;
};

}  // namespace tandem
