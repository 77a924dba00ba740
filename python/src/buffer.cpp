// The buffer protocol both ways: memoryview(t), and tensors over what exports a buffer.
#include <memory>
#include <string>
#include <utility>

#include "convert.h"
#include "elements.h"
#include "errors.h"
#include "function.h"
#include "tandem/check.h"
#include "tandem/foreign.h"

namespace tandem::python {
namespace {

// ---- formats of the struct module

struct Format {
  char kind;  // of NumPy's array interface
  std::size_t size;
  const char* text;
};
/// Integers of 64 bits go as C's long, which is NumPy's int64; its other type of that size prints
/// otherwise.
constexpr Format kFormats[] = {
    {'b', 1, "?"}, {'u', 1, "B"}, {'u', 2, "H"},  {'u', 4, "I"},   {'u', 8, "L"},
    {'i', 1, "b"}, {'i', 2, "h"}, {'i', 4, "i"},  {'i', 8, "l"},   {'f', 2, "e"},
    {'f', 4, "f"}, {'f', 8, "d"}, {'c', 8, "Zf"}, {'c', 16, "Zd"},
};

const char* format_of(DType t) {
  const DTypeInfo& row = info(t);
  for (const Format& f : kFormats) {
    if (row.numpy.size() > 1 && f.kind == row.numpy[1] && f.size == row.size) return f.text;
  }
  return nullptr;
}

/// NumPy's letter for a format's kind of number; 0 for what is none. C's long and size_t too.
char kind_of(std::string_view text) {
  if (text == "?") return 'b';
  if (text == "Zf" || text == "Zd" || text == "F" || text == "D") return 'c';
  if (text.size() != 1) return 0;
  if (text.find_first_of("bhilqn") == 0) return 'i';
  if (text.find_first_of("BHILQN") == 0) return 'u';
  return text.find_first_of("efd") == 0 ? 'f' : '\0';
}

/// The dtype of a buffer's elements and the format that it goes by.
struct Elements {
  std::optional<DType> dtype;
  std::string_view format;
  bool swapped = false;  // in the other byte order
};

Elements elements_of(const Py_buffer& b) {
  Elements e;
  e.format = b.format == nullptr ? "B" : b.format;
  std::string_view text = e.format;
  if (!text.empty() && std::string_view("@=<>!").find(text[0]) != std::string_view::npos) {
    e.swapped = b.itemsize != 1 && (text[0] == '>' || text[0] == '!');
    text.remove_prefix(1);
  }
  const char kind = kind_of(text);
  if (kind == 0 || e.swapped) return e;
  for (int i = 0; i < kNumDTypes; ++i) {
    const DTypeInfo& row = info(static_cast<DType>(i));
    if (row.numpy.size() > 1 && row.numpy[1] == kind &&
        row.size == static_cast<std::size_t>(b.itemsize)) {
      e.dtype = static_cast<DType>(i);
    }
  }
  return e;
}

DType dtype_of_buffer(const Py_buffer& b, const char* op) {
  const Elements e = elements_of(b);
  if (e.dtype) return *e.dtype;
  detail::fail<TypeError>(std::string("[") + op + "] expected a buffer of numbers or bools" +
                          (e.swapped ? " in this machine's byte order" : "") + ", got format '" +
                          std::string(e.format) + "'");
}

// ---- export

/// What a Py_buffer points into while it lives.
struct Exported {
  Tensor tensor;
  Dims shape, strides;
};

[[noreturn]] void refuse(const std::string& why) {
  static const nb::object* cls =
      new nb::object(nb::module_::import_("tandem.errors").attr("BufferError"));
  PyErr_SetString(cls->ptr(), ("[memoryview] " + why).c_str());
  throw nb::python_error();
}

bool is_fortran(const Tensor& t) {
  std::int64_t step = 1;
  for (std::size_t i = 0; i < t.shape().size(); ++i) {
    if (t.shape()[i] != 1 && t.strides()[i] != step) return false;
    step *= t.shape()[i];
  }
  return true;
}

bool asks(int flags, int what) { return (flags & what) == what; }

void check_export(const Tensor& t, int flags) {
  if (!t.device().is_cpu())
    refuse("expected a tensor on the CPU, got one on " + t.device().str() + "; use .cpu()");
  if (format_of(t.dtype()) == nullptr) {
    refuse("expected a dtype that buffers have a format for, got " + std::string(name(t.dtype())) +
           "; use .float() first");
  }
  if (asks(flags, PyBUF_WRITABLE) && is_read_only(t))
    refuse("expected a tensor that can be written, got one over read-only memory");
  const bool c = t.is_contiguous();
  const bool f = t.numel() == 0 || is_fortran(t);
  if (asks(flags, PyBUF_C_CONTIGUOUS) && !c) refuse("expected a dense tensor in row-major order");
  if (asks(flags, PyBUF_F_CONTIGUOUS) && !f)
    refuse("expected a dense tensor in column-major order");
  if (asks(flags, PyBUF_ANY_CONTIGUOUS) && !c && !f) refuse("expected a dense tensor");
  if (!asks(flags, PyBUF_STRIDES) && !c)
    refuse("expected a dense tensor in row-major order where strides are not asked for");
  check_host_use(t, !is_read_only(t));
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  view->obj = nullptr;
  return guarded(-1, [&] {
    const Tensor& t = as_tensor(self);
    check_export(t, flags);
    auto e = std::make_unique<Exported>(Exported{t, Dims(t.shape()), Dims(t.strides())});
    const auto size = static_cast<std::int64_t>(t.element_size());
    for (auto& s : e->strides) s *= size;
    static char nothing[16];
    static_assert(sizeof(Py_ssize_t) == sizeof(std::int64_t));
    view->buf = t.data_ptr() == nullptr ? nothing : t.data_ptr();
    view->len = static_cast<Py_ssize_t>(t.nbytes());
    view->itemsize = static_cast<Py_ssize_t>(size);
    view->readonly = is_read_only(t) ? 1 : 0;
    // Who asks for no shape is shown bytes in a row.
    view->ndim =
        static_cast<int>(asks(flags, PyBUF_ND) ? t.dim() : std::min<std::int64_t>(t.dim(), 1));
    view->format = asks(flags, PyBUF_FORMAT) ? const_cast<char*>(format_of(t.dtype())) : nullptr;
    view->shape = asks(flags, PyBUF_ND) ? reinterpret_cast<Py_ssize_t*>(e->shape.data()) : nullptr;
    view->strides =
        asks(flags, PyBUF_STRIDES) ? reinterpret_cast<Py_ssize_t*>(e->strides.data()) : nullptr;
    view->suboffsets = nullptr;
    view->internal = e.release();
    view->obj = Py_NewRef(self);
    return 0;
  });
}

void release_buffer(PyObject*, Py_buffer* view) { delete static_cast<Exported*>(view->internal); }

// ---- import

/// A buffer that is held; let go on any thread, with or without the GIL.
struct Held {
  Py_buffer buffer{};

  ~Held() {
    if (buffer.obj == nullptr || Py_IsInitialized() == 0) return;
    const PyGILState_STATE state = PyGILState_Ensure();
    PyBuffer_Release(&buffer);
    PyGILState_Release(state);
  }
};

/// Writable if the exporter allows it.
std::shared_ptr<Held> hold(PyObject* exporter, int flags) {
  auto held = std::make_shared<Held>();
  if (PyObject_GetBuffer(exporter, &held->buffer, flags | PyBUF_WRITABLE) == 0) return held;
  PyErr_Clear();
  if (PyObject_GetBuffer(exporter, &held->buffer, flags) != 0) throw nb::python_error();
  return held;
}

ForeignMemoryView view_of(const std::shared_ptr<Held>& held, DType dtype) {
  ForeignMemoryView m;
  m.data = held->buffer.buf;
  m.dtype = dtype;
  m.device = kCPU;
  m.read_only = held->buffer.readonly != 0;
  m.release = [held] {};
  return m;
}

/// Strides in elements.
Dims element_strides(const Py_buffer& b, const Dims& shape, const char* op) {
  Dims strides;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    TANDEM_EXPECTS(shape[i] < 2 || b.strides[i] % b.itemsize == 0, ValueError,
                   std::string("[") + op +
                       "] expected strides that are multiples of the element's " +
                       std::to_string(b.itemsize) + " bytes, got " + std::to_string(b.strides[i]));
    strides.push_back(b.strides[i] / b.itemsize);
  }
  return strides;
}

/// frombuffer(buffer, *, dtype, count=-1, offset=0): the bytes as elements.
PyObject* from_buffer(Call& c) {
  TANDEM_EXPECTS(PyObject_CheckBuffer(c.objects[0]) != 0, TypeError,
                 "[frombuffer] expected an object with a buffer, got " + type_name(c.objects[0]));
  const auto held = hold(c.objects[0], PyBUF_SIMPLE);
  const DType dtype = c.values[1].as<DType>();
  const auto size = static_cast<std::int64_t>(element_size(dtype));
  const std::int64_t count = c.given(2) ? c.values[2].as<Scalar>().to_int() : -1;
  const std::int64_t offset = c.given(3) ? c.values[3].as<Scalar>().to_int() : 0;
  const std::int64_t length = held->buffer.len;
  TANDEM_EXPECTS(length > 0 && count != 0, ValueError,
                 "[frombuffer] expected bytes and a count other than 0, got " +
                     std::to_string(length) + " bytes and count " + std::to_string(count));
  TANDEM_EXPECTS(offset >= 0 && offset < length, ValueError,
                 "[frombuffer] argument 'offset': expected 0 to " + std::to_string(length - 1) +
                     ", got " + std::to_string(offset));
  TANDEM_EXPECTS(count > 0 || (length - offset) % size == 0, ValueError,
                 "[frombuffer] expected a multiple of " + std::to_string(size) +
                     " bytes after the offset, got " + std::to_string(length - offset));
  const std::int64_t n = count < 0 ? (length - offset) / size : count;
  TANDEM_EXPECTS(n <= (length - offset) / size, ValueError,
                 "[frombuffer] argument 'count': expected at most " +
                     std::to_string((length - offset) / size) + ", got " + std::to_string(count));
  ForeignMemoryView m = view_of(held, dtype);
  m.data = static_cast<char*>(held->buffer.buf) + offset;
  m.shape = Dims{n};
  return wrap(from_foreign(std::move(m)));
}

}  // namespace

PyType_Slot buffer_slots[] = {{Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
                              {Py_bf_releasebuffer, reinterpret_cast<void*>(release_buffer)},
                              {0, nullptr}};

Tensor tensor_of_buffer(PyObject* exporter, const char* op) {
  const auto held = hold(exporter, PyBUF_STRIDES | PyBUF_FORMAT);
  const Py_buffer& b = held->buffer;
  ForeignMemoryView m = view_of(held, dtype_of_buffer(b, op));
  TANDEM_EXPECTS(
      b.ndim >= 0 && b.ndim <= 32, ValueError,
      std::string("[") + op + "] expected at most 32 dimensions, got " + std::to_string(b.ndim));
  // Without a shape or strides it is dense; ctypes leaves strides out even where they are asked
  // for.
  if (b.shape == nullptr && b.ndim == 1) m.shape = Dims{b.len / b.itemsize};
  if (b.shape != nullptr) m.shape = Dims(IntSpan(b.shape, static_cast<std::size_t>(b.ndim)));
  if (b.strides != nullptr) m.strides = element_strides(b, m.shape, op);
  return from_foreign(std::move(m));
}

std::optional<Tensor> tensor_of_plain_array(PyObject* array) {
  Py_buffer b{};
  if (PyObject_GetBuffer(array, &b, PyBUF_STRIDES | PyBUF_FORMAT) != 0) {
    PyErr_Clear();
    return std::nullopt;
  }
  // A reference on the array is enough from here on: NumPy's buffers are the array's own memory.
  const std::unique_ptr<Py_buffer, void (*)(Py_buffer*)> release(&b, PyBuffer_Release);
  const auto dtype = elements_of(b).dtype;
  if (!dtype || b.ndim > 32) return std::nullopt;
  ForeignMemoryView m;
  m.data = b.buf;
  m.dtype = *dtype;
  m.device = kCPU;
  m.read_only = b.readonly != 0;
  const std::size_t align = tandem::visit(*dtype, []<class T>() { return alignof(T); });
  bool fits = reinterpret_cast<std::uintptr_t>(b.buf) % align == 0;
  m.strides.emplace();
  for (int i = 0; i < b.ndim; ++i) {
    fits = fits && (b.shape[i] < 2 || b.strides[i] % b.itemsize == 0);
    m.shape.push_back(b.shape[i]);
    m.strides->push_back(b.strides[i] / b.itemsize);
  }
  if (!fits) return std::nullopt;
  m.release = [held = held_object(array)] {};
  return from_foreign(std::move(m));
}

void init_buffer() {
  define(
      make_function("frombuffer", "buffer: object, *, dtype: dtype, count: int=-1, offset: int=0",
                    "The bytes of a buffer (bytearray, mmap, array, ...) as a tensor of one "
                    "dimension that shares them: `count` elements from byte `offset` on, all by "
                    "default. Over a read-only buffer the tensor is read-only.",
                    from_buffer),
      kModule);
}

}  // namespace tandem::python
