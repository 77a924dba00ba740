// How many OpenMP threads a library's call may use.
#pragma once

#include <omp.h>

#include "host/parallel.h"

namespace tandem::host {

/// Libraries ask OpenMP how many threads they may use: the calling thread's setting, given back.
class Team {
 public:
  explicit Team(int threads) : before_(omp_get_max_threads()) {
    if (threads > 1) team_made();
    if (threads != before_) omp_set_num_threads(threads);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team() {
    if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
  }

 private:
  int before_;
};

}  // namespace tandem::host
