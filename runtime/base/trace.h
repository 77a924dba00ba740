// TANDEM_LOG=sync,copy,alloc,op: prints each hidden cost to stderr with the op that caused it.
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
extern thread_local const char* t_current_op __attribute__((tls_model("initial-exec")));

/// Prints "[tandem] topic op: text".
TANDEM_API void write(Topic topic, std::string_view text);

/// Names the op for the life of the scope; nested ops keep the outer name.
class OpScope {
 public:
  explicit OpScope(const char* op) : previous_(t_current_op) {
    if (previous_ == nullptr) t_current_op = op;
  }
  ~OpScope() { t_current_op = previous_; }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

 private:
  const char* previous_;
};

}  // namespace tandem::trace
