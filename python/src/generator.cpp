// Generator and the default one.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cstring>
#include <string>

#include "convert.h"
#include "errors.h"
#include "tandem/random.h"

namespace tandem::python {
namespace {

/// As in PyTorch, negative seeds count from 2^64.
std::uint64_t seed_bits(nb::handle seed) {
  const std::optional<Scalar> number =
      PyBool_Check(seed.ptr()) ? std::nullopt : to_scalar(seed.ptr());
  TANDEM_EXPECTS(number.has_value() && number->is_integral(), TypeError,
                 "[manual_seed] expected an integer, got " + type_name(seed.ptr()));
  return number->to<std::uint64_t>();
}

std::uint64_t count_of(nb::handle o, const char* op) {
  const auto i = PyBool_Check(o.ptr()) ? std::nullopt : to_int(o.ptr());
  TANDEM_EXPECTS(i.has_value(), TypeError,
                 std::string("[") + op + "] expected an integer, got " + type_name(o.ptr()));
  TANDEM_EXPECTS(*i >= 0, ValueError,
                 std::string("[") + op + "] expected an integer >= 0, got " + std::to_string(*i));
  return static_cast<std::uint64_t>(*i);
}

nb::object same_device(const PyGenerator& g, Generator value) {
  return nb::cast(PyGenerator{std::move(value), g.device});
}

void init_class(nb::class_<PyGenerator>& cls) {
  cls.def(
      "__init__",
      [](PyGenerator* self, nb::object device) {
        const auto d = device.is_none() ? std::optional<Device>(kCPU) : to_device(device.ptr());
        TANDEM_EXPECTS(d.has_value(), TypeError,
                       "[Generator] expected a device, got " + type_name(device.ptr()));
        new (self) PyGenerator{Generator(), *d};
      },
      nb::arg("device") = nb::none(),
      "The numbers are the same on every device; `device` is for PyTorch's call form alone.");
  cls.def(
      "manual_seed",
      [](nb::object self, nb::handle seed) {
        as_generator(self.ptr()).manual_seed(seed_bits(seed));
        return self;
      },
      nb::arg("seed"),
      R"(Sets the seed, starts again, and gives the generator back. Negative seeds count from 2^64. TypeError
for what is no integer.

>>> g = tandem.Generator().manual_seed(7)
>>> x = tandem.rand(3, generator=g)
>>> x.equal(tandem.rand(3, generator=g.manual_seed(7)))
True)");
  cls.def(
      "seed", [](PyGenerator& g) { return g.value.seed(); },
      R"(Sets a seed from the system and gives it back.

>>> g = tandem.Generator()
>>> g.seed() == g.initial_seed()
True)");
  cls.def(
      "initial_seed", [](const PyGenerator& g) { return g.value.initial_seed(); },
      R"(The seed.

>>> tandem.Generator().manual_seed(7).initial_seed()
7)");
  cls.def(
      "get_state", [](const PyGenerator& g) { return nb::steal(wrap(g.value.get_state())); },
      R"(Seed, stream and count of calls, as a uint8 tensor for set_state.

>>> g = tandem.Generator().manual_seed(7)
>>> state = g.get_state()
>>> x = tandem.rand(3, generator=g)
>>> x.equal(tandem.rand(3, generator=g.set_state(state)))
True)");
  cls.def(
      "set_state",
      [](nb::object self, nb::handle state) {
        TANDEM_EXPECTS(is_tensor(state.ptr()), TypeError,
                       "[set_state] expected a tensor, got " + type_name(state.ptr()));
        as_generator(self.ptr()).set_state(as_tensor(state.ptr()));
        return self;
      },
      nb::arg("new_state"),
      R"(Puts the generator into a state that get_state gave, and gives it back. TypeError for what is no tensor,
ValueError for one that is no state.

>>> g = tandem.Generator().manual_seed(7)
>>> tandem.Generator().set_state(g.get_state()).initial_seed()
7)");
  cls.def(
      "clone_state", [](const PyGenerator& g) { return same_device(g, g.value.clone()); },
      R"(Another generator in the same state.

>>> g = tandem.Generator().manual_seed(7)
>>> h = g.clone_state()
>>> tandem.rand(3, generator=g).equal(tandem.rand(3, generator=h))
True)");
  cls.def(
      "clone", [](const PyGenerator& g) { return same_device(g, g.value.clone()); },
      R"(Another generator in the same state; clone_state by another name.

>>> tandem.Generator().manual_seed(7).clone().initial_seed()
7)");
  cls.def(
      "stream",
      [](const PyGenerator& g, nb::handle i) {
        return same_device(g, g.value.stream(count_of(i, "stream")));
      },
      nb::arg("i"),
      R"(The i-th stream of the same seed, from its start; no two streams ever meet. ValueError for i below 0.

>>> tandem.Generator().manual_seed(7).stream(3).stream_index
3)");
  cls.def_prop_ro(
      "stream_index", [](const PyGenerator& g) { return g.value.stream_index(); },
      R"(Which stream of the seed it is; 0 at the start.

>>> tandem.Generator().stream_index
0)");
  cls.def(
      "get_offset", [](const PyGenerator& g) { return g.value.offset(); },
      R"(How many calls took numbers from the generator since its seed was set.

>>> g = tandem.Generator().manual_seed(7)
>>> x = tandem.rand(3, generator=g)
>>> g.get_offset()
1)");
  cls.def(
      "set_offset",
      [](PyGenerator& g, nb::handle offset) { g.value.set_offset(count_of(offset, "set_offset")); },
      nb::arg("offset"),
      R"(Sets the count of calls, so that the numbers of a call come again. ValueError below 0.

>>> g = tandem.Generator().manual_seed(7)
>>> x = tandem.rand(3, generator=g)
>>> g.set_offset(0)
>>> x.equal(tandem.rand(3, generator=g))
True)");
  cls.def_prop_ro(
      "device", [](const PyGenerator& g) { return nb::steal(wrap(g.device)); },
      R"(The device it was made for; the numbers are the same on every one.

>>> tandem.Generator().device
device(type='cpu'))");
}

void init_pickle(nb::class_<PyGenerator>& cls) {
  cls.def("__getstate__", [](const PyGenerator& g) {
    const Tensor state = g.value.get_state();
    return nb::make_tuple(nb::bytes(state.data<std::uint8_t>(), state.nbytes()), g.device.str());
  });
  cls.def("__setstate__", [](PyGenerator& g, const nb::tuple& saved) {
    const nb::bytes bytes = nb::cast<nb::bytes>(saved[0]);
    Tensor state = empty({static_cast<std::int64_t>(bytes.size())}, {.dtype = DType::uint8});
    std::memcpy(state.data_ptr(), bytes.c_str(), bytes.size());
    Generator value;
    value.set_state(state);
    new (&g) PyGenerator{value, Device(nb::cast<std::string>(saved[1]))};
  });
}

}  // namespace

PyObject* wrap(Generator g) {
  return nb::cast(PyGenerator{std::move(g), Device(kCPU)}).release().ptr();
}

void init_generator(nb::module_& m) {
  nb::class_<PyGenerator> cls(
      m, "Generator",
      R"(Where random numbers come from: a seed, a count of calls and a stream. A function given a
generator takes the numbers of its next call, the same on every device; `device` is for PyTorch's call
form alone. TypeError for what is no device.

>>> g = tandem.Generator().manual_seed(7)
>>> x = tandem.rand(3, generator=g)
>>> x.equal(tandem.rand(3, generator=g.manual_seed(7)))
True)");
  types.generator = reinterpret_cast<PyTypeObject*>(cls.ptr());
  cls.attr("__module__") = nb::handle(types.module_name);
  init_class(cls);
  init_pickle(cls);
  m.attr("default_generator") = nb::cast(PyGenerator{default_generator(), Device(kCPU)});
}

}  // namespace tandem::python
