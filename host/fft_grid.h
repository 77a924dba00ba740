// Copies between rows of elements where they lie and panels, in which they follow one another.
// Internal to host/fft_rows.cpp and fft_split.cpp.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tandem::host {

inline constexpr std::int64_t kPanelBytes = std::int64_t(256) << 10;
inline constexpr std::int64_t kLine = 64;

/// Elements from a row of a panel to the next: rows begin at different places of the cache.
inline std::int64_t padded_row(std::int64_t count, std::int64_t size) {
  const std::int64_t line = kLine / size;
  return (count + line - 1) / line * line + line;
}

/// A block of elements of rows: bytes from element to element and from row to row.
struct Grid {
  char* data;
  std::int64_t element, row;
};

/// to[i][j] = f(from[i][j], i, j) for elements [first, last) of `rows` rows.
template <class E, class F>
void copy_grid(const Grid& from, const Grid& to, std::int64_t first, std::int64_t last,
               std::int64_t rows, F&& f) {
  const auto unit = static_cast<std::int64_t>(sizeof(E));
  if (from.element == unit && to.element == unit) {
    for (std::int64_t j = 0; j < rows; ++j) {
      const E* x = reinterpret_cast<const E*>(from.data + j * from.row);
      E* y = reinterpret_cast<E*>(to.data + j * to.row);
#pragma omp simd
      for (std::int64_t i = first; i < last; ++i) y[i] = f(x[i], i, j);
    }
    return;
  }
  // Eight elements of a row at a time: lines of both sides are used up while they are at hand.
  const std::int64_t tile = rows == 1 ? std::max<std::int64_t>(last - first, 1) : 8;
  for (std::int64_t k = first; k < last; k += tile) {
    const std::int64_t end = std::min(k + tile, last);
    for (std::int64_t j = 0; j < rows; ++j) {
      const char* x = from.data + j * from.row;
      char* y = to.data + j * to.row;
      for (std::int64_t i = k; i < end; ++i) {
        *reinterpret_cast<E*>(y + i * to.element) =
            f(*reinterpret_cast<const E*>(x + i * from.element), i, j);
      }
    }
  }
}

}  // namespace tandem::host
