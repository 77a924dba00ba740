// dtype and device objects, and the small conversions that every file uses.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cmath>

#include "convert.h"
#include "errors.h"
#include "objects.h"

namespace tandem::python {

Types types;

namespace {

nb::str text(std::string_view s) { return nb::str(s.data(), s.size()); }

std::string device_repr(const Device& d) {
  const std::string s = d.str();
  const auto colon = s.find(':');
  std::string out = "device(type='" + s.substr(0, colon) + "'";
  if (colon != std::string::npos) out += ", index=" + s.substr(colon + 1);
  return out + ")";
}

/// The dtypes under all their names: float32, float, ...
void init_dtypes(nb::module_& m) {
  auto cls =
      nb::class_<PyDType>(m, "dtype", R"(An element type; one object each: tandem.float32, ...

>>> tandem.tensor([1, 2]).dtype is tandem.int64
True)");
  types.dtype = reinterpret_cast<PyTypeObject*>(cls.ptr());
  const std::string prefix = std::string(nb::str(nb::handle(types.module_name)).c_str()) + ".";
  cls.def("__repr__", [prefix](const PyDType& t) { return prefix + std::string(name(t.value)); });
  cls.def("__reduce__", [](const PyDType& t) { return std::string(name(t.value)); });
  cls.def_prop_ro(
      "itemsize", [](const PyDType& t) { return element_size(t.value); },
      R"(Bytes an element.

>>> tandem.float16.itemsize
2)");
  cls.def_prop_ro(
      "is_floating_point", [](const PyDType& t) { return is_float(t.value); },
      R"(Whether its elements are real floats.

>>> tandem.bfloat16.is_floating_point
True)");
  cls.def_prop_ro(
      "is_complex", [](const PyDType& t) { return is_complex(t.value); },
      R"(Whether its elements are complex.

>>> tandem.complex64.is_complex
True)");
  cls.def_prop_ro(
      "is_signed", [](const PyDType& t) { return info(t.value).is_signed; },
      R"(Whether it has negative numbers.

>>> tandem.uint8.is_signed
False)");
  // Value bits of an integer, significand bits of a float: what finfo and iinfo are made from.
  cls.def_prop_ro("_precision", [](const PyDType& t) { return info(t.value).bits; });
  cls.def_prop_ro("_max", [](const PyDType& t) { return info(t.value).max; });
  cls.attr("__module__") = nb::handle(types.module_name);
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    const nb::object o = nb::cast(PyDType{t});
    types.dtypes[i] = nb::object(o).release().ptr();
    for (const std::string_view spelling : {info(t).name, info(t).alias}) {
      if (!spelling.empty()) m.attr(text(spelling)) = o;
    }
  }
  m.attr("dtypes") = [] {
    nb::list all;
    for (PyObject* o : types.dtypes) all.append(nb::handle(o));
    return nb::tuple(all);
  }();
}

void init_device(nb::module_& m) {
  auto cls = nb::class_<Device>(
      m, "device",
      R"(Where a tensor lives: device('cpu'), device('cuda:0'), device('cuda', 0), device('meta'). ValueError
for another kind, TypeError for what is no str, index or device.

>>> tandem.device('cuda', 0)
device(type='cuda', index=0))");
  types.device = reinterpret_cast<PyTypeObject*>(cls.ptr());
  cls.def(
      "__init__",
      [](Device* self, nb::object type, std::optional<int> index) {
        const auto d = to_device(type.ptr());
        TANDEM_EXPECTS(
            d.has_value(), TypeError,
            "[device] expected a str, an index or a device, got " + type_name(type.ptr()));
        TANDEM_EXPECTS(!index || d->index < 0, ValueError,
                       "[device] expected one index, got '" + d->str() + "' and another index");
        TANDEM_EXPECTS(
            !index || (*index >= 0 && *index < 128), ValueError,
            "[device] expected an index of at least 0, got " + std::to_string(index.value_or(0)));
        new (self) Device(d->kind, index ? *index : d->index);
      },
      nb::arg("type"), nb::arg("index") = nb::none());
  cls.def_prop_ro(
      "type",
      [](const Device& d) {
        const std::string s = d.str();
        return s.substr(0, s.find(':'));
      },
      R"(The kind of device: 'cpu', 'cuda' or 'meta'.

>>> tandem.device('cuda:1').type
'cuda')");
  cls.def_prop_ro(
      "index",
      [](const Device& d) -> std::optional<int> {
        if (d.index < 0) return std::nullopt;
        return d.index;
      },
      R"(Which one of its kind, or None for the current one.

>>> tandem.device('cuda:1').index, tandem.device('cpu').index
(1, None))");
  cls.def("__repr__", &device_repr);
  cls.def("__str__", &Device::str);
  cls.def("__eq__", [](const Device& d, nb::handle o) {
    return is_device(o.ptr()) && as_device(o.ptr()) == d;
  });
  cls.def("__hash__",
          [](const Device& d) { return (static_cast<int>(d.kind) << 16) ^ (d.index + 1); });
  cls.def("__reduce__", [](const Device& d) {
    return nb::make_tuple(nb::handle(reinterpret_cast<PyObject*>(types.device)),
                          nb::make_tuple(d.str()));
  });
  cls.attr("__module__") = nb::handle(types.module_name);
}

}  // namespace

// As nb::cast, which would look the type up.
PyObject* wrap(Tensor t) {
  nb::object made = nb::inst_alloc(nb::handle(reinterpret_cast<PyObject*>(types.tensor)));
  new (nb::inst_ptr<Tensor>(made)) Tensor(std::move(t));
  nb::inst_mark_ready(made);
  return made.release().ptr();
}

PyObject* wrap(Device d) { return nb::cast(d).release().ptr(); }

PyObject* wrap(const Scalar& s) {
  PyObject* o = nullptr;
  switch (s.kind()) {
    case Scalar::Kind::Bool:
      o = PyBool_FromLong(s.to_bool() ? 1 : 0);
      break;
    case Scalar::Kind::Int:
      o = PyLong_FromLongLong(s.to_int());
      break;
    case Scalar::Kind::UInt:
      o = PyLong_FromUnsignedLongLong(s.to<std::uint64_t>());
      break;
    case Scalar::Kind::Float:
      o = PyFloat_FromDouble(s.to_double());
      break;
    case Scalar::Kind::Complex:
      o = PyComplex_FromDoubles(s.to_complex().real(), s.to_complex().imag());
      break;
  }
  return steal(o).release().ptr();
}

PyObject* wrap(Name n) {
  if (n.is_none()) return Py_NewRef(Py_None);
  const std::string_view s = n.str();
  return steal(PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size())))
      .release()
      .ptr();
}

PyObject* int_tuple(IntSpan values) {
  nb::object tuple = steal(PyTuple_New(static_cast<Py_ssize_t>(values.size())));
  for (std::size_t i = 0; i < values.size(); ++i) {
    PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i),
                     steal(PyLong_FromLongLong(values[i])).release().ptr());
  }
  return tuple.release().ptr();
}

std::string type_name(PyObject* o) {
  const nb::object type = nb::borrow(reinterpret_cast<PyObject*>(Py_TYPE(o)));
  const std::string module_of = nb::str(type.attr("__module__")).c_str();
  const std::string name_of = nb::str(type.attr("__qualname__")).c_str();
  return module_of == "builtins" ? name_of : module_of + "." + name_of;
}

std::string_view text_of(PyObject* o) {
  Py_ssize_t n = 0;
  const char* s = PyUnicode_AsUTF8AndSize(o, &n);
  if (s == nullptr) throw nb::python_error();
  return {s, static_cast<std::size_t>(n)};
}

void init_kinds(nb::module_& m) {
  types.module_name = PyUnicode_InternFromString("tandem");
  init_size(m);
  init_dtypes(m);
  init_device(m);
}

}  // namespace tandem::python
