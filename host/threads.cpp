// The number of threads that host ops may use.
#include <fmt/format.h>
#include <omp.h>

#include <atomic>

#include "tandem/error.h"
#include "tandem/threads.h"

namespace tandem {

namespace {
std::atomic<int> g_threads{0};  // 0: not set, OpenMP's own number
}

void set_num_threads(int n) {
  TANDEM_EXPECTS(n > 0, ValueError,
                 fmt::format("[set_num_threads] expected a number > 0, got {}", n));
  g_threads.store(n, std::memory_order_relaxed);
}

int get_num_threads() {
  const int n = g_threads.load(std::memory_order_relaxed);
  return n > 0 ? n : omp_get_max_threads();
}

}  // namespace tandem
