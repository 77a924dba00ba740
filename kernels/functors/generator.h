// Functors of the generator rows (tandem/ops/generator.def): block b of kBlock<T> elements from b
// alone. Random numbers: random.h.
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

}  // namespace tandem::fn
