// Tandem's errors as Python exceptions that are also the builtin ones they stand for.
#pragma once

#include <Python.h>

#include <exception>

namespace tandem::python {

/// Sets the Python error that a C++ exception stands for.
void set_python_error(const std::exception_ptr& p) noexcept;

/// Runs f; a C++ exception becomes a Python error and `failed` the result.
template <class R, class F>
R guarded(R failed, F&& f) noexcept {
  try {
    return f();
  } catch (...) {
    set_python_error(std::current_exception());
    return failed;
  }
}

template <class F>
PyObject* guarded(F&& f) noexcept {
  return guarded(static_cast<PyObject*>(nullptr), static_cast<F&&>(f));
}

}  // namespace tandem::python
