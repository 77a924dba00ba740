// Between Python objects and the values of a boxed call.
#pragma once

#include <Python.h>

#include <memory>
#include <optional>
#include <string>

#include "function.h"
#include "objects.h"
#include "tandem/value.h"

namespace tandem::python {

/// The value of an argument; nothing where the object is of no accepted type (no error is set).
/// Raises where the type fits and the value does not.
std::optional<Value> to_value(PyObject* o, Accepts accepts);
/// "a tensor or a number": what a parameter accepts, for messages.
const char* accepted(Accepts accepts);

/// A new reference. `fields` names several results; null: a tuple.
PyObject* from_value(const Value& v);

// Parts of it, for functions written by hand. Nothing where the object is of another type.
std::optional<Scalar> to_scalar(PyObject* o);
std::optional<std::int64_t> to_int(PyObject* o);
std::optional<Dims> to_ints(PyObject* o);
std::optional<DType> to_dtype(PyObject* o);
std::optional<Device> to_device(PyObject* o);
std::optional<Axis> to_axis(PyObject* o);
/// Names as given: None is "", Ellipsis is "...". A bare str is no list of names.
std::optional<std::vector<std::string>> to_names(PyObject* o);
/// Names of a new tensor; "" is no name. Raises ValueError on what is no identifier.
Names names_from(const std::vector<std::string>& texts);

/// What stands between the brackets of t[...]. Raises IndexError, TypeError, NotImplemented.
std::vector<Index> index_list(PyObject* key);

/// The dtype of NumPy scalars and arrays by their array-interface code; nothing for others.
std::optional<DType> dtype_of_code(std::string_view code);
/// Whether o is a numpy.generic (a scalar with a dtype) or numpy.ndarray; false without NumPy.
bool is_numpy_scalar(PyObject* o);
bool is_numpy_array(PyObject* o);
/// The dtype of a NumPy scalar; nothing where Tandem has none.
std::optional<DType> dtype_of_numpy_scalar(PyObject* o);
/// A tensor that shares an array's memory. Raises TypeError, ValueError.
Tensor tensor_of_array(PyObject* array);
/// A tensor that shares the memory of an object with a buffer. Raises TypeError, ValueError.
Tensor tensor_of_buffer(PyObject* exporter, const char* op);
/// The same for a NumPy array by its buffer, which is the fast way; nothing where that does not do.
std::optional<Tensor> tensor_of_plain_array(PyObject* array);
/// A reference on an object that may be let go on any thread, with or without the GIL.
std::shared_ptr<PyObject> held_object(PyObject* o);
/// t.__cuda_array_interface__. Raises AttributeError.
nb::dict cuda_interface(const Tensor& t);

}  // namespace tandem::python
