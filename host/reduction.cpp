// Symmetric matrices to tridiagonal and others to bidiagonal form (G. H. Golub and C. F. Van Loan,
// "Matrix Computations", 8.3.1 and 5.4.8), one column a step, one pass over the matrix a step, on a
// team that meets once a step. Each of the team makes the same vectors from the sums that all have
// written, so that nobody waits for them.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "host/linalg.h"
#include "host/reflectors.h"

namespace tandem::host {

namespace {

std::int64_t padded(std::int64_t n) { return block_of(n + kRowBlock - 1); }

/// Not a power of two bytes from column to column: those would meet in the same places of a cache.
std::int64_t leading_of(std::int64_t n) { return padded(n) + kRowBlock; }

/// sum of the team's parts.
template <class R>
void join(std::int64_t team, std::int64_t from, std::int64_t rows, const R* parts, R* sum) {
  std::copy(parts + from, parts + rows, sum + from);
  for (std::int64_t t = 1; t < team; ++t) {
    const R* part = parts + t * rows;
    for (std::int64_t i = from; i < rows; ++i) sum[i] += part[i];
  }
}

}  // namespace

template <class R>
TridiagonalForm<R>::TridiagonalForm(std::int64_t n, const R* a, std::int64_t leading, bool upper)
    : n_(n), rows_(padded(n)), leading_(leading_of(n)), a_(n * leading_), tau_(n) {
  const auto first = [&](std::int64_t j) { return upper ? 0 : j; };
  const auto last = [&](std::int64_t j) { return upper ? j + 1 : n; };
  const R factor = scale_to_one(n, a, leading, first, last);
  scale_ = 1 / factor;
  R* to = a_.get();
  for (std::int64_t j = 0; j < n; ++j) {
    for (std::int64_t i = first(j); i < last(j); ++i) {
      const R x = a[j * leading + i] * factor;
      to[std::min(i, j) * leading_ + std::max(i, j)] = x;
      if (block_of(i) == block_of(j)) to[std::max(i, j) * leading_ + std::min(i, j)] = x;
    }
  }
}

template <class R>
void TridiagonalForm<R>::run(R* d, R* e) {
  const std::int64_t team = team_size();
  const Aligned<R> parts(2 * team * rows_), own(3 * team * rows_);
  in_team([&](std::int64_t me, std::int64_t threads) {
    steps(me, threads, d, e, parts.get(), own.get() + 3 * me * rows_);
  });
}

/// `parts`: [2][team][rows], those of a step kept while the next step's are written.
template <class R>
void TridiagonalForm<R>::steps(std::int64_t me, std::int64_t team, R* d, R* e, R* parts, R* own) {
  const ReflectorLoops<R>& loops = reflector_loops(R());
  R* v = own;  // a lacks v w^T + w v^T in the columns to come
  R* w = own + rows_;
  R* u = own + 2 * rows_;
  for (std::int64_t i = 0; i < n_; ++i) {
    R* column = a_.get() + i * leading_;
    const std::int64_t from = block_of(i), next = block_of(i + 1);
    loops.combine(from, rows_, u, 1, column, w[i], v, v[i], w);
    if (me == 0) d[i] = u[i];
    if (i + 1 == n_) break;
    std::fill_n(u, i + 1, R(0));
    const Reflection<R> h = reflect(loops, i + 1, rows_, u, R(0));
    R* sums = parts + (i % 2) * team * rows_;
    std::fill(sums + me * rows_ + next, sums + (me + 1) * rows_, R(0));
    loops.pass({i + 1, n_, me, team, i + 1, rows_, a_.get(), leading_, v, w, w, v, u, h.tau,
                nullptr, nullptr, sums + me * rows_, true});
    meet(team);
    if (me == 0) {  // all have read the column
      e[i] = h.beta;
      tau_.get()[i] = h.tau;
      std::copy_n(u, rows_, column);
    }
    join(team, next, rows_, sums, w);
    const R half = h.tau * h.tau * loops.dot(next, rows_, w, u) / 2;
    loops.combine(next, rows_, w, h.tau, w, half, u, 0, u);
    std::swap(u, v);
  }
}

template <class R>
Reflectors<R> TridiagonalForm<R>::reflectors() const {
  return {n_, n_ - 1, 1, a_.get(), leading_, tau_.get()};
}

/// What the team shares of steps, twice where one step's is kept while the next one's is written.
template <class R>
struct BidiagonalForm<R>::Shared {
  R* parts;  // [2][team][rows]
  R* dots;   // [2][columns]
  R* row;    // [2][columns]
  R* own;    // of one of the team: three of rows, three of columns
};

template <class R>
BidiagonalForm<R>::BidiagonalForm(std::int64_t m, std::int64_t n, const R* a, std::int64_t leading)
    : flipped_(m < n),
      m_(std::max(m, n)),
      n_(std::min(m, n)),
      rows_(padded(m_)),
      leading_(leading_of(m_)),
      right_leading_(leading_of(n_)),
      a_(n_ * leading_),
      right_(n_ * right_leading_),
      tau_(n_),
      right_tau_(n_) {
  const R factor = scale_to_one(
      n, a, leading, [](std::int64_t) { return std::int64_t(0); }, [&](std::int64_t) { return m; });
  scale_ = 1 / factor;
  const std::int64_t down = flipped_ ? leading_ : 1, across = flipped_ ? 1 : leading_;
  copy_tiles(m, n, a, 1, leading, a_.get(), down, across, factor);
}

template <class R>
void BidiagonalForm<R>::run(R* d, R* e) {
  const std::int64_t team = team_size(), columns = padded(n_);
  const Aligned<R> parts(2 * team * rows_), shared(4 * columns), own(3 * team * (rows_ + columns));
  in_team([&](std::int64_t me, std::int64_t threads) {
    steps(me, threads, d, e,
          {parts.get(), shared.get(), shared.get() + 2 * columns,
           own.get() + 3 * me * (rows_ + columns)});
  });
}

template <class R>
void BidiagonalForm<R>::steps(std::int64_t me, std::int64_t team, R* d, R* e, const Shared& s) {
  const ReflectorLoops<R>& loops = reflector_loops(R());
  // A row below this is taken as none: sums of products with it would lose their digits.
  constexpr R kLeast = std::numeric_limits<R>::min() /
                       (std::numeric_limits<R>::epsilon() * std::numeric_limits<R>::epsilon());
  const std::int64_t columns = padded(n_);
  R* u = s.own;
  R* before = u + rows_;  // a lacks before cp^T + x cq^T in the columns to come
  R* x = before + rows_;
  R* v = x + rows_;
  R* cp = v + columns;
  R* cq = cp + columns;
  for (std::int64_t i = 0; i < n_; ++i) {
    R* column = a_.get() + i * leading_;
    const std::int64_t from = block_of(i);
    loops.combine(from, rows_, u, 1, column, cp[i], before, cq[i], x);
    std::fill_n(u, i, R(0));
    const Reflection<R> h = reflect(loops, i, rows_, u, R(0));
    R* sums = s.parts + (i % 2) * team * rows_;
    R* y = s.dots + (i % 2) * columns;
    R* row = s.row + (i % 2) * columns;
    std::fill(sums + me * rows_ + from, sums + (me + 1) * rows_, R(0));
    loops.pass({i + 1, n_, me, team, i, rows_, a_.get(), leading_, before, x, cp, cq, u, h.tau, y,
                row, sums + me * rows_, false});
    meet(team);
    if (me == 0) {  // all have read the column
      d[i] = h.beta;
      tau_.get()[i] = h.tau;
      std::copy_n(u, rows_, column);
    }
    if (i + 1 == n_) break;
    std::copy(row + i + 1, row + n_, v + i + 1);
    std::fill_n(v, i + 1, R(0));
    const Reflection<R> g = reflect(loops, i + 1, columns, v, kLeast);
    // The pass has summed a row, which is g.beta e + (row[i + 1] - g.beta) v.
    if (g.tau != 0) {
      join(team, from, rows_, sums, x);
      const R inverse = 1 / (row[i + 1] - g.beta);
      loops.combine(from, rows_, x, inverse, x, inverse * g.beta, column + leading_,
                    h.tau * loops.dot(block_of(i + 1), columns, y, v), u);
    } else {
      std::fill(x + from, x + rows_, R(0));
    }
    for (std::int64_t j = i + 1; j < n_; ++j) {
      cp[j] = h.tau * y[j];
      cq[j] = g.tau * v[j];
    }
    if (me == 0) {
      e[i] = g.beta;
      right_tau_.get()[i] = g.tau;
      std::copy_n(v, columns, right_.get() + i * right_leading_);
    }
    std::swap(u, before);
  }
}

template <class R>
Reflectors<R> BidiagonalForm<R>::left() const {
  const Reflectors<R> long_side{m_, n_, 0, a_.get(), leading_, tau_.get()};
  const Reflectors<R> short_side{n_, n_ - 1, 1, right_.get(), right_leading_, right_tau_.get()};
  return flipped_ ? short_side : long_side;
}

template <class R>
Reflectors<R> BidiagonalForm<R>::right() const {
  const Reflectors<R> long_side{m_, n_, 0, a_.get(), leading_, tau_.get()};
  const Reflectors<R> short_side{n_, n_ - 1, 1, right_.get(), right_leading_, right_tau_.get()};
  return flipped_ ? long_side : short_side;
}

template class TridiagonalForm<float>;
template class TridiagonalForm<double>;
template class BidiagonalForm<float>;
template class BidiagonalForm<double>;

}  // namespace tandem::host
