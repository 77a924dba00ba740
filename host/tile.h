// The two-dimensional tiles that a general elementwise launch is cut into: index arithmetic only.
#pragma once

#include <algorithm>

#include "tandem/backend.h"

namespace tandem::host {

/// Elements of a tile at most: blocks of every operand fit in the first-level cache together.
inline constexpr std::int64_t kTileBytes = 4096;

/// Cuts the two innermost dimensions into tiles of rows x columns; the outer ones are walked one by
/// one.
class Tiling {
 public:
  Tiling(const std::int64_t* shape, int rank, std::int64_t max_elements, bool conflict)
      : rank_(rank) {
    columns_total_ = rank > 0 ? shape[rank - 1] : 1;
    rows_total_ = rank > 1 ? shape[rank - 2] : 1;
    if (conflict) {  // operands disagree on the fast dimension: square tiles, so that both sides
                     // use whole lines
      columns_ = std::min<std::int64_t>(columns_total_, 32);
      rows_ =
          std::min<std::int64_t>(rows_total_, std::max<std::int64_t>(max_elements / columns_, 1));
      columns_ = std::min(columns_total_, std::max<std::int64_t>(max_elements / rows_, 1));
    } else {
      columns_ = std::min(columns_total_, max_elements);
      rows_ = std::min(rows_total_, std::max<std::int64_t>(max_elements / columns_, 1));
    }
    row_tiles_ = (rows_total_ + rows_ - 1) / rows_;
    column_tiles_ = (columns_total_ + columns_ - 1) / columns_;
    outer_ = 1;
    for (int d = 0; d < rank - 2; ++d) outer_ *= shape[d];
    shape_ = shape;
  }

  std::int64_t count() const { return outer_ * row_tiles_ * column_tiles_; }

  struct Tile {
    std::int64_t rows, columns;
    std::int64_t index[kMaxRank];  // of the first element
  };

  void locate(std::int64_t i, Tile& t) const {
    const std::int64_t c = i % column_tiles_;
    const std::int64_t r = i / column_tiles_ % row_tiles_;
    std::int64_t o = i / (column_tiles_ * row_tiles_);
    if (rank_ > 0) t.index[rank_ - 1] = c * columns_;
    if (rank_ > 1) t.index[rank_ - 2] = r * rows_;
    for (int d = rank_ - 3; d >= 0; --d) {
      t.index[d] = o % shape_[d];
      o /= shape_[d];
    }
    t.columns = std::min(columns_, columns_total_ - c * columns_);
    t.rows = std::min(rows_, rows_total_ - r * rows_);
  }

 private:
  const std::int64_t* shape_;
  int rank_;
  std::int64_t columns_total_, rows_total_, columns_, rows_, row_tiles_, column_tiles_, outer_;
};

/// Byte offset of a tile's first element in an operand.
inline std::int64_t tile_offset(const Tiling::Tile& t, const std::int64_t* strides, int rank) {
  std::int64_t offset = 0;
  for (int d = 0; d < rank; ++d) offset += t.index[d] * strides[d];
  return offset;
}

}  // namespace tandem::host
