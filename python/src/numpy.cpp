// NumPy arrays that share a tensor's memory, and tensors that share an array's. NumPy itself is
// needed only when a call needs it: all goes through the buffer protocol and its array interface.
#include <memory>
#include <string>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "function.h"
#include "tandem/check.h"
#include "tandem/foreign.h"

namespace tandem::python {
namespace {

/// np.asarray; lives as long as the process.
nb::handle as_array() {
  static const auto* function = new nb::object(nb::module_::import_("numpy").attr("asarray"));
  return *function;
}

/// An integer attribute's value; clear failure where foreign objects lie.
std::int64_t integer(nb::handle o) {
  const auto v = to_int(o.ptr());
  TANDEM_EXPECTS(v.has_value(), TypeError,
                 "[from_numpy] expected an array interface of integers, got " + type_name(o.ptr()));
  return *v;
}

Dims integers(nb::handle o) {
  Dims out;
  TANDEM_EXPECTS(PyTuple_Check(o.ptr()), TypeError,
                 "[from_numpy] expected an array interface of tuples, got " + type_name(o.ptr()));
  for (const nb::handle item : nb::borrow<nb::tuple>(o)) out.push_back(integer(item));
  return out;
}

DType checked_dtype(nb::handle array, const std::string& code) {
  const auto t = dtype_of_code(code);
  if (t) return *t;
  const nb::object dtype = array.attr("dtype");
  const std::string shown = nb::str(nb::handle(dtype)).c_str();
  if (!code.empty() && code[0] == '>') {
    detail::fail<TypeError>(
        "[from_numpy] expected an array in this machine's byte order, got dtype " + code +
        "; use array.astype(array.dtype.newbyteorder('='))");
  }
  std::string known;
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto& row = info(static_cast<DType>(i));
    if (!row.numpy.empty()) known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  detail::fail<TypeError>("[from_numpy] expected an array of " + known + ", got numpy." + shown);
}

/// Strides in elements from strides in bytes.
Dims element_strides(nb::handle bytes, const Dims& shape, std::size_t size) {
  Dims strides = integers(bytes);
  TANDEM_EXPECTS(strides.size() == shape.size(), ValueError,
                 "[from_numpy] expected as many strides as dimensions, got " +
                     std::to_string(strides.size()) + " and " + std::to_string(shape.size()));
  for (std::size_t i = 0; i < strides.size(); ++i) {
    const auto n = static_cast<std::int64_t>(size);
    if (shape[i] > 1 && strides[i] % n != 0) {
      detail::fail<ValueError>(
          "[from_numpy] expected strides that are multiples of the element's " + std::to_string(n) +
          " bytes, got " + std::to_string(strides[i]) + "; use array.copy()");
    }
    strides[i] /= n;
  }
  return strides;
}

nb::object array_of(const Tensor& t) {
  TANDEM_EXPECTS(!t.is_meta(), TypeError, "[numpy] expected a tensor with data, got one on meta");
  if (!t.device().is_cpu()) {
    detail::fail<TypeError>(
        "[numpy] can't convert " + t.device().str() +
        " device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
        "memory first.");
  }
  if (info(t.dtype()).numpy.empty()) {
    detail::fail<TypeError>("[numpy] expected a dtype that NumPy has, got " +
                            std::string(name(t.dtype())) + "; use .float() first");
  }
  check_host_use(t, !is_read_only(t));
  // By the buffer protocol; the view is the array's base and keeps the tensor.
  const nb::object self = nb::steal(wrap(t.alias()));
  return as_array()(steal(PyMemoryView_FromObject(self.ptr())));
}

/// t.numpy(*, force=False): with force, what numpy() refuses is converted first.
PyObject* numpy_method(Call& c) {
  Tensor t = c.tensor(0);
  if (c.given(1) && c.values[1].as<Scalar>().to_bool()) {
    t = t.cpu();
    if (info(t.dtype()).numpy.empty()) t = t.to(info(t.dtype()).compute);
  }
  return array_of(t).release().ptr();
}

/// t.__array__(dtype=None, *, copy=None)
PyObject* array_protocol(Call& c) {
  const nb::object array = array_of(c.tensor(0));
  const nb::handle copy = c.objects[2] == nullptr ? Py_None : c.objects[2];
  if (c.given(1)) {
    const nb::handle dtype = c.objects[1];
    if (copy.ptr() == Py_False && !array.attr("dtype").equal(dtype)) {
      detail::fail<ValueError>("[__array__] expected a copy to be allowed: the dtype differs");
    }
    return array.attr("astype")(dtype, nb::arg("copy") = copy.ptr() == Py_True).release().ptr();
  }
  if (copy.ptr() == Py_True) return array.attr("copy")().release().ptr();
  return nb::object(array).release().ptr();
}

}  // namespace

std::shared_ptr<PyObject> held_object(PyObject* o) {
  return {Py_NewRef(o), [](PyObject* held) {
            if (Py_IsInitialized() == 0) return;
            const PyGILState_STATE state = PyGILState_Ensure();
            Py_DECREF(held);
            PyGILState_Release(state);
          }};
}

Tensor tensor_of_array(PyObject* array) {
  if (!is_numpy_array(array)) {
    detail::fail<TypeError>("[from_numpy] expected a numpy.ndarray, got " + type_name(array));
  }
  if (auto shared = tensor_of_plain_array(array)) return *std::move(shared);
  // The array interface knows all arrays and says what is wrong with this one.
  const nb::object face = nb::handle(array).attr("__array_interface__");
  const DType t =
      checked_dtype(array, nb::cast<std::string>(nb::str(nb::handle(nb::object(face["typestr"])))));
  const Dims shape = integers(face["shape"]);
  TANDEM_EXPECTS(
      shape.size() <= 32, ValueError,
      "[from_numpy] expected at most 32 dimensions, got " + std::to_string(shape.size()));
  const nb::object data = face["data"];
  void* pointer = reinterpret_cast<void*>(nb::cast<std::uintptr_t>(data[0]));
  const std::size_t size = element_size(t);
  const std::size_t align = tandem::visit(t, []<class T>() { return alignof(T); });
  TANDEM_EXPECTS(reinterpret_cast<std::uintptr_t>(pointer) % align == 0, ValueError,
                 "[from_numpy] expected memory aligned to the element; use array.copy()");
  std::optional<Dims> strides;
  const nb::object bytes = face["strides"];
  if (!bytes.is_none()) strides = element_strides(bytes, shape, size);
  ForeignMemoryView m;
  m.data = pointer;
  m.dtype = t;
  m.shape = shape;
  m.strides = strides;
  m.device = kCPU;
  m.read_only = nb::cast<bool>(data[1]);
  m.release = [held = held_object(array)] {};
  return from_foreign(std::move(m));
}

void init_numpy() {
  define(make_function("from_numpy", "ndarray: object",
                       "A tensor that shares the array's memory. Strides may be negative. Over a "
                       "read-only array "
                       "the tensor is read-only: writing to it is an error.",
                       [](Call& c) { return wrap(tensor_of_array(c.objects[0])); }),
         kModule);
  define(make_function("numpy", "x: Tensor, *, force: bool=False",
                       "A NumPy array that shares the tensor's memory.", numpy_method),
         kMethod);
  define(make_function("__array__", "x: Tensor, dtype: object=None, *, copy: object=None",
                       "NumPy's protocol for np.asarray(t).", array_protocol),
         kMethod);
  define_method("__array_priority__", nb::cast(1000));
}

}  // namespace tandem::python
