// Memory resources of CUDA's C++ libraries (cuda::mr of CCCL, RMM) under Tandem's pools, and
// Tandem's pools as such resources. Optional: it includes the program's CCCL, tandem.h does not
// include it. With CCCL 3.0 the program defines LIBCUDACXX_ENABLE_EXPERIMENTAL_MEMORY_RESOURCE
// first, as <cuda/memory_resource> asks there.
//
// cuda::mr has two spellings. CCCL 3.0: allocate_async(bytes, alignment, stream), and
// allocate(bytes, alignment) for memory that is ready at once. Since 3.1: allocate(stream, bytes,
// alignment) and allocate_sync(bytes, alignment). Resources of either are taken, and PoolResource
// has both.
#pragma once

#include <cuda/memory_resource>
#include <cuda/stream_ref>

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "tandem/device.h"
#include "tandem/error.h"
#include "tandem/memory.h"
#include "tandem/stream.h"

namespace tandem {

namespace mr {

using Handle = decltype(std::declval<const cuda::stream_ref&>().get());

template <class R>
concept OrderedBefore31 = requires(R& r, void* p, std::size_t n, cuda::stream_ref s) {
  { r.allocate_async(n, n, s) } -> std::convertible_to<void*>;
  r.deallocate_async(p, n, n, s);
};
template <class R>
concept OrderedSince31 = requires(R& r, void* p, std::size_t n, cuda::stream_ref s) {
  { r.allocate(s, n, n) } -> std::convertible_to<void*>;
  r.deallocate(s, p, n, n);
};
template <class R>
concept ReadyBefore31 = requires(R& r, void* p, std::size_t n) {
  { r.allocate(n, n) } -> std::convertible_to<void*>;
  r.deallocate(p, n, n);
};
template <class R>
concept ReadySince31 = requires(R& r, void* p, std::size_t n) {
  { r.allocate_sync(n, n) } -> std::convertible_to<void*>;
  r.deallocate_sync(p, n, n);
};
template <class R>
concept Ordered = OrderedBefore31<R> || OrderedSince31<R>;
template <class R>
concept Source = Ordered<R> || ReadyBefore31<R> || ReadySince31<R>;

/// A resource, or what a pointer to one points to (rmm::mr::device_memory_resource*).
template <class R>
decltype(auto) pointee(R& r) {
  if constexpr (std::is_pointer_v<R>) {
    return *r;
  } else {
    return (r);
  }
}
template <class R>
using Pointee = std::remove_reference_t<decltype(pointee(std::declval<R&>()))>;

}  // namespace mr

/// Puts a resource of cuda::mr or RMM under a pool:
///
///     rmm::mr::cuda_async_memory_resource theirs;
///     tandem::ResourceAdapter adapter(&theirs);        // or a value, or a resource_ref
///     tandem::set_memory_resource(tandem::kCUDA, &adapter);
///
/// Memory of a stream-ordered resource is used in the order of the stream that wanted it.
template <class R>
requires mr::Source<mr::Pointee<R>>
class ResourceAdapter final : public MemoryResource {
 public:
  explicit ResourceAdapter(R resource) : resource_(std::move(resource)) {}

  void* allocate(std::size_t bytes, std::size_t align, void* stream) override {
    auto& r = mr::pointee(resource_);
    const cuda::stream_ref s(static_cast<mr::Handle>(stream));
    if constexpr (mr::OrderedSince31<mr::Pointee<R>>) {
      return r.allocate(s, bytes, align);
    } else if constexpr (mr::OrderedBefore31<mr::Pointee<R>>) {
      return r.allocate_async(bytes, align, s);
    } else if constexpr (mr::ReadySince31<mr::Pointee<R>>) {
      return r.allocate_sync(bytes, align);
    } else {
      return r.allocate(bytes, align);
    }
  }
  void deallocate(void* p, std::size_t bytes, std::size_t align, void* stream) override {
    auto& r = mr::pointee(resource_);
    const cuda::stream_ref s(static_cast<mr::Handle>(stream));
    if constexpr (mr::OrderedSince31<mr::Pointee<R>>) {
      r.deallocate(s, p, bytes, align);
    } else if constexpr (mr::OrderedBefore31<mr::Pointee<R>>) {
      r.deallocate_async(p, bytes, align, s);
    } else if constexpr (mr::ReadySince31<mr::Pointee<R>>) {
      r.deallocate_sync(p, bytes, align);
    } else {
      r.deallocate(p, bytes, align);
    }
  }
  bool stream_ordered() const noexcept override { return mr::Ordered<mr::Pointee<R>>; }

 private:
  R resource_;
};

/// Out of memory as these libraries know it, with the pool's report.
class PoolOutOfMemory : public std::bad_alloc {
 public:
  explicit PoolOutOfMemory(const char* report) : report_(std::make_shared<std::string>(report)) {}
  const char* what() const noexcept override { return report_->c_str(); }

 private:
  std::shared_ptr<const std::string> report_;  // copying an exception must not throw
};

/// Tandem's pool of a device as a stream-ordered resource of cuda::mr, in both spellings; RMM takes
/// it by its rmm::device_async_resource_ref. A handle: copies are equal and stand for one pool.
/// Raises PoolOutOfMemory, and std::bad_alloc for an alignment that the pool does not have
/// (256 bytes at most on a device, 64 on the host).
class PoolResource {
 public:
  explicit PoolResource(Device device) : device_(Stream::wrap(device, nullptr).device()) {}
  Device device() const { return device_; }

  // For work in the order of the stream.
  void* allocate(cuda::stream_ref stream, std::size_t bytes,
                 std::size_t align = alignof(std::max_align_t)) {
    check(align);
    return lend(bytes, wrap(stream));
  }
  void deallocate(cuda::stream_ref stream, void* p, std::size_t /*bytes*/ = 0,
                  std::size_t /*align*/ = alignof(std::max_align_t)) {
    deallocate_memory(p, wrap(stream));
  }
  void* allocate_async(std::size_t bytes, std::size_t align, cuda::stream_ref stream) {
    return allocate(stream, bytes, align);
  }
  void* allocate_async(std::size_t bytes, cuda::stream_ref stream) {
    return allocate(stream, bytes);
  }
  void deallocate_async(void* p, std::size_t bytes, std::size_t align, cuda::stream_ref stream) {
    deallocate(stream, p, bytes, align);
  }
  void deallocate_async(void* p, std::size_t bytes, cuda::stream_ref stream) {
    deallocate(stream, p, bytes);
  }

  // Ready at once, for work in any order: waits for the default stream. All work that used the
  // memory is done when it is given back.
  void* allocate_sync(std::size_t bytes, std::size_t align = alignof(std::max_align_t)) {
    check(align);
    const Stream stream = Stream::wrap(device_, nullptr);
    void* p = lend(bytes, stream);
    try {
      stream.synchronize();
    } catch (...) {
      deallocate_memory(p, stream);
      throw;
    }
    return p;
  }
  void deallocate_sync(void* p, std::size_t /*bytes*/ = 0,
                       std::size_t /*align*/ = alignof(std::max_align_t)) {
    deallocate_memory(p, Stream::wrap(device_, nullptr));
  }
  void* allocate(std::size_t bytes, std::size_t align = alignof(std::max_align_t)) {
    return allocate_sync(bytes, align);
  }
  void deallocate(void* p, std::size_t bytes, std::size_t align = alignof(std::max_align_t)) {
    deallocate_sync(p, bytes, align);
  }

  friend bool operator==(const PoolResource& a, const PoolResource& b) {
    return a.device_ == b.device_;
  }
  friend bool operator!=(const PoolResource& a, const PoolResource& b) { return !(a == b); }
  friend constexpr void get_property(const PoolResource&, cuda::mr::device_accessible) noexcept {}

 private:
  static void* lend(std::size_t bytes, const Stream& stream) {
    try {
      return allocate_memory(bytes, stream);
    } catch (const OutOfMemory& e) {
      throw PoolOutOfMemory(e.what());
    }
  }
  void check(std::size_t align) const {
    if (align > (device_.is_cpu() ? std::size_t{64} : std::size_t{256})) throw std::bad_alloc();
  }
  Stream wrap(cuda::stream_ref stream) const { return Stream::wrap(device_, stream.get()); }

  Device device_;
};

}  // namespace tandem
