// What is neither tensor nor op: threads, default dtype, promotion, devices and their
// memory.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <string>

#include "convert.h"
#include "errors.h"
#include "function.h"
#include "tandem/exact.h"
#include "tandem/fft.h"
#include "tandem/ops.h"
#include "tandem/signal.h"
#include "tandem/stream.h"
#include "tandem/tf32.h"

namespace tandem::python {
namespace {

DType dtype_argument(nb::handle o, const char* op) {
  const auto t = to_dtype(o.ptr());
  if (!t)
    detail::fail<TypeError>(std::string("[") + op + "] expected a dtype, got " +
                            type_name(o.ptr()));
  return *t;
}

Device cuda_device(nb::handle o, const char* op) {
  if (o.is_none()) return kCUDA;
  const auto d = to_device(o.ptr());
  if (!d || !d->is_cuda()) {
    detail::fail<ValueError>(std::string("[") + op + "] expected a CUDA device, got " +
                             nb::str(o).c_str());
  }
  return *d;
}

Device fft_device(nb::handle o) {
  const auto d = to_device(o.ptr());
  if (!d) detail::fail<TypeError>("[fft.provider] expected a device, got " + type_name(o.ptr()));
  return *d;
}

const Tensor& tensor_argument(nb::handle o, const char* name) {
  TANDEM_EXPECTS(is_tensor(o.ptr()), TypeError,
                 std::string("[signal.choose_conv_method] argument '") + name +
                     "': expected a tensor, got " + type_name(o.ptr()));
  return as_tensor(o.ptr());
}

std::string choose_conv_method(nb::handle in1, nb::handle in2, nb::handle mode) {
  const Tensor& a = tensor_argument(in1, "in1");
  const Tensor& b = tensor_argument(in2, "in2");
  TANDEM_EXPECTS(
      PyUnicode_Check(mode.ptr()) != 0, TypeError,
      "[signal.choose_conv_method] argument 'mode': expected a str, got " + type_name(mode.ptr()));
  return signal::choose_conv_method(a, b, nb::cast<std::string>(mode));
}

std::int64_t next_fast_len(nb::handle target, nb::handle real) {
  const auto n = to_int(target.ptr());
  TANDEM_EXPECTS(
      n.has_value(), TypeError,
      "[fft.next_fast_len] argument 'target': expected an int, got " + type_name(target.ptr()));
  const int is_real = PyObject_IsTrue(real.ptr());
  if (is_real < 0) throw nb::python_error();
  return fft::next_fast_len(*n, is_real == 1);
}

void init_settings(nb::module_& m) {
  m.def(
      "set_num_threads",
      [](nb::handle n) {
        const auto count = PyBool_Check(n.ptr()) ? std::nullopt : to_int(n.ptr());
        TANDEM_EXPECTS(
            count.has_value(), TypeError,
            "[set_num_threads] set_num_threads expects an int, but got " + type_name(n.ptr()));
        TANDEM_EXPECTS(*count > 0 && *count <= 65536, ValueError,
                       "[set_num_threads] set_num_threads expects a positive integer, got " +
                           std::to_string(*count));
        set_num_threads(static_cast<int>(*count));
      },
      nb::arg("n"),
      R"(Threads that host ops may use; never changes a result. ValueError unless from 1 to 65536.

>>> before = tandem.get_num_threads()
>>> tandem.set_num_threads(1)
>>> tandem.get_num_threads()
1
>>> tandem.set_num_threads(before))");
  m.def("get_num_threads", &get_num_threads,
        R"(Threads that host ops may use.

>>> tandem.get_num_threads() >= 1
True)");
  m.def(
      "is_exact", &is_exact,
      R"(Whether this thread is in exact mode: products and transforms by Tandem's own kernels, the same bits
on every device.

>>> with tandem.exact():
...     tandem.is_exact()
True)");
  m.def("set_exact", &set_exact, nb::arg("on"),
        R"(Exact mode of this thread, on or off; `exact()` sets it for a block.

>>> tandem.set_exact(True)
>>> tandem.is_exact()
True
>>> tandem.set_exact(False))");
  m.def("_fft_provider", [](nb::handle d) { return fft::provider(fft_device(d)); });
  m.def("_fft_provider_reason", [](nb::handle d) { return fft::provider_reason(fft_device(d)); });
  m.def("_fft_set_provider", &fft::set_provider);
  m.def("_fft_set_planning", &fft::set_planning);
  m.def("_fft_planning", &fft::planning);
  m.def("_fft_next_fast_len", &next_fast_len, nb::arg("target").none(), nb::arg("real").none());
  m.def("_choose_conv_method", &choose_conv_method, nb::arg("in1").none(), nb::arg("in2").none(),
        nb::arg("mode").none());
  nb::class_<fft::ProviderGuard>(m, "_FftProviderGuard").def(nb::init<const std::string&>());
  m.def("_allow_tf32", &allow_tf32);
  m.def("_set_allow_tf32", &set_allow_tf32, nb::arg("on"));
  m.def(
      "set_default_dtype",
      [](nb::handle t) { set_default_dtype(dtype_argument(t, "set_default_dtype")); }, nb::arg("d"),
      R"(The dtype of Python floats in tensor() and of results of float functions of integers. TypeError for
what is no float dtype.

>>> tandem.set_default_dtype(tandem.float64)
>>> tandem.tensor([1.5]).dtype
tandem.float64
>>> tandem.set_default_dtype(tandem.float32))");
  m.def(
      "get_default_dtype", [] { return nb::steal(dtype_object(default_dtype())); },
      R"(The dtype that set_default_dtype set; float32 at the start.

>>> tandem.get_default_dtype()
tandem.float32)");
}

void init_promotion(nb::module_& m) {
  m.def(
      "promote_types",
      [](nb::handle a, nb::handle b) {
        return nb::steal(dtype_object(
            promote_types(dtype_argument(a, "promote_types"), dtype_argument(b, "promote_types"))));
      },
      nb::arg("type1"), nb::arg("type2"),
      R"(The dtype that both can be cast to. TypeError for what is no dtype.

>>> tandem.promote_types(tandem.int32, tandem.float16)
tandem.float16)");
}

/// Questions about two tensors; both wait for the device.
void init_questions() {
  const auto unlocked = [](auto&& f) {
    const nb::gil_scoped_release release;
    return f();
  };
  define(make_function("equal", "x: Tensor, other: Tensor",
                       "Whether shapes and all elements are equal; NaN differs from itself.",
                       [unlocked](Call& c) {
                         return PyBool_FromLong(
                             unlocked([&] { return equal(c.tensor(0), c.tensor(1)); }));
                       }),
         kModule | kMethod);
  define(
      make_function(
          "allclose",
          "x: Tensor, other: Tensor, rtol: float=1e-05, atol: float=1e-08, equal_nan: bool=False",
          "Whether |x - other| <= atol + rtol * |other| everywhere.",
          [unlocked](Call& c) {
            const auto number = [&](std::size_t i, double fallback) {
              return c.given(i) ? c.values[i].as<Scalar>().to_double() : fallback;
            };
            const double rtol = number(2, 1e-5);
            const double atol = number(3, 1e-8);
            const bool equal_nan = c.given(4) && c.values[4].as<Scalar>().to_bool();
            return PyBool_FromLong(unlocked(
                [&] { return allclose(c.tensor(0), c.tensor(1), rtol, atol, equal_nan); }));
          }),
      kModule | kMethod);
}

void init_devices(nb::module_& m) {
  m.def("_cuda_is_available", [] { return is_available(DeviceKind::CUDA); });
  m.def("_cuda_device_count", [] { return device_count(DeviceKind::CUDA); });
  m.def("_cuda_status", [] { return device_status(DeviceKind::CUDA); });
  m.def(
      "_cuda_synchronize",
      [](nb::handle device) {
        const Device d = cuda_device(device, "synchronize");
        const nb::gil_scoped_release release;
        synchronize(d);
      },
      nb::arg("device").none());
}

}  // namespace

void init_runtime(nb::module_& m) {
  init_settings(m);
  init_promotion(m);
  init_questions();
  init_devices(m);
}

}  // namespace tandem::python
