// Checks every float32 elementary function over all 2^32 inputs (or a sample: --stride N) against
// double-precision libm, and that every SIMD level this CPU has gives the same bits (--bits N).
// lint: oracle table
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "kernels/functors/elementary.h"

namespace {

using tandem::fn::from_bits;
using tandem::fn::to_bits;
constexpr int kBlock = 1024;

#if defined(__x86_64__)
#define TEST_V3 __attribute__((target("avx2,fma,bmi,bmi2,lzcnt")))
#define TEST_V4 \
  __attribute__((target("avx2,fma,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512dq,avx512vl")))
bool has_v3() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_v4() { return has_v3() && __builtin_cpu_supports("avx512vl"); }
#else
#define TEST_V3
#define TEST_V4
bool has_v3() { return false; }
bool has_v4() { return false; }
#endif

// One row a function: the name is the functor's and, for the reference, libm's.
#define TANDEM_F32_FUNCTIONS(X) \
  X(exp, std::exp, 1.0)         \
  X(exp2, std::exp2, 1.0)       \
  X(expm1, std::expm1, 1.0)     \
  X(log, std::log, 1.0)         \
  X(log2, std::log2, 1.0)       \
  X(log10, std::log10, 1.0)     \
  X(log1p, std::log1p, 1.0)     \
  X(sigmoid, ref_sigmoid, 1.0)  \
  X(sin, std::sin, 1.0)         \
  X(cos, std::cos, 1.0)         \
  X(tan, std::tan, 1.0)         \
  X(asin, std::asin, 1.0)       \
  X(acos, std::acos, 1.0)       \
  X(atan, std::atan, 1.0)       \
  X(sinh, std::sinh, 1.0)       \
  X(cosh, std::cosh, 1.0)       \
  X(tanh, std::tanh, 1.0)       \
  X(asinh, std::asinh, 1.0)     \
  X(acosh, std::acosh, 1.0)     \
  X(atanh, std::atanh, 1.0)     \
  X(erf, std::erf, 1.0)         \
  X(rsqrt, ref_rsqrt, 1.0)

double ref_sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

double ref_rsqrt(double x) { return 1 / std::sqrt(x); }

struct Function {
  const char* name;
  double (*reference)(double);
  double bound;
  void (*baseline)(const float*, float*);
  void (*v3)(const float*, float*);
  void (*v4)(const float*, float*);
};

#define TANDEM_WRAP(name, ref, bound)                                    \
  struct Run_##name {                                                    \
    static void baseline(const float* in, float* out) {                  \
      for (int i = 0; i < kBlock; ++i) out[i] = tandem::fn::name(in[i]); \
    }                                                                    \
    TEST_V3 static void v3(const float* in, float* out) {                \
      for (int i = 0; i < kBlock; ++i) out[i] = tandem::fn::name(in[i]); \
    }                                                                    \
    TEST_V4 static void v4(const float* in, float* out) {                \
      for (int i = 0; i < kBlock; ++i) out[i] = tandem::fn::name(in[i]); \
    }                                                                    \
    static double reference(double x) { return ref(x); }                 \
  };
TANDEM_F32_FUNCTIONS(TANDEM_WRAP)

#define TANDEM_ROW(name, ref, bound) \
  {#name, Run_##name::reference, bound, Run_##name::baseline, Run_##name::v3, Run_##name::v4},
const Function kFunctions[] = {TANDEM_F32_FUNCTIONS(TANDEM_ROW)};

/// Error of got in units of the last place of the exact value; infinite where the kind is wrong.
double ulp_error(float got, double exact) {
  const double wrong = HUGE_VAL;
  if (exact != exact || got != got) return (exact != exact) == (got != got) ? 0 : wrong;
  if (std::signbit(got) != std::signbit(exact)) return wrong;
  if (std::isinf(exact)) return got == exact ? 0 : wrong;
  const double limit = 0x1p128;
  const double g = std::isinf(got) ? std::copysign(limit, exact) : double(got);
  const double e = std::min(std::max(exact, -limit), limit);
  const int exponent = std::max(e == 0 ? -126 : std::min(std::ilogb(e), 127), -126);
  return std::fabs(g - e) * std::ldexp(1.0, 23 - exponent);
}

struct Worst {
  double ulp = 0;
  float input = 0, got = 0;
};

Worst check_accuracy(const Function& f, std::uint64_t stride) {
  Worst worst;
  const std::int64_t count = std::int64_t(((std::uint64_t(1) << 32) + stride - 1) / stride);
  const std::int64_t blocks = (count + kBlock - 1) / kBlock;
#pragma omp parallel
  {
    Worst mine;
    float in[kBlock], out[kBlock];
#pragma omp for schedule(dynamic, 64)
    for (std::int64_t b = 0; b < blocks; ++b) {
      for (int i = 0; i < kBlock; ++i) {
        in[i] = from_bits(std::uint32_t(std::uint64_t(b * kBlock + i) * stride));
      }
      (has_v3() ? f.v3 : f.baseline)(in, out);
      for (int i = 0; i < kBlock; ++i) {
        const double ulp = ulp_error(out[i], f.reference(in[i]));
        if (ulp > mine.ulp) mine = Worst{ulp, in[i], out[i]};
      }
    }
#pragma omp critical
    if (mine.ulp > worst.ulp) worst = mine;
  }
  return worst;
}

bool same_bits(const float* a, const float* b, const float* in, const char* name,
               const char* level) {
  for (int i = 0; i < kBlock; ++i) {
    if (to_bits(a[i]) == to_bits(b[i]) || (a[i] != a[i] && b[i] != b[i])) continue;
    std::printf("%s(%a): baseline %a, %s %a\n", name, in[i], a[i], level, b[i]);
    return false;
  }
  return true;
}

bool check_bits(const Function& f, std::uint64_t stride) {
  bool ok = true;
  const std::int64_t blocks = std::int64_t((std::uint64_t(1) << 32) / stride / kBlock) + 1;
#pragma omp parallel for schedule(dynamic, 16) reduction(&& : ok)
  for (std::int64_t b = 0; b < blocks; ++b) {
    float in[kBlock], base[kBlock], out[kBlock];
    for (int i = 0; i < kBlock; ++i) {
      in[i] = from_bits(std::uint32_t(std::uint64_t(b * kBlock + i) * stride));
    }
    f.baseline(in, base);
    if (has_v3()) {
      f.v3(in, out);
      ok = same_bits(base, out, in, f.name, "v3") && ok;
    }
    if (has_v4()) {
      f.v4(in, out);
      ok = same_bits(base, out, in, f.name, "v4") && ok;
    }
  }
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t stride = 1, bits_stride = 0;
  const char* filter = "";
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--stride") == 0 && i + 1 < argc) {
      stride = std::max(1ull, std::strtoull(argv[++i], nullptr, 10));
    } else if (std::strcmp(argv[i], "--bits") == 0 && i + 1 < argc) {
      bits_stride = std::max(1ull, std::strtoull(argv[++i], nullptr, 10));
    } else {
      filter = argv[i];
    }
  }
  int failed = 0;
  for (const Function& f : kFunctions) {
    if (*filter != '\0' && std::string(filter) != f.name) continue;
    if (bits_stride != 0 && !check_bits(f, bits_stride)) ++failed;
    const Worst w = check_accuracy(f, stride);
    const bool ok = w.ulp <= f.bound;
    failed += ok ? 0 : 1;
    std::printf("%-10s %8.4f ulp at %.9g (%a) -> %a%s\n", f.name, w.ulp, w.input, w.input, w.got,
                ok ? "" : "  ABOVE THE BOUND");
    std::fflush(stdout);
  }
  return failed == 0 ? 0 : 1;
}
