// Storage objects: what t.storage() gives.

#include <cctype>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "function.h"
#include "objects.h"

namespace tandem::python {
namespace {

// Note [One object a storage]
// id(t.storage()) == id(t.t().storage()) must hold although no one keeps either object, so a
// storage keeps its Python object in its `peer` slot. Who owns whom turns around as the object
// comes and goes:
// * while Python holds the object, it counts a reference on the storage, and `peer` is only a
// pointer;
// * when Python lets go of it and tensors still use the storage, tp_dealloc brings it back to life:
// now
//   the storage owns the object, and the object counts no reference;
// * t.storage() finds it and turns it around again; the storage's end frees it.
struct StorageObject {
  PyObject_HEAD detail::StorageBody* body;  // null once the storage is gone
  DType dtype;
  bool owns;  // counts a reference on body
};

PyTypeObject* storage_type = nullptr;

StorageObject* self_of(PyObject* o) { return reinterpret_cast<StorageObject*>(o); }

/// The storage ends: frees the object it owns. Any thread, with or without the GIL.
void drop_peer(void* peer) {
  if (peer == nullptr || Py_IsInitialized() == 0) return;
  const PyGILState_STATE state = PyGILState_Ensure();
  auto* s = static_cast<StorageObject*>(peer);
  s->body = nullptr;
  Py_DECREF(reinterpret_cast<PyObject*>(s));
  PyGILState_Release(state);
}

bool is_peer(const StorageObject* s) {
  return s->body != nullptr && s->body->peer.load(std::memory_order_acquire) == s;
}

void storage_dealloc(PyObject* o) {
  StorageObject* s = self_of(o);
  if (s->body != nullptr && s->owns) {
    if (is_peer(s)) {
      if (s->body->refs.load(std::memory_order_acquire) > 1) {
        Py_SET_REFCNT(o, 1);
        s->owns = false;
        s->body->drop_peer = drop_peer;
        // May be the last reference by now; then drop_peer has freed the object.
        detail::release(s->body);
        return;
      }
      s->body->peer.store(nullptr, std::memory_order_release);
      s->body->drop_peer = nullptr;
    }
    detail::release(s->body);
  }
  PyTypeObject* type = Py_TYPE(o);
  PyObject_Free(o);
  Py_DECREF(type);
}

StorageObject* new_object(detail::StorageBody* body, DType dtype) {
  auto* s = PyObject_New(StorageObject, storage_type);
  if (s == nullptr) throw nb::python_error();
  s->body = body;
  s->dtype = dtype;
  s->owns = true;
  detail::retain(body);
  return s;
}

/// The storage's own object; another one where it is asked for as another dtype.
PyObject* storage_of(const Tensor& t) {
  const Storage storage = t.storage();
  detail::StorageBody* body = storage.body();
  auto* peer = static_cast<StorageObject*>(body->peer.load(std::memory_order_acquire));
  if (peer != nullptr && peer->dtype == t.dtype()) {
    auto* o = reinterpret_cast<PyObject*>(peer);
    if (peer->owns) return Py_NewRef(o);
    // Turns it around: the storage's reference on the object becomes the caller's.
    detail::retain(body);
    peer->owns = true;
    body->drop_peer = nullptr;
    return o;
  }
  StorageObject* s = new_object(body, t.dtype());
  if (peer == nullptr) body->peer.store(s, std::memory_order_release);
  return reinterpret_cast<PyObject*>(s);
}

Py_ssize_t storage_length(PyObject* o) {
  const StorageObject* s = self_of(o);
  return static_cast<Py_ssize_t>(s->body->bytes / element_size(s->dtype));
}

/// All elements as a tensor that shares the storage, so that what is done with it is known there.
Tensor elements(const StorageObject* s, DType dtype) {
  detail::StorageBody* body = s->body;
  detail::retain(body);
  return detail::elements_of(Storage::adopt(body), dtype);
}

Tensor elements(const StorageObject* s) {
  TANDEM_EXPECTS(!s->body->device.is_meta(), NotImplemented,
                 "[storage] expected a storage with data, got one on meta");
  return elements(s, s->dtype);
}

std::int64_t checked_index(PyObject* o, PyObject* key) {
  const auto i = to_int(key);
  TANDEM_EXPECTS(i.has_value(), TypeError,
                 "[storage] expected an integer index, got " + type_name(key));
  const std::int64_t n = storage_length(o);
  TANDEM_EXPECTS(
      *i >= -n && *i < n, IndexError,
      "index " + std::to_string(*i) + " out of range for storage of size " + std::to_string(n));
  return *i < 0 ? *i + n : *i;
}

PyObject* storage_get(PyObject* o, PyObject* key) {
  return guarded([&] {
    const std::int64_t i = checked_index(o, key);
    return wrap(elements(self_of(o)).select(0, i).item());
  });
}

int storage_set(PyObject* o, PyObject* key, PyObject* value) {
  return guarded(-1, [&] {
    TANDEM_EXPECTS(value != nullptr, TypeError, "[storage] expected no deletion of elements");
    const auto number = to_scalar(value);
    TANDEM_EXPECTS(number.has_value(), TypeError,
                   "[storage] expected a number, got " + type_name(value));
    StorageObject* s = self_of(o);
    Tensor all = elements(s);
    if (PySlice_Check(key)) {
      Py_ssize_t start = 0;
      Py_ssize_t stop = 0;
      Py_ssize_t step = 0;
      if (PySlice_Unpack(key, &start, &stop, &step) != 0) throw nb::python_error();
      TANDEM_EXPECTS(step == 1, ValueError, "[storage] expected a slice of step 1");
      all = all.slice(0, start, stop);
    } else {
      all = all.select(0, checked_index(o, key));
    }
    all.fill_(*number);
    return 0;
  });
}

PyObject* storage_tolist(PyObject* o, PyObject*) {
  return guarded([&] { return nested_list(elements(self_of(o))); });
}

PyObject* storage_iter(PyObject* o) {
  return guarded([&] {
    const nb::object list = steal(storage_tolist(o, nullptr));
    return steal(PyObject_GetIter(list.ptr())).release().ptr();
  });
}

/// " 4.0" a line, then "[tandem.FloatStorage of size 6]".
PyObject* storage_repr(PyObject* o) {
  return guarded([&] {
    const StorageObject* s = self_of(o);
    std::string out;
    if (!s->body->device.is_meta()) {
      const nb::object list = steal(storage_tolist(o, nullptr));
      for (const nb::handle item : list) out += std::string(" ") + nb::repr(item).c_str() + "\n";
    }
    out += "[tandem." + std::string(info(s->dtype).title) + "Storage of size " +
           std::to_string(storage_length(o)) + "]";
    return steal(PyUnicode_FromStringAndSize(out.data(), static_cast<Py_ssize_t>(out.size())))
        .release()
        .ptr();
  });
}

PyObject* storage_size(PyObject* o, PyObject*) { return PyLong_FromSsize_t(storage_length(o)); }
PyObject* storage_bytes(PyObject* o, PyObject*) {
  return PyLong_FromSize_t(self_of(o)->body->bytes);
}
PyObject* storage_as_bytes(PyObject* o, PyObject*) {
  return guarded([&] { return wrap(elements(self_of(o), DType::uint8)); });
}
PyObject* storage_pointer(PyObject* o, PyObject*) {
  return PyLong_FromVoidPtr(self_of(o)->body->data);
}
PyObject* storage_element_size(PyObject* o, PyObject*) {
  return PyLong_FromSize_t(element_size(self_of(o)->dtype));
}
PyObject* storage_device(PyObject* o, void*) {
  return guarded([&] { return wrap(self_of(o)->body->device); });
}
PyObject* storage_dtype(PyObject* o, void*) { return dtype_object(self_of(o)->dtype); }

PyTypeObject* make_storage_type() {
  static PyMethodDef methods[] = {
      {"tolist", storage_tolist, METH_NOARGS, R"(All elements, as a list.

>>> tandem.tensor([[1, 2], [3, 4]]).storage().tolist()
[1, 2, 3, 4])"},
      {"size", storage_size, METH_NOARGS, R"(Number of elements.

>>> tandem.zeros(2, 3)[1].storage().size()
6)"},
      {"nbytes", storage_bytes, METH_NOARGS, R"(Number of bytes.

>>> tandem.zeros(2, 3).storage().nbytes()
24)"},
      {"data_ptr", storage_pointer, METH_NOARGS, R"(Address of the memory.

>>> x = tandem.zeros(2, 3)
>>> x.storage().data_ptr() == x.data_ptr()
True)"},
      {"element_size", storage_element_size, METH_NOARGS, R"(Bytes an element.

>>> tandem.zeros(2).storage().element_size()
4)"},
      {"_bytes", storage_as_bytes, METH_NOARGS, "All bytes, as a tensor that shares the memory."},
      {nullptr, nullptr, 0, nullptr}};
  static PyGetSetDef attributes[] = {
      {"device", storage_device, nullptr, R"(Where the memory is.

>>> tandem.zeros(2).storage().device
device(type='cpu'))",
       nullptr},
      {"dtype", storage_dtype, nullptr, R"(The type of the elements as which the memory is read.

>>> tandem.zeros(2).storage().dtype
tandem.float32)",
       nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr}};
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(storage_dealloc)},
      {Py_tp_repr, reinterpret_cast<void*>(storage_repr)},
      {Py_tp_iter, reinterpret_cast<void*>(storage_iter)},
      {Py_mp_length, reinterpret_cast<void*>(storage_length)},
      {Py_mp_subscript, reinterpret_cast<void*>(storage_get)},
      {Py_mp_ass_subscript, reinterpret_cast<void*>(storage_set)},
      {Py_tp_methods, methods},
      {Py_tp_getset, attributes},
      {Py_tp_doc,
       const_cast<char*>(
           R"(The memory that tensors share, as a list of its elements, which can be read and set. IndexError for
an index out of range.

>>> x = tandem.tensor([[1, 2], [3, 4]])
>>> x.storage()[3] = 9
>>> x.t()
tensor([[1, 3],
        [2, 9]]))")},
      {0, nullptr}};
  static PyType_Spec spec = {"tandem.Storage", sizeof(StorageObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
  return reinterpret_cast<PyTypeObject*>(steal(PyType_FromSpec(&spec)).release().ptr());
}

}  // namespace

void init_storage(nb::module_& m) {
  storage_type = make_storage_type();
  m.attr("Storage") = nb::handle(reinterpret_cast<PyObject*>(storage_type));
  define(make_function("storage", "x: Tensor",
                       "The memory that the tensor views; one object a storage.",
                       [](Call& c) { return storage_of(c.tensor(0)); }),
         kMethod);
}

}  // namespace tandem::python
