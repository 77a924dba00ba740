// set_printoptions: how tensors are printed.
#include <cmath>
#include <string>

#include "convert.h"
#include "errors.h"
#include "objects.h"
#include "tandem/print.h"

namespace tandem::python {
namespace {

int integer(nb::handle o, const char* name) {
  const auto v = to_int(o.ptr());
  if (!v || *v < INT32_MIN || *v > INT32_MAX) {
    detail::fail<TypeError>(std::string("[set_printoptions] expected ") + name +
                            " to be an integer, got " + type_name(o.ptr()));
  }
  return static_cast<int>(*v);
}

double number(nb::handle o) {
  const auto v = to_scalar(o.ptr());
  TANDEM_EXPECTS(v.has_value() && v->kind() != Scalar::Kind::Complex, TypeError,
                 "[set_printoptions] expected threshold to be a number, got " + type_name(o.ptr()));
  return v->to_double();
}

void set_options(nb::handle precision, nb::handle threshold, nb::handle edgeitems,
                 nb::handle linewidth, nb::handle profile, nb::handle sci_mode) {
  PrintOptions options = print_options();
  if (!profile.is_none()) {
    const std::string module = options.module;
    options = print_profile(text_of(nb::str(profile).ptr()));
    options.module = module;
  }
  if (!precision.is_none()) options.precision = integer(precision, "precision");
  if (!threshold.is_none()) options.threshold = number(threshold);
  if (!edgeitems.is_none()) options.edgeitems = integer(edgeitems, "edgeitems");
  if (!linewidth.is_none()) options.linewidth = integer(linewidth, "linewidth");
  // As in PyTorch, every call sets sci_mode: None lets the values choose.
  options.sci_mode.reset();
  if (!sci_mode.is_none()) options.sci_mode = nb::cast<bool>(sci_mode);
  set_print_options(options);
}

}  // namespace

void init_printing(nb::module_& m) {
  PrintOptions options = print_options();
  options.module = "tandem.";
  set_print_options(options);
  m.def(
      "set_printoptions", &set_options, nb::arg("precision") = nb::none(),
      nb::arg("threshold") = nb::none(), nb::arg("edgeitems") = nb::none(),
      nb::arg("linewidth") = nb::none(), nb::arg("profile") = nb::none(),
      nb::arg("sci_mode") = nb::none(),
      R"(How tensors are printed: PyTorch's options and profiles. precision: digits after the point; threshold:
more elements than this are summarised; edgeitems: how many at each end; linewidth: columns; profile:
'default', 'short' or 'full'; sci_mode: True, False, or None to let the values choose. TypeError and
ValueError for others.

>>> tandem.set_printoptions(precision=2)
>>> tandem.tensor([3.14159])
tensor([3.14])
>>> tandem.set_printoptions(profile='default'))");
}

}  // namespace tandem::python
