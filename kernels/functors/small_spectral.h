// Eigenvalues of small symmetric matrices and singular values of small real ones by Jacobi's
// rotations, in a fixed order of operations. One text for a matrix of numbers, whose pairs of
// columns threads share (a device), and for a matrix of vectors, a matrix in each lane (the host):
// an element's operations are the same everywhere.
//
// Rotations: H. Rutishauser, "The Jacobi method for real symmetric matrices" (Handbook for
// Automatic Computation II, 1971). Pairs: the rounds of a tournament (R. P. Brent and F. T. Luk,
// 1985), whose rotations of one round touch no common column. Stopping: J. Demmel and K. Veselic,
// "Jacobi's method is more accurate than QR" (1992). Singular values: one-sided rotations of the
// transposed R of a QR with columns interchanged (Z. Drmac and K. Veselic, "New fast and accurate
// Jacobi SVD algorithm", 2008).
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

template <class T>
struct SpectralFormat;
template <>
struct SpectralFormat<float> {
  using Word = std::int32_t;
  static constexpr int kBits = 23, kBias = 127;
  static constexpr int kTop = 56;  // exponent of the greatest element while rotations work
  static constexpr float kLeast = 0x1p-99f;  // a sum of squares below has lost digits
};
template <>
struct SpectralFormat<double> {
  using Word = std::int64_t;
  static constexpr int kBits = 52, kBias = 1023;
  static constexpr int kTop = 500;
  static constexpr double kLeast = 0x1p-966;
};

/// A pair of columns, p < q.
struct SpectralPair {
  int p, q;
};

/// Two pairs k < l of a round and the places of the elements between them in an upper triangle:
/// between the first's p and q and the second's.
struct SpectralBlock {
  std::uint8_t k, l, pp, pq, qp, qq;
};

/// The rounds in which each of n columns meets each other one once. With odd n one is idle.
struct Tournament {
  int n, seats;  // seats: n, or n + 1 where that is even

  TANDEM_FN explicit constexpr Tournament(int count) : n(count), seats(count + count % 2) {}
  TANDEM_FN constexpr int rounds() const { return n > 1 ? seats - 1 : 0; }
  TANDEM_FN constexpr int pairs() const { return n / 2; }
  TANDEM_FN constexpr int idle(int round) const { return seats == n ? -1 : round; }
  TANDEM_FN constexpr SpectralPair pair(int round, int k) const {
    if (seats == n && k == 0) return {round, n - 1};
    const int away = seats == n ? k : k + 1;
    int p = round + away, q = round - away;
    if (p >= seats - 1) p -= seats - 1;
    if (q < 0) q += seats - 1;
    return p < q ? SpectralPair{p, q} : SpectralPair{q, p};
  }
  TANDEM_FN constexpr int blocks() const { return pairs() * (pairs() - 1) / 2; }
  /// Neighbours first, then pairs further apart, so that `pairs` consecutive ones have each pair
  /// twice.
  TANDEM_FN constexpr SpectralBlock block(int round, int b) const {
    const int one = b % pairs(), away = b / pairs() + 1;
    const int two = one + away < pairs() ? one + away : one + away - pairs();
    const int k = one < two ? one : two, l = one < two ? two : one;
    const SpectralPair x = pair(round, k), y = pair(round, l);
    return {static_cast<std::uint8_t>(k),
            static_cast<std::uint8_t>(l),
            place(x.p, y.p),
            place(x.p, y.q),
            place(x.q, y.p),
            place(x.q, y.q)};
  }
  TANDEM_FN constexpr std::uint8_t place(int i, int j) const {
    return static_cast<std::uint8_t>(i < j ? i * n + j : j * n + i);
  }
};

/// Sums of products: of the elements with equal i mod 4 apart, then those four by pairs.
template <class L>
struct QuarterSums {
  using V = typename L::V;
  static constexpr int kApart = 4;

  TANDEM_FN static V join(const V* c) { return (c[0] + c[1]) + (c[2] + c[3]); }
  /// Of x and y, elements from `from` on, which counts as i = 0.
  TANDEM_FN static V dot(const V* x, const V* y, int from, int to) {
    V c[kApart]{};
    int i = from;
    for (; i + kApart <= to; i += kApart) {
      for (int k = 0; k < kApart; ++k) c[k] = L::fused(x[i + k], y[i + k], c[k]);
    }
    for (int k = 0; k < kApart - 1; ++k) {
      if (i + k < to) c[k] = L::fused(x[i + k], y[i + k], c[k]);
    }
    return join(c);
  }
  TANDEM_FN static void dots(const V* x, const V* y, int n, V& xx, V& xy, V& yy) {
    V a[kApart]{}, b[kApart]{}, c[kApart]{};
    const auto add = [&](int i, int k) {
      a[k] = L::fused(x[i], x[i], a[k]);
      b[k] = L::fused(x[i], y[i], b[k]);
      c[k] = L::fused(y[i], y[i], c[k]);
    };
    int i = 0;
    for (; i + kApart <= n; i += kApart) {
      for (int k = 0; k < kApart; ++k) add(i + k, k);
    }
    for (int k = 0; k < kApart - 1; ++k) {
      if (i + k < n) add(i + k, k);
    }
    xx = join(a);
    xy = join(b);
    yy = join(c);
  }
};

/// Rotations, one a pair, and of one-sided ones the products that they come from.
template <class V>
struct SpectralTurns {
  V *s, *tau;
  V *pp, *pq, *qq;

  static constexpr int kArrays = 5;
  /// In room for kArrays * count.
  TANDEM_FN static SpectralTurns in(V* room, int count) {
    return {room, room + count, room + 2 * count, room + 3 * count, room + 4 * count};
  }
};

/// L says what a matrix is made of: V, its elements; I, integers of their width, one a lane; T,
/// numbers; Mask, what comparing gives; fused(a, b, c) = a b + c, root, absolute, rounded once;
///   first, step: the pairs, columns or elements of this thread; after(k): the first of its columns
///   beyond k; sync(): waits for the others;
///   block(t, round, b): that of the tournament; rotate(x, y, n, s, tau): n elements of each;
///   dot, dots: as QuarterSums has them; angles(first, count, step, tolerance, get, put): angle()
///   of those pairs, elements by get(k, a, b, c), to put(k, s, tau, shift, wanted); whether one is;
///   some(Mask): whether one of the lanes has it; any(Mask): or a thread that goes in step;
///   joint(Mask): for each lane or matrix, whether one of its threads has it.
template <class L>
struct Rotations {
  using V = typename L::V;
  using I = typename L::I;
  using T = typename L::T;
  using Mask = typename L::Mask;
  using Format = SpectralFormat<T>;
  using Word = typename Format::Word;
  static constexpr int kSweeps = 40;  // 5 to 8 are usual

  TANDEM_FN static V power(const I& exponent) {
    return __builtin_bit_cast(V, (exponent + Word(Format::kBias)) << Format::kBits);
  }
  /// 2^-k for x in [2^k, 2^(k + 1)); below the normal numbers 2^kBias.
  TANDEM_FN static V inverse_power(const V& x) {
    constexpr Word kExponent = Word(2 * Format::kBias + 1) << Format::kBits;
    constexpr Word kTwice = Word(2 * Format::kBias) << Format::kBits;
    return __builtin_bit_cast(V, (I{} + kTwice) - (__builtin_bit_cast(I, x) & kExponent));
  }
  /// A power of two near 1 / sqrt(x): x times its square is in [1, 4) where x is normal.
  TANDEM_FN static V inverse_root_power(const V& x) {
    const I exponent = (__builtin_bit_cast(I, x) >> Format::kBits) - Word(Format::kBias);
    return power(-(exponent >> 1));
  }
  TANDEM_FN static V greater(const V& x, const V& y) { return x > y ? x : y; }

  /// The rotation that makes the element b of [[a, b], [b, c]] 0, and what it adds to c and takes
  /// from a. `tolerance`: the square of |b| / sqrt(a c) from which it is made; below that nothing
  /// is done.
  TANDEM_FN static Mask angle(const V& a, const V& b, const V& c, T tolerance, V& s, V& tau,
                              V& shift) {
    const V zero{};
    const V size_a = L::absolute(a), size_b = L::absolute(b), size_c = L::absolute(c);
    const V unit = inverse_power(greater(greater(size_a, size_c), size_b));
    const V of_a = inverse_root_power(size_a), of_c = inverse_root_power(size_c);
    const V cosine = size_b * of_a * of_c;
    const Mask wanted =
        cosine * cosine > (size_a * of_a * of_a) * (size_c * of_c * of_c) * tolerance;
    const V gap = (c - a) * unit;
    const V twice = (b * unit) * T(2);
    const V distance = L::absolute(gap);
    const V square = twice * twice;
    const V far = distance + L::root(L::fused(distance, distance, square));
    const V hypotenuse = L::root(L::fused(far, far, square));
    const V towards = gap < zero ? -twice : twice;
    s = wanted ? towards / hypotenuse : zero;
    tau = wanted ? towards / (hypotenuse + far) : zero;
    shift = wanted ? towards / far * b : zero;
    return wanted;
  }
  /// Of the pairs first, first + step, ...
  template <class Get, class Put>
  TANDEM_FN static Mask angles(int first, int count, int step, T tolerance, const Get& get,
                               const Put& put) {
    Mask any{};
    for (int k = first; k < count; k += step) {
      V a, b, c, s, tau, shift;
      get(k, a, b, c);
      const Mask wanted = angle(a, b, c, tolerance, s, tau, shift);
      put(k, s, tau, shift, wanted);
      any = any | wanted;
    }
    return any;
  }

  /// x and y become x - s (y + tau x) and y + s (x - tau y).
  TANDEM_FN static void rotate(V& x, V& y, const V& s, const V& tau) {
    const V a = L::fused(tau, x, y), b = L::fused(-tau, y, x);
    x = L::fused(-s, a, x);
    y = L::fused(s, b, y);
  }

  /// Multiplies `count` elements by a power of two that makes the greatest near 2^kTop, whose
  /// exponent this returns. Where one is not finite all become 0.
  TANDEM_FN static I scale(const L& lanes, V* x, int count, Mask& bad) {
    // Of even and odd elements apart, which do not wait for each other.
    V greatest{}, other{}, spoilt{}, spoilt_other{};
    for (int e = 0; e < count; e += 2) {
      const V y = x[e + 1 < count ? e + 1 : e];
      spoilt = spoilt + (x[e] - x[e]);  // NaN from the first that is not finite
      spoilt_other = spoilt_other + (y - y);
      greatest = greater(L::absolute(x[e]), greatest);
      other = greater(L::absolute(y), other);
    }
    greatest = greater(other, greatest);
    spoilt = spoilt + spoilt_other;
    const V zero{};
    bad = spoilt != zero;
    greatest = bad ? zero : greatest;
    const Mask tiny = greatest < power(I{} + Word(1 - Format::kBias));
    const V normal = tiny ? greatest * power(I{} + Word(Format::kBits)) : greatest;
    const I exponent = (__builtin_bit_cast(I, normal) >> Format::kBits) - Word(Format::kBias);
    const I moved = tiny ? exponent - Word(Format::kBits) : exponent;
    const I by = (I{} + Word(Format::kTop)) - moved;
    lanes.sync();
    for (int e = lanes.first; e < count; e += lanes.step)
      x[e] = bad ? zero : x[e] * power(by >> 1) * power(by - (by >> 1));
    lanes.sync();
    return by;
  }
  /// From the scale back; 0 without a sign.
  TANDEM_FN static V original(const V& x, const I& by) {
    const V zero{};
    return x * power(-(by >> 1)) * power((by >> 1) - by) + zero;
  }
};

/// The eigenvalues of symmetric matrices, on the diagonal of a, and their vectors.
template <class L>
struct SmallEigh {
  using R = Rotations<L>;
  using V = typename L::V;
  using I = typename L::I;
  using T = typename L::T;
  using Mask = typename L::Mask;

  V* a;  // [n, n]: the upper triangle, 0 below it
  V* z;  // [n, n]: a vector a row, where wanted
  bool vectors;
  SpectralTurns<V> turn;  // [n / 2]
  int n;
  L lanes;

  /// scaled: the exponent of the scale. info: 0, or above 0 without convergence.
  TANDEM_FN void run(I& scaled, Mask& bad, I& info) const {
    scaled = R::scale(lanes, a, n * n, bad);
    for (int e = lanes.first; vectors && e < n * n; e += lanes.step)
      z[e] = V{} + T(e / n == e % n ? 1 : 0);
    const Tournament t(n);
    Mask moved{};
    for (int sweep = 0; sweep < R::kSweeps; ++sweep) {
      moved = Mask{};
      for (int round = 0; round < t.rounds(); ++round) {
        const Mask wanted = turns(t, round);
        moved = moved | wanted;
        lanes.sync();
        if (L::any(wanted)) apply(t, round);
        lanes.sync();
      }
      if (!L::any(moved)) break;
    }
    info = lanes.joint(moved) ? I{} + 1 : I{};
  }

  /// Of the eigenvalues: how many come before number j.
  TANDEM_FN I place(int j) const {
    const V own = a[j * n + j];
    I before{};
    for (int i = 0; i < n; ++i) {
      const V other = a[i * n + i];
      before += (other < own) ? I{} + 1 : I{};
      if (i < j) before += (other == own) ? I{} + 1 : I{};
    }
    return before;
  }

 private:
  TANDEM_FN V& at(int i, int j) const { return i < j ? a[i * n + j] : a[j * n + i]; }

  TANDEM_FN Mask turns(const Tournament& t, int round) const {
    constexpr T kUnit = T(1) / (T(2) * (typename R::Word(1) << R::Format::kBits));
    const auto get = [&](int k, V& pp, V& pq, V& qq) {
      const SpectralPair x = t.pair(round, k);
      pp = a[x.p * n + x.p];
      pq = a[x.p * n + x.q];
      qq = a[x.q * n + x.q];
    };
    const auto put = [&](int k, const V& s, const V& tau, const V& shift, const Mask& wanted) {
      const SpectralPair x = t.pair(round, k);
      a[x.p * n + x.p] = a[x.p * n + x.p] - shift;
      a[x.q * n + x.q] = a[x.q * n + x.q] + shift;
      a[x.p * n + x.q] = wanted ? V{} : a[x.p * n + x.q];
      turn.s[k] = s;
      turn.tau[k] = tau;
    };
    return L::angles(lanes.first, t.pairs(), lanes.step, kUnit * kUnit, get, put);
  }

  TANDEM_FN void apply(const Tournament& t, int round) const {
    for (int b = lanes.first; b < t.blocks(); b += lanes.step) turn_block(L::block(t, round, b));
    const int idle = t.idle(round);
    for (int k = lanes.first; k < t.pairs(); k += lanes.step) {
      const SpectralPair x = t.pair(round, k);
      if (idle >= 0) R::rotate(at(idle, x.p), at(idle, x.q), turn.s[k], turn.tau[k]);
      if (vectors) L::rotate(z + x.p * n, z + x.q * n, n, turn.s[k], turn.tau[k]);
    }
  }

  /// The rows of the first pair are turned, then the second's.
  TANDEM_FN void turn_block(const SpectralBlock& b) const {
    V pp = a[b.pp], pq = a[b.pq], qp = a[b.qp], qq = a[b.qq];
    R::rotate(pp, qp, turn.s[b.k], turn.tau[b.k]);
    R::rotate(pq, qq, turn.s[b.k], turn.tau[b.k]);
    R::rotate(pp, pq, turn.s[b.l], turn.tau[b.l]);
    R::rotate(qp, qq, turn.s[b.l], turn.tau[b.l]);
    a[b.pp] = pp;
    a[b.pq] = pq;
    a[b.qp] = qp;
    a[b.qq] = qq;
  }
};

/// Singular values of m x n matrices, m >= n, and their vectors.
template <class L>
struct SmallSvd {
  using R = Rotations<L>;
  using V = typename L::V;
  using I = typename L::I;
  using T = typename L::T;
  using Mask = typename L::Mask;

  V* a;  // [n, m]: the columns, one a row; then reflectors
  V* g;  // [n, n]: right vectors, one a row, by interchanged columns
  V* z;  // [left, m]: left vectors, one a row, where wanted
  bool vectors;
  V* size;                // [n]: singular values, scaled
  V* tau;                 // [n]
  SpectralTurns<V> turn;  // [n / 2]
  I* order;               // [n]: which column of the matrix is number j
  int m, n, left;
  L lanes;

  TANDEM_FN void run(I& scaled, Mask& bad, I& info) const {
    scaled = R::scale(lanes, a, m * n, bad);
    for (int k = 0; k < n; ++k) {
      choose(k);
      reflect(k);
    }
    for (int e = lanes.first; e < n * n; e += lanes.step)
      g[e] = e % n < e / n ? V{} : a[(e % n) * m + e / n];
    for (int e = lanes.first; vectors && e < left * m; e += lanes.step)
      z[e] = V{} + T(e / m == e % m ? 1 : 0);
    lanes.sync();
    info = orthogonalise();
    Mask lost{};
    for (int j = lanes.first; j < n; j += lanes.step) lost = lost | measure(j);
    lanes.sync();
    if (!vectors) return;
    if (L::any(lost)) complete();
    for (int j = lanes.first; j < left; j += lanes.step) expand(z + j * m);
    lanes.sync();
  }

  /// Of the singular values: how many come before number j.
  TANDEM_FN I place(int j) const {
    I before{};
    for (int i = 0; i < n; ++i) {
      before += (size[i] > size[j]) ? I{} + 1 : I{};
      if (i < j) before += (size[i] == size[j]) ? I{} + 1 : I{};
    }
    return before;
  }

 private:
  static constexpr T kEps = T(1) / (typename R::Word(1) << R::Format::kBits);

  /// The longest of the columns from k on, below row k, becomes number k.
  TANDEM_FN void choose(int k) const {
    if (k == 0) {
      for (int j = lanes.first; j < n; j += lanes.step) order[j] = I{} + j;
    }
    for (int j = lanes.after(k - 1); j < n; j += lanes.step)
      size[j] = L::dot(a + j * m, a + j * m, k, m);
    lanes.sync();
    V best = size[k];
    I p = I{} + k;
    for (int j = k + 1; j < n; ++j) {
      const Mask longer = size[j] > best;
      best = longer ? size[j] : best;
      p = longer ? I{} + j : p;
    }
    lanes.sync();
    for (int j = k + 1; j < n; ++j) {
      const Mask hit = p == (I{} + j);
      if (!L::some(hit)) continue;
      for (int i = lanes.first; i < m; i += lanes.step) exchange(hit, a[k * m + i], a[j * m + i]);
      if (lanes.first == 0) exchange(hit, order[k], order[j]);
    }
    lanes.sync();
  }
  template <class X>
  TANDEM_FN static void exchange(const Mask& hit, X& x, X& y) {
    const X kept = x;
    x = hit ? y : x;
    y = hit ? kept : y;
  }

  /// A Householder reflector of column k, as LAPACK's larfg has it, and what it does to the others.
  /// What is too short to be squared is left out.
  TANDEM_FN void reflect(int k) const {
    V* x = a + k * m;
    if (lanes.first == 0) {
      const V zero{}, one = V{} + T(1);
      const V alpha = x[k], rest = L::dot(x, x, k + 1, m);
      const V all = L::fused(alpha, alpha, rest);
      const Mask lost = all < zero + R::Format::kLeast;
      const Mask none = lost | (rest == zero);
      const V length = L::root(all);
      const V beta = alpha > zero ? -length : length;
      const V under = none ? one : alpha - beta;
      tau[k] = none ? zero : (beta - alpha) / beta;
      for (int i = k + 1; i < m; ++i) x[i] = none ? zero : x[i] / under;
      x[k] = lost ? zero : none ? alpha : beta;
    }
    lanes.sync();
    for (int j = lanes.after(k); j < n; j += lanes.step) mirror(a + j * m, k);
    lanes.sync();
  }
  TANDEM_FN void mirror(V* y, int k) const {
    const V* x = a + k * m;
    const V along = (y[k] + L::dot(x, y, k + 1, m)) * tau[k];
    y[k] = y[k] - along;
    for (int i = k + 1; i < m; ++i) y[i] = L::fused(-along, x[i], y[i]);
  }

  TANDEM_FN I orthogonalise() const {
    const Tournament t(n);
    const T tolerance = T(n) * kEps * kEps;
    Mask moved{};
    for (int sweep = 0; sweep < R::kSweeps; ++sweep) {
      moved = Mask{};
      for (int round = 0; round < t.rounds(); ++round) {
        moved = moved | meet(t, round, tolerance);
        lanes.sync();
      }
      if (!L::any(moved)) break;
    }
    return lanes.joint(moved) ? I{} + 1 : I{};
  }

  /// Pair after pair for each part of the work: those of one part do not wait for each other.
  TANDEM_FN Mask meet(const Tournament& t, int round, T tolerance) const {
    for (int k = lanes.first; k < t.pairs(); k += lanes.step) {
      const SpectralPair x = t.pair(round, k);
      const V *p = g + x.p * n, *q = g + x.q * n;
      V pp, pq, qq;
      L::dots(p, q, n, pp, pq, qq);
      const Mask lost = (pp < qq ? pp : qq) < V{} + R::Format::kLeast;
      turn.pp[k] = pp;
      turn.pq[k] = lost ? V{} : pq;
      turn.qq[k] = qq;
    }
    const auto get = [&](int k, V& pp, V& pq, V& qq) {
      pp = turn.pp[k];
      pq = turn.pq[k];
      qq = turn.qq[k];
    };
    const auto put = [&](int k, const V& sine, const V& half, const V&, const Mask&) {
      turn.s[k] = sine;
      turn.tau[k] = half;
    };
    const Mask any = L::angles(lanes.first, t.pairs(), lanes.step, tolerance, get, put);
    if (!L::some(any)) return any;
    for (int k = lanes.first; k < t.pairs(); k += lanes.step) {
      const SpectralPair x = t.pair(round, k);
      L::rotate(g + x.p * n, g + x.q * n, n, turn.s[k], turn.tau[k]);
      if (vectors) L::rotate(z + x.p * m, z + x.q * m, n, turn.s[k], turn.tau[k]);
    }
    return any;
  }

  /// The length of column j, which gets length 1; or 0 where it has none, which this tells.
  TANDEM_FN Mask measure(int j) const {
    V* x = g + j * n;
    const V square = L::dot(x, x, 0, n);
    const V length = L::root(square);
    const Mask lost = square < V{} + R::Format::kLeast;
    size[j] = length;
    const V inverse = V{} + T(1);
    const V by = lost ? V{} : inverse / (lost ? inverse : length);
    for (int i = 0; vectors && i < n; ++i) x[i] = x[i] * by;
    return lost;
  }

  /// Rows of g that are 0 become unit vectors orthogonal to the others: from the axis that the
  /// others have least of, twice made orthogonal.
  TANDEM_FN void complete() const {
    if (lanes.first == 0) {
      for (int j = 0; j < n; ++j) {
        const Mask lost = L::dot(g + j * n, g + j * n, 0, n) == V{};
        if (L::some(lost)) complete(j, lost);
      }
    }
    lanes.sync();
  }
  TANDEM_FN void complete(int j, const Mask& lost) const {
    V least_part{};
    I axis{};
    for (int i = 0; i < n; ++i) {
      V part{};
      for (int c = 0; c < n; ++c) part = L::fused(g[c * n + i], g[c * n + i], part);
      const Mask less = part < least_part;
      least_part = i == 0 ? part : less ? part : least_part;
      axis = i == 0 ? axis : less ? I{} + i : axis;
    }
    V* x = g + j * n;
    for (int i = 0; i < n; ++i) x[i] = lost ? ((axis == (I{} + i)) ? V{} + T(1) : V{}) : x[i];
    for (int round = 0; round < 2; ++round) {
      for (int c = 0; c < n; ++c) {
        if (c == j) continue;
        const V along = lost ? L::dot(x, g + c * n, 0, n) : V{};
        for (int i = 0; i < n; ++i) x[i] = L::fused(-along, g[c * n + i], x[i]);
      }
      const V length = lost ? L::root(L::dot(x, x, 0, n)) : V{} + T(1);
      for (int i = 0; i < n; ++i) x[i] = x[i] / length;
    }
  }

  /// Q times a vector of R's rows.
  TANDEM_FN void expand(V* x) const {
    for (int k = n - 1; k >= 0; --k) mirror(x, k);
  }
};

}  // namespace tandem::fn
