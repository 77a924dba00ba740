// lint: oracle table. MPFR's references of the incomplete gamma functions, the zeta function and
// polygamma: the sums of tests/host/gamma_oracle.h in 128 bits.
#include "tests/accuracy/mp_complex.h"
#include "tests/accuracy/references.h"
#include "tests/host/gamma_oracle.h"

namespace tandem::testing {

Mp exp_of(const Mp& x) { return apply(mpfr_exp, x); }
Mp log_of(const Mp& x) { return apply(mpfr_log, x); }
Mp sqrt_of(const Mp& x) { return apply(mpfr_sqrt, x); }
Mp erfc_of(const Mp& x) { return apply(mpfr_erfc, x); }
double double_of(const Mp& x) { return x.value(); }
int bits_of(const Mp*) { return static_cast<int>(mpfr_get_default_prec()); }

namespace {

using namespace test::oracle;

constexpr mpfr_prec_t kWide = 128;

/// Numbers of so many bits while it lives; the default is the thread's own.
struct Precision {
  explicit Precision(mpfr_prec_t bits) : before(mpfr_get_default_prec()) {
    mpfr_set_default_prec(bits);
  }
  ~Precision() { mpfr_set_default_prec(before); }
  Precision(const Precision&) = delete;
  Precision& operator=(const Precision&) = delete;
  mpfr_prec_t before;
};

Mp two_pi() {
  Mp r;
  mpfr_const_pi(r.get(), MPFR_RNDN);
  return r + r;
}

GammaConstants<Mp> constants() {
  const Precision wide(kWide);
  GammaConstants<Mp> c;
  c.two_pi = two_pi();
  mpfr_const_euler(c.euler.get(), MPFR_RNDN);
  for (unsigned k = 2; k < 26; ++k) {
    Mp z;
    mpfr_zeta_ui(z.get(), k, MPFR_RNDN);
    c.zetas.push_back(z / Mp(k));
  }
  c.temme = temme_coefficients<Mp>(80);
  return c;
}

double double_of_exact(const mpfr_t x) { return mpfr_get_d(x, MPFR_RNDN); }

GammaParts<Mp> gammas(const mpfr_t a, const mpfr_t x) {
  static const GammaConstants<Mp> c = constants();
  return gamma_parts<Mp>(double_of_exact(a), double_of_exact(x), c);
}

}  // namespace

int mp_igamma(mpfr_t r, const mpfr_t a, const mpfr_t x) {
  const Precision wide(kWide);
  const GammaParts<Mp> v = gammas(a, x);
  return mpfr_set(r, v.p.get(), MPFR_RNDN);
}
int mp_igammac(mpfr_t r, const mpfr_t a, const mpfr_t x) {
  const Precision wide(kWide);
  const GammaParts<Mp> v = gammas(a, x);
  return mpfr_set(r, v.q.get(), MPFR_RNDN);
}
int mp_zeta(mpfr_t r, const mpfr_t s, const mpfr_t q) {
  const Precision wide(kWide);
  const Mp v = hurwitz<Mp>(double_of_exact(s), double_of_exact(q), Mp(0));
  return mpfr_set(r, v.get(), MPFR_RNDN);
}
int mp_digamma_derivative(mpfr_t r, const mpfr_t x, const mpfr_t order) {
  const double n = double_of_exact(order);
  if (!(n >= 0)) {
    mpfr_set_nan(r);
    return 0;
  }
  if (n < 1) return mpfr_digamma(r, x, MPFR_RNDN);
  const Precision wide(kWide);
  const Mp v = polygamma_of<Mp>(std::floor(n), double_of_exact(x), two_pi());
  return mpfr_set(r, v.get(), MPFR_RNDN);
}

}  // namespace tandem::testing
