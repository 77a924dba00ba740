// t[...] and t[...] = value.
#include <algorithm>
#include <vector>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "function.h"

namespace tandem::python {
namespace {

[[noreturn]] void fail_index(PyObject* o) {
  detail::fail<IndexError>(
      "only integers, slices (`:`), ellipsis (`...`), None and long or byte tensors "
      "are valid indices (got " +
      type_name(o) + ")");
}

/// Lists and arrays as one tensor of indices or a mask, on the CPU.
Tensor array_of(PyObject* o) {
  if (is_numpy_array(o)) return tensor_of_array(o);
  const nb::object list =
      PyList_Check(o) || PyTuple_Check(o) ? nb::borrow(o) : steal(PySequence_List(o));
  try {
    const Tensor t = tensor_of_lists(list.ptr(), std::nullopt);
    return t.numel() == 0 ? t.to(DType::int64) : t;
  } catch (const TypeError&) {
    fail_index(o);
  }
}

/// A bound of a slice: None, an integer or a 0-d tensor; clipped to 64 bits as Python does.
std::optional<std::int64_t> bound(PyObject* o) {
  if (o == Py_None) return std::nullopt;
  if (!PyIndex_Check(o)) {
    detail::fail<TypeError>(
        "[index] expected slice bounds that are integers, None or have __index__, got " +
        type_name(o));
  }
  // A null exception makes Python clip instead of raise.
  const Py_ssize_t i = PyNumber_AsSsize_t(o, nullptr);
  if (i == -1 && PyErr_Occurred() != nullptr) throw nb::python_error();
  return i;
}

Slice slice_of(PyObject* o) {
  const auto* s = reinterpret_cast<PySliceObject*>(o);
  Slice out{bound(s->start), bound(s->stop), 1};
  if (s->step != Py_None) out.step = *bound(s->step);
  return out;
}

/// One element of an index expression.
Index index_of(PyObject* o) {
  if (PyBool_Check(o)) return Index(o == Py_True);
  if (PyLong_Check(o)) {
    int overflow = 0;
    const long long i = PyLong_AsLongLongAndOverflow(o, &overflow);
    TANDEM_EXPECTS(overflow == 0, IndexError, "[index] expected an index of 64 bits");
    return Index(static_cast<std::int64_t>(i));
  }
  if (PySlice_Check(o)) return Index(slice_of(o));
  if (o == Py_None) return Index(kNone);
  if (o == Py_Ellipsis) return Index(kEllipsis);
  if (is_tensor(o)) return Index(as_tensor(o));
  // NumPy's integers and others that have __index__; float ones have not.
  if (PyIndex_Check(o) && !is_numpy_array(o)) {
    const nb::object number = steal(PyNumber_Index(o));
    return index_of(number.ptr());
  }
  if (is_numpy_scalar(o) && dtype_of_numpy_scalar(o) == DType::bool_) {
    return Index(PyObject_IsTrue(o) == 1);
  }
  if (PyList_Check(o) || PyTuple_Check(o) || PyRange_Check(o) || is_numpy_array(o)) {
    return Index(array_of(o));
  }
  fail_index(o);
}

}  // namespace

std::vector<Index> index_list(PyObject* key) {
  std::vector<Index> index;
  if (PyTuple_Check(key)) {
    index.reserve(static_cast<std::size_t>(PyTuple_GET_SIZE(key)));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) {
      index.push_back(index_of(PyTuple_GET_ITEM(key, i)));
    }
  } else {
    index.push_back(index_of(key));
  }
  return index;
}

namespace {

bool has_arrays(const std::vector<Index>& list) {
  return std::any_of(list.begin(), list.end(),
                     [](const Index& i) { return i.kind() == Index::Kind::Tensor; });
}

Tensor get(const Tensor& t, PyObject* key) {
  if (PyLong_CheckExact(key) && t.dim() > 0) {
    int overflow = 0;
    const long long i = PyLong_AsLongLongAndOverflow(key, &overflow);
    if (overflow == 0) return t.select(0, i);
  }
  const std::vector<Index> list = index_list(key);
  if (!has_arrays(list)) return t.index(list);
  const nb::gil_scoped_release release;
  return t.index(list);
}

/// A value that is no number, as a tensor; lists take the target's dtype.
Tensor source_of(PyObject* value, DType dtype) {
  if (is_tensor(value)) return as_tensor(value);
  if (is_numpy_array(value)) return tensor_of_array(value);
  if (PyList_Check(value) || PyTuple_Check(value)) return tensor_of_lists(value, dtype);
  detail::fail<TypeError>("[setitem] expected a tensor, a number or lists of numbers, got " +
                          type_name(value));
}

/// The value as the target's elements; leading dimensions of size 1 go.
void assign(Tensor target, PyObject* value) {
  if (!is_tensor(value)) {
    if (const auto number = to_scalar(value)) {
      target.fill_(*number);
      return;
    }
  }
  Tensor source = source_of(value, target.dtype());
  while (source.dim() > target.dim() && source.shape()[0] == 1) source = source.select(0, 0);
  const bool large =
      target.numel() >= 4096 || !target.device().is_cpu() || !source.device().is_cpu();
  if (large) {
    const nb::gil_scoped_release release;
    target.copy_(source);
  } else {
    target.copy_(source);
  }
}

/// t[masks and arrays] = value.
void assign_at(const Tensor& t, const std::vector<Index>& list, PyObject* value) {
  if (!is_tensor(value)) {
    if (const auto number = to_scalar(value)) {
      const nb::gil_scoped_release release;
      return set_index(t, list, *number);
    }
  }
  Tensor source = source_of(value, t.dtype());
  const nb::gil_scoped_release release;
  // What is no tensor is of no dtype or device of its own.
  if (!is_tensor(value)) source = source.to(t.device(), t.dtype());
  set_index(t, list, source);
}

PyObject* subscript(PyObject* self, PyObject* key) {
  return guarded([&] { return wrap(get(as_tensor(self), key)); });
}

int assign_subscript(PyObject* self, PyObject* key, PyObject* value) {
  return guarded(-1, [&] {
    if (value == nullptr) {
      detail::fail<TypeError>(
          "[delitem] expected no deletion: a tensor's elements cannot be deleted");
    }
    const Tensor& t = as_tensor(self);
    if (PyLong_CheckExact(key)) {
      assign(get(t, key), value);
      return 0;
    }
    const std::vector<Index> list = index_list(key);
    if (has_arrays(list)) {
      assign_at(t, list, value);
    } else {
      assign(t.index(list), value);
    }
    return 0;
  });
}

}  // namespace

namespace {

Tensor unlocked_nonzero(const Tensor& x) {
  const nb::gil_scoped_release release;
  return nonzero(x);
}

/// The columns of coordinates: an array of indices for each dimension.
PyObject* columns(const Tensor& x) {
  const Tensor rows = unlocked_nonzero(x.dim() == 0 ? x.unsqueeze(0) : x);
  return from_value(Value(rows.unbind(1)));
}

/// nonzero(x, as_tuple=True) and where(condition), which a schema cannot say.
void define_coordinates() {
  define(make_function("nonzero", "x: Tensor, *, as_tuple: bool=False",
                       std::string(find_op("nonzero")->doc) +
                           "\nWith as_tuple=True: a vector of indices for each dimension.",
                       [](Call& c) {
                         const bool tuple = c.given(1) && c.values[1].as<Scalar>().to_bool();
                         return tuple ? columns(c.tensor(0)) : wrap(unlocked_nonzero(c.tensor(0)));
                       }),
         kModule | kMethod);
  PyObject* plain = nb::object(nb::getattr(nb::handle(module_object), "where")).release().ptr();
  Function f = make_function(
      "where", "condition: Tensor, x: object=None, y: object=None",
      std::string(find_op("where")->doc) +
          "\nOf the condition alone: where it holds, as "
          "nonzero(condition, as_tuple=True).",
      [plain](Call& c) {
        if (c.objects[1] == nullptr && c.objects[2] == nullptr) return columns(c.tensor(0));
        PyObject* args[4] = {c.objects[0], c.objects[1], c.objects[2], c.out};
        if (args[1] == nullptr || args[2] == nullptr) {
          detail::fail<TypeError>("[where] expected a condition, or a condition, x and y");
        }
        const nb::object names =
            c.out == nullptr ? nb::object() : steal(Py_BuildValue("(s)", "out"));
        return steal(PyObject_Vectorcall(plain, args, 3, names.ptr())).release().ptr();
      });
  f.n_out = 1;
  define(std::move(f), kModule);
}

}  // namespace

void init_indexing() { define_coordinates(); }

PyType_Slot indexing_slots[] = {{Py_mp_subscript, reinterpret_cast<void*>(subscript)},
                                {Py_mp_ass_subscript, reinterpret_cast<void*>(assign_subscript)},
                                {0, nullptr}};

}  // namespace tandem::python
