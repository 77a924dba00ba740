// Accuracy of the float64 elementary functions against MPFR: random samples per region, dense
// around the hard spots, and C's special values. Exit status 1 above a function's bound.
// lint: oracle table
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/functors/atrig_f64.h"
#include "kernels/functors/erf_f64.h"
#include "kernels/functors/exp_f64.h"
#include "kernels/functors/hyperbolic_f64.h"
#include "kernels/functors/log_f64.h"
#include "kernels/functors/pow_f64.h"
#include "kernels/functors/trig_f64.h"
#include "tests/accuracy/sampled.h"

namespace {

namespace fn = tandem::fn;
using namespace tandem::testing;

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

TANDEM_BATCH(exp, x)
TANDEM_BATCH(exp2, x)
TANDEM_BATCH(expm1, x)
TANDEM_BATCH(log, x)
TANDEM_BATCH(log2, x)
TANDEM_BATCH(log10, x)
TANDEM_BATCH(log1p, x)
TANDEM_BATCH(sin, x)
TANDEM_BATCH(cos, x)
TANDEM_BATCH(tan, x)
TANDEM_BATCH(sin_fast, x)
TANDEM_BATCH(cos_fast, x)
TANDEM_BATCH(tan_fast, x)
TANDEM_BATCH(sin_slow, x)
TANDEM_BATCH(cos_slow, x)
TANDEM_BATCH(tan_slow, x)
TANDEM_BATCH(sinpi, x)
TANDEM_BATCH(cospi, x)
TANDEM_BATCH(asin, x)
TANDEM_BATCH(acos, x)
TANDEM_BATCH(atan, x)
TANDEM_BATCH(sinh, x)
TANDEM_BATCH(cosh, x)
TANDEM_BATCH(tanh, x)
TANDEM_BATCH(asinh, x)
TANDEM_BATCH(acosh, x)
TANDEM_BATCH(atanh, x)
TANDEM_BATCH(erf, x)
TANDEM_BATCH(sigmoid, x)
TANDEM_BATCH(rsqrt, x)
TANDEM_BATCH(pow, x, y)
TANDEM_BATCH(atan2, x, y)
TANDEM_BATCH(hypot, x, y)

// sin and cos of pi x: x is first brought below 2, exactly, since pi x of a large x has no place
// to keep its fraction.
int ref_pi(mpfr_t r, const mpfr_t x, bool cosine) {
  mpfr_t pi, y, two;
  mpfr_inits2(300, pi, y, two, static_cast<mpfr_ptr>(nullptr));
  mpfr_set_ui(two, 2, MPFR_RNDN);
  mpfr_fmod(y, x, two, MPFR_RNDN);
  mpfr_const_pi(pi, MPFR_RNDN);
  mpfr_mul(y, y, pi, MPFR_RNDN);
  // Exact zeros stay exact.
  mpfr_t halves;
  mpfr_init2(halves, 1200);
  mpfr_mul_ui(halves, x, cosine ? 2 : 1, MPFR_RNDN);
  const bool on_grid = mpfr_integer_p(halves) && !(cosine && mpfr_integer_p(x));
  cosine ? mpfr_cos(r, y, MPFR_RNDN) : mpfr_sin(r, y, MPFR_RNDN);
  if (on_grid) mpfr_set_zero(r, cosine ? 1 : (mpfr_signbit(x) ? -1 : 1));
  mpfr_clears(pi, y, two, halves, static_cast<mpfr_ptr>(nullptr));
  return 0;
}
int ref_sinpi(mpfr_t r, const mpfr_t x, const mpfr_t) { return ref_pi(r, x, false); }
int ref_cospi(mpfr_t r, const mpfr_t x, const mpfr_t) { return ref_pi(r, x, true); }

std::vector<Function> functions() {
  const double pi = 0x1.921fb54442d18p+1;
  const double ln2 = 0x1.62e42fefa39efp-1;
  const std::vector<Region> half_turns = {lin(-1, 1),     lin(-1000, 1000), mag(1e-300, 1e17),
                                          near(0.25),     near(0.5),        near(1),
                                          near(1000000.5)};
  return {
      TANDEM_ROW(exp, 1.0, lin(-1, 1), lin(-745.2, 709.8), lin(-746, -708), near(0), near(ln2 / 2),
                 near(-ln2 / 2), near(709.782712893384), near(-745.1332191019411), mag(1e-300, 1)),
      TANDEM_ROW(exp2, 1.0, lin(-1, 1), lin(-1075, 1024), lin(-1076, -1021), near(0.5), near(1),
                 near(-1074), mag(1e-300, 1)),
      TANDEM_ROW(expm1, 1.25, lin(-1, 1), lin(-45, 0), lin(0, 709.8), near(0), near(ln2 / 2),
                 near(-ln2 / 2), near(3 * ln2 / 2), near(709.782712893384), lin(36, 46),
                 mag(1e-308, 1), mag(5e-324, 1e-307)),
      TANDEM_ROW(log, 1.0, lin(0.5, 2), pos(5e-324, 1.7e308), near(1), near(0.70710678118654752),
                 near(1.4142135623730951), pos(5e-324, 1e-307), lin(0.9, 1.1), lin(2, 100)),
      TANDEM_ROW(log2, 1.0, lin(0.5, 2), pos(5e-324, 1.7e308), near(1), near(0.70710678118654752),
                 near(1.4142135623730951), pos(5e-324, 1e-307), lin(0.9, 1.1), lin(2, 100)),
      TANDEM_ROW(log10, 1.0, lin(0.5, 2), pos(5e-324, 1.7e308), near(1), near(0.70710678118654752),
                 near(1.4142135623730951), pos(5e-324, 1e-307), lin(0.9, 1.1), lin(2, 100)),
      TANDEM_ROW(log1p, 1.0, lin(-1, 1), pos(5e-324, 1.7e308), mag(5e-324, 1e-300), mag(1e-20, 0.9),
                 near(0), near(-0.2928932188134524), near(0.4142135623730951), near(-1),
                 lin(0, 100), pos(0.4, 1e20)),
      TANDEM_ROW(sin, 1.0, lin(-1, 1), lin(-100, 100), lin(-1e9, 1e9), mag(1e-308, 1),
                 mag(1e9, 1.7e308), near(pi), near(pi / 2), near(pi / 4), near(355), near(0x1p30),
                 near(0x1.6ac5b262ca1ffp+849), mag(5e-324, 1e-300), mag(0x1p29, 0x1p31),
                 {Region::kNearMultiple, pi / 2, 0x1p29}),
      TANDEM_ROW(cos, 1.0, lin(-1, 1), lin(-100, 100), lin(-1e9, 1e9), mag(1e-308, 1),
                 mag(1e9, 1.7e308), near(pi), near(pi / 2), near(pi / 4), near(355), near(0x1p30),
                 near(0x1.6ac5b262ca1ffp+849), mag(0x1p29, 0x1p31),
                 {Region::kNearMultiple, pi / 2, 0x1p29}),
      TANDEM_ROW(tan, 1.0, lin(-1, 1), lin(-100, 100), lin(-1e9, 1e9), mag(1e-308, 1),
                 mag(1e9, 1.7e308), near(pi), near(pi / 2), near(pi / 4), near(355), near(0x1p30),
                 near(0x1.6ac5b262ca1ffp+849), mag(5e-324, 1e-300), mag(0x1p29, 0x1p31),
                 {Region::kNearMultiple, pi / 2, 0x1p29}),
      {"sinpi", batch_sinpi, 1.0, false, half_turns, nullptr, ref_sinpi},
      {"cospi", batch_cospi, 1.0, false, half_turns, nullptr, ref_cospi},
      TANDEM_ROW(asin, 1.0, lin(-1, 1), mag(1e-308, 1), mag(5e-324, 1e-300), near(0.5), near(-0.5),
                 near(1), near(-1), lin(0.99, 1)),
      TANDEM_ROW(acos, 1.0, lin(-1, 1), mag(1e-308, 1), near(0.5), near(-0.5), near(1), near(-1),
                 lin(0.99, 1), lin(-0.1, 0.1)),
      TANDEM_ROW(atan, 1.5, lin(-1, 1), lin(-10, 10), mag(5e-324, 1.7e308), mag(5e-324, 1e-300),
                 near(0.4375), near(0.6875), near(1.1875), near(2.4375), near(0x1p60),
                 lin(0.2, 0.4375)),
      TANDEM_ROW(sinh, 1.0, lin(-1, 1), lin(-3, 3), lin(-710.5, 710.5), mag(5e-324, 1), near(1),
                 near(710.4758600739439), lin(15, 45)),
      TANDEM_ROW(cosh, 1.0, lin(-1, 1), lin(-3, 3), lin(-710.5, 710.5), mag(5e-324, 1), near(1),
                 near(710.4758600739439), lin(15, 45)),
      TANDEM_ROW(tanh, 1.25, lin(-1, 1), lin(-3, 3), lin(-25, 25), mag(5e-324, 1), near(0.55),
                 near(19.0615), mag(1, 1e300)),
      TANDEM_ROW(asinh, 1.0, lin(-1, 1), lin(-10, 10), mag(5e-324, 1.7e308), near(0x1p-27),
                 mag(1e-10, 1e-2), near(0x1p300), pos(0.1, 1e3)),
      TANDEM_ROW(acosh, 1.0, lin(1, 2), lin(1, 100), pos(1, 1.7e308), near(1), lin(1, 1.001),
                 near(0x1p300)),
      TANDEM_ROW(atanh, 1.0, lin(-1, 1), mag(5e-324, 1), near(1), near(-1), near(0.17157287525381),
                 near(0x1p-28), mag(1e-10, 0.1)),
      TANDEM_ROW(erf, 1.25, lin(-1, 1), lin(-6, 6), mag(5e-324, 1), near(1), near(6),
                 lin(0.9, 1.5)),
      TANDEM_ROW(sigmoid, 1.0, lin(-1, 1), lin(-40, 40), lin(-745, 40), lin(-746, -708), near(0),
                 mag(1e-300, 1)),
      TANDEM_ROW(rsqrt, 1.51, pos(5e-324, 1.7e308), lin(0.5, 4), pos(5e-324, 1e-307)),
      TANDEM_ROW2(pow, 1.0, pos(5e-324, 1.7e308), lin(0.5, 2), near(1), near(0.70710678118654752),
                  lin(0.9, 1.1), {Region::kPowRange, 0, 0}, {Region::kPowSubnormal, 0, 0},
                  {Region::kPowInteger, 0, 0}),
      TANDEM_ROW2(atan2, 1.5, lin(-1, 1), mag(5e-324, 1.7e308), mag(1e-3, 1e3), mag(5e-324, 1e-300),
                  mag(1e300, 1.7e308)),
      TANDEM_ROW2(hypot, 1.0, lin(-1, 1), mag(5e-324, 1.7e308), mag(1e-3, 1e3), mag(5e-324, 1e-300),
                  mag(1e300, 1.2e308), mag(0x1p-402, 0x1p-398), mag(0x1p498, 0x1p502)),
  };
}

// C99 Annex F.
const Special kSpecials[] = {
    {"exp", kInf, 0, kInf},
    {"exp", -kInf, 0, 0.0},
    {"exp", kNan, 0, kNan},
    {"exp", 0.0, 0, 1.0},
    {"exp", 1e308, 0, kInf},
    {"exp", -1e308, 0, 0.0},
    {"exp2", kInf, 0, kInf},
    {"exp2", -kInf, 0, 0.0},
    {"exp2", kNan, 0, kNan},
    {"exp2", 10, 0, 1024.0},
    {"exp2", -1074, 0, 5e-324},
    {"exp2", 1024, 0, kInf},
    {"expm1", kInf, 0, kInf},
    {"expm1", -kInf, 0, -1.0},
    {"expm1", kNan, 0, kNan},
    {"expm1", 0.0, 0, 0.0},
    {"expm1", -0.0, 0, -0.0},
    {"log", 0.0, 0, -kInf},
    {"log", -0.0, 0, -kInf},
    {"log", 1.0, 0, 0.0},
    {"log", -1.0, 0, kNan},
    {"log", kInf, 0, kInf},
    {"log", -kInf, 0, kNan},
    {"log", kNan, 0, kNan},
    {"log2", 0.0, 0, -kInf},
    {"log2", -0.0, 0, -kInf},
    {"log2", 1.0, 0, 0.0},
    {"log2", -5e-324, 0, kNan},
    {"log2", kInf, 0, kInf},
    {"log2", kNan, 0, kNan},
    {"log2", 0x1p-1074, 0, -1074},
    {"log2", 0x1p1023, 0, 1023},
    {"log2", 8, 0, 3},
    {"log10", 0.0, 0, -kInf},
    {"log10", -0.0, 0, -kInf},
    {"log10", 1.0, 0, 0.0},
    {"log10", -kInf, 0, kNan},
    {"log10", kInf, 0, kInf},
    {"log10", kNan, 0, kNan},
    {"log10", 1e22, 0, 22},
    {"log10", 1000, 0, 3},
    {"log1p", 0.0, 0, 0.0},
    {"log1p", -0.0, 0, -0.0},
    {"log1p", -1.0, 0, -kInf},
    {"log1p", -2.0, 0, kNan},
    {"log1p", kInf, 0, kInf},
    {"log1p", -kInf, 0, kNan},
    {"log1p", kNan, 0, kNan},
    {"sin", 0.0, 0, 0.0},
    {"sin", -0.0, 0, -0.0},
    {"sin", kInf, 0, kNan},
    {"sin", -kInf, 0, kNan},
    {"sin", kNan, 0, kNan},
    {"cos", 0.0, 0, 1.0},
    {"cos", -0.0, 0, 1.0},
    {"cos", kInf, 0, kNan},
    {"cos", -kInf, 0, kNan},
    {"cos", kNan, 0, kNan},
    {"tan", 0.0, 0, 0.0},
    {"tan", -0.0, 0, -0.0},
    {"tan", kInf, 0, kNan},
    {"tan", kNan, 0, kNan},
    {"sinpi", 0.0, 0, 0.0},
    {"sinpi", -0.0, 0, -0.0},
    {"sinpi", 3.0, 0, 0.0},
    {"sinpi", -2.0, 0, -0.0},
    {"sinpi", 0.5, 0, 1.0},
    {"sinpi", 1e300, 0, 0.0},
    {"sinpi", kInf, 0, kNan},
    {"cospi", 0.5, 0, 0.0},
    {"cospi", -1.5, 0, 0.0},
    {"cospi", 1.0, 0, -1.0},
    {"cospi", 1e300, 0, 1.0},
    {"cospi", kInf, 0, kNan},
    {"cospi", kNan, 0, kNan},
    {"asin", 0.0, 0, 0.0},
    {"asin", -0.0, 0, -0.0},
    {"asin", 1.5, 0, kNan},
    {"asin", -kInf, 0, kNan},
    {"asin", kNan, 0, kNan},
    {"acos", 1.0, 0, 0.0},
    {"acos", 1.5, 0, kNan},
    {"acos", -kInf, 0, kNan},
    {"acos", kNan, 0, kNan},
    {"atan", 0.0, 0, 0.0},
    {"atan", -0.0, 0, -0.0},
    {"atan", kInf, 0, M_PI_2},
    {"atan", -kInf, 0, -M_PI_2},
    {"atan", kNan, 0, kNan},
    {"sinh", 0.0, 0, 0.0},
    {"sinh", -0.0, 0, -0.0},
    {"sinh", kInf, 0, kInf},
    {"sinh", -kInf, 0, -kInf},
    {"sinh", kNan, 0, kNan},
    {"cosh", 0.0, 0, 1.0},
    {"cosh", kInf, 0, kInf},
    {"cosh", -kInf, 0, kInf},
    {"cosh", kNan, 0, kNan},
    {"tanh", 0.0, 0, 0.0},
    {"tanh", -0.0, 0, -0.0},
    {"tanh", kInf, 0, 1.0},
    {"tanh", -kInf, 0, -1.0},
    {"tanh", kNan, 0, kNan},
    {"asinh", 0.0, 0, 0.0},
    {"asinh", -0.0, 0, -0.0},
    {"asinh", kInf, 0, kInf},
    {"asinh", -kInf, 0, -kInf},
    {"asinh", kNan, 0, kNan},
    {"acosh", 1.0, 0, 0.0},
    {"acosh", 0.5, 0, kNan},
    {"acosh", kInf, 0, kInf},
    {"acosh", -kInf, 0, kNan},
    {"acosh", kNan, 0, kNan},
    {"atanh", 0.0, 0, 0.0},
    {"atanh", -0.0, 0, -0.0},
    {"atanh", 1.0, 0, kInf},
    {"atanh", -1.0, 0, -kInf},
    {"atanh", 1.5, 0, kNan},
    {"atanh", kInf, 0, kNan},
    {"atanh", kNan, 0, kNan},
    {"erf", 0.0, 0, 0.0},
    {"erf", -0.0, 0, -0.0},
    {"erf", kInf, 0, 1.0},
    {"erf", -kInf, 0, -1.0},
    {"erf", kNan, 0, kNan},
    {"sigmoid", kInf, 0, 1.0},
    {"sigmoid", -kInf, 0, 0.0},
    {"sigmoid", 0.0, 0, 0.5},
    {"sigmoid", kNan, 0, kNan},
    {"rsqrt", 0.0, 0, kInf},
    {"rsqrt", -0.0, 0, -kInf},
    {"rsqrt", kInf, 0, 0.0},
    {"rsqrt", -1.0, 0, kNan},
    {"rsqrt", kNan, 0, kNan},
    {"pow", 0.0, -3, kInf},
    {"pow", -0.0, -3, -kInf},
    {"pow", -0.0, -2, kInf},
    {"pow", 0.0, -2.5, kInf},
    {"pow", -0.0, -kInf, kInf},
    {"pow", 0.0, 3, 0.0},
    {"pow", -0.0, 3, -0.0},
    {"pow", -0.0, 2, 0.0},
    {"pow", -0.0, 0.5, 0.0},
    {"pow", -1, kInf, 1.0},
    {"pow", -1, -kInf, 1.0},
    {"pow", 1, kNan, 1.0},
    {"pow", 1, kInf, 1.0},
    {"pow", kNan, 0.0, 1.0},
    {"pow", kNan, -0.0, 1.0},
    {"pow", kInf, 0.0, 1.0},
    {"pow", -2, 0.5, kNan},
    {"pow", -2, 3, -8.0},
    {"pow", -2, -2, 0.25},
    {"pow", 0.5, -kInf, kInf},
    {"pow", 2, -kInf, 0.0},
    {"pow", -0.5, kInf, 0.0},
    {"pow", -2, kInf, kInf},
    {"pow", -kInf, -3, -0.0},
    {"pow", -kInf, -2.5, 0.0},
    {"pow", -kInf, 3, -kInf},
    {"pow", -kInf, 2.5, kInf},
    {"pow", kInf, -1, 0.0},
    {"pow", kInf, 1e-300, kInf},
    {"pow", kNan, 1, kNan},
    {"pow", 2, kNan, kNan},
    {"pow", -1, 9007199254740993.0, 1.0},
    {"pow", 10, 2, 100.0},
    {"pow", -3, 9007199254740991.0, -kInf},
    {"pow", 1e-300, 2, 0.0},
    {"pow", -1, 9007199254740991.0, -1.0},
    {"pow", kInf, -kInf, 0.0},
    {"pow", 0x1.fffffffffffffp-1, 1e308, 0.0},
    {"pow", 0.0, kInf, 0.0},
    {"pow", 2, -1074, 5e-324},
    {"pow", 2, 1e308, kInf},
    {"pow", -kInf, kInf, kInf},
    {"atan2", 0.0, -0.0, M_PI},
    {"atan2", -0.0, -0.0, -M_PI},
    {"atan2", 0.0, 0.0, 0.0},
    {"atan2", -0.0, 0.0, -0.0},
    {"atan2", 0.0, -1, M_PI},
    {"atan2", -0.0, -1, -M_PI},
    {"atan2", -0.0, 1, -0.0},
    {"atan2", -1, 0.0, -M_PI_2},
    {"atan2", 1, -0.0, M_PI_2},
    {"atan2", 1, -kInf, M_PI},
    {"atan2", -1, -kInf, -M_PI},
    {"atan2", 1, kInf, 0.0},
    {"atan2", -1, kInf, -0.0},
    {"atan2", kInf, 1, M_PI_2},
    {"atan2", -kInf, 1, -M_PI_2},
    {"atan2", kInf, -kInf, 3 * M_PI_4},
    {"atan2", kInf, kInf, M_PI_4},
    {"atan2", -kInf, -kInf, -3 * M_PI_4},
    {"atan2", kNan, 1, kNan},
    {"atan2", 1, kNan, kNan},
    {"atan2", kInf, kNan, kNan},
    {"atan2", 0.0, kNan, kNan},
    {"hypot", kInf, kNan, kInf},
    {"hypot", kNan, -kInf, kInf},
    {"hypot", kNan, 1, kNan},
    {"hypot", 1, kNan, kNan},
    {"hypot", -0.0, -0.0, 0.0},
    {"hypot", 3, -4, 5.0},
    {"hypot", 0.0, -5e-324, 5e-324},
    {"hypot", kInf, 1, kInf},
    {"hypot", 1.7e308, 1.7e308, kInf},
};

const Path kPaths[] = {{"sin", batch_sin, batch_sin_fast, batch_sin_slow,
                        [](double x) { return fn::sin_needs_slow(x); }},
                       {"cos", batch_cos, batch_cos_fast, batch_cos_slow,
                        [](double x) { return fn::cos_needs_slow(x); }},
                       {"tan", batch_tan, batch_tan_fast, batch_tan_slow,
                        [](double x) { return fn::tan_needs_slow(x); }}};

}  // namespace

int main(int argc, char** argv) {
  return check_all(Options(argc, argv, 4000), functions(), kSpecials, kPaths);
}
