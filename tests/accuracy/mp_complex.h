// Complex arithmetic on MPFR, for the reference values of the accuracy tests: textbook formulas in
// a precision that outlasts their cancellation.
#pragma once

#include <mpfr.h>

#include <utility>

namespace tandem::testing {

/// A real number of the current default precision.
class Mp {
 public:
  Mp(double x = 0.0) { mpfr_init_set_d(v_, x, MPFR_RNDN); }  // NOLINT: numbers convert
  Mp(const Mp& o) : Mp() { mpfr_set(v_, o.v_, MPFR_RNDN); }
  Mp& operator=(const Mp& o) {
    mpfr_set(v_, o.v_, MPFR_RNDN);
    return *this;
  }
  ~Mp() { mpfr_clear(v_); }
  mpfr_ptr get() { return v_; }
  mpfr_srcptr get() const { return v_; }
  double value() const { return mpfr_get_d(v_, MPFR_RNDN); }
  bool is_number() const { return mpfr_number_p(v_) != 0; }

 private:
  mpfr_t v_;
};

inline Mp apply(int (*f)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t), const Mp& x) {
  Mp r;
  f(r.get(), x.get(), MPFR_RNDN);
  return r;
}
inline Mp apply(int (*f)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t), const Mp& x,
                const Mp& y) {
  Mp r;
  f(r.get(), x.get(), y.get(), MPFR_RNDN);
  return r;
}
inline Mp operator+(const Mp& x, const Mp& y) { return apply(mpfr_add, x, y); }
inline Mp operator-(const Mp& x, const Mp& y) { return apply(mpfr_sub, x, y); }
inline Mp operator*(const Mp& x, const Mp& y) { return apply(mpfr_mul, x, y); }
inline Mp operator/(const Mp& x, const Mp& y) { return apply(mpfr_div, x, y); }

struct MpComplex {
  Mp re, im;
};
inline MpComplex operator+(const MpComplex& a, const MpComplex& b) {
  return {a.re + b.re, a.im + b.im};
}
inline MpComplex operator-(const MpComplex& a, const MpComplex& b) {
  return {a.re - b.re, a.im - b.im};
}
inline MpComplex operator*(const MpComplex& a, const MpComplex& b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
inline MpComplex operator/(const MpComplex& a, const MpComplex& b) {
  const Mp n = b.re * b.re + b.im * b.im;
  return {(a.re * b.re + a.im * b.im) / n, (a.im * b.re - a.re * b.im) / n};
}
inline MpComplex one() { return {Mp(1), Mp(0)}; }
inline MpComplex scaled(const MpComplex& z, const Mp& f) { return {z.re * f, z.im * f}; }
inline MpComplex times_i(const MpComplex& z) { return {Mp(0) - z.im, z.re}; }
inline MpComplex exp(const MpComplex& z) {
  const Mp e = apply(mpfr_exp, z.re);
  return {e * apply(mpfr_cos, z.im), e * apply(mpfr_sin, z.im)};
}
inline MpComplex log(const MpComplex& z) {
  const Mp r = apply(mpfr_hypot, z.re, z.im);
  return {apply(mpfr_log, r), apply(mpfr_atan2, z.im, z.re)};
}
inline MpComplex sqrt(const MpComplex& z) { return exp(scaled(log(z), Mp(0.5))); }
inline MpComplex neg(const MpComplex& z) { return {Mp(0) - z.re, Mp(0) - z.im}; }
inline MpComplex sinh(const MpComplex& z) { return scaled(exp(z) - exp(neg(z)), Mp(0.5)); }
inline MpComplex cosh(const MpComplex& z) { return scaled(exp(z) + exp(neg(z)), Mp(0.5)); }
inline MpComplex asinh(const MpComplex& z) { return log(z + sqrt(z * z + one())); }
inline MpComplex atanh(const MpComplex& z) {
  return scaled(log(one() + z) - log(one() - z), Mp(0.5));
}

}  // namespace tandem::testing
