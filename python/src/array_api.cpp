// What the Python Array API has beside functions of the table, and PyTorch's methods that change a
// tensor's view in place.
#include <nanobind/stl/string.h>

#include <optional>
#include <string>

#include "convert.h"
#include "function.h"
#include "tandem/array_api.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem::python {
namespace {

/// The promoted dtype of one class of arguments: dimensioned tensors, 0-d tensors.
struct Class {
  std::optional<DType> dtype;
  void add(DType t) { dtype = dtype ? promote_types(*dtype, t) : t; }
  /// A tensor that stands for all of them.
  Tensor stand_in(IntSpan shape) const { return empty(shape, {.dtype = dtype, .device = kMeta}); }
};

/// result_type of tensors, numbers and dtypes; a dtype counts as a tensor of it.
PyObject* result_type_of(const nb::args& args) {
  Class wide;
  Class zero_d;
  std::optional<Scalar> number;
  for (const nb::handle h : args) {
    if (is_tensor(h.ptr())) {
      (as_tensor(h.ptr()).dim() > 0 ? wide : zero_d).add(as_tensor(h.ptr()).dtype());
    } else if (const auto t = to_dtype(h.ptr())) {
      wide.add(*t);
    } else if (const auto n = to_scalar(h.ptr())) {
      if (!number || n->category() > number->category()) number = n;
    } else {
      detail::fail<TypeError>("[result_type] expected tensors, numbers and dtypes, got " +
                              type_name(h.ptr()));
    }
  }
  if (!wide.dtype && !zero_d.dtype) {
    TANDEM_EXPECTS(number.has_value(), TypeError, "[result_type] expected an argument, got none");
    return dtype_object(result_type(*number, *number));
  }
  const Dims one = {1};
  const bool dimensioned = wide.dtype.has_value();
  if (dimensioned && zero_d.dtype)
    wide.dtype = result_type(wide.stand_in(one), zero_d.stand_in({}));
  const Tensor all = dimensioned ? wide.stand_in(one) : zero_d.stand_in({});
  return dtype_object(number ? result_type(all, *number) : all.dtype());
}

/// name_: the tensor object becomes the view that the op `name` gives.
void define_view_in_place(const std::string& name) {
  const OpRow& row = *find_op(name);
  std::string text;
  for (const Param& p : schema_of(row).params) {
    text += (text.empty() ? "" : ", ") + p.name + ": " + p.type;
    if (!p.fallback.empty()) text += "=" + p.fallback;
  }
  define(make_function(name + "_", text, std::string(row.doc) + "; of the tensor itself.",
                       [&row, name](Call& c) {
                         Tensor& x = c.written(name.c_str());
                         x = call_boxed(row, c.values)[0].as<Tensor>();
                         return Py_NewRef(c.objects[0]);
                       }),
         kMethod);
}

std::string text(IntSpan shape) {
  std::string out;
  for (const std::int64_t n : shape) out += (out.empty() ? "" : ", ") + std::to_string(n);
  return "[" + out + "]";
}

/// x @= y, where the product has x's shape and a dtype that x can take.
void define_product_in_place() {
  Function f =
      make_function("__imatmul__", "x: Tensor, other: Tensor",
                    "x @ other, written to x, which has the product's shape.", [](Call& c) {
                      Tensor& x = c.written("__imatmul__");
                      const Tensor product = matmul(x, c.tensor(1));
                      TANDEM_EXPECTS(text(product.shape()) == text(x.shape()), ShapeError,
                                     "[__imatmul__] expected a product of the shape " +
                                         text(x.shape()) + ", got " + text(product.shape()));
                      x.copy_(product);
                      return Py_NewRef(c.objects[0]);
                    });
  f.form = Function::Form::InPlaceOperator;
  define(std::move(f), kMethod);
}

/// The table of the standard's functions: (part, name, op, kinds, parameters) each.
nb::list functions_of_the_standard() {
  nb::list rows;
  for (const StandardFunction& f : array_api_functions())
    rows.append(nb::make_tuple(f.part, f.name, f.op, f.kinds, f.parameters));
  return rows;
}

}  // namespace

void init_array_api(nb::module_& m) {
  m.def("_array_api_functions", functions_of_the_standard,
        "The functions of the Array API: part, name, op, kinds of dtypes and parameters of each.");
  m.def(
      "result_type", [](const nb::args& args) { return nb::steal(result_type_of(args)); },
      R"(The dtype of an op of all arguments: tensors, numbers and dtypes. TypeError for others or none.

>>> tandem.result_type(tandem.tensor([1, 2], dtype=tandem.int8), 2.5)
tandem.float32)");
  m.def(
      "can_cast",
      [](nb::handle from, nb::handle to) {
        const auto dtype = [](nb::handle o) {
          if (is_tensor(o.ptr())) return as_tensor(o.ptr()).dtype();
          const auto t = to_dtype(o.ptr());
          TANDEM_EXPECTS(t.has_value(), TypeError,
                         "[can_cast] expected a dtype, got " + type_name(o.ptr()));
          return *t;
        };
        return can_cast(dtype(from), dtype(to));
      },
      nb::arg("from_"), nb::arg("to"),
      R"(False where a cast would lower the category: complex, float, integer, bool. TypeError for what is
neither dtype nor tensor.

>>> tandem.can_cast(tandem.int64, tandem.float16), tandem.can_cast(tandem.float16, tandem.int64)
(True, False))");
  define(make_function("to_device", "x: Tensor, device: device, *, stream: object?=None",
                       "The tensor on a device; itself where it is there.",
                       [](Call& c) {
                         TANDEM_EXPECTS(!c.given(2), NotImplemented,
                                        "[to_device] expected no stream: Tandem's current one is "
                                        "used");
                         const Tensor out = c.tensor(0).to(c.values[1].as<Device>());
                         if (out.body_ptr() == c.tensor(0).body_ptr())
                           return Py_NewRef(c.objects[0]);
                         return wrap(out);
                       }),
         kMethod);
  define(make_function("__array_namespace__", "x: Tensor, *, api_version: str?=None",
                       "tandem.array_api: the functions of the Python Array API standard.",
                       [](Call& c) {
                         static PyObject* module = nullptr;  // imported at the first call
                         if (module == nullptr)
                           module = nb::module_::import_("tandem.array_api").release().ptr();
                         if (!c.given(1)) return Py_NewRef(module);
                         const std::string own = nb::cast<std::string>(
                             nb::handle(module).attr("__array_api_version__"));
                         const std::string& asked = c.values[1].as<std::string>();
                         TANDEM_EXPECTS(asked == own, ValueError,
                                        "[__array_namespace__] expected api_version '" + own +
                                            "', got '" + asked + "'");
                         return Py_NewRef(module);
                       }),
         kMethod);
  define_product_in_place();
  for (const char* name : {"t", "transpose", "unsqueeze", "squeeze", "as_strided"})
    define_view_in_place(name);
  for (const char* other : {"swapaxes_", "swapdims_"}) {
    define_method(other, nb::handle(reinterpret_cast<PyObject*>(types.tensor)).attr("transpose_"));
  }
}

}  // namespace tandem::python
