// Where the sampled accuracy tests draw their inputs, and how they measure an error in ulp.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

#include "tandem/fn.h"

namespace tandem::testing {

/// SplitMix64: the same inputs on every machine.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

struct Region {
  enum Kind {
    kLinear,             // uniform in [a, b]
    kMagnitude,          // uniform in the bits of [a, b], either sign
    kPositiveMagnitude,  // the same, positive
    kNear,               // within a few thousand places of a, either side, at growing distances
    kNearMultiple,       // the double nearest to k*a and its neighbours, k*a up to b
    kAllBits,            // any bit pattern
    kPowRange,           // x any magnitude, y such that x^y is in range
    kPowSubnormal,       // x^y around the subnormal numbers
    kPowInteger,         // small integers and halves, either sign
    kAbout,              // x any magnitude of [a, b], y about it: some square roots of x away
    kOrder,              // x uniform in [a, b], y one of 0, 1, ... 12
    kIntegerFirst,       // x one of 2, 3, ... 13, y uniform in [a, b]
    kAboveOne,           // x just above 1, y any magnitude of [a, b]
  };
  Kind kind;
  double a, b;
};

inline Region lin(double a, double b) { return {Region::kLinear, a, b}; }
inline Region mag(double a, double b) { return {Region::kMagnitude, a, b}; }
inline Region pos(double a, double b) { return {Region::kPositiveMagnitude, a, b}; }
inline Region near(double p) { return {Region::kNear, p, 0}; }

inline double draw_magnitude(double a, double b, Rng& rng) {
  const std::uint64_t low = fn::to_bits(a), high = fn::to_bits(b);
  return fn::from_bits(low + rng.next() % (high - low + 1));
}

inline double draw_one(const Region& r, Rng& rng, std::size_t i) {
  switch (r.kind) {
    case Region::kLinear:
      return r.a + (r.b - r.a) * rng.unit();
    case Region::kPositiveMagnitude:
      return draw_magnitude(r.a, r.b, rng);
    case Region::kMagnitude: {
      const double m = draw_magnitude(r.a, r.b, rng);
      return rng.next() & 1 ? -m : m;
    }
    case Region::kNear: {
      if (i % 2 == 0) return r.a + (rng.unit() - 0.5) * std::ldexp(1.0, -int(rng.next() % 60));
      const std::uint64_t step = rng.next() % 4096;
      const std::uint64_t u = fn::to_bits(r.a);
      return fn::from_bits(rng.next() & 1 || u < step ? u + step : u - step);
    }
    case Region::kNearMultiple: {
      const double k = std::floor(r.b / r.a * std::pow(rng.unit(), 3.0)) + 1.0;
      return fn::from_bits(fn::to_bits(k * r.a) + rng.next() % 3 - 1);
    }
    default:
      return fn::from_bits(rng.next());
  }
}

inline void draw(const Region& r, Rng& rng, std::size_t i, bool binary, double& x, double& y) {
  switch (r.kind) {
    case Region::kPowRange:
    case Region::kPowSubnormal: {
      x = i % 2 == 0 ? draw_magnitude(5e-324, 1.7e308, rng)
                     : 1.0 + (rng.unit() - 0.5) * std::ldexp(1.0, -int(rng.next() % 52));
      x = x == 1.0 ? 1.5 : x;
      const double e = r.kind == Region::kPowRange ? (rng.unit() * 2.0 - 1.0) * 1024.0
                                                   : -1020.0 - 56.0 * rng.unit();
      y = e / std::log2(x);
      return;
    }
    case Region::kPowInteger:
      x = static_cast<double>(rng.next() % 41) * 0.5 - 10.0;
      y = static_cast<double>(rng.next() % 601) - 300.0;
      return;
    case Region::kAbout:
      x = draw_magnitude(r.a, r.b, rng);
      y = x + std::sqrt(x) * (2.0 * rng.unit() - 1.0) * std::ldexp(1.0, int(rng.next() % 7) - 1);
      y = y > 0.0 ? y : x * rng.unit();
      return;
    case Region::kOrder:
      x = r.a + (r.b - r.a) * rng.unit();
      y = static_cast<double>(rng.next() % 13);
      return;
    case Region::kIntegerFirst:
      x = 2.0 + static_cast<double>(rng.next() % 12);
      y = r.a + (r.b - r.a) * rng.unit();
      return;
    case Region::kAboveOne:
      x = 1.0 + std::ldexp(rng.unit(), -int(rng.next() % 50));
      y = draw_magnitude(r.a, r.b, rng);
      return;
    default:
      x = draw_one(r, rng, i);
  }
  y = 0.0;
  if (!binary) return;
  const Region::Kind kind = r.kind;
  const Region other = kind == Region::kNear ? Region{Region::kMagnitude, 1e-3, 1e18} : r;
  y = draw_one(other, rng, i + 1);
}

/// What a program of samples is told: [--samples N] [--only NAME] [--hash].
struct Options {
  std::size_t samples;
  std::string only{};
  bool hash = false;  // print a hash of the results alone, to compare builds for different targets

  Options(int argc, char** argv, std::size_t by_default) : samples(by_default) {
    for (int i = 1; i < argc; ++i) {
      const std::string arg = argv[i];
      if (arg == "--hash") {
        hash = true;
      } else if (arg == "--samples" && i + 1 < argc) {
        samples = std::strtoull(argv[++i], nullptr, 10);
      } else if (arg == "--only" && i + 1 < argc) {
        only = argv[++i];
      } else {
        std::fprintf(stderr, "usage: %s [--samples N] [--only NAME] [--hash]\n", argv[0]);
        std::exit(2);
      }
    }
  }
  bool takes(const char* function) const { return only.empty() || only == function; }
};

/// FNV-1a of results, in which every NaN is one.
class Hash {
 public:
  void add(double v) { hash_ = (hash_ ^ (v != v ? 1u : fn::to_bits(v))) * 0x100000001b3u; }
  void print(const char* function) const {
    std::printf("%-10s %016llx\n", function, static_cast<unsigned long long>(hash_));
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// |got - expected| in units of the last place of the expected value; infinite for a wrong special.
inline double ulp_error(double got, const mpfr_t expected) {
  const double inf = std::numeric_limits<double>::infinity();
  if (mpfr_nan_p(expected)) return got != got ? 0.0 : inf;
  if (got != got) return inf;
  if (mpfr_zero_p(expected)) {
    return got == 0.0 && std::signbit(got) == (mpfr_signbit(expected) != 0) ? 0.0 : inf;
  }
  if (mpfr_inf_p(expected)) {
    return std::isinf(got) && std::signbit(got) == (mpfr_signbit(expected) != 0) ? 0.0 : inf;
  }
  if (std::signbit(got) != (mpfr_signbit(expected) != 0)) return inf;
  const mpfr_exp_t e = std::max<mpfr_exp_t>(mpfr_get_exp(expected), -1021);
  if (std::isinf(got)) {  // right where rounding reaches 2^1024, half a place early at most
    return mpfr_cmp_d(expected, 0) != 0 &&
                   (e > 1024 || std::fabs(mpfr_get_d(expected, MPFR_RNDN)) == inf)
               ? 0.0
               : inf;
  }
  if (e > 1024) return inf;
  mpfr_t d;
  mpfr_init2(d, 200);
  mpfr_sub_d(d, expected, got, MPFR_RNDN);
  mpfr_mul_2si(d, d, 53 - e, MPFR_RNDN);
  const double error = std::fabs(mpfr_get_d(d, MPFR_RNDA));
  mpfr_clear(d);
  return error;
}

}  // namespace tandem::testing
