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
#include "tests/accuracy/fast_references.h"
#include "tests/accuracy/special_references.h"

namespace {

namespace fn = tandem::fn;
using fn::from_bits;
using fn::to_bits;
namespace ref = tandem::testing::references;
using tandem::testing::Fast;
using tandem::testing::has_v3;
using tandem::testing::has_v4;
using tandem::testing::kBlock;

// sincospi holds below 2^21; x beyond is taken as 0.
TANDEM_FN float functor_sinpi(float x, int quarter) {
  float s, c;
  fn::sincospi(fn::abs_bits(x) < 0x1p21f ? x : 0.0f, s, c);
  return quarter == 0 ? s : c;
}

// One row a function: its name, also that of its reference (fast_references.h), and the call in x.
#define TANDEM_F32_FUNCTIONS(X) \
  X(exp, fn::exp(x))            \
  X(exp2, fn::exp2(x))          \
  X(expm1, fn::expm1(x))        \
  X(log, fn::log(x))            \
  X(log2, fn::log2(x))          \
  X(log10, fn::log10(x))        \
  X(log1p, fn::log1p(x))        \
  X(sin, fn::sin(x))            \
  X(cos, fn::cos(x))            \
  X(tan, fn::tan(x))            \
  X(asin, fn::asin(x))          \
  X(acos, fn::acos(x))          \
  X(atan, fn::atan(x))          \
  X(sinh, fn::sinh(x))          \
  X(cosh, fn::cosh(x))          \
  X(tanh, fn::tanh(x))          \
  X(asinh, fn::asinh(x))        \
  X(acosh, fn::acosh(x))        \
  X(atanh, fn::atanh(x))        \
  X(erf, fn::erf(x))            \
  X(sigmoid, fn::sigmoid(x))    \
  X(erfc, fn::erfc(x))          \
  X(erfinv, fn::erfinv(x))      \
  X(lgamma, fn::lgamma(x))      \
  X(digamma, fn::digamma(x))    \
  X(i0, fn::i0(x))              \
  X(logit, fn::logit(x))        \
  X(sinc, fn::sinc(x))          \
  X(rsqrt, fn::rsqrt(x))        \
  X(sinpi, functor_sinpi(x, 0)) \
  X(cospi, functor_sinpi(x, 1))

constexpr double kBound = 1.0;  // ulp

struct Function {
  const char* name;
  void (*baseline)(const float*, float*);
  void (*v3)(const float*, float*);
  void (*v4)(const float*, float*);
  const Fast& reference() const { return *tandem::testing::fast_reference(name); }
};

#define TANDEM_LEVEL(target, level, call)                 \
  target static void level(const float* in, float* out) { \
    for (int i = 0; i < kBlock; ++i) {                    \
      const float x = in[i];                              \
      out[i] = call;                                      \
    }                                                     \
  }
#define TANDEM_WRAP(name, call)     \
  struct Run_##name {               \
    TANDEM_LEVEL(, baseline, call)  \
    TANDEM_LEVEL(TEST_V3, v3, call) \
    TANDEM_LEVEL(TEST_V4, v4, call) \
  };
TANDEM_F32_FUNCTIONS(TANDEM_WRAP)

#define TANDEM_ROW(name, call) {#name, Run_##name::baseline, Run_##name::v3, Run_##name::v4},
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

/// Adds a block's errors to worst. Screened first where the CPU can: only what may be worse than
/// the worst so far is compared with the scalar libm.
void check_block(const Function& f, const float* in, Worst& worst) {
  const Fast& reference = f.reference();
  float out[kBlock];
  double error[kBlock];
  const bool screened = has_v3();
  screened ? f.v3(in, out) : f.baseline(in, out);
  if (screened && screen_block(reference, in, out, error) <= worst.ulp) return;
  for (int i = 0; i < kBlock; ++i) {
    if (screened && error[i] <= worst.ulp) continue;
    const double ulp = ulp_error(out[i], reference.exact(in[i]));
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

// Name, the functor's call and the reference, both in x and y.
#define TANDEM_F32_PAIRS(X)                                  \
  X(pow, fn::pow(x, y), std::pow(x, y))                      \
  X(atan2, fn::atan2(x, y), std::atan2(x, y))                \
  X(hypot, fn::hypot(x, y), std::hypot(x, y))                \
  X(logaddexp, fn::logaddexp(x, y), ref::logaddexp(x, y))    \
  X(logaddexp2, fn::logaddexp2(x, y), ref::logaddexp2(x, y)) \
  X(xlogy, fn::xlogy(x, y), ref::xlogy(x, y))                \
  X(xlog1py, fn::xlog1py(x, y), ref::xlog1py(x, y))          \
  X(ldexp, fn::ldexp(x, y), ref::ldexp(x, y))

struct PairFunction {
  const char* name;
  double (*reference)(double, double);
  void (*baseline)(const float*, const float*, float*);
  void (*v3)(const float*, const float*, float*);
  void (*v4)(const float*, const float*, float*);
};

#define TANDEM_PAIR_LEVEL(target, level, call)                           \
  target static void level(const float* a, const float* b, float* out) { \
    for (int i = 0; i < kBlock; ++i) {                                   \
      const float x = a[i], y = b[i];                                    \
      out[i] = call;                                                     \
    }                                                                    \
  }
#define TANDEM_WRAP_PAIR(name, call, ref)                       \
  struct Run_##name {                                           \
    TANDEM_PAIR_LEVEL(, baseline, call)                         \
    TANDEM_PAIR_LEVEL(TEST_V3, v3, call)                        \
    TANDEM_PAIR_LEVEL(TEST_V4, v4, call)                        \
    static double reference(double x, double y) { return ref; } \
  };
TANDEM_F32_PAIRS(TANDEM_WRAP_PAIR)

#define TANDEM_PAIR_ROW(name, call, ref) \
  {#name, Run_##name::reference, Run_##name::baseline, Run_##name::v3, Run_##name::v4},
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
  const bool within = worst.ulp <= kBound;
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
    const bool ok = w.ulp <= kBound;
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
