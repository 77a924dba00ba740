// Functors of the generator rows (tandem/ops/generator.def): block b of kBlock<T> elements from b
// alone. Random numbers: random.h.
#pragma once

#include "kernels/functors/elementary.h"
#include "kernels/functors/integer.h"
#include "tandem/fn.h"

namespace tandem::fn {

/// The numbers a generator gets: see GeneratorLaunch in tandem/backend.h.
struct GeneratorArgs {
  double f[4];
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

/// Number b of n from first to last, in double from the nearer end: both ends are exact and the
/// sequence is symmetric.
TANDEM_FN double spaced(std::uint64_t b, std::int64_t n, double first, double last) {
  const double intervals = static_cast<double>(n - 1);
  const double step = (last - first) / (n > 1 ? intervals : 1.0);
  const double i = static_cast<double>(b);
  const double low = first + step * i;
  const double high = last - step * (intervals - i);
  return 2 * static_cast<std::int64_t>(b) < n ? low : high;
}

/// spaced, both parts of complex numbers.
TANDEM_FN Complex128 spaced(std::uint64_t b, const GeneratorArgs& p) {
  return {spaced(b, p.numel, p.f[0], p.f[1]), spaced(b, p.numel, p.f[2], p.f[3])};
}

struct Linspace {
  template <class T>
  static constexpr int kBlock = 1;
  template <class T>
  TANDEM_FN void operator()(std::uint64_t b, const GeneratorArgs& p, compute_t<T>* out) const {
    if constexpr (is_complex_v<T>)
      out[0] = cast<T>(spaced(b, p));
    else
      out[0] = cast<compute_t<T>>(spaced(b, p.numel, p.f[0], p.f[1]));
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
    if constexpr (is_complex_v<T>)
      out[0] = cast<T>(pow(p.value, spaced(b, p)));
    else
      out[0] = cast<compute_t<T>>(pow(p.value.re, spaced(b, p.numel, p.f[0], p.f[1])));
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

}  // namespace tandem::fn
