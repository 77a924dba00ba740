// The number of threads that host ops may use.
//
// Note [Fork]
// OpenMP's threads do not come along into the child of a fork, but the run time's records of them
// do: a region of several threads would wait for them for ever. So the child of a process that had
// a team works on one thread. What ops make at their first use is made by made_once or under a lock
// that a fork waits for (runtime/memory/fork.h). It does not wait for a library that is being
// opened, which registers handlers of forks: the child does without (runtime/dispatch/library.h).
#include <fmt/format.h>
#include <omp.h>
#include <pthread.h>

#include <atomic>

#include "host/parallel.h"
#include "tandem/error.h"
#include "tandem/threads.h"

namespace tandem {

namespace {
std::atomic<int> g_threads{0};  // 0: not set, OpenMP's own number
constinit std::atomic<bool> g_team_made{false};
constinit std::atomic<bool> g_alone{false};  // the child of a process that had a team

void in_child() { g_alone.store(g_team_made.load()); }
// At load, so that no fork comes between the first team and this.
[[maybe_unused]] const int g_handler = pthread_atfork(nullptr, nullptr, in_child);
}  // namespace

namespace host {
void team_made() noexcept {
  if (!g_team_made.load(std::memory_order_relaxed)) g_team_made.store(true);
}
}  // namespace host

void set_num_threads(int n) {
  TANDEM_EXPECTS(n > 0, ValueError,
                 fmt::format("[set_num_threads] expected a number > 0, got {}", n));
  g_threads.store(n, std::memory_order_relaxed);
}

int get_num_threads() {
  if (g_alone.load(std::memory_order_relaxed)) [[unlikely]]
    return 1;
  const int n = g_threads.load(std::memory_order_relaxed);
  return n > 0 ? n : omp_get_max_threads();
}

}  // namespace tandem
