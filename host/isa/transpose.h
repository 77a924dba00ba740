// Transposing blocks of elements of 4 and 8 bytes in vectors of 32 bytes, at one SIMD level.
#pragma once

#include <cstdint>

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
