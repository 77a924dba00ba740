// elementwise_kernel(): a user's elementwise function from C++ source.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <string>
#include <vector>

#include "convert.h"
#include "tandem/source_kernel.h"

namespace tandem::python {
namespace {

std::vector<SourceKernel::Number> numbers_of(const nb::kwargs& given, const std::string& op) {
  std::vector<SourceKernel::Number> numbers;
  for (const auto& [name, value] : given) {
    const std::string word = nb::cast<std::string>(name);
    const auto number = to_scalar(value.ptr());
    if (!number) {
      std::string message = "[" + op;
      message.append("] argument '").append(word).append("': expected a number, got ");
      detail::fail<TypeError>(message + type_name(value.ptr()));
    }
    numbers.push_back({word, *number});
  }
  return numbers;
}

SourceKernel make(const std::string& source, const std::optional<std::string>& function,
                  nb::handle result, const nb::kwargs& numbers) {
  SourceKernel::Options options;
  options.function = function.value_or("");
  options.numbers = numbers_of(numbers, "elementwise_kernel");
  if (!result.is_none()) {
    options.result = to_dtype(result.ptr());
    TANDEM_EXPECTS(
        options.result.has_value(), TypeError,
        "[elementwise_kernel] argument 'result': expected a dtype, got " + type_name(result.ptr()));
  }
  return SourceKernel(source, std::move(options));
}

Tensor run(const SourceKernel& kernel, const nb::args& given, const nb::kwargs& numbers) {
  std::vector<Tensor> inputs;
  for (const nb::handle o : given) {
    const auto v = to_value(o.ptr(), Accepts::Tensor);
    TANDEM_EXPECTS(v.has_value(), TypeError,
                   "[" + kernel.function() + "] argument " + std::to_string(inputs.size()) +
                       ": expected a tensor, got " + type_name(o.ptr()));
    inputs.push_back(v->as<Tensor>());
  }
  const auto values = numbers_of(numbers, kernel.function());
  const nb::gil_scoped_release release;
  return kernel(inputs, values);
}

nb::object number_object(const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::Bool:
      return nb::bool_(s.to_bool());
    case Scalar::Kind::Int:
      return nb::int_(s.to_int());
    case Scalar::Kind::UInt:
      return nb::int_(s.to<std::uint64_t>());
    case Scalar::Kind::Float:
      return nb::float_(s.to_double());
    default:
      return steal(PyComplex_FromDoubles(s.to_complex().real(), s.to_complex().imag()));
  }
}

/// What pickle makes it of again: its source and parameters, which it compiles, or finds compiled,
/// at its next call.
nb::tuple reduce(const SourceKernel& k) {
  nb::dict numbers;
  for (const SourceKernel::Number& n : k.numbers())
    numbers[n.name.c_str()] = number_object(n.value);
  const nb::object result = k.result() ? nb::steal(dtype_object(*k.result())) : nb::none();
  return nb::make_tuple(nb::module_::import_("tandem.pickling").attr("_rebuild_kernel"),
                        nb::make_tuple(k.source(), k.function(), result, numbers));
}

}  // namespace

void init_source_kernel(nb::module_& m) {
  auto cls = nb::class_<SourceKernel>(
      m, "ElementwiseKernel",
      R"(An elementwise op made by elementwise_kernel(): called with 1 to 5 tensors, and with numbers by name. Inputs
broadcast and promote; raises ShapeError, TypeError as any op, ValueError with the compiler's words where the source does not compile.

>>> double = tandem.elementwise_kernel('template <class T> T twice(T x) { return x + x; }')
>>> double(tandem.tensor([1.0, 2.0]))
tensor([2., 4.]))");
  cls.def("__call__", &run, nb::arg("tensors"), nb::arg("numbers"));
  cls.def("__repr__",
          [](const SourceKernel& k) { return "<elementwise kernel " + k.function() + ">"; });
  cls.def("__reduce__", &reduce);
  // Nothing of it changes, so that a copy is itself.
  cls.def("__copy__", [](nb::object self) { return self; });
  cls.def("__deepcopy__", [](nb::object self, nb::handle) { return self; });
  cls.def_prop_ro("name", &SourceKernel::function, R"(The name of the function in the source.

>>> tandem.elementwise_kernel('template <class T> T twice(T x) { return x + x; }').name
'twice')");
  cls.attr("__module__") = nb::handle(types.module_name);
  m.def(
      "elementwise_kernel", &make, nb::arg("source"), nb::kw_only(),
      nb::arg("function") = nb::none(), nb::arg("result") = nb::none(), nb::arg("numbers"),
      "An elementwise op from C++ source, compiled at its first call for each combination of "
      "dtypes: for the host by the system's C++ compiler, for a GPU by NVRTC, with the same bits, "
      "and kept in a folder (TANDEM_CACHE_DIR, else the user's cache).\n\n"
      "source: a function or function template, the last one that is defined (or `function`), of "
      "1 to 5 elements and then of numbers, all of one type T: the inputs' promoted dtype (float "
      "for the 16-bit floats). The elementwise ops have their names in it: exp, where, clamp, "
      "lgamma, ...\nresult: the dtype of the result; None: the promoted one.\nnumbers: the "
      "numbers' names and defaults, at most 8.\n\nRaises ValueError for a source without a "
      "function or with an #include.\n\n"
      ">>> damped = tandem.elementwise_kernel(\n"
      "...     'template <class T> T damped(T x, T t, T rate) { return x * exp(-rate * t); }', "
      "rate=0.5)\n"
      ">>> damped(tandem.ones(2), tandem.tensor([0., 2.]), rate=1.0)\n"
      "tensor([1.0000, 0.1353])");
}

}  // namespace tandem::python
