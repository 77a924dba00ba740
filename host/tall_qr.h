// QR of matrices with many more rows than columns. Internal to host/linalg*.cpp.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>

namespace tandem::host {

/// Whether a matrix has several blocks of rows.
bool has_blocks(std::int64_t rows, std::int64_t columns);

/// By blocks of rows, which fit a cache and go to different threads; then of the triangles of all
/// blocks in the same way: J. Demmel, L. Grigori, M. Hoemmen and J. Langou, "Communication-optimal
/// parallel and sequential QR and LU factorizations", SIAM J. Sci. Comput. 34, 2012. The blocks
/// follow from the shape alone.
template <class T>
class TallQr {
 public:
  using Real = decltype(std::abs(T()));
  /// Of `scale` times a [rows, columns], by columns with the leading dimension; where `turned`, a
  /// is stored by rows instead. At least as many rows as columns. `keep`: apply() is wanted.
  TallQr(std::int64_t rows, std::int64_t columns, const T* a, std::int64_t leading, bool turned,
         Real scale, bool keep);
  /// [columns, columns] by columns, 0 below the diagonal.
  const T* triangle() const { return next_ != nullptr ? next_->triangle() : triangles_.get(); }
  /// to [rows, k] = Q c of c [columns, k]; where `turned`, to is stored by rows.
  void apply(const T* c, std::int64_t k, T* to, std::int64_t leading, bool turned) const;

 private:
  std::int64_t first(std::int64_t block) const { return block * rows_ / blocks_; }
  std::int64_t height(std::int64_t block) const { return first(block + 1) - first(block); }
  T* reflectors(std::int64_t block) const { return reflectors_.get() + first(block) * columns_; }
  void factor_block(std::int64_t block, T* v, T* tau);

  std::int64_t rows_, columns_, blocks_;
  std::unique_ptr<T[]> reflectors_;  // [rows, columns], a block after the other, where kept
  std::unique_ptr<T[]> tau_;         // [blocks, columns]
  std::unique_ptr<T[]> triangles_;   // [blocks * columns, columns]
  std::unique_ptr<TallQr> next_;     // of the triangles, where there are several
};

}  // namespace tandem::host
