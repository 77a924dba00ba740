// Exact mode of a thread; TensorFloat-32 of the process.
#include "tandem/exact.h"

#include <atomic>

#include "tandem/tf32.h"

namespace tandem {

namespace {
constinit thread_local bool t_exact = false;
constinit std::atomic<bool> g_tf32{false};
}  // namespace

bool is_exact() noexcept { return t_exact; }
void set_exact(bool on) noexcept { t_exact = on; }

bool allow_tf32() noexcept { return g_tf32.load(std::memory_order_relaxed); }
void set_allow_tf32(bool on) noexcept { g_tf32.store(on, std::memory_order_relaxed); }

}  // namespace tandem
