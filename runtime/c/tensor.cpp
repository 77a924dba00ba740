// Tensors of the C interface: made, wrapped, asked, copied. A handle is the tensor's body, counted
// as any other handle of it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "runtime/c/boundary.h"
#include "tandem/ops.h"

using namespace tandem;

namespace {

/// The caller's function with its context. For as long as it is not armed the memory is the
/// caller's: wrapping may fail after the storage was made.
template <class F>
struct Deleter {
  F function;
  void* context;
  bool armed = false;

  template <class... A>
  void operator()(A... args) const {
    if (armed) function(args..., context);
  }
};

template <class F>
std::shared_ptr<Deleter<F>> deleter_of(F function, void* context) {
  if (function == nullptr) return nullptr;
  return std::make_shared<Deleter<F>>(Deleter<F>{function, context});
}

std::optional<IntSpan> strides_of(const std::int64_t* strides, std::size_t ndim) {
  if (strides == nullptr) return std::nullopt;
  return IntSpan(std::span(strides, ndim));
}

/// The host memory of a copy as a tensor in the shape of the other side.
Tensor host_elements(const void* data, std::size_t bytes, IntSpan shape, DType t,
                     const char* function) {
  std::size_t needed = element_size(t);
  for (const std::int64_t n : shape) {
    TANDEM_EXPECTS(n >= 0 && !__builtin_mul_overflow(needed, static_cast<std::size_t>(n), &needed),
                   ValueError, fmt::format("[{}] a shape with no number of bytes", function));
  }
  TANDEM_EXPECTS(
      bytes == needed, ValueError,
      fmt::format("[{}] argument 'bytes': expected {}, got {}", function, needed, bytes));
  if (bytes != 0 && data == nullptr) c::fail_null({function, "data"});
  return from_blob(const_cast<void*>(data), shape, t);
}

void check_capacity(std::size_t needed, std::size_t capacity, const char* function) {
  TANDEM_EXPECTS(capacity >= needed, ValueError,
                 fmt::format("[{}] argument 'capacity': expected at least {}, got {}", function,
                             needed, capacity));
}

void write_dims(IntSpan from, std::int64_t* to, std::size_t capacity, const char* function,
                const char* name) {
  check_capacity(from.size(), capacity, function);
  if (!from.empty()) std::copy(from.begin(), from.end(), &c::given(to, {function, name}));
}

}  // namespace

int tandem_empty(const char* dtype, const char* device, size_t ndim, const int64_t* shape,
                 tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_empty";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    to = to_c(empty(c::dims(shape, ndim, {kFunction, "shape"}),
                    {.dtype = c::dtype(dtype, kFunction), .device = c::device(device, kFunction)}));
  });
}

int tandem_full(const char* dtype, const char* device, size_t ndim, const int64_t* shape,
                double value, tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_full";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    const Options options{.dtype = c::dtype(dtype, kFunction),
                          .device = c::device(device, kFunction)};
    to = to_c(full(c::dims(shape, ndim, {kFunction, "shape"}), value, options));
  });
}

int tandem_from_host(const void* data, size_t bytes, const char* dtype, const char* device,
                     size_t ndim, const int64_t* shape, tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_from_host";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    const DType t = c::dtype(dtype, kFunction);
    const Device where = c::device(device, kFunction);
    const Tensor source =
        host_elements(data, bytes, c::dims(shape, ndim, {kFunction, "shape"}), t, kFunction);
    to = to_c(source.to(where, std::nullopt, false, true));
  });
}

int tandem_wrap(void* data, const char* dtype, const char* device, size_t ndim,
                const int64_t* shape, const int64_t* strides, tandem_deleter deleter, void* context,
                tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_wrap";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    const Options options{.dtype = c::dtype(dtype, kFunction),
                          .device = c::device(device, kFunction)};
    const auto last = deleter_of(deleter, context);
    std::function<void(void*)> run;
    if (last != nullptr) run = [last](void* p) { (*last)(p); };
    to = to_c(from_blob(data, c::dims(shape, ndim, {kFunction, "shape"}), *options.dtype, options,
                        std::move(run), strides_of(strides, ndim)));
    if (last != nullptr) last->armed = true;
  });
}

int tandem_wrap_on(void* data, const char* dtype, const tandem_stream* stream, size_t ndim,
                   const int64_t* shape, const int64_t* strides, tandem_stream_deleter deleter,
                   void* context, tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_wrap_on";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    const DType t = c::dtype(dtype, kFunction);
    const Stream& order = c::stream(stream, kFunction);
    const auto last = deleter_of(deleter, context);
    if (last == nullptr) c::fail_null({kFunction, "deleter"});
    to = to_c(from_blob(
        data, c::dims(shape, ndim, {kFunction, "shape"}), t, {}, order,
        [last](void* p, const Stream& s) { (*last)(p, s.native()); }, strides_of(strides, ndim)));
    last->armed = true;
  });
}

int tandem_tensor_retain(tandem_tensor* t) {
  return c::guarded([&] { (void)to_c(c::tensor(t, "tandem_tensor_retain")); });
}

int tandem_tensor_release(tandem_tensor* t) {
  return c::guarded([&] { (void)Tensor::adopt(reinterpret_cast<detail::TensorBody*>(t)); });
}

int tandem_tensor_ndim(const tandem_tensor* t, size_t* ndim) {
  return c::guarded([&] {
    c::given(ndim, {"tandem_tensor_ndim", "ndim"}) =
        c::tensor(t, "tandem_tensor_ndim").shape().size();
  });
}

int tandem_tensor_shape(const tandem_tensor* t, int64_t* shape, size_t capacity) {
  return c::guarded([&] {
    const Tensor x = c::tensor(t, "tandem_tensor_shape");
    write_dims(x.shape(), shape, capacity, "tandem_tensor_shape", "shape");
  });
}

int tandem_tensor_strides(const tandem_tensor* t, int64_t* strides, size_t capacity) {
  return c::guarded([&] {
    const Tensor x = c::tensor(t, "tandem_tensor_strides");
    write_dims(x.strides(), strides, capacity, "tandem_tensor_strides", "strides");
  });
}

int tandem_tensor_numel(const tandem_tensor* t, int64_t* numel) {
  return c::guarded([&] {
    c::given(numel, {"tandem_tensor_numel", "numel"}) = c::tensor(t, "tandem_tensor_numel").numel();
  });
}

int tandem_tensor_element_size(const tandem_tensor* t, size_t* bytes) {
  return c::guarded([&] {
    c::given(bytes, {"tandem_tensor_element_size", "bytes"}) =
        c::tensor(t, "tandem_tensor_element_size").element_size();
  });
}

int tandem_tensor_dtype(const tandem_tensor* t, const char** dtype) {
  return c::guarded([&] {
    c::given(dtype, {"tandem_tensor_dtype", "dtype"}) =
        c::text_of(c::tensor(t, "tandem_tensor_dtype").dtype());
  });
}

int tandem_tensor_device(const tandem_tensor* t, const char** device) {
  return c::guarded([&] {
    c::given(device, {"tandem_tensor_device", "device"}) =
        c::text_of(c::tensor(t, "tandem_tensor_device").device());
  });
}

int tandem_tensor_is_contiguous(const tandem_tensor* t, int* contiguous) {
  return c::guarded([&] {
    c::given(contiguous, {"tandem_tensor_is_contiguous", "contiguous"}) =
        c::tensor(t, "tandem_tensor_is_contiguous").is_contiguous() ? 1 : 0;
  });
}

int tandem_tensor_names(const tandem_tensor* t, const char** names, size_t capacity) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_tensor_names";
    const Names own = c::tensor(t, kFunction).names();
    check_capacity(own.size(), capacity, kFunction);
    if (!own.empty()) (void)c::given(names, {kFunction, "names"});
    std::ranges::transform(own, names, [](Name n) { return c::text_of(n); });
  });
}

int tandem_tensor_text(const tandem_tensor* t, char* text, size_t capacity, size_t* length) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_tensor_text";
    const std::string whole = c::tensor(t, kFunction).str();
    if (capacity != 0) {
      const std::size_t n = std::min(capacity - 1, whole.size());
      *std::copy_n(whole.data(), n, &c::given(text, {kFunction, "text"})) = '\0';
    }
    if (length != nullptr) *length = whole.size();
  });
}

int tandem_with_names(const tandem_tensor* t, const char* const* names, size_t count,
                      tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_with_names";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    const Tensor x = c::tensor(t, kFunction);
    if (count != 0) (void)c::given(names, {kFunction, "names"});
    Names list;
    for (std::size_t i = 0; i < count; ++i)
      list.push_back(names[i] == nullptr ? Name() : Name(names[i]));
    TANDEM_EXPECTS(count == x.shape().size(), ShapeError,
                   fmt::format("[{}] expected {} names, got {}", kFunction, x.dim(), count));
    Tensor named = x.alias();
    to = to_c(named.rename_(list));
  });
}

int tandem_tensor_data(const tandem_tensor* t, void** data) {
  return c::guarded([&] {
    c::given(data, {"tandem_tensor_data", "data"}) = c::tensor(t, "tandem_tensor_data").data_ptr();
  });
}

int tandem_tensor_data_on(const tandem_tensor* t, const tandem_stream* stream, void** data) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_tensor_data_on";
    void*& to = c::given(data, {kFunction, "data"});
    to = c::tensor(t, kFunction).data(c::stream(stream, kFunction));
  });
}

int tandem_copy_to_host(const tandem_tensor* t, void* data, size_t bytes) {
  return c::guarded([&] {
    const Tensor x = c::tensor(t, "tandem_copy_to_host");
    host_elements(data, bytes, x.shape(), x.dtype(), "tandem_copy_to_host").copy_(x);
  });
}

int tandem_copy_from_host(tandem_tensor* t, const void* data, size_t bytes) {
  return c::guarded([&] {
    Tensor x = c::tensor(t, "tandem_copy_from_host");
    x.copy_(host_elements(data, bytes, x.shape(), x.dtype(), "tandem_copy_from_host"));
  });
}

int tandem_to(const tandem_tensor* t, const char* device, const char* dtype, int non_blocking,
              tandem_tensor** out) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_to";
    tandem_tensor*& to = c::given(out, {kFunction, "out"});
    std::optional<Device> where;
    std::optional<DType> what;
    if (device != nullptr) where = c::device(device, kFunction);
    if (dtype != nullptr) what = c::dtype(dtype, kFunction);
    to = to_c(c::tensor(t, kFunction).to(where, what, non_blocking != 0));
  });
}

int tandem_contiguous(const tandem_tensor* t, tandem_tensor** out) {
  return c::guarded([&] {
    tandem_tensor*& to = c::given(out, {"tandem_contiguous", "out"});
    to = to_c(c::tensor(t, "tandem_contiguous").contiguous());
  });
}
