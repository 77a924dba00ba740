// TANDEM_LOG=sync,copy,alloc,op: prints each hidden cost to stderr with the op that caused it; and
// the profiler ranges of a backend.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "tandem/export.h"

namespace tandem::trace {

enum Topic : std::uint32_t { kSync = 1, kCopy = 2, kAlloc = 4, kOp = 8 };

/// Topics asked for in the environment; read once.
extern const std::uint32_t g_topics;
inline bool on(Topic t) { return (g_topics & t) != 0; }

/// The op that this thread is in, for messages; null outside.
extern constinit thread_local const char* t_current_op __attribute__((tls_model("initial-exec")));

/// Prints "[tandem] topic op: text".
TANDEM_API void write(Topic topic, std::string_view text);

/// What is told of every op: a backend's profiler ranges, the log of ops.
struct Ranges {
  void (*push)(const char* op) = nullptr;
  void (*pop)() = nullptr;
};

/// Null while nothing wants to hear of ops.
extern std::atomic<const Ranges*> g_ranges;

/// From here on, every op is a range of the backend's. Called by the loader, once a process.
void set_backend_ranges(Ranges ranges);

/// Names the op for the life of the scope, in the log (where nested ops keep the outer name) and as
/// a profiler range.
class OpScope {
 public:
  explicit OpScope(const char* op)
      : previous_(t_current_op), ranges_(g_ranges.load(std::memory_order_acquire)) {
    if (previous_ == nullptr) t_current_op = op;
    if (ranges_ != nullptr) [[unlikely]]
      ranges_->push(op);
  }
  ~OpScope() {
    // Volatile: GCC 12 holds a store to a thread's variable for dead where an exception goes on.
    *const_cast<const char* volatile*>(&t_current_op) = previous_;
    if (ranges_ != nullptr) [[unlikely]]
      ranges_->pop();
  }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

 private:
  const char* previous_;
  const Ranges* ranges_;  // those that were pushed to: they may be set in between
};

}  // namespace tandem::trace
