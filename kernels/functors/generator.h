// Functors of the generator rows (tandem/ops/generator.def): block b of kBlock<T> elements from b
// alone. Random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
// 3", SC 2011); the words an element takes are fixed in docs/numerics.md, "Random numbers".
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/integer.h"
#include "tandem/fn.h"

namespace tandem::fn {

/// The numbers a generator gets: see GeneratorLaunch in tandem/backend.h.
struct GeneratorArgs {
  double f[2];
  std::int64_t i[2];
  std::int64_t numel;
  std::uint64_t seed, offset;
  Complex128 value;
};

struct Fill {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t, const GeneratorArgs& p, compute_t<T>* out) const {
    if constexpr (is_complex_v<T>)
      out[0] = cast<T>(p.value);
    else if constexpr (is_real_float_v<compute_t<T>>)
      out[0] = cast<compute_t<T>>(p.value.re);
    else
      out[0] = static_cast<T>(p.i[0]);
  }
};

/// Floats are computed in double and rounded once.
struct Arange {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    if constexpr (is_int_v<T>) {
      const std::uint64_t start = static_cast<std::uint64_t>(p.i[0]);
      out[0] = static_cast<T>(start + b * static_cast<std::uint64_t>(p.i[1]));
    } else {
      out[0] = static_cast<compute_t<T>>(p.f[0] + static_cast<double>(b) * p.f[1]);
    }
  }
};

/// From the nearer end, in double: both ends are exact and the sequence is symmetric.
struct Linspace {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    const double last = static_cast<double>(p.numel - 1);
    const double step = (p.f[1] - p.f[0]) / (p.numel > 1 ? last : 1.0);
    const double i = static_cast<double>(b);
    const double low = p.f[0] + step * i;
    const double high = p.f[1] - step * (last - i);
    out[0] = cast<compute_t<T>>(2 * static_cast<std::int64_t>(b) < p.numel ? low : high);
  }
};

struct Eye {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    const std::uint64_t columns = static_cast<std::uint64_t>(p.i[0]);
    out[0] = cast<compute_t<T>>(columns != 0 && b / columns == b % columns);
  }
};

/// base to the power of linspace's numbers, in double.
struct Logspace {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    double exponent;
    Linspace().template operator()<double>(b, p, &exponent);
    out[0] = cast<compute_t<T>>(pow(p.value.re, exponent));
  }
};

struct MatrixPlace {
  std::int64_t row, column;
};

/// Where element k of a lower triangle stands, in row-major order: column <= row + offset. Rows
/// are empty at first, then one element longer each, then full.
TANDEM_FN MatrixPlace lower_place(std::int64_t k, std::int64_t rows, std::int64_t columns,
                                  std::int64_t offset) {
  const std::int64_t first = offset < 0 ? -offset : 0;
  const std::int64_t room = first + 1 + offset;
  const std::int64_t least = room < columns ? room : columns;
  const std::int64_t grows = columns - least + 1;
  const std::int64_t growing = rows - first < grows ? rows - first : grows;
  const auto start = [=](std::int64_t j) { return j * least + j * (j - 1) / 2; };
  const std::int64_t full = k - start(growing);
  if (full >= 0) return {first + growing + full / columns, full % columns};
  // The root of start(j) = k, off by one at most, and put right in integers.
  const double b = 2.0 * static_cast<double>(least) - 1.0;
  const double twice = 4.0 * static_cast<double>(k);
  auto j = static_cast<std::int64_t>(twice / (b + sqrt_rn(b * b + 2.0 * twice)));
  j -= start(j) > k ? 1 : 0;
  j += start(j + 1) <= k ? 1 : 0;
  return {first + j, k - start(j)};
}

/// The row of every element of the triangle, then the column of every one. Rows of the matrix are
/// in f[0], columns in i[0], the diagonal in i[1].
struct TrilIndices {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, T* out) const {
    const std::int64_t n = p.numel / 2;
    const auto at_end = static_cast<std::int64_t>(b) >= p.numel;  // of a thread's last vector
    const auto i = at_end ? 0 : static_cast<std::int64_t>(b);
    const bool second = i >= n;
    const MatrixPlace at =
        lower_place(second ? i - n : i, static_cast<std::int64_t>(p.f[0]), p.i[0], p.i[1]);
    out[0] = static_cast<T>(second ? at.column : at.row);
  }
};

/// The lower triangle with the diagonal in i[1], turned by half a turn.
struct TriuIndices {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, T* out) const {
    const std::int64_t n = p.numel / 2;
    const auto at_end = static_cast<std::int64_t>(b) >= p.numel;  // of a thread's last vector
    const auto i = at_end ? 0 : static_cast<std::int64_t>(b);
    const bool second = i >= n;
    const auto rows = static_cast<std::int64_t>(p.f[0]);
    const MatrixPlace at = lower_place(n - 1 - (second ? i - n : i), rows, p.i[0], p.i[1]);
    out[0] = static_cast<T>(second ? p.i[0] - 1 - at.column : rows - 1 - at.row);
  }
};

struct PhiloxWords {
  std::uint32_t w[4];
};

TANDEM_FN PhiloxWords philox(std::uint64_t counter_low, std::uint64_t counter_high,
                             std::uint64_t key) {
  std::uint32_t c0 = static_cast<std::uint32_t>(counter_low);
  std::uint32_t c1 = static_cast<std::uint32_t>(counter_low >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(counter_high);
  std::uint32_t c3 = static_cast<std::uint32_t>(counter_high >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(key);
  std::uint32_t k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t(0xD2511F53u) * c0;
    const std::uint64_t p1 = std::uint64_t(0xCD9E8D57u) * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return PhiloxWords{{c0, c1, c2, c3}};
}

TANDEM_FN double bits53(std::uint32_t high, std::uint32_t low) {
  // 53 random bits in a double below 2^53 without a 64-bit integer conversion: both parts are
  // exact.
  return static_cast<double>(high >> 5) * 67108864.0 + static_cast<double>(low >> 6);
}

/// In [0, 1): as many random bits as the dtype's significand holds, so that no value rounds up
/// to 1.
struct Uniform {
  template <class T>
  static constexpr int kBlock = same_v<T, double> ? 2 : 4;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    const PhiloxWords r = philox(b, p.offset, p.seed);
    if constexpr (same_v<T, double>) {
      out[0] = bits53(r.w[0], r.w[1]) * 0x1p-53;
      out[1] = bits53(r.w[2], r.w[3]) * 0x1p-53;
    } else {
      constexpr int bits = bits_v<T>;
      for (int k = 0; k < 4; ++k) {
        out[k] = static_cast<float>(r.w[k] >> (32 - bits)) * (1.0f / static_cast<float>(1 << bits));
      }
    }
  }
};

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

/// Complex numbers have variance 1/2 in each part.
struct Normal {
  template <class T>
  static constexpr int kBlock = same_v<T, Complex128>                         ? 1
                                : (same_v<T, double> || same_v<T, Complex64>) ? 2
                                                                              : 4;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    using R = real_t<compute_t<T>>;
    const PhiloxWords r = philox(b, p.offset, p.seed);
    const R scale = is_complex_v<T> ? R(0.70710678118654752440) : R(1);
    R z[4];
    if constexpr (same_v<R, double>) {
      normal_pair((bits53(r.w[0], r.w[1]) + 1.0) * 0x1p-53, bits53(r.w[2], r.w[3]) * 0x1p-53, scale,
                  z);
    } else {
      for (int k = 0; k < 4; k += 2) {
        const R u = static_cast<R>((r.w[k] >> 8) + 1u) * R(0x1p-24);
        const R v = static_cast<R>(r.w[k + 1] >> 8) * R(0x1p-24);
        normal_pair(u, v, scale, z + k);
      }
    }
    for (int k = 0; k < kBlock<T>; ++k) {
      if constexpr (is_complex_v<T>)
        out[k] = T{z[2 * k], z[2 * k + 1]};
      else
        out[k] = z[k];
    }
  }
};

}  // namespace tandem::fn
