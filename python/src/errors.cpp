// Tandem's errors as Python exceptions: the classes are made in tandem/errors.py, the mapping is
// here.
#include "errors.h"

#include <new>

#include "objects.h"
#include "tandem/linalg.h"
#include "tandem/zero_division.h"

namespace tandem::python {
namespace {

struct ErrorClasses {
  PyObject* base = nullptr;
  PyObject* index = nullptr;
  PyObject* value = nullptr;
  PyObject* type = nullptr;
  PyObject* shape = nullptr;
  PyObject* memory = nullptr;
  PyObject* device = nullptr;
  PyObject* file = nullptr;
  PyObject* missing = nullptr;
  PyObject* division = nullptr;
  PyObject* linalg = nullptr;  // a function that gives the class
};
ErrorClasses classes;

}  // namespace

void set_python_error(const std::exception_ptr& p) noexcept {
  try {
    std::rethrow_exception(p);
  } catch (nb::python_error& e) {
    e.restore();
  } catch (const nb::builtin_exception& e) {
    PyErr_SetString(
        e.type() == nb::exception_type::type_error ? PyExc_TypeError : PyExc_RuntimeError,
        e.what());
  } catch (const IndexError& e) {
    PyErr_SetString(classes.index, e.what());
  } catch (const linalg::LinAlgError& e) {
    // Where NumPy is loaded the class is also NumPy's: it is asked for at each error.
    PyObject* cls = PyObject_CallNoArgs(classes.linalg);
    if (cls == nullptr) return;
    PyErr_SetString(cls, e.what());
    Py_DECREF(cls);
  } catch (const ValueError& e) {
    PyErr_SetString(classes.value, e.what());
  } catch (const TypeError& e) {
    PyErr_SetString(classes.type, e.what());
  } catch (const ShapeError& e) {
    PyErr_SetString(classes.shape, e.what());
  } catch (const OutOfMemory& e) {
    PyErr_SetString(classes.memory, e.what());
  } catch (const DeviceError& e) {
    PyErr_SetString(classes.device, e.what());
  } catch (const FileError& e) {
    PyErr_SetString(classes.file, e.what());
  } catch (const NotImplemented& e) {
    PyErr_SetString(classes.missing, e.what());
  } catch (const ZeroDivisionError& e) {
    PyErr_SetString(classes.division, e.what());
  } catch (const Error& e) {
    PyErr_SetString(classes.base, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "unknown C++ exception");
  }
}

void init_errors(nb::module_&) {
  const nb::module_ errors = nb::module_::import_("tandem.errors");
  const auto find = [&](const char* name) { return nb::object(errors.attr(name)).release().ptr(); };
  classes = {find("Error"),
             find("IndexError"),
             find("ValueError"),
             find("TypeError"),
             find("ShapeError"),
             find("OutOfMemory"),
             find("DeviceError"),
             find("FileError"),
             find("NotImplementedError"),
             find("ZeroDivisionError"),
             find("_linalg_error")};
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    // Others are nanobind's own, which knows them better.
    try {
      std::rethrow_exception(p);
    } catch (const Error&) {
      set_python_error(p);
    }
  });
}

}  // namespace tandem::python
