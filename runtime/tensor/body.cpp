// Storage and tensor bodies: creation, counting, the free list.
//
// Note [Bodies]
// A view must cost no more than a plain allocation, so bodies come from a thread-local free list,
// and stay constructed there. A body that another thread frees goes to that thread's list; lists
// are capped, so that a producer and a consumer of tensors do not pile bodies up on one side. Sizes
// and strides of up to six dimensions are inside the body. A view counts its base, not the storage:
// one atomic increment, and the base keeps the storage alive.
#include "runtime/tensor/body.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "runtime/base/trace.h"
#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/check.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "runtime/stream/stream_id.h"
#include "runtime/tensor/foreign_memory.h"
#include "runtime/tensor/storage_observer.h"
#include "tandem/backend.h"

namespace tandem {

namespace {

constexpr int kFreeListCap = 512;

// The lists are plain data, so that an access is one load: libtandem may be opened at run time, but
// these few words fit the room that the loader keeps for that.
#define TANDEM_FAST_TLS __attribute__((tls_model("initial-exec")))

/// Where a free body keeps the link to the next one.
detail::TensorBody* link_of(detail::TensorBody* b) { return b->base; }
void set_link(detail::TensorBody* b, detail::TensorBody* next) { b->base = next; }
detail::StorageBody* link_of(detail::StorageBody* s) {
  return static_cast<detail::StorageBody*>(s->block);
}
void set_link(detail::StorageBody* s, detail::StorageBody* next) { s->block = next; }

/// A thread's list of free bodies. They stay constructed: who takes one sets its fields.
template <class T>
struct Bodies {
  static thread_local T* head TANDEM_FAST_TLS;
  static thread_local int size TANDEM_FAST_TLS;
  static thread_local bool armed TANDEM_FAST_TLS;

  static T* take() {
    if (T* b = head; b != nullptr) [[likely]] {
      head = link_of(b);
      --size;
      return b;
    }
    return new T;
  }

  static void give(T* b) noexcept {
    if (size >= kFreeListCap) [[unlikely]] {
      delete b;
      return;
    }
    if (!armed) [[unlikely]]
      arm();
    set_link(b, head);
    head = b;
    ++size;
  }

  static void arm() noexcept;

  static void drain() noexcept {
    while (head != nullptr) {
      T* next = link_of(head);
      delete head;
      head = next;
    }
    size = kFreeListCap;  // tensors in other thread_local objects may outlive the lists
  }
};
template <class T>
thread_local T* Bodies<T>::head = nullptr;
template <class T>
thread_local int Bodies<T>::size = 0;
template <class T>
thread_local bool Bodies<T>::armed = false;

/// Empties the lists when the thread ends.
struct Drain {
  bool armed = false;
  ~Drain() {
    Bodies<detail::TensorBody>::drain();
    Bodies<detail::StorageBody>::drain();
  }
};
thread_local Drain t_drain;

/// Creates the object whose destructor drains. Once a thread: an access to it is a call.
template <class T>
__attribute__((cold, noinline)) void Bodies<T>::arm() noexcept {
  t_drain.armed = true;
  armed = true;
}

/// As a new one, but for what all of a new tensor's makers set.
detail::StorageBody* fresh_storage(std::size_t bytes, Device device) {
  auto* s = Bodies<detail::StorageBody>::take();
  s->refs.store(1, std::memory_order_relaxed);
  s->device = device;
  s->data = nullptr;
  s->bytes = bytes;
  s->block = nullptr;
  s->foreign = nullptr;
  s->version.store(0, std::memory_order_relaxed);
  s->peer.store(nullptr, std::memory_order_relaxed);
  s->drop_peer = nullptr;
  return s;
}

}  // namespace

// ---- storage
// ---------------------------------------------------------------------------------------

namespace {
/// With the number of the device, once for all that is done with it.
Device one_device(Device device) {
  const bool known = device == kCPU || device == kMeta || device_number(device) != 0;
  return known ? device : resolve_device(device, "storage");
}

std::atomic<const detail::StorageObserver*> g_observer{nullptr};
}  // namespace

void detail::observe_meta_storages(const StorageObserver* observer) noexcept {
  g_observer.store(observer, std::memory_order_release);
}

Storage::Storage(std::size_t bytes, Device device) {
  device = one_device(device);
  auto* s = fresh_storage(bytes, device);
  if (!device.is_meta()) {
    try {
      Block* block = nullptr;
      if (device.is_cpu()) {
        block = host_pool().allocate(bytes);
      } else {
        const detail::Place place = detail::place_of(stream_id(current_stream(device)));
        block = pool_for(device).allocate(bytes, place.stream, place.pool);
      }
      s->block = block;
      s->data = block->data;
      if (debug::on(debug::kStreams) && !device.is_cpu()) [[unlikely]]
        debug::created(*s, current_stream(device));
    } catch (...) {
      Bodies<detail::StorageBody>::give(s);
      throw;
    }
  } else if (const detail::StorageObserver* o = g_observer.load(std::memory_order_acquire)) {
    o->made(s, bytes);
  }
  body_ = s;
}

Storage::Storage(Block& block, Device device) {
  auto* s = fresh_storage(block.requested, device);
  s->block = &block;
  s->data = block.data;
  body_ = s;
}

Storage::Storage(void* data, std::size_t bytes, Device device, std::function<void(void*)> deleter) {
  auto* s = fresh_storage(bytes, one_device(device));
  s->data = data;
  s->deleter = std::move(deleter);
  if (debug::on(debug::kAny)) [[unlikely]]
    debug::wrapped(*s);
  body_ = s;
}

Storage::Storage(void* data, std::size_t bytes, const Stream& stream,
                 std::function<void(void*, Stream)> deleter) {
  auto foreign = std::make_unique<detail::ForeignMemory>();
  foreign->home = stream;
  foreign->deleter = std::move(deleter);
  auto* s = fresh_storage(bytes, stream.device());
  s->data = data;
  s->foreign = foreign.release();
  if (debug::on(debug::kAny)) [[unlikely]] {
    debug::wrapped(*s);
    if (debug::on(debug::kStreams)) debug::created(*s, stream);
  }
  body_ = s;
}

namespace detail {

void destroy(StorageBody* s) noexcept {
  if (debug::on(debug::kAny)) [[unlikely]]
    debug::destroyed(*s);
  if (s->drop_peer != nullptr) s->drop_peer(s->peer.load(std::memory_order_acquire));
  if (s->block != nullptr) {
    auto* block = static_cast<Block*>(s->block);
    block->pool->free(block);
  } else if (s->deleter) {
    s->deleter(s->data);
    s->deleter = nullptr;
  } else if (s->foreign != nullptr) {
    ForeignMemory::give_back(s->foreign, s->data);
  } else if (s->device.is_meta()) {
    if (const StorageObserver* o = g_observer.load(std::memory_order_acquire)) o->gone(s);
  }
  Bodies<StorageBody>::give(s);
}

// ---- bodies
// ----------------------------------------------------------------------------------------

TensorBody* new_body() {
  auto* b = Bodies<TensorBody>::take();
  b->refs.store(1, std::memory_order_relaxed);
  b->storage = nullptr;
  b->base = nullptr;
  b->offset = 0;
  b->numel = 0;
  b->autograd = nullptr;
  b->shape.clear();
  b->strides.clear();
  b->names.clear();
  return b;
}

void destroy(TensorBody* b) noexcept {
  if (b->base != nullptr) {
    if (drop(b->base->refs)) destroy(b->base);
  } else if (b->storage != nullptr) {
    release(b->storage);
  }
  Bodies<TensorBody>::give(b);
}

void check_rank(std::size_t rank, const char* op) {
  TANDEM_EXPECTS(rank <= kMaxRank, ValueError,
                 fmt::format("[{}] expected at most {} dimensions, got {}", op, kMaxRank, rank));
}

std::int64_t checked_numel(IntSpan shape, std::size_t element_size, const char* op) {
  std::int64_t n = 1;
  bool overflow = false;
  bool empty = false;
  for (const std::int64_t s : shape) {
    TANDEM_EXPECTS(s >= 0, ValueError,
                   fmt::format("[{}] Trying to create tensor with negative dimension {}: [{}]", op,
                               s, fmt::join(shape, ", ")));
    empty = empty || s == 0;
    overflow = __builtin_mul_overflow(n, s, &n) || overflow;
  }
  check_rank(shape.size(), op);
  if (empty) return 0;
  std::int64_t bytes = 0;
  overflow = overflow || __builtin_mul_overflow(n, static_cast<std::int64_t>(element_size), &bytes);
  TANDEM_EXPECTS(!overflow, ValueError,
                 fmt::format("[{}] a tensor of shape [{}] has more bytes than an address can count",
                             trace::t_current_op == nullptr ? op : trace::t_current_op,
                             fmt::join(shape, ", ")));
  return n;
}

void contiguous_strides(IntSpan shape, Dims& strides) {
  strides.resize_unset(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
}

Tensor make_tensor(const Storage& storage, DType dtype, std::int64_t offset, Dims shape,
                   Dims strides, Names names) {
  TensorBody* b = new_body();
  b->dtype = dtype;
  b->storage = storage.body();
  retain(b->storage);
  b->offset = offset;
  b->numel = 1;
  for (const std::int64_t s : shape) b->numel *= s;
  b->shape = std::move(shape);
  b->strides = std::move(strides);
  b->names = std::move(names);
  return Tensor::adopt(b);
}

Tensor elements_of(const Storage& storage, DType dtype) {
  const std::size_t n = storage.bytes() / element_size(dtype);
  return make_tensor(storage, dtype, 0, Dims{static_cast<std::int64_t>(n)}, Dims{1});
}

Tensor make_empty(IntSpan shape, DType dtype, Device device) {
  const std::int64_t n = checked_numel(shape, element_size(dtype), "empty");
  TensorBody* b = new_body();
  Tensor t = Tensor::adopt(b);  // frees the body should the allocation fail
  b->dtype = dtype;
  b->numel = n;
  b->shape.assign(shape.data(), shape.size());
  contiguous_strides(shape, b->strides);
  b->storage = Storage(static_cast<std::size_t>(n) * element_size(dtype), device).release();
  return t;
}

Tensor make_dense_like(const TensorBody& like) {
  TensorBody* b = new_body();
  Tensor t = Tensor::adopt(b);
  b->dtype = like.dtype;
  b->numel = like.numel;
  b->shape = like.shape;
  contiguous_strides(like.shape, b->strides);
  b->storage =
      Storage(static_cast<std::size_t>(like.numel) * element_size(like.dtype), kCPU).release();
  return t;
}

TensorBody* begin_view(const TensorBody* of) {
  auto* root = of->base != nullptr ? of->base : const_cast<TensorBody*>(of);
  TensorBody* b = new_body();
  root->refs.fetch_add(1, std::memory_order_relaxed);
  b->base = root;
  b->storage = of->storage;
  b->dtype = of->dtype;
  b->offset = of->offset;
  return b;
}

Tensor make_view(const Tensor& base, std::int64_t offset, Dims shape, Dims strides, Names names) {
  check_rank(shape.size(), "view");
  TensorBody* b = begin_view(base.body_ptr());
  b->offset = offset;
  b->numel = 1;
  for (const std::int64_t s : shape) b->numel *= s;
  b->shape = std::move(shape);
  b->strides = std::move(strides);
  b->names = std::move(names);
  return Tensor::adopt(b);
}

namespace {
struct Extent {
  std::int64_t stride, size;
};

/// Sizes other than 1 and absolute strides, from the smallest stride up.
SmallVector<Extent, 6> by_stride(IntSpan shape, IntSpan strides) {
  SmallVector<Extent, 6> v;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1) v.push_back({std::abs(strides[i]), shape[i]});
  }
  std::sort(v.begin(), v.end(),
            [](const Extent& a, const Extent& b) { return a.stride < b.stride; });
  return v;
}
}  // namespace

bool is_dense(IntSpan shape, IntSpan strides) {
  std::int64_t expected = 1;
  for (const auto& [stride, size] : by_stride(shape, strides)) {
    if (size == 0) return true;
    if (stride != expected) return false;
    expected *= size;
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] > 1 && strides[i] < 0) return false;
  }
  return true;
}

bool may_overlap_itself(IntSpan shape, IntSpan strides) {
  std::int64_t reach = 0;  // farthest element of the dimensions seen so far
  bool overlaps = false;
  for (const auto& [stride, size] : by_stride(shape, strides)) {
    if (size == 0) return false;
    overlaps = overlaps || stride <= reach;
    reach += stride * (size - 1);
  }
  return overlaps;
}

}  // namespace detail
}  // namespace tandem
