// Factorisations of small matrices, real and complex, in a fixed order of operations: right-looking
// elimination with partial pivoting (the first of the greatest, as LAPACK has it), back
// substitution, Cholesky. One text for a matrix of numbers, whose columns threads share (a device),
// and for a matrix of vectors, a matrix in each lane (the host): an element's operations are the
// same everywhere.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

// Elements below are S, a number or a vector of them, or Complex<S>; `lanes` is an L of
// SmallMatrix.

/// sum + a b: each part by fused multiply-adds, that with the real part of a first.
template <class L, class S>
TANDEM_FN void add_product(const L& lanes, S& sum, const S& a, const S& b) {
  lanes.add_product(sum, a, b);
}
template <class L, class S>
TANDEM_FN void add_product(const L& lanes, Complex<S>& sum, const Complex<S>& a,
                           const Complex<S>& b) {
  const S minus = -a.im;
  const Complex<S> x = b;
  S re = sum.re, im = sum.im;
  lanes.add_product(re, a.re, x.re);
  lanes.add_product(im, a.re, x.im);
  lanes.add_product(re, minus, x.im);
  lanes.add_product(im, a.im, x.re);
  sum = {re, im};
}

/// |x|, and of complex numbers |re| + |im|: what LAPACK takes for the greatest.
template <class L, class S>
TANDEM_FN void size_of(const L& lanes, const S& x, S& size) {
  lanes.absolute(x, size);
}
template <class L, class S>
TANDEM_FN void size_of(const L& lanes, const Complex<S>& x, S& size) {
  S im;
  lanes.absolute(x.re, size);
  lanes.absolute(x.im, im);
  size = size + im;
}

/// x where the condition holds, y elsewhere.
template <class Condition, class S>
TANDEM_FN void choose(const Condition& c, S& x, const S& y) {
  x = c ? x : y;
}
template <class Condition, class S>
TANDEM_FN void choose(const Condition& c, Complex<S>& x, const Complex<S>& y) {
  x.re = c ? x.re : y.re;
  x.im = c ? x.im : y.im;
}

template <class S>
TANDEM_FN S turned_sign(const S& x) {
  return -x;
}
template <class S>
TANDEM_FN Complex<S> turned_sign(const Complex<S>& x) {
  return {-x.re, -x.im};
}
template <class S>
TANDEM_FN Complex<S> conjugate(const Complex<S>& x) {
  return {x.re, -x.im};
}
template <class S>
TANDEM_FN S conjugate(const S& x) {
  return x;
}

/// Note [Quotients of complex numbers]: x / y by Smith's way (R. L. Smith, "Algorithm 116: Complex
/// division", Comm. ACM 5, 1962), of which the part that y alone decides is done once:
///   1. where |im y| > |re y|, x and y are multiplied by -i;
///   2. where |re y| is now 1 or more, x and y are divided by 4; where it is below 2^-64 (of
///      float; 2^-512 of double), they are multiplied by the reciprocal of that;
///   3. r = im y / re y, d = fma(im y, r, re y);
///   4. re = fma(im x, r, re x) / d, im = fma(-re x, r, im x) / d.
/// Step 2 is exact until x becomes subnormal, where an error of two of the least numbers is left in
/// a quotient. d does not overflow, nor lose digits; the sums of step 4 overflow only where |x|
/// does not fit, or the quotient is within a factor of 4 of that.
template <class L, class S>
struct Divisor {
  S y;
  TANDEM_FN Divisor(const L&, const S& divisor) : y(divisor) {}
  TANDEM_FN void divide(const L&, S& x) const { x = x / y; }
};
template <class L, class S>
struct Divisor<L, Complex<S>> {
  using R = typename L::R;
  static constexpr R kHuge = sizeof(R) == 4 ? R(0x1p64) : R(0x1p512);

  decltype(S{} > S{}) turned;
  S scale, ratio, d;

  TANDEM_FN Divisor(const L& lanes, const Complex<S>& y) {
    S re, im;
    lanes.absolute(y.re, re);
    lanes.absolute(y.im, im);
    turned = im > re;
    const S size = turned ? im : re;
    scale = size >= S{} + R(1) ? S{} + R(0.25) : S{} + R(1);
    scale = size < S{} + R(1) / kHuge ? S{} + kHuge : scale;
    d = (turned ? y.im : y.re) * scale;
    const S other = (turned ? -y.re : y.im) * scale;
    ratio = other / d;
    lanes.add_product(d, other, ratio);
  }
  TANDEM_FN void divide(const L& lanes, Complex<S>& x) const {
    const S re = (turned ? x.im : x.re) * scale;
    const S im = (turned ? -x.re : x.im) * scale;
    const S minus = -re;
    x = {re, im};
    lanes.add_product(x.re, im, ratio);
    lanes.add_product(x.im, minus, ratio);
    x = {x.re / d, x.im / d};
  }
};

/// L says what a matrix is made of: V, its elements; I, indices of rows, one a lane; T, numbers; R,
/// their parts; on parts, real_t<V>:
///   absolute, root, add_product(sum, a, b), rounded once;
///   first, step: the columns of this thread; sync(): waits for the others;
///   add_row(V* to, const V* from, factor, columns a to b): from times factor to its own columns;
///   kByRows: whether rows are the faster way through a matrix, where there is a choice;
///   kBeside: columns beside each other that it takes at once, where `step` is 1;
///   kLines: whether it has divide_column and divide_row, of more than one element at a time;
///   swap_rows(V* a, n, columns, k, p): rows k and p of the columns of this thread, p >= k.
template <class L>
struct SmallMatrix {
  using V = typename L::V;
  using I = typename L::I;
  using S = real_t<V>;

  V* elements;  // [n, columns] by rows
  int n, columns;
  L lanes;

  TANDEM_FN V& at(int i, int c) const { return elements[i * columns + c]; }

  /// P A = L U in the first n columns, and what that does to the others: L^-1 P B. keep(k, p): row
  /// k was interchanged with row p. info: 0, or the first place (from 1) of a zero on U's diagonal.
  template <class Keep>
  TANDEM_FN void eliminate(I& info, Keep&& keep) const {
    const S zero{};
    info = I{};
    for (int k = 0; k < n; ++k) {
      S best;
      size_of(lanes, at(k, k), best);
      I p = I{} + k;
      for (int i = k + 1; i < n; ++i) {
        S size;
        size_of(lanes, at(i, k), size);
        const auto bigger = size > best;
        best = bigger ? size : best;
        p = bigger ? I{} + i : p;
      }
      const auto none = best == zero;
      info = (info == 0) ? (none ? I{} + (k + 1) : info) : info;
      keep(k, p);
      lanes.sync();
      lanes.swap_rows(elements, n, columns, k, p);
      lanes.sync();
      if (k % lanes.step == lanes.first || lanes.step == 1) divide_below(k, none);
      lanes.sync();
      for (int i = k + 1; i < n; ++i) {
        const V factor = turned_sign(at(i, k));
        lanes.add_row(&at(i, 0), &at(k, 0), factor, k + 1, columns);
      }
      lanes.sync();
    }
  }

  /// The columns from n on become U^-1 times themselves.
  TANDEM_FN void substitute() const {
    for (int i = n - 1; i >= 0; --i) {
      const Divisor<L, V> divisor(lanes, at(i, i));
      if constexpr (L::kByRows) {
        for (int j = i + 1; j < n; ++j)
          lanes.add_row(&at(i, 0), &at(j, 0), turned_sign(at(i, j)), n, columns);
        if constexpr (L::kLines) {
          lanes.divide_row(&at(i, n), columns - n, divisor);
        } else {
          for (int c = n; c < columns; ++c) divisor.divide(lanes, at(i, c));
        }
      } else {
        int c = lanes.after(n - 1);
        for (; L::kBeside > 1 && c + L::kBeside <= columns; c += L::kBeside)
          substitute_columns<L::kBeside>(i, c, divisor);
        for (; c < columns; c += lanes.step) substitute_columns<1>(i, c, divisor);
      }
    }
  }

  /// The product of U's diagonal, with `sign` times its first element; of complex numbers one
  /// rounded product and one fused sum a part.
  TANDEM_FN V diagonal_product(const S& sign) const {
    if constexpr (same_v<V, S>) {
      V product = sign;
      for (int k = 0; k < n; ++k) product = product * at(k, k);
      return product;
    } else {
      V product = {sign * at(0, 0).re, sign * at(0, 0).im};
      for (int k = 1; k < n; ++k) {
        const V x = at(k, k);
        const S minus = -product.im;
        V next = {product.re * x.re, product.re * x.im};
        lanes.add_product(next.re, minus, x.im);
        lanes.add_product(next.im, product.im, x.re);
        product = next;
      }
      return product;
    }
  }

  /// L of A = L L^H in the lower triangle, which alone is read, of the diagonal the real parts;
  /// with kByRows L^T in the upper one. info: 0, or the order of the first minor that is not
  /// positive.
  TANDEM_FN void cholesky(I& info) const {
    const S zero{};
    info = I{};
    for (int k = 0; k < n; ++k) {
      const S square = real_part(at(k, k));
      info = (info == 0) ? ((square > zero) ? info : I{} + (k + 1)) : info;
      lanes.sync();
      if (k % lanes.step == lanes.first || lanes.step == 1) {
        S root;
        lanes.root(square, root);
        at(k, k) = from_real(root);
        for (int i = k + 1; i < n; ++i) divide_by_real(below(i, k), root);
      }
      lanes.sync();
      for (int c = lanes.after(k); c < n; c += lanes.step) {
        const V factor = turned_sign(conjugate(below(c, k)));
        if constexpr (L::kByRows) {
          lanes.add_row(&at(c, 0), &at(k, 0), factor, c, n);
        } else {
          for (int i = c; i < n; ++i) add_product(lanes, at(i, c), factor, at(i, k));
        }
      }
      lanes.sync();
    }
  }

 private:
  /// Element (i, k) of Cholesky's factor.
  TANDEM_FN V& below(int i, int k) const { return L::kByRows ? at(k, i) : at(i, k); }

  /// Row i of the solution in a few columns: sums that do not wait for each other.
  template <int Count>
  TANDEM_FN void substitute_columns(int i, int c, const Divisor<L, V>& divisor) const {
    V x[Count];
    for (int w = 0; w < Count; ++w) x[w] = at(i, c + w);
    for (int j = i + 1; j < n; ++j) {
      const V factor = turned_sign(at(i, j));
      for (int w = 0; w < Count; ++w) add_product(lanes, x[w], factor, at(j, c + w));
    }
    for (int w = 0; w < Count; ++w) {
      divisor.divide(lanes, x[w]);
      at(i, c + w) = x[w];
    }
  }

  /// Column k below the diagonal by the diagonal's element, but where there is none.
  template <class None>
  TANDEM_FN void divide_below(int k, const None& none) const {
    if constexpr (same_v<V, S>) {
      for (int i = k + 1; i < n; ++i) at(i, k) = none ? at(i, k) : at(i, k) / at(k, k);
    } else {
      const Divisor<L, V> divisor(lanes, at(k, k));
      if constexpr (L::kLines) {
        if (!none && k + 1 < n) lanes.divide_column(&at(k + 1, k), n - k - 1, columns, divisor);
      } else {
        for (int i = k + 1; i < n; ++i) {
          V x = at(i, k);
          divisor.divide(lanes, x);
          choose(none, at(i, k), x);
        }
      }
    }
  }

  TANDEM_FN static S real_part(const V& x) {
    if constexpr (same_v<V, S>) {
      return x;
    } else {
      return x.re;
    }
  }
  TANDEM_FN static V from_real(const S& x) {
    if constexpr (same_v<V, S>) {
      return x;
    } else {
      return {x, S{}};
    }
  }
  TANDEM_FN static void divide_by_real(V& x, const S& y) {
    if constexpr (same_v<V, S>) {
      x = x / y;
    } else {
      x = {x.re / y, x.im / y};
    }
  }
};

}  // namespace tandem::fn
