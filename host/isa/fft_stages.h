// Stages of transforms on whole blocks, in vectors, at one SIMD level: their operations on an
// element are those of kernels/functors/fft.h.
#pragma once

#include "host/fft.h"
#include "host/isa/fft_rows.h"
#include "kernels/functors/fft.h"

namespace tandem::host::TANDEM_ISA {

extern const FftShortRows kFftShortRows;  // fft_short.cpp

/// A number that is known to the compiler.
template <std::int64_t N>
struct Known {
  constexpr operator std::int64_t() const { return N; }
};

/// Butterflies of one radix: n = s w neighbouring numbers for each of p groups. Of whole blocks: n
/// is a multiple of a vector.
template <int R, bool Turned, class T, class P, class N>
TANDEM_FN void wide_butterflies(const Planes<T>& to, const Planes<T>& from, P p, N n,
                                const Complex<T>* factors) {
  using Z = Complex<Wide<T>>;
  for (std::int64_t q = 0; q < p; ++q) {
    Z w[R];
    for (int k = 1; Turned && k < R; ++k) w[k] = spread(factors[q * R + k]);
    for (std::int64_t i = 0; i < n; i += Wide<T>::kLanes) {
      Z x[R];
      for (int j = 0; j < R; ++j) {
        const std::int64_t at = (j * p + q) * n + i;
        x[j] = wide_from(from.re + at, from.im + at);
      }
      fn::Butterfly<R>::run(x);
      for (int k = 0; k < R; ++k) {
        const std::int64_t at = (q * R + k) * n + i;
        wide_to(Turned && k > 0 ? fn::fft_mul(x[k], w[k]) : x[k], to.re + at, to.im + at);
      }
    }
  }
}

template <int R, class T>
void wide_stage(const Planes<T>& to, const Planes<T>& from, std::int64_t p, std::int64_t n,
                const Complex<T>* factors) {
  if (p == 1) {
    wide_butterflies<R, false>(to, from, Known<1>(), n, factors);
  } else if (n == kLanes<T>) {
    wide_butterflies<R, true>(to, from, p, Known<kLanes<T>>(), factors);
  } else {
    wide_butterflies<R, true>(to, from, p, n, factors);
  }
}

/// All stages of a short pass of a whole block.
template <std::int64_t S, int R, int... Rest, class T>
int short_stages(const Planes<T> (&planes)[2], int now, const Complex<T>* factors) {
  constexpr std::int64_t kP = (std::int64_t(1) * ... * Rest);
  const Planes<T>& from = planes[now];
  const Planes<T>& to = planes[1 - now];
  wide_butterflies<R, (kP > 1)>(to, from, Known<kP>(), Known<S * kLanes<T>>(), factors);
  if constexpr (kP > 1) {
    return short_stages<S * R, Rest...>(planes, 1 - now, factors + R * kP);
  } else {
    return 1 - now;
  }
}

/// A radix without a butterfly: each output is a sum over the inputs, in their order; some outputs
/// at a time.
template <int Outputs, class T>
TANDEM_FN void wide_sums(const Planes<T>& to, const Planes<T>& from, int r, int k, std::int64_t q,
                         std::int64_t p, std::int64_t n, const Complex<T>* roots) {
  using Z = Complex<Wide<T>>;
  const Complex<T>* const factors = roots + r;
  for (std::int64_t i = 0; i < n; i += Wide<T>::kLanes) {
    Z sum[Outputs];
    int power[Outputs];
    for (int o = 0; o < Outputs; ++o) {
      sum[o] = wide_from(from.re + q * n + i, from.im + q * n + i);
      power[o] = 0;
    }
    for (int j = 1; j < r; ++j) {
      const std::int64_t at = (j * p + q) * n + i;
      const Z x = wide_from(from.re + at, from.im + at);
      for (int o = 0; o < Outputs; ++o) {
        power[o] += k + o;
        if (power[o] >= r) power[o] -= r;
        sum[o] = fn::fft_add_mul(sum[o], x, spread(roots[power[o]]));
      }
    }
    for (int o = 0; o < Outputs; ++o) {
      const std::int64_t group = q * r + k + o;
      const Z y = p > 1 && k + o > 0 ? fn::fft_mul(sum[o], spread(factors[group])) : sum[o];
      wide_to(y, to.re + group * n + i, to.im + group * n + i);
    }
  }
}
template <class T>
void wide_plain_stage(const Planes<T>& to, const Planes<T>& from, int r, std::int64_t p,
                      std::int64_t n, const Complex<T>* roots) {
  for (std::int64_t q = 0; q < p; ++q) {
    int k = 0;
    for (; k + 4 <= r; k += 4) wide_sums<4>(to, from, r, k, q, p, n, roots);
    for (; k < r; ++k) wide_sums<1>(to, from, r, k, q, p, n, roots);
  }
}

/// f(Known<r>) where a radix has a butterfly of its own; else false.
template <class F>
TANDEM_FN bool with_butterfly(int r, F&& f) {
  switch (r) {
    case 2:
      f(Known<2>());
      return true;
    case 3:
      f(Known<3>());
      return true;
    case 4:
      f(Known<4>());
      return true;
    case 5:
      f(Known<5>());
      return true;
    case 8:
      f(Known<8>());
      return true;
    default:
      return false;
  }
}

/// One stage of a whole block: of a radix with a butterfly of its own, and of another one.
struct WholeStage {
  template <int R, class T>
  static void butterfly(const Planes<T>& to, const Planes<T>& from, std::int64_t p, std::int64_t n,
                        const Complex<T>* factors) {
    wide_stage<R>(to, from, p, n, factors);
  }
  template <class T>
  static void plain(const Planes<T>& to, const Planes<T>& from, int r, std::int64_t p,
                    std::int64_t n, const Complex<T>* roots) {
    wide_plain_stage(to, from, r, p, n, roots);
  }
};

/// All stages of a pass of a block of w lanes that begins in planes[now], each by the functor;
/// which planes hold the result.
template <class T, class Stage>
int all_stages(const FftPassLaunch& l, const Planes<T> (&planes)[2], int now, std::int64_t w,
               Stage stage) {
  const auto* factors = static_cast<const Complex<T>*>(l.stages);
  std::int64_t p = l.m, n = w;
  for (int i = 0; i < l.n_radices; ++i) {
    const int r = l.radices[i];
    p /= r;
    const Planes<T>& from = planes[now];
    const Planes<T>& to = planes[1 - now];
    const auto run = [&]<std::int64_t R>(Known<R>) {
      stage.template butterfly<static_cast<int>(R)>(to, from, p, n, factors);
    };
    if (!with_butterfly(r, run)) stage.plain(to, from, r, p, n, factors);
    factors += fft_stage_table(r, p);
    n *= r;
    now = 1 - now;
  }
  return now;
}

/// to[k] = f(from[bin], from[mirror], factor) of whole blocks.
template <class T, class F>
TANDEM_FN void mirrored(const Planes<T>& to, const Planes<T>& from, std::int64_t k,
                        std::int64_t bin, std::int64_t mirror, const Complex<T>& factor, F&& f) {
  const auto w = spread(factor);
  for (std::int64_t i = 0; i < kLanes<T>; i += Wide<T>::kLanes) {
    const std::int64_t a = bin * kLanes<T> + i;
    const std::int64_t b = mirror * kLanes<T> + i;
    const std::int64_t at = k * kLanes<T> + i;
    wide_to(f(wide_from(from.re + a, from.im + a), wide_from(from.re + b, from.im + b), w),
            to.re + at, to.im + at);
  }
}

/// The m + 1 bins of real rows from those of their pairs.
template <class T, class M>
TANDEM_FN void whole_unpack(M m, const Planes<T>& to, const Planes<T>& from,
                            const Complex<T>* factors) {
  using Z = Complex<Wide<T>>;
  const auto f = [](const Z& z, const Z& mirror, const Z& w) {
    return fn::fft_unpack(z, mirror, w);
  };
  mirrored(to, from, 0, 0, 0, factors[0], f);
  mirrored(to, from, m, 0, 0, factors[m], f);
  for (std::int64_t k = 1; k < m; ++k) mirrored(to, from, k, k, m - k, factors[k], f);
}

/// Twice the transform of pairs from m + 1 bins of real rows, imaginary parts times a sign.
template <class T, class M>
TANDEM_FN void whole_pack(M m, const Planes<T>& to, const Planes<T>& from,
                          const Complex<T>* factors, T sign) {
  using Z = Complex<Wide<T>>;
  for (std::int64_t i = 0; i < kLanes<T>; ++i) from.im[i] = from.im[m * kLanes<T> + i] = T(0);
  const Wide<T> turned(static_cast<double>(sign));
  const auto f = [&](const Z& z, const Z& mirror, const Z& w) {
    const Z y = fn::fft_pack(z, mirror, w);
    return Z{y.re, turned * y.im};
  };
  for (std::int64_t k = 0; k < m; ++k) mirrored(to, from, k, k, m - k, factors[k], f);
}

}  // namespace tandem::host::TANDEM_ISA
