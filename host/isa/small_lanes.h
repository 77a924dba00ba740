// What the shared functor of small matrices works on at one SIMD level: a matrix in each lane of
// vectors, or one matrix whose rows are vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "host/isa/wide.h"
#include "host/registry.h"
#include "kernels/functors/small_matrix.h"
#include "tandem/backend/linalg.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Vectors of this file are not passed between functions of different levels.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace TANDEM_ISA_NAMESPACE {

template <class R>
struct LaneVector {
  using type __attribute__((vector_size(kWideBytes))) = R;
};

/// A matrix in each lane; of complex numbers the parts are vectors of their own.
template <class E>
struct ManyLanes {
  using T = E;
  using R = fn::real_t<E>;
  static constexpr bool kComplex = fn::is_complex_v<E>;
  using S = typename LaneVector<R>::type;
  using V = std::conditional_t<kComplex, Complex<S>, S>;
  using Word = std::conditional_t<sizeof(R) == 4, std::int32_t, std::int64_t>;
  using I = typename LaneVector<Word>::type;
  static constexpr int kLanes = kWideBytes / static_cast<int>(sizeof(R)), kWide = 1;
  static constexpr int kParts = kComplex ? 2 : 1;
  static constexpr int first = 0, step = 1, kBeside = 4;
  static constexpr bool kByRows = false, kLines = false;

  TANDEM_FN static int after(int k) { return k + 1; }
  TANDEM_FN static void sync() {}
  TANDEM_FN static void absolute(const S& x, S& y) {
    // Without the sign's bit.
    I word;
    __builtin_memcpy(&word, &x, sizeof word);
    constexpr Word kSign = std::numeric_limits<Word>::min();
    word &= ~(I{} + kSign);
    __builtin_memcpy(&y, &word, sizeof y);
  }
  TANDEM_FN static void root(const S& x, S& y) {
    for (int l = 0; l < kLanes; ++l) y[l] = std::sqrt(x[l]);
  }
  TANDEM_FN static void add_product(S& sum, const S& a, const S& b) { fused_add<R>(a, b, sum); }

  TANDEM_FN static void add_row(V* to, const V* from, const V& factor, int a, int b) {
    for (int c = a; c < b; ++c) fn::add_product(ManyLanes(), to[c], factor, from[c]);
  }

  /// Short columns by selects, long ones lane by lane: the first are as many as rows and columns,
  /// the second as columns alone.
  TANDEM_FN static void swap_rows(V* matrix, int n, int elements, int k, const I& p) {
    S* a = reinterpret_cast<S*>(matrix);
    const int columns = elements * kParts;
    const I moved = p != (I{} + k);
    Word any = 0;
    for (int l = 0; l < kLanes; ++l) any |= moved[l];
    if (any == 0) return;
    constexpr int kShort = 8;
    if (n - k <= kShort) {
      for (int i = k + 1; i < n; ++i) {
        const I hit = p == (I{} + i);
        for (int c = 0; c < columns; ++c) {
          S& upper = a[k * columns + c];
          S& lower = a[i * columns + c];
          const S kept = upper;
          upper = hit ? lower : upper;
          lower = hit ? kept : lower;
        }
      }
      return;
    }
    R* numbers = reinterpret_cast<R*>(a);
    for (int l = 0; l < kLanes; ++l) {
      if (p[l] == k) continue;
      R* upper = numbers + std::int64_t(k) * columns * kLanes + l;
      R* lower = numbers + std::int64_t(p[l]) * columns * kLanes + l;
      for (int c = 0; c < columns; ++c) std::swap(upper[c * kLanes], lower[c * kLanes]);
    }
  }

  template <class Vector>
  TANDEM_FN static auto lane(const Vector& x, int l) {
    return x[l];
  }
  /// Element `lane` of a[at].
  TANDEM_FN static E get(const V* a, int at, int lane) {
    const R* numbers = reinterpret_cast<const R*>(a);
    if constexpr (kComplex) {
      return {numbers[2 * at * kLanes + lane], numbers[(2 * at + 1) * kLanes + lane]};
    } else {
      return numbers[at * kLanes + lane];
    }
  }
  TANDEM_FN static void put(V* a, int at, int lane, const E& x) {
    R* numbers = reinterpret_cast<R*>(a);
    if constexpr (kComplex) {
      numbers[2 * at * kLanes + lane] = x.re;
      numbers[(2 * at + 1) * kLanes + lane] = x.im;
    } else {
      numbers[at * kLanes + lane] = x;
    }
  }
};

/// One matrix, whose rows are vectors: as many columns as fill them. Parts of complex numbers lie
/// beside each other.
template <class E>
struct OneLane {
  using T = E;
  using R = fn::real_t<E>;
  using S = R;
  using V = E;
  using I = std::int32_t;
  using Many = ManyLanes<R>;
  using Vector = typename Many::V;
  using Places = typename Many::I;
  static constexpr bool kComplex = fn::is_complex_v<E>;
  static constexpr int kParts = kComplex ? 2 : 1;
  static constexpr int kLanes = 1, kWide = Many::kLanes / kParts;  // columns come in so many
  static constexpr int first = 0, step = 1;
  static constexpr bool kByRows = true, kLines = kComplex;

  TANDEM_FN static int after(int k) { return k + 1; }
  TANDEM_FN static void sync() {}
  TANDEM_FN static void absolute(R x, R& y) { y = std::abs(x); }
  TANDEM_FN static void root(R x, R& y) { y = std::sqrt(x); }
  TANDEM_FN static void add_product(R& sum, R a, R b) { sum = fn::fma(a, b, sum); }
  /// Whole vectors, the first with what lies before a as it was, the last into the room behind b.
  TANDEM_FN static void add_row(E* to, const E* from, const E& factor, int a, int b) {
    Vector by, by_im;
    if constexpr (kComplex) {
      by = factor.re - Vector{};
      alternate(-factor.im, factor.im, by_im);
    } else {
      by = factor - Vector{};
    }
    const auto sum_at = [&](int c) {
      Vector x, y;
      __builtin_memcpy(&x, from + c, sizeof x);
      __builtin_memcpy(&y, to + c, sizeof y);
      Vector sum = y;
      Many::add_product(sum, by, x);
      if constexpr (kComplex) {
        swap_parts(x);
        Many::add_product(sum, by_im, x);
      }
      return std::pair(sum, y);
    };
    int c = a / kWide * kWide;
    if (c != a) {
      const auto [sum, before] = sum_at(c);
      Places place;
      for (int l = 0; l < kWide * kParts; ++l) place[l] = l;
      const Vector mixed = place >= Places{} + (a - c) * kParts ? sum : before;
      __builtin_memcpy(to + c, &mixed, sizeof mixed);
      c += kWide;
    }
    for (; c < b; c += kWide) {
      const Vector sum = sum_at(c).first;
      __builtin_memcpy(to + c, &sum, sizeof sum);
    }
  }
  /// Complex numbers beside each other by the same one.
  template <class Divisor>
  TANDEM_FN static void divide_row(E* x, int count, const Divisor& divisor) {
    Vector ratio, sign;
    alternate(divisor.ratio, -divisor.ratio, ratio);
    alternate(R(1), R(-1), sign);
    const Vector scale = divisor.scale - Vector{}, d = divisor.d - Vector{};
    for (int c = 0; c < count; c += kWide) {
      const std::size_t bytes = sizeof(E) * static_cast<std::size_t>(std::min(kWide, count - c));
      Vector z{};
      __builtin_memcpy(&z, x + c, bytes);
      z *= scale;
      if (divisor.turned) {
        swap_parts(z);
        z *= sign;
      }
      Vector sum = z;
      swap_parts(z);
      Many::add_product(sum, z, ratio);
      sum /= d;
      __builtin_memcpy(x + c, &sum, bytes);
    }
  }
  template <class Divisor>
  TANDEM_FN static void divide_column(E* x, int count, int pitch, const Divisor& divisor) {
    E line[SmallLaunch::kMost];
    for (int i = 0; i < count; ++i) line[i] = x[i * pitch];
    divide_row(line, count, divisor);
    for (int i = 0; i < count; ++i) x[i * pitch] = line[i];
  }
  TANDEM_FN static void swap_rows(E* a, int, int columns, int k, int p) {
    if (p != k) std::swap_ranges(a + k * columns, a + (k + 1) * columns, a + p * columns);
  }
  template <class Number>
  TANDEM_FN static Number lane(Number x, int) {
    return x;
  }
  TANDEM_FN static E get(const E* a, int at, int) { return a[at]; }
  TANDEM_FN static void put(E* a, int at, int, const E& x) { a[at] = x; }

 private:
  TANDEM_FN static void alternate(R even, R odd, Vector& x) {
    for (int l = 0; l < Many::kLanes; ++l) x[l] = l % 2 == 0 ? even : odd;
  }
  TANDEM_FN static void swap_parts(Vector& x) {
    swap_parts(x, std::make_integer_sequence<int, Many::kLanes>());
  }
  template <int... L>
  TANDEM_FN static void swap_parts(Vector& x, std::integer_sequence<int, L...>) {
    x = __builtin_shufflevector(x, x, (L ^ 1)...);
  }
};

}  // namespace TANDEM_ISA_NAMESPACE
