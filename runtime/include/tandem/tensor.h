// Tensor: a typed, strided, optionally named view of a storage. Copying the handle is cheap and
// shares it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tandem/device.h"
#include "tandem/dtype.h"
#include "tandem/error.h"
#include "tandem/export.h"
#include "tandem/index.h"
#include "tandem/names.h"
#include "tandem/scalar.h"
#include "tandem/small_vector.h"
#include "tandem/storage.h"
#include "tandem/stream.h"

namespace tandem {

class Tensor;
class Arg;

namespace detail {

/// What a Tensor points to. From a thread-local free list; see Note [Bodies] in
/// runtime/tensor/body.cpp.
struct TensorBody {
  std::atomic<std::uint32_t> refs;
  DType dtype;
  StorageBody* storage;  // owned by the base of a view, by the body itself otherwise
  TensorBody* base;      // the tensor whose storage a view shares; null when this is no view
  std::int64_t offset;   // elements
  std::int64_t numel;
  Dims shape, strides;  // strides in elements
  Names names;          // empty, or one a dimension
  void* autograd;       // empty slot
};

TANDEM_API void destroy(TensorBody* b) noexcept;

/// Takes one count away; whether it was the last. The only holder need not write.
inline bool drop(std::atomic<std::uint32_t>& refs) noexcept {
  return refs.load(std::memory_order_acquire) == 1 ||
         refs.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace detail

/// Options of the creating functions.
struct Options {
  std::optional<DType> dtype = std::nullopt;
  std::optional<Device> device = std::nullopt;
  Names names = {};
};

/// A handle; a default-constructed one is undefined and every member but defined() raises on it.
class TANDEM_API Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor& o) noexcept : body_(o.body_) {
    if (body_ != nullptr) body_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Tensor(Tensor&& o) noexcept : body_(o.body_) { o.body_ = nullptr; }
  Tensor& operator=(const Tensor& o) noexcept {
    Tensor(o).swap(*this);
    return *this;
  }
  Tensor& operator=(Tensor&& o) noexcept {
    swap(o);
    return *this;
  }
  ~Tensor() {
    if (body_ != nullptr && detail::drop(body_->refs)) detail::destroy(body_);
  }
  void swap(Tensor& o) noexcept { std::swap(body_, o.body_); }
  bool defined() const { return body_ != nullptr; }

  // ---- properties
  // ----------------------------------------------------------------------------------
  DType dtype() const { return body().dtype; }
  Device device() const { return body().storage->device; }
  IntSpan shape() const { return body().shape; }
  /// In elements.
  IntSpan strides() const { return body().strides; }
  std::int64_t dim() const { return static_cast<std::int64_t>(body().shape.size()); }
  std::int64_t numel() const { return body().numel; }
  std::int64_t size(Axis axis) const;
  std::int64_t stride(Axis axis) const;
  std::int64_t storage_offset() const { return body().offset; }
  std::size_t element_size() const { return tandem::element_size(dtype()); }
  std::size_t nbytes() const { return static_cast<std::size_t>(numel()) * element_size(); }
  /// Dense in row-major order; strides of size-1 dimensions do not matter; true without elements.
  bool is_contiguous() const;
  bool is_meta() const { return device().is_meta(); }
  /// Whether the tensor shares the storage of another one that it was made from.
  bool is_view() const { return body().base != nullptr; }
  /// The tensor a view was made from; undefined for other tensors.
  Tensor base() const;
  Storage storage() const;
  bool shares_storage(const Tensor& o) const { return body().storage == o.body().storage; }

  /// First element, or null on meta and for tensors without elements' memory. On a device the
  /// caller must order their work after Tandem's: use data(stream) for that.
  void* data_ptr() const {
    const auto& b = body();
    return b.storage->data == nullptr
               ? nullptr
               : static_cast<char*>(b.storage->data) +
                     b.offset * static_cast<std::int64_t>(tandem::element_size(b.dtype));
  }
  /// First element; raises TypeError unless T is the dtype's element type.
  template <class T>
  T* data() const {
    check_dtype(dtype_of<T>);
    return static_cast<T*>(data_ptr());
  }
  /// First element for a kernel of the caller on a stream: records the use, so that the memory is
  /// not given out again before that stream's work is done.
  void* data(const Stream& stream) const;

  // ---- names
  // ---------------------------------------------------------------------------------------
  /// One name a dimension; all "no name" for an unnamed tensor.
  Names names() const;
  bool has_names() const { return !body().names.empty(); }
  /// A view whose unnamed dimensions get names; a named one keeps its name. kEllipsis-like "..."
  /// keeps a run.
  Tensor refine_names(const std::vector<std::string>& names) const;
  /// A view with these names ("..." keeps a run); no list drops all names.
  Tensor rename(const std::optional<std::vector<std::string>>& names) const;
  /// A view with names replaced one by one.
  Tensor rename_map(const std::vector<std::pair<std::string, std::string>>& map) const;
  Tensor& rename_(const Names& names);
  /// A view with the dimensions in this order; missing names become size-1 dimensions, "..." stands
  /// for the rest in their order.
  Tensor align_to(const std::vector<std::string>& names) const;
  Tensor align_as(const Tensor& other) const;

  // ---- views (nothing is copied)
  // -------------------------------------------------------------------
  /// A copy where masks or arrays are among the indices; a mask waits for the device.
  Tensor index(const std::vector<Index>& index) const {
    return index_by(index.data(), index.size());
  }
  template <class... I>
  Tensor operator()(I... i) const {
    const std::array<Index, sizeof...(I)> list{Index(i)...};
    return index_by(list.data(), list.size());
  }
  Tensor operator[](std::int64_t i) const { return select(0, i); }
  Tensor select(Axis axis, std::int64_t index) const;
  Tensor slice(Axis axis, std::optional<std::int64_t> start = {},
               std::optional<std::int64_t> stop = {}, std::int64_t step = 1) const;
  Tensor narrow(Axis axis, std::int64_t start, std::int64_t length) const;
  Tensor transpose(Axis a, Axis b) const;
  Tensor t() const;
  Tensor permute(const Axes& order) const;
  Tensor movedim(const Axes& source, const Axes& destination) const;
  /// A view where the strides allow it, else a contiguous copy. One size may be -1.
  Tensor reshape(IntSpan shape) const;
  /// Raises ShapeError where the strides do not allow a view.
  Tensor view(IntSpan shape) const;
  /// The same bytes as another dtype; the last dimension scales.
  Tensor view_as(DType dtype) const;
  Tensor flatten(Axis start = 0, Axis end = -1, std::optional<Name> name = {}) const;
  Tensor unflatten(Axis axis, IntSpan sizes, const Names& names = {}) const;
  Tensor squeeze(const Axes& axes = {}) const;
  Tensor unsqueeze(std::int64_t axis) const;
  /// -1 keeps a size. New dimensions at the front.
  Tensor expand(IntSpan shape) const;
  Tensor broadcast_to(IntSpan shape) const { return expand(shape); }
  Tensor diagonal(std::int64_t offset = 0, Axis axis1 = 0, Axis axis2 = 1) const;
  Tensor unfold(Axis axis, std::int64_t size, std::int64_t step) const;
  std::vector<Tensor> split(std::int64_t size, Axis axis = 0) const;
  std::vector<Tensor> split_sizes(IntSpan sizes, Axis axis = 0) const;
  std::vector<Tensor> chunk(std::int64_t chunks, Axis axis = 0) const;
  std::vector<Tensor> unbind(Axis axis = 0) const;
  Tensor as_strided(IntSpan shape, IntSpan strides, std::optional<std::int64_t> offset = {}) const;
  /// A view of the same elements that shares this one's base; for bindings.
  Tensor alias() const;

  // ---- copies
  // --------------------------------------------------------------------------------------
  /// Itself if already contiguous, else a copy.
  Tensor contiguous() const;
  Tensor clone() const;
  /// Overwrites the elements, with broadcasting and casting. Waits only if `non_blocking` is false
  /// and the copy is from a device to the host, or to a device from memory of the host that the
  /// device may read later (pinned memory): when the call returns, the elements that came to the
  /// host are there, and the source may be written again. With `non_blocking` neither is sure
  /// before the stream has been waited for.
  Tensor& copy_(const Tensor& source, bool non_blocking = false);
  /// Itself if nothing changes and copy is false.
  Tensor to(std::optional<Device> device, std::optional<DType> dtype = {},
            bool non_blocking = false, bool copy = false) const;
  Tensor to(DType dtype) const { return to(std::nullopt, dtype); }
  Tensor cpu() const { return to(kCPU); }
  /// The same elements in pinned memory of the host, which devices copy from and to directly and
  /// with non_blocking; the tensor itself if it is there already. Ops on the host wait for copies
  /// that a device makes with such memory; the plain pointer's user has to. Raises ValueError for a
  /// tensor of a device, DeviceError where there is no device that memory could be pinned for.
  Tensor pin_memory() const;
  bool is_pinned() const;
  Tensor cuda(int index = -1) const { return to(Device(DeviceKind::CUDA, index)); }

  // ---- elements
  // ------------------------------------------------------------------------------------
  /// The only element; waits for the device. Raises ValueError if there is not exactly one.
  Scalar item() const;
  template <class T>
  T item() const {
    return item().to<T>();
  }
  Tensor& fill_(const Scalar& value);
  Tensor& zero_() { return fill_(0); }

  /// As PyTorch prints it; one copy of the shown elements from a device.
  std::string str() const;

  // ---- methods from the op table
  // -------------------------------------------------------------------
#define TANDEM_UNARY(name, ...) \
  Tensor name() const;          \
  Tensor& name##_();
#include "tandem/ops/unary.def"
#define TANDEM_BINARY(name, ...)       \
  Tensor name(const Arg& other) const; \
  Tensor& name##_(const Arg& other);
#include "tandem/ops/binary.def"
#define TANDEM_TERNARY(name, ...)                         \
  Tensor name(const Arg& second, const Arg& third) const; \
  Tensor& name##_(const Arg& second, const Arg& third);
#include "tandem/ops/ternary.def"
#define TANDEM_REDUCTION(name, ...)                        \
  Tensor name(const Axes& axes = {}, bool keepdim = false, \
              std::optional<DType> dtype = std::nullopt) const;
#include "tandem/ops/reduction.def"
  // ... and of its rows with a form of their own; see tandem/ops.h.
  Tensor max() const;
  Tensor min() const;
  std::tuple<Tensor, Tensor> max(Axis axis, bool keepdim = false) const;
  std::tuple<Tensor, Tensor> min(Axis axis, bool keepdim = false) const;
  Tensor argmax(std::optional<Axis> axis = {}, bool keepdim = false) const;
  Tensor argmin(std::optional<Axis> axis = {}, bool keepdim = false) const;
  Tensor var(const Axes& axes = {}, double correction = 1, bool keepdim = false) const;
  Tensor std(const Axes& axes = {}, double correction = 1, bool keepdim = false) const;
  Tensor softmax(Axis axis, std::optional<DType> dtype = {}) const;
  Tensor log_softmax(Axis axis, std::optional<DType> dtype = {}) const;
  Tensor matmul(const Tensor& other) const;

  detail::TensorBody* body_ptr() const { return body_; }
  /// Takes over one count of the body.
  static Tensor adopt(detail::TensorBody* b) {
    Tensor t;
    t.body_ = b;
    return t;
  }

 private:
  const detail::TensorBody& body() const {
    if (body_ == nullptr) [[unlikely]]
      fail_undefined();
    return *body_;
  }
  [[noreturn]] static void fail_undefined();
  Tensor index_by(const Index* list, std::size_t n) const;
  void check_dtype(DType expected) const;

  detail::TensorBody* body_ = nullptr;
};

inline Index::Index(const tandem::Tensor& t)
    : kind_(Kind::Tensor), tensor_(std::make_shared<tandem::Tensor>(t)) {}

/// A tensor or a number, as the operand of an elementwise op. Borrows the tensor: for parameters
/// only.
class Arg {
 public:
  Arg(const Tensor& t) : tensor_(&t) {}
  Arg(const Scalar& s) : scalar_(s) {}
  template <class T>
  requires std::is_arithmetic_v<T> Arg(T v) : scalar_(v) {}
  template <class T>
  Arg(std::complex<T> v) : scalar_(v) {}
  bool is_tensor() const { return tensor_ != nullptr; }
  const Tensor& tensor() const { return *tensor_; }
  const Scalar& scalar() const { return scalar_; }

 private:
  const Tensor* tensor_ = nullptr;
  Scalar scalar_;
};

/// Uninitialised.
TANDEM_API Tensor empty(IntSpan shape, const Options& options = {});
/// Uninitialised, dense, in pinned memory of the host (Tensor::pin_memory). Raises DeviceError.
TANDEM_API Tensor empty_pinned(IntSpan shape, DType dtype);
/// Uninitialised with given strides (elements, none negative).
TANDEM_API Tensor empty_strided(IntSpan shape, IntSpan strides, const Options& options = {});
/// Wraps memory of the caller, on the host or a device; strides in elements, may be negative (the
/// pointer is that of element [0, 0, ...]); `deleter` runs when the last tensor lets go, at once
/// and on whatever thread that is. On a device work that uses the memory may be queued still:
/// `deleter` must wait for it (cudaFree does), or be sure that it is done, or in the order of what
/// it does.
TANDEM_API Tensor from_blob(void* data, IntSpan shape, DType dtype, const Options& options = {},
                            std::function<void(void*)> deleter = {},
                            std::optional<IntSpan> strides = {});
/// The same for memory that is given back in the order of a stream, as by cudaFreeAsync: when the
/// last tensor lets go, `stream` is made to wait for the other streams on which Tandem used the
/// memory (Tensor::data(stream) counts as a use), and `deleter(data, stream)` is called; the host
/// does not wait. All these streams must live until then. The device is that of the stream.
TANDEM_API Tensor from_blob(void* data, IntSpan shape, DType dtype, const Options& options,
                            const Stream& stream, std::function<void(void*, Stream)> deleter,
                            std::optional<IntSpan> strides = {});

namespace detail {
/// All elements of a storage as a tensor that shares it, for language bindings.
TANDEM_API Tensor elements_of(const Storage& storage, DType dtype);
}  // namespace detail

}  // namespace tandem
