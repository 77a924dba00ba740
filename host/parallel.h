// Splitting work over the OpenMP team. Clauses only: no affinity, no global OpenMP setting.
#pragma once

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>

#include "tandem/export.h"
#include "tandem/interrupt.h"
#include "tandem/threads.h"

namespace tandem::host {

/// To be called before work of several threads: see Note [Fork] in threads.cpp.
TANDEM_API void team_made() noexcept;

/// Cuts one thread's part of the work into slices of some 10 ms, between which the op's caller is
/// asked whether it is to end.
class TANDEM_API Slices {
 public:
  /// `ended`: set when another thread of the team has thrown.
  Slices(std::int64_t grain, bool is_caller, std::atomic<bool>* ended) noexcept;
  /// The end of the next slice of [first, last); `first` where the work is to end. Throws what the
  /// check throws.
  std::int64_t next(std::int64_t first, std::int64_t last);

 private:
  using Clock = std::chrono::steady_clock;

  std::int64_t grain_, step_;
  Clock::time_point began_, checked_;  // of this slice; the last look at the check
  bool is_caller_;
  bool begun_ = false;
  std::atomic<bool>* ended_;
};

/// f on [first, last), in slices where somebody may end the work.
template <class F>
void run_part(std::int64_t first, std::int64_t last, F& f, Slices* slices) {
  while (first < last) {
    const std::int64_t end = slices == nullptr ? last : slices->next(first, last);
    if (end == first) return;
    f(first, end);
    first = end;
  }
}

/// Calls f(first, last) on parts of [0, n) on up to get_num_threads() threads, each part at least
/// `grain` long. Runs on the calling thread where one part is enough or a parallel region is
/// already active. What f throws on one of the threads (memory that is not there) is thrown on; of
/// several the first. A thread may get its part in several calls of f, of some 10 ms each.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  const std::int64_t wanted =
      std::min<std::int64_t>(get_num_threads(), n / std::max<std::int64_t>(grain, 1));
  const bool sliced = tandem::detail::interruptible();
  if (wanted <= 1 || omp_in_parallel() != 0) {
    Slices slices(grain, true, nullptr);
    run_part(0, n, f, sliced && omp_in_parallel() == 0 ? &slices : nullptr);
    return;
  }
  team_made();
  std::exception_ptr thrown;
  std::atomic<bool> ended{false};
#pragma omp parallel num_threads(static_cast <int>(wanted))
  {
    const std::int64_t team = omp_get_num_threads();
    const std::int64_t me = omp_get_thread_num();
    // A region of one thread is none to a library that f calls: it would ask for threads.
    if (team == 1) omp_set_num_threads(1);
    const std::int64_t share = n / team;
    const std::int64_t extra = n % team;
    const std::int64_t first = me * share + std::min(me, extra);
    const std::int64_t last = first + share + (me < extra ? 1 : 0);
    // An exception that left the region would end the process.
    try {
      Slices slices(grain, me == 0, &ended);
      run_part(first, last, f, sliced ? &slices : nullptr);
    } catch (...) {
      ended.store(true, std::memory_order_relaxed);
#pragma omp critical(tandem_thrown)
      if (!thrown) thrown = std::current_exception();
    }
  }
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tandem::host
