// Conversions of boxed arguments, and the boxed call itself.
#include "runtime/dispatch/boxed.h"

#include <fmt/format.h>
#include "runtime/base/trace.h"

#include "tandem/op_table.h"

namespace tandem {
namespace detail {

namespace {
const char* kind_of(const Value& v) {
  static constexpr const char* kNames[] = {
      "None",        "Tensor",       "list of Tensors", "number", "str",      "list of ints",
      "list of str", "list of axes", "dtype",           "device", "generator"};
  return kNames[v.variant().index()];
}
}  // namespace

void wrong_type(const ArgContext& c, const char* expected, const Value& got) {
  fail<TypeError>(fmt::format("[{}] argument '{}': expected {}, got {}", c.row.name, c.param.name,
                              expected, kind_of(got)));
}

Tensor FromValue<Tensor>::get(const Value& v, const ArgContext& c) {
  if (!v.is<Tensor>()) wrong_type(c, "a Tensor", v);
  return v.as<Tensor>();
}

Scalar FromValue<Scalar>::get(const Value& v, const ArgContext& c) {
  if (v.is<Tensor>() && v.as<Tensor>().dim() == 0) return v.as<Tensor>().item();
  if (!v.is<Scalar>()) wrong_type(c, "a number", v);
  return v.as<Scalar>();
}

std::int64_t FromValue<std::int64_t>::get(const Value& v, const ArgContext& c) {
  if (!v.is<Scalar>() || !v.as<Scalar>().is_integral()) wrong_type(c, "an int", v);
  return v.as<Scalar>().to_int();
}

double FromValue<double>::get(const Value& v, const ArgContext& c) {
  if (!v.is<Scalar>() || v.as<Scalar>().kind() == Scalar::Kind::Complex)
    wrong_type(c, "a float", v);
  return v.as<Scalar>().to_double();
}

bool FromValue<bool>::get(const Value& v, const ArgContext& c) {
  if (!v.is<Scalar>() || !v.as<Scalar>().is_integral()) wrong_type(c, "a bool", v);
  return v.as<Scalar>().to_bool();
}

std::string FromValue<std::string>::get(const Value& v, const ArgContext& c) {
  if (!v.is<std::string>()) wrong_type(c, "a str", v);
  return v.as<std::string>();
}

Axis FromValue<Axis>::get(const Value& v, const ArgContext& c) {
  if (v.is<std::string>()) return Axis(v.as<std::string>());
  if (!v.is<Scalar>() || !v.as<Scalar>().is_integral()) wrong_type(c, "an axis (int or name)", v);
  return Axis(v.as<Scalar>().to_int());
}

Axes FromValue<Axes>::get(const Value& v, const ArgContext& c) {
  if (v.is_none()) return {};
  SmallVector<Axis, 6> list;
  if (v.is<SmallVector<Axis, 6>>()) {
    list = v.as<SmallVector<Axis, 6>>();
  } else if (v.is<Dims>()) {
    for (const std::int64_t i : v.as<Dims>()) list.push_back(Axis(i));
  } else if (v.is<std::vector<std::string>>()) {
    for (const std::string& s : v.as<std::vector<std::string>>()) list.push_back(Axis(s));
  } else {
    list.push_back(FromValue<Axis>::get(v, c));
  }
  return list;
}

Dims FromValue<Dims>::get(const Value& v, const ArgContext& c) {
  if (v.is<Scalar>() && v.as<Scalar>().is_integral()) return {v.as<Scalar>().to_int()};
  if (!v.is<Dims>()) wrong_type(c, "a list of ints", v);
  return v.as<Dims>();
}

std::vector<Tensor> FromValue<std::vector<Tensor>>::get(const Value& v, const ArgContext& c) {
  if (v.is<Dims>() && v.as<Dims>().empty()) return {};
  if (!v.is<std::vector<Tensor>>()) wrong_type(c, "a list of Tensors", v);
  return v.as<std::vector<Tensor>>();
}

std::vector<std::string> FromValue<std::vector<std::string>>::get(const Value& v,
                                                                  const ArgContext& c) {
  if (!v.is<std::vector<std::string>>()) wrong_type(c, "a list of names", v);
  return v.as<std::vector<std::string>>();
}

DType FromValue<DType>::get(const Value& v, const ArgContext& c) {
  if (!v.is<DType>()) wrong_type(c, "a dtype", v);
  return v.as<DType>();
}

Device FromValue<Device>::get(const Value& v, const ArgContext& c) {
  if (v.is<std::string>()) return Device(std::string_view(v.as<std::string>()));
  if (!v.is<Device>()) wrong_type(c, "a device", v);
  return v.as<Device>();
}

Generator FromValue<Generator>::get(const Value& v, const ArgContext& c) {
  if (!v.is<Generator>()) wrong_type(c, "a Generator", v);
  return v.as<Generator>();
}

ArgHolder FromValue<ArgHolder>::get(const Value& v, const ArgContext& c) {
  if (v.is<Tensor>()) return {v.as<Tensor>(), {}};
  if (v.is<Scalar>()) return {{}, v.as<Scalar>()};
  wrong_type(c, "a Tensor or a number", v);
}

Value argument(const OpRow& row, std::span<const Value> args, std::size_t i) {
  const Schema& schema = schema_of(row);
  TANDEM_EXPECTS(i < schema.params.size(), Error,
                 fmt::format("[{}] the schema has fewer parameters than its function", row.name));
  const Param& p = schema.params[i];
  if (i < args.size() && !args[i].is_none()) return args[i];
  TANDEM_EXPECTS(!p.required(), TypeError,
                 fmt::format("[{}] missing argument '{}'", row.name, p.name));
  return default_value(p);
}

}  // namespace detail

std::vector<Value> call_boxed(const OpRow& row, std::span<const Value> args) {
  const trace::OpScope scope(row.name);
  const Schema& schema = schema_of(row);
  TANDEM_EXPECTS(args.size() <= schema.params.size(), TypeError,
                 fmt::format("[{}] expected at most {} arguments, got {}", row.name,
                             schema.params.size(), args.size()));
  const detail::BoxedFn fn = detail::boxed_of(row);
  TANDEM_EXPECTS(fn != nullptr, NotImplemented,
                 fmt::format("[{}] the op has no boxed form", row.name));
  return fn(row, args);
}

}  // namespace tandem
