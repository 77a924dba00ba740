// The op table as Python sees it: a loop over its rows makes module functions, methods, in-place
// forms and operators. No op is named here but where Python's protocol calls it by another name.
#include <nanobind/stl/string.h>

#include <algorithm>
#include <array>
#include <string>

#include "convert.h"
#include "errors.h"
#include "function.h"
#include "tandem/call.h"
#include "tandem/op_alias.h"
#include "tandem/op_result.h"

namespace tandem::python {
namespace {

/// Work on so many elements is worth letting other Python threads run.
constexpr std::int64_t kReleaseAt = 4096;

bool may_take_long(std::span<const Value> args) {
  for (const Value& v : args) {
    if (v.is<Tensor>()) {
      const Tensor& t = v.as<Tensor>();
      if (t.numel() >= kReleaseAt || !t.device().is_cpu()) return true;
    } else if (v.is<std::vector<Tensor>>() || v.is<Dims>()) {
      return true;
    }
  }
  return false;
}

/// The named tuple of a row with several results, or null.
nb::object result_class(const OpRow& row) {
  const Schema& schema = schema_of(row);
  if (schema.results.empty()) return {};
  nb::list fields;
  for (const auto& field : schema.results) fields.append(nb::str(field.c_str()));
  return nb::module_::import_("tandem.return_types").attr("make")(row.name, fields);
}

/// An op that gives back what it was given (contiguous() of a contiguous tensor) gives the same
/// object.
PyObject* result_object(Tensor t, const Call& c) {
  for (PyObject* o : c.objects) {
    if (o != nullptr && is_tensor(o) && as_tensor(o).body_ptr() == t.body_ptr()) {
      return Py_NewRef(o);
    }
  }
  return wrap(std::move(t));
}

PyObject* result_object(const Value& v, const Call& c) {
  return v.is<Tensor>() ? result_object(v.as<Tensor>(), c) : from_value(v);
}

/// The tuple as the row's own kind of tuple, where it has one.
PyObject* tuple_of(nb::object tuple, const nb::object& cls) {
  if (!cls.is_valid()) return tuple.release().ptr();
  return steal(PyObject_CallObject(cls.ptr(), tuple.ptr())).release().ptr();
}

PyObject* results(std::vector<Value>& out, const Call& c, const nb::object& cls) {
  if (out.empty()) return Py_NewRef(Py_None);
  if (out.size() == 1) return result_object(out[0], c);
  nb::object tuple = steal(PyTuple_New(static_cast<Py_ssize_t>(out.size())));
  for (std::size_t i = 0; i < out.size(); ++i) {
    PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i), result_object(out[i], c));
  }
  return tuple_of(std::move(tuple), cls);
}

/// Those of an `out` keyword.
std::vector<Tensor*> tensors_of(PyObject* out) {
  if (is_tensor(out)) return {&as_tensor(out)};
  std::vector<Tensor*> given;
  for (const nb::handle o : nb::borrow(out)) given.push_back(&as_tensor(o.ptr()));
  return given;
}

/// What a row's functions need at a call.
struct RowFunction {
  RowCall row;
  nb::object results;  // the named tuple of several results
};

/// Runs f, without the GIL where the work may be long.
template <class F>
auto unlocked(std::span<const Value> args, F&& f) {
  if (!may_take_long(args)) return f();
  const nb::gil_scoped_release release;
  return f();
}

Function in_place_function(const OpRow& row, Function f) {
  f.name += "_";
  f.doc += " (in place)";
  f.run = [call = RowCall(row)](Call& c) {
    Tensor* const self = &c.written(call.row().name);
    unlocked(c.values, [&] { call.write(c.values, {&self, 1}, true); });
    return Py_NewRef(c.objects[0]);
  };
  return f;
}

Function function_of(const OpRow& row, Function::Form form) {
  const Schema& schema = schema_of(row);
  Function f;
  f.name = row.name;
  f.doc = row.doc;
  f.form = form;
  f.parameters = parameters_of(schema.params, f.name);
  if (form == Function::Form::InPlace || form == Function::Form::InPlaceOperator) {
    return in_place_function(row, std::move(f));
  }
  f.n_out = (row.flags & kView) != 0 ? 0 : std::max<std::size_t>(schema.results.size(), 1);
  f.run = [call = RowFunction{RowCall(row), result_class(row)}](Call& c) {
    if (c.out != nullptr) {
      const std::vector<Tensor*> given = tensors_of(c.out);
      unlocked(c.values, [&] { call.row.write(c.values, given); });
      if (is_tensor(c.out)) return Py_NewRef(c.out);
      return tuple_of(nb::tuple(nb::borrow(c.out)), call.results);
    }
    if (call.row.is_plain(c.values)) {
      return result_object(unlocked(c.values, [&] { return call.row.plain(c.values); }), c);
    }
    std::vector<Value> made = unlocked(c.values, [&] { return call.row(c.values); });
    return results(made, c, call.results);
  };
  return f;
}

bool is_method(const Function& f) {
  if (f.parameters.empty()) return false;
  const Accepts first = f.parameters[0].accepts;
  return first == Accepts::Tensor || first == Accepts::Arg;
}

/// Python's word for an op where it has one: "add" for add, "and" for bitwise_and, "" for others.
std::string protocol_word(const OpRow& row, const nb::module_& words) {
  struct Word {
    std::string_view op, python;
  };
  static constexpr std::array<Word, 3> kArithmetic{
      {{"div", "truediv"}, {"floor_divide", "floordiv"}, {"remainder", "mod"}}};
  const std::string_view name = row.name;
  for (const Word& w : kArithmetic) {
    if (w.op == name) return std::string(w.python);
  }
  constexpr std::string_view kBitwise = "bitwise_";
  std::string word(name);
  if (name.starts_with(kBitwise)) {
    word = name.substr(kBitwise.size());
    if (word == "not") return "invert";
    const auto side = word.find("_shift");
    if (side != std::string::npos) return word.substr(0, 1) + "shift";
  }
  // Python's operator module knows the rest; its `not` is no method.
  const bool known = nb::hasattr(words, ("__" + word + "__").c_str()) && word != "not";
  return known ? word : "";
}

/// +, -, ... with their reflected and in-place forms.
void define_operators(const OpRow& row, const nb::module_& words) {
  const std::string word = protocol_word(row, words);
  if (word.empty() || (row.family != Family::Elementwise && word != "matmul")) return;
  Function f = function_of(row, Function::Form::Operator);
  std::erase_if(f.parameters, [](const Parameter& p) { return p.keyword_only; });
  f.n_out = 0;
  define_method(("__" + word + "__").c_str(), function_object(f));
  if (f.parameters.size() != 2 || row.result == Result::Bool) return;
  f.reflected = true;
  define_method(("__r" + word + "__").c_str(), function_object(f));
  if (!has_in_place(row)) return;
  f = function_of(row, Function::Form::InPlaceOperator);
  std::erase_if(f.parameters, [](const Parameter& p) { return p.keyword_only; });
  define_method(("__i" + word + "__").c_str(), function_object(std::move(f)));
}

/// An op's name as Python sees it: linalg_cholesky is cholesky of the module linalg,
/// signal_windows_hann is hann of signal.windows.
struct PythonName {
  std::string module;  // empty: the main one
  std::string name;
};
PythonName python_name(std::string_view name) {
  for (const std::string_view space : {"linalg", "fft", "signal_windows", "signal"}) {
    if (name.starts_with(space) && name.size() > space.size() && name[space.size()] == '_')
      return {std::string(space), std::string(name.substr(space.size() + 1))};
  }
  return {"", std::string(name)};
}

/// The module that a name goes into, made at its first use: _linalg, of which tandem/linalg.py
/// takes all.
nb::module_ module_of(const nb::module_& m, const PythonName& name) {
  if (name.module.empty()) return m;
  const std::string own = "_" + name.module;
  if (!nb::hasattr(m, own.c_str())) nb::module_(m).def_submodule(own.c_str());
  return nb::cast<nb::module_>(m.attr(own.c_str()));
}

/// linalg.inv, signal.windows.hann
std::string dotted(const PythonName& name) {
  if (name.module.empty()) return name.name;
  std::string module = name.module;
  std::replace(module.begin(), module.end(), '_', '.');
  return module.append(".").append(name.name);
}

nb::dict describe(const OpRow& row) {
  nb::dict d;
  const auto dtypes = [&] {
    nb::list list;
    for (int i = 0; i < kNumDTypes; ++i) {
      if (row.dtypes.has(static_cast<DType>(i))) list.append(nb::handle(types.dtypes[i]));
    }
    return nb::tuple(list);
  }();
  static constexpr const char* kFamilies[] = {"elementwise", "generator", "reduction", "irregular"};
  static constexpr const char* kResults[] = {"same", "number", "float", "bool",   "real",
                                             "wide", "index",  "int32", "complex"};
  d["name"] = row.name;
  const PythonName python = python_name(row.name);
  d["python"] = nb::str(dotted(python).c_str());
  d["aliases"] = [&] {
    nb::list names;
    for (const OpAlias& a : op_aliases()) {
      if (a.row == &row) names.append(a.name);
    }
    return nb::tuple(names);
  }();
  d["family"] = kFamilies[static_cast<int>(row.family)];
  d["arity"] = static_cast<int>(row.arity);
  d["dtypes"] = dtypes;
  d["result"] = kResults[static_cast<int>(row.result)];
  d["max_ulp"] = row.max_ulp;
  d["domain"] = nb::make_tuple(row.lo, row.hi);
  d["schema"] = row.schema;
  d["returns"] = op_result(row);
  d["results"] = [&] {
    nb::list names;
    for (const std::string& name : schema_of(row).results) names.append(name);
    return nb::tuple(names);
  }();
  d["doc"] = row.doc;
  d["in_place"] = has_in_place(row);
  d["view"] = (row.flags & kView) != 0;
  d["vendor"] = (row.flags & kVendor) != 0;
  d["method"] = python.module.empty() && is_method(function_of(row, Function::Form::Plain));
  return d;
}

/// The other names of ops stand for the same objects.
void define_aliases(const nb::module_& m) {
  const nb::handle cls(reinterpret_cast<PyObject*>(types.tensor));
  const auto copy = [](const nb::handle& place, const std::string& from, const std::string& to) {
    if (nb::hasattr(place, from.c_str())) {
      nb::setattr(place, to.c_str(), nb::getattr(place, from.c_str()));
    }
  };
  for (const OpAlias& alias : op_aliases()) {
    const std::string row = alias.row->name;
    const PythonName from = python_name(row), to = python_name(alias.name);
    if (!from.module.empty() || !to.module.empty()) {
      const nb::module_ source = module_of(m, from);
      if (!nb::hasattr(source, from.name.c_str())) continue;
      nb::setattr(module_of(m, to), to.name.c_str(), nb::getattr(source, from.name.c_str()));
      // A name of the main module is a method too: x.det() of linalg_det.
      const bool method = is_method(function_of(*alias.row, Function::Form::Plain));
      if (to.module.empty() && method && !nb::hasattr(cls, to.name.c_str()))
        nb::setattr(cls, to.name.c_str(), nb::getattr(source, from.name.c_str()));
      continue;
    }
    copy(m, row, alias.name);
    copy(cls, row, alias.name);
    copy(cls, row + "_", alias.name + std::string("_"));
  }
}

}  // namespace

Function row_function(const OpRow& row) { return function_of(row, Function::Form::Plain); }

void write_results(const OpRow& row, std::span<const Value> made, PyObject* out) {
  RowCall::write_made(row, made, tensors_of(out));
}

void init_table(nb::module_& m) {
  const nb::module_ words = nb::module_::import_("operator");
  for (const OpRow* row : op_rows()) {
    Function f = function_of(*row, Function::Form::Plain);
    const bool method = is_method(f);
    // Rows whose name ends in _ write to their first argument: methods only, as in PyTorch.
    const bool writes = f.name.back() == '_';
    if (const PythonName name = python_name(row->name); !name.module.empty()) {
      f.place = dotted(name);
      nb::setattr(module_of(m, name), name.name.c_str(), function_object(std::move(f)));
      continue;
    }
    define(std::move(f), (writes ? 0U : kModule) | (method ? kMethod : 0U));
    if (has_in_place(*row)) define(function_of(*row, Function::Form::InPlace), kMethod);
    define_operators(*row, words);
  }
  define_aliases(m);
  // PyTorch has repeat() as a method alone; the Array API's function of this name repeats elements.
  nb::setattr(m, "repeat", nb::getattr(m, "repeat_interleave"));
  m.def(
      "op_rows",
      [] {
        nb::list rows;
        for (const OpRow* row : op_rows()) rows.append(describe(*row));
        return rows;
      },
      R"(The op table: one dict a row, with the op's name in C++ and in Python, its other names, family, dtypes,
schema and text.

>>> [row['aliases'] for row in tandem.op_rows() if row['name'] == 'clamp']
[('clip',)])");
}

}  // namespace tandem::python
