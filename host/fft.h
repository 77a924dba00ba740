// What the driver of the Fourier transforms (fft.cpp: threads, scratch) needs of a SIMD level.
#pragma once

#include "tandem/backend/fft.h"

namespace tandem::host {

/// Transforms that lie side by side in the planes of a block: as many floats as a vector of 64
/// bytes has.
inline std::int64_t fft_lanes(DType dtype) { return dtype == DType::complex64 ? 16 : 8; }

/// Elements of a plane: one more where bins of real rows are made.
inline std::int64_t fft_plane_rows(const FftPassLaunch& l) {
  return l.half != nullptr ? l.m + 1 : l.m;
}

/// Transforms of a pass that a row has.
inline std::int64_t fft_of_row(const FftPassLaunch& l) { return l.p * l.s * l.columns; }

/// Real numbers from a plane of w lanes to the next: such that the planes begin at different places
/// of the first cache.
inline std::int64_t fft_plane_size(const FftPassLaunch& l, std::int64_t w, std::int64_t number) {
  constexpr std::int64_t kPlace = 1024, kPlaces = 4096;
  const std::int64_t bytes = (fft_plane_rows(l) * w * number + 63) / 64 * 64;
  return (bytes + (kPlaces + kPlace - bytes % kPlaces) % kPlaces) / number;
}

/// Lanes of one block: `count` neighbouring transforms of a pass. Where a row has one these are
/// rows from `row` on, otherwise one row's from `u` on, counted column by column.
struct FftBlock {
  std::int64_t row, u, count;
};

/// Whole blocks [first, last) of short rows; false: not of this launch, nothing is done.
struct FftShortRows {
  bool (*run[2])(const FftPassLaunch&, std::int64_t first, std::int64_t last);
};

struct FftLevel {
  /// One block; scratch: four planes, aligned to 64 bytes.
  void (*pass[2])(const FftPassLaunch&, const FftBlock&, void* scratch);  // complex64, complex128
  /// Bins [first, last) of a row.
  void (*half[2])(const FftHalfLaunch&, std::int64_t row, std::int64_t first, std::int64_t last);
  const FftShortRows* short_rows;
};

/// Bytes from the first row to another: rows count along the shape in row-major order.
inline std::int64_t fft_row_offset(const std::int64_t* shape, const std::int64_t* strides, int rank,
                                   std::int64_t row) {
  std::int64_t offset = 0;
  for (int d = rank - 1; d > 0 && row != 0; --d) {
    offset += row % shape[d] * strides[d];
    row /= shape[d];
  }
  return rank > 0 ? offset + row * strides[0] : offset;
}

void launch_fft_pass(const void* desc, const void* self);
void launch_fft_half(const void* desc, const void* self);

}  // namespace tandem::host
