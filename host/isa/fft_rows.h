// Elements of transforms between memory and the planes of a block, turned in registers, at one SIMD
// level.
#pragma once

#include "host/isa/transpose.h"
#include "host/isa/wide.h"
#include "kernels/functors/fft.h"
#include "tandem/backend/fft.h"

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

inline constexpr std::int64_t kMostLanes = 16;

/// Lanes of a whole block.
template <class T>
inline constexpr std::int64_t kLanes = kMostLanes * 4 / std::int64_t(sizeof(T));

/// Rows of a whole block whose elements lie densely, one stride apart.
struct DenseRows {
  char* at;                    // null: they do not
  std::int64_t across, count;  // count: elements of a row that exist
};

/// f(tile, j) for tiles that cover the elements of such rows; the last one may overlap.
template <class T, class N, class F>
TANDEM_FN void for_tiles(N count, F&& f) {
  constexpr std::int64_t kWide = WideTile<T>::kSide / 2;
  constexpr std::int64_t kNarrow = NarrowTile<T>::kSide / 2;
  std::int64_t j = 0;
  for (; j + kWide <= count; j += kWide) f(WideTile<T>{}, j);
  for (; j + kNarrow <= count; j += kNarrow) f(NarrowTile<T>{}, j);
  if (j < count) f(NarrowTile<T>{}, count - kNarrow);
}

/// One element of each lane of a whole block, at its place in the planes.
template <class T, class F>
TANDEM_FN void each_vector(const Planes<T>& x, std::int64_t j, F&& f) {
  for (std::int64_t i = 0; i < kLanes<T>; i += Wide<T>::kLanes) {
    T* re = x.re + j * kLanes<T> + i;
    T* im = x.im + j * kLanes<T> + i;
    wide_to(f(wide_from(re, im), i), re, im);
  }
}
/// Times a factor of the lane: neighbours, or one of all.
template <class T>
TANDEM_FN void times_neighbours(const Planes<T>& x, std::int64_t j, const Complex<T>* factors) {
  each_vector(x, j, [&](const Complex<Wide<T>>& z, std::int64_t i) {
    return fn::fft_mul(z, Pairs<T>::from(factors + i));
  });
}
template <class T>
TANDEM_FN void times_one(const Planes<T>& x, std::int64_t j, const Complex<T>& factor) {
  const auto w = spread(factor);
  each_vector(x, j, [&](const Complex<Wide<T>>& z, std::int64_t) { return fn::fft_mul(z, w); });
}

/// Lanes that are neighbours in memory, into the planes and back.
template <class T>
TANDEM_FN void gather_neighbours(const Planes<T>& x, std::int64_t j, const Complex<T>* from,
                                 T sign) {
  const Wide<T> turned(static_cast<double>(sign));
  for (std::int64_t i = 0; i < kLanes<T>; i += Wide<T>::kLanes) {
    const auto z = Pairs<T>::from(from + i);
    const std::int64_t at = j * kLanes<T> + i;
    wide_to(Complex<Wide<T>>{z.re, turned * z.im}, x.re + at, x.im + at);
  }
}
template <class T>
TANDEM_FN void scatter_neighbours(const Planes<T>& x, std::int64_t j, Complex<T>* to, T scale,
                                  T sign) {
  const Wide<T> by(static_cast<double>(scale));
  const Wide<T> turned(static_cast<double>(sign));
  for (std::int64_t i = 0; i < kLanes<T>; i += Wide<T>::kLanes) {
    const std::int64_t at = j * kLanes<T> + i;
    const auto z = wide_from(x.re + at, x.im + at);
    Pairs<T>::to(Complex<Wide<T>>{z.re * by, z.im * turned}, to + i);
  }
}

/// Elements [0, count) of whole blocks times the factors of the table.
template <class T>
void multiply_rows(const Planes<T>& x, std::int64_t count, const void* table) {
  for (std::int64_t j = 0; j < count; ++j) {
    times_one(x, j, static_cast<const Complex<T>*>(table)[j]);
  }
}

/// Rows that do not begin on lines of the cache, or share few of its places, are copied by pieces:
/// tiles would touch their lines twice, and 16 rows at once do not always stay in the first cache.
template <class T>
class Pieces {
 public:
  static constexpr std::int64_t kBytes = 512;
  static constexpr std::int64_t kElements = kBytes / std::int64_t(sizeof(Complex<T>));
  static constexpr std::int64_t kAcross = kBytes + 64;

  static bool wanted(const DenseRows& rows) {
    const bool lines = rows.across % 64 == 0 && reinterpret_cast<std::uintptr_t>(rows.at) % 64 == 0;
    return !lines && rows.count >= kElements;
  }
  char* data() { return memory_; }
  void read(const char* from, std::int64_t across) {
    for (std::int64_t i = 0; i < kLanes<T>; ++i) copy(memory_ + i * kAcross, from + i * across);
  }
  void write(char* to, std::int64_t across) const {
    for (std::int64_t i = 0; i < kLanes<T>; ++i) copy(to + i * across, memory_ + i * kAcross);
  }

 private:
  static void copy(char* to, const char* from) {
    for (std::int64_t i = 0; i < kBytes; i += kWideBytes) {
      typename Wide<T>::Vector v;
      __builtin_memcpy(&v, from + i, sizeof v);
      __builtin_memcpy(to + i, &v, sizeof v);
    }
  }
  alignas(64) char memory_[kLanes<T> * kAcross];
};

/// f(tile, j, address, across) for the elements of rows; before and after it each piece of those
/// that go by pieces, before(piece, address) and after(piece, address).
template <class T, class F, class Before, class After>
void for_rows(const DenseRows& rows, F&& f, Before&& before, After&& after) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(Complex<T>));
  std::int64_t first = 0;
  if (Pieces<T>::wanted(rows)) {
    Pieces<T> piece;
    for (; first + Pieces<T>::kElements <= rows.count; first += Pieces<T>::kElements) {
      before(piece, rows.at + first * kSize);
      for_tiles<T>(Pieces<T>::kElements, [&](auto tile, std::int64_t j) {
        f(tile, first + j, piece.data() + j * kSize, Pieces<T>::kAcross);
      });
      after(piece, rows.at + first * kSize);
    }
    // What is left is a tile at least: elements are read and written again for that.
    if (first == rows.count) return;
    constexpr std::int64_t kLeast = NarrowTile<T>::kSide / 2;
    if (rows.count - first < kLeast) first = rows.count - kLeast;
  }
  for_tiles<T>(rows.count - first, [&](auto tile, std::int64_t j) {
    f(tile, first + j, rows.at + (first + j) * kSize, rows.across);
  });
}

template <class T>
void load_rows(const FftPassLaunch& l, const DenseRows& rows, std::int64_t m, const Planes<T>& x) {
  constexpr std::int64_t kW = kLanes<T>;
  const T sign = l.in.conjugate ? T(-1) : T(1);
  for_rows<T>(
      rows,
      [&]<class Tile>(Tile, std::int64_t j, const char* at, std::int64_t across) {
        gather<Tile>(x, j, kW, at, across, sign);
      },
      [&](Pieces<T>& piece, const char* at) { piece.read(at, rows.across); },
      [](Pieces<T>&, const char*) {});
  if (l.in.table != nullptr) multiply_rows(x, rows.count, l.in.table);
  for (std::int64_t i = rows.count * kW; i < m * kW; ++i) x.put(i, {T(0), T(0)});
}

template <class T>
void store_rows(const FftPassLaunch& l, const DenseRows& rows, const Planes<T>& x) {
  if (l.out.table != nullptr) multiply_rows(x, rows.count, l.out.table);
  const T scale = static_cast<T>(l.scale);
  const T sign = l.out.conjugate ? -scale : scale;
  for_rows<T>(
      rows,
      [&]<class Tile>(Tile, std::int64_t j, char* at, std::int64_t across) {
        scatter<Tile>(x, j, kLanes<T>, at, across, scale, sign);
      },
      [](Pieces<T>&, const char*) {},
      [&](Pieces<T>& piece, char* at) { piece.write(at, rows.across); });
}

}  // namespace tandem::host::TANDEM_ISA
