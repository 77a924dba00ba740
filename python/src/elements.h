// Elements of tensors as Python objects, both ways: tensor([[1, 2], [3, 4]]) and tolist().
#pragma once

#include <Python.h>

#include <optional>

#include "objects.h"

namespace tandem::python {

/// A new CPU tensor of a number or of nested lists, tuples, arrays and tensors of numbers. The
/// dtype is inferred as PyTorch does unless given. Raises ValueError where the nesting is ragged or
/// a value does not fit, TypeError for what is no number.
Tensor tensor_of_lists(PyObject* data, std::optional<DType> dtype);

/// Nested lists of Python numbers; a number for a 0-d tensor. Copies from a device once. New
/// reference.
PyObject* nested_list(const Tensor& t);

/// One element in memory as a Python number; a new reference.
PyObject* element_object(DType t, const void* p);

/// Writes a Python number as an element. Raises ValueError where an integer dtype cannot hold it,
/// TypeError for what is no number.
void store_element(DType t, void* p, PyObject* number);

}  // namespace tandem::python
