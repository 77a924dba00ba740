// What the float64 programs sampled_*.cpp share: functions against MPFR by region, special values
// of C, fast parts against whole functions, and a hash of the results that builds for different
// SIMD levels are compared by. Included by one file of a program, which is compiled for one level.
#pragma once

#include <cstdio>
#include <cstring>
#include <span>
#include <vector>

#include "tests/accuracy/references.h"

namespace tandem::testing {

using Batch = void (*)(const double* x, const double* y, double* out, std::size_t n);

// One out-of-line loop per function of x, or x and y: what is tested is the vectorised code.
#define TANDEM_BATCH(name, ...)                                                                   \
  __attribute__((noinline)) void batch_##name(const double* __restrict a,                         \
                                              const double* __restrict b, double* __restrict out, \
                                              std::size_t n) {                                    \
    for (std::size_t i = 0; i < n; ++i) {                                                         \
      const double x = a[i];                                                                      \
      [[maybe_unused]] const double y = b[i];                                                     \
      out[i] = fn::name(__VA_ARGS__);                                                             \
    }                                                                                             \
  }

struct Function {
  const char* name;
  Batch batch;
  double bound;  // ulp
  bool binary;
  std::vector<Region> regions;
  double (*slack)(double x, double y) = nullptr;  // absolute error allowed where a result cancels
  decltype(Precise::value) own = nullptr;         // a reference that references.cpp has not
};
#define TANDEM_ROW(name, bound, ...)                   \
  {                                                    \
#name, batch_##name, bound, false, { __VA_ARGS__ } \
  }
#define TANDEM_ROW2(name, bound, ...)                 \
  {                                                   \
#name, batch_##name, bound, true, { __VA_ARGS__ } \
  }

struct Special {
  const char* name;
  double x, y, expected;
};

/// A function, its fast part and, where it has one of its own, its slow one.
struct Path {
  const char* name;
  Batch whole, fast, slow;
  bool (*needs_slow)(double);
};

inline bool same_value(double a, double b) {
  return (a != a && b != b) || fn::to_bits(a) == fn::to_bits(b);
}

inline int check_specials(const Function& f, std::span<const Special> specials) {
  int failures = 0;
  for (const Special& s : specials) {
    if (std::strcmp(s.name, f.name) != 0) continue;
    double out[8], x[8], y[8];  // eight copies, so that the vector loop runs
    for (int i = 0; i < 8; ++i) x[i] = s.x, y[i] = s.y;
    f.batch(x, y, out, 8);
    for (int i = 0; i < 8; i += 7) {
      if (same_value(out[i], s.expected)) continue;
      std::printf("FAILED %s(%a, %a): expected %a, got %a\n", f.name, s.x, s.y, s.expected, out[i]);
      ++failures;
      break;
    }
  }
  return failures;
}

/// The worst of those above the slack, and the worst share of a slack that was needed.
struct Worst {
  double ulp = 0, x = 0, y = 0, slack = 0;
};

inline void judge(const Function& f, double x, double y, double got, const mpfr_t exact, Worst& w) {
  const double error = ulp_error(got, exact);
  const double slack = f.slack != nullptr ? f.slack(x, y) : 0;
  if (error > f.bound && slack > 0 && std::isfinite(got)) {
    mpfr_t d;
    mpfr_init2(d, 400);
    mpfr_sub_d(d, exact, got, MPFR_RNDN);
    const double share = std::fabs(mpfr_get_d(d, MPFR_RNDN)) / slack;
    mpfr_clear(d);
    if (share <= 1) {
      w.slack = std::fmax(w.slack, share);
      return;
    }
  }
  if (!(error <= w.ulp)) w = Worst{error, x, y, w.slack};
}

inline int check_accuracy(const Function& f, std::size_t samples, std::uint64_t seed) {
  const auto reference = f.own != nullptr ? f.own : precise_reference(f.name)->value;
  mpfr_t x, y, r;
  mpfr_init2(x, 53), mpfr_init2(y, 53), mpfr_init2(r, 200);
  Worst w;
  Rng rng(seed);
  std::vector<double> xs(samples), ys(samples), out(samples);
  for (const Region& region : f.regions) {
    for (std::size_t i = 0; i < samples; ++i) draw(region, rng, i, f.binary, xs[i], ys[i]);
    f.batch(xs.data(), ys.data(), out.data(), samples);
    for (std::size_t i = 0; i < samples; ++i) {
      mpfr_set_d(x, xs[i], MPFR_RNDN);
      mpfr_set_d(y, ys[i], MPFR_RNDN);
      reference(r, x, y);
      judge(f, xs[i], ys[i], out[i], r, w);
    }
  }
  mpfr_clears(x, y, r, static_cast<mpfr_ptr>(nullptr));
  std::printf("%-10s %9zu samples  max %.4f ulp  (bound %.2f)  at %a", f.name,
              samples * f.regions.size(), w.ulp, f.bound, w.x);
  if (f.binary) std::printf(", %a", w.y);
  if (w.slack > 0) std::printf("; %.2f of the absolute error allowed", w.slack);
  std::printf("%s\n", w.ulp > f.bound ? "  FAILED" : "");
  std::fflush(stdout);
  return w.ulp <= f.bound ? 0 : 1;
}

/// Whole functions equal their fast part, or the slow one where an element needs it.
inline int check_paths(std::span<const Path> paths, std::size_t samples) {
  int failures = 0;
  std::vector<double> x(samples), whole(samples), fast(samples), slow(samples);
  Rng rng(11);
  for (std::size_t i = 0; i < samples; ++i) {
    x[i] = i % 2 == 0 ? fn::from_bits(rng.next()) : rng.unit() * 20 - 5;
  }
  for (const Path& p : paths) {
    p.whole(x.data(), x.data(), whole.data(), samples);
    p.fast(x.data(), x.data(), fast.data(), samples);
    (p.slow != nullptr ? p.slow : p.whole)(x.data(), x.data(), slow.data(), samples);
    for (std::size_t i = 0; i < samples; ++i) {
      const double expected = p.needs_slow(x[i]) ? slow[i] : fast[i];
      if (same_value(whole[i], expected)) continue;
      std::printf("FAILED %s(%a): %a by its path, %a whole\n", p.name, x[i], expected, whole[i]);
      ++failures;
      break;
    }
  }
  return failures;
}

inline void print_hash(const Function& f, std::size_t samples, std::uint64_t seed) {
  Rng rng(seed);
  Hash hash;
  std::vector<double> xs(samples), ys(samples), out(samples);
  std::vector<Region> regions = f.regions;
  regions.push_back({Region::kAllBits, 0, 0});
  for (const Region& region : regions) {
    for (std::size_t i = 0; i < samples; ++i) draw(region, rng, i, f.binary, xs[i], ys[i]);
    f.batch(xs.data(), ys.data(), out.data(), samples);
    for (const double v : out) hash.add(v);
  }
  hash.print(f.name);
}

/// All that the program's options ask for; its exit status.
inline int check_all(const Options& o, const std::vector<Function>& functions,
                     std::span<const Special> specials, std::span<const Path> paths) {
  mpfr_set_emin(-100000), mpfr_set_emax(100000);
  int failures = 0;
  std::uint64_t seed = 1;
  for (const Function& f : functions) {
    ++seed;
    if (!o.takes(f.name)) continue;
    if (o.hash) {
      print_hash(f, o.samples, seed);
      continue;
    }
    failures += check_specials(f, specials);
    failures += check_accuracy(f, o.samples, seed);
  }
  if (!o.hash && o.only.empty()) failures += check_paths(paths, o.samples * 20);
  if (failures != 0) std::printf("%d failures\n", failures);
  mpfr_free_cache();
  return failures == 0 ? 0 : 1;
}

}  // namespace tandem::testing
