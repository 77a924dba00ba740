#include "host/tall_qr.h"

#include <algorithm>

#include "host/linalg.h"
#include "host/parallel.h"
#include "host/reflectors.h"

namespace tandem::host {

namespace {

/// Rows of a block: in the nearest cache where columns are few, and few triangles beside the
/// matrix.
std::int64_t block_rows(std::int64_t columns) { return std::max(8 * columns, 32768 / columns); }

}  // namespace

bool has_blocks(std::int64_t rows, std::int64_t columns) { return rows >= 2 * block_rows(columns); }

template <class T>
TallQr<T>::TallQr(std::int64_t rows, std::int64_t columns, const T* a, std::int64_t leading,
                  bool turned, Real scale, bool keep)
    : rows_(rows),
      columns_(columns),
      blocks_(std::max<std::int64_t>(rows / block_rows(columns), 1)),
      reflectors_(keep ? room<T>(rows * columns) : nullptr),
      tau_(room<T>(blocks_ * columns)),
      triangles_(room<T>(blocks_ * columns * columns)) {
  const std::int64_t down = turned ? leading : 1, across = turned ? 1 : leading;
  parallel_for(blocks_, 1, [&](std::int64_t begin, std::int64_t end) {
    const auto own = room<T>(keep ? 0 : (rows / blocks_ + 1) * columns);
    for (std::int64_t b = begin; b < end; ++b) {
      T* v = keep ? reflectors(b) : own.get();
      copy_tiles(height(b), columns_, a + first(b) * down, down, across, v, 1, height(b), scale);
      factor_block(b, v, tau_.get() + b * columns_);
    }
  });
  if (blocks_ > 1) {
    next_ = std::make_unique<TallQr>(blocks_ * columns, columns, triangles_.get(),
                                     blocks_ * columns, false, Real(1), keep);
  }
}

/// The triangle goes to the others; what is left has 1 on the diagonal and 0 above it.
template <class T>
void TallQr<T>::factor_block(std::int64_t block, T* v, T* tau) {
  const std::int64_t rows = height(block);
  factor_qr(rows, columns_, v, rows, tau);
  for (std::int64_t j = 0; j < columns_; ++j) {
    T* column = v + j * rows;
    T* to = triangles_.get() + (j * blocks_ + block) * columns_;
    std::copy_n(column, j + 1, to);
    std::fill(to + j + 1, to + columns_, T(0));
    std::fill_n(column, j, T(0));
    column[j] = 1;
  }
}

template <class T>
void TallQr<T>::apply(const T* c, std::int64_t k, T* to, std::int64_t leading, bool turned) const {
  const std::int64_t tops = blocks_ * columns_;
  const auto own = room<T>(next_ != nullptr ? tops * k : 0);
  if (next_ != nullptr) {
    next_->apply(c, k, own.get(), tops, false);
    c = own.get();
  }
  parallel_for(blocks_, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int64_t rows = height(b);
      const auto part = room<T>(rows * k);
      for (std::int64_t j = 0; j < k; ++j) {
        T* column = part.get() + j * rows;
        std::copy_n(c + j * tops + b * columns_, columns_, column);
        std::fill(column + columns_, column + rows, T(0));
      }
      apply_reflectors<T>({rows, columns_, 0, reflectors(b), rows, tau_.get() + b * columns_},
                          part.get(), rows, k, false);
      const std::int64_t down = turned ? leading : 1, across = turned ? 1 : leading;
      copy_tiles(rows, k, part.get(), 1, rows, to + first(b) * down, down, across, Real(1));
    }
  });
}

template class TallQr<float>;
template class TallQr<double>;
template class TallQr<std::complex<float>>;
template class TallQr<std::complex<double>>;

}  // namespace tandem::host
