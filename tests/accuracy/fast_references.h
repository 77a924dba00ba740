// References in double for functions of a float, fast enough for all floats; how a block of results
// is screened against them; and the SIMD levels of this CPU.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "tandem/fn.h"

#if defined(__x86_64__)
#define TEST_V3 __attribute__((target("avx2,fma,bmi,bmi2,lzcnt")))
#define TEST_V4 \
  __attribute__((target("avx2,fma,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define TEST_V3
#define TEST_V4
#endif

namespace tandem::testing {

#if defined(__x86_64__)
inline bool has_v3() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
inline bool has_v4() { return has_v3() && __builtin_cpu_supports("avx512vl"); }
#else
inline bool has_v3() { return false; }
inline bool has_v4() { return false; }
#endif

/// Elements that a fast reference takes at a time.
inline constexpr int kBlock = 1024;

/// A function of a float in double precision.
struct Fast {
  const char* name;
  double (*exact)(double);                         // libm's, to about 1 ulp of double
  void (*screen)(const float* in, double* exact);  // kBlock elements, to about 4
};

/// Null where there is none.
const Fast* fast_reference(std::string_view row);

/// Error in float's places without the rare cases, to be vectorised: those give infinity.
inline __attribute__((always_inline)) double quick_error(float got, double exact) {
  const double g = got;
  const std::uint64_t bits = fn::to_bits(exact);
  const std::uint64_t exponent = (bits >> 52) & 0x7ffu;
  const std::uint64_t place = exponent < 1023u - 126u ? 1023u - 126u : exponent;
  const double error = std::fabs(g - exact) * fn::from_bits((1023u + 23u + 1023u - place) << 52);
  const bool signs = (fn::to_bits(g) ^ bits) >> 63 != 0u;
  const bool rare = signs | !(std::fabs(exact) < 0x1.fffffep127) | !(std::fabs(g) < HUGE_VAL);
  const bool overflow = !signs & (std::fabs(exact) >= 0x1p128) & (std::fabs(g) == HUGE_VAL);
  const bool same = (fn::to_bits(g) == bits) | ((g != g) & (exact != exact)) | overflow;
  return same ? 0.0 : (rare ? HUGE_VAL : error);
}

/// The errors of a block of results, infinite for the rare cases; the greatest. Needs has_v3().
TEST_V3 inline double screen_block(const Fast& f, const float* in, const float* out,
                                   double* error) {
  double exact[kBlock];
  f.screen(in, exact);
  double worst = 0;
  for (int i = 0; i < kBlock; ++i) error[i] = quick_error(out[i], exact[i]);
  for (int i = 0; i < kBlock; ++i) worst = error[i] > worst ? error[i] : worst;
  return worst;
}

}  // namespace tandem::testing
