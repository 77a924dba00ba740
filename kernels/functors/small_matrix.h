// Factorisations of small real matrices, in a fixed order of operations: right-looking elimination
// with partial pivoting (the first of the greatest, as LAPACK has it), back substitution, Cholesky.
// One text for a matrix of numbers, whose columns threads share (a device), and for a matrix of
// vectors, a matrix in each lane (the host): an element's operations are the same everywhere.
#pragma once

#include "tandem/fn.h"

namespace tandem::fn {

/// L says what a matrix is made of: V, its elements; I, indices of rows, one a lane; T, numbers;
///   spread(T); absolute, root, add_product(V& sum, a, b), rounded once;
///   first, step: the columns of this thread; sync(): waits for the others;
///   add_row(V* to, const V* from, factor, columns a to b): from times factor to its own columns;
///   kByRows: whether rows are the faster way through a matrix, where there is a choice;
///   swap_rows(V* a, n, columns, k, p): rows k and p of the columns of this thread, p >= k.
template <class L>
struct SmallMatrix {
  using V = typename L::V;
  using I = typename L::I;

  V* elements;  // [n, columns] by rows
  int n, columns;
  L lanes;

  TANDEM_FN V& at(int i, int c) const { return elements[i * columns + c]; }

  /// P A = L U in the first n columns, and what that does to the others: L^-1 P B. keep(k, p): row
  /// k was interchanged with row p. info: 0, or the first place (from 1) of a zero on U's diagonal.
  template <class Keep>
  TANDEM_FN void eliminate(I& info, Keep&& keep) const {
    const V zero{};
    info = I{};
    for (int k = 0; k < n; ++k) {
      V best;
      lanes.absolute(at(k, k), best);
      I p = I{} + k;
      for (int i = k + 1; i < n; ++i) {
        V size;
        lanes.absolute(at(i, k), size);
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
      if (k % lanes.step == lanes.first || lanes.step == 1) {
        for (int i = k + 1; i < n; ++i) at(i, k) = none ? at(i, k) : at(i, k) / at(k, k);
      }
      lanes.sync();
      for (int i = k + 1; i < n; ++i) {
        const V factor = -at(i, k);
        lanes.add_row(&at(i, 0), &at(k, 0), factor, k + 1, columns);
      }
      lanes.sync();
    }
  }

  /// The columns from n on become U^-1 times themselves.
  TANDEM_FN void substitute() const {
    for (int i = n - 1; i >= 0; --i) {
      if constexpr (L::kByRows) {
        for (int j = i + 1; j < n; ++j) lanes.add_row(&at(i, 0), &at(j, 0), -at(i, j), n, columns);
        for (int c = n; c < columns; ++c) at(i, c) = at(i, c) / at(i, i);
      } else {
        for (int c = lanes.after(n - 1); c < columns; c += lanes.step) {
          V x = at(i, c);
          for (int j = i + 1; j < n; ++j) {
            const V factor = -at(i, j);
            lanes.add_product(x, factor, at(j, c));
          }
          at(i, c) = x / at(i, i);
        }
      }
    }
  }

  /// The product of U's diagonal, with `sign` in front.
  TANDEM_FN V diagonal_product(const V& sign) const {
    V product = sign;
    for (int k = 0; k < n; ++k) product = product * at(k, k);
    return product;
  }

  /// L of A = L L^T in the lower triangle, which alone is read; with kByRows L^T in the upper one.
  /// info: 0, or the order of the first minor that is not positive.
  TANDEM_FN void cholesky(I& info) const {
    const V zero{};
    info = I{};
    for (int k = 0; k < n; ++k) {
      const V square = at(k, k);
      info = (info == 0) ? ((square > zero) ? info : I{} + (k + 1)) : info;
      lanes.sync();
      if (k % lanes.step == lanes.first || lanes.step == 1) {
        V root;
        lanes.root(square, root);
        at(k, k) = root;
        for (int i = k + 1; i < n; ++i) below(i, k) = below(i, k) / root;
      }
      lanes.sync();
      for (int c = lanes.after(k); c < n; c += lanes.step) {
        const V factor = -below(c, k);
        if constexpr (L::kByRows) {
          lanes.add_row(&at(c, 0), &at(k, 0), factor, c, n);
        } else {
          for (int i = c; i < n; ++i) lanes.add_product(at(i, c), factor, at(i, k));
        }
      }
      lanes.sync();
    }
  }

 private:
  /// Element (i, k) of Cholesky's factor.
  TANDEM_FN V& below(int i, int k) const { return L::kByRows ? at(k, i) : at(i, k); }
};

}  // namespace tandem::fn
