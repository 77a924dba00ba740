// class Tensor: its properties and Python's protocols. Ops and their methods come from the table.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <vector>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "function.h"
#include "tandem/movement.h"

namespace tandem::python {
namespace {

using Self = const Tensor&;

nb::object new_object(PyObject* o) { return nb::steal(o); }

/// The one element as a Python number.
nb::object item(Self t) { return new_object(wrap(t.item())); }

/// float(t), int(t), ...: PyTorch's message.
nb::object only_element(Self t) {
  TANDEM_EXPECTS(t.numel() == 1, ValueError,
                 "only one element tensors can be converted to Python scalars");
  return item(t);
}

bool truth(Self t) {
  TANDEM_EXPECTS(t.numel() != 0, ShapeError, "Boolean value of Tensor with no values is ambiguous");
  TANDEM_EXPECTS(t.numel() == 1, ShapeError,
                 "Boolean value of Tensor with more than one value is ambiguous");
  return t.item().to_bool();
}

nb::object index_number(Self t) {
  TANDEM_EXPECTS(t.dim() == 0 && (is_integer(t.dtype()) || t.dtype() == DType::bool_), TypeError,
                 "only integer tensors of a single element can be converted to an index");
  return steal(PyNumber_Long(item(t).ptr()));
}

std::int64_t length(Self t) {
  TANDEM_EXPECTS(t.dim() > 0, TypeError, "len() of a 0-d tensor");
  return t.shape()[0];
}

nb::object iterator(Self t) {
  TANDEM_EXPECTS(t.dim() > 0, TypeError, "iteration over a 0-d tensor");
  const nb::object rows = new_object(from_value(Value(t.unbind(0))));
  return steal(PyObject_GetIter(rows.ptr()));
}

nb::object format(Self t, const nb::str& spec) {
  if (t.dim() == 0 && !t.is_meta()) {
    return steal(PyObject_Format(item(t).ptr(), spec.ptr()));
  }
  TANDEM_EXPECTS(nb::len(spec) == 0, TypeError,
                 "unsupported format string passed to Tensor.__format__");
  return nb::str(t.str().c_str());
}

bool contains(Self t, nb::handle element) {
  const auto v = to_value(element.ptr(), Accepts::Arg);
  TANDEM_EXPECTS(
      v.has_value(), TypeError,
      "[Tensor.__contains__] expected a tensor or a number, got " + type_name(element.ptr()));
  const Tensor same = v->is<Tensor>() ? t.eq(v->as<Tensor>()) : t.eq(v->as<Scalar>());
  return same.any().item().to_bool();
}

nb::object names_tuple(Self t) {
  nb::list names;
  const Names all = t.names();
  for (std::int64_t i = 0; i < t.dim(); ++i) {
    names.append(new_object(wrap(all.empty() ? Name() : all[static_cast<std::size_t>(i)])));
  }
  return nb::tuple(names);
}

void set_names(Tensor& t, nb::handle names) {
  if (names.is_none()) {
    t.rename_({});
    return;
  }
  const auto texts = to_names(names.ptr());
  TANDEM_EXPECTS(texts.has_value(), TypeError,
                 "[names] expected a list of names (str or None), got " + type_name(names.ptr()));
  t.rename_(names_from(*texts));
}

/// An attribute that is read in every loop: a C descriptor costs a third of a property.
template <auto get>
PyObject* attribute(PyObject* self, void*) {
  return guarded([&] { return get(as_tensor(self)); });
}
PyObject* shape(Self t) { return size_object(t.shape()); }
PyObject* dtype(Self t) { return dtype_object(t.dtype()); }
PyObject* ndim(Self t) { return PyLong_FromLongLong(t.dim()); }

PyGetSetDef attributes[] = {{"shape", attribute<shape>, nullptr, R"(The sizes, as a Size.

>>> tandem.zeros(2, 3).shape
tandem.Size([2, 3]))",
                             nullptr},
                            {"dtype", attribute<dtype>, nullptr, R"(The type of the elements.

>>> tandem.zeros(2).dtype
tandem.float32)",
                             nullptr},
                            {"ndim", attribute<ndim>, nullptr, R"(Number of dimensions.

>>> tandem.zeros(2, 3).ndim
2)",
                             nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};

/// Set straight into the type: __getitem__ in Python would cost a call more.
std::vector<PyType_Slot> type_slots() {
  std::vector<PyType_Slot> slots = {{Py_tp_getset, attributes}};
  for (const PyType_Slot* more : {indexing_slots, buffer_slots}) {
    for (; more->slot != 0; ++more) slots.push_back(*more);
  }
  slots.push_back({0, nullptr});
  return slots;
}

void init_properties(nb::class_<Tensor>& cls) {
  cls.def_prop_ro(
      "device", [](Self t) { return t.device(); },
      R"(Where the elements are, a tandem.device.

>>> tandem.zeros(2).device
device(type='cpu'))");
  cls.def_prop_rw(
      "names", &names_tuple, &set_names, nb::for_setter(nb::arg("names").none()),
      R"(The dimensions' names, None where one has none; can be set. ShapeError for a wrong number of them,
TypeError for what is no list of str and None.

>>> x = tandem.zeros(2, 3, names=('row', 'col'))
>>> x.names = ('y', 'x')
>>> x.names
('y', 'x'))");
  cls.def_prop_ro(
      "itemsize", [](Self t) { return t.element_size(); },
      R"(Bytes an element.

>>> tandem.zeros(2, dtype=tandem.float64).itemsize
8)");
  cls.def_prop_ro(
      "nbytes", [](Self t) { return t.nbytes(); },
      R"(Bytes of all elements, numel() * itemsize.

>>> tandem.zeros(2, 3).nbytes
24)");
  cls.def_prop_ro(
      "is_cuda", [](Self t) { return t.device().is_cuda(); },
      R"(Whether the elements are on a CUDA device.

>>> tandem.zeros(2).is_cuda
False)");
  // PyTorch's `device` says for which kind memory is pinned; here there is one.
  cls.def(
      "is_pinned", [](Self t, nb::handle) { return t.is_pinned(); }, nb::arg("device") = nb::none(),
      R"(Whether the elements are in pinned memory of the host. PyTorch's `device` changes nothing.

>>> tandem.zeros(2).is_pinned()
False)");
  cls.def(
      "pin_memory",
      [](Self t, nb::handle) {
        const nb::gil_scoped_release release;
        return t.pin_memory();
      },
      nb::arg("device") = nb::none(),
      R"(The same elements in pinned memory of the host, which devices copy from and to directly; the tensor
itself if it is there already. DeviceError where there is no CUDA device.

>>> if tandem.cuda.is_available():
...     assert tandem.zeros(2).pin_memory().is_pinned())");
  cls.def_prop_ro(
      "is_cpu", [](Self t) { return t.device().is_cpu(); },
      R"(Whether the elements are in memory of the host.

>>> tandem.zeros(2).is_cpu
True)");
  cls.def_prop_ro(
      "is_meta", [](Self t) { return t.is_meta(); },
      R"(Whether the tensor has a shape and a dtype but no elements.

>>> tandem.zeros(2, device='meta').is_meta
True)");
  cls.def_prop_ro(
      "requires_grad", [](Self) { return false; },
      R"(False: Tandem records no gradients.

>>> tandem.zeros(2).requires_grad
False)");
  cls.def_prop_ro("__cuda_array_interface__", &cuda_interface);
  cls.def_prop_ro("_base", [](Self t) -> std::optional<Tensor> {
    Tensor base = t.base();
    if (!base.defined()) return std::nullopt;
    return base;
  });
  // .T of a matrix, .mT of a stack of them.
  cls.def_prop_ro(
      "T",
      [](Self t) {
        SmallVector<Axis, 6> order;
        for (std::int64_t i = t.dim(); i-- > 0;) order.push_back(Axis(i));
        return order.empty() ? t.alias() : t.permute(order);
      },
      R"(The dimensions in reverse order, as a view: [n, m] -> [m, n].

>>> tandem.tensor([[1, 2], [3, 4]]).T
tensor([[1, 3],
        [2, 4]]))");
  cls.def_prop_ro(
      "mT", [](Self t) { return matrix_transpose(t); },
      R"(The last two dimensions swapped, as a view: [..., n, m] -> [..., m, n]. ShapeError for fewer than two.

>>> tandem.zeros(5, 2, 3).mT.shape
tandem.Size([5, 3, 2]))");
  // The same, conjugated.
  cls.def_prop_ro(
      "mH", [](Self t) { return adjoint(t); },
      R"(The last two dimensions swapped and conjugated: [..., n, m] -> [..., m, n]. ShapeError for fewer than
two.

>>> tandem.tensor([[1j, 2]]).mH
tensor([[0.-1.j],
        [2.-0.j]]))");
  cls.def_prop_ro(
      "H",
      [](Self t) {
        TANDEM_EXPECTS(t.dim() == 0 || t.dim() == 2, ShapeError,
                       "tensor.H is only supported on matrices (2-D tensors). Got " +
                           std::to_string(t.dim()) + "-D tensor.");
        return t.dim() == 0 ? t.alias() : adjoint(t);
      },
      R"(A matrix transposed and conjugated: [n, m] -> [m, n]. ShapeError for other than two dimensions or none.

>>> tandem.tensor([[1j, 2]]).H
tensor([[0.-1.j],
        [2.-0.j]]))");
}

void init_queries(nb::class_<Tensor>& cls) {
  cls.def(
      "dim", [](Self t) { return t.dim(); },
      R"(Number of dimensions.

>>> tandem.zeros(2, 3).dim()
2)");
  cls.def(
      "ndimension", [](Self t) { return t.dim(); },
      R"(Number of dimensions; dim() by another name.

>>> tandem.zeros(2, 3).ndimension()
2)");
  cls.def(
      "numel", [](Self t) { return t.numel(); },
      R"(Number of elements.

>>> tandem.zeros(2, 3).numel()
6)");
  cls.def(
      "nelement", [](Self t) { return t.numel(); },
      R"(Number of elements; numel() by another name.

>>> tandem.zeros(2, 3).nelement()
6)");
  cls.def(
      "element_size", [](Self t) { return t.element_size(); },
      R"(Bytes an element.

>>> tandem.zeros(2).element_size()
4)");
  cls.def(
      "storage_offset", [](Self t) { return t.storage_offset(); },
      R"(Elements of the storage before the tensor's first one.

>>> tandem.arange(5)[2:].storage_offset()
2)");
  cls.def(
      "data_ptr", [](Self t) { return reinterpret_cast<std::uintptr_t>(t.data_ptr()); },
      R"(Address of the first element, of host or device memory; 0 without memory.

>>> x = tandem.zeros(2, 3)
>>> x[1].data_ptr() - x.data_ptr()
12)");
  cls.def(
      "is_contiguous",
      [](Self t, const nb::object& memory_format) {
        TANDEM_EXPECTS(memory_format.is_none(), NotImplemented,
                       "[is_contiguous] expected memory_format to be None: row-major is the one");
        return t.is_contiguous();
      },
      nb::arg("memory_format") = nb::none(),
      R"(Whether the elements lie dense in row-major order. NotImplementedError for a memory_format: there is
this one.

>>> x = tandem.zeros(2, 3)
>>> x.is_contiguous(), x.t().is_contiguous()
(True, False))");
  cls.def(
      "has_names", [](Self t) { return t.has_names(); },
      R"(Whether some dimension has a name.

>>> tandem.zeros(2, names=('x',)).has_names()
True)");
  cls.def(
      "is_floating_point", [](Self t) { return is_float(t.dtype()); },
      R"(Whether the dtype is a real float.

>>> tandem.tensor([1.0]).is_floating_point()
True)");
  cls.def(
      "is_complex", [](Self t) { return is_complex(t.dtype()); },
      R"(Whether the dtype is complex.

>>> tandem.tensor([1j]).is_complex()
True)");
  cls.def(
      "is_signed", [](Self t) { return info(t.dtype()).is_signed; },
      R"(Whether the dtype has negative numbers.

>>> tandem.tensor([1], dtype=tandem.uint8).is_signed()
False)");
  cls.def(
      "is_same_size",
      [](Self t, Self o) {
        return std::equal(t.shape().begin(), t.shape().end(), o.shape().begin(), o.shape().end());
      },
      nb::arg("other"),
      R"(Whether the other tensor has the same shape.

>>> tandem.zeros(2, 3).is_same_size(tandem.ones(2, 3))
True)");
  cls.def(
      "is_shared_storage", [](Self t, Self o) { return t.shares_storage(o); },
      R"(Whether the other tensor views the same storage.

>>> x = tandem.zeros(2, 3)
>>> x.is_shared_storage(x.t())
True)");
  cls.def(
      "item", &item,
      R"(The only element as a Python number; waits for the device. ValueError unless there is one element.

>>> tandem.tensor([[2.5]]).item()
2.5)");
  cls.def(
      "tolist", [](Self t) { return new_object(nested_list(t)); },
      R"(The elements as nested lists of Python numbers, a number where there is no dimension; waits for the
device.

>>> tandem.tensor([[1, 2], [3, 4]]).tolist()
[[1, 2], [3, 4]])");
}

void init_protocol(nb::class_<Tensor>& cls) {
  cls.def("__repr__", &Tensor::str);
  cls.def("__str__", &Tensor::str);
  cls.def("__format__", &format);
  cls.def("__len__", &length);
  cls.def("__iter__", &iterator);
  cls.def("__contains__", &contains);
  cls.def("__bool__", &truth);
  cls.def("__float__", [](Self t) { return steal(PyNumber_Float(only_element(t).ptr())); });
  cls.def("__int__", [](Self t) { return steal(PyNumber_Long(only_element(t).ptr())); });
  cls.def("__complex__", [](Self t) {
    return steal(
        PyObject_CallOneArg(reinterpret_cast<PyObject*>(&PyComplex_Type), only_element(t).ptr()));
  });
  cls.def("__index__", &index_number);
  cls.def("__pos__", [](nb::object self) { return self; });
  cls.def("__copy__", [](Self t) { return t.alias(); });
  cls.def("__deepcopy__", [](Self t, nb::handle) { return t.clone(); });
}

}  // namespace

void init_tensor(nb::module_& m) {
  const std::vector<PyType_Slot> slots = type_slots();
  auto cls = nb::class_<Tensor>(
      m, "Tensor", nb::is_weak_referenceable(), nb::dynamic_attr(), nb::type_slots(slots.data()),
      R"(A typed, strided, optionally named view of a storage. Made by tandem.tensor and other functions; what it can do is
what the functions of tandem can, as methods, in place with a name that ends in _, and as operators.

>>> x = tandem.tensor([[1.0, 2.0], [3.0, 4.0]])
>>> x[:, 1] += 10
>>> x.sum(dim=0)
tensor([ 4., 26.]))");
  types.tensor = reinterpret_cast<PyTypeObject*>(cls.ptr());
  cls.attr("__module__") = nb::handle(types.module_name);
  init_properties(cls);
  init_queries(cls);
  init_protocol(cls);
}

}  // namespace tandem::python
