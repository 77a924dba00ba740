// libtandem_fftw: FFTW behind tandem::fft on the host.
//
// Note [The plug-in of FFTW]
// FFTW is under the GNU General Public License, version 2 or later, and so is this library once it
// is linked with it: whoever gives it on gives it on under that licence. It is a plug-in that
// libtandem opens at the first transform where it is there, and does without where it is not: no
// part of Tandem links it, no wheel and no image holds it, and it is installed as a component of
// its own, `fftw`. The source here is under the licence of Tandem, as everything else.
//
// Plans share FFTW's planner, which is one a process: calls are made under libtandem's lock, and
// FFTW's own is switched on for other users of FFTW in the process. FFTW's parallel loops run on
// Tandem's threads.
#include <fftw3.h>

#include <cstdio>
#include <cstring>

#include "tandem/backend/fft_library.h"

namespace tandem {

namespace {

unsigned flags_of(const FftwProblem& p) {
  const unsigned effort = p.effort == 0   ? FFTW_ESTIMATE
                          : p.effort == 1 ? FFTW_MEASURE
                                          : FFTW_PATIENT;
  return effort | (p.ends == FftEnds::RealOut ? FFTW_DESTROY_INPUT : FFTW_PRESERVE_INPUT);
}

/// The calls of one precision.
#define TANDEM_PRECISION(Name, prefix, Real)                                                      \
  struct Name {                                                                                   \
    using Plan = prefix##_plan;                                                                   \
    using Element = prefix##_complex;                                                             \
    static void start(const FftwHost& host) {                                                     \
      prefix##_init_threads();                                                                    \
      prefix##_make_planner_thread_safe();                                                        \
      prefix##_threads_set_callback(host.parallel, nullptr);                                      \
    }                                                                                             \
    static Plan make(const FftwProblem& p, void* in, void* out) {                                 \
      const prefix##_iodim64 row{p.n, 1, 1};                                                      \
      const prefix##_iodim64 batch{p.howmany, p.in_distance, p.out_distance};                     \
      const int many = p.howmany == 1 ? 0 : 1;                                                    \
      prefix##_plan_with_nthreads(p.threads);                                                     \
      auto* ci = static_cast<Element*>(in);                                                       \
      auto* co = static_cast<Element*>(out);                                                      \
      Plan plan = nullptr;                                                                        \
      switch (p.ends) {                                                                           \
        case FftEnds::Complex:                                                                    \
          plan = prefix##_plan_guru64_dft(1, &row, many, &batch, ci, co,                          \
                                          p.inverse != 0 ? FFTW_BACKWARD : FFTW_FORWARD,          \
                                          flags_of(p));                                           \
          break;                                                                                  \
        case FftEnds::RealIn:                                                                     \
          plan = prefix##_plan_guru64_dft_r2c(1, &row, many, &batch, static_cast<Real*>(in), co,  \
                                              flags_of(p));                                       \
          break;                                                                                  \
        case FftEnds::RealOut:                                                                    \
          plan = prefix##_plan_guru64_dft_c2r(1, &row, many, &batch, ci, static_cast<Real*>(out), \
                                              flags_of(p));                                       \
          break;                                                                                  \
      }                                                                                           \
      prefix##_plan_with_nthreads(1);                                                             \
      return plan;                                                                                \
    }                                                                                             \
    static void run(const FftwProblem& p, void* plan, void* in, void* out) {                      \
      auto* const made = static_cast<Plan>(plan);                                                 \
      auto* ci = static_cast<Element*>(in);                                                       \
      auto* co = static_cast<Element*>(out);                                                      \
      switch (p.ends) {                                                                           \
        case FftEnds::Complex:                                                                    \
          return prefix##_execute_dft(made, ci, co);                                              \
        case FftEnds::RealIn:                                                                     \
          return prefix##_execute_dft_r2c(made, static_cast<Real*>(in), co);                      \
        case FftEnds::RealOut:                                                                    \
          return prefix##_execute_dft_c2r(made, ci, static_cast<Real*>(out));                     \
      }                                                                                           \
    }                                                                                             \
  }
TANDEM_PRECISION(Single, fftwf, float);
TANDEM_PRECISION(Double, fftw, double);
#undef TANDEM_PRECISION

int alignment(const void* p, int wide) {
  return wide != 0 ? fftw_alignment_of(const_cast<double*>(static_cast<const double*>(p)))
                   : fftwf_alignment_of(const_cast<float*>(static_cast<const float*>(p)));
}

void* plan(const FftwProblem* p, void* in, void* out) {
  return p->wide != 0 ? static_cast<void*>(Double::make(*p, in, out))
                      : static_cast<void*>(Single::make(*p, in, out));
}

void execute(const FftwProblem* p, void* plan, void* in, void* out) {
  p->wide != 0 ? Double::run(*p, plan, in, out) : Single::run(*p, plan, in, out);
}

void destroy(const FftwProblem* p, void* plan) {
  if (p->wide != 0) return fftw_destroy_plan(static_cast<fftw_plan>(plan));
  fftwf_destroy_plan(static_cast<fftwf_plan>(plan));
}

}  // namespace

}  // namespace tandem

extern "C" __attribute__((visibility("default"))) int tandem_fftw_open(const tandem::FftwHost* host,
                                                                       tandem::FftwTable* out) {
  using namespace tandem;
  Single::start(*host);
  Double::start(*host);
  *out = {};
  out->abi = kFftwAbi;
  std::snprintf(out->version, sizeof out->version, "%s", fftwf_version);  // "fftw-3.3.10-sse2-avx"
  out->alignment = &alignment;
  out->plan = &plan;
  out->execute = &execute;
  out->destroy = &destroy;
  return 0;
}
