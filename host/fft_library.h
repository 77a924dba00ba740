// Fourier transforms of the host by FFTW, where its plug-in is there.
#pragma once

#include <memory>
#include <string>

#include "host/registry.h"
#include "tandem/backend/fft_library.h"

namespace tandem::host {

/// The plug-in, opened once a process; null where it cannot be used.
const FftwTable* fftw_table();
/// Its version, or why it cannot be used.
const std::string& fftw_status();

/// A plan of FFTW and the problem that it is of; plans are destroyed under the planner's lock.
class FftwPlan {
 public:
  FftwPlan(const FftwProblem& problem, void* plan) : problem_(problem), plan_(plan) {}
  ~FftwPlan();
  FftwPlan(const FftwPlan&) = delete;
  FftwPlan& operator=(const FftwPlan&) = delete;
  void run(void* in, void* out) const { fftw_table()->execute(&problem_, plan_, in, out); }
  const FftwProblem& problem() const { return problem_; }

 private:
  FftwProblem problem_;
  void* plan_;
};

/// The plan of a problem for these pointers, whose alignment it completes. Kept, least recently
/// used. Null where FFTW has none. Throws std::bad_alloc.
std::shared_ptr<const FftwPlan> fftw_plan(FftwProblem problem, void* in, void* out);

/// One long complex row of a launch by shorter transforms; false where it is not long, or of a
/// length that does not split: nothing is done.
template <class T>
bool fft_split(const FftRowsLaunch& l, char* in, char* out);

/// Binds the kernel of FftRowsLaunch.
void register_fft_rows(HostRegistry& r);

}  // namespace tandem::host
