// Boxed calls: any C++ function as "values in, values out", by its own signature and its row's
// schema.
#pragma once

#include <optional>
#include <tuple>
#include <utility>

#include "runtime/dispatch/schema.h"
#include "tandem/value.h"

namespace tandem::detail {

using BoxedFn = std::vector<Value> (*)(const OpRow&, std::span<const Value>);

/// What a conversion needs for its message.
struct ArgContext {
  const OpRow& row;
  const Param& param;
};

/// Conversions of one argument; each raises TypeError naming op, argument, expected and got.
template <class T>
struct FromValue;

[[noreturn]] void wrong_type(const ArgContext& c, const char* expected, const Value& got);

#define TANDEM_FROM_VALUE(Type)                           \
  template <>                                             \
  struct FromValue<Type> {                                \
    static Type get(const Value& v, const ArgContext& c); \
  };
TANDEM_FROM_VALUE(Tensor)
TANDEM_FROM_VALUE(Scalar)
TANDEM_FROM_VALUE(std::int64_t)
TANDEM_FROM_VALUE(double)
TANDEM_FROM_VALUE(bool)
TANDEM_FROM_VALUE(std::string)
TANDEM_FROM_VALUE(Axis)
TANDEM_FROM_VALUE(Axes)
TANDEM_FROM_VALUE(Dims)
TANDEM_FROM_VALUE(std::vector<Tensor>)
TANDEM_FROM_VALUE(std::vector<std::string>)
TANDEM_FROM_VALUE(DType)
TANDEM_FROM_VALUE(Device)
TANDEM_FROM_VALUE(Generator)
#undef TANDEM_FROM_VALUE

/// Keeps the tensor that an Arg borrows alive.
struct ArgHolder {
  Tensor tensor;
  Scalar scalar;
  operator Arg() const { return tensor.defined() ? Arg(tensor) : Arg(scalar); }  // NOLINT
};
template <>
struct FromValue<ArgHolder> {
  static ArgHolder get(const Value& v, const ArgContext& c);
};

/// For functions that sort an argument out themselves.
template <>
struct FromValue<Value> {
  static Value get(const Value& v, const ArgContext&) { return v; }
};

template <class T>
struct FromValue<std::optional<T>> {
  static std::optional<T> get(const Value& v, const ArgContext& c) {
    if (v.is_none()) return std::nullopt;
    return FromValue<T>::get(v, c);
  }
};

/// The type that holds an argument for a parameter of type P.
template <class P>
struct Held {
  using type = std::decay_t<P>;
};
template <>
struct Held<const Arg&> {
  using type = ArgHolder;
};
template <>
struct Held<IntSpan> {
  using type = Dims;
};
template <>
struct Held<std::optional<IntSpan>> {
  using type = std::optional<Dims>;
};

inline std::vector<Value> results(Tensor t) { return {Value(std::move(t))}; }
inline std::vector<Value> results(std::vector<Tensor> t) { return {Value(std::move(t))}; }
inline std::vector<Value> results(std::tuple<Tensor, Tensor> t) {
  return {std::get<0>(t), std::get<1>(t)};
}
inline std::vector<Value> results(std::vector<Value> v) { return v; }
inline std::vector<Value> results(bool b) { return {Value(b)}; }

/// The argument at i, or its default; raises TypeError where a required one is missing.
Value argument(const OpRow& row, std::span<const Value> args, std::size_t i);

template <class R, class... P, class F>
std::vector<Value> call_with(const OpRow& row, std::span<const Value> args, F&& f) {
  const Schema& schema = schema_of(row);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    std::tuple<typename Held<P>::type...> held{FromValue<typename Held<P>::type>::get(
        argument(row, args, I), ArgContext{row, schema.params[I]})...};
    return results(f(static_cast<P>(std::get<I>(held))...));
  }
  (std::index_sequence_for<P...>{});
}

/// The word of op_result() for a C++ result.
template <class R>
constexpr const char* result_word() {
  if (std::is_same_v<R, Tensor>) return "Tensor";
  if (std::is_same_v<R, std::vector<Tensor>>) return "Tensor[]";
  return std::is_same_v<R, bool> ? "bool" : "values";
}

/// boxed<&f>: free functions and const member functions of Tensor.
template <auto F>
struct Boxed;
template <class R, class... P, R (*F)(P...)>
struct Boxed<F> {
  static constexpr const char* kResult = result_word<std::decay_t<R>>();
  static std::vector<Value> call(const OpRow& row, std::span<const Value> args) {
    return call_with<R, P...>(row, args, F);
  }
};
template <class R, class... P, R (Tensor::*F)(P...) const>
struct Boxed<F> {
  static constexpr const char* kResult = result_word<std::decay_t<R>>();
  static std::vector<Value> call(const OpRow& row, std::span<const Value> args) {
    return call_with<R, const Tensor&, P...>(
        row, args, [](const Tensor& t, P... p) { return (t.*F)(std::forward<P>(p)...); });
  }
};

/// The boxed function of a row; null where it has none.
BoxedFn boxed_of(const OpRow& row);

}  // namespace tandem::detail
