// DLPack capsules, the order of streams between libraries, and __cuda_array_interface__.
// tandem/exchange.py has the protocols' negotiation.
#include "tandem/dlpack.h"

#include <nanobind/stl/pair.h>

#include <memory>
#include <string>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "tandem/check.h"
#include "tandem/foreign.h"

namespace tandem::python {
namespace {

constexpr const char* kOld = "dltensor";
constexpr const char* kOldUsed = "used_dltensor";
constexpr const char* kNew = "dltensor_versioned";
constexpr const char* kNewUsed = "used_dltensor_versioned";

/// Of a capsule that nobody took, frees what it holds.
template <class Managed>
void drop_capsule(PyObject* capsule, const char* name) {
  if (PyCapsule_IsValid(capsule, name) == 0) return;
  free_dlpack(static_cast<Managed*>(PyCapsule_GetPointer(capsule, name)));
}

template <class Managed>
nb::object capsule_of(Managed* managed, const char* name, PyCapsule_Destructor drop) {
  PyObject* capsule = PyCapsule_New(managed, name, drop);
  if (capsule == nullptr) free_dlpack(managed);
  return steal(capsule);
}

nb::object make_capsule(const Tensor& t, bool versioned, bool is_copy) {
  check_host_use(t, !is_read_only(t));
  if (!versioned) {
    return capsule_of(to_dlpack_unversioned(t), kOld,
                      [](PyObject* c) { drop_capsule<DLManagedTensor>(c, kOld); });
  }
  return capsule_of(to_dlpack(t, is_copy), kNew,
                    [](PyObject* c) { drop_capsule<DLManagedTensorVersioned>(c, kNew); });
}

template <class Managed>
Tensor take_from(PyObject* capsule, const char* name, const char* used) {
  Tensor t = from_dlpack(static_cast<Managed*>(PyCapsule_GetPointer(capsule, name)));
  // From here on the tensor frees it. The name is that of a valid capsule: this can't fail.
  if (PyCapsule_SetName(capsule, used) != 0) throw nb::python_error();
  return t;
}

nb::object take_capsule(nb::handle o) {
  PyObject* capsule = o.ptr();
  if (PyCapsule_IsValid(capsule, kNew) != 0)
    return nb::steal(wrap(take_from<DLManagedTensorVersioned>(capsule, kNew, kNewUsed)));
  if (PyCapsule_IsValid(capsule, kOld) != 0)
    return nb::steal(wrap(take_from<DLManagedTensor>(capsule, kOld, kOldUsed)));
  const bool used =
      PyCapsule_IsValid(capsule, kNewUsed) != 0 || PyCapsule_IsValid(capsule, kOldUsed) != 0;
  TANDEM_EXPECTS(!used, ValueError,
                 "[from_dlpack] expected a capsule that nobody took, got one that is used already");
  detail::fail<TypeError>("[from_dlpack] expected an object with __dlpack__ or its capsule, got " +
                          type_name(capsule));
}

/// Makes `later` wait for what `earlier` has to do by now; the host does not wait.
void order(const Stream& earlier, const Stream& later) {
  if (earlier == later) return;
  Event point;
  point.record(earlier);
  point.wait(later);
}

Stream other_stream(Device device, std::uintptr_t handle) {
  return Stream::wrap(device, reinterpret_cast<void*>(handle));
}

/// Work of another library's stream may use the tensor from here on.
void hand_over(const Tensor& t, std::uintptr_t handle) {
  const Stream theirs = other_stream(t.device(), handle);
  order(current_stream(t.device()), theirs);
  static_cast<void>(t.data(theirs));
}

/// The current stream's handle as the protocols write it: 1 is the default stream.
std::uintptr_t stream_number(Device device) {
  void* native = current_stream(device).native();
  return native == nullptr ? 1 : reinterpret_cast<std::uintptr_t>(native);
}

// ---- __cuda_array_interface__, version 3

/// Before Python looks for the attribute any further: hasattr is the way to ask.
[[noreturn]] void no_attribute(const std::string& why) {
  PyErr_SetString(PyExc_AttributeError, ("[__cuda_array_interface__] " + why).c_str());
  throw nb::python_error();
}

}  // namespace

nb::dict cuda_interface(const Tensor& t) {
  if (!t.device().is_cuda()) no_attribute("expected a CUDA tensor, got one on " + t.device().str());
  const std::string_view code = info(t.dtype()).numpy;
  if (code.empty()) {
    no_attribute("expected a dtype that NumPy has, got " + std::string(name(t.dtype())) +
                 "; use DLPack");
  }
  const auto size = static_cast<std::int64_t>(t.element_size());
  Dims strides(t.strides());
  for (auto& s : strides) s *= size;
  const nb::str type(code.data(), code.size());
  nb::dict d;
  d["version"] = 3;
  d["shape"] = nb::steal(int_tuple(t.shape()));
  d["strides"] = t.is_contiguous() ? nb::none() : nb::steal(int_tuple(strides));
  d["typestr"] = type;
  nb::list fields;
  fields.append(nb::make_tuple("", type));
  d["descr"] = fields;
  const auto address = t.numel() == 0 ? 0 : reinterpret_cast<std::uintptr_t>(t.data_ptr());
  d["data"] = nb::make_tuple(address, is_read_only(t));
  d["stream"] = stream_number(t.device());
  return d;
}

namespace {

/// A tensor over what an interface describes; `strides` in elements. Keeps `owner`.
nb::object from_cuda(nb::handle owner, std::uintptr_t address, bool read_only, nb::handle shape,
                     nb::handle strides, nb::handle dtype, nb::handle device, nb::handle stream) {
  const Device on = *to_device(device.ptr());
  if (!stream.is_none()) {
    order(other_stream(on, nb::cast<std::uintptr_t>(stream)), current_stream(on));
  }
  ForeignMemoryView m;
  m.data = reinterpret_cast<void*>(address);
  m.dtype = *to_dtype(dtype.ptr());
  m.shape = *to_ints(shape.ptr());
  if (!strides.is_none()) m.strides = *to_ints(strides.ptr());
  m.device = on;
  m.read_only = read_only;
  m.release = [held = held_object(owner.ptr())] {};
  return nb::steal(wrap(from_foreign(std::move(m))));
}

}  // namespace

void init_dlpack(nb::module_& m) {
  m.def("_dlpack_device", &dlpack_device);
  m.def("_dlpack_capsule", &make_capsule);
  m.def("_dlpack_take", &take_capsule);
  m.def("_hand_over", &hand_over);
  m.def("_stream_number",
        [](nb::handle device) { return stream_number(*to_device(device.ptr())); });
  m.def("_is_read_only", &is_read_only);
  m.def("_from_cuda_interface", &from_cuda, nb::arg("owner"), nb::arg("address"),
        nb::arg("read_only"), nb::arg("shape"), nb::arg("strides").none(), nb::arg("dtype"),
        nb::arg("device"), nb::arg("stream").none());
  m.def("_dtype_of_code", [](const nb::str& code) {
    const auto t = dtype_of_code(code.c_str());
    return t ? nb::steal(dtype_object(*t)) : nb::none();
  });
}

}  // namespace tandem::python
