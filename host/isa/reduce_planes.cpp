// Splits interleaved elements (the channels of pixels) into planes, at one SIMD level: with the
// number of channels known, the loops are shuffles.
#include <cstdint>

#include "host/isa/reduce_level.h"
#include "host/isa/transpose.h"

namespace tandem::host::TANDEM_ISA {

template <int Bytes>
struct WordsOf;
template <>
struct WordsOf<4> {
  using type = Words8;
};
template <>
struct WordsOf<8> {
  using type = Words4;
};

template <class T, int N>
void split(void* out, const void* in, std::int64_t count) {
  auto* __restrict__ to = static_cast<T*>(out);
  const auto* __restrict__ from = static_cast<const T*>(in);
  for (std::int64_t i = 0; i < count; ++i) {
    for (int c = 0; c < N; ++c) to[c * count + i] = from[i * N + c];
  }
}

/// Any number of neighbours: blocks of vectors, and what is left at two edges one by one.
template <class T>
void split_many(void* out, const void* in, std::int64_t count, std::int64_t n) {
  constexpr int bytes = static_cast<int>(sizeof(T));
  constexpr int side = bytes == 4 ? 8 : bytes == 8 ? 4 : 1;
  auto* to = static_cast<T*>(out);
  const auto* from = static_cast<const T*>(in);
  const std::int64_t rows = side == 1 ? 0 : count / side * side;
  const std::int64_t columns = side == 1 ? 0 : n / side * side;
  for (std::int64_t i = 0; i < rows; i += side) {
    for (std::int64_t c = 0; c < columns; c += side) {
      if constexpr (side > 1) {
        using Words = typename WordsOf<bytes>::type;
        transpose_block<Words, side>(reinterpret_cast<char*>(to + c * count + i), count * bytes,
                                     reinterpret_cast<const char*>(from + i * n + c), n * bytes);
      }
    }
    for (std::int64_t c = columns; c < n; ++c) {
      for (int k = 0; k < side; ++k) to[c * count + i + k] = from[(i + k) * n + c];
    }
  }
  for (std::int64_t i = rows; i < count; ++i) {
    for (std::int64_t c = 0; c < n; ++c) to[c * count + i] = from[i * n + c];
  }
}

template <class T>
void split_by(void* out, const void* in, std::int64_t count, int n) {
  if (n == 2) return split<T, 2>(out, in, count);
  if (n == 3) return split<T, 3>(out, in, count);
  if (n == 4) return split<T, 4>(out, in, count);
  return split_many<T>(out, in, count, n);
}

void split_planes(void* out, const void* in, std::int64_t count, int n, int width) {
  switch (width) {
    case 1:
      return split_by<std::uint8_t>(out, in, count, n);
    case 2:
      return split_by<std::uint16_t>(out, in, count, n);
    case 4:
      return split_by<std::uint32_t>(out, in, count, n);
    case 8:
      return split_by<std::uint64_t>(out, in, count, n);
    default:
      return split_by<Complex128>(out, in, count, n);
  }
}

}  // namespace tandem::host::TANDEM_ISA
