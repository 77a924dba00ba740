// Elements of tensors as Python objects: nested lists into a new tensor, and tolist().
#include "elements.h"

#include <cmath>
#include <limits>
#include <utility>

#include "convert.h"
#include "errors.h"
#include "tandem/check.h"
#include "tandem/stored.h"

namespace tandem::python {
namespace {

// Note [Nested lists]
// Two passes, both linear in the number of elements: the first finds the shape, checks that no list
// is ragged and collects the kinds of the leaves; the second writes the elements. Between them and
// within them foreign code may run (__index__ of some leaf) and change a list, so that each pass
// checks lengths and the second one writes nothing beyond its own row.

constexpr int kMaxDepth = 32;

bool is_sequence(PyObject* o) { return PyList_Check(o) || PyTuple_Check(o); }

/// What a leaf that is no plain Python number stands for: an array or tensor adds dimensions.
std::optional<Tensor> inner_tensor(PyObject* o) {
  if (is_tensor(o)) return as_tensor(o).cpu();
  if (is_numpy_array(o)) return tensor_of_array(o);
  return std::nullopt;
}

[[noreturn]] void fail_leaf(PyObject* o) {
  if (PyUnicode_Check(o) || PyBytes_Check(o)) {
    detail::fail<TypeError>("[tensor] expected numbers, got " + type_name(o) +
                            " (invalid data type)");
  }
  detail::fail<TypeError>("[tensor] expected numbers, or lists of them of one length, got " +
                          type_name(o));
}

[[noreturn]] void fail_range(PyObject* number, DType t) {
  const std::string shown = nb::str(nb::handle(number)).c_str();
  detail::fail<ValueError>("[tensor] value cannot be converted to type " + std::string(name(t)) +
                           " without overflow: got " + shown);
}

class Reader {
 public:
  Reader(PyObject* data, std::optional<DType> dtype) {
    find_shape(data);
    survey(data, 0);
    dtype_ = dtype ? *dtype : inferred();
    out_ = empty(shape_, {.dtype = dtype_});
    next_ = static_cast<char*>(out_.data_ptr());
    tandem::visit(dtype_, [&]<class T>() { write<T>(data, 0); });
  }
  Tensor take() { return std::move(out_); }

 private:
  /// Goes down the first elements.
  void find_shape(PyObject* o) {
    nb::object at = nb::borrow(o);
    while (is_sequence(at.ptr())) {
      TANDEM_EXPECTS(static_cast<int>(shape_.size()) < kMaxDepth, ValueError,
                     "[tensor] expected lists at most 32 deep");
      const Py_ssize_t n = PySequence_Fast_GET_SIZE(at.ptr());
      shape_.push_back(n);
      if (n == 0) break;
      at = nb::borrow(PySequence_Fast_GET_ITEM(at.ptr(), 0));
    }
    depth_ = shape_.size();
    if (const auto inner = inner_tensor(at.ptr())) {
      for (const std::int64_t n : inner->shape()) shape_.push_back(n);
      TANDEM_EXPECTS(static_cast<int>(shape_.size()) <= kMaxDepth, ValueError,
                     "[tensor] expected at most 32 dimensions");
    }
  }

  /// Checks the nesting and collects the dtypes of the leaves.
  void survey(PyObject* o, std::size_t depth) {
    if (depth == depth_) {
      if (is_sequence(o)) fail_ragged(o, depth);
      survey_leaf(o);
      return;
    }
    if (!is_sequence(o)) fail_ragged(o, depth);
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    if (n != shape_[depth]) fail_ragged(o, depth);
    for (Py_ssize_t i = 0; i < n && i < PySequence_Fast_GET_SIZE(o); ++i) {
      PyObject* item = PySequence_Fast_GET_ITEM(o, i);
      // The usual leaves, without a call.
      if (PyFloat_CheckExact(item)) {
        floats_ = true;
        if (depth + 1 != depth_) fail_ragged(item, depth + 1);
      } else if (PyLong_CheckExact(item)) {
        ints_ = true;
        if (depth + 1 != depth_) fail_ragged(item, depth + 1);
      } else {
        const nb::object held = nb::borrow(item);
        survey(item, depth + 1);
      }
    }
  }

  void survey_leaf(PyObject* o) {
    if (PyFloat_CheckExact(o)) {
      floats_ = true;
    } else if (PyBool_Check(o)) {
      seen_ = seen_ | DTypeSet(DType::bool_);
    } else if (is_numpy_scalar(o)) {
      const auto t = dtype_of_numpy_scalar(o);
      if (!t) fail_leaf(o);
      seen_ = seen_ | DTypeSet(*t);
    } else if (const auto inner = inner_tensor(o)) {
      const std::size_t rank = shape_.size() - depth_;
      // A one-element tensor is a number among numbers.
      if (rank > 0 || inner->numel() != 1) {
        TANDEM_EXPECTS(
            inner->shape().size() == rank &&
                std::equal(inner->shape().begin(), inner->shape().end(), shape_.begin() + depth_),
            ValueError, "[tensor] expected tensors or arrays of one shape in a list");
      }
      seen_ = seen_ | DTypeSet(inner->dtype());
    } else if (shape_.size() != depth_) {
      fail_leaf(o);
    } else if (PyLong_Check(o)) {
      ints_ = true;
    } else if (PyFloat_Check(o)) {
      floats_ = true;
    } else if (PyComplex_Check(o)) {
      complex_ = true;
    } else if (PyIndex_Check(o) != 0) {
      ints_ = true;
    } else {
      fail_leaf(o);
    }
  }

  [[noreturn]] void fail_ragged(PyObject* o, std::size_t depth) {
    if (!is_sequence(o)) {
      if (PyUnicode_Check(o) || PyBytes_Check(o)) fail_leaf(o);
      detail::fail<TypeError>("[tensor] expected a sequence of length " +
                              std::to_string(shape_[depth]) + " at dim " + std::to_string(depth) +
                              ", got " + type_name(o));
    }
    if (depth == depth_) {
      detail::fail<TypeError>("[tensor] expected a number at dim " + std::to_string(depth) +
                              ", got " + type_name(o));
    }
    detail::fail<ValueError>("expected sequence of length " + std::to_string(shape_[depth]) +
                             " at dim " + std::to_string(depth) + " (got " +
                             std::to_string(PySequence_Fast_GET_SIZE(o)) + ")");
  }

  DType inferred() const {
    std::optional<DType> t;
    const auto join = [&](DType other) { t = t ? promote_types(*t, other) : other; };
    for (int i = 0; i < kNumDTypes; ++i) {
      if (seen_.has(static_cast<DType>(i))) join(static_cast<DType>(i));
    }
    if (ints_) join(DType::int64);
    if (floats_) join(default_dtype());
    if (complex_) join(Scalar(std::complex<double>()).dtype());
    return t.value_or(default_dtype());
  }

  template <class T>
  void write(PyObject* o, std::size_t depth) {
    if (depth == depth_) {
      write_leaf(o);
      return;
    }
    // Changed since the survey?
    if (!is_sequence(o) || PySequence_Fast_GET_SIZE(o) != shape_[depth]) fail_ragged(o, depth);
    const bool leaves = depth + 1 == depth_ && shape_.size() == depth_;
    for (Py_ssize_t i = 0; i < shape_[depth]; ++i) {
      if (i >= PySequence_Fast_GET_SIZE(o)) fail_ragged(o, depth);
      PyObject* item = PySequence_Fast_GET_ITEM(o, i);
      if (leaves && write_plain<T>(item)) continue;
      const nb::object held = nb::borrow(item);
      write<T>(item, depth + 1);
    }
  }

  /// Python's own float and int; false for others and for those that need a closer look.
  template <class T>
  bool write_plain(PyObject* item) {
    T* to = reinterpret_cast<T*>(next_);
    if (PyFloat_CheckExact(item)) {
      if constexpr (std::is_integral_v<T>) {
        return false;
      } else {
        *to = fn::cast<T>(PyFloat_AS_DOUBLE(item));
      }
    } else if (PyLong_CheckExact(item)) {
      int overflow = 0;
      const long long v = PyLong_AsLongLongAndOverflow(item, &overflow);
      if (overflow != 0) return false;
      if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        if (!std::in_range<T>(v)) return false;
      }
      *to = fn::cast<T>(static_cast<std::int64_t>(v));
    } else {
      return false;
    }
    next_ += sizeof(T);
    return true;
  }

  void write_leaf(PyObject* o) {
    if (const auto inner = inner_tensor(o)) {
      // Through copy_, which casts; one element of any rank counts as a number.
      const std::int64_t n = inner->numel();
      const std::int64_t at = (next_ - static_cast<char*>(out_.data_ptr())) /
                              static_cast<std::int64_t>(element_size(dtype_));
      TANDEM_EXPECTS(at + n <= out_.numel(), ValueError,
                     "[tensor] expected lists that do not change");
      Tensor slot = out_.view({-1}).narrow(0, at, n);
      slot.copy_(inner->rename({}).reshape({-1}));
      next_ += n * static_cast<std::int64_t>(element_size(dtype_));
      return;
    }
    store_element(dtype_, next_, o);
    next_ += element_size(dtype_);
  }

  Dims shape_;
  std::size_t depth_ = 0;  // dimensions that lists give; arrays in them give the rest
  DTypeSet seen_;
  bool ints_ = false, floats_ = false, complex_ = false;
  DType dtype_ = DType::float32;
  Tensor out_;
  char* next_ = nullptr;
};

template <class T>
T integer_of(PyObject* o, DType t) {
  if (PyFloat_Check(o)) {
    const double d = std::trunc(PyFloat_AS_DOUBLE(o));
    // The bounds are powers of two (or 0), which a double holds exactly.
    const double low = std::is_signed_v<T> ? -std::ldexp(1.0, std::numeric_limits<T>::digits) : 0.0;
    if (!(d >= low && d < std::ldexp(1.0, std::numeric_limits<T>::digits))) fail_range(o, t);
    return static_cast<T>(d);
  }
  const nb::object number = steal(PyNumber_Index(o));
  int overflow = 0;
  const long long v = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow == 0 && std::in_range<T>(v)) return static_cast<T>(v);
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (overflow > 0) {
      const unsigned long long u = PyLong_AsUnsignedLongLong(number.ptr());
      if (PyErr_Occurred() == nullptr) return u;
      PyErr_Clear();
    }
  }
  if constexpr (sizeof(T) == 8) {
    if (overflow != 0) {
      detail::fail<ValueError>("[tensor] Overflow when unpacking long: expected an integer that " +
                               std::string(name(t)) + " holds, got " + nb::str(number).c_str());
    }
  }
  fail_range(o, t);
}

double double_of(PyObject* o) {
  if (PyFloat_Check(o)) return PyFloat_AS_DOUBLE(o);
  const nb::object number = PyComplex_Check(o) ? nb::object() : steal(PyNumber_Float(o));
  if (!number.is_valid()) {
    detail::fail<TypeError>("[tensor] expected real numbers, got complex");
  }
  return PyFloat_AS_DOUBLE(number.ptr());
}

template <class T>
PyObject* list_of(const char* p, IntSpan shape, const std::int64_t* strides, DType t) {
  if (shape.empty()) return element_object(t, p);
  nb::object list = steal(PyList_New(shape[0]));
  const IntSpan inner(shape.subspan(1));
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    PyList_SET_ITEM(list.ptr(), i, list_of<T>(p, inner, strides + 1, t));
    p += strides[0] * static_cast<std::int64_t>(sizeof(T));
  }
  return list.release().ptr();
}

}  // namespace

Tensor tensor_of_lists(PyObject* data, std::optional<DType> dtype) {
  // CPU memory of a thread that holds the GIL: Python numbers are read straight into it.
  return Reader(data, dtype).take();
}

void store_element(DType t, void* p, PyObject* number) {
  if (is_numpy_scalar(number)) {
    const nb::object plain = nb::handle(number).attr("item")();
    TANDEM_EXPECTS(!is_numpy_scalar(plain.ptr()), TypeError,
                   "[tensor] expected a number that Python has, got " + type_name(number));
    store_element(t, p, plain.ptr());
    return;
  }
  tandem::visit(t, [&]<class T>() {
    T& to = *static_cast<T*>(p);
    if constexpr (std::is_same_v<T, bool>) {
      const int truth = PyObject_IsTrue(number);
      if (truth < 0) throw nb::python_error();
      to = truth == 1;
    } else if constexpr (std::is_integral_v<T>) {
      if (PyComplex_Check(number))
        detail::fail<TypeError>("[tensor] expected real numbers, got complex");
      to = integer_of<T>(number, t);
    } else if constexpr (fn::is_complex_v<T>) {
      const Py_complex c = PyComplex_AsCComplex(number);
      if (PyErr_Occurred() != nullptr) throw nb::python_error();
      to = fn::cast<T>(Complex128{c.real, c.imag});
    } else {
      to = fn::cast<T>(double_of(number));
    }
  });
}

PyObject* element_object(DType t, const void* p) {
  return tandem::visit(t, [&]<class T>() -> PyObject* {
    const T v = fn::element_at(static_cast<const T*>(p));
    PyObject* o = nullptr;
    if constexpr (std::is_same_v<T, bool>) {
      o = PyBool_FromLong(v ? 1 : 0);
    } else if constexpr (std::is_integral_v<T>) {
      o = std::is_signed_v<T> ? PyLong_FromLongLong(static_cast<long long>(v))
                              : PyLong_FromUnsignedLongLong(static_cast<unsigned long long>(v));
    } else {
      return wrap(Scalar::from_element(v));
    }
    return steal(o).release().ptr();
  });
}

PyObject* nested_list(const Tensor& t) {
  const Tensor host = t.cpu();
  TANDEM_EXPECTS(!t.is_meta(), NotImplemented,
                 "[tolist] expected a tensor with data, got one on meta");
  check_host_use(host);
  return tandem::visit(t.dtype(), [&]<class T>() {
    return list_of<T>(static_cast<const char*>(host.data_ptr()), host.shape(),
                      host.strides().data(), host.dtype());
  });
}

}  // namespace tandem::python
