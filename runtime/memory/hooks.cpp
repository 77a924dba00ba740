// The user's observer and out-of-memory callback, and the log's lines of memory events.
#include "runtime/memory/hooks.h"

#include <fmt/format.h>

#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/base/trace.h"

namespace tandem {

namespace {

std::atomic<MemoryObserver> g_observer{nullptr};

struct Callback {
  std::mutex mutex;
  std::shared_ptr<const OutOfMemoryCallback> call;
  /// Never destroyed: memory may run out after main.
  static Callback& get() {
    static auto* it = new Callback;
    return *it;
  }
};

}  // namespace

MemoryResource::~MemoryResource() = default;

void set_out_of_memory_callback(OutOfMemoryCallback callback) {
  auto call = callback ? std::make_shared<const OutOfMemoryCallback>(std::move(callback)) : nullptr;
  Callback& c = Callback::get();
  const std::lock_guard<std::mutex> hold(c.mutex);
  c.call.swap(call);
}

void set_memory_observer(MemoryObserver observer) { g_observer.store(observer); }

namespace memory {

bool ask_user(Device device, std::size_t bytes) {
  thread_local bool asking = false;
  if (asking) return false;
  std::shared_ptr<const OutOfMemoryCallback> call;
  {
    Callback& c = Callback::get();
    const std::lock_guard<std::mutex> hold(c.mutex);
    call = c.call;
  }
  if (call == nullptr) return false;
  struct Guard {
    Guard() { asking = true; }
    ~Guard() { asking = false; }
  } guard;
  return (*call)(device, bytes);
}

bool observed() noexcept {
  return g_observer.load(std::memory_order_acquire) != nullptr || trace::on(trace::kAlloc);
}

void observe(const MemoryEvent& e) {
  if (trace::on(trace::kAlloc)) {
    const char* what = e.kind == MemoryEvent::Kind::Grow   ? "took"
                       : e.kind == MemoryEvent::Kind::Trim ? "gave back"
                                                           : "could not get";
    trace::write(trace::kAlloc, fmt::format("{} {} {} ({}), now holds {}", e.device.str(), what,
                                            in_words(e.bytes), e.reason, in_words(e.reserved)));
  }
  if (const MemoryObserver observer = g_observer.load(std::memory_order_acquire)) observer(e);
}

void log_wait(Device device, const char* reason) {
  if (trace::on(trace::kSync)) {
    trace::write(trace::kSync, fmt::format("{}: waits for all its streams to give memory back ({})",
                                           device.str(), reason));
  }
}

std::string in_words(std::size_t bytes) {
  if (bytes == std::numeric_limits<std::size_t>::max()) return "none";
  const double b = static_cast<double>(bytes);
  if (bytes >= std::size_t{1} << 30) return fmt::format("{:.2f} GiB", b / (1 << 30));
  if (bytes >= std::size_t{1} << 20) return fmt::format("{:.2f} MiB", b / (1 << 20));
  if (bytes >= std::size_t{1} << 10) return fmt::format("{:.2f} KiB", b / (1 << 10));
  return fmt::format("{} bytes", bytes);
}

}  // namespace memory

}  // namespace tandem
