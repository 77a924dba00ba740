// Checks every float32 elementary function over all 2^32 inputs (or a sample: --stride N) against
// double-precision libm, and those of two arguments on a sample (--pairs N); and that every SIMD
// level this CPU has gives the same bits (for one argument every N-th input: --bits N).
// lint: oracle table
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/functors/elementary.h"
#include "tests/accuracy/special_references.h"

// glibc has vector versions of these in libmvec; told so, g++ calls them in the screening loops.
#if defined(__x86_64__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 35)
#define TEST_SIMD(name) extern "C" __attribute__((simd("notinbranch"))) double name(double) noexcept
TEST_SIMD(exp);
TEST_SIMD(exp2);
TEST_SIMD(expm1);
TEST_SIMD(log);
TEST_SIMD(log2);
TEST_SIMD(log10);
TEST_SIMD(log1p);
TEST_SIMD(sin);
TEST_SIMD(cos);
TEST_SIMD(tan);
TEST_SIMD(asin);
TEST_SIMD(acos);
TEST_SIMD(atan);
TEST_SIMD(sinh);
TEST_SIMD(cosh);
TEST_SIMD(tanh);
TEST_SIMD(asinh);
TEST_SIMD(acosh);
TEST_SIMD(atanh);
TEST_SIMD(erf);
TEST_SIMD(erfc);
#endif
#endif

namespace {

namespace fn = tandem::fn;
using fn::from_bits;
using fn::to_bits;
namespace ref = tandem::testing::references;
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

// Keeps the vectorised exp in the range that it handles itself; float overflows far earlier.
double clip(double x) { return x > 200 ? 200 : (x < -200 ? -200 : x); }

// sincospi holds below 2^21; x beyond is taken as 0.
TANDEM_FN float functor_sinpi(float x, int quarter) {
  float s, c;
  fn::sincospi(fn::abs_bits(x) < 0x1p21f ? x : 0.0f, s, c);
  return quarter == 0 ? s : c;
}
double reference_sinpi(double x, int quarter) {
  x = std::fabs(x) < 0x1p21 ? x : 0;
  const double n = std::rint(2 * x);
  const double t = 3.14159265358979323846 * (x - n / 2);  // the difference is exact
  const int q = (int(n) + quarter) & 3;
  const double y = (q & 1) != 0 ? std::cos(t) : std::sin(t);
  return (q & 2) != 0 ? -y : y;
}

// One row a function: its name, the functor's call and the reference (libm's in double), both in x,
// and the bound.
#define TANDEM_F32_FUNCTIONS(X)                              \
  X(exp, fn::exp(x), ::exp(clip(x)), 1.0)                    \
  X(exp2, fn::exp2(x), ::exp2(x), 1.0)                       \
  X(expm1, fn::expm1(x), ::expm1(x), 1.0)                    \
  X(log, fn::log(x), ::log(x), 1.0)                          \
  X(log2, fn::log2(x), ::log2(x), 1.0)                       \
  X(log10, fn::log10(x), ::log10(x), 1.0)                    \
  X(log1p, fn::log1p(x), ::log1p(x), 1.0)                    \
  X(sin, fn::sin(x), ::sin(x), 1.0)                          \
  X(cos, fn::cos(x), ::cos(x), 1.0)                          \
  X(tan, fn::tan(x), ::tan(x), 1.0)                          \
  X(asin, fn::asin(x), ::asin(x), 1.0)                       \
  X(acos, fn::acos(x), ::acos(x), 1.0)                       \
  X(atan, fn::atan(x), ::atan(x), 1.0)                       \
  X(sinh, fn::sinh(x), ::sinh(x), 1.0)                       \
  X(cosh, fn::cosh(x), ::cosh(x), 1.0)                       \
  X(tanh, fn::tanh(x), ::tanh(x), 1.0)                       \
  X(asinh, fn::asinh(x), ::asinh(x), 1.0)                    \
  X(acosh, fn::acosh(x), ::acosh(x), 1.0)                    \
  X(atanh, fn::atanh(x), ::atanh(x), 1.0)                    \
  X(erf, fn::erf(x), ::erf(x), 1.0)                          \
  X(sigmoid, fn::sigmoid(x), 1 / (1 + ::exp(-clip(x))), 1.0) \
  X(erfc, fn::erfc(x), ::erfc(x), 1.0)                       \
  X(erfinv, fn::erfinv(x), ref::erfinv(x), 1.0)              \
  X(lgamma, fn::lgamma(x), ref::lgamma(x), 1.0)              \
  X(digamma, fn::digamma(x), ref::digamma(x), 1.0)           \
  X(i0, fn::i0(x), ref::i0(x), 1.0)                          \
  X(logit, fn::logit(x), ref::logit(x), 1.0)                 \
  X(sinc, fn::sinc(x), ref::sinc(x), 1.0)                    \
  X(rsqrt, fn::rsqrt(x), 1 / std::sqrt(x), 1.0)              \
  X(sinpi, functor_sinpi(x, 0), reference_sinpi(x, 0), 1.0)  \
  X(cospi, functor_sinpi(x, 1), reference_sinpi(x, 1), 1.0)

struct Function {
  const char* name;
  double bound;
  double (*reference)(double);
  void (*baseline)(const float*, float*);
  void (*v3)(const float*, float*);
  void (*v4)(const float*, float*);
  void (*screen)(const float*, double*);  // the reference, vectorised: to about 4 ulp of double
};

#define TANDEM_WRAP(name, call, ref, bound)                    \
  struct Run_##name {                                          \
    static void baseline(const float* in, float* out) {        \
      for (int i = 0; i < kBlock; ++i) {                       \
        const float x = in[i];                                 \
        out[i] = call;                                         \
      }                                                        \
    }                                                          \
    TEST_V3 static void v3(const float* in, float* out) {      \
      for (int i = 0; i < kBlock; ++i) {                       \
        const float x = in[i];                                 \
        out[i] = call;                                         \
      }                                                        \
    }                                                          \
    TEST_V4 static void v4(const float* in, float* out) {      \
      for (int i = 0; i < kBlock; ++i) {                       \
        const float x = in[i];                                 \
        out[i] = call;                                         \
      }                                                        \
    }                                                          \
    TEST_V3 static void screen(const float* in, double* out) { \
      for (int i = 0; i < kBlock; ++i) {                       \
        const double x = in[i];                                \
        out[i] = ref;                                          \
      }                                                        \
    }                                                          \
    static double reference(double x) { return ref; }          \
  };
TANDEM_F32_FUNCTIONS(TANDEM_WRAP)

#define TANDEM_ROW(name, call, ref, bound)                                      \
  {#name,          bound,          Run_##name::reference, Run_##name::baseline, \
   Run_##name::v3, Run_##name::v4, Run_##name::screen},
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

/// The same error without the rare cases, to be vectorised: those give infinity.
inline __attribute__((always_inline)) double quick_error(float got, double exact) {
  const double g = got;
  const std::uint64_t bits = to_bits(exact);
  const std::uint64_t exponent = (bits >> 52) & 0x7ffu;
  const std::uint64_t place = exponent < 1023u - 126u ? 1023u - 126u : exponent;
  const double error = std::fabs(g - exact) * from_bits((1023u + 23u + 1023u - place) << 52);
  const bool signs = (to_bits(g) ^ bits) >> 63 != 0u;
  const bool rare = signs | !(std::fabs(exact) < 0x1.fffffep127) | !(std::fabs(g) < HUGE_VAL);
  const bool overflow = !signs & (std::fabs(exact) >= 0x1p128) & (std::fabs(g) == HUGE_VAL);
  const bool same = (to_bits(g) == bits) | ((g != g) & (exact != exact)) | overflow;
  return same ? 0.0 : (rare ? HUGE_VAL : error);
}

TEST_V3 double screen_block(const Function& f, const float* in, float* out, double* error) {
  double exact[kBlock];
  f.v3(in, out);
  f.screen(in, exact);
  double worst = 0;
  for (int i = 0; i < kBlock; ++i) error[i] = quick_error(out[i], exact[i]);
  for (int i = 0; i < kBlock; ++i) worst = error[i] > worst ? error[i] : worst;
  return worst;
}

/// Adds a block's errors to worst. Screened first where the CPU can: only what may be worse than
/// the worst so far is compared with the scalar libm.
void check_block(const Function& f, const float* in, Worst& worst) {
  float out[kBlock];
  double error[kBlock];
  const bool screened = has_v3();
  if (screened && screen_block(f, in, out, error) <= worst.ulp) return;
  if (!screened) f.baseline(in, out);
  for (int i = 0; i < kBlock; ++i) {
    if (screened && error[i] <= worst.ulp) continue;
    const double ulp = ulp_error(out[i], f.reference(in[i]));
    if (ulp > worst.ulp) worst = Worst{ulp, in[i], out[i]};
  }
}

Worst check_accuracy(const Function& f, std::uint64_t stride) {
  Worst worst;
  const std::int64_t count = std::int64_t(((std::uint64_t(1) << 32) + stride - 1) / stride);
  const std::int64_t blocks = (count + kBlock - 1) / kBlock;
#pragma omp parallel
  {
    Worst mine;
    float in[kBlock];
#pragma omp for schedule(dynamic, 64)
    for (std::int64_t b = 0; b < blocks; ++b) {
      for (int i = 0; i < kBlock; ++i) {
        in[i] = from_bits(std::uint32_t(std::uint64_t(b * kBlock + i) * stride));
      }
      check_block(f, in, mine);
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

// ---- functions of two arguments: sampled

// Name, the functor's call and the reference, both in x and y, and the bound.
#define TANDEM_F32_PAIRS(X)                                       \
  X(pow, fn::pow(x, y), std::pow(x, y), 1.0)                      \
  X(atan2, fn::atan2(x, y), std::atan2(x, y), 1.0)                \
  X(hypot, fn::hypot(x, y), std::hypot(x, y), 1.0)                \
  X(logaddexp, fn::logaddexp(x, y), ref::logaddexp(x, y), 1.0)    \
  X(logaddexp2, fn::logaddexp2(x, y), ref::logaddexp2(x, y), 1.0) \
  X(xlogy, fn::xlogy(x, y), ref::xlogy(x, y), 1.0)                \
  X(xlog1py, fn::xlog1py(x, y), ref::xlog1py(x, y), 1.0)          \
  X(ldexp, fn::ldexp(x, y), ref::ldexp(x, y), 1.0)

struct PairFunction {
  const char* name;
  double bound;
  double (*reference)(double, double);
  void (*baseline)(const float*, const float*, float*);
  void (*v3)(const float*, const float*, float*);
  void (*v4)(const float*, const float*, float*);
};

#define TANDEM_WRAP_PAIR(name, call, ref, bound)                         \
  struct Run_##name {                                                    \
    static void baseline(const float* a, const float* b, float* out) {   \
      for (int i = 0; i < kBlock; ++i) {                                 \
        const float x = a[i], y = b[i];                                  \
        out[i] = call;                                                   \
      }                                                                  \
    }                                                                    \
    TEST_V3 static void v3(const float* a, const float* b, float* out) { \
      for (int i = 0; i < kBlock; ++i) {                                 \
        const float x = a[i], y = b[i];                                  \
        out[i] = call;                                                   \
      }                                                                  \
    }                                                                    \
    TEST_V4 static void v4(const float* a, const float* b, float* out) { \
      for (int i = 0; i < kBlock; ++i) {                                 \
        const float x = a[i], y = b[i];                                  \
        out[i] = call;                                                   \
      }                                                                  \
    }                                                                    \
    static double reference(double x, double y) { return ref; }          \
  };
TANDEM_F32_PAIRS(TANDEM_WRAP_PAIR)

#define TANDEM_PAIR_ROW(name, call, ref, bound) \
  {#name, bound, Run_##name::reference, Run_##name::baseline, Run_##name::v3, Run_##name::v4},
const PairFunction kPairFunctions[] = {TANDEM_F32_PAIRS(TANDEM_PAIR_ROW)};

// Every pair of these is tried: zeros, ones, infinities, NaN, integers, halves, ends of the
// range.
const float kSpecial[] = {0.0f,
                          1.0f,
                          2.0f,
                          3.0f,
                          0.5f,
                          1.5f,
                          0x1p-149f,
                          0x1p-126f,
                          0x1.fffffep127f,
                          0x1p24f,
                          16777215.f,
                          8388607.5f,
                          0x1p25f,
                          0x1.fffffep-1f,
                          0x1.000002p0f,
                          1e-30f,
                          1e30f,
                          HUGE_VALF,
                          __builtin_nanf("")};
constexpr int kSpecials = 2 * int(sizeof(kSpecial) / sizeof(kSpecial[0]));
float special(int i) { return i % 2 == 0 ? kSpecial[i / 2] : -kSpecial[i / 2]; }

/// Input i of the sample: the special pairs, then in turn any bits, near each other, x near 1
/// with an ordinary y, and such that x^y is in range.
void draw_pair(std::uint64_t i, float& x, float& y) {
  if (i < std::uint64_t(kSpecials * kSpecials)) {
    x = special(int(i) / kSpecials);
    y = special(int(i) % kSpecials);
    return;
  }
  std::uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;  // SplitMix64
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  const auto high = std::uint32_t(z >> 32), low = std::uint32_t(z);
  x = from_bits(high);
  y = from_bits(low);
  if (i % 4 == 1) {
    y = from_bits(high ^ (low & 0x80ffffffu));
  } else if (i % 4 == 2) {
    x = from_bits(0x3f000000u + (high & 0xffffffu));
    y = float(std::int32_t(low)) * 0x1p-24f;
  } else if (i % 4 == 3) {
    x = fn::abs_bits(x);
    const double log2x = std::log2(double(x));
    y = float((double(low) * 0x1p-32 * 300 - 150) / (log2x == 0 ? 1 : log2x));
  }
}

bool check_pairs(const PairFunction& f, std::uint64_t count) {
  Worst worst;
  float worst_y = 0;
  bool ok = true;
  const std::int64_t blocks = std::int64_t(count / kBlock) + 2;
#pragma omp parallel for schedule(dynamic, 16) reduction(&& : ok)
  for (std::int64_t b = 0; b < blocks; ++b) {
    Worst mine;
    float x[kBlock], y[kBlock], out[kBlock], other[kBlock], mine_y = 0;
    for (int i = 0; i < kBlock; ++i) draw_pair(std::uint64_t(b * kBlock + i), x[i], y[i]);
    f.baseline(x, y, out);
    if (has_v3()) {
      f.v3(x, y, other);
      ok = same_bits(out, other, x, f.name, "v3") && ok;
    }
    if (has_v4()) {
      f.v4(x, y, other);
      ok = same_bits(out, other, x, f.name, "v4") && ok;
    }
    for (int i = 0; i < kBlock; ++i) {
      const double ulp = ulp_error(out[i], f.reference(x[i], y[i]));
      if (ulp > mine.ulp) {
        mine = Worst{ulp, x[i], out[i]};
        mine_y = y[i];
      }
    }
#pragma omp critical
    if (mine.ulp > worst.ulp) {
      worst = mine;
      worst_y = mine_y;
    }
  }
  const bool within = worst.ulp <= f.bound;
  std::printf("%-10s %8.4f ulp at %.9g, %.9g (%a, %a) -> %a, %llu samples%s\n", f.name, worst.ulp,
              worst.input, worst_y, worst.input, worst_y, worst.got,
              static_cast<unsigned long long>(blocks * kBlock), within ? "" : "  ABOVE THE BOUND");
  return ok && within;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t stride = 1, bits_stride = 0, pairs = 0;
  const char* filter = "";
  for (int i = 1; i < argc; ++i) {
    const auto number = [&](const char* option, std::uint64_t& value) {
      if (std::strcmp(argv[i], option) != 0 || i + 1 >= argc) return false;
      value = std::max(1ull, std::strtoull(argv[++i], nullptr, 10));
      return true;
    };
    if (!number("--stride", stride) && !number("--bits", bits_stride) &&
        !number("--pairs", pairs)) {
      filter = argv[i];
    }
  }
  if (pairs == 0) pairs = (std::uint64_t(1) << 28) / stride;
  int failed = 0;
  for (const Function& f : kFunctions) {
    if (*filter != '\0' && std::strcmp(filter, f.name) != 0) continue;
    if (bits_stride != 0 && !check_bits(f, bits_stride)) ++failed;
    const Worst w = check_accuracy(f, stride);
    const bool ok = w.ulp <= f.bound;
    failed += ok ? 0 : 1;
    std::printf("%-10s %8.4f ulp at %.9g (%a) -> %a%s\n", f.name, w.ulp, w.input, w.input, w.got,
                ok ? "" : "  ABOVE THE BOUND");
    std::fflush(stdout);
  }
  for (const PairFunction& f : kPairFunctions) {
    if (*filter != '\0' && std::strcmp(filter, f.name) != 0) continue;
    failed += check_pairs(f, pairs) ? 0 : 1;
    std::fflush(stdout);
  }
  return failed == 0 ? 0 : 1;
}
