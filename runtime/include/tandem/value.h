// Value: an argument or result of a boxed call, whatever its type. Bindings and table-walking tests
// use it.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tandem/generator.h"
#include "tandem/op_row.h"
#include "tandem/tensor.h"

namespace tandem {

/// monostate is Python's None and stands for "take the default".
class Value {
 public:
  using Variant =
      std::variant<std::monostate, Tensor, std::vector<Tensor>, Scalar, std::string, Dims,
                   std::vector<std::string>, SmallVector<Axis, 6>, DType, Device, Generator>;
  Value() = default;
  // The constraint keeps copies and moves away from it.
  // NOLINTBEGIN(bugprone-forwarding-reference-overload)
  template <class T>
  requires(std::is_constructible_v<Variant, T> && !std::is_arithmetic_v<std::decay_t<T>> &&
           !std::is_same_v<std::decay_t<T>, Value>) Value(T&& v)
      : v_(std::forward<T>(v)) {}
  // NOLINTEND(bugprone-forwarding-reference-overload)
  template <class T>
  requires std::is_arithmetic_v<T> Value(T v) : v_(Scalar(v)) {}
  Value(const char* s) : v_(std::string(s)) {}

  bool is_none() const { return std::holds_alternative<std::monostate>(v_); }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(v_);
  }
  template <class T>
  const T& as() const {
    return std::get<T>(v_);
  }
  const Variant& variant() const { return v_; }

 private:
  Variant v_;
};

/// One parameter of an op's schema, as bindings and documentation see it.
struct Param {
  std::string name;
  std::string type;  // "Tensor", "Arg", "Tensor[]", "Scalar", "int", "ints", "bool", "axis", ... ;
                     // '?' may follow
  std::string fallback;  // the default as text; empty where the argument must be given
  bool keyword_only = false;
  bool optional() const { return !type.empty() && type.back() == '?'; }
  bool required() const { return fallback.empty() && !optional(); }
};

/// A parsed schema string. Grammar:
///   "(x, y: Tensor, dim: axes?=None, *, alpha: Scalar=1) -> (values, indices) grad: ...; hint:
///   ..."
/// A parameter without a type is an Arg (tensor or number). "->" names several results.
struct Schema {
  std::vector<Param> params;
  std::vector<std::string> results;  // names, where there are several
  std::string grad, hint;
};

/// The row's schema; parsed once.
TANDEM_API const Schema& schema_of(const OpRow& row);

}  // namespace tandem
