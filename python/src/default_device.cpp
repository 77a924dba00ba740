// The device on which functions that make tensors put them where none is named: of this thread, as
// in PyTorch. set_default_device(), and `with tandem.device('cuda'):`.
#include <nanobind/nanobind.h>

#include <optional>
#include <vector>

#include "convert.h"
#include "function.h"

namespace tandem::python {
namespace {

thread_local std::optional<Device> chosen;
/// Those that the blocks which are open replaced. A pointer: a module has little thread storage.
thread_local std::vector<std::optional<Device>>* replaced = nullptr;

}  // namespace

std::optional<Device> default_device() { return chosen; }

void init_default_device(nb::module_& m) {
  m.def(
      "set_default_device",
      [](nb::handle o) {
        if (o.is_none()) {
          chosen.reset();
          return;
        }
        const auto d = to_device(o.ptr());
        TANDEM_EXPECTS(
            d.has_value(), TypeError,
            "[set_default_device] expected a device, its name or None, got " + type_name(o.ptr()));
        if (d->is_cuda()) (void)current_device(DeviceKind::CUDA);  // raises where there is none
        chosen = *d;
      },
      nb::arg("device").none(),
      R"(The device of tensors made by functions that are given none (zeros, rand, tensor, ...), in this thread; None: the CPU. Raises DeviceError for a device that cannot be used.

>>> tandem.set_default_device('meta')
>>> tandem.zeros(2).device
device(type='meta')
>>> tandem.set_default_device(None))");
  m.def(
      "get_default_device", [] { return chosen.value_or(kCPU); },
      R"(The device that set_default_device() or `with device:` set in this thread.

>>> with tandem.device('meta'):
...     tandem.get_default_device()
device(type='meta'))");
  const nb::handle cls(reinterpret_cast<PyObject*>(types.device));
  nb::setattr(cls, "__enter__",
              nb::cpp_function(
                  [](nb::object self) {
                    if (replaced == nullptr) replaced = new std::vector<std::optional<Device>>;
                    replaced->push_back(chosen);
                    chosen = as_device(self.ptr());
                    return self;
                  },
                  nb::is_method(), nb::scope(cls), nb::name("__enter__")));
  nb::setattr(cls, "__exit__",
              nb::cpp_function(
                  [](nb::handle, const nb::args&) {
                    if (replaced == nullptr || replaced->empty()) return;
                    chosen = replaced->back();
                    replaced->pop_back();
                  },
                  nb::is_method(), nb::scope(cls), nb::name("__exit__")));
}

}  // namespace tandem::python
