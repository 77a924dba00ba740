// What tandem.testing compares tensors and numbers with.
#include "tandem/testing.h"

#include "function.h"

namespace tandem::python {

/// _mismatch: what differs, as text; empty where nothing does.
void init_testing() {
  define(make_function("_mismatch",
                       "actual: Arg, expected: Arg, rtol: float?=None, atol: float?=None, "
                       "equal_nan: bool=False, check_device: bool=True, check_dtype: bool=True, "
                       "check_layout: bool=True, check_stride: bool=False",
                       "What differs between two tensors or numbers, in words.",
                       [](Call& c) {
                         const auto number = [&](std::size_t i) -> std::optional<double> {
                           if (!c.given(i)) return std::nullopt;
                           return c.values[i].as<Scalar>().to_double();
                         };
                         const auto flag = [&](std::size_t i, bool fallback) {
                           return c.given(i) ? c.values[i].as<Scalar>().to_bool() : fallback;
                         };
                         const testing::Closeness how{.rtol = number(2),
                                                      .atol = number(3),
                                                      .equal_nan = flag(4, false),
                                                      .check_device = flag(5, true),
                                                      .check_dtype = flag(6, true),
                                                      .check_layout = flag(7, true),
                                                      .check_stride = flag(8, false)};
                         const Value& a = c.values[0];
                         const Value& b = c.values[1];
                         std::string found;
                         {
                           const nb::gil_scoped_release release;
                           found = a.is<Tensor>()
                                       ? testing::mismatch(a.as<Tensor>(), b.as<Tensor>(), how)
                                       : testing::mismatch(a.as<Scalar>(), b.as<Scalar>(), how);
                         }
                         return PyUnicode_FromStringAndSize(found.data(),
                                                            static_cast<Py_ssize_t>(found.size()));
                       }),
         kModule);
}

}  // namespace tandem::python
