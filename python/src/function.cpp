// Function: a Python callable made from a schema; its calling convention and its messages.
#include "function.h"

#include <Python.h>
#include <nanobind/stl/string.h>
#include <structmember.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "convert.h"
#include "errors.h"

namespace tandem::python {

PyObject* module_object = nullptr;

namespace {

// Note [Call forms]
// A call's arguments are matched to the schema's parameters as Python would, and besides:
// * the last positional list takes the further positional arguments: zeros(2, 3), x.permute(1, 0);
// * PyTorch's and NumPy's words for a parameter are accepted (input, other, axis, keepdims, ...);
// * keywords that PyTorch takes and that change nothing here (requires_grad=False, ...) are
// accepted
//   with the value that changes nothing;
// * `out=` where the op can write to a given tensor.
// A Function has the vector-call protocol and binds like a plain function, so that t.add(u) makes
// no bound method and no tuple.
struct FunctionObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  Function* function;
};

PyTypeObject* function_type = nullptr;

struct Alias {
  const char* word;  // what a caller may say
  const char* name;  // the parameter, or null for the parameter at `position`
  std::size_t position;
};
constexpr Alias kAliases[] = {{"input", nullptr, 0},
                              {"self", nullptr, 0},
                              {"other", nullptr, 1},
                              {"input2", nullptr, 1},
                              {"input3", nullptr, 2},
                              {"axis", "dim", 0},
                              {"axes", "dims", 0},
                              {"axes", "dim", 0},
                              {"keepdims", "keepdim", 0},
                              {"shape", "size", 0},
                              {"dims", "dim", 0},
                              {"ddof", "correction", 0},
                              {"src", "source", 0},
                              {"axis", "dims", 0},
                              {"shift", "shifts", 0},
                              {"k", "diagonal", 0},
                              {"repetitions", "dims", 0},
                              {"value", "src", 0},
                              {"indices", "index", 0},
                              {"size", "shape", 0},
                              {"tensor", nullptr, 0},
                              {"axis0", "dim0", 0},
                              {"axis1", "dim1", 0},
                              {"element", "elements", 0},
                              {"test_element", "test_elements", 0},
                              {"split_size", "split_size_or_sections", 0},
                              {"split_sizes", "split_size_or_sections", 0},
                              {"sections", "indices_or_sections", 0},
                              {"indices", "indices_or_sections", 0},
                              {"tensor_indices_or_sections", "indices_or_sections", 0}};

std::string prefix(const Function& f) { return "[" + f.name + "] "; }

std::size_t find_parameter(const Function& f, PyObject* keyword) {
  const auto& ps = f.parameters;
  for (std::size_t i = 0; i < ps.size(); ++i) {
    if (ps[i].name == keyword) return i;
  }
  const std::string_view word = text_of(keyword);
  for (std::size_t i = 0; i < ps.size(); ++i) {
    if (ps[i].text == word) return i;
  }
  for (const Alias& alias : kAliases) {
    if (word != alias.word) continue;
    for (std::size_t i = 0; i < ps.size(); ++i) {
      const bool same = alias.name != nullptr ? ps[i].text == alias.name : i == alias.position;
      if (same) return i;
    }
  }
  return ps.size();
}

/// Whether a keyword of PyTorch is one that changes nothing with this value.
bool is_idle_keyword(PyObject* keyword, PyObject* value) {
  static constexpr const char* kIdle[] = {"requires_grad", "pin_memory", "layout", "memory_format",
                                          "sparse_grad"};
  const std::string_view word = text_of(keyword);
  for (const char* idle : kIdle) {
    if (word == idle) return value == Py_None || value == Py_False;
  }
  return false;
}

[[noreturn]] void fail_argument(const Function& f, const Parameter& p, PyObject* got) {
  detail::fail<TypeError>(prefix(f) + "expected " + p.text + " to be " + accepted(p.accepts) +
                          ", got " + type_name(got));
}

constexpr std::size_t kMaxParameters = 16;

struct Bound {
  std::array<PyObject*, kMaxParameters> objects{};
  nb::object rest;  // keeps a tuple of further positional arguments
  PyObject* out = nullptr;
  nb::object outs;      // keeps those of a sequence
  bool pinned = false;  // the result is to be in pinned memory
};

/// pin_memory=True, of a function that makes tensors.
bool asks_for_pinned(const Function& f, PyObject* keyword, PyObject* value) {
  const auto is_device = [](const auto& p) { return p.text == "device"; };
  return value == Py_True && text_of(keyword) == "pin_memory" &&
         std::any_of(f.parameters.begin(), f.parameters.end(), is_device);
}

void bind_positional(const Function& f, PyObject* const* args, std::size_t n, Bound& bound) {
  std::size_t direct = std::min(n, f.n_positional);
  if (n > f.n_positional) {
    if (!f.rest) {
      detail::fail<TypeError>(prefix(f) + "expected at most " + std::to_string(f.n_positional) +
                              " positional arguments, got " + std::to_string(n));
    }
    direct = *f.rest;
    bound.rest = steal(PyTuple_New(static_cast<Py_ssize_t>(n - direct)));
    for (std::size_t i = direct; i < n; ++i) {
      PyTuple_SET_ITEM(bound.rest.ptr(), static_cast<Py_ssize_t>(i - direct), Py_NewRef(args[i]));
    }
    bound.objects[direct] = bound.rest.ptr();
  }
  std::copy_n(args, direct, bound.objects.begin());
  // One tensor where several may follow: einsum('ii', t).
  if (f.rest && n == f.n_positional && is_tensor(bound.objects[*f.rest]) &&
      f.parameters[*f.rest].accepts == Accepts::Tensors) {
    bound.rest = steal(PyTuple_Pack(1, bound.objects[*f.rest]));
    bound.objects[*f.rest] = bound.rest.ptr();
  }
}

/// Of an `out` keyword: a tensor, or a tuple of them where the op has several results.
PyObject* checked_out(const Function& f, PyObject* value, nb::object& tuple) {
  if (is_tensor(value)) return value;
  if (f.n_out > 1 && PySequence_Check(value) != 0 && PyUnicode_Check(value) == 0) {
    // Its tensors are held: a list may change while the op works, a sequence of another kind may
    // make its items anew each time.
    tuple = steal(PySequence_Tuple(value));
    bool all = true;
    for (const nb::handle o : tuple) all = all && is_tensor(o.ptr());
    if (all) return tuple.ptr();
  }
  detail::fail<TypeError>(prefix(f) + "expected out to be a tensor" +
                          (f.n_out > 1 ? " or a tuple of tensors" : "") + ", got " +
                          type_name(value));
}

void bind_keywords(const Function& f, PyObject* const* args, PyObject* names, Bound& bound) {
  const Py_ssize_t n = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  if (f.positional_only && n > 0) {
    detail::fail<TypeError>(prefix(f) + "expected no keywords, got " +
                            std::string(text_of(PyTuple_GET_ITEM(names, 0))));
  }
  for (Py_ssize_t k = 0; k < n; ++k) {
    PyObject* keyword = PyTuple_GET_ITEM(names, k);
    PyObject* value = args[k];
    const std::size_t i = find_parameter(f, keyword);
    if (i < f.parameters.size()) {
      if (bound.objects[i] != nullptr) {
        detail::fail<TypeError>(prefix(f) + "expected one value of " + f.parameters[i].text +
                                ", got several");
      }
      bound.objects[i] = value;
    } else if (f.n_out > 0 && text_of(keyword) == "out") {
      if (value != Py_None) bound.out = checked_out(f, value, bound.outs);
    } else if (asks_for_pinned(f, keyword, value)) {
      bound.pinned = true;
    } else if (!is_idle_keyword(keyword, value)) {
      std::string known;
      for (const auto& p : f.parameters) known += (known.empty() ? "" : ", ") + p.text;
      detail::fail<TypeError>(prefix(f) + "expected keywords of (" + known + "), got " +
                              std::string(text_of(keyword)));
    }
  }
}

/// The values of a call, on the stack: no more are made than it has parameters.
class Values {
 public:
  explicit Values(std::size_t n) : n_(n) { std::uninitialized_default_construct_n(begin(), n); }
  ~Values() { std::destroy_n(begin(), n_); }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;

  Value& operator[](std::size_t i) { return begin()[i]; }
  std::span<Value> all() { return {begin(), n_}; }

 private:
  Value* begin() { return std::launder(reinterpret_cast<Value*>(memory_)); }

  std::size_t n_;
  alignas(Value) std::byte memory_[kMaxParameters * sizeof(Value)];
};

/// Converts the bound objects; false where an operator meets an operand of a type that is not its
/// own.
bool convert(const Function& f, const Bound& bound, Values& values) {
  const auto& ps = f.parameters;
  for (std::size_t i = 0; i < ps.size(); ++i) {
    PyObject* o = bound.objects[i];
    if (o != nullptr && Py_TYPE(o) == types.tensor && ps[i].accepts <= Accepts::Arg) [[likely]] {
      values[i] = Value(as_tensor(o));
      continue;
    }
    if (o == nullptr || (o == Py_None && !ps[i].required)) {
      if (ps[i].required) {
        detail::fail<TypeError>(prefix(f) + "expected an argument " + ps[i].text + ", got none");
      }
      if (i == f.device) {
        if (const auto device = default_device()) values[i] = Value(*device);
      }
      continue;
    }
    if (ps[i].accepts == Accepts::Object) continue;
    std::optional<Value> v;
    try {
      v = to_value(o, ps[i].accepts);
    } catch (const ValueError& e) {
      // The converters do not know whom they work for.
      if (e.what()[0] == '[') throw;
      detail::fail<ValueError>(prefix(f) + ps[i].text + ": " + e.what());
    }
    if (!v) {
      if (f.is_operator()) return false;
      fail_argument(f, ps[i], o);
    }
    values[i] = std::move(*v);
  }
  return true;
}

PyObject* call(const Function& f, PyObject* const* args, std::size_t n, PyObject* names) {
  Bound bound;
  PyObject* swapped[2];
  if (f.reflected && n == 2) {
    // An array on the left is NumPy's to deal with.
    if (is_numpy_array(args[1])) return Py_NewRef(Py_NotImplemented);
    swapped[0] = args[1];
    swapped[1] = args[0];
    bind_positional(f, swapped, n, bound);
  } else {
    bind_positional(f, args, f.is_operator() ? std::min(n, f.n_positional) : n, bound);
  }
  if (names != nullptr) bind_keywords(f, args + n, names, bound);
  Values values(f.parameters.size());
  if (!convert(f, bound, values)) return Py_NewRef(Py_NotImplemented);
  Call c{{bound.objects.data(), f.parameters.size()}, values.all(), bound.out};
  if (!bound.pinned) [[likely]]
    return f.run(c);
  const nb::object made = steal(f.run(c));
  return is_tensor(made.ptr()) ? wrap(as_tensor(made.ptr()).pin_memory()) : Py_NewRef(made.ptr());
}

PyObject* function_vectorcall(PyObject* self, PyObject* const* args, std::size_t nargsf,
                              PyObject* names) {
  const Function& f = *reinterpret_cast<FunctionObject*>(self)->function;
  return guarded([&] { return call(f, args, PyVectorcall_NARGS(nargsf), names); });
}

PyObject* function_get(PyObject* self, PyObject* object, PyObject*) {
  if (object == nullptr || object == Py_None) return Py_NewRef(self);
  return PyMethod_New(self, object);
}

PyObject* function_repr(PyObject* self) {
  const Function& f = *reinterpret_cast<FunctionObject*>(self)->function;
  return PyUnicode_FromFormat("<function %s.%s>", f.module.c_str(), f.name.c_str());
}

PyObject* text_object(const std::string& s) {
  return PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size()));
}

std::string signature(const Function& f) {
  std::string s = "(";
  bool star = false;
  for (std::size_t i = 0; i < f.parameters.size(); ++i) {
    const Parameter& p = f.parameters[i];
    if (i > 0) s += ", ";
    if (p.keyword_only && !star) {
      s += "*, ";
      star = true;
    }
    s += p.text;
    if (!p.required) s += "=" + (p.fallback.empty() ? "None" : p.fallback);
  }
  if (f.positional_only) s += ", /";
  if (f.n_out > 0)
    s += std::string(f.parameters.empty() ? "" : ", ") + (star ? "" : "*, ") + "out=None";
  return s + ")";
}

/// The schemas' words for what a parameter accepts.
constexpr std::pair<std::string_view, Accepts> kTypes[] = {{"Tensor", Accepts::Tensor},
                                                           {"Arg", Accepts::Arg},
                                                           {"Tensor[]", Accepts::Tensors},
                                                           {"Scalar", Accepts::Scalar},
                                                           {"int", Accepts::Int},
                                                           {"float", Accepts::Float},
                                                           {"bool", Accepts::Bool},
                                                           {"str", Accepts::Str},
                                                           {"str[]", Accepts::Strs},
                                                           {"ints", Accepts::Ints},
                                                           {"axis", Accepts::Axis},
                                                           {"axes", Accepts::Axes},
                                                           {"dtype", Accepts::DType},
                                                           {"device", Accepts::Device},
                                                           {"names", Accepts::Names},
                                                           {"shape", Accepts::Shape},
                                                           {"floats", Accepts::Floats},
                                                           {"value", Accepts::Value},
                                                           {"object", Accepts::Object},
                                                           {"generator", Accepts::Generator},
                                                           {"Tensor?[]", Accepts::MaybeTensors},
                                                           {"spacing", Accepts::Spacing},
                                                           {"pairs", Accepts::Pairs},
                                                           {"bins", Accepts::Bins}};

std::string_view word_of(Accepts accepts) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const auto& t) { return t.second == accepts; });
  return found->first;
}

PyObject* function_name(PyObject* self, void*) {
  return text_object(reinterpret_cast<FunctionObject*>(self)->function->name);
}

/// What tandem/_docs.py and tools/stubs.py make docstrings and type stubs from: (line, parameters,
/// tensors of out, form); of a parameter (name, schema's word, accepted, required, keyword only,
/// default).
PyObject* function_described(PyObject* self, void*) {
  static constexpr const char* kForms[] = {"plain", "in place", "operator", "in-place operator"};
  const Function& f = *reinterpret_cast<FunctionObject*>(self)->function;
  return guarded([&] {
    nb::list parameters;
    for (const Parameter& p : f.parameters) {
      const std::string_view word = word_of(p.accepts);
      parameters.append(nb::make_tuple(p.text, nb::str(word.data(), word.size()),
                                       accepted(p.accepts), p.required, p.keyword_only,
                                       p.fallback));
    }
    return nb::make_tuple(f.doc, nb::tuple(parameters), f.n_out, kForms[static_cast<int>(f.form)])
        .release()
        .ptr();
  });
}

/// Made by tandem/_docs.py when it is asked for: no text of it is in memory before.
PyObject* function_doc(PyObject* self, void*) {
  return guarded([&] {
    const nb::object docs = nb::module_::import_("tandem._docs");
    return docs.attr("text")(nb::handle(self)).release().ptr();
  });
}
PyObject* function_signature(PyObject* self, void*) {
  const Function& f = *reinterpret_cast<FunctionObject*>(self)->function;
  return guarded([&] { return text_object(signature(f)); });
}
PyObject* function_module(PyObject* self, void*) {
  return text_object(reinterpret_cast<FunctionObject*>(self)->function->module);
}

/// Pickled by its place in the package.
PyObject* function_reduce(PyObject* self, PyObject*) {
  const Function& f = *reinterpret_cast<FunctionObject*>(self)->function;
  if (f.place.empty()) return text_object(f.name);
  return guarded([&] {
    const nb::object find = nb::module_::import_("tandem.pickling").attr("_function");
    return nb::make_tuple(find, nb::make_tuple(f.place)).release().ptr();
  });
}

PyTypeObject* make_function_type() {
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(FunctionObject, vectorcall), READONLY, nullptr},
      {nullptr, 0, 0, 0, nullptr}};
  static PyGetSetDef attributes[] = {
      {"__name__", function_name, nullptr, nullptr, nullptr},
      {"__qualname__", function_name, nullptr, nullptr, nullptr},
      {"__doc__", function_doc, nullptr, nullptr, nullptr},
      {"__module__", function_module, nullptr, nullptr, nullptr},
      {"__text_signature__", function_signature, nullptr, nullptr, nullptr},
      {"_described", function_described, nullptr, nullptr, nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr}};
  static PyMethodDef methods[] = {{"__reduce__", function_reduce, METH_NOARGS, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};
  static PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                                {Py_tp_descr_get, reinterpret_cast<void*>(function_get)},
                                {Py_tp_repr, reinterpret_cast<void*>(function_repr)},
                                {Py_tp_members, members},
                                {Py_tp_getset, attributes},
                                {Py_tp_methods, methods},
                                {0, nullptr}};
  static PyType_Spec spec = {"tandem._tandem.Function", sizeof(FunctionObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                                 Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             slots};
  return reinterpret_cast<PyTypeObject*>(steal(PyType_FromSpec(&spec)).release().ptr());
}

Accepts accepts_of(std::string_view type, const std::string& where) {
  if (!type.empty() && type.back() == '?') type.remove_suffix(1);
  if (type.empty()) return Accepts::Arg;
  for (const auto& [word, accepts] : kTypes) {
    if (word == type) return accepts;
  }
  detail::fail<NotImplemented>("[" + where +
                               "] expected a parameter type that Python knows, got '" +
                               std::string(type) + "'");
}

bool is_list(Accepts a) {
  return a == Accepts::Ints || a == Accepts::Axes || a == Accepts::Tensors || a == Accepts::Names ||
         a == Accepts::Strs || a == Accepts::Shape;
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

}  // namespace

std::vector<Param> params_of(std::string_view text) {
  std::vector<Param> params;
  bool keyword_only = false;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view part = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (part == "*") {
      keyword_only = true;
      continue;
    }
    Param p;
    const std::size_t equals = part.find('=');
    if (equals != std::string_view::npos) {
      p.fallback = trim(part.substr(equals + 1));
      part = part.substr(0, equals);
    }
    const std::size_t colon = part.find(':');
    p.name = trim(part.substr(0, colon));
    p.type = colon == std::string_view::npos ? "Arg" : trim(part.substr(colon + 1));
    p.keyword_only = keyword_only;
    params.push_back(std::move(p));
  }
  return params;
}

std::vector<Parameter> parameters_of(const std::vector<Param>& params, const std::string& where) {
  std::vector<Parameter> out;
  for (const Param& p : params) {
    out.push_back({PyUnicode_InternFromString(p.name.c_str()), p.name, accepts_of(p.type, where),
                   p.required(), p.keyword_only, p.fallback});
  }
  TANDEM_EXPECTS(out.size() <= kMaxParameters, ValueError,
                 "[" + where + "] expected at most 16 parameters");
  return out;
}

Function make_function(std::string name, std::string_view text, std::string doc,
                       std::function<PyObject*(Call&)> run) {
  Function f;
  f.parameters = parameters_of(params_of(text), name);
  f.name = std::move(name);
  f.doc = std::move(doc);
  f.run = std::move(run);
  return f;
}

nb::object function_object(Function f) {
  if (function_type == nullptr) function_type = make_function_type();
  f.n_positional = static_cast<std::size_t>(std::count_if(f.parameters.begin(), f.parameters.end(),
                                                          [](auto& p) { return !p.keyword_only; }));
  if (f.n_positional > 0 && is_list(f.parameters[f.n_positional - 1].accepts)) {
    f.rest = f.n_positional - 1;
  }
  const auto device = std::ranges::find(f.parameters, "device", &Parameter::text);
  const bool makes = f.parameters.empty() || f.parameters[0].accepts > Accepts::Tensors;
  if (makes && device != f.parameters.end() && device->accepts == Accepts::Device)
    f.device = static_cast<std::size_t>(device - f.parameters.begin());
  auto* object = PyObject_New(FunctionObject, function_type);
  if (object == nullptr) throw nb::python_error();
  object->vectorcall = function_vectorcall;
  // Lives as long as the process: methods of a type are used until the very end.
  object->function = new Function(std::move(f));
  return nb::steal(reinterpret_cast<PyObject*>(object));
}

void define_method(const char* name, const nb::object& callable) {
  if (PyObject_SetAttrString(reinterpret_cast<PyObject*>(types.tensor), name, callable.ptr()) !=
      0) {
    throw nb::python_error();
  }
}

void define(Function f, unsigned places) {
  const std::string name = f.name;
  const nb::object callable = function_object(std::move(f));
  if ((places & kModule) != 0 &&
      PyObject_SetAttrString(module_object, name.c_str(), callable.ptr()) != 0) {
    throw nb::python_error();
  }
  if ((places & kMethod) != 0) define_method(name.c_str(), callable);
}

void init_functions(nb::module_& m) { module_object = m.ptr(); }

}  // namespace tandem::python
