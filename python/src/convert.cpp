// Between Python objects and the values of a boxed call.
#include "convert.h"

#include <complex>

#include "errors.h"
#include "tandem/ops.h"

namespace tandem::python {
namespace {

using AxisList = SmallVector<Axis, 6>;

/// numpy's class of a name where numpy is loaded already; looked up again until it is.
PyTypeObject* numpy_class(const char* name, PyTypeObject*& cache) {
  if (cache == nullptr) {
    PyObject* numpy = PyDict_GetItemString(PyImport_GetModuleDict(), "numpy");
    PyObject* found = numpy == nullptr ? nullptr : PyObject_GetAttrString(numpy, name);
    if (found == nullptr) {
      PyErr_Clear();
      return nullptr;
    }
    cache = reinterpret_cast<PyTypeObject*>(found);
  }
  return cache;
}

bool is_instance(PyObject* o, PyTypeObject* t) {
  return t != nullptr && (Py_TYPE(o) == t || PyType_IsSubtype(Py_TYPE(o), t) != 0);
}

bool is_list(PyObject* o) { return PyList_Check(o) || PyTuple_Check(o); }

/// Calls f(item) for a list's or tuple's items until it returns false.
template <class F>
bool each_item(PyObject* list, F&& f) {
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); ++i) {
    const nb::object item = nb::borrow(PySequence_Fast_GET_ITEM(list, i));
    if (!f(item.ptr())) return false;
  }
  return true;
}

Scalar scalar_of_long(PyObject* o) {
  int overflow = 0;
  const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow == 0) {
    if (v == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
    return Scalar(static_cast<std::int64_t>(v));
  }
  if (overflow > 0) {
    const unsigned long long u = PyLong_AsUnsignedLongLong(o);
    if (PyErr_Occurred() == nullptr) return Scalar(static_cast<std::uint64_t>(u));
    PyErr_Clear();
  }
  detail::fail<ValueError>("expected an integer of at most 64 bits, got " +
                           std::string(nb::str(nb::handle(o)).c_str()) +
                           " (Overflow when unpacking long)");
}

std::optional<Value> to_tensors(PyObject* o) {
  std::vector<Tensor> list;
  if (!is_list(o)) return std::nullopt;
  list.reserve(static_cast<std::size_t>(PySequence_Fast_GET_SIZE(o)));
  const bool all = each_item(o, [&](PyObject* item) {
    if (!is_tensor(item)) return false;
    list.push_back(as_tensor(item));
    return true;
  });
  if (!all) return std::nullopt;
  return Value(std::move(list));
}

/// Tensors and arrays; None is an undefined tensor.
std::optional<Value> to_maybe_tensors(PyObject* o) {
  std::vector<Tensor> list;
  if (!is_list(o)) return std::nullopt;
  const bool all = each_item(o, [&](PyObject* item) {
    if (item == Py_None) {
      list.emplace_back();
    } else if (is_tensor(item)) {
      list.push_back(as_tensor(item));
    } else if (is_numpy_array(item)) {
      list.push_back(tensor_of_array(item));
    } else {
      return false;
    }
    return true;
  });
  if (!all) return std::nullopt;
  return Value(std::move(list));
}

std::optional<Value> to_axes(PyObject* o) {
  AxisList axes;
  if (const auto one = to_axis(o)) {
    axes.push_back(*one);
  } else if (!is_list(o) || !each_item(o, [&](PyObject* item) {
               const auto axis = to_axis(item);
               if (axis) axes.push_back(*axis);
               return axis.has_value();
             })) {
    return std::nullopt;
  }
  return Value(axes);
}

std::optional<Value> to_arg(PyObject* o) {
  if (is_tensor(o)) return Value(as_tensor(o));
  if (const auto s = to_scalar(o)) return Value(*s);
  if (is_numpy_array(o)) return Value(tensor_of_array(o));
  return std::nullopt;
}

/// Tensors and numbers, which become 0-d tensors.
std::optional<Value> to_tensors_of_any(PyObject* o) {
  std::vector<Tensor> list;
  const bool all = each_item(o, [&](PyObject* item) {
    const auto v = to_arg(item);
    if (!v) return false;
    list.push_back(v->is<Tensor>()
                       ? v->as<Tensor>()
                       : scalar_tensor(v->as<Scalar>(),
                                       {.dtype = v->as<Scalar>().kind() == Scalar::Kind::Complex
                                                     ? DType::complex128
                                                     : DType::float64}));
    return true;
  });
  if (!all) return std::nullopt;
  return Value(std::move(list));
}

/// The axes of the first list, then those of the second.
std::optional<Value> to_pairs(PyObject* o) {
  std::vector<AxisList> sides;
  if (!is_list(o) || !each_item(o, [&](PyObject* item) {
        const auto axes = to_axes(item);
        if (axes) sides.push_back(axes->as<AxisList>());
        return axes.has_value();
      })) {
    return std::nullopt;
  }
  if (sides.size() != 2) return std::nullopt;
  TANDEM_EXPECTS(sides[0].size() == sides[1].size(), ValueError,
                 "both dimension lists should have same length");
  for (const Axis& a : sides[1]) sides[0].push_back(a);
  return Value(sides[0]);
}

std::optional<Value> to_float(PyObject* o) {
  const auto s = to_scalar(o);
  if (!s || s->kind() == Scalar::Kind::Complex) return std::nullopt;
  return Value(Scalar(s->to_double()));
}

std::optional<Value> to_bool(PyObject* o) {
  if (PyBool_Check(o)) return Value(Scalar(o == Py_True));
  if (is_numpy_scalar(o) && dtype_of_numpy_scalar(o) == DType::bool_) {
    return Value(Scalar(PyObject_IsTrue(o) == 1));
  }
  return std::nullopt;
}

std::optional<Value> to_floats(PyObject* o) {
  std::vector<double> numbers;
  if (!is_list(o) || !each_item(o, [&](PyObject* item) {
        const auto s = to_scalar(item);
        if (!s || s->kind() == Scalar::Kind::Complex) return false;
        numbers.push_back(s->to_double());
        return true;
      })) {
    return std::nullopt;
  }
  const Tensor t = empty({static_cast<std::int64_t>(numbers.size())}, {.dtype = DType::float64});
  std::copy(numbers.begin(), numbers.end(), t.data<double>());
  return Value(t);
}

template <class T>
std::optional<Value> boxed(std::optional<T> v) {
  if (!v) return std::nullopt;
  return Value(std::move(*v));
}

}  // namespace

bool is_numpy_scalar(PyObject* o) {
  static PyTypeObject* generic = nullptr;
  return is_instance(o, numpy_class("generic", generic));
}

bool is_numpy_array(PyObject* o) {
  static PyTypeObject* array = nullptr;
  return is_instance(o, numpy_class("ndarray", array));
}

std::optional<DType> dtype_of_code(std::string_view code) {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    if (!info(t).numpy.empty() && info(t).numpy == code) return t;
  }
  return std::nullopt;
}

std::optional<DType> dtype_of_numpy_scalar(PyObject* o) {
  const nb::object code = nb::handle(o).attr("dtype").attr("str");
  return dtype_of_code(text_of(code.ptr()));
}

std::optional<Scalar> to_scalar(PyObject* o) {
  if (PyFloat_Check(o)) return Scalar(PyFloat_AS_DOUBLE(o));
  if (PyBool_Check(o)) return Scalar(o == Py_True);
  if (PyLong_Check(o)) return scalar_of_long(o);
  if (PyComplex_Check(o)) {
    return Scalar(std::complex<double>(PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o)));
  }
  if (is_numpy_scalar(o)) {
    if (!dtype_of_numpy_scalar(o)) return std::nullopt;
    const nb::object item = nb::handle(o).attr("item")();
    return to_scalar(item.ptr());
  }
  return std::nullopt;
}

std::optional<std::int64_t> to_int(PyObject* o) {
  if (PyFloat_Check(o) || is_device(o)) return std::nullopt;
  if (is_tensor(o) && (as_tensor(o).numel() != 1 || !is_integer(as_tensor(o).dtype()))) {
    return std::nullopt;
  }
  if (!PyLong_Check(o) && !PyIndex_Check(o)) return std::nullopt;
  const nb::object number = PyLong_Check(o) ? nb::borrow(o) : steal(PyNumber_Index(o));
  const Scalar s = scalar_of_long(number.ptr());
  TANDEM_EXPECTS(s.kind() == Scalar::Kind::Int, ValueError,
                 "expected an integer of at most 63 bits, got " + s.str());
  return s.to_int();
}

std::optional<Dims> to_ints(PyObject* o) {
  Dims dims;
  if (const auto one = to_int(o)) {
    dims.push_back(*one);
  } else if (!is_list(o) || !each_item(o, [&](PyObject* item) {
               const auto v = to_int(item);
               if (v) dims.push_back(*v);
               return v.has_value();
             })) {
    return std::nullopt;
  }
  return dims;
}

std::optional<DType> to_dtype(PyObject* o) {
  if (is_dtype(o)) return as_dtype(o);
  // As in PyTorch, Python's own types name the widest of their kind.
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::float64;
  if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::int64;
  if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::bool_;
  if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) return DType::complex128;
  return std::nullopt;
}

std::optional<Device> to_device(PyObject* o) {
  if (is_device(o)) return as_device(o);
  if (PyUnicode_Check(o)) return Device(text_of(o));
  if (PyLong_Check(o) && !PyBool_Check(o)) {
    const std::int64_t i = *to_int(o);
    TANDEM_EXPECTS(i >= 0 && i < 128, ValueError,
                   "expected the index of a CUDA device, got " + std::to_string(i));
    return Device(DeviceKind::CUDA, static_cast<int>(i));
  }
  return std::nullopt;
}

std::optional<Axis> to_axis(PyObject* o) {
  if (PyUnicode_Check(o)) return Axis(text_of(o));
  if (PyBool_Check(o)) return std::nullopt;
  if (const auto i = to_int(o)) return Axis(*i);
  return std::nullopt;
}

std::optional<std::vector<std::string>> to_names(PyObject* o) {
  std::vector<std::string> names;
  if (!is_list(o) || !each_item(o, [&](PyObject* item) {
        if (item == Py_None) {
          names.emplace_back();
        } else if (item == Py_Ellipsis) {
          names.emplace_back("...");
        } else if (PyUnicode_Check(item)) {
          names.emplace_back(text_of(item));
          TANDEM_EXPECTS(!names.back().empty(), ValueError,
                         "expected names that are identifiers, got ''");
        } else {
          return false;
        }
        return true;
      })) {
    return std::nullopt;
  }
  return names;
}

Names names_from(const std::vector<std::string>& texts) {
  Names names;
  for (const auto& text : texts) names.push_back(text.empty() ? Name() : Name(text));
  return names;
}

std::optional<Value> to_value(PyObject* o, Accepts accepts) {
  switch (accepts) {
    case Accepts::Tensor:
      if (is_tensor(o)) return Value(as_tensor(o));
      if (is_numpy_array(o)) return Value(tensor_of_array(o));
      return std::nullopt;
    case Accepts::Arg:
      return to_arg(o);
    case Accepts::Tensors:
      return to_tensors(o);
    case Accepts::Scalar:
      if (is_tensor(o) && as_tensor(o).dim() == 0) return Value(as_tensor(o).item());
      return boxed(to_scalar(o));
    case Accepts::Int:
      if (const auto i = to_int(o)) return Value(Scalar(*i));
      return std::nullopt;
    case Accepts::Float:
      return to_float(o);
    case Accepts::Bool:
      return to_bool(o);
    case Accepts::Str:
      if (PyUnicode_Check(o)) return Value(std::string(text_of(o)));
      return std::nullopt;
    case Accepts::Strs:
    case Accepts::Names:
      return boxed(to_names(o));
    case Accepts::Ints:
      return boxed(to_ints(o));
    case Accepts::Axis:
      if (PyUnicode_Check(o)) return Value(std::string(text_of(o)));
      if (const auto axis = to_axis(o)) return Value(Scalar(axis->index()));
      return std::nullopt;
    case Accepts::Axes:
      return to_axes(o);
    case Accepts::DType:
      return boxed(to_dtype(o));
    case Accepts::Device:
      return boxed(to_device(o));
    case Accepts::Shape:
      if (is_dtype(o)) return Value(as_dtype(o));
      return boxed(to_ints(o));
    case Accepts::Floats:
      return to_floats(o);
    case Accepts::Value:
      if (PyUnicode_Check(o)) return Value(std::string(text_of(o)));
      if (is_list(o)) return boxed(to_ints(o));
      return to_arg(o);
    case Accepts::Spacing:
      return is_list(o) ? to_tensors_of_any(o) : to_arg(o);
    case Accepts::Pairs:
      if (const auto i = to_int(o)) return Value(Scalar(*i));
      return to_pairs(o);
    case Accepts::Object:
      return Value();
    case Accepts::MaybeTensors:
      return to_maybe_tensors(o);
    case Accepts::Bins:
      if (const auto i = to_int(o)) return Value(Scalar(*i));
      if (const auto ints = to_ints(o)) return Value(*ints);
      return to_tensors(o);
    case Accepts::Generator:
      if (is_generator(o)) return Value(as_generator(o));
      return std::nullopt;
  }
  return std::nullopt;
}

const char* accepted(Accepts accepts) {
  static constexpr const char* kWords[] = {"a tensor",
                                           "a tensor or a number",
                                           "a list or tuple of tensors",
                                           "a number",
                                           "an integer",
                                           "a number",
                                           "True or False",
                                           "a str",
                                           "a list of str",
                                           "an integer or a list or tuple of integers",
                                           "an axis (an integer or a name)",
                                           "axes (integers or names)",
                                           "a dtype",
                                           "a device",
                                           "a list of names (str or None)",
                                           "an integer, a list or tuple of integers, or a dtype",
                                           "a list or tuple of numbers",
                                           "a tensor, a number, a str or a list of integers",
                                           "a number or a tensor, or a list or tuple of them",
                                           "an integer, or two lists of axes of one length",
                                           "an object",
                                           "a Generator",
                                           "a list or tuple of tensors and None",
                                           "an integer, or a list or tuple of integers or tensors"};
  return kWords[static_cast<int>(accepts)];
}

PyObject* from_value(const Value& v) {
  if (v.is<Tensor>()) return wrap(v.as<Tensor>());
  if (v.is<Scalar>()) return wrap(v.as<Scalar>());
  if (v.is<Dims>()) return int_tuple(v.as<Dims>());
  if (v.is<DType>()) return dtype_object(v.as<DType>());
  if (v.is<Device>()) return wrap(v.as<Device>());
  if (v.is<Generator>()) return wrap(v.as<Generator>());
  if (v.is<std::string>()) {
    const auto& s = v.as<std::string>();
    return steal(PyUnicode_FromStringAndSize(s.data(), static_cast<Py_ssize_t>(s.size())))
        .release()
        .ptr();
  }
  if (v.is<std::vector<Tensor>>()) {
    const auto& list = v.as<std::vector<Tensor>>();
    nb::object tuple = steal(PyTuple_New(static_cast<Py_ssize_t>(list.size())));
    for (std::size_t i = 0; i < list.size(); ++i) {
      PyTuple_SET_ITEM(tuple.ptr(), static_cast<Py_ssize_t>(i), wrap(list[i]));
    }
    return tuple.release().ptr();
  }
  return Py_NewRef(Py_None);
}

}  // namespace tandem::python
