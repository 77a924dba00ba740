// A vector of the SIMD level as an element type of functors: the same operations as on one number,
// on all lanes.
#pragma once

#include <utility>

#include "tandem/fn.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace tandem::host::TANDEM_ISA {

#if defined(__AVX512F__)
inline constexpr int kWideBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kWideBytes = 32;
#else
inline constexpr int kWideBytes = 16;
#endif

/// sum = a * b + sum, rounded once, of vectors of kWideBytes whose lanes are R.
template <class R, class V>
TANDEM_FN void fused_add(const V& a, const V& b, V& sum) {
#if defined(__AVX512F__)
  if constexpr (sizeof(R) == 4) {
    sum = _mm512_fmadd_ps(a, b, sum);
  } else {
    sum = _mm512_fmadd_pd(a, b, sum);
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(R) == 4) {
    sum = _mm256_fmadd_ps(a, b, sum);
  } else {
    sum = _mm256_fmadd_pd(a, b, sum);
  }
#else
  for (int l = 0; l < kWideBytes / static_cast<int>(sizeof(R)); ++l)
    sum[l] = fn::fma(a[l], b[l], sum[l]);
#endif
}

template <class T>
struct Wide {
  static constexpr int kLanes = kWideBytes / static_cast<int>(sizeof(T));
  typedef T Vector __attribute__((vector_size(kWideBytes)));
  Vector v;

  Wide() = default;
  TANDEM_FN constexpr explicit Wide(double x)
      : Wide(static_cast<T>(x), std::make_integer_sequence<int, kLanes>()) {}
  TANDEM_FN explicit Wide(Vector x) : v(x) {}
  TANDEM_FN static Wide from(const T* p) {
    Wide w;
    __builtin_memcpy(&w.v, p, sizeof w.v);
    return w;
  }
  TANDEM_FN void to(T* p) const { __builtin_memcpy(p, &v, sizeof v); }

  friend TANDEM_FN Wide operator+(const Wide& a, const Wide& b) { return Wide(a.v + b.v); }
  friend TANDEM_FN Wide operator-(const Wide& a, const Wide& b) { return Wide(a.v - b.v); }
  friend TANDEM_FN Wide operator*(const Wide& a, const Wide& b) { return Wide(a.v * b.v); }
  friend TANDEM_FN Wide operator-(const Wide& a) { return Wide(-a.v); }
  friend TANDEM_FN Wide fma(const Wide& a, const Wide& b, const Wide& c) {
    Wide sum = c;
    fused_add<T>(a.v, b.v, sum.v);
    return sum;
  }

 private:
  template <int... I>
  TANDEM_FN constexpr Wide(T x, std::integer_sequence<int, I...>)
      : v{(static_cast<void>(I), x)...} {}
};

/// Neighbouring complex numbers, their parts in planes.
template <class T>
TANDEM_FN Complex<Wide<T>> wide_from(const T* re, const T* im) {
  return {Wide<T>::from(re), Wide<T>::from(im)};
}
template <class T>
TANDEM_FN void wide_to(const Complex<Wide<T>>& z, T* re, T* im) {
  z.re.to(re);
  z.im.to(im);
}
/// One number in all lanes.
template <class T>
TANDEM_FN Complex<Wide<T>> spread(const Complex<T>& z) {
  using Vector = typename Wide<T>::Vector;
  return {Wide<T>(z.re - Vector{}), Wide<T>(z.im - Vector{})};
}

/// Neighbouring complex numbers that lie part by part, from memory and to it.
template <class T>
struct Pairs {
  using Vector = typename Wide<T>::Vector;
  static constexpr int kLanes = Wide<T>::kLanes;

  TANDEM_FN static Complex<Wide<T>> from(const Complex<T>* p) {
    return split(p, std::make_integer_sequence<int, kLanes>());
  }
  TANDEM_FN static void to(const Complex<Wide<T>>& z, Complex<T>* p) {
    join(z, p, std::make_integer_sequence<int, kLanes>());
  }

 private:
  template <int... I>
  TANDEM_FN static Complex<Wide<T>> split(const Complex<T>* p, std::integer_sequence<int, I...>) {
    Vector a;
    Vector b;
    __builtin_memcpy(&a, p, sizeof a);
    __builtin_memcpy(&b, p + kLanes / 2, sizeof b);
    return {Wide<T>(__builtin_shufflevector(a, b, 2 * I...)),
            Wide<T>(__builtin_shufflevector(a, b, (2 * I + 1)...))};
  }
  template <int... I>
  TANDEM_FN static void join(const Complex<Wide<T>>& z, Complex<T>* p,
                             std::integer_sequence<int, I...>) {
    const Vector a = __builtin_shufflevector(z.re.v, z.im.v, (I / 2 + I % 2 * kLanes)...);
    const Vector b =
        __builtin_shufflevector(z.re.v, z.im.v, (kLanes / 2 + I / 2 + I % 2 * kLanes)...);
    __builtin_memcpy(p, &a, sizeof a);
    __builtin_memcpy(p + kLanes / 2, &b, sizeof b);
  }
};

}  // namespace tandem::host::TANDEM_ISA
