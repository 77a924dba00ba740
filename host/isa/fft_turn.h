// Elements of transforms between memory and the planes of a block, turned in registers, at one SIMD
// level.
#pragma once

#include "host/isa/transpose.h"
#include "tandem/fn.h"

namespace tandem::host::TANDEM_ISA {

/// Planes of m elements of w lanes.
template <class T>
struct Planes {
  T* re;
  T* im;
  TANDEM_FN Complex<T> at(std::int64_t i) const { return {re[i], im[i]}; }
  TANDEM_FN void put(std::int64_t i, Complex<T> z) const {
    re[i] = z.re;
    im[i] = z.im;
  }
};

/// A square of kSide words, which are kSide / 2 elements of kSide lanes.
template <class T, class W, int Side>
struct Tile {
  using Words = W;
  using Numbers __attribute__((vector_size(sizeof(W)))) = T;
  static constexpr int kSide = Side;
};

template <class T>
struct Tiles {
  using Narrow = Tile<double, Words4, 4>;
#if defined(__AVX512F__)
  using Wide = Tile<double, WideWords8, 8>;
#else
  using Wide = Narrow;
#endif
};
template <>
struct Tiles<float> {
  using Narrow = Tile<float, Words8, 8>;
#if defined(__AVX512F__)
  using Wide = Tile<float, Words16, 16>;
#else
  using Wide = Narrow;
#endif
};
template <class T>
using WideTile = typename Tiles<T>::Wide;
template <class T>
using NarrowTile = typename Tiles<T>::Narrow;

/// Elements from j on of all lanes, `across` bytes from lane to lane, into planes of w lanes,
/// imaginary parts times a sign; and back.
template <class Tile, class T>
inline __attribute__((always_inline)) void gather(const Planes<T>& x, std::int64_t j,
                                                  std::int64_t w, const char* from,
                                                  std::int64_t across, T sign) {
  using Words = typename Tile::Words;
  for (std::int64_t i = 0; i < w; i += Tile::kSide) {
    Words r[Tile::kSide];
    for (int k = 0; k < Tile::kSide; ++k) {
      __builtin_memcpy(&r[k], from + (i + k) * across, sizeof(Words));
    }
    transpose_rows(r);
    for (int k = 0; k < Tile::kSide / 2; ++k) {
      const std::int64_t to = (j + k) * w + i;
      typename Tile::Numbers im;
      __builtin_memcpy(&im, &r[2 * k + 1], sizeof(im));
      im = im * sign;
      __builtin_memcpy(x.re + to, &r[2 * k], sizeof(Words));
      __builtin_memcpy(x.im + to, &im, sizeof(Words));
    }
  }
}
template <class Tile, class T>
inline __attribute__((always_inline)) void scatter(const Planes<T>& x, std::int64_t j,
                                                   std::int64_t w, char* to, std::int64_t across,
                                                   T scale, T sign) {
  using Words = typename Tile::Words;
  for (std::int64_t i = 0; i < w; i += Tile::kSide) {
    Words r[Tile::kSide];
    for (int k = 0; k < Tile::kSide / 2; ++k) {
      const std::int64_t from = (j + k) * w + i;
      typename Tile::Numbers re, im;
      __builtin_memcpy(&re, x.re + from, sizeof(re));
      __builtin_memcpy(&im, x.im + from, sizeof(im));
      re = re * scale;
      im = im * sign;
      __builtin_memcpy(&r[2 * k], &re, sizeof(re));
      __builtin_memcpy(&r[2 * k + 1], &im, sizeof(im));
    }
    transpose_rows(r);
    for (int k = 0; k < Tile::kSide; ++k) {
      __builtin_memcpy(to + (i + k) * across, &r[k], sizeof(Words));
    }
  }
}

}  // namespace tandem::host::TANDEM_ISA
