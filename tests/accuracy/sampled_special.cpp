// Accuracy of the float64 special functions (functors/special_f64.h, gamma_f64.h) against MPFR, as
// sampled_f64.cpp does it. Where a result cancels (lgamma and digamma near their negative roots,
// logaddexp near 0) an absolute error is allowed instead. Exit status 1 above a bound.
//   sampled_special [--samples N] [--only NAME] [--hash]
// lint: oracle table
#include <mpfr.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/functors/gamma_f64.h"
#include "kernels/functors/special_f64.h"
#include "tests/accuracy/samples.h"

namespace {

namespace fn = tandem::fn;
using tandem::testing::Region;
using tandem::testing::Rng;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr mpfr_rnd_t kNear = MPFR_RNDN;

using Batch = void (*)(const double* x, const double* y, double* out, std::size_t n);
using Reference = void (*)(mpfr_t out, const mpfr_t x, const mpfr_t y);

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
TANDEM_BATCH(erfc, x)
TANDEM_BATCH(erfinv, x)
TANDEM_BATCH(i0, x)
TANDEM_BATCH(lgamma, x)
TANDEM_BATCH(lgamma_fast, x)
TANDEM_BATCH(digamma, x)
TANDEM_BATCH(digamma_fast, x)
TANDEM_BATCH(logit, x)
TANDEM_BATCH(sinc, x)
TANDEM_BATCH(logaddexp, x, y)
TANDEM_BATCH(logaddexp2, x, y)
TANDEM_BATCH(xlogy, x, y)
TANDEM_BATCH(xlog1py, x, y)
TANDEM_BATCH(ldexp, x, y)

/// Scratch numbers of a reference; wide, since intermediate results cancel.
struct Temp {
  mpfr_t v;
  Temp() { mpfr_init2(v, 400); }
  ~Temp() { mpfr_clear(v); }
  Temp(const Temp&) = delete;
  Temp& operator=(const Temp&) = delete;
  operator mpfr_ptr() { return v; }
};

void ref_erfc(mpfr_t r, const mpfr_t x, const mpfr_t) { mpfr_erfc(r, x, kNear); }
void ref_lgamma(mpfr_t r, const mpfr_t x, const mpfr_t) {
  int sign;
  mpfr_lgamma(r, &sign, x, kNear);
}
void ref_digamma(mpfr_t r, const mpfr_t x, const mpfr_t) { mpfr_digamma(r, x, kNear); }

/// Newton's iteration on erfc(y) = 1 - |x|, from the double result of the same.
void ref_erfinv(mpfr_t r, const mpfr_t x, const mpfr_t) {
  if (mpfr_zero_p(x) || mpfr_nan_p(x) || mpfr_cmpabs_ui(x, 1) >= 0) {
    mpfr_set(r, x, kNear);
    if (!mpfr_zero_p(x)) mpfr_cmpabs_ui(x, 1) == 0 ? mpfr_set_inf(r, mpfr_sgn(x)) : mpfr_set_nan(r);
    return;
  }
  Temp a, c, y, d, e, slope;
  mpfr_abs(a, x, kNear);
  mpfr_ui_sub(c, 1, a, kNear);  // exact
  // sqrt(-log(1 - a^2)) is too great by less than a half; Newton on a convex function comes down.
  mpfr_sqr(y, a, kNear);
  mpfr_ui_sub(y, 1, y, kNear);
  mpfr_log(y, y, kNear);
  mpfr_neg(y, y, kNear);
  mpfr_sqrt(y, y, kNear);
  mpfr_const_pi(slope, kNear);
  mpfr_sqrt(slope, slope, kNear);
  const bool small = mpfr_cmp_d(a, 0.5) < 0;
  for (int i = 0; i < 200; ++i) {
    small ? mpfr_erf(d, y, kNear) : mpfr_erfc(d, y, kNear);
    small ? mpfr_sub(d, d, a, kNear) : mpfr_sub(d, c, d, kNear);
    mpfr_sqr(e, y, kNear);
    mpfr_exp(e, e, kNear);
    mpfr_mul(e, e, slope, kNear);
    mpfr_div_2ui(e, e, 1, kNear);
    mpfr_mul(d, d, e, kNear);  // Newton's step, then Halley's
    mpfr_mul(e, d, y, kNear);
    mpfr_add_ui(e, e, 1, kNear);
    mpfr_div(d, d, e, kNear);
    mpfr_sub(y, y, d, kNear);
    if (mpfr_zero_p(d.v) || mpfr_get_exp(d) < mpfr_get_exp(y) - 130) break;
  }
  mpfr_setsign(r, y, mpfr_signbit(x), kNear);
}

/// The power series, whose terms are all positive.
void ref_i0(mpfr_t r, const mpfr_t x, const mpfr_t) {
  if (!mpfr_number_p(x)) {
    mpfr_abs(r, x, kNear);
    return;
  }
  Temp z, term, sum;
  mpfr_sqr(z, x, kNear);
  mpfr_div_2ui(z, z, 2, kNear);
  mpfr_set_ui(term, 1, kNear);
  mpfr_set_ui(sum, 1, kNear);
  for (unsigned long k = 1; k < 4000; ++k) {
    mpfr_mul(term, term, z, kNear);
    mpfr_div_ui(term, term, k * k, kNear);
    mpfr_add(sum, sum, term, kNear);
    if (mpfr_zero_p(term.v) || mpfr_get_exp(term) < mpfr_get_exp(sum) - 150) break;
  }
  mpfr_set(r, sum, kNear);
}

void ref_logit(mpfr_t r, const mpfr_t x, const mpfr_t) {
  Temp d, wide;
  mpfr_set_prec(wide, 1300);  // 1 - x is exact
  mpfr_ui_sub(wide, 1, x, kNear);
  mpfr_div(d, x, wide, kNear);
  mpfr_log(r, d, kNear);
}

void ref_sinc(mpfr_t r, const mpfr_t x, const mpfr_t) {
  if (mpfr_zero_p(x)) {
    mpfr_set_ui(r, 1, kNear);
    return;
  }
  if (mpfr_integer_p(x)) {
    mpfr_set_zero(r, 1);
    return;
  }
  Temp pi, two, y, s;
  mpfr_const_pi(pi, kNear);
  mpfr_set_ui(two, 2, kNear);
  mpfr_fmod(y, x, two, kNear);  // exact
  mpfr_mul(y, y, pi, kNear);
  mpfr_sin(s, y, kNear);
  mpfr_mul(y, x, pi, kNear);
  mpfr_div(r, s, y, kNear);
}

void log_of_sum(mpfr_t r, const mpfr_t x, const mpfr_t y, bool base2) {
  Temp d, m;
  mpfr_max(m, x, y, kNear);
  if (!mpfr_number_p(x) || !mpfr_number_p(y)) {
    mpfr_add(d, x, y, kNear);
    mpfr_nan_p(d.v) && !mpfr_nan_p(x) && !mpfr_nan_p(y) ? mpfr_set(r, m, kNear)
                                                        : mpfr_set(r, m, kNear);
    if (mpfr_nan_p(x) || mpfr_nan_p(y)) mpfr_set_nan(r);
    return;
  }
  mpfr_min(d, x, y, kNear);
  mpfr_sub(d, d, m, kNear);
  if (base2) {
    mpfr_exp2(d, d, kNear);
    mpfr_log1p(d, d, kNear);
    Temp ln2;
    mpfr_const_log2(ln2, kNear);
    mpfr_div(d, d, ln2, kNear);
  } else {
    mpfr_exp(d, d, kNear);
    mpfr_log1p(d, d, kNear);
  }
  mpfr_add(r, m, d, kNear);
}
void ref_logaddexp(mpfr_t r, const mpfr_t x, const mpfr_t y) { log_of_sum(r, x, y, false); }
void ref_logaddexp2(mpfr_t r, const mpfr_t x, const mpfr_t y) { log_of_sum(r, x, y, true); }

void times_log(mpfr_t r, const mpfr_t x, const mpfr_t y, bool plus_one) {
  if (mpfr_zero_p(x) && !mpfr_nan_p(y)) {
    mpfr_set_zero(r, 1);
    return;
  }
  Temp l;
  plus_one ? mpfr_log1p(l, y, kNear) : mpfr_log(l, y, kNear);
  mpfr_mul(r, x, l, kNear);
}
void ref_xlogy(mpfr_t r, const mpfr_t x, const mpfr_t y) { times_log(r, x, y, false); }
void ref_xlog1py(mpfr_t r, const mpfr_t x, const mpfr_t y) { times_log(r, x, y, true); }
void ref_ldexp(mpfr_t r, const mpfr_t x, const mpfr_t y) {
  Temp p;
  mpfr_exp2(p, y, kNear);
  mpfr_mul(r, x, p, kNear);
}

/// The absolute error that is allowed where a result cancels.
using Slack = double (*)(double x, double y);
double no_slack(double, double) { return 0; }
/// Near the negative roots: of the size of the reflected terms.
double lgamma_slack(double x, double) {
  return x < 0 ? 0x1p-51 * (1 + std::fabs(std::lgamma(-x))) : 0;
}
double digamma_slack(double x, double) {
  if (x >= 0) return 0;
  const double cot = M_PI / std::tan(M_PI * (x - std::rint(x)));
  return 0x1p-51 * (2 + std::log(1 - x) + std::fabs(cot));
}
double sum_slack(double x, double y) { return 0x1p-56 * (1 + std::fabs(std::fmax(x, y))); }

struct Function {
  const char* name;
  Batch batch;
  Reference reference;
  double bound;  // ulp
  Slack slack;
  bool binary;
  std::vector<Region> regions;
};

Region lin(double a, double b) { return {Region::kLinear, a, b}; }
Region mag(double a, double b) { return {Region::kMagnitude, a, b}; }
Region pos(double a, double b) { return {Region::kPositiveMagnitude, a, b}; }
Region near(double p) { return {Region::kNear, p, 0}; }

#define TANDEM_ROW(name, bound, slack, binary, ...)                        \
  {                                                                        \
#name, batch_##name, ref_##name, bound, slack, binary, { __VA_ARGS__ } \
  }

std::vector<Function> functions() {
  return {
      TANDEM_ROW(erfc, 1.5, no_slack, false, lin(-1, 1), lin(-6, 6), lin(1, 28), lin(26, 27.3),
                 mag(5e-324, 1), near(0), near(0.5), near(26.5), near(3.75), mag(1e-300, 1e300)),
      TANDEM_ROW(erfinv, 2.0, no_slack, false, lin(-1, 1), mag(5e-324, 1), mag(1e-300, 1e-200),
                 near(0.5), near(1), near(-1), near(0.99903), near(0.99999994), lin(0.99, 1),
                 lin(-1, -0.9999999)),
      TANDEM_ROW(i0, 2.0, no_slack, false, lin(-1, 1), lin(-12, 12), lin(-100, 100),
                 lin(600, 714.5), near(12), mag(5e-324, 1), near(713.98)),
      TANDEM_ROW(lgamma, 2.0, lgamma_slack, false, lin(-1, 1), lin(0, 3), lin(0.5, 10), lin(1, 100),
                 pos(1e-300, 1e300), pos(5e-324, 1e-300), near(1), near(2), near(0.5), near(1.5),
                 near(2.5), near(3), near(-0.5), near(-1), near(-2), lin(-0.5, 0), lin(-10, 0),
                 lin(-100, 0), near(-2.4570247382208006), near(-2.7476826467274127), mag(1, 1e15),
                 mag(5e-324, 1e-3), near(2.55634e305)),
      TANDEM_ROW(digamma, 2.0, digamma_slack, false, lin(-1, 1), lin(0, 3), lin(0.5, 10),
                 lin(1, 100), pos(1e-300, 1e300), near(1), near(2), near(3),
                 near(1.4616321449683623), near(0.5), near(-0.50408300826445540), lin(-10, 0),
                 lin(-100, 0), near(-1.573498473162390458), mag(1e-300, 1e-3)),
      TANDEM_ROW(logit, 1.5, no_slack, false, lin(0, 1), pos(5e-324, 1), near(0.5), near(1),
                 near(0.25), near(0.75), lin(0.49, 0.51), pos(1e-300, 1e-10), lin(0.99, 1)),
      TANDEM_ROW(sinc, 2.0, no_slack, false, lin(-1, 1), lin(-10, 10), lin(-1000, 1000),
                 mag(1e-300, 1), near(1), near(0.5), near(-3), mag(1, 1e16), near(100000.5)),
      TANDEM_ROW(logaddexp, 1.5, sum_slack, true, lin(-1, 1), lin(-10, 10), lin(-800, 800),
                 near(0.0), mag(1e-300, 1e3), mag(1e-3, 1e300), lin(-0.8, -0.6)),
      TANDEM_ROW(logaddexp2, 1.5, sum_slack, true, lin(-1, 1), lin(-10, 10), lin(-1100, 1100),
                 near(0.0), mag(1e-300, 1e3), mag(1e-3, 1e300), lin(-1.1, -0.9)),
      TANDEM_ROW(xlogy, 2.0, no_slack, true, lin(0, 1), pos(1e-150, 1e150), lin(0.5, 2), near(1),
                 lin(0, 100)),
      TANDEM_ROW(xlog1py, 2.0, no_slack, true, lin(-1, 1), pos(1e-150, 1e150), lin(0.5, 2),
                 lin(0, 100), mag(1e-100, 0.5)),
      TANDEM_ROW(ldexp, 2.0, no_slack, true, lin(-1, 1), lin(-1000, 1000), mag(5e-324, 1e3),
                 mag(1e-3, 1e3)),
  };
}

struct Special {
  const char* name;
  double x, y, expected;
};

const Special kSpecials[] = {
    {"erfc", 0.0, 0, 1.0},
    {"erfc", -0.0, 0, 1.0},
    {"erfc", kInf, 0, 0.0},
    {"erfc", -kInf, 0, 2.0},
    {"erfc", 1e300, 0, 0.0},
    {"erfc", -1e300, 0, 2.0},
    {"erfc", 28, 0, 0.0},
    {"erfc", kNan, 0, kNan},
    {"erfinv", 0.0, 0, 0.0},
    {"erfinv", -0.0, 0, -0.0},
    {"erfinv", 1.0, 0, kInf},
    {"erfinv", -1.0, 0, -kInf},
    {"erfinv", 1.5, 0, kNan},
    {"erfinv", -kInf, 0, kNan},
    {"erfinv", kNan, 0, kNan},
    {"i0", 0.0, 0, 1.0},
    {"i0", -0.0, 0, 1.0},
    {"i0", kInf, 0, kInf},
    {"i0", -kInf, 0, kInf},
    {"i0", 1000, 0, kInf},
    {"i0", kNan, 0, kNan},
    {"lgamma", 1.0, 0, 0.0},
    {"lgamma", 2.0, 0, 0.0},
    {"lgamma", 0.0, 0, kInf},
    {"lgamma", -0.0, 0, kInf},
    {"lgamma", -1.0, 0, kInf},
    {"lgamma", -37.0, 0, kInf},
    {"lgamma", -1e300, 0, kInf},
    {"lgamma", 1e308, 0, kInf},
    {"lgamma", kInf, 0, kInf},
    {"lgamma", -kInf, 0, kInf},
    {"lgamma", kNan, 0, kNan},
    {"digamma", 0.0, 0, -kInf},
    {"digamma", -0.0, 0, kInf},
    {"digamma", 5e-324, 0, -kInf},
    {"digamma", -1.0, 0, kNan},
    {"digamma", -1e300, 0, kNan},
    {"digamma", kInf, 0, kInf},
    {"digamma", -kInf, 0, kNan},
    {"digamma", kNan, 0, kNan},
    {"logit", 0.0, 0, -kInf},
    {"logit", -0.0, 0, -kInf},
    {"logit", 1.0, 0, kInf},
    {"logit", 0.5, 0, 0.0},
    {"logit", -0.1, 0, kNan},
    {"logit", 1.1, 0, kNan},
    {"logit", kInf, 0, kNan},
    {"logit", -kInf, 0, kNan},
    {"logit", kNan, 0, kNan},
    {"sinc", 0.0, 0, 1.0},
    {"sinc", -0.0, 0, 1.0},
    {"sinc", 5e-324, 0, 1.0},
    {"sinc", 3.0, 0, 0.0},
    {"sinc", -3.0, 0, 0.0},
    {"sinc", 1e308, 0, 0.0},
    {"sinc", -1e308, 0, 0.0},
    {"sinc", kInf, 0, kNan},
    {"sinc", kNan, 0, kNan},
    {"logaddexp", kInf, 1, kInf},
    {"logaddexp", -kInf, 1, 1.0},
    {"logaddexp", 2, -kInf, 2.0},
    {"logaddexp", -kInf, -kInf, -kInf},
    {"logaddexp", kInf, kInf, kInf},
    {"logaddexp", kInf, -kInf, kInf},
    {"logaddexp", kNan, 1, kNan},
    {"logaddexp", kNan, kInf, kNan},
    {"logaddexp", -kInf, kNan, kNan},
    {"logaddexp", -kInf, -0.0, 0.0},
    {"logaddexp", 1e308, -1e308, 1e308},
    {"logaddexp2", 3, 3, 4.0},
    {"logaddexp2", -1, -1, 0.0},
    {"logaddexp2", kInf, 1, kInf},
    {"logaddexp2", -kInf, -kInf, -kInf},
    {"logaddexp2", -kInf, 7, 7.0},
    {"logaddexp2", kInf, -kInf, kInf},
    {"logaddexp2", kNan, 1, kNan},
    {"xlogy", 0.0, 0.0, 0.0},
    {"xlogy", 0.0, kInf, 0.0},
    {"xlogy", -0.0, -1, 0.0},
    {"xlogy", 0.0, kNan, kNan},
    {"xlogy", 1, -1, kNan},
    {"xlogy", 2, 0.0, -kInf},
    {"xlogy", kInf, 1, kNan},
    {"xlogy", kNan, 1, kNan},
    {"xlog1py", 0.0, -1, 0.0},
    {"xlog1py", 0.0, kNan, kNan},
    {"xlog1py", 2, -1, -kInf},
    {"xlog1py", 2, -0.0, -0.0},
    {"ldexp", 0.0, 5, 0.0},
    {"ldexp", -0.0, 3000, -0.0},
    {"ldexp", kInf, -3, kInf},
    {"ldexp", -kInf, 3, -kInf},
    {"ldexp", 0.0, kInf, kNan},
    {"ldexp", kInf, -kInf, kNan},
    {"ldexp", 3, kInf, kInf},
    {"ldexp", -3, -kInf, -0.0},
    {"ldexp", 3, 4, 48.0},
    {"ldexp", 5e-324, 1074, 1.0},
    {"ldexp", 5e-324, 2097, 0x1p1023},
    {"ldexp", 0x1.8p1023, -2099, 0.0},
    {"ldexp", 0x1.8p1023, -2097, 5e-324 * 2},
    {"ldexp", 0x1.fffffffffffffp0, -1075, 5e-324},
    {"ldexp", -1, -1076, -0.0},
    {"ldexp", kNan, 1, kNan},
    {"ldexp", 1, kNan, kNan},
    {"ldexp", 0.0, kNan, kNan},
};

bool same_value(double a, double b) {
  return (a != a && b != b) || fn::to_bits(a) == fn::to_bits(b);
}

int check_specials(const Function& f) {
  int failures = 0;
  for (const Special& s : kSpecials) {
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

void judge(const Function& f, double x, double y, double got, const mpfr_t exact, Worst& w) {
  const double error = tandem::testing::ulp_error(got, exact);
  const double slack = f.slack(x, y);
  if (error > f.bound && slack > 0 && std::isfinite(got)) {
    Temp d;
    mpfr_sub_d(d, exact, got, kNear);
    const double share = std::fabs(mpfr_get_d(d, kNear)) / slack;
    if (share <= 1) {
      w.slack = std::fmax(w.slack, share);
      return;
    }
  }
  if (!(error <= w.ulp)) w = Worst{error, x, y, w.slack};
}

int check_accuracy(const Function& f, std::size_t samples, std::uint64_t seed) {
  mpfr_t x, y, r;
  mpfr_init2(x, 53), mpfr_init2(y, 53), mpfr_init2(r, 200);
  Worst w;
  std::size_t count = 0;
  Rng rng(seed);
  std::vector<double> xs(samples), ys(samples), out(samples);
  for (const Region& region : f.regions) {
    for (std::size_t i = 0; i < samples; ++i) draw(region, rng, i, f.binary, xs[i], ys[i]);
    f.batch(xs.data(), ys.data(), out.data(), samples);
    for (std::size_t i = 0; i < samples; ++i) {
      mpfr_set_d(x, xs[i], kNear);
      mpfr_set_d(y, ys[i], kNear);
      f.reference(r, x, y);
      judge(f, xs[i], ys[i], out[i], r, w);
      ++count;
    }
  }
  mpfr_clears(x, y, r, static_cast<mpfr_ptr>(nullptr));
  std::printf("%-10s %9zu samples  max %.4f ulp  (bound %.2f)  at %a", f.name, count, w.ulp,
              f.bound, w.x);
  if (f.binary) std::printf(", %a", w.y);
  if (w.slack > 0) std::printf("; %.2f of the absolute error allowed", w.slack);
  std::printf("%s\n", w.ulp > f.bound ? "  FAILED" : "");
  std::fflush(stdout);
  return w.ulp <= f.bound ? 0 : 1;
}

/// lgamma and digamma equal their fast part wherever that serves.
int check_paths(std::size_t samples) {
  std::vector<double> x(samples), whole(samples), fast(samples);
  Rng rng(11);
  for (std::size_t i = 0; i < samples; ++i) {
    x[i] = i % 2 == 0 ? fn::from_bits(rng.next()) : rng.unit() * 20 - 5;
  }
  int failures = 0;
  const auto check = [&](const char* name, Batch all, Batch part, bool (*slow)(double)) {
    all(x.data(), x.data(), whole.data(), samples);
    part(x.data(), x.data(), fast.data(), samples);
    for (std::size_t i = 0; i < samples; ++i) {
      if (slow(x[i]) || same_value(whole[i], fast[i])) continue;
      std::printf("FAILED %s(%a): %a whole, %a fast\n", name, x[i], whole[i], fast[i]);
      ++failures;
      return;
    }
  };
  check("lgamma", batch_lgamma, batch_lgamma_fast,
        [](double v) { return fn::lgamma_needs_slow(v); });
  check("digamma", batch_digamma, batch_digamma_fast,
        [](double v) { return fn::digamma_needs_slow(v); });
  return failures;
}

void print_hash(const Function& f, std::size_t samples, std::uint64_t seed) {
  Rng rng(seed);
  std::uint64_t hash = 0xcbf29ce484222325u;
  std::vector<double> xs(samples), ys(samples), out(samples);
  std::vector<Region> regions = f.regions;
  regions.push_back({Region::kAllBits, 0, 0});
  for (const Region& region : regions) {
    for (std::size_t i = 0; i < samples; ++i) draw(region, rng, i, f.binary, xs[i], ys[i]);
    f.batch(xs.data(), ys.data(), out.data(), samples);
    for (const double v : out) {
      hash = (hash ^ (v != v ? 1u : fn::to_bits(v))) * 0x100000001b3u;
    }
  }
  std::printf("%-10s %016llx\n", f.name, static_cast<unsigned long long>(hash));
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t samples = 1000;
  std::string only;
  bool hash = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--hash") {
      hash = true;
    } else if (arg == "--samples" && i + 1 < argc) {
      samples = std::strtoull(argv[++i], nullptr, 10);
    } else if (arg == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else {
      std::fprintf(stderr, "usage: sampled_special [--samples N] [--only NAME] [--hash]\n");
      return 2;
    }
  }
  mpfr_set_emin(-100000), mpfr_set_emax(100000);
  int failures = 0;
  std::uint64_t seed = 1;
  for (const Function& f : functions()) {
    ++seed;
    if (!only.empty() && only != f.name) continue;
    if (hash) {
      print_hash(f, samples, seed);
      continue;
    }
    failures += check_specials(f);
    failures += check_accuracy(f, samples, seed);
  }
  if (!hash && only.empty()) failures += check_paths(samples * 20);
  if (failures != 0) std::printf("%d failures\n", failures);
  mpfr_free_cache();
  return failures == 0 ? 0 : 1;
}
