// Accuracy of the complex functions against MPFR: the error of the value relative to its modulus,
// over regions that hold the branch points, the poles, the unit circle and the ends of the range;
// and the special values of C99, Annex G. Exit status 1 above a function's bound.
// lint: oracle table
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/functors/complex_math.h"
#include "kernels/functors/special_complex.h"
#include "tests/accuracy/mp_complex.h"
#include "tests/accuracy/samples.h"

namespace {

using tandem::Complex128;
using tandem::Complex64;
using tandem::testing::Hash;
using tandem::testing::Mp;
using tandem::testing::MpComplex;
using tandem::testing::Options;
using tandem::testing::Rng;
namespace fn = tandem::fn;
namespace mp = tandem::testing;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

template <class C>
using Batch = void (*)(const C* z, const C* w, C* out, std::size_t n);

#define TANDEM_BATCH(name, expression)                                                        \
  template <class C>                                                                          \
  __attribute__((noinline)) void batch_##name(const C* __restrict zs, const C* __restrict ws, \
                                              C* __restrict out, std::size_t n) {             \
    for (std::size_t i = 0; i < n; ++i) {                                                     \
      const C z = zs[i];                                                                      \
      [[maybe_unused]] const C w = ws[i];                                                     \
      out[i] = expression;                                                                    \
    }                                                                                         \
  }
TANDEM_BATCH(mul, z* w)
TANDEM_BATCH(div, z / w)
TANDEM_BATCH(abs, (C{fn::abs(z), 0}))
TANDEM_BATCH(reciprocal, fn::reciprocal(z))
TANDEM_BATCH(sqrt, fn::sqrt(z))
TANDEM_BATCH(rsqrt, fn::rsqrt(z))
TANDEM_BATCH(exp, fn::exp(z))
TANDEM_BATCH(exp2, fn::exp2(z))
TANDEM_BATCH(expm1, fn::expm1(z))
TANDEM_BATCH(log, fn::log(z))
TANDEM_BATCH(log2, fn::log2(z))
TANDEM_BATCH(log10, fn::log10(z))
TANDEM_BATCH(log1p, fn::log1p(z))
TANDEM_BATCH(sin, fn::sin(z))
TANDEM_BATCH(cos, fn::cos(z))
TANDEM_BATCH(tan, fn::tan(z))
TANDEM_BATCH(sin_fast, fn::sin_fast(z))
TANDEM_BATCH(cos_fast, fn::cos_fast(z))
TANDEM_BATCH(tan_fast, fn::tan_fast(z))
TANDEM_BATCH(sinh, fn::sinh(z))
TANDEM_BATCH(cosh, fn::cosh(z))
TANDEM_BATCH(tanh, fn::tanh(z))
TANDEM_BATCH(asin, fn::asin(z))
TANDEM_BATCH(acos, fn::acos(z))
TANDEM_BATCH(atan, fn::atan(z))
TANDEM_BATCH(asinh, fn::asinh(z))
TANDEM_BATCH(acosh, fn::acosh(z))
TANDEM_BATCH(atanh, fn::atanh(z))
TANDEM_BATCH(sigmoid, fn::sigmoid(z))
TANDEM_BATCH(sinc, fn::sinc(z))
TANDEM_BATCH(logaddexp, fn::logaddexp(z, w))
TANDEM_BATCH(pow, fn::pow(z, w))

using mp::one;
using mp::times_i;
MpComplex over_i(const MpComplex& z) { return {z.im, Mp(0) - z.re}; }
MpComplex by_log_of(const MpComplex& z, double base) {
  return mp::scaled(mp::log(z), Mp(1) / mp::apply(mpfr_log, Mp(base)));
}
MpComplex ref_sinc(const MpComplex& z) {
  Mp pi;
  mpfr_const_pi(pi.get(), MPFR_RNDN);
  const MpComplex t = mp::scaled(z, pi);
  return over_i(mp::sinh(times_i(t))) / t;
}
/// log(exp(z) + exp(w)) on the branch that goes out from the one with the greater real part.
MpComplex ref_logaddexp(const MpComplex& z, const MpComplex& w) {
  const bool first = mpfr_greaterequal_p(z.re.get(), w.re.get()) != 0;
  const MpComplex& m = first ? z : w;
  return m + mp::log(one() + mp::exp((first ? w : z) - m));
}
MpComplex ref_acos(const MpComplex& z) {
  Mp pi;
  mpfr_const_pi(pi.get(), MPFR_RNDN);
  return MpComplex{pi / Mp(2), Mp(0)} - over_i(mp::asinh(times_i(z)));
}

using Reference = MpComplex (*)(const MpComplex& z, const MpComplex& w);

/// Sets of regions a function is tested on.
enum Set : unsigned {
  kPlain = 1,     // both parts 2^-60 to 2^8, any sign
  kUnit = 2,      // near the unit circle
  kPoints = 4,    // near 0, +-1, +-i
  kPoles = 8,     // near multiples of pi/2 on both axes
  kExtreme = 16,  // 2^-1020 to 2^1020, each part by itself
  kFar = 32,      // real or imaginary part up to 2^50, the other up to 8
  kAll = kPlain | kUnit | kPoints | kPoles,
};

struct Function {
  const char* name;
  Batch<Complex128> batch;
  Batch<Complex64> batch32;
  Reference reference;
  double bound;  // in 2^-52 (2^-23 for complex64) of the modulus
  unsigned sets;
  bool binary = false;
};

#define TANDEM_ROW(name, bound, sets, ...)                                \
  {                                                                       \
#name, batch_##name<Complex128>, batch_##name<Complex64>,               \
   [](const MpComplex& z, const MpComplex& w) -> MpComplex {               \
     (void)w;                                                              \
     return __VA_ARGS__;                                                   \
   },                                                                      \
   bound, sets \
  }

std::vector<Function> functions() {
  const unsigned every = kAll | kExtreme;
  std::vector<Function> list = {
      TANDEM_ROW(mul, 1.5, kAll, z * w),
      TANDEM_ROW(div, 2.0, every, z / w),
      TANDEM_ROW(pow, 1.75, kAll, mp::exp(w * mp::log(z))),
      TANDEM_ROW(abs, 1.0, every, {mp::apply(mpfr_hypot, z.re, z.im), Mp(0)}),
      TANDEM_ROW(reciprocal, 1.75, every, one() / z),
      TANDEM_ROW(sqrt, 1.25, every, mp::sqrt(z)),
      TANDEM_ROW(rsqrt, 2.0, every, one() / mp::sqrt(z)),
      TANDEM_ROW(exp, 1.5, kAll | kFar, mp::exp(z)),
      TANDEM_ROW(exp2, 1.5, kAll | kFar, mp::exp(mp::scaled(z, mp::apply(mpfr_log, Mp(2))))),
      TANDEM_ROW(expm1, 1.5, kAll, mp::exp(z) - one()),
      TANDEM_ROW(log, 1.25, every, mp::log(z)),
      TANDEM_ROW(log2, 1.5, every, by_log_of(z, 2)),
      TANDEM_ROW(log10, 1.5, every, by_log_of(z, 10)),
      TANDEM_ROW(log1p, 1.5, every, mp::log(one() + z)),
      TANDEM_ROW(sin, 1.75, kAll | kFar, over_i(mp::sinh(times_i(z)))),
      TANDEM_ROW(cos, 1.75, kAll | kFar, mp::cosh(times_i(z))),
      TANDEM_ROW(tan, 2.5, kAll | kFar, over_i(mp::sinh(times_i(z)) / mp::cosh(times_i(z)))),
      TANDEM_ROW(sinh, 1.75, kAll | kFar, mp::sinh(z)),
      TANDEM_ROW(cosh, 1.75, kAll | kFar, mp::cosh(z)),
      TANDEM_ROW(tanh, 2.5, kAll | kFar, mp::sinh(z) / mp::cosh(z)),
      TANDEM_ROW(asin, 2.0, every, over_i(mp::asinh(times_i(z)))),
      TANDEM_ROW(acos, 2.0, every, ref_acos(z)),
      TANDEM_ROW(atan, 2.25, every, over_i(mp::atanh(times_i(z)))),
      TANDEM_ROW(asinh, 2.0, every, mp::asinh(z)),
      TANDEM_ROW(acosh, 2.0, every, mp::log(z + mp::sqrt(z + one()) * mp::sqrt(z - one()))),
      TANDEM_ROW(atanh, 2.25, every, mp::atanh(z)),
      TANDEM_ROW(sigmoid, 3.5, kAll, one() / (one() + mp::exp(mp::neg(z)))),
      TANDEM_ROW(sinc, 3.0, kAll, ref_sinc(z)),
      TANDEM_ROW(logaddexp, 1.0, kAll, ref_logaddexp(z, w)),
  };
  for (int i = 0; i < 3; ++i) list[i].binary = true;
  list.back().binary = true;
  return list;
}

double magnitude(double low, double high, Rng& rng) {
  const double m = std::exp2(low + (high - low) * rng.unit());
  return rng.next() & 1 ? -m : m;
}

Complex128 draw(unsigned set, Rng& rng, bool single) {
  switch (set) {
    case kPlain:
      return {magnitude(-60, 8, rng), magnitude(-60, 8, rng)};
    case kUnit: {
      const double t = 6.283185307179586 * rng.unit();
      const double r = 1.0 + magnitude(-40, -2, rng);
      return {r * std::cos(t), r * std::sin(t)};
    }
    case kPoints: {
      const double p = rng.next() & 1 ? 1.0 : -1.0;
      const bool imaginary = rng.next() & 1, origin = rng.next() % 4 == 0;
      const double c = origin ? 0.0 : p;
      const double x = magnitude(-50, -2, rng), y = magnitude(-50, -2, rng);
      return imaginary ? Complex128{x, c + y} : Complex128{c + x, y};
    }
    case kPoles: {
      const double c = 0x1.921fb54442d18p+0 * static_cast<double>(rng.next() % 21);
      const double x = magnitude(-50, 1, rng), y = c + magnitude(-50, -2, rng);
      return rng.next() & 1 ? Complex128{x, y} : Complex128{y, x};
    }
    case kFar: {
      const double x = magnitude(-4, 3, rng), y = magnitude(0, 50, rng);
      return rng.next() & 1 ? Complex128{x, y} : Complex128{y, x};
    }
    default: {
      const double e = single ? 120 : 1020;
      return {magnitude(-e, e, rng), magnitude(-e, e, rng)};
    }
  }
}

struct Worst {
  double error = 0;
  Complex128 z{0, 0};
};

/// |got - expected| / |expected| in `unit`; 0 where the expected value leaves the type's range.
double error_of(Complex128 got, const MpComplex& expected, double unit, double smallest,
                double largest) {
  const Mp modulus = mp::apply(mpfr_hypot, expected.re, expected.im);
  const double size = modulus.value();
  if (!modulus.is_number() || size < smallest || size > largest) return 0.0;
  if (!std::isfinite(got.re) || !std::isfinite(got.im)) return kInf;
  const Mp dx = expected.re - Mp(got.re), dy = expected.im - Mp(got.im);
  const Mp d = mp::apply(mpfr_hypot, dx, dy);
  return (d / modulus).value() / unit;
}

/// How much relative errors of both arguments weigh in log(exp(z) + exp(w)), whose sum may cancel.
double spread(const MpComplex& z, const MpComplex& w) {
  const auto size = [](const MpComplex& v) { return mp::apply(mpfr_hypot, v.re, v.im).value(); };
  const MpComplex sum = mp::exp(z) + mp::exp(w);
  const double cancels = (size(mp::exp(z)) + size(mp::exp(w))) / size(sum);
  return 1 + cancels * (1 + size(z) + size(w)) / size(ref_logaddexp(z, w));
}

template <class C>
double check_accuracy(const Function& f, Batch<C> batch, std::size_t samples, std::uint64_t seed) {
  const bool single = sizeof(C) == 8;
  const double unit = single ? 0x1p-23 : 0x1p-52;
  const double smallest = single ? 0x1p-125 : 0x1p-1020, largest = single ? 0x1.fp127 : 0x1.fp1023;
  Worst worst;
  Rng rng(seed);
  for (unsigned set = 1; set <= kFar; set *= 2) {
    if ((f.sets & set) == 0) continue;
    mpfr_set_default_prec(set != kExtreme ? 500 : single ? 1000 : 6400);
    const std::size_t n = set == kExtreme ? samples / 20 + 1 : samples;
    std::vector<C> z(n), w(n), out(n);
    for (std::size_t i = 0; i < n; ++i) {
      z[i] = fn::cast<C>(draw(set, rng, single));
      w[i] = f.binary ? fn::cast<C>(draw(set, rng, single)) : C{0, 0};
    }
    batch(z.data(), w.data(), out.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      const MpComplex x = {Mp(z[i].re), Mp(z[i].im)}, y = {Mp(w[i].re), Mp(w[i].im)};
      double error =
          error_of(fn::cast<Complex128>(out[i]), f.reference(x, y), unit, smallest, largest);
      if (f.batch == batch_pow<Complex128>) {  // the bound of pow grows with |w log z|
        const MpComplex l = y * mp::log(x);
        error /= single ? 1.0 : 1.0 + std::hypot(l.re.value(), l.im.value());
      }
      if (f.batch == batch_logaddexp<Complex128>) error /= spread(x, y);
      if (!(error <= worst.error)) worst = {error, fn::cast<Complex128>(z[i])};
    }
  }
  const double bound = single && f.batch32 != batch_mul<Complex64> ? 0.75 : f.bound;
  const bool good = worst.error <= bound;
  std::printf("  %s %.3f at (%a, %a)%s", single ? "complex64" : "complex128", worst.error,
              worst.z.re, worst.z.im, good ? "" : "  FAILED");
  return good ? 0 : 1;
}

struct Special {
  const char* name;
  Complex128 z, expected;
  bool any_re_sign = false, any_im_sign = false;
};

const Special kSpecials[] = {
#include "tests/accuracy/complex_specials.inc"
};

bool same_part(double a, double b, bool any_sign) {
  if (a != a || b != b) return a != a && b != b;
  return any_sign ? std::fabs(a) == std::fabs(b) : fn::to_bits(a) == fn::to_bits(b);
}
/// pi and its parts are compared to a place, in either type.
bool close_part(double got, double expected, bool any_sign, bool single) {
  if (same_part(got, expected, any_sign)) return true;
  if (!std::isfinite(expected) || expected == 0.0) return false;
  return std::fabs(got - expected) <= std::fabs(expected) * (single ? 0x1p-23 : 0x1p-52);
}

template <class C>
int check_specials(const Function& f, Batch<C> batch) {
  int failures = 0;
  for (const Special& s : kSpecials) {
    if (std::strcmp(s.name, f.name) != 0) continue;
    // The conjugate's function value is the conjugate, for every function here.
    for (int conjugate = 0; conjugate < 2; ++conjugate) {
      const double sign = conjugate ? -1.0 : 1.0;
      const C z = fn::cast<C>(Complex128{s.z.re, sign * s.z.im}), w = {0, 0};
      C out;
      batch(&z, &w, &out, 1);
      const Complex128 got = fn::cast<Complex128>(out);
      const double im = sign * s.expected.im;
      if (close_part(got.re, s.expected.re, s.any_re_sign, sizeof(C) == 8) &&
          close_part(got.im, im, s.any_im_sign, sizeof(C) == 8)) {
        continue;
      }
      std::printf("FAILED %s(%g, %g): expected (%g, %g), got (%g, %g)\n", f.name, s.z.re,
                  sign * s.z.im, s.expected.re, im, got.re, got.im);
      ++failures;
    }
  }
  return failures;
}

int check_paths(std::size_t samples) {
  const Batch<Complex128> whole[] = {batch_sin<Complex128>, batch_cos<Complex128>,
                                     batch_tan<Complex128>};
  const Batch<Complex128> fast[] = {batch_sin_fast<Complex128>, batch_cos_fast<Complex128>,
                                    batch_tan_fast<Complex128>};
  Rng rng(3);
  std::vector<Complex128> z(samples), a(samples), b(samples);
  for (Complex128& v : z) v = {magnitude(-40, 30, rng), magnitude(-40, 10, rng)};
  for (int k = 0; k < 3; ++k) {
    whole[k](z.data(), z.data(), a.data(), samples);
    fast[k](z.data(), z.data(), b.data(), samples);
    if (std::memcmp(a.data(), b.data(), samples * sizeof(Complex128)) != 0) {
      std::printf("FAILED: the fast part of function %d has other bits\n", k);
      return 1;
    }
  }
  return 0;
}

void print_hash(const Function& f, std::size_t samples, std::uint64_t seed) {
  Rng rng(seed);
  Hash hash;
  std::vector<Complex128> z(samples), w(samples), out(samples);
  for (unsigned set = 1; set <= kFar; set *= 2) {
    for (std::size_t i = 0; i < samples; ++i)
      z[i] = draw(set, rng, false), w[i] = draw(set, rng, false);
    f.batch(z.data(), w.data(), out.data(), samples);
    for (const Complex128& v : out) hash.add(v.re), hash.add(v.im);
  }
  hash.print(f.name);
}

}  // namespace

int main(int argc, char** argv) {
  const Options o(argc, argv, 300);
  int failures = 0;
  std::uint64_t seed = 100;
  for (const Function& f : functions()) {
    ++seed;
    if (!o.takes(f.name)) continue;
    if (o.hash) {
      print_hash(f, o.samples * 10, seed);
      continue;
    }
    failures += check_specials<Complex128>(f, f.batch) + check_specials<Complex64>(f, f.batch32);
    std::printf("%-10s bound %.2f ", f.name, f.bound);
    failures += check_accuracy<Complex128>(f, f.batch, o.samples, seed);
    failures += check_accuracy<Complex64>(f, f.batch32, o.samples, seed);
    std::printf("\n");
  }
  if (!o.hash && o.only.empty()) failures += check_paths(o.samples * 100);
  if (failures != 0) std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
