// Storage: one allocation on one device, shared by the tensors that view it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "tandem/device.h"
#include "tandem/export.h"

namespace tandem {

class Stream;
struct Block;

namespace detail {

struct ForeignMemory;

/// Intrusively counted; its memory comes from the device's pool or from the user (a deleter).
struct StorageBody {
  std::atomic<std::uint32_t> refs{1};
  Device device;
  void* data = nullptr;
  std::size_t bytes = 0;
  void* block = nullptr;  // the pool's block; null for memory of the user and for meta
  std::function<void(void*)> deleter;
  ForeignMemory* foreign = nullptr;  // of memory of the user that is given back in stream order
  std::atomic<std::uint32_t> version{0};  // counts writes, for autograd and for caches
  std::atomic<void*> peer{nullptr};       // a language binding's own object for this storage
  void (*drop_peer)(void*) = nullptr;
};

TANDEM_API void destroy(StorageBody* s) noexcept;
inline void retain(StorageBody* s) noexcept { s->refs.fetch_add(1, std::memory_order_relaxed); }
inline void release(StorageBody* s) noexcept {
  if (s->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(s);
}

}  // namespace detail

/// Shared handle to a storage.
class TANDEM_API Storage {
 public:
  Storage() = default;
  /// Uninitialised memory from the device's pool on the current stream. Raises OutOfMemory,
  /// DeviceError.
  Storage(std::size_t bytes, Device device);
  /// Memory the caller owns; `deleter(data)` runs when the last tensor lets go of it, at once: see
  /// from_blob.
  Storage(void* data, std::size_t bytes, Device device, std::function<void(void*)> deleter);
  /// The same, given back in the order of a stream: see from_blob.
  Storage(void* data, std::size_t bytes, const Stream& stream,
          std::function<void(void*, Stream)> deleter);
  /// Takes over a block of one of Tandem's pools. Internal.
  Storage(Block& block, Device device);
  Storage(const Storage& o) noexcept : body_(o.body_) {
    if (body_ != nullptr) detail::retain(body_);
  }
  Storage(Storage&& o) noexcept : body_(o.body_) { o.body_ = nullptr; }
  Storage& operator=(Storage o) noexcept {
    std::swap(body_, o.body_);
    return *this;
  }
  ~Storage() {
    if (body_ != nullptr) detail::release(body_);
  }

  void* data() const { return body_ == nullptr ? nullptr : body_->data; }
  std::size_t bytes() const { return body_ == nullptr ? 0 : body_->bytes; }
  Device device() const { return body_ == nullptr ? Device() : body_->device; }
  /// How often memory of this storage was written through Tandem.
  std::uint32_t version() const {
    return body_ == nullptr ? 0 : body_->version.load(std::memory_order_relaxed);
  }
  /// Equal for tensors that share their storage.
  const void* id() const { return body_; }
  bool operator==(const Storage& o) const { return body_ == o.body_; }
  detail::StorageBody* body() const { return body_; }
  /// Gives up the body with its count.
  detail::StorageBody* release() {
    detail::StorageBody* b = body_;
    body_ = nullptr;
    return b;
  }
  /// Takes over one count of the body.
  static Storage adopt(detail::StorageBody* body) {
    Storage s;
    s.body_ = body;
    return s;
  }

 private:
  detail::StorageBody* body_ = nullptr;
};

}  // namespace tandem
