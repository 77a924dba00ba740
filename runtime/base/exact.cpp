// Exact mode of a thread.
#include "tandem/exact.h"

namespace tandem {

namespace {
constinit thread_local bool t_exact = false;
}  // namespace

bool is_exact() noexcept { return t_exact; }
void set_exact(bool on) noexcept { t_exact = on; }

}  // namespace tandem
