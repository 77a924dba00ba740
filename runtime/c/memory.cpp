// The caller's memory resource under a pool, and memory lent to the caller, of the C interface.
#include "tandem/memory.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <limits>

#include "runtime/c/boundary.h"
#include "runtime/dispatch/backend_loader.h"

using namespace tandem;

namespace {

/// Lives while it is under a pool or has memory out.
class CallersResource final : public MemoryResource {
 public:
  explicit CallersResource(const tandem_memory_resource& r) : calls_(r) {}
  void retain() {
    if (calls_.retain != nullptr) calls_.retain(calls_.context);
  }
  void* allocate(std::size_t bytes, std::size_t align, void* stream) override {
    void* p = calls_.allocate(calls_.context, bytes, align, stream);
    if (p != nullptr) holds_.fetch_add(1);
    return p;
  }
  void deallocate(void* p, std::size_t bytes, std::size_t align, void* stream) override {
    calls_.deallocate(calls_.context, p, bytes, align, stream);
    drop();
  }
  void removed() noexcept override { drop(); }
  bool stream_ordered() const noexcept override { return calls_.stream_ordered != 0; }
  void drop() {
    if (holds_.fetch_sub(1) != 1) return;
    if (calls_.release != nullptr) calls_.release(calls_.context);
    delete this;
  }

 private:
  tandem_memory_resource calls_;
  std::atomic<std::size_t> holds_{1};  // by the pool, and by each allocation
};

}  // namespace

int tandem_memory_trim(const char* device, uint64_t keep, uint64_t* freed) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_trim";
    const std::size_t bytes =
        trim_memory(resolve_device(c::device(device, kFunction), kFunction),
                    static_cast<std::size_t>(std::min<std::uint64_t>(keep, SIZE_MAX)));
    if (freed != nullptr) *freed = bytes;
  });
}

int tandem_memory_set_resource(const char* device, const tandem_memory_resource* resource) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_set_resource";
    const Device of = resolve_device(c::device(device, kFunction), kFunction);
    TANDEM_EXPECTS(!of.is_meta(), DeviceError,
                   "[tandem_memory_set_resource] expected a device with memory, got meta");
    tandem_memory_resource given{};  // one of an older program has fewer members
    if (resource != nullptr) {
      TANDEM_EXPECTS(
          resource->size >= offsetof(tandem_memory_resource, retain) && resource->size <= 4096,
          ValueError,
          "[tandem_memory_set_resource] expected resource->size to be "
          "sizeof(tandem_memory_resource)");
      std::memcpy(&given, resource, std::min(resource->size, sizeof given));
      TANDEM_EXPECTS(given.allocate != nullptr && given.deallocate != nullptr, ValueError,
                     "[tandem_memory_set_resource] expected a resource that can allocate and "
                     "deallocate, got null");
    }
    if (resource == nullptr) return set_memory_resource(of, nullptr);
    auto* fresh = new CallersResource(given);
    fresh->retain();
    try {
      set_memory_resource(of, fresh);
    } catch (...) {
      fresh->removed();
      throw;
    }
  });
}

int tandem_memory_allocate(size_t bytes, const tandem_stream* stream, void** data) {
  return c::guarded([&] {
    constexpr const char* kFunction = "tandem_memory_allocate";
    void*& to = c::given(data, {kFunction, "data"});
    to = allocate_memory(bytes, c::stream(stream, kFunction));
  });
}

int tandem_memory_deallocate(void* data, const tandem_stream* stream) {
  return c::guarded(
      [&] { deallocate_memory(data, c::stream(stream, "tandem_memory_deallocate")); });
}
