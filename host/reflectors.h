// Householder reflectors on the host: the passes over a matrix by SIMD level
// (host/isa/reflectors.cpp), and reductions and products made of them (host/reduction.cpp,
// host/reflectors.cpp).
#pragma once

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>

#include "host/parallel.h"

namespace tandem::host {

/// Rows go in blocks of this many: a whole number of vectors at every level, 64 bytes at least.
constexpr std::int64_t kRowBlock = 16;

constexpr std::int64_t block_of(std::int64_t row) { return row / kRowBlock * kRowBlock; }

/// One pass over columns [first, last) of a, those groups of four that are `me`'s of `team`:
///   a[:, j] -= p * cp[j] + q * cq[j]        (q null: p alone), then y[j] = u . a[:, j],
///   r[j] = a[row, j] - tau * y[j]           (r null: none), and
///   w += a[:, j] * r[j]                     (w null: none).
/// Rows from block_of(row) on: p, q and u are 0 above those they mean. Where `symmetric`, the lower
/// triangle stands for a, whose blocks on the diagonal are whole: w += a u, and y is not written.
/// Each element is read and written once: G. W. Howell, J. W. Demmel, C. T. Fulton, S. Hammarling
/// and K. Marmol, "Cache efficient bidiagonalization using BLAS 2.5 operators", ACM TOMS 34, 2008.
template <class R>
struct ReflectorPass {
  std::int64_t first, last, me, team;
  std::int64_t row, rows;  // rows: a multiple of kRowBlock
  R* a;
  std::int64_t leading;
  const R *p, *q, *cp, *cq;
  const R* u;
  R tau;
  R *y, *r, *w;
  bool symmetric;
};

/// Loops of one level. Vectors are [first, last) of their arrays.
template <class R>
struct ReflectorLoops {
  void (*pass)(const ReflectorPass<R>& p);
  R (*dot)(std::int64_t first, std::int64_t last, const R* x, const R* y);
  /// out = s * x - p * cp - q * cq
  void (*combine)(std::int64_t first, std::int64_t last, R* out, R s, const R* x, R cp, const R* p,
                  R cq, const R* q);
  /// The largest absolute value.
  R (*largest)(std::int64_t first, std::int64_t last, const R* x);
};

ReflectorLoops<float>& reflector_loops(float);
ReflectorLoops<double>& reflector_loops(double);

/// Zeros from an address that is a multiple of 64.
template <class R>
class Aligned {
 public:
  explicit Aligned(std::int64_t n) : own_(new R[static_cast<std::size_t>(n) + 64 / sizeof(R)]()) {
    const auto address = reinterpret_cast<std::uintptr_t>(own_.get());
    data_ = own_.get() + (64 - address % 64) % 64 / sizeof(R);
  }
  R* get() const { return data_; }

 private:
  std::unique_ptr<R[]> own_;
  R* data_;
};

/// k reflectors H = I - tau v v^H of `rows` rows each, the columns of v: 0 above the place `shift +
/// column`, where there is 1.
template <class T>
struct Reflectors {
  std::int64_t rows, k, shift;
  const T* v;
  std::int64_t leading;
  const T* tau;
};

/// c [rows, columns] = H_0 H_1 ... H_(k - 1) c, by columns with the leading dimension.
/// `transposed`: c is stored by rows instead, that is c^T = c^T H_(k - 1) ... H_0 of [columns,
/// rows], of real numbers alone. `identity`: c is the identity's first columns, of whose zeros
/// nothing is computed.
template <class T>
void apply_reflectors(const Reflectors<T>& h, T* c, std::int64_t leading, std::int64_t columns,
                      bool transposed, bool identity = false);

/// c = H_(k - 1)^H ... H_0^H c.
template <class T>
void apply_reflectors_backwards(const Reflectors<T>& h, T* c, std::int64_t leading,
                                std::int64_t columns);

/// The reduction of a symmetric matrix to a tridiagonal one, Q^T a Q: its diagonal and
/// off-diagonal, times `scale`, and the reflectors of Q.
template <class R>
class TridiagonalForm {
 public:
  TridiagonalForm(std::int64_t n, const R* a, std::int64_t leading, bool upper);
  void run(R* d, R* e);
  Reflectors<R> reflectors() const;
  R scale() const { return scale_; }  // of the matrix that was reduced to the one given

 private:
  void steps(std::int64_t me, std::int64_t team, R* d, R* e, R* parts, R* own);
  std::int64_t n_, rows_, leading_;
  Aligned<R> a_, tau_;
  R scale_;
};

/// The same of any matrix to a bidiagonal one, Q^T a P: upper where there are at least as many rows
/// as columns, else of the transpose.
template <class R>
class BidiagonalForm {
 public:
  BidiagonalForm(std::int64_t m, std::int64_t n, const R* a, std::int64_t leading);
  void run(R* d, R* e);
  Reflectors<R> left() const;   // of the given matrix's rows
  Reflectors<R> right() const;  // of its columns
  R scale() const { return scale_; }

 private:
  struct Shared;
  void steps(std::int64_t me, std::int64_t team, R* d, R* e, const Shared& s);
  bool flipped_;
  std::int64_t m_, n_, rows_, leading_, right_leading_;
  Aligned<R> a_, right_, tau_, right_tau_;
  R scale_;
};

/// geqrf: R in and above the diagonal of a, reflectors below it.
template <class T>
void factor_qr(std::int64_t m, std::int64_t n, T* a, std::int64_t leading, T* tau);

/// A reflector that takes c, 0 above row i, to beta e_i: its vector in c. A rest of at most `least`
/// in norm counts as none.
template <class R>
struct Reflection {
  R beta, tau;
};
template <class R>
Reflection<R> reflect(const ReflectorLoops<R>& loops, std::int64_t i, std::int64_t rows, R* c,
                      R least);

/// A power of two that takes the largest element near 1: squares neither overflow nor vanish.
/// `first(j)` and `last(j)`: the rows of column j that are read.
template <class R, class First, class Last>
R scale_to_one(std::int64_t columns, const R* a, std::int64_t leading, First first, Last last) {
  R most = 0;
  for (std::int64_t j = 0; j < columns; ++j)
    most = std::max(most, reflector_loops(R()).largest(first(j), last(j), a + j * leading));
  if (most == 0) return 1;
  int exponent = 0;
  std::frexp(most, &exponent);
  constexpr int kMost = std::numeric_limits<R>::max_exponent - 8;
  return std::ldexp(R(1), std::clamp(-exponent, -kMost, kMost));
}

/// to = scale * a of [rows, columns], with the steps of both from row to row and from column to
/// column.
template <class T, class R>
void copy_tiles(std::int64_t rows, std::int64_t columns, const T* a, std::int64_t a_down,
                std::int64_t a_across, T* to, std::int64_t down, std::int64_t across, R scale) {
  constexpr std::int64_t kTile = 32;  // of rows, whose lines stay near where columns are turned
  for (std::int64_t top = 0; top < rows; top += kTile) {
    for (std::int64_t j = 0; j < columns; ++j) {
      for (std::int64_t i = top; i < std::min(top + kTile, rows); ++i)
        to[i * down + j * across] = a[i * a_down + j * a_across] * scale;
    }
  }
}

/// Threads of a step: those that Team has set.
inline int team_size() { return omp_in_parallel() != 0 ? 1 : omp_get_max_threads(); }

/// f(me, team) on each thread of a team. f throws nothing.
template <class F>
void in_team(F&& f) {
  const int threads = team_size();
  if (threads <= 1) return f(0, 1);
  team_made();
#pragma omp parallel num_threads(threads)
  f(omp_get_thread_num(), omp_get_num_threads());
}

/// Until all of the team are here.
inline void meet(std::int64_t team) {
  if (team > 1) {
#pragma omp barrier
  }
}

}  // namespace tandem::host
