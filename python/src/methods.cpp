// Methods and functions whose call forms in Python a schema cannot say: to(), casts by name,
// size(), view() with a dtype, and the overloads of max() and min().
#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "convert.h"
#include "errors.h"
#include "function.h"
#include "tandem/ops.h"
#include "tandem/pointwise.h"

namespace tandem::python {
namespace {

/// The tensor's own object where nothing changed.
PyObject* same_or_new(Call& c, const Tensor& out) {
  if (is_tensor(c.objects[0]) && out.body_ptr() == c.tensor(0).body_ptr()) {
    return Py_NewRef(c.objects[0]);
  }
  return wrap(out);
}

struct Target {
  std::optional<Device> device;
  std::optional<DType> dtype;
  bool non_blocking = false;
  bool copy = false;
};

PyObject* move(Call& c, const Target& to) {
  const Tensor t = c.tensor(0);
  const auto run = [&] { return t.to(to.device, to.dtype, to.non_blocking, to.copy); };
  if (t.numel() < 4096 && t.device().is_cpu() && (!to.device || to.device->is_cpu())) {
    return same_or_new(c, run());
  }
  Tensor out;
  {
    const nb::gil_scoped_release release;
    out = run();
  }
  return same_or_new(c, out);
}

/// to(dtype), to(device), to(device, dtype), to(other), each with non_blocking and copy.
PyObject* to_method(Call& c) {
  Target to;
  if (c.given(5)) to.device = c.values[5].as<Device>();
  if (c.given(6)) to.dtype = c.values[6].as<DType>();
  int flags = 0;
  for (std::size_t i = 1; i <= 4; ++i) {
    if (!c.given(i)) continue;
    PyObject* o = c.objects[i];
    if (is_tensor(o)) {
      to.device = as_tensor(o).device();
      to.dtype = as_tensor(o).dtype();
    } else if (PyBool_Check(o)) {
      (flags++ == 0 ? to.non_blocking : to.copy) = o == Py_True;
    } else if (const auto dtype = to_dtype(o)) {
      to.dtype = dtype;
    } else if (const auto device = to_device(o)) {
      to.device = device;
    } else {
      detail::fail<TypeError>("[to] expected a dtype, a device or a tensor, got " + type_name(o));
    }
  }
  if (c.given(7)) to.non_blocking = c.values[7].as<Scalar>().to_bool();
  if (c.given(8)) to.copy = c.values[8].as<Scalar>().to_bool();
  return move(c, to);
}

/// type(), type(dtype)
PyObject* type_method(Call& c) {
  if (c.given(1)) return move(c, {std::nullopt, c.values[1].as<DType>()});
  const Tensor& t = c.tensor(0);
  const std::string kind =
      t.device().is_cpu() ? "" : t.device().str().substr(0, t.device().str().find(':')) + ".";
  const std::string text = "tandem." + kind + std::string(info(t.dtype()).title) + "Tensor";
  return steal(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())))
      .release()
      .ptr();
}

/// .double(), .short(), .byte(), ...: a cast under each short name of each dtype.
void define_casts() {
  for (int i = 0; i < kNumDTypes; ++i) {
    const auto t = static_cast<DType>(i);
    std::string title(info(t).title);
    std::transform(title.begin(), title.end(), title.begin(),
                   [](unsigned char ch) { return std::tolower(ch); });
    for (const std::string& word : std::set<std::string>{title, std::string(info(t).alias)}) {
      if (word.empty()) continue;
      define(make_function(word, "x: Tensor", "The tensor as " + std::string(name(t)) + ".",
                           [t](Call& c) {
                             return move(c, {std::nullopt, t});
                           }),
             kMethod);
    }
  }
}

void define_moves() {
  define(make_function(
             "to",
             "x: Tensor, a: object=None, b: object=None, c: object=None, d: object=None, *, "
             "device: device?=None, dtype: dtype?=None, non_blocking: bool=False, copy: bool=False",
             "The tensor on a device and of a dtype: to(dtype), to(device), to(device, dtype), "
             "to(other). Itself where nothing changes.",
             to_method),
         kMethod);
  define(make_function("cpu", "x: Tensor", "The tensor in host memory; itself where it is there.",
                       [](Call& c) {
                         return move(c, {kCPU, std::nullopt});
                       }),
         kMethod);
  define(make_function("cuda", "x: Tensor, device: device?=None, non_blocking: bool=False",
                       "The tensor on a CUDA device.",
                       [](Call& c) {
                         Target to{kCUDA, std::nullopt};
                         if (c.given(1)) to.device = c.values[1].as<Device>();
                         if (c.given(2)) to.non_blocking = c.values[2].as<Scalar>().to_bool();
                         return move(c, to);
                       }),
         kMethod);
  define(make_function("type", "x: Tensor, dtype: dtype?=None",
                       "The tensor as a dtype; its type's name.", type_method),
         kMethod);
  define_casts();
}

Axis axis_at(const Call& c, std::size_t i) { return *to_axis(c.objects[i]); }

void define_sizes() {
  define(make_function(
             "size", "x: Tensor, dim: axis?=None", "The shape, or one size of it.",
             [](Call& c) {
               if (!c.given(1)) return size_object(c.tensor(0).shape());
               return steal(PyLong_FromLongLong(c.tensor(0).size(axis_at(c, 1)))).release().ptr();
             }),
         kMethod);
  define(make_function(
             "stride", "x: Tensor, dim: axis?=None", "The strides in elements, or one of them.",
             [](Call& c) {
               if (!c.given(1)) return int_tuple(c.tensor(0).strides());
               return steal(PyLong_FromLongLong(c.tensor(0).stride(axis_at(c, 1)))).release().ptr();
             }),
         kMethod);
  define(make_function("numel", "x: Tensor", "Number of elements.",
                       [](Call& c) {
                         return steal(PyLong_FromLongLong(c.tensor(0).numel())).release().ptr();
                       }),
         kModule);
}

void define_views() {
  define(make_function("view", "x: Tensor, shape: shape=None, *, dtype: dtype?=None",
                       "The same elements in another shape, or the same bytes as another dtype.",
                       [](Call& c) {
                         TANDEM_EXPECTS(c.given(1) != c.given(2), TypeError,
                                        "[view] expected a shape or a dtype");
                         const Value& dtype = c.values[c.given(1) ? 1 : 2];
                         if (dtype.is<DType>()) return wrap(c.tensor(0).view_as(dtype.as<DType>()));
                         return wrap(c.tensor(0).view(c.values[1].as<Dims>()));
                       }),
         kMethod);
  const auto like = [](Tensor (Tensor::*view)(IntSpan) const) {
    return [view](Call& c) { return wrap((c.tensor(0).*view)(c.tensor(1).shape())); };
  };
  define(make_function("view_as", "x: Tensor, other: Tensor",
                       "view() in the shape of another tensor.", like(&Tensor::view)),
         kMethod);
  define(make_function("reshape_as", "x: Tensor, other: Tensor",
                       "reshape() to the shape of another tensor.", like(&Tensor::reshape)),
         kMethod);
  define(make_function("expand_as", "x: Tensor, other: Tensor",
                       "expand() to the shape of another tensor.", like(&Tensor::expand)),
         kMethod);
}

/// max(x), max(x, dim) are one row; max(x, other) with a tensor is another.
void define_overload(const char* name, Tensor (*binary)(const Arg&, const Arg&),
                     Tensor& (*into)(Tensor&, const Arg&, const Arg&)) {
  if (!nb::hasattr(nb::handle(module_object), name)) return;
  const nb::object row = nb::getattr(nb::handle(module_object), name);
  PyObject* plain = nb::object(row).release().ptr();
  PyObject* out_keyword = nb::make_tuple("out").release().ptr();
  Function f = make_function(
      name, "x: Tensor, dim: object=None, keepdim: object=None",
      std::string(find_op(name)->doc) + "; with a tensor as the second argument element by element",
      [plain, out_keyword, binary, into](Call& c) {
        if (c.given(1) && is_tensor(c.objects[1]) && (c.out == nullptr || is_tensor(c.out))) {
          const Tensor& other = as_tensor(c.objects[1]);
          if (c.out == nullptr) return wrap(binary(c.tensor(0), other));
          into(as_tensor(c.out), c.tensor(0), other);
          return Py_NewRef(c.out);
        }
        std::size_t n = 1;
        if (c.objects[1] != nullptr) n = 2;
        if (c.objects[2] != nullptr) n = 3;
        PyObject* args[4] = {c.objects[0], c.given(1) ? c.objects[1] : Py_None, c.objects[2]};
        args[n] = c.out;
        PyObject* keywords = c.out == nullptr ? nullptr : out_keyword;
        return steal(PyObject_Vectorcall(plain, args, n, keywords)).release().ptr();
      });
  f.n_out = 2;
  define(std::move(f), kModule | kMethod);
}

/// var and std, and these with the mean, also take `unbiased`, the older word for correction:
/// var(unbiased), var(dim, unbiased, keepdim).
void define_spread(const char* name) {
  const OpRow* row = find_op(name);
  if (row == nullptr) return;
  Function f = make_function(
      name,
      "x: Tensor, dim: object=None, unbiased: bool=None, keepdim: bool=False, *, "
      "correction: float=None",
      row->doc, [row](Call& c) {
        const auto optional = [&](std::size_t i) { return c.given(i) ? c.values[i] : Value(); };
        Value unbiased = optional(2);
        Value axes;
        if (c.given(1) && PyBool_Check(c.objects[1])) {
          unbiased = Value(Scalar(c.objects[1] == Py_True));
        } else if (c.given(1)) {
          const auto given = to_value(c.objects[1], Accepts::Axes);
          if (!given) {
            detail::fail<TypeError>(std::string("[") + row->name + "] expected dim to be " +
                                    accepted(Accepts::Axes) + ", got " + type_name(c.objects[1]));
          }
          axes = *given;
        }
        Value correction = optional(4);
        if (correction.is_none() && !unbiased.is_none()) {
          correction = Value(Scalar(unbiased.as<Scalar>().to_bool() ? 1.0 : 0.0));
        }
        const Value args[] = {Value(c.tensor(0)), axes, correction, optional(3)};
        const std::vector<Value> made = call_boxed(*row, args);
        if (c.out != nullptr) {
          write_results(*row, made, c.out);
          return Py_NewRef(c.out);
        }
        if (made.size() == 1) return from_value(made[0]);
        return steal(PyTuple_Pack(2, steal(from_value(made[0])).ptr(),
                                  steal(from_value(made[1])).ptr()))
            .release()
            .ptr();
      });
  f.n_out = std::max<std::size_t>(schema_of(*row).results.size(), 1);
  define(std::move(f), kModule | kMethod);
}

/// t.real and t.imag read as views and are written by copies, as in PyTorch and NumPy.
void define_part(const char* name, const char* doc, Tensor (*part)(const Tensor&)) {
  const nb::handle cls(reinterpret_cast<PyObject*>(types.tensor));
  const nb::object get = nb::getattr(nb::handle(module_object), name);
  const nb::object set =
      function_object(make_function(name, "x: Tensor, value: Arg", "", [part](Call& c) {
        const Value& value = c.values[1];
        Tensor target = part(c.tensor(0));
        if (value.is<Tensor>()) {
          target.copy_(value.as<Tensor>());
        } else {
          target.fill_(value.as<Scalar>());
        }
        return Py_NewRef(Py_None);
      }));
  const nb::handle property(reinterpret_cast<PyObject*>(&PyProperty_Type));
  nb::setattr(cls, name, property(get, set, nb::none(), doc));
}

void define_parts() {
  define_part("real", R"(The real parts, a view; the tensor itself where it is real. Can be set.

>>> x = tandem.tensor([1 + 2j])
>>> x.real = 5
>>> x
tensor([5.+2.j]))",
              &tandem::real);
  define_part("imag",
              R"(The imaginary parts, a view; can be set. TypeError for a real tensor.

>>> tandem.tensor([1 + 2j]).imag
tensor([2.]))",
              &tandem::imag);
}

PyObject* assign_zero(Call& c) {
  c.written("zero_").zero_();
  return Py_NewRef(c.objects[0]);
}

PyObject* assign_value(Call& c) {
  c.written("fill_").fill_(c.values[1].as<Scalar>());
  return Py_NewRef(c.objects[0]);
}

}  // namespace

void init_methods() {
  define_moves();
  define_sizes();
  define_views();
  define_parts();
  define_overload("max", &tandem::maximum, &tandem::maximum_out);
  define_overload("min", &tandem::minimum, &tandem::minimum_out);
  define_spread("var");
  define_spread("std");
  define_spread("var_mean");
  define_spread("std_mean");
  define(make_function("zero_", "x: Tensor", "Sets every element to 0.", assign_zero), kMethod);
  define(make_function("fill_", "x: Tensor, value: Scalar", "Sets every element to the value.",
                       assign_value),
         kMethod);
  // As a method, the tensor is the second operand: t.where(condition, other).
  define(make_function("where", "self: Tensor, condition: Tensor, other: Arg",
                       "The tensor's elements where the condition holds, the other's elsewhere.",
                       [](Call& c) {
                         const Value& other = c.values[2];
                         return wrap(where(c.tensor(1), c.tensor(0),
                                           other.is<Tensor>() ? Arg(other.as<Tensor>())
                                                              : Arg(other.as<Scalar>())));
                       }),
         kMethod);
  define(make_function("detach", "x: Tensor", "A view of the same elements.",
                       [](Call& c) { return wrap(c.tensor(0).alias()); }),
         kMethod);
}

}  // namespace tandem::python
