// Storage and tensor bodies: creation, counting, the free list.
//
// Note [Bodies]
// A view must cost no more than a plain allocation, so bodies come from a thread-local free list. A
// body that another thread frees goes to that thread's list; lists are capped, so that a producer
// and a consumer of tensors do not pile bodies up on one side. Sizes and strides of up to six
// dimensions are inside the body. A view counts its base, not the storage: one atomic increment,
// and the base keeps the storage alive.
#include "runtime/tensor/body.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <new>

#include "runtime/memory/pools.h"
#include "runtime/stream/stream_id.h"

namespace tandem {

namespace {

constexpr int kFreeListCap = 512;

union FreeNode {
  FreeNode* next;
  alignas(detail::TensorBody) char bytes[sizeof(detail::TensorBody)];
};

struct FreeList {
  FreeNode* head = nullptr;
  int size = 0;
  ~FreeList();
};

// Whether the thread's list still exists: tensors in other thread_local objects may outlive it.
thread_local bool t_list_alive = true;
thread_local FreeList t_free_list;

FreeList::~FreeList() {
  t_list_alive = false;
  while (head != nullptr) {
    FreeNode* next = head->next;
    ::operator delete(head);
    head = next;
  }
}

void* take_node() {
  if (t_list_alive) [[likely]] {
    FreeList& list = t_free_list;
    if (list.head != nullptr) [[likely]] {
      FreeNode* n = list.head;
      list.head = n->next;
      --list.size;
      return n;
    }
  }
  return ::operator new(sizeof(FreeNode));
}

void give_node(void* p) noexcept {
  if (t_list_alive && t_free_list.size < kFreeListCap) [[likely]] {
    auto* n = static_cast<FreeNode*>(p);
    n->next = t_free_list.head;
    t_free_list.head = n;
    ++t_free_list.size;
    return;
  }
  ::operator delete(p);
}

}  // namespace

// ---- storage
// ---------------------------------------------------------------------------------------

Storage::Storage(std::size_t bytes, Device device) {
  auto* s = new detail::StorageBody;
  s->device = device;
  s->bytes = bytes;
  if (!device.is_meta()) {
    try {
      Block* block = device.is_cpu()
                         ? host_pool().allocate(bytes)
                         : pool_for(device).allocate(bytes, stream_id(current_stream(device)));
      s->block = block;
      s->data = block->data;
    } catch (...) {
      delete s;
      throw;
    }
  }
  body_ = s;
}

Storage::Storage(void* data, std::size_t bytes, Device device, std::function<void(void*)> deleter) {
  auto* s = new detail::StorageBody;
  s->device = device;
  s->bytes = bytes;
  s->data = data;
  s->deleter = std::move(deleter);
  body_ = s;
}

namespace detail {

void destroy(StorageBody* s) noexcept {
  if (s->drop_peer != nullptr) s->drop_peer(s->peer.load(std::memory_order_acquire));
  if (s->block != nullptr) {
    pool_for(s->device).free(static_cast<Block*>(s->block));
  } else if (s->deleter) {
    s->deleter(s->data);
  }
  delete s;
}

// ---- bodies
// ----------------------------------------------------------------------------------------

TensorBody* new_body() {
  auto* b = new (take_node()) TensorBody;
  b->refs.store(1, std::memory_order_relaxed);
  b->storage = nullptr;
  b->base = nullptr;
  b->offset = 0;
  b->numel = 0;
  b->autograd = nullptr;
  return b;
}

void destroy(TensorBody* b) noexcept {
  if (b->base != nullptr) {
    if (b->base->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(b->base);
  } else if (b->storage != nullptr) {
    release(b->storage);
  }
  b->~TensorBody();
  give_node(b);
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
  TANDEM_EXPECTS(shape.size() <= 32, ValueError,
                 fmt::format("[{}] expected at most 32 dimensions, got {}", op, shape.size()));
  if (empty) return 0;
  std::int64_t bytes = 0;
  overflow = overflow || __builtin_mul_overflow(n, static_cast<std::int64_t>(element_size), &bytes);
  TANDEM_EXPECTS(!overflow, ValueError,
                 fmt::format("[{}] a tensor of shape [{}] has more bytes than an address can count",
                             op, fmt::join(shape, ", ")));
  return n;
}

void contiguous_strides(IntSpan shape, Dims& strides) {
  strides.resize(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
}

Tensor make_tensor(Storage storage, DType dtype, std::int64_t offset, Dims shape, Dims strides,
                   Names names) {
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

Tensor make_empty(IntSpan shape, DType dtype, Device device) {
  const std::int64_t n = checked_numel(shape, element_size(dtype), "empty");
  TensorBody* b = new_body();
  Tensor t = Tensor::adopt(b);  // frees the body should the allocation fail
  b->dtype = dtype;
  b->numel = n;
  b->shape.assign(shape.data(), shape.size());
  contiguous_strides(shape, b->strides);
  Storage s(static_cast<std::size_t>(n) * element_size(dtype), device);
  b->storage = s.body();
  retain(b->storage);
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
