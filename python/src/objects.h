// What the files of the Python module share: the module's own types, and the way between handles
// and Python objects. Everything here expects the GIL.
#pragma once

#include <Python.h>
#include <nanobind/nanobind.h>

#include <string>
#include <string_view>

#include "tandem/tandem.h"

namespace tandem::python {

namespace nb = nanobind;

/// Type objects and singletons, set once while the module is made.
struct Types {
  PyTypeObject* tensor = nullptr;
  PyTypeObject* device = nullptr;
  PyTypeObject* dtype = nullptr;
  PyTypeObject* generator = nullptr;
  PyObject* dtypes[kNumDTypes] = {};  // the one object of each dtype
  PyObject* size = nullptr;           // class tandem.Size, a tuple
  PyObject* module_name = nullptr;    // "tandem"
};
extern Types types;

/// An element type as Python sees it; one object a dtype lives as long as the module.
struct PyDType {
  DType value;
};

inline bool is_tensor(PyObject* o) {
  return Py_TYPE(o) == types.tensor || PyType_IsSubtype(Py_TYPE(o), types.tensor) != 0;
}
/// Expects is_tensor(o).
inline Tensor& as_tensor(PyObject* o) { return *nb::inst_ptr<Tensor>(nb::handle(o)); }

inline bool is_dtype(PyObject* o) { return Py_TYPE(o) == types.dtype; }
inline DType as_dtype(PyObject* o) { return nb::inst_ptr<PyDType>(nb::handle(o))->value; }
inline PyObject* dtype_object(DType t) { return Py_NewRef(types.dtypes[static_cast<int>(t)]); }

/// A generator as Python sees it: it says the device that it was made with, which changes nothing.
struct PyGenerator {
  Generator value;
  Device device;
};

inline bool is_generator(PyObject* o) { return Py_TYPE(o) == types.generator; }
inline Generator& as_generator(PyObject* o) {
  return nb::inst_ptr<PyGenerator>(nb::handle(o))->value;
}

inline bool is_device(PyObject* o) { return Py_TYPE(o) == types.device; }
inline Device as_device(PyObject* o) { return *nb::inst_ptr<Device>(nb::handle(o)); }

// New references; a failed allocation raises nb::python_error.
PyObject* wrap(Tensor t);
PyObject* wrap(Device d);
PyObject* wrap(Generator g);
PyObject* wrap(const Scalar& s);
PyObject* size_object(IntSpan shape);
PyObject* int_tuple(IntSpan values);
/// The name, or None.
PyObject* wrap(Name n);

/// A new reference that is given up unless taken.
inline nb::object steal(PyObject* o) {
  if (o == nullptr) throw nb::python_error();
  return nb::steal(o);
}

/// "float", "numpy.ndarray": the type of an object as messages show it.
std::string type_name(PyObject* o);
/// A str object's text. Raises on lone surrogates.
std::string_view text_of(PyObject* o);

/// t[...] and t[...] = value, for the type's slots.
extern PyType_Slot indexing_slots[];
/// The buffer protocol, for the same.
extern PyType_Slot buffer_slots[];

// Each file's part of the module.
void init_errors(nb::module_& m);
void init_kinds(nb::module_& m);
void init_size(nb::module_& m);
void init_tensor(nb::module_& m);
void init_storage(nb::module_& m);
void init_functions(nb::module_& m);
void init_table(nb::module_& m);
void init_creation();
void init_names();
void init_methods();
void init_indexing();
void init_numpy();
void init_buffer();
void init_dlpack(nb::module_& m);
void init_io(nb::module_& m);
void init_printing(nb::module_& m);
void init_runtime(nb::module_& m);
void init_memory(nb::module_& m);
void init_testing();
void init_generator(nb::module_& m);
void init_cuda_streams(nb::module_& m);
void init_array_api(nb::module_& m);
void init_interrupt();
void init_default_device(nb::module_& m);
void init_source_kernel(nb::module_& m);
void init_strict(nb::module_& m);

}  // namespace tandem::python
