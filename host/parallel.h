// Splitting work over the OpenMP team. Clauses only: no affinity, no global OpenMP setting.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <exception>

#include "tandem/export.h"
#include "tandem/threads.h"

namespace tandem::host {

/// To be called before work of several threads: see Note [Fork] in threads.cpp.
TANDEM_API void team_made() noexcept;

/// Calls f(first, last) on parts of [0, n) on up to get_num_threads() threads, each part at least
/// `grain` long. Runs on the calling thread where one part is enough or a parallel region is
/// already active. What f throws on one of the threads (memory that is not there) is thrown on; of
/// several the first.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  const std::int64_t wanted =
      std::min<std::int64_t>(get_num_threads(), n / std::max<std::int64_t>(grain, 1));
  if (wanted <= 1 || omp_in_parallel() != 0) {
    if (n > 0) f(std::int64_t(0), n);
    return;
  }
  team_made();
  std::exception_ptr thrown;
#pragma omp parallel num_threads(static_cast <int>(wanted))
  {
    const std::int64_t team = omp_get_num_threads();
    const std::int64_t me = omp_get_thread_num();
    const std::int64_t share = n / team;
    const std::int64_t extra = n % team;
    const std::int64_t first = me * share + std::min(me, extra);
    const std::int64_t last = first + share + (me < extra ? 1 : 0);
    // An exception that left the region would end the process.
    try {
      if (first < last) f(first, last);
    } catch (...) {
#pragma omp critical(tandem_thrown)
      if (!thrown) thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tandem::host
