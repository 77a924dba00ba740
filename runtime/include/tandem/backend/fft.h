// The launches of the built-in Fourier transform. Plain data, as backend.h.
#pragma once

#include "tandem/backend.h"

namespace tandem {

inline constexpr int kMaxRadices = 16;  // of a pass
/// Bytes that the elements of one pass may have, which a device keeps in a block's shared memory.
inline constexpr std::int64_t kFftPassBytes = 16384;

/// One end of the rows of a transform: strides in bytes, along the row and over the other
/// dimensions.
struct FftSide {
  void* data;
  std::int64_t stride;
  const std::int64_t* strides;
  std::int64_t n;           // elements that exist: those beyond are read as 0 and not written
  bool conjugate;           // on the way in before the table's factor, on the way out last of all
  const void* table;        // factors of the elements of a row, or null
  std::int64_t column = 0;  // bytes from a column of a row to the next, where there are several
};

/// One pass of a transform of rows of length m p s by Stockham's scheme (docs/numerics.md): of each
/// row, m elements p s apart become transforms of length m. With u = q s + t, 0 <= u < p s,
///   out[(q m + k) s + t] = twiddles[k p + q] sum over j of in[j p s + u] exp(-2 pi i j k / m)
/// by stages of the radices, each of the same form. The last pass (p = 1) may be in place.
struct FftPassLaunch {
  const OpRow* row;
  DType dtype;  // complex64, complex128
  Device device;
  void* stream;
  std::int64_t m, p, s;
  int n_radices;
  std::int32_t radices[kMaxRadices];
  const void* stages;    // factors of the stages, one after the other: fft_stage_table()
  const void* twiddles;  // null where p is 1
  std::int64_t rows;
  // Columns of a row, each with elements of its own: a transform runs over one of them. More than
  // one on the host alone, in plans of several passes.
  std::int64_t columns;
  const std::int64_t* shape;
  int rank;
  FftSide in, out;
  bool real_in;  // elements are the real parts alone
  // With real_in, on the host: bytes from a real part to its imaginary one; 0: there are none.
  std::int64_t imaginary;
  double scale;  // after the table's factor on the way out
  // On the host, where p s is 1: exp(-2 pi i k / 2 m), k in [0, m]; the rows are then pairs of real
  // ones, whose m + 1 bins are the output, or with `pack` the input (conjugates are transformed, as
  // an inverse wants it, and in.conjugate is that of the bins). Null elsewhere.
  const void* half;
  bool pack;
};

/// Whether a radix has a butterfly of its own; the others are plain sums over their roots.
inline bool has_butterfly(int radix) {
  return radix == 2 || radix == 3 || radix == 4 || radix == 5 || radix == 8;
}

/// Factors of a stage of a radix whose transform is radix * p long: the roots of a radix without
/// a butterfly, then, where p is not 1, exp(-2 pi i q k / (radix p)) at [q][k].
inline std::int64_t fft_stage_table(int radix, std::int64_t p) {
  return (has_butterfly(radix) ? 0 : radix) + (p > 1 ? radix * p : 0);
}

/// Between the h bins of pairs of a real row and its h + 1 bins. `pack`: from the bins of the row,
/// of which the imaginary parts of the first and the last are taken as 0, to twice those of pairs.
struct FftHalfLaunch {
  const OpRow* row;
  DType dtype;
  Device device;
  void* stream;
  std::int64_t h;
  bool pack;
  const void* twiddles;  // exp(-2 pi i k / 2 h), k in [0, h]
  std::int64_t rows;
  std::int64_t columns;  // as of a pass; more than one on the host alone, and not with `pack`
  const std::int64_t* shape;
  int rank;
  FftSide in, out;  // without tables
  double scale;
};

}  // namespace tandem
