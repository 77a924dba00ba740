// Transposing blocks of elements of 4 and 8 bytes in vectors of 32 bytes, and of 64 where the SIMD
// level has them.
#pragma once

#include <cstdint>
#include <type_traits>

namespace tandem::host::TANDEM_ISA {

using Words8 = std::uint32_t __attribute__((vector_size(32)));
using Words4 = std::uint64_t __attribute__((vector_size(32)));

inline __attribute__((always_inline)) void transpose_rows(Words8 (&r)[8]) {
  Words8 a[8];
  Words8 b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    a[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4) {
    b[i] = __builtin_shufflevector(a[i], a[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
    b[i + 1] = __builtin_shufflevector(a[i], a[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    b[i + 2] = __builtin_shufflevector(a[i + 1], a[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    b[i + 3] = __builtin_shufflevector(a[i + 1], a[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

inline __attribute__((always_inline)) void transpose_rows(Words4 (&r)[4]) {
  const Words4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 2, 6);
  const Words4 b = __builtin_shufflevector(r[0], r[1], 1, 5, 3, 7);
  const Words4 c = __builtin_shufflevector(r[2], r[3], 0, 4, 2, 6);
  const Words4 d = __builtin_shufflevector(r[2], r[3], 1, 5, 3, 7);
  r[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  r[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  r[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

#if defined(__AVX512F__)
using Words16 = std::uint32_t __attribute__((vector_size(64)));
using WideWords8 = std::uint64_t __attribute__((vector_size(64)));

/// Quarters of four vectors: quarter q of all of them becomes vector q.
inline __attribute__((always_inline)) void transpose_quarters(WideWords8 (&r)[4]) {
  const WideWords8 a = __builtin_shufflevector(r[0], r[1], 0, 1, 4, 5, 8, 9, 12, 13);
  const WideWords8 b = __builtin_shufflevector(r[0], r[1], 2, 3, 6, 7, 10, 11, 14, 15);
  const WideWords8 c = __builtin_shufflevector(r[2], r[3], 0, 1, 4, 5, 8, 9, 12, 13);
  const WideWords8 d = __builtin_shufflevector(r[2], r[3], 2, 3, 6, 7, 10, 11, 14, 15);
  r[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5, 8, 9, 12, 13);
  r[1] = __builtin_shufflevector(b, d, 0, 1, 4, 5, 8, 9, 12, 13);
  r[2] = __builtin_shufflevector(a, c, 2, 3, 6, 7, 10, 11, 14, 15);
  r[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7, 10, 11, 14, 15);
}

inline __attribute__((always_inline)) WideWords8 low_pairs(WideWords8 a, WideWords8 b) {
  return __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
}
inline __attribute__((always_inline)) WideWords8 high_pairs(WideWords8 a, WideWords8 b) {
  return __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
}

inline __attribute__((always_inline)) void transpose_rows(Words16 (&r)[16]) {
  WideWords8 a[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = WideWords8(__builtin_shufflevector(r[i], r[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9,
                                              25, 12, 28, 13, 29));
    a[i + 1] = WideWords8(__builtin_shufflevector(r[i], r[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10,
                                                  26, 11, 27, 14, 30, 15, 31));
  }
  for (int c = 0; c < 4; ++c) {  // words 4 q + c of all rows
    WideWords8 b[4];
    for (int i = 0; i < 4; ++i) {
      const WideWords8 first = a[4 * i + c / 2];
      const WideWords8 second = a[4 * i + 2 + c / 2];
      b[i] = c % 2 == 0 ? low_pairs(first, second) : high_pairs(first, second);
    }
    transpose_quarters(b);
    for (int q = 0; q < 4; ++q) r[4 * q + c] = Words16(b[q]);
  }
}

inline __attribute__((always_inline)) void transpose_rows(WideWords8 (&r)[8]) {
  WideWords8 a[2][4];
  for (int i = 0; i < 4; ++i) {
    a[0][i] = low_pairs(r[2 * i], r[2 * i + 1]);
    a[1][i] = high_pairs(r[2 * i], r[2 * i + 1]);
  }
  for (int c = 0; c < 2; ++c) {  // words 2 q + c of all rows
    transpose_quarters(a[c]);
    for (int q = 0; q < 4; ++q) r[2 * q + c] = a[c][q];
  }
}
#endif

/// The widest vector of the level, as words of R's size: a square of them goes through registers.
#if defined(__AVX512F__)
template <class R>
using LaneWords = std::conditional_t<sizeof(R) == 4, Words16, WideWords8>;
#elif defined(__AVX2__)
template <class R>
using LaneWords = std::conditional_t<sizeof(R) == 4, Words8, Words4>;
#endif

/// Side x Side elements, a row every `from_row` bytes, become columns.
template <class Words, int Side>
inline __attribute__((always_inline)) void transpose_block(char* to, std::int64_t to_row,
                                                           const char* from,
                                                           std::int64_t from_row) {
  Words r[Side];
  for (int k = 0; k < Side; ++k) __builtin_memcpy(&r[k], from + k * from_row, sizeof(Words));
  transpose_rows(r);
  for (int k = 0; k < Side; ++k) __builtin_memcpy(to + k * to_row, &r[k], sizeof(Words));
}

}  // namespace tandem::host::TANDEM_ISA
