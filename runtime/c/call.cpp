// Calls of ops from C: arguments to values, values to results.
#include "tandem/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <type_traits>

#include "runtime/c/boundary.h"

using namespace tandem;

// Programs and bindings to other languages rely on this layout.
static_assert(offsetof(tandem_value, kind) == sizeof(void*));
static_assert(offsetof(tandem_value, as) % alignof(double) == 0);
static_assert(sizeof(void*) != 8 ||
              (sizeof(tandem_value) == 40 && offsetof(tandem_value, as) == 24));

struct tandem_results {
  std::vector<Value> values;
  std::vector<std::string> names;
  // What the C values of the results point to; the places of a deque's elements do not change.
  std::deque<std::vector<tandem_tensor*>> tensors;
  std::vector<tandem_value> items;
};

namespace {

/// An argument, for messages.
struct Place {
  const char* op;
  const tandem_value& value;
  std::size_t index;

  std::string str() const {
    return value.name != nullptr ? fmt::format("[{}] argument '{}'", op, value.name)
                                 : fmt::format("[{}] argument {}", op, index);
  }
};

template <class T>
const T& pointed(const T* p, const Place& place) {
  TANDEM_EXPECTS(p != nullptr, ValueError, place.str() + ": expected a pointer, got null");
  return *p;
}

/// A list's elements; the pointer of an empty one may be null.
template <class T>
std::span<const T> listed(const T* p, const Place& place) {
  if (place.value.count != 0) (void)pointed(p, place);
  return {p, place.value.count};
}

Value tensors_of(const Place& place) {
  std::vector<Tensor> list;
  for (tandem_tensor* const t : listed(place.value.as.tensors, place)) list.push_back(from_c(t));
  return list;
}

Value texts_of(const Place& place) {
  std::vector<std::string> list;
  for (const char* const text : listed(place.value.as.texts, place))
    list.emplace_back(text == nullptr ? "" : text);
  return list;
}

/// A float64 tensor of one dimension: what a schema's `floats` are.
Value floats_of(const Place& place) {
  const auto list = listed(place.value.as.numbers, place);
  Tensor t = empty({static_cast<std::int64_t>(list.size())}, {.dtype = dtype_of<double>});
  std::ranges::copy(list, static_cast<double*>(t.data_ptr()));
  return t;
}

Value dtype_named(const Place& place) {
  const std::string_view text = &pointed(place.value.as.text, place);
  const DType t = dtype_by_name(text);
  TANDEM_EXPECTS(t != DType::kCount, ValueError,
                 fmt::format("{}: expected a dtype such as float32, got '{}'", place.str(), text));
  return t;
}

Value value_of(const Place& place) {
  const tandem_value& v = place.value;
  switch (v.kind) {
    case TANDEM_NONE:
      return {};
    case TANDEM_TENSOR:
      return from_c(&pointed(v.as.tensor, place));
    case TANDEM_TENSORS:
      return tensors_of(place);
    case TANDEM_BOOL:
      return v.as.integer != 0;
    case TANDEM_INT:
      return v.as.integer;
    case TANDEM_UINT:
      return v.as.natural;
    case TANDEM_FLOAT:
      return v.as.number;
    case TANDEM_COMPLEX:
      return Scalar(std::complex<double>(v.as.complex_parts[0], v.as.complex_parts[1]));
    case TANDEM_TEXT:
      return std::string(&pointed(v.as.text, place));
    case TANDEM_TEXTS:
      return texts_of(place);
    case TANDEM_INTS:
      return Dims(listed(v.as.integers, place));
    case TANDEM_FLOATS:
      return floats_of(place);
    case TANDEM_DTYPE:
      return dtype_named(place);
    case TANDEM_DEVICE:
      return Device(std::string_view(&pointed(v.as.text, place)));
    case TANDEM_GENERATOR:
      return pointed(v.as.generator, place).generator;
    default:
      detail::fail<TypeError>(
          fmt::format("{}: this library knows no value of kind {}", place.str(), v.kind));
  }
}

std::vector<Value> call(const char* op, const tandem_value* args, std::size_t count,
                        const char* function) {
  (void)c::given(op, {function, "op"});
  if (count != 0) (void)c::given(args, {function, "args"});
  std::vector<NamedValue> named;
  named.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    named.push_back({args[i].name == nullptr ? "" : args[i].name, value_of({op, args[i], i})});
  }
  return call_named(op, named);
}

void set_number(tandem_value& to, const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::Bool:
      to.kind = TANDEM_BOOL;
      to.as.integer = s.to_int();
      break;
    case Scalar::Kind::Int:
      to.kind = TANDEM_INT;
      to.as.integer = s.to_int();
      break;
    case Scalar::Kind::UInt:
      to.kind = TANDEM_UINT;
      to.as.natural = s.to<std::uint64_t>();
      break;
    case Scalar::Kind::Float:
      to.kind = TANDEM_FLOAT;
      to.as.number = s.to_double();
      break;
    case Scalar::Kind::Complex:
      to.kind = TANDEM_COMPLEX;
      to.as.complex_parts[0] = s.to_complex().real();
      to.as.complex_parts[1] = s.to_complex().imag();
      break;
  }
}

/// The handle of a tensor that the results hold.
tandem_tensor* borrowed(const Tensor& t) { return reinterpret_cast<tandem_tensor*>(t.body_ptr()); }

/// A result as C sees it; it points into the results.
tandem_value item_of(tandem_results& results, const Value& v) {
  tandem_value to = tandem_none(nullptr);
  if (v.is<Tensor>()) {
    to.kind = TANDEM_TENSOR;
    to.as.tensor = borrowed(v.as<Tensor>());
  } else if (v.is<std::vector<Tensor>>()) {
    auto& list = results.tensors.emplace_back();
    for (const Tensor& t : v.as<std::vector<Tensor>>()) list.push_back(borrowed(t));
    to.kind = TANDEM_TENSORS;
    to.count = list.size();
    to.as.tensors = list.data();
  } else if (v.is<Scalar>()) {
    set_number(to, v.as<Scalar>());
  } else if (v.is<std::string>()) {
    to.kind = TANDEM_TEXT;
    to.as.text = v.as<std::string>().c_str();
  } else if (v.is<Dims>()) {
    to.kind = TANDEM_INTS;
    to.count = v.as<Dims>().size();
    to.as.integers = v.as<Dims>().data();
  } else if (v.is<DType>()) {
    to.kind = TANDEM_DTYPE;
    to.as.text = c::text_of(v.as<DType>());
  } else {
    TANDEM_EXPECTS(v.is_none(), NotImplemented, "[tandem_call] a result that C has no kind for");
  }
  return to;
}

/// The names of a row's results, where it has several.
std::vector<std::string> result_names(std::string_view op, std::size_t count) {
  const OpRow* row = find_op(op);
  if (row == nullptr) return {};
  const auto& names = schema_of(*row).results;
  return names.size() == count ? names : std::vector<std::string>();
}

const tandem_value& item_at(const tandem_results* results, std::size_t i, const char* function) {
  const auto& items = c::given(results, {function, "results"}).items;
  TANDEM_EXPECTS(i < items.size(), IndexError,
                 fmt::format("[{}] expected an index below {}, got {}", function, items.size(), i));
  return items[i];
}

/// Every row with its texts, in the table's order. Rows are only ever added.
const OpRow& row_at(std::size_t i) {
  const std::vector<const OpRow*> rows = op_rows();
  TANDEM_EXPECTS(i < rows.size(), IndexError,
                 fmt::format("[tandem_op_at] expected an index below {}, got {}", rows.size(), i));
  return *rows[i];
}

}  // namespace

int tandem_op_count(size_t* count) {
  return c::guarded([&] { c::given(count, {"tandem_op_count", "count"}) = op_rows().size(); });
}

int tandem_op_at(size_t i, const char** name, const char** schema, const char** doc) {
  return c::guarded([&] {
    const OpRow& row = row_at(i);
    if (name != nullptr) *name = row.name;
    if (schema != nullptr) *schema = row.schema;
    if (doc != nullptr) *doc = row.doc;
  });
}

int tandem_call(const char* op, const tandem_value* args, size_t count, tandem_results** results) {
  return c::guarded([&] {
    tandem_results*& to = c::given(results, {"tandem_call", "results"});
    auto made = std::make_unique<tandem_results>();
    made->values = call(op, args, count, "tandem_call");
    made->names = result_names(op, made->values.size());
    for (const Value& v : made->values) made->items.push_back(item_of(*made, v));
    for (std::size_t i = 0; i < made->names.size(); ++i)
      made->items[i].name = made->names[i].c_str();
    to = made.release();
  });
}

int tandem_call_tensor(const char* op, const tandem_value* args, size_t count,
                       tandem_tensor** out) {
  return c::guarded([&] {
    const std::vector<Value> made = call(op, args, count, "tandem_call_tensor");
    TANDEM_EXPECTS(
        made.size() == 1 && made[0].is<Tensor>(), TypeError,
        fmt::format("[{}] the op gives something else than one tensor: use tandem_call", op));
    if (out != nullptr) *out = to_c(made[0].as<Tensor>());
  });
}

int tandem_results_count(const tandem_results* results, size_t* count) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_results_count";
    c::given(count, {kFunction, "count"}) = c::given(results, {kFunction, "results"}).items.size();
  });
}

int tandem_results_at(const tandem_results* results, size_t i, tandem_value* value) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_results_at";
    c::given(value, {kFunction, "value"}) = item_at(results, i, kFunction);
  });
}

int tandem_results_tensor(const tandem_results* results, size_t i, tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_results_tensor";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    const tandem_value& item = item_at(results, i, kFunction);
    TANDEM_EXPECTS(item.kind == TANDEM_TENSOR, TypeError,
                   fmt::format("[{}] result {} is no tensor", kFunction, i));
    to = to_c(from_c(item.as.tensor));
  });
}

int tandem_results_release(tandem_results* results) {
  delete results;
  return TANDEM_OK;
}
