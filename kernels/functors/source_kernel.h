// What the sources of users' own elementwise kernels are compiled with (runtime/source): the ops of
// the table under their names, with the table's bits, and the loop over a launch. Like fn.h it
// includes nothing of a standard library, for NVRTC.
#pragma once

#include "kernels/functors/activation.h"
#include "kernels/functors/binary.h"
#include "kernels/functors/ternary.h"
#include "kernels/functors/unary.h"
#include "tandem/fn.h"
#include "tandem/stored.h"

namespace tandem {

inline constexpr int kSourceRank = 32;     // kMaxRank
inline constexpr int kSourceOperands = 6;  // kMaxOperands: the output and the inputs
inline constexpr int kSourceNumbers = 8;

struct SourceOperand {
  char* data;
  std::int64_t strides[kSourceRank];  // bytes
};

/// A number in each form that an element may take.
struct SourceNumber {
  double re, im;
  std::int64_t i;
};

/// One launch; the output is operand 0.
struct SourceArgs {
  std::int64_t numel;
  std::int64_t shape[kSourceRank];  // outermost first
  SourceOperand operands[kSourceOperands];
  SourceNumber numbers[kSourceNumbers];
  std::int32_t rank;
};

// Complex elements and real numbers, as C++ programs write them.
#define TANDEM_MIXED(op)                                                   \
  template <class R, class B>                                              \
  requires(!fn::is_complex_v<B> && !fn::is_half_v<B>) TANDEM_FN Complex<R> \
  operator op(Complex<R> a, B b) { return a op fn::cast<Complex<R>>(b); }  \
  template <class A, class R>                                              \
  requires(!fn::is_complex_v<A> && !fn::is_half_v<A>) TANDEM_FN Complex<R> \
  operator op(A a, Complex<R> b) { return fn::cast<Complex<R>>(a) op b; }
TANDEM_MIXED(+)
TANDEM_MIXED(-)
TANDEM_MIXED(*)
TANDEM_MIXED(/)
#undef TANDEM_MIXED

template <class T>
TANDEM_FN T source_number(const SourceNumber& n) {
  if constexpr (fn::is_complex_v<T>) {
    return T{static_cast<fn::real_t<T>>(n.re), static_cast<fn::real_t<T>>(n.im)};
  } else if constexpr (fn::is_bool_v<T>) {
    return n.i != 0;
  } else if constexpr (fn::is_int_v<T>) {
    return static_cast<T>(n.i);
  } else {
    return static_cast<T>(n.re);
  }
}

/// Byte offsets of element i of the first `rank` dimensions in N operands.
template <int N>
TANDEM_FN void source_offsets(const SourceArgs& a, std::int64_t i, int rank, std::int64_t* at) {
  for (int k = 0; k < N; ++k) at[k] = 0;
  auto rest = static_cast<std::uint64_t>(i);
  for (int d = rank - 1; d >= 0; --d) {
    const auto n = static_cast<std::uint64_t>(a.shape[d]);
    // Most launches need no division of 64 bits, which is slow on a GPU.
    const std::uint64_t quotient =
        (rest | n) >> 32 == 0
            ? std::uint64_t(static_cast<std::uint32_t>(rest) / static_cast<std::uint32_t>(n))
            : rest / n;
    const auto index = static_cast<std::int64_t>(rest - quotient * n);
    for (int k = 0; k < N; ++k) at[k] += index * a.operands[k].strides[d];
    rest = quotient;
  }
}

namespace fn::source_ops {

/// Of two arguments of an op: C++'s common type; complex wins.
template <class A, class B>
struct Common {
  using type = decltype(A() + B());
};
template <class A>
struct Common<A, A> {
  using type = A;
};
template <class R, class B>
struct Common<Complex<R>, B> {
  using type = Complex<R>;
};
template <class A, class R>
struct Common<A, Complex<R>> {
  using type = Complex<R>;
};
template <class R>
struct Common<Complex<R>, Complex<R>> {
  using type = Complex<R>;
};
template <class A, class B>
using common_t = typename Common<A, B>::type;

#define TANDEM_UNARY(name, functor, ...) \
  template <class T>                     \
  TANDEM_FN auto name(T x) {             \
    return functor{}(x);                 \
  }
#include "tandem/ops/unary.def"

#define TANDEM_BINARY(name, functor, ...)                               \
  template <class A, class B>                                           \
  TANDEM_FN auto name(A x, B y) {                                       \
    return functor{}(cast<common_t<A, B>>(x), cast<common_t<A, B>>(y)); \
  }
#include "tandem/ops/binary.def"

/// Ops of three and four inputs compute in the type of the first number.
template <class T, class A, class B>
TANDEM_FN T where_(bool condition, A x, B y) {
  return condition ? cast<T>(x) : cast<T>(y);
}
template <class A, class B>
TANDEM_FN auto where(bool condition, A x, B y) {
  return where_<common_t<A, B>>(condition, x, y);
}
template <class T, class A, class B>
TANDEM_FN T clamp(T x, A low, B high) {
  return Clamp{}(x, cast<T>(low), cast<T>(high));
}
template <class T, class A, class B>
TANDEM_FN T lerp(T x, A end, B weight) {
  return Lerp{}(x, cast<T>(end), cast<T>(weight));
}
template <class A, class B>
TANDEM_FN auto max(A x, B y) {
  return maximum(x, y);
}
template <class A, class B>
TANDEM_FN auto min(A x, B y) {
  return minimum(x, y);
}

}  // namespace fn::source_ops
}  // namespace tandem
