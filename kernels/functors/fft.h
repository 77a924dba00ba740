// Butterflies of the built-in Fourier transform: forward transforms of small lengths, in a fixed
// order of operations that docs/numerics.md, "Fourier transforms", describes.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

/// a w, each part with one product rounded before the fused sum.
template <class T>
TANDEM_FN Complex<T> fft_mul(Complex<T> a, Complex<T> w) {
  return {fma(a.re, w.re, -(a.im * w.im)), fma(a.re, w.im, a.im * w.re)};
}

/// sum + a w: the step of the plain sum that lengths without a butterfly of their own take.
template <class T>
TANDEM_FN Complex<T> fft_add_mul(Complex<T> sum, Complex<T> a, Complex<T> w) {
  return {fma(-a.im, w.im, fma(a.re, w.re, sum.re)), fma(a.im, w.re, fma(a.re, w.im, sum.im))};
}

template <class T>
TANDEM_FN Complex<T> fft_sum(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
TANDEM_FN Complex<T> fft_difference(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
/// a - i b and a + i b.
template <class T>
TANDEM_FN Complex<T> fft_minus_i(Complex<T> a, Complex<T> b) {
  return {a.re + b.im, a.im - b.re};
}
template <class T>
TANDEM_FN Complex<T> fft_plus_i(Complex<T> a, Complex<T> b) {
  return {a.re - b.im, a.im + b.re};
}

/// y[k] = sum over j of x[j] exp(-2 pi i j k / R), in place.
template <int R>
struct Butterfly;

template <>
struct Butterfly<2> {
  template <class T>
  static TANDEM_FN void run(Complex<T>* x) {
    const Complex<T> a = x[0];
    x[0] = fft_sum(a, x[1]);
    x[1] = fft_difference(a, x[1]);
  }
};

template <>
struct Butterfly<3> {
  template <class T>
  static TANDEM_FN void run(Complex<T>* x) {
    constexpr T s = T(0.86602540378443864676372317075293618);  // sin(2 pi / 3)
    const Complex<T> t = fft_sum(x[1], x[2]);
    const Complex<T> d = fft_difference(x[1], x[2]);
    const Complex<T> m{fma(T(-0.5), t.re, x[0].re), fma(T(-0.5), t.im, x[0].im)};
    x[0] = fft_sum(x[0], t);
    x[1] = {fma(s, d.im, m.re), fma(-s, d.re, m.im)};
    x[2] = {fma(-s, d.im, m.re), fma(s, d.re, m.im)};
  }
};

template <>
struct Butterfly<4> {
  template <class T>
  static TANDEM_FN void run(Complex<T>* x) {
    const Complex<T> a = fft_sum(x[0], x[2]);
    const Complex<T> b = fft_difference(x[0], x[2]);
    const Complex<T> c = fft_sum(x[1], x[3]);
    const Complex<T> d = fft_difference(x[1], x[3]);
    x[0] = fft_sum(a, c);
    x[1] = fft_minus_i(b, d);
    x[2] = fft_difference(a, c);
    x[3] = fft_plus_i(b, d);
  }
};

template <>
struct Butterfly<5> {
  template <class T>
  static TANDEM_FN void run(Complex<T>* x) {
    constexpr T c1 = T(0.30901699437494742410229341718281906);   // cos(2 pi / 5)
    constexpr T c2 = T(-0.80901699437494742410229341718281906);  // cos(4 pi / 5)
    constexpr T s1 = T(0.95105651629515357211643933337938214);   // sin(2 pi / 5)
    constexpr T s2 = T(0.58778525229247312916870595463907277);   // sin(4 pi / 5)
    const Complex<T> t1 = fft_sum(x[1], x[4]);
    const Complex<T> t2 = fft_sum(x[2], x[3]);
    const Complex<T> d1 = fft_difference(x[1], x[4]);
    const Complex<T> d2 = fft_difference(x[2], x[3]);
    const Complex<T> a{fma(c2, t2.re, fma(c1, t1.re, x[0].re)),
                       fma(c2, t2.im, fma(c1, t1.im, x[0].im))};
    const Complex<T> b{fma(c1, t2.re, fma(c2, t1.re, x[0].re)),
                       fma(c1, t2.im, fma(c2, t1.im, x[0].im))};
    const Complex<T> e{fma(s2, d2.re, s1 * d1.re), fma(s2, d2.im, s1 * d1.im)};
    const Complex<T> f{fma(-s1, d2.re, s2 * d1.re), fma(-s1, d2.im, s2 * d1.im)};
    x[0] = fft_sum(x[0], fft_sum(t1, t2));
    x[1] = fft_minus_i(a, e);
    x[2] = fft_minus_i(b, f);
    x[3] = fft_plus_i(b, f);
    x[4] = fft_plus_i(a, e);
  }
};

template <>
struct Butterfly<8> {
  template <class T>
  static TANDEM_FN void run(Complex<T>* x) {
    constexpr T h = T(0.70710678118654752440084436210484904);  // sqrt(1/2)
    Complex<T> even[4] = {x[0], x[2], x[4], x[6]};
    Complex<T> odd[4] = {x[1], x[3], x[5], x[7]};
    Butterfly<4>::run(even);
    Butterfly<4>::run(odd);
    const Complex<T> o1{h * (odd[1].re + odd[1].im), h * (odd[1].im - odd[1].re)};
    const Complex<T> o3{h * (odd[3].im - odd[3].re), -h * (odd[3].re + odd[3].im)};
    x[0] = fft_sum(even[0], odd[0]);
    x[4] = fft_difference(even[0], odd[0]);
    x[1] = fft_sum(even[1], o1);
    x[5] = fft_difference(even[1], o1);
    x[2] = fft_minus_i(even[2], odd[2]);
    x[6] = fft_plus_i(even[2], odd[2]);
    x[3] = fft_sum(even[3], o3);
    x[7] = fft_difference(even[3], o3);
  }
};

/// Bin k of a real row of 2 h elements, from bins k and h - k of the transform z of its pairs;
/// w = exp(-2 pi i k / 2 h).
template <class T>
TANDEM_FN Complex<T> fft_unpack(Complex<T> z, Complex<T> mirror, Complex<T> w) {
  const Complex<T> even{T(0.5) * (z.re + mirror.re), T(0.5) * (z.im - mirror.im)};
  const Complex<T> odd{T(0.5) * (z.im + mirror.im), T(-0.5) * (z.re - mirror.re)};
  const Complex<T> turned = fft_mul(odd, w);
  return fft_sum(even, turned);
}

/// Twice bin k of the transform of the pairs, from bins k and h - k of a real row.
template <class T>
TANDEM_FN Complex<T> fft_pack(Complex<T> x, Complex<T> mirror, Complex<T> w) {
  const Complex<T> even{x.re + mirror.re, x.im - mirror.im};
  const Complex<T> odd{x.re - mirror.re, x.im + mirror.im};
  const Complex<T> turned = fft_mul(odd, Complex<T>{w.re, -w.im});
  return fft_plus_i(even, turned);
}

}  // namespace tandem::fn
