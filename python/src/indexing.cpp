// t[...] and t[...] = value.
#include <vector>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "function.h"

namespace tandem::python {
namespace {

[[noreturn]] void fail_index(PyObject* o) {
  if (is_tensor(o) || is_numpy_array(o) || PyList_Check(o)) {
    detail::fail<NotImplemented>(
        "[index] expected integers, slices, None, ... or bools: indexing by masks and by arrays of "
        "indices "
        "is not built yet, got " +
        type_name(o));
  }
  detail::fail<IndexError>(
      "only integers, slices (`:`), ellipsis (`...`), None and long or byte tensors "
      "are valid indices (got " +
      type_name(o) + ")");
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
  if (is_tensor(o)) {
    const Tensor& t = as_tensor(o);
    if (t.dim() != 0) fail_index(o);
    if (t.dtype() == DType::bool_) return Index(t.item().to_bool());
    if (!is_integer(t.dtype())) {
      detail::fail<IndexError>("tensors used as indices must be long, int, byte or bool tensors");
    }
    return Index(t.item().to_int());
  }
  // NumPy's integers and others that have __index__; float ones have not.
  if (PyIndex_Check(o) && !is_numpy_array(o)) {
    const nb::object number = steal(PyNumber_Index(o));
    return index_of(number.ptr());
  }
  if (is_numpy_scalar(o) && dtype_of_numpy_scalar(o) == DType::bool_) {
    return Index(PyObject_IsTrue(o) == 1);
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

Tensor get(const Tensor& t, PyObject* key) {
  if (PyLong_CheckExact(key) && t.dim() > 0) {
    int overflow = 0;
    const long long i = PyLong_AsLongLongAndOverflow(key, &overflow);
    if (overflow == 0) return t.select(0, i);
  }
  return t.index(index_list(key));
}

/// The value as the target's elements; leading dimensions of size 1 go.
void assign(Tensor target, PyObject* value) {
  if (!is_tensor(value)) {
    if (const auto number = to_scalar(value)) {
      target.fill_(*number);
      return;
    }
  }
  Tensor source;
  if (is_tensor(value)) {
    source = as_tensor(value);
  } else if (is_numpy_array(value)) {
    source = tensor_of_array(value);
  } else if (PyList_Check(value) || PyTuple_Check(value)) {
    source = tensor_of_lists(value, target.dtype());
  } else {
    detail::fail<TypeError>("[setitem] expected a tensor, a number or lists of numbers, got " +
                            type_name(value));
  }
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

PyObject* subscript(PyObject* self, PyObject* key) {
  return guarded([&] { return wrap(get(as_tensor(self), key)); });
}

int assign_subscript(PyObject* self, PyObject* key, PyObject* value) {
  return guarded(-1, [&] {
    if (value == nullptr) {
      detail::fail<TypeError>(
          "[delitem] expected no deletion: a tensor's elements cannot be deleted");
    }
    assign(get(as_tensor(self), key), value);
    return 0;
  });
}

}  // namespace

// Set straight into the type's slots by init_tensor: __getitem__ in Python would cost a call more.
PyType_Slot indexing_slots[] = {{Py_mp_subscript, reinterpret_cast<void*>(subscript)},
                                {Py_mp_ass_subscript, reinterpret_cast<void*>(assign_subscript)},
                                {0, nullptr}};

}  // namespace tandem::python
