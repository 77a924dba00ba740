// Named arguments in the order of a schema, and the forms of a row: plain, into a tensor, in place.
#include "tandem/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/dispatch/boxed.h"
#include "runtime/dispatch/direct.h"
#include "tandem/out.h"

namespace tandem {

namespace {

using detail::ArgContext;
using detail::FromValue;
using AxisList = SmallVector<Axis, 6>;

/// Raises TypeError unless the boxed call takes the value as a T.
template <class T>
Value checked(const Value& v, const ArgContext& c) {
  (void)FromValue<T>::get(v, c);
  return v;
}

/// A tensor on the CPU, a list of integers or a number.
Value as_floats(const Value& v, const ArgContext& c) {
  return v.is<Dims>() || v.is<Scalar>() ? v : checked<Tensor>(v, c);
}

template <class T>
Value converted(const Value& v, const ArgContext& c) {
  return FromValue<T>::get(v, c);
}

Value as_axes(const Value& v, const ArgContext& c) { return FromValue<Axes>::get(v, c).list(); }

/// An integer stays one; two lists of axes are one, the first half for the first tensor.
Value as_pairs(const Value& v, const ArgContext& c) {
  return v.is<Scalar>() ? checked<std::int64_t>(v, c) : as_axes(v, c);
}

Value as_dtype(const Value& v, const ArgContext& c) {
  if (!v.is<std::string>()) return checked<DType>(v, c);
  const DType t = dtype_by_name(v.as<std::string>());
  TANDEM_EXPECTS(t != DType::kCount, ValueError,
                 fmt::format("[{}] argument '{}': expected a dtype such as float32, got '{}'",
                             c.row.name, c.param.name, v.as<std::string>()));
  return t;
}

/// Lists of tensors, all of them there.
Value as_tensors(const Value& v, const ArgContext& c) {
  std::vector<Tensor> list = FromValue<std::vector<Tensor>>::get(v, c);
  for (const Tensor& t : list) {
    TANDEM_EXPECTS(t.defined(), TypeError,
                   fmt::format("[{}] argument '{}': expected a list of Tensors, got None in it",
                               c.row.name, c.param.name));
  }
  return list;
}

/// What the ops that tell the kinds apart themselves are given.
Value as_it_is(const Value& v, const ArgContext&) { return v; }

struct Conversion {
  std::string_view type;  // a schema's word
  Value (*convert)(const Value& v, const ArgContext& c);
};

constexpr Conversion kConversions[] = {{"Tensor", &checked<Tensor>},
                                       {"Arg", &checked<detail::ArgHolder>},
                                       {"Tensor[]", &as_tensors},
                                       {"Tensor?[]", &converted<std::vector<Tensor>>},
                                       {"Scalar", &converted<Scalar>},
                                       {"int", &checked<std::int64_t>},
                                       {"float", &checked<double>},
                                       {"bool", &checked<bool>},
                                       {"str", &checked<std::string>},
                                       {"str[]", &checked<std::vector<std::string>>},
                                       {"names", &checked<std::vector<std::string>>},
                                       {"ints", &converted<Dims>},
                                       {"axis", &checked<Axis>},
                                       {"axes", &as_axes},
                                       {"pairs", &as_pairs},
                                       {"dtype", &as_dtype},
                                       {"device", &converted<Device>},
                                       {"floats", &as_floats},
                                       {"generator", &checked<Generator>}};

Value convert(const Value& v, const ArgContext& c) {
  std::string_view type = c.param.type;
  if (type.ends_with('?')) type.remove_suffix(1);
  const auto* const known = std::ranges::find(kConversions, type, &Conversion::type);
  return (known == std::end(kConversions) ? &as_it_is : known->convert)(v, c);
}

std::string parameters_in_words(const Schema& schema) {
  std::string s;
  for (const Param& p : schema.params) s += (s.empty() ? "" : ", ") + p.name;
  return s;
}

/// The parameter that an argument is for; `next` is the next positional one.
std::size_t parameter_of(const OpRow& row, const Schema& schema, const NamedValue& arg,
                         std::size_t& next) {
  const auto& params = schema.params;
  if (!arg.name.empty()) {
    const auto found = std::ranges::find(params, arg.name, &Param::name);
    TANDEM_EXPECTS(found != params.end(), TypeError,
                   fmt::format("[{}] expected arguments of ({}), got '{}'", row.name,
                               parameters_in_words(schema), arg.name));
    return static_cast<std::size_t>(found - params.begin());
  }
  if (next < params.size() && !params[next].keyword_only) return next++;
  detail::fail<TypeError>(
      fmt::format("[{}] expected at most {} argument{} without a name, got more", row.name, next,
                  next == 1 ? "" : "s"));
}

/// The row's form that a name stands for.
struct Form {
  const OpRow* row;
  bool in_place;
};

Form find_form(std::string_view name) {
  if (const OpRow* row = find_op(name)) return {row, false};
  const OpRow* row = name.ends_with('_') ? find_op(name.substr(0, name.size() - 1)) : nullptr;
  if (row != nullptr) {
    TANDEM_EXPECTS(has_in_place(*row), NotImplemented,
                   fmt::format("[{}] the op has no form in place", row->name));
    return {row, true};
  }
  detail::fail<ValueError>(fmt::format(
      "[{}] expected the name of an op (`tandem ops` lists them), got '{}'", name, name));
}

/// The tensors of an argument `out`; empty where it is None.
std::vector<Tensor> tensors_of_out(const OpRow& row, const Value& out) {
  std::vector<Tensor> list;
  if (out.is_none()) return list;
  if (out.is<Tensor>()) list = {out.as<Tensor>()};
  if (out.is<std::vector<Tensor>>()) list = out.as<std::vector<Tensor>>();
  const bool all = std::ranges::all_of(list, [](const Tensor& t) { return t.defined(); });
  TANDEM_EXPECTS(all && !list.empty(), TypeError,
                 fmt::format("[{}] argument 'out': expected a tensor or a list of them", row.name));
  TANDEM_EXPECTS((row.flags & kView) == 0, NotImplemented,
                 fmt::format("[{}] argument 'out': expected none, the op gives a view", row.name));
  return list;
}

std::vector<Value> write(const RowCall& call, std::span<const Value> args, std::vector<Tensor> out,
                         bool in_place) {
  std::vector<Tensor*> given;
  for (Tensor& t : out) given.push_back(&t);
  call.write(args, given, in_place);
  return {std::make_move_iterator(out.begin()), std::make_move_iterator(out.end())};
}

}  // namespace

std::vector<Value> arguments_by_name(const OpRow& row, std::span<const NamedValue> args) {
  const Schema& schema = schema_of(row);
  std::vector<Value> values(schema.params.size());
  std::vector<bool> given(values.size());
  std::size_t next = 0;
  for (const NamedValue& arg : args) {
    const std::size_t i = parameter_of(row, schema, arg, next);
    const Param& p = schema.params[i];
    TANDEM_EXPECTS(!given[i], TypeError,
                   fmt::format("[{}] argument '{}': given twice", row.name, p.name));
    given[i] = true;
    if (!arg.value.is_none()) values[i] = convert(arg.value, {row, p});
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_none()) (void)detail::argument(row, values, i);  // raises for a missing one
  }
  return values;
}

bool has_in_place(const OpRow& row) {
  if ((row.flags & kInPlace) != 0) return true;
  return row.family == Family::Elementwise && (row.flags & kNoInPlace) == 0;
}

RowCall::RowCall(const OpRow& row) : row_(&row) {
  const detail::Direct direct = detail::direct_of(row);
  plain_ = direct.plain;
  into_ = direct.into;
  in_place_ = direct.in_place;
  n_args_ = direct.n_args;
}

/// Whether the C++ functions of the regular form take the arguments as they are.
bool RowCall::takes(std::span<const Value> args) const {
  if (row_->family == Family::Irregular) return true;  // it reads them itself
  const bool reduction = row_->family == Family::Reduction;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (reduction ? i == 0 && args[i].is_none() : args[i].is_none() != (i >= n_args_)) return false;
  }
  return true;
}

std::vector<Value> RowCall::operator()(std::span<const Value> args) const {
  if (is_plain(args)) return {plain_(args)};
  return call_boxed(*row_, args);
}

bool RowCall::is_plain(std::span<const Value> args) const {
  return plain_ != nullptr && takes(args);
}

void RowCall::write(std::span<const Value> args, std::span<Tensor* const> out,
                    bool in_place) const {
  const Into function = in_place ? in_place_ : into_;
  if (function != nullptr && out.size() == 1 && takes(args)) return function(*out[0], args);
  write_made(*row_, (*this)(args), out, in_place);
}

void RowCall::write_made(const OpRow& row, std::span<const Value> made,
                         std::span<Tensor* const> out, bool in_place) {
  std::vector<Tensor> tensors;
  for (const Value& v : made) {
    TANDEM_EXPECTS(v.is<Tensor>(), NotImplemented,
                   fmt::format("[{}] expected no out=: the op gives no tensor", row.name));
    tensors.push_back(v.as<Tensor>());
  }
  detail::write_results(row, tensors, out, in_place);
}

std::vector<Value> call_named(std::string_view op, std::span<const NamedValue> args) {
  const Form form = find_form(op);
  const RowCall call(*form.row);
  std::vector<NamedValue> rest(args.begin(), args.end());
  const auto is_out = [](const NamedValue& a) { return a.name == "out"; };
  const auto out = std::ranges::find_if(rest, is_out);
  std::vector<Tensor> given;
  if (out != rest.end()) {
    TANDEM_EXPECTS(!form.in_place, TypeError,
                   fmt::format("[{}] argument 'out': expected none in place", op));
    given = tensors_of_out(*form.row, out->value);
    rest.erase(out);
  }
  const std::vector<Value> values = arguments_by_name(*form.row, rest);
  if (!given.empty()) return write(call, values, std::move(given), false);
  if (!form.in_place) return call(values);
  TANDEM_EXPECTS(values[0].is<Tensor>(), TypeError,
                 fmt::format("[{}] argument '{}': expected a tensor to write to", op,
                             schema_of(*form.row).params[0].name));
  return write(call, values, {values[0].as<Tensor>()}, true);
}

}  // namespace tandem
