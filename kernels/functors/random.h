// Functors of the random rows: numbers of a distribution from the words of Philox. The words an
// element takes are fixed in docs/numerics.md, "Random numbers".
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/generator.h"
#include "kernels/functors/philox.h"

namespace tandem::fn {

// Note [Units]
// A distribution says how many words make how many numbers of type T: kWords<T> (1, 2 or 4) and
// kMakes<T> (1 or 2), and makes<T>, whether it is computed in T at all. `unit` makes them without a
// branch, so that g++ vectorises a loop over units. Draw<Unit> is the functor of a block, which is
// all that one call of Philox gives.
//
// A distribution that may reject says kRejects and has `again<T>(w, p, draw, out)`: makes the
// element of draw number `draw` (0: what unit makes) and says whether that settles it. An element
// whose first draw does not takes the words at its place of the same block's next draws, so no
// other element's numbers move.

/// Redraws one element, at word `at` of its block, until it is settled.
template <class Unit, class T>
TANDEM_FN void draw_again(std::uint64_t block, int at, const GeneratorArgs& p, T* out) {
  for (std::uint32_t draw = 1; draw < 0x10000u; ++draw) {
    const PhiloxWords r = philox(counter_of(block, draw), p.offset, p.seed);
    if (Unit::template again<T>(r.w + at, p, draw, out)) return;
  }
}

template <class F>
struct Draw {
  using Unit = F;
  template <class T>
  static constexpr int kUnits = 4 / F::template kWords<T>;
  template <class T>
  static constexpr int kBlock = kUnits<T>* F::template kMakes<T>;
  template <class T>
  static constexpr bool makes = F::template makes<T>;

  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    constexpr int kWords = F::template kWords<T>;
    constexpr int kMakes = F::template kMakes<T>;
    const PhiloxWords r = philox(b, p.offset, p.seed);
    const GeneratorArgs ready = F::template prepared<T>(p);
    for (int u = 0; u < kUnits<T>; ++u) {
      F::template unit<T>(r.w + u * kWords, ready, out + u * kMakes);
      if constexpr (F::kRejects) {
        if (!F::template again<T>(r.w + u * kWords, p, 0, out + u)) {
          draw_again<F, T>(b, u * kWords, p, out + u);
        }
      }
    }
  }
};

template <class T>
inline constexpr bool is_float_v = is_half_v<T> || is_real_float_v<T>;
/// Words of one number: two for double, whose significand takes 53 bits.
template <class T>
inline constexpr int words_v = same_v<T, double> ? 2 : 1;

/// What a unit gets: parameters, and what can be made of them once for all elements.
struct AsGiven {
  template <class T>
  TANDEM_FN static GeneratorArgs prepared(const GeneratorArgs& p) {
    return p;
  }
};

/// A distribution whose every word is good.
struct Settled : AsGiven {
  static constexpr bool kRejects = false;
};

/// In [0, 1): as many random bits as the dtype's significand holds, so that no value rounds up
/// to 1. A complex number is two of its parts' type, one after the other.
struct UniformUnit : Settled {
  template <class T>
  static constexpr bool makes = is_float_v<T> || is_complex_v<T>;
  template <class T>
  static constexpr int kWords = (is_complex_v<T> ? 2 : 1) * words_v<real_t<T>>;
  template <class T>
  static constexpr int kMakes = 1;
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, compute_t<T>* out) {
    if constexpr (is_complex_v<T>) {
      using R = real_t<T>;
      R part[2];
      unit<R>(w, p, part);
      unit<R>(w + words_v<R>, p, part + 1);
      out[0] = T{part[0], part[1]};
    } else if constexpr (same_v<T, double>) {
      out[0] = bits53(w[0], w[1]) * 0x1p-53;
    } else {
      constexpr int bits = bits_v<T>;
      out[0] = static_cast<float>(static_cast<std::int32_t>(w[0] >> (32 - bits))) *
               (1.0f / static_cast<float>(1 << bits));
    }
  }
};
struct Uniform : Draw<UniformUnit> {};

/// In [from, to): f = {from, to - from}; no more than value.re, the greatest number below `to`.
struct UniformRangeUnit : UniformUnit {
  template <class T>
  static constexpr bool makes = is_float_v<T>;
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, compute_t<T>* out) {
    using C = compute_t<T>;
    C u;
    UniformUnit::unit<T>(w, p, &u);
    const C x = fma(u, static_cast<C>(p.f[1]), static_cast<C>(p.f[0]));
    const C most = static_cast<C>(p.value.re);
    out[0] = x < most ? x : most;
  }
};
struct UniformRange : Draw<UniformRangeUnit> {};

/// Box and Muller's pair: radius from u in (0, 1], angle from v in [0, 1) turns.
template <class R>
TANDEM_FN void normal_pair(R u, R v, R scale, R* out) {
  const R radius = sqrt_rn(R(-2) * log(u)) * scale;
  R s;
  R c;
  sincospi(R(2) * v, s, c);
  out[0] = radius * c;
  out[1] = radius * s;
}

/// Standard normal. Complex numbers have variance 1/2 in each part.
struct NormalUnit : Settled {
  template <class T>
  static constexpr bool makes = is_float_v<T> || is_complex_v<T>;
  template <class T>
  static constexpr int kWords = 2 * words_v<real_t<T>>;
  template <class T>
  static constexpr int kMakes = is_complex_v<T> ? 1 : 2;
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs&, compute_t<T>* out) {
    using R = real_t<compute_t<T>>;
    const R scale = is_complex_v<T> ? R(0.70710678118654752440) : R(1);
    R z[2];
    if constexpr (same_v<R, double>) {
      normal_pair((bits53(w[0], w[1]) + 1.0) * 0x1p-53, bits53(w[2], w[3]) * 0x1p-53, scale, z);
    } else {
      normal_pair((bits24(w[0]) + 1.0f) * 0x1p-24f, bits24(w[1]) * 0x1p-24f, scale, z);
    }
    if constexpr (is_complex_v<T>) {
      out[0] = T{z[0], z[1]};
    } else {
      out[0] = z[0];
      out[1] = z[1];
    }
  }
};
struct Normal : Draw<NormalUnit> {};

/// f = {mean, standard deviation}: z * std + mean, the product rounded first.
struct NormalScaledUnit : NormalUnit {
  template <class T>
  static constexpr bool makes = is_real_float_v<T> || is_complex_v<T>;
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, T* out) {
    using R = real_t<T>;
    NormalUnit::unit<T>(w, p, out);
    const R mean = static_cast<R>(p.f[0]);
    const R deviation = static_cast<R>(p.f[1]);
    if constexpr (is_complex_v<T>) {
      out[0] = T{out[0].re * deviation + mean, out[0].im * deviation};
    } else {
      out[0] = out[0] * deviation + mean;
      out[1] = out[1] * deviation + mean;
    }
  }
};
struct NormalScaled : Draw<NormalScaledUnit> {};

/// exp of a normal number.
struct LogNormalUnit : NormalUnit {
  template <class T>
  static constexpr bool makes = is_real_float_v<T>;
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, T* out) {
    NormalScaledUnit::unit<T>(w, p, out);
    out[0] = exp(out[0]);
    out[1] = exp(out[1]);
  }
};
struct LogNormal : Draw<LogNormalUnit> {};

/// What the distributions of one open uniform number share.
struct OpenUnit : Settled {
  template <class T>
  static constexpr bool makes = is_real_float_v<T>;
  template <class T>
  static constexpr int kWords = words_v<T>;
  template <class T>
  static constexpr int kMakes = 1;
};

/// -log(u) / lambda, lambda = f[0].
struct ExponentialUnit : OpenUnit {
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, T* out) {
    out[0] = -log(open_of<T>(w)) / static_cast<T>(p.f[0]);
  }
};
struct Exponential : Draw<ExponentialUnit> {};

/// median + sigma * cot(pi v), with v in (0, 1/2) and a random sign, so that both tails are equally
/// fine: f = {median, sigma}.
struct CauchyUnit : OpenUnit {
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, T* out) {
    const std::uint32_t rest[2] = {w[0] << 1, same_v<T, double> ? w[words_v<T> - 1] : 0u};
    T s;
    T c;
    sincospi(open_of<T>(rest) * T(0.5), s, c);
    const T sigma = static_cast<T>(p.f[1]);
    out[0] = (c / s) * ((w[0] >> 31) != 0 ? -sigma : sigma) + static_cast<T>(p.f[0]);
  }
};
struct Cauchy : Draw<CauchyUnit> {};

/// The number of trials up to the first success of probability p = f[0]: 1, 2, ... f[1] is
/// log(1 - p).
struct GeometricUnit : OpenUnit {
  template <class T>
  TANDEM_FN static GeneratorArgs prepared(const GeneratorArgs& p) {
    GeneratorArgs ready = p;
    ready.f[1] = static_cast<double>(log1p(-static_cast<T>(p.f[0])));
    return ready;
  }
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, T* out) {
    const T k = ceil_(log(open_of<T>(w)) / static_cast<T>(p.f[1]));
    out[0] = k < T(1) ? T(1) : k;
  }
};
struct Geometric : Draw<GeometricUnit> {};

/// True with probability p = f[0], exactly: the word against the first 32 bits of p, and where they
/// are equal the next draw's word against the next 32.
struct BernoulliUnit : AsGiven {
  static constexpr bool kRejects = true;
  template <class T>
  static constexpr bool makes = is_bool_v<T>;
  template <class T>
  static constexpr int kWords = 1;
  template <class T>
  static constexpr int kMakes = 1;
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, bool* out) {
    const double scaled = p.f[0] * 0x1p32;
    out[0] = scaled >= 0x1p32 || w[0] < static_cast<std::uint32_t>(scaled);
  }
  template <class T>
  TANDEM_FN static bool again(const std::uint32_t* w, const GeneratorArgs& p, std::uint32_t draw,
                              T* out) {
    const double scaled = p.f[0] * 0x1p32;
    if (scaled >= 0x1p32) return true;
    const std::uint32_t whole = static_cast<std::uint32_t>(scaled);
    if (draw == 0) return w[0] != whole;
    out[0] = w[0] < static_cast<std::uint32_t>((scaled - static_cast<double>(whole)) * 0x1p32);
    return true;
  }
};
struct Bernoulli : Draw<BernoulliUnit> {};

TANDEM_FN std::uint32_t high_product(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>(std::uint64_t(a) * b >> 32);
}
TANDEM_FN std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t a0 = a & 0xffffffffu;
  const std::uint64_t a1 = a >> 32;
  const std::uint64_t b0 = b & 0xffffffffu;
  const std::uint64_t b1 = b >> 32;
  const std::uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const std::uint64_t other = a0 * b1 + (middle & 0xffffffffu);
  return a1 * b1 + (middle >> 32) + (other >> 32);
}

/// In [low, low + n), low = i[0], n = i[1]: the high half of word * n (Lemire, "Fast random integer
/// generation in an interval", 2019). A product whose low half is below 2^bits mod n is rejected,
/// which leaves every integer as many words. Computed in int32, where all of the interval fits, of
/// one word; in int64 of two. n = 0 stands for 2^32 and 2^64.
struct IntegerUnit : AsGiven {
  static constexpr bool kRejects = true;
  template <class T>
  static constexpr bool makes = same_v<T, std::int32_t> || same_v<T, std::int64_t>;
  template <class T>
  static constexpr int kWords = sizeof(T) / 4;
  template <class T>
  static constexpr int kMakes = 1;
  template <class T>
  TANDEM_FN static unsigned_t<T> word(const std::uint32_t* w) {
    if constexpr (sizeof(T) == 8)
      return std::uint64_t(w[0]) << 32 | w[1];
    else
      return w[0];
  }
  template <class T>
  TANDEM_FN static void unit(const std::uint32_t* w, const GeneratorArgs& p, T* out) {
    const unsigned_t<T> n = static_cast<unsigned_t<T>>(p.i[1]);
    const unsigned_t<T> high = n == 0 ? word<T>(w) : high_product(word<T>(w), n);
    out[0] = static_cast<T>(static_cast<unsigned_t<T>>(p.i[0]) + high);
  }
  template <class T>
  TANDEM_FN static bool again(const std::uint32_t* w, const GeneratorArgs& p, std::uint32_t,
                              T* out) {
    const unsigned_t<T> n = static_cast<unsigned_t<T>>(p.i[1]);
    unit<T>(w, p, out);
    // n = 0 has no remainder: every word is good.
    const unsigned_t<T> divisor = n == 0 ? unsigned_t<T>(1) : n;
    return static_cast<unsigned_t<T>>(word<T>(w) * n) >= (unsigned_t<T>(0) - n) % divisor;
  }
};
struct Integer : Draw<IntegerUnit> {};

}  // namespace tandem::fn
