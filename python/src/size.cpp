// class Size: the tuple that a tensor's shape is. A type in C, since `t.shape[0]` is in every loop.
#include "convert.h"
#include "errors.h"

namespace tandem::python {
namespace {

PyTypeObject* size_type() { return reinterpret_cast<PyTypeObject*>(types.size); }

/// A tuple's items as a Size; takes over a new reference, or null with an error set.
PyObject* as_size(PyObject* tuple) {
  if (tuple == nullptr || tuple == Py_NotImplemented) return tuple;
  const nb::object owner = nb::steal(tuple);
  const Py_ssize_t n = PyTuple_GET_SIZE(tuple);
  PyObject* size = size_type()->tp_alloc(size_type(), n);
  if (size == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < n; ++i)
    PyTuple_SET_ITEM(size, i, Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
  return size;
}

PyObject* size_repr(PyObject* self) {
  return guarded([&] {
    std::string text = "tandem.Size([";
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
      const nb::object item = steal(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
      text += (i == 0 ? "" : ", ") + std::string(text_of(item.ptr()));
    }
    text += "])";
    return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
  });
}

PyObject* size_subscript(PyObject* self, PyObject* index) {
  PyObject* item = PyTuple_Type.tp_as_mapping->mp_subscript(self, index);
  return PySlice_Check(index) ? as_size(item) : item;
}

PyObject* size_concat(PyObject* self, PyObject* other) {
  return as_size(PyTuple_Type.tp_as_sequence->sq_concat(self, other));
}

PyObject* size_repeat(PyObject* self, Py_ssize_t times) {
  return as_size(PyTuple_Type.tp_as_sequence->sq_repeat(self, times));
}

PyObject* size_numel(PyObject* self, PyObject*) {
  nb::object count = nb::steal(PyLong_FromLong(1));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self) && count.is_valid(); ++i)
    count = nb::steal(PyNumber_Multiply(count.ptr(), PyTuple_GET_ITEM(self, i)));
  return count.release().ptr();
}

}  // namespace

PyObject* size_object(IntSpan shape) {
  nb::object size =
      steal(size_type()->tp_alloc(size_type(), static_cast<Py_ssize_t>(shape.size())));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    PyTuple_SET_ITEM(size.ptr(), static_cast<Py_ssize_t>(i),
                     steal(PyLong_FromLongLong(shape[i])).release().ptr());
  }
  return size.release().ptr();
}

void init_size(nb::module_& m) {
  static PyMethodDef methods[] = {
      {"numel", size_numel, METH_NOARGS, R"(Number of elements of a tensor of this shape.

>>> tandem.Size([2, 3]).numel()
6)"},
      {nullptr, nullptr, 0, nullptr}};
  static PyType_Slot slots[] = {
      {Py_tp_doc, const_cast<char*>(R"(A tuple of sizes that prints as Size.

>>> tandem.zeros(2, 3).shape + (4,)
tandem.Size([2, 3, 4]))")},
      {Py_tp_repr, reinterpret_cast<void*>(size_repr)},
      {Py_tp_methods, methods},
      {Py_mp_subscript, reinterpret_cast<void*>(size_subscript)},
      {Py_sq_concat, reinterpret_cast<void*>(size_concat)},
      {Py_sq_repeat, reinterpret_cast<void*>(size_repeat)},
      {0, nullptr}};
  static PyType_Spec spec = {"tandem.Size", 0, 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  types.size = steal(PyType_FromSpecWithBases(&spec, reinterpret_cast<PyObject*>(&PyTuple_Type)))
                   .release()
                   .ptr();
  m.attr("Size") = nb::handle(types.size);
}

}  // namespace tandem::python
