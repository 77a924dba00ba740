// Function: a Python callable made from a schema. One for each row of the op table (as function and
// method, in place, as an operator), and for what is written by hand in this folder.
#pragma once

#include <Python.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "objects.h"
#include "tandem/value.h"

namespace tandem::python {

/// What a parameter accepts; the schemas' words (value.h).
enum class Accepts : std::uint8_t {
  Tensor,
  Arg,
  Tensors,
  Scalar,
  Int,
  Float,
  Bool,
  Str,
  Strs,
  Ints,
  Axis,
  Axes,
  DType,
  Device,
  Names,
  Shape,    // integers, or a dtype: view's two forms
  Floats,   // a list of numbers, as a float64 tensor of one dimension
  Value,    // a tensor, number, str or list of integers; the op tells them apart
  Spacing,  // a number or a tensor, or a list of them: gradient's
  Pairs,    // an integer, or two lists of axes of one length: tensordot's
  Object,   // any; the function reads the Python object itself
  Generator,
  MaybeTensors,  // tensors, None among them
  Bins,          // an integer, or a list of integers or of tensors: histogramdd's
};

struct Parameter {
  PyObject* name;  // interned
  std::string text;
  Accepts accepts;
  bool required;
  bool keyword_only;
  std::string fallback;
};

/// The arguments of a call in the order of the parameters; null where none was given.
struct Call {
  std::span<PyObject* const> objects;
  std::span<Value> values;
  PyObject* out;  // the `out` keyword's tensor, or a tuple of them, or null

  /// Also a device that was taken from set_default_device().
  bool given(std::size_t i) const {
    return (objects[i] != nullptr && objects[i] != Py_None) || !values[i].is_none();
  }
  /// Of a parameter that is a Tensor; an array was made one.
  const Tensor& tensor(std::size_t i) const { return values[i].as<Tensor>(); }
  /// The tensor object that a method writes to. Raises TypeError for an array.
  Tensor& written(const char* op) const {
    TANDEM_EXPECTS(
        is_tensor(objects[0]), TypeError,
        std::string("[") + op + "] expected a tensor to write to, got " + type_name(objects[0]));
    return as_tensor(objects[0]);
  }
};

struct Function {
  enum class Form : std::uint8_t { Plain, InPlace, Operator, InPlaceOperator };

  std::string name;
  std::string module = "tandem";
  std::string place;  // in tandem, if it is another: linalg.inv of linalg_inv
  std::string doc;
  std::vector<Parameter> parameters;
  std::size_t n_positional = 0;
  /// The positional list that takes all further positional arguments, as in zeros(2, 3).
  std::optional<std::size_t> rest;
  /// The parameter that set_default_device() stands in for: of a function that makes a tensor, not
  /// of one that has a tensor to take the device of.
  std::optional<std::size_t> device;
  Form form = Form::Plain;
  bool positional_only = false;
  bool reflected = false;  // an operator's second form: arguments are swapped
  std::size_t n_out = 0;   // the most tensors that `out` may be; 0: no such keyword
  /// Does the work; returns a new reference.
  std::function<PyObject*(Call&)> run;

  bool is_operator() const { return form == Form::Operator || form == Form::InPlaceOperator; }
};

/// Parameters from a schema's text without types' details, as in "(size: ints, *, dtype:
/// dtype?=None)".
std::vector<Parameter> parameters_of(const std::vector<Param>& params, const std::string& where);
/// The same from the text of a function written by hand.
std::vector<Param> params_of(std::string_view text);

/// The function of a row, as the main module has it.
Function row_function(const OpRow& row);

/// Writes what a row gave to the tensors of an `out` keyword, one or a tuple.
void write_results(const OpRow& row, std::span<const Value> made, PyObject* out);

/// A function from its parts; `text` is a parameter list as in the op table's schemas.
Function make_function(std::string name, std::string_view text, std::string doc,
                       std::function<PyObject*(Call&)> run);

/// A callable Python object; lives as long as the module.
nb::object function_object(Function f);

/// What set_default_device() set in this thread.
std::optional<Device> default_device();

/// Where callables go: the module, the Tensor type, or both.
enum Place : unsigned { kModule = 1, kMethod = 2 };
void define(Function f, unsigned places);
void define_method(const char* name, const nb::object& callable);
/// Where define() puts functions.
extern PyObject* module_object;

}  // namespace tandem::python
