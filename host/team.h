// How many OpenMP threads a library's call may use.
#pragma once

#include <omp.h>

#include "host/parallel.h"

namespace tandem::host {

/// Libraries ask OpenMP how many threads they may use: the calling thread's setting, given back.
class Team {
 public:
  explicit Team(int threads) : before_(omp_get_max_threads()), dynamic_(omp_get_dynamic()) {
    if (dynamic_ != 0) omp_set_dynamic(0);
    if (may_get_fewer(threads)) threads = 1;
    if (threads > 1) team_made();
    if (threads != before_) omp_set_num_threads(threads);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() {
    if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
    if (dynamic_ != 0) omp_set_dynamic(dynamic_);
  }

 private:
  /// OpenBLAS waits for ever for threads that OpenMP did not give it. Its own limit counts the
  /// threads of the whole process.
  static bool may_get_fewer(int threads) {
    return omp_get_max_active_levels() == 0 || omp_get_thread_limit() / 16 < threads;
  }

  int before_, dynamic_;
};

}  // namespace tandem::host
