// lint: oracle table. The references of references.h.
#include "tests/accuracy/references.h"

#include <algorithm>
#include <cmath>

namespace tandem::testing {  // gamma_references.cpp
int mp_igamma(mpfr_t r, const mpfr_t a, const mpfr_t x);
int mp_igammac(mpfr_t r, const mpfr_t a, const mpfr_t x);
int mp_zeta(mpfr_t r, const mpfr_t s, const mpfr_t q);
int mp_digamma_derivative(mpfr_t r, const mpfr_t x, const mpfr_t order);
}  // namespace tandem::testing

namespace tandem::testing {
namespace {

constexpr double kPi = 3.14159265358979323846;

#define TANDEM_OF_ONE(name) \
  int mp_##name(mpfr_t r, const mpfr_t x, const mpfr_t) { return mpfr_##name(r, x, MPFR_RNDN); }
#define TANDEM_OF_TWO(name)                                 \
  int mp_##name(mpfr_t r, const mpfr_t x, const mpfr_t y) { \
    return mpfr_##name(r, x, y, MPFR_RNDN);                 \
  }
TANDEM_OF_ONE(exp)
TANDEM_OF_ONE(exp2)
TANDEM_OF_ONE(expm1)
TANDEM_OF_ONE(log)
TANDEM_OF_ONE(log2)
TANDEM_OF_ONE(log10)
TANDEM_OF_ONE(log1p)
TANDEM_OF_ONE(sin)
TANDEM_OF_ONE(cos)
TANDEM_OF_ONE(tan)
TANDEM_OF_ONE(asin)
TANDEM_OF_ONE(acos)
TANDEM_OF_ONE(atan)
TANDEM_OF_ONE(sinh)
TANDEM_OF_ONE(cosh)
TANDEM_OF_ONE(tanh)
TANDEM_OF_ONE(asinh)
TANDEM_OF_ONE(acosh)
TANDEM_OF_ONE(atanh)
TANDEM_OF_ONE(erf)
TANDEM_OF_ONE(erfc)
TANDEM_OF_ONE(digamma)
TANDEM_OF_TWO(pow)
TANDEM_OF_TWO(atan2)
TANDEM_OF_TWO(hypot)

/// Numbers of a precision that leaves no doubt about 140 bits of the result.
struct Wide {
  mpfr_t v;
  explicit Wide(mpfr_prec_t bits = 2400) { mpfr_init2(v, bits); }
  ~Wide() { mpfr_clear(v); }
  Wide(const Wide&) = delete;
  Wide& operator=(const Wide&) = delete;
};

int mp_rsqrt(mpfr_t r, const mpfr_t x, const mpfr_t) {
  // MPFR has +inf at -0; the op is 1 / sqrt(x).
  if (mpfr_zero_p(x)) {
    mpfr_set_inf(r, mpfr_signbit(x) ? -1 : 1);
    return 0;
  }
  return mpfr_rec_sqrt(r, x, MPFR_RNDN);
}
int mp_lgamma(mpfr_t r, const mpfr_t x, const mpfr_t) {
  int sign;
  return mpfr_lgamma(r, &sign, x, MPFR_RNDN);
}
int mp_sigmoid(mpfr_t r, const mpfr_t x, const mpfr_t) {
  mpfr_neg(r, x, MPFR_RNDN);
  mpfr_exp(r, r, MPFR_RNDN);
  mpfr_add_ui(r, r, 1, MPFR_RNDN);
  return mpfr_ui_div(r, 1, r, MPFR_RNDN);
}
int mp_selu(mpfr_t r, const mpfr_t x, const mpfr_t) {
  Wide c(200);
  mpfr_set_str(c.v, "1.0507009873554804934193349852946", 10, MPFR_RNDN);
  if (mpfr_sgn(x) > 0 || mpfr_zero_p(x) != 0) return mpfr_mul(r, x, c.v, MPFR_RNDN);
  Wide a(200);
  mpfr_set_str(a.v, "1.6732632423543772848170429916717", 10, MPFR_RNDN);
  mpfr_mul(c.v, c.v, a.v, MPFR_RNDN);
  mpfr_expm1(a.v, x, MPFR_RNDN);
  return mpfr_mul(r, a.v, c.v, MPFR_RNDN);
}
int mp_log_sigmoid(mpfr_t r, const mpfr_t x, const mpfr_t) {
  mpfr_neg(r, x, MPFR_RNDN);
  mpfr_exp(r, r, MPFR_RNDN);
  mpfr_log1p(r, r, MPFR_RNDN);
  return mpfr_neg(r, r, MPFR_RNDN);
}
int mp_logit(mpfr_t r, const mpfr_t x, const mpfr_t) {
  Wide a, b;
  mpfr_ui_sub(a.v, 1, x, MPFR_RNDN);  // exact
  mpfr_set_prec(b.v, 400);
  mpfr_div(b.v, x, a.v, MPFR_RNDN);
  // (x - (1 - x)) / (1 - x) = x / (1 - x) - 1, for log1p near 1/2.
  if (mpfr_cmp_d(b.v, 0.5) > 0 && mpfr_cmp_d(b.v, 2) < 0) {
    mpfr_sub(b.v, x, a.v, MPFR_RNDN);
    mpfr_div(b.v, b.v, a.v, MPFR_RNDN);
    return mpfr_log1p(r, b.v, MPFR_RNDN);
  }
  return mpfr_log(r, b.v, MPFR_RNDN);
}
int mp_sinc(mpfr_t r, const mpfr_t x, const mpfr_t) {
  if (mpfr_zero_p(x)) return mpfr_set_ui(r, 1, MPFR_RNDN);
  if (!mpfr_number_p(x)) {
    mpfr_set_nan(r);
    return 0;
  }
  Wide n(64), t(1300), pi(300);
  mpfr_set_ui(n.v, 2, MPFR_RNDN);
  mpfr_remainder(t.v, x, n.v, MPFR_RNDN);  // exact, in [-1, 1]
  const bool zero = mpfr_integer_p(t.v) != 0;
  mpfr_const_pi(pi.v, MPFR_RNDN);
  mpfr_mul(t.v, t.v, pi.v, MPFR_RNDN);
  mpfr_sin(r, t.v, MPFR_RNDN);
  if (zero) mpfr_set_zero(r, mpfr_signbit(x) ? -1 : 1);
  mpfr_mul(pi.v, pi.v, x, MPFR_RNDN);
  return mpfr_div(r, r, pi.v, MPFR_RNDN);
}
int mp_degrees(mpfr_t r, const mpfr_t x, bool to_radians) {
  Wide pi(300);
  mpfr_const_pi(pi.v, MPFR_RNDN);
  mpfr_div_ui(pi.v, pi.v, 180, MPFR_RNDN);
  return to_radians ? mpfr_mul(r, x, pi.v, MPFR_RNDN) : mpfr_div(r, x, pi.v, MPFR_RNDN);
}
int mp_deg2rad(mpfr_t r, const mpfr_t x, const mpfr_t) { return mp_degrees(r, x, true); }
int mp_rad2deg(mpfr_t r, const mpfr_t x, const mpfr_t) { return mp_degrees(r, x, false); }

/// The number whose error function is x, by Newton from a double that is right to a few places.
int mp_erfinv(mpfr_t r, const mpfr_t x, const mpfr_t) {
  if (mpfr_nan_p(x) || mpfr_cmpabs_ui(x, 1) > 0) {
    mpfr_set_nan(r);
    return 0;
  }
  if (mpfr_zero_p(x)) return mpfr_set(r, x, MPFR_RNDN);
  if (mpfr_cmpabs_ui(x, 1) == 0) {
    mpfr_set_inf(r, mpfr_signbit(x) ? -1 : 1);
    return 0;
  }
  const double p = mpfr_get_d(x, MPFR_RNDN);
  const double w = -std::log1p(-p * p);
  const double a = 2 / (kPi * 0.147) - w / 2;
  Wide g(200), f(200), d(200);
  mpfr_set_d(g.v, std::copysign(std::sqrt(std::sqrt(a * a + w / 0.147) - a), p), MPFR_RNDN);
  if (std::fabs(p) < 1e-8) mpfr_mul_d(g.v, x, std::sqrt(kPi) / 2, MPFR_RNDN);
  for (int step = 0; step < 8; ++step) {
    // Halley: g - t / (1 + g t), t = (erf(g) - x) / erf'(g)
    mpfr_erf(f.v, g.v, MPFR_RNDN);
    mpfr_sub(f.v, f.v, x, MPFR_RNDN);
    mpfr_sqr(d.v, g.v, MPFR_RNDN);
    mpfr_exp(d.v, d.v, MPFR_RNDN);
    mpfr_mul(f.v, f.v, d.v, MPFR_RNDN);
    mpfr_const_pi(d.v, MPFR_RNDN);
    mpfr_sqrt(d.v, d.v, MPFR_RNDN);
    mpfr_mul(f.v, f.v, d.v, MPFR_RNDN);
    mpfr_div_2ui(f.v, f.v, 1, MPFR_RNDN);
    if (mpfr_zero_p(f.v)) break;
    mpfr_mul(d.v, f.v, g.v, MPFR_RNDN);
    mpfr_add_ui(d.v, d.v, 1, MPFR_RNDN);
    mpfr_div(f.v, f.v, d.v, MPFR_RNDN);
    mpfr_sub(g.v, g.v, f.v, MPFR_RNDN);
    if (mpfr_get_exp(f.v) < mpfr_get_exp(g.v) - 45) break;  // the next would be beyond 130 bits
  }
  return mpfr_set(r, g.v, MPFR_RNDN);
}

/// The series of positive terms; infinite where a double is.
int mp_i0(mpfr_t r, const mpfr_t x, const mpfr_t) {
  if (!mpfr_number_p(x)) return mpfr_abs(r, x, MPFR_RNDN);
  if (mpfr_cmpabs_ui(x, 800) > 0) {
    mpfr_set_inf(r, 1);
    return 0;
  }
  Wide z(200), term(200), sum(200);
  mpfr_sqr(z.v, x, MPFR_RNDN);
  mpfr_div_2ui(z.v, z.v, 2, MPFR_RNDN);
  mpfr_set_ui(term.v, 1, MPFR_RNDN);
  mpfr_set_ui(sum.v, 1, MPFR_RNDN);
  for (unsigned long k = 1; !mpfr_zero_p(term.v); ++k) {
    mpfr_mul(term.v, term.v, z.v, MPFR_RNDN);
    mpfr_div_ui(term.v, term.v, k * k, MPFR_RNDN);
    mpfr_add(sum.v, sum.v, term.v, MPFR_RNDN);
    if (mpfr_zero_p(term.v) || mpfr_get_exp(term.v) < mpfr_get_exp(sum.v) - 150) break;
  }
  return mpfr_set(r, sum.v, MPFR_RNDN);
}

int mp_logaddexp(mpfr_t r, const mpfr_t x, const mpfr_t y, bool two) {
  if (mpfr_nan_p(x) || mpfr_nan_p(y)) {
    mpfr_set_nan(r);
    return 0;
  }
  if (mpfr_inf_p(x) || mpfr_inf_p(y)) return mpfr_max(r, x, y, MPFR_RNDN);
  Wide d, m;
  mpfr_sub(d.v, x, y, MPFR_RNDN);
  mpfr_abs(d.v, d.v, MPFR_RNDN);
  mpfr_neg(d.v, d.v, MPFR_RNDN);
  mpfr_set_prec(m.v, 500);
  two ? mpfr_exp2(m.v, d.v, MPFR_RNDN) : mpfr_exp(m.v, d.v, MPFR_RNDN);
  mpfr_log1p(m.v, m.v, MPFR_RNDN);
  if (two) {
    Wide l(500);
    mpfr_const_log2(l.v, MPFR_RNDN);
    mpfr_div(m.v, m.v, l.v, MPFR_RNDN);
  }
  return mpfr_add(r, m.v, mpfr_cmp(x, y) > 0 ? x : y, MPFR_RNDN);
}
int mp_logaddexp1(mpfr_t r, const mpfr_t x, const mpfr_t y) { return mp_logaddexp(r, x, y, false); }
int mp_logaddexp2(mpfr_t r, const mpfr_t x, const mpfr_t y) { return mp_logaddexp(r, x, y, true); }
int mp_xlogy(mpfr_t r, const mpfr_t x, const mpfr_t y) {
  if (mpfr_zero_p(x) && !mpfr_nan_p(y)) {
    mpfr_set_zero(r, 1);
    return 0;
  }
  Wide l(300);
  mpfr_log(l.v, y, MPFR_RNDN);
  return mpfr_mul(r, x, l.v, MPFR_RNDN);
}

int mp_xlog1py(mpfr_t r, const mpfr_t x, const mpfr_t y) {
  if (mpfr_zero_p(x) && !mpfr_nan_p(y)) {
    mpfr_set_zero(r, 1);
    return 0;
  }
  Wide l(300);
  mpfr_log1p(l.v, y, MPFR_RNDN);
  return mpfr_mul(r, x, l.v, MPFR_RNDN);
}

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
const std::vector<Region> kGammas = {lin(0, 2),
                                     lin(0, 30),
                                     pos(1e-3, 1e3),
                                     pos(5e-324, 2),
                                     {Region::kAbout, 1, 30},
                                     {Region::kAbout, 18, 300},
                                     {Region::kAbout, 300, 1e6},
                                     {Region::kAbout, 1e6, 1e300}};
const Region kAngles = {Region::kNearMultiple, kPi / 2, 0x1p29};

// Dense at the ends of the range, at the thresholds between the parts of a function, near multiples
// of pi/2.
const Precise kPrecise[] = {
    {"exp",
     mp_exp,
     {lin(-745.2, 709.8), lin(-746, -708), near(kLn2 / 2), near(-kLn2 / 2), near(709.782712893384),
      near(-745.1332191019411)}},
    {"exp2", mp_exp2, {lin(-1075, 1024), lin(-1076, -1021), near(0.5), near(-1074)}},
    {"expm1",
     mp_expm1,
     {lin(-45, 0), lin(0, 709.8), near(kLn2 / 2), near(-kLn2 / 2), near(3 * kLn2 / 2),
      near(709.782712893384), lin(36, 46)}},
    {"log",
     mp_log,
     {lin(0.5, 2), near(0.70710678118654752), near(1.4142135623730951), lin(0.9, 1.1),
      lin(2, 100)}},
    {"log2",
     mp_log2,
     {lin(0.5, 2), near(0.70710678118654752), near(1.4142135623730951), lin(0.9, 1.1),
      lin(2, 100)}},
    {"log10",
     mp_log10,
     {lin(0.5, 2), near(0.70710678118654752), near(1.4142135623730951), lin(0.9, 1.1),
      lin(2, 100)}},
    {"log1p",
     mp_log1p,
     {mag(1e-20, 0.9), near(-0.2928932188134524), near(0.4142135623730951), lin(0, 100),
      pos(0.4, 1e20)}},
    {"sin",
     mp_sin,
     {lin(-100, 100), lin(-1e9, 1e9), mag(1e9, 1.7e308), near(kPi), near(kPi / 2), near(kPi / 4),
      near(355), near(0x1p30), near(0x1.6ac5b262ca1ffp+849), mag(0x1p29, 0x1p31), kAngles}},
    {"cos",
     mp_cos,
     {lin(-100, 100), lin(-1e9, 1e9), mag(1e9, 1.7e308), near(kPi), near(kPi / 2), near(kPi / 4),
      near(355), near(0x1p30), near(0x1.6ac5b262ca1ffp+849), mag(0x1p29, 0x1p31), kAngles}},
    {"tan",
     mp_tan,
     {lin(-100, 100), lin(-1e9, 1e9), mag(1e9, 1.7e308), near(kPi), near(kPi / 2), near(kPi / 4),
      near(355), near(0x1p30), near(0x1.6ac5b262ca1ffp+849), mag(0x1p29, 0x1p31), kAngles}},
    {"asin", mp_asin, {mag(1e-308, 1), near(0.5), near(-0.5), lin(0.99, 1)}},
    {"acos", mp_acos, {mag(1e-308, 1), near(0.5), near(-0.5), lin(0.99, 1), lin(-0.1, 0.1)}},
    {"atan",
     mp_atan,
     {lin(-10, 10), near(0.4375), near(0.6875), near(1.1875), near(2.4375), near(0x1p60),
      lin(0.2, 0.4375)}},
    {"sinh", mp_sinh, {lin(-3, 3), lin(-710.5, 710.5), near(710.4758600739439), lin(15, 45)}},
    {"cosh", mp_cosh, {lin(-3, 3), lin(-710.5, 710.5), near(710.4758600739439), lin(15, 45)}},
    {"tanh", mp_tanh, {lin(-3, 3), lin(-25, 25), near(0.55), near(19.0615)}},
    {"asinh",
     mp_asinh,
     {lin(-10, 10), near(0x1p-27), mag(1e-10, 1e-2), near(0x1p300), pos(0.1, 1e3)}},
    {"acosh", mp_acosh, {lin(1, 2), lin(1, 100), pos(1, 1.7e308), lin(1, 1.001), near(0x1p300)}},
    {"atanh", mp_atanh, {mag(5e-324, 1), near(0.17157287525381), near(0x1p-28), mag(1e-10, 0.1)}},
    {"erf", mp_erf, {lin(-6, 6), near(6), lin(0.9, 1.5)}},
    {"erfc", mp_erfc, {lin(-6, 6), lin(0, 27.5), near(6), lin(0.4, 1.5), lin(26, 27.3)}},
    {"erfinv", mp_erfinv, {mag(5e-324, 1), lin(0.9, 1), near(0.5)}},
    {"i0", mp_i0, {lin(-20, 20), lin(-720, 720), near(8)}},
    {"sigmoid", mp_sigmoid, {lin(-40, 40), lin(-745, 40), lin(-746, -708)}},
    {"selu", mp_selu, {lin(-45, 0), lin(0, 100), near(-kLn2 / 2), near(-3 * kLn2 / 2)}},
    {"log_sigmoid", mp_log_sigmoid, {lin(-40, 40), lin(-745, 745)}},
    {"logit", mp_logit, {lin(0, 1), near(0.5), lin(0.4, 0.6), pos(5e-324, 1)}},
    {"rsqrt", mp_rsqrt, {lin(0.5, 4)}},
    {"sinc", mp_sinc, {lin(-10, 10), lin(-1000, 1000), near(0.5), near(2), near(1000000.5)}},
    {"deg2rad", mp_deg2rad, {lin(-360, 360)}},
    {"rad2deg", mp_rad2deg, {lin(-10, 10)}},
    {"lgamma", mp_lgamma, {lin(-10, 0), lin(0, 3), lin(2, 100), pos(1, 1e300), near(2), near(2.5)}},
    {"digamma",
     mp_digamma,
     {lin(-10, 0), lin(0, 3), lin(2, 100), pos(1, 1e300), near(1.4616321449683622)}},
    {"pow",
     mp_pow,
     {pos(5e-324, 1.7e308),
      lin(0.5, 2),
      near(0.70710678118654752),
      lin(0.9, 1.1),
      {Region::kPowRange, 0, 0},
      {Region::kPowSubnormal, 0, 0},
      {Region::kPowInteger, 0, 0}}},
    {"float_power",
     mp_pow,
     {pos(5e-324, 1.7e308),
      lin(0.5, 2),
      lin(0.9, 1.1),
      {Region::kPowRange, 0, 0},
      {Region::kPowSubnormal, 0, 0}}},
    {"atan2", mp_atan2, {mag(1e-3, 1e3), mag(1e300, 1.7e308)}},
    {"hypot",
     mp_hypot,
     {mag(1e-3, 1e3), mag(1e300, 1.2e308), mag(0x1p-402, 0x1p-398), mag(0x1p498, 0x1p502)}},
    {"logaddexp", mp_logaddexp1, {lin(-1, 1), lin(-40, 40), lin(-1000, 1000), mag(1e-10, 1e3)}},
    {"logaddexp2", mp_logaddexp2, {lin(-1, 1), lin(-60, 60), lin(-1500, 1500), mag(1e-10, 1e3)}},
    {"igamma", mp_igamma, kGammas},
    {"igammac", mp_igammac, kGammas},
    {"zeta",
     mp_zeta,
     {pos(1, 1e3), {Region::kIntegerFirst, -20, 0}, {Region::kAboveOne, 1e-3, 1e6}}},
    {"digamma_derivative",
     mp_digamma_derivative,
     {pos(1e-3, 1e3), {Region::kOrder, -10, 0}, {Region::kOrder, 0, 30}}},
    {"xlogy", mp_xlogy, {pos(5e-324, 1.7e308), lin(0.5, 2), pos(1e-3, 1e3)}},
    {"xlog1py", mp_xlog1py, {pos(5e-324, 1.7e308), lin(-1, 2), mag(1e-20, 1)}},
};

// The two terms of the reflection formula, of which the result is the small difference.
double terms_of_lgamma(double x, double) { return x < 0 ? std::max(1.0, std::lgamma(-x)) : 0; }
double terms_of_digamma(double x, double) {
  if (x >= 0) return 0;
  const double cotangent = M_PI / std::tan(M_PI * (x - std::rint(x)));
  return std::max({1.0, std::log(-x), std::fabs(cotangent)});
}
double below_one(double, double exact) { return std::fabs(exact) < 1 ? 1 : 0; }
double never(double, double) { return 0; }

const Exception kExceptions[] = {
    {"floor_divide", 2, 0, never,
     "as Python, NumPy and PyTorch have it: the quotient that belongs to the modulus"},
    {"lerp", 2, 0, never, "up to three roundings, in places of the greater term"},
    {"lgamma", 2, 4, terms_of_lgamma,
     "roots between the poles: an absolute bound there, of the terms that cancel"},
    {"digamma", 2, 4, terms_of_digamma,
     "roots between the poles: an absolute bound there, of the terms that cancel"},
    {"digamma_derivative", 2, 4, terms_of_digamma, "of order 0 it is digamma"},
    {"logaddexp", 2, 2, below_one, "a curve of roots, where the terms cancel: an absolute bound"},
    {"logaddexp2", 2, 2, below_one, "a curve of roots, where the terms cancel: an absolute bound"},
};

template <class Row, std::size_t N>
const Row* find(const Row (&rows)[N], std::string_view name) {
  for (const Row& r : rows)
    if (name == r.name) return &r;
  return nullptr;
}

}  // namespace

const Precise* precise_reference(std::string_view row) { return find(kPrecise, row); }
const Exception* exception(std::string_view row) { return find(kExceptions, row); }

}  // namespace tandem::testing
