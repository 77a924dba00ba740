// QR of small real matrices by Householder's reflectors, with the conventions of LAPACK's geqr2 and
// org2r, in a fixed order of operations (docs/numerics.md, "Small matrices"). One text for a matrix
// in each lane of vectors, for one matrix whose rows are vectors (the host) and for one whose
// columns threads share (a device): an element's operations are the same everywhere.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

/// Where squares are too small or too large to be summed, and the powers of two that bring a
/// column's largest element away from there.
template <class T>
struct QrRange;
template <>
struct QrRange<float> {
  static constexpr float kLeastSquare = 0x1p-80f, kMostSquare = 0x1p120f;
  static constexpr float kTiny = 0x1p-40f, kHuge = 0x1p60f;
  static constexpr float kUp = 0x1p100f, kDown = 0x1p-100f;
};
template <>
struct QrRange<double> {
  static constexpr double kLeastSquare = 0x1p-800, kMostSquare = 0x1p1000;
  static constexpr double kTiny = 0x1p-400, kHuge = 0x1p500;
  static constexpr double kUp = 0x1p700, kDown = 0x1p-700;
};

/// L says what a matrix is made of: T, numbers; S, one element (of each matrix); V, kWide elements
/// of a row, from a column that kWide divides; kTogether, chunks that go through a step at a time;
///   kBlock, columns that take their reflectors at a time, in a near memory, or more than there
///   are; at(i, c) -> S&, chunk(i, c) -> V&; absolute, root, add_product(sum, a, b): rounded once;
///   any(mask); against(norm, alpha, S&): the norm with the sign that alpha has not; first,
///   threads: this one of those that share the matrix; it has every threads-th chunk; after(k): its
///   first chunk with columns above k; keep(V& now, before, c, k): columns up to k of the chunk at
///   c are what they were before; sync(): waits for the others.
template <class L>
struct SmallQr {
  using T = typename L::T;
  using S = typename L::S;
  using V = typename L::V;

  S* tau;
  int m;
  L lanes;

  /// The first k columns of [m, n] become R and reflectors; the others are transformed. kBlock
  /// columns at a time: those before them, then their own reflectors.
  TANDEM_FN void factor(int n, int k) const {
    for (int from = 0; from < n; from += L::kBlock) {
      const int to = from + L::kBlock < n ? from + L::kBlock : n;
      for (int j = 0; j < from && j < k && j + 1 < m; ++j) turn(j, from, to);
      for (int j = from; j < to && j < k; ++j) {
        reflector(j);
        lanes.sync();
        if (j + 1 < m) turn(j, j + 1, to);
        lanes.sync();
      }
    }
  }

  /// From the first k columns, reflectors, to [m, n]: the first n columns of their product. The
  /// last kBlock columns first, since those before them are still reflectors.
  TANDEM_FN void orthogonal(int n, int k) const {
    lanes.sync();
    for (int c = lanes.first; c < n; c += lanes.threads) {
      for (int i = 0; i < (c < k ? c : m); ++i) lanes.at(i, c) = S{} + T(c == i ? 1 : 0);
    }
    lanes.sync();
    for (int from = (n - 1) / L::kBlock * L::kBlock; from >= 0; from -= L::kBlock) {
      const int to = from + L::kBlock < n ? from + L::kBlock : n;
      for (int j = (to < k ? to : k) - 1; j >= 0; --j) {
        turn(j, j < from ? from : j + 1, to);
        lanes.sync();
        if (j >= from) identity_column(j);
        lanes.sync();
      }
    }
  }

 private:
  /// larfg on column k: beta on the diagonal, the vector's elements below it, tau[k].
  TANDEM_FN void reflector(int k) const {
    using Range = QrRange<T>;
    const S first = lanes.at(k, k);
    if (k + 1 == m) {  // nothing to make zero
      if (lanes.first == 0) tau[k] = S{};
      return;
    }
    const S one = S{} + T(1);
    S alpha = first, square{}, factor = one, back = one, size;
    for (int i = k + 1; i < m; ++i) lanes.add_product(square, lanes.at(i, k), lanes.at(i, k));
    lanes.absolute(alpha, size);
    const auto plain =
        (square > Range::kLeastSquare) & (square < Range::kMostSquare) & (size < Range::kHuge);
    auto none = size < T(0);  // nowhere
    if (lanes.any(plain == 0)) {
      S most{};
      for (int i = k + 1; i < m; ++i) {
        S x;
        lanes.absolute(lanes.at(i, k), x);
        most = x > most ? x : most;
      }
      none = (square == T(0)) & (most == T(0));
      most = size > most ? size : most;
      const auto up = (plain == 0) & (most < Range::kTiny);
      const auto down = (plain == 0) & (most > Range::kHuge);
      factor = up ? S{} + Range::kUp : (down ? S{} + Range::kDown : one);
      back = up ? S{} + Range::kDown : (down ? S{} + Range::kUp : one);
      alpha = alpha * factor;
      square = S{};
      for (int i = k + 1; i < m; ++i) {
        const S x = lanes.at(i, k) * factor;
        lanes.add_product(square, x, x);
      }
    }
    lanes.add_product(square, alpha, alpha);
    S norm, beta;
    lanes.root(square, norm);
    lanes.against(norm, alpha, beta);
    const S inverse = T(1) / (alpha - beta);
    const S t = none ? S{} : (beta - alpha) / beta;
    lanes.sync();  // all have read the column
    for (int i = k + 1 + lanes.first; i < m; i += lanes.threads) {
      S& x = lanes.at(i, k);
      x = none ? x : x * factor * inverse;
    }
    if (lanes.first == 0) {
      lanes.at(k, k) = none ? first : beta * back;
      tau[k] = t;
    }
  }

  /// Reflector k on its own column, which was one of the identity's.
  TANDEM_FN void identity_column(int k) const {
    const S t = tau[k];
    const auto none = t == T(0);
    for (int i = k + 1 + lanes.first; i < m; i += lanes.threads) {
      S& x = lanes.at(i, k);
      x = none ? S{} : -t * x;
    }
    if (lanes.first == 0) lanes.at(k, k) = T(1) - t;
  }

  /// Reflector k on columns above k, from `from` to `to`.
  TANDEM_FN void turn(int k, int from, int to) const {
    const S t = tau[k];
    const int step = lanes.threads * L::kWide;
    int c = lanes.after(from - 1);
    for (; c + (L::kTogether - 1) * step < to; c += L::kTogether * step)
      turn_chunks<L::kTogether>(k, c, step, t);
    for (; c < to; c += step) turn_chunks<1>(k, c, step, t);
  }

  template <int N>
  TANDEM_FN void turn_chunks(int k, int c, int step, const S& t) const {
    const auto none = t == T(0);
    V sums[N];
    for (int j = 0; j < N; ++j) sums[j] = lanes.chunk(k, c + j * step);
    for (int i = k + 1; i < m; ++i) {
      const S v = lanes.at(i, k);
      for (int j = 0; j < N; ++j) lanes.add_product(sums[j], v, lanes.chunk(i, c + j * step));
    }
    for (int j = 0; j < N; ++j) {
      V& x = lanes.chunk(k, c + j * step);
      sums[j] = none ? V{} : t * sums[j];
      const V turned = x - sums[j];
      x = j == 0 ? lanes.keep(turned, x, c, k) : turned;
    }
    for (int i = k + 1; i < m; ++i) {
      const S v = -lanes.at(i, k);
      for (int j = 0; j < N; ++j) {
        V& x = lanes.chunk(i, c + j * step);
        V turned = x;
        lanes.add_product(turned, v, sums[j]);
        x = j == 0 ? lanes.keep(turned, x, c, k) : turned;
      }
    }
  }
};

}  // namespace tandem::fn
