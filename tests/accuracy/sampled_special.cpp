// Accuracy of the float64 special functions (functors/special_f64.h, gamma_f64.h) against MPFR, as
// sampled_f64.cpp does it. Where a result cancels (lgamma and digamma near their negative roots,
// logaddexp near 0) an absolute error is allowed instead. Exit status 1 above a bound.
// lint: oracle table
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/functors/gamma_f64.h"
#include "kernels/functors/special_f64.h"
#include "tests/accuracy/sampled.h"

namespace {

namespace fn = tandem::fn;
using namespace tandem::testing;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

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

int ref_ldexp(mpfr_t r, const mpfr_t x, const mpfr_t y) {
  mpfr_t p;
  mpfr_init2(p, 400);
  mpfr_exp2(p, y, MPFR_RNDN);
  mpfr_mul(r, x, p, MPFR_RNDN);
  mpfr_clear(p);
  return 0;
}

// The absolute error that is allowed where a result cancels.

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

std::vector<Function> functions() {
  return {
      TANDEM_ROW(erfc, 1.5, lin(-1, 1), lin(-6, 6), lin(1, 28), lin(26, 27.3), mag(5e-324, 1),
                 near(0), near(0.5), near(26.5), near(3.75), mag(1e-300, 1e300)),
      TANDEM_ROW(erfinv, 2.0, lin(-1, 1), mag(5e-324, 1), mag(1e-300, 1e-200), near(0.5), near(1),
                 near(-1), near(0.99903), near(0.99999994), lin(0.99, 1), lin(-1, -0.9999999)),
      TANDEM_ROW(i0, 2.0, lin(-1, 1), lin(-12, 12), lin(-100, 100), lin(600, 714.5), near(12),
                 mag(5e-324, 1), near(713.98)),
      {"lgamma",
       batch_lgamma,
       2.0,
       false,
       {lin(-1, 1),
        lin(0, 3),
        lin(0.5, 10),
        lin(1, 100),
        pos(1e-300, 1e300),
        pos(5e-324, 1e-300),
        near(1),
        near(2),
        near(0.5),
        near(1.5),
        near(2.5),
        near(3),
        near(-0.5),
        near(-1),
        near(-2),
        lin(-0.5, 0),
        lin(-10, 0),
        lin(-100, 0),
        near(-2.4570247382208006),
        near(-2.7476826467274127),
        mag(1, 1e15),
        mag(5e-324, 1e-3),
        near(2.55634e305)},
       lgamma_slack},
      {"digamma",
       batch_digamma,
       2.0,
       false,
       {lin(-1, 1), lin(0, 3), lin(0.5, 10), lin(1, 100), pos(1e-300, 1e300), near(1), near(2),
        near(3), near(1.4616321449683623), near(0.5), near(-0.50408300826445540), lin(-10, 0),
        lin(-100, 0), near(-1.573498473162390458), mag(1e-300, 1e-3)},
       digamma_slack},
      TANDEM_ROW(logit, 1.5, lin(0, 1), pos(5e-324, 1), near(0.5), near(1), near(0.25), near(0.75),
                 lin(0.49, 0.51), pos(1e-300, 1e-10), lin(0.99, 1)),
      TANDEM_ROW(sinc, 2.0, lin(-1, 1), lin(-10, 10), lin(-1000, 1000), mag(1e-300, 1), near(1),
                 near(0.5), near(-3), mag(1, 1e16), near(100000.5)),
      {"logaddexp",
       batch_logaddexp,
       1.5,
       true,
       {lin(-1, 1), lin(-10, 10), lin(-800, 800), near(0.0), mag(1e-300, 1e3), mag(1e-3, 1e300),
        lin(-0.8, -0.6)},
       sum_slack},
      {"logaddexp2",
       batch_logaddexp2,
       1.5,
       true,
       {lin(-1, 1), lin(-10, 10), lin(-1100, 1100), near(0.0), mag(1e-300, 1e3), mag(1e-3, 1e300),
        lin(-1.1, -0.9)},
       sum_slack},
      TANDEM_ROW2(xlogy, 2.0, lin(0, 1), pos(1e-150, 1e150), lin(0.5, 2), near(1), lin(0, 100)),
      TANDEM_ROW2(xlog1py, 2.0, lin(-1, 1), pos(1e-150, 1e150), lin(0.5, 2), lin(0, 100),
                  mag(1e-100, 0.5)),
      {"ldexp",
       batch_ldexp,
       2.0,
       true,
       {lin(-1, 1), lin(-1000, 1000), mag(5e-324, 1e3), mag(1e-3, 1e3)},
       nullptr,
       ref_ldexp},
  };
}

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

const Path kPaths[] = {{"lgamma", batch_lgamma, batch_lgamma_fast, nullptr,
                        [](double x) { return fn::lgamma_needs_slow(x); }},
                       {"digamma", batch_digamma, batch_digamma_fast, nullptr,
                        [](double x) { return fn::digamma_needs_slow(x); }}};

}  // namespace

int main(int argc, char** argv) {
  return check_all(Options(argc, argv, 1000), functions(), kSpecials, kPaths);
}
