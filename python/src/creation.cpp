// tensor(), as_tensor() and the creating functions in PyTorch's call forms. Those that take a row's
// own form (rand, linspace, ...) come from the table.
#include <cmath>
#include <string>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "function.h"
#include "tandem/ops.h"

namespace tandem::python {
namespace {

constexpr const char* kOptions =
    ", *, dtype: dtype?=None, device: device?=None, names: names?=None";

/// The three keywords of kOptions, which are a function's last parameters.
Options options_at(const Call& c, std::size_t first) {
  Options o;
  if (c.given(first)) o.dtype = c.values[first].as<DType>();
  if (c.given(first + 1)) o.device = c.values[first + 1].as<Device>();
  if (c.given(first + 2)) o.names = names_from(c.values[first + 2].as<std::vector<std::string>>());
  return o;
}

const Dims& ints(const Call& c, std::size_t i) { return c.values[i].as<Dims>(); }
const Scalar& number(const Call& c, std::size_t i) { return c.values[i].as<Scalar>(); }

/// A tensor over the memory of another library's object, by the first protocol that it has; nothing
/// where it has none.
std::optional<Tensor> tensor_of_exporter(PyObject* data) {
  const auto has = [&](const char* name) { return PyObject_HasAttrString(data, name) != 0; };
  const auto by = [&](const char* function) {
    const nb::object made =
        nb::module_::import_("tandem.exchange").attr(function)(nb::handle(data));
    return as_tensor(made.ptr());
  };
  if (has("__cuda_array_interface__")) return by("_from_cuda_interface");
  if (has("__dlpack__") && has("__dlpack_device__")) return by("from_dlpack");
  if (has("__array_interface__") || (has("__array__") && PyObject_CheckBuffer(data) == 0)) {
    const nb::object array = nb::module_::import_("numpy").attr("asarray")(nb::handle(data));
    return tensor_of_array(array.ptr());
  }
  if (PyObject_CheckBuffer(data) != 0) return tensor_of_buffer(data, "as_tensor");
  return std::nullopt;
}

/// Whether as_tensor shares the object's memory: by a protocol that promises it.
bool shares_memory(nb::handle data) {
  const auto has = [&](const char* name) { return PyObject_HasAttrString(data.ptr(), name) != 0; };
  if (is_numpy_array(data.ptr())) return true;
  if (is_numpy_scalar(data.ptr())) return false;
  return has("__cuda_array_interface__") || has("__dlpack__") || has("__array_interface__") ||
         PyObject_CheckBuffer(data.ptr()) != 0;
}

/// Any data as a tensor that may share the data's memory.
Tensor tensor_of(PyObject* data, std::optional<DType> dtype) {
  if (is_tensor(data)) return as_tensor(data);
  if (is_numpy_array(data)) return tensor_of_array(data);
  const bool plain = PyList_Check(data) || PyTuple_Check(data) || PyFloat_Check(data) ||
                     PyLong_Check(data) || PyComplex_Check(data) || is_numpy_scalar(data);
  if (!plain) {
    if (auto shared = tensor_of_exporter(data)) return *shared;
  }
  return tensor_of_lists(data, dtype);
}

/// Moves and casts where asked to; copies where that did not.
Tensor finish(const Tensor& t, PyObject* data, const Options& o, bool always_copy) {
  const detail::StorageBody& storage = *t.body_ptr()->storage;
  const bool shares = is_tensor(data) || storage.deleter != nullptr || storage.foreign != nullptr;
  Tensor out = t.to(o.device, o.dtype, false, always_copy && shares);
  if (!o.names.empty()) {
    if (out.body_ptr() == t.body_ptr()) out = out.alias();
    out.rename_(o.names);
  }
  return out;
}

PyObject* make_tensor(Call& c) {
  const Options o = options_at(c, 1);
  TANDEM_EXPECTS(c.objects[0] != Py_None, TypeError, "[tensor] expected data, got None");
  return wrap(finish(tensor_of(c.objects[0], o.dtype), c.objects[0], o, true));
}

PyObject* make_as_tensor(Call& c) {
  const Options o = options_at(c, 1);
  const Tensor out = finish(tensor_of(c.objects[0], o.dtype), c.objects[0], o, false);
  if (is_tensor(c.objects[0]) && as_tensor(c.objects[0]).body_ptr() == out.body_ptr())
    return Py_NewRef(c.objects[0]);
  return wrap(out);
}

using FillShape = Tensor (*)(IntSpan, const Options&);
using FillLike = Tensor (*)(const Tensor&, const Options&);

/// zeros(2, 3), zeros((2, 3)), t.new_zeros(2, 3).
void define_fill(const std::string& name, FillShape make, FillLike like, const char* doc) {
  define(make_function(name, std::string("size: ints") + kOptions, doc,
                       [make](Call& c) { return wrap(make(ints(c, 0), options_at(c, 1))); }),
         kModule);
  define(make_function(name + "_like", std::string("x: Tensor") + kOptions,
                       std::string(doc) + " With the shape, dtype, device and names of x.",
                       [like](Call& c) { return wrap(like(c.tensor(0), options_at(c, 1))); }),
         kModule);
  define(make_function("new_" + name, std::string("x: Tensor, size: ints") + kOptions,
                       std::string(doc) + " With the dtype and device of x.",
                       [make](Call& c) {
                         Options o = options_at(c, 2);
                         if (!o.dtype) o.dtype = c.tensor(0).dtype();
                         if (!o.device) o.device = c.tensor(0).device();
                         return wrap(make(ints(c, 1), o));
                       }),
         kMethod);
}

void define_full() {
  define(
      make_function("full", std::string("size: ints, fill_value: Scalar") + kOptions,
                    "Every element the value; its dtype unless one is given.",
                    [](Call& c) { return wrap(full(ints(c, 0), number(c, 1), options_at(c, 2))); }),
      kModule);
  define(make_function(
             "full_like", std::string("x: Tensor, fill_value: Scalar") + kOptions,
             "Every element the value, with the shape, dtype, device and names of x.",
             [](Call& c) { return wrap(full_like(c.tensor(0), number(c, 1), options_at(c, 2))); }),
         kModule);
  define(
      make_function("new_full", std::string("x: Tensor, size: ints, fill_value: Scalar") + kOptions,
                    "Every element the value, with the dtype and device of x.",
                    [](Call& c) {
                      Options o = options_at(c, 3);
                      if (!o.dtype) o.dtype = c.tensor(0).dtype();
                      if (!o.device) o.device = c.tensor(0).device();
                      return wrap(full(ints(c, 1), number(c, 2), o));
                    }),
      kMethod);
  define(
      make_function("new_tensor", std::string("x: Tensor, data: object") + kOptions,
                    "A copy of the data with the dtype and device of x.",
                    [](Call& c) {
                      Options o = options_at(c, 2);
                      if (!o.dtype) o.dtype = c.tensor(0).dtype();
                      if (!o.device) o.device = c.tensor(0).device();
                      return wrap(finish(tensor_of(c.objects[1], o.dtype), c.objects[1], o, true));
                    }),
      kMethod);
}

/// arange(end), arange(start, end), arange(start, end, step).
PyObject* make_arange(Call& c) {
  const Options o = options_at(c, 3);
  const Scalar step = c.given(2) ? number(c, 2) : Scalar(1);
  if (c.given(0) && c.given(1)) return wrap(arange(number(c, 0), number(c, 1), step, o));
  TANDEM_EXPECTS(c.given(0) || c.given(1), TypeError,
                 "[arange] expected an argument end, got none");
  return wrap(arange(0, number(c, c.given(0) ? 0 : 1), step, o));
}

}  // namespace

void init_creation() {
  nb::module_ module = nb::borrow<nb::module_>(module_object);
  module.def("_shares_memory", &shares_memory);
  module.def("_tensor_over",
             [](nb::handle data) { return nb::steal(wrap(tensor_of(data.ptr(), std::nullopt))); });
  define(
      make_function(
          "tensor", std::string("data: object") + kOptions,
          "A new tensor of a number, of nested lists or tuples of numbers, or of an array. Always "
          "copies. The dtype is inferred as in PyTorch.",
          make_tensor),
      kModule);
  for (const char* name : {"as_tensor", "asarray"}) {
    define(
        make_function(
            name, "data: object, dtype: dtype?=None, device: device?=None, *, names: names?=None",
            "As tensor(), but shares the memory of arrays and tensors where it can.",
            make_as_tensor),
        kModule);
  }
  define_fill("empty", &tandem::empty, &tandem::empty_like, "Elements of any value.");
  define_fill("zeros", &tandem::zeros, &tandem::zeros_like, "Every element 0.");
  define_fill("ones", &tandem::ones, &tandem::ones_like, "Every element 1.");
  define_full();
  define(
      make_function(
          "arange",
          std::string("start: Scalar?=None, end: Scalar?=None, step: Scalar?=None") + kOptions,
          "start, start + step, ... below end: arange(end), arange(start, end), arange(start, end, "
          "step).",
          make_arange),
      kModule);
  define(
      make_function("scalar_tensor", std::string("s: Scalar") + kOptions,
                    "A number as a tensor without dimensions, of the default dtype unless one is "
                    "given.",
                    [](Call& c) {
                      Options o = options_at(c, 1);
                      o.dtype = o.dtype.value_or(default_dtype());
                      return wrap(scalar_tensor(number(c, 0), o));
                    }),
      kModule);
  define(make_function(
             "empty_strided", std::string("size: ints, stride: ints") + kOptions,
             "Elements of any value, with given strides.",
             [](Call& c) { return wrap(empty_strided(ints(c, 0), ints(c, 1), options_at(c, 2))); }),
         kModule);
}

}  // namespace tandem::python
