// lint: oracle table. The references of fast_references.h.
#include "tests/accuracy/fast_references.h"

#include <cmath>

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

namespace tandem::testing {
namespace {

// Keeps the vectorised exp in the range that it handles itself; float overflows far earlier.
double clip(double x) { return x > 200 ? 200 : (x < -200 ? -200 : x); }

constexpr double kPi = 3.14159265358979323846;

/// sin(pi (x + quarter / 2)) below 2^21; x beyond is taken as 0.
double half_turns(double x, int quarter) {
  x = std::fabs(x) < 0x1p21 ? x : 0;
  const double n = std::rint(2 * x);
  const double t = kPi * (x - n / 2);  // the difference is exact
  const int q = (int(n) + quarter) & 3;
  const double y = (q & 1) != 0 ? std::cos(t) : std::sin(t);
  return (q & 2) != 0 ? -y : y;
}

double selu_of(double x) {
  const double below = 1.0507009873554805 * 1.6732632423543772 * ::expm1(x);
  return x > 0 ? 1.0507009873554805 * x : below;
}
double log_sigmoid(double x) {
  return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x));
}

// One row a function: its name, the op's where it is one, and the reference in x.
#define TANDEM_FAST(X)                  \
  X(exp, ::exp(clip(x)))                \
  X(exp2, ::exp2(x))                    \
  X(expm1, ::expm1(x))                  \
  X(log, ::log(x))                      \
  X(log2, ::log2(x))                    \
  X(log10, ::log10(x))                  \
  X(log1p, ::log1p(x))                  \
  X(sin, ::sin(x))                      \
  X(cos, ::cos(x))                      \
  X(tan, ::tan(x))                      \
  X(asin, ::asin(x))                    \
  X(acos, ::acos(x))                    \
  X(atan, ::atan(x))                    \
  X(sinh, ::sinh(x))                    \
  X(cosh, ::cosh(x))                    \
  X(tanh, ::tanh(x))                    \
  X(asinh, ::asinh(x))                  \
  X(acosh, ::acosh(x))                  \
  X(atanh, ::atanh(x))                  \
  X(erf, ::erf(x))                      \
  X(erfc, ::erfc(x))                    \
  X(sigmoid, 1 / (1 + ::exp(-clip(x)))) \
  X(rsqrt, 1 / std::sqrt(x))            \
  X(sinc, references::sinc(x))          \
  X(logit, references::logit(x))        \
  X(erfinv, references::erfinv(x))      \
  X(lgamma, references::lgamma(x))      \
  X(digamma, references::digamma(x))    \
  X(i0, references::i0(x))              \
  X(sinpi, half_turns(x, 0))            \
  X(cospi, half_turns(x, 1))            \
  X(selu, selu_of(x))                   \
  X(log_sigmoid, log_sigmoid(x))        \
  X(deg2rad, x*(kPi / 180))             \
  X(rad2deg, x*(180 / kPi))

#define TANDEM_WRAP(name, expression)                          \
  struct Fast_##name {                                         \
    static double exact(double x) { return expression; }       \
    TEST_V3 static void screen(const float* in, double* out) { \
      for (int i = 0; i < kBlock; ++i) {                       \
        const double x = in[i];                                \
        out[i] = expression;                                   \
      }                                                        \
    }                                                          \
  };
TANDEM_FAST(TANDEM_WRAP)

#define TANDEM_FAST_ROW(name, expression) {#name, Fast_##name::exact, Fast_##name::screen},
const Fast kFast[] = {TANDEM_FAST(TANDEM_FAST_ROW)};

}  // namespace

const Fast* fast_reference(std::string_view row) {
  for (const Fast& f : kFast)
    if (row == f.name) return &f;
  return nullptr;
}

}  // namespace tandem::testing
