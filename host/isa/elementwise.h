// The loops of elementwise functors, for one SIMD level.
#pragma once

#include "host/isa/element.h"
#include "kernels/functors/ternary.h"
#include "tandem/dtype.h"

namespace TANDEM_ISA_NAMESPACE {

template <class F, class T>
void loop1(char* const* p, std::int64_t n) {
  using R = decltype(F()(T()));
  auto* out = reinterpret_cast<Element<R>*>(p[0]);
  const auto* a = reinterpret_cast<const Element<T>*>(p[1]);
  // ivdep: out may be a itself, never a shifted overlap (the funnel sees to it).
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) out[i] = F()(value_of<T>(a[i]));
}

/// For functors with a fast part: a block in which no element needs the slow one runs the fast one
/// alone.
template <class F, class T>
void loop1_two_speed(char* const* p, std::int64_t n) {
  auto* out = reinterpret_cast<T*>(p[0]);
  const auto* a = reinterpret_cast<const T*>(p[1]);
  constexpr std::int64_t kBlock = 1024;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t last = first + kBlock < n ? first + kBlock : n;
    int slow = 0;
#pragma GCC ivdep
    for (std::int64_t i = first; i < last; ++i) slow |= F::needs_slow(a[i]) ? 1 : 0;
    if (slow == 0) {
#pragma GCC ivdep
      for (std::int64_t i = first; i < last; ++i) out[i] = F::fast(a[i]);
    } else {
#pragma GCC ivdep
      for (std::int64_t i = first; i < last; ++i) out[i] = F()(a[i]);
    }
  }
}

template <class F, class T>
void loop2(char* const* p, std::int64_t n) {
  using R = decltype(F()(T(), T()));
  auto* out = reinterpret_cast<Element<R>*>(p[0]);
  const auto* a = reinterpret_cast<const Element<T>*>(p[1]);
  const auto* b = reinterpret_cast<const Element<T>*>(p[2]);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) out[i] = F()(value_of<T>(a[i]), value_of<T>(b[i]));
}

/// The same for two arguments. In a block that has some, only the elements that need the slow part
/// run it.
template <class F, class T>
void loop2_two_speed(char* const* p, std::int64_t n) {
  auto* out = reinterpret_cast<T*>(p[0]);
  const auto* a = reinterpret_cast<const T*>(p[1]);
  const auto* b = reinterpret_cast<const T*>(p[2]);
  constexpr std::int64_t kBlock = 1024;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t last = first + kBlock < n ? first + kBlock : n;
    fn::unsigned_t<T> slow = 0;  // as wide as T, or vectors would be narrowed
#pragma GCC ivdep
    for (std::int64_t i = first; i < last; ++i) slow |= F::needs_slow(a[i], b[i]) ? 1 : 0;
    if (slow == 0) {
#pragma GCC ivdep
      for (std::int64_t i = first; i < last; ++i) out[i] = F::fast(a[i], b[i]);
    } else {
      for (std::int64_t i = first; i < last; ++i)
        out[i] = F::needs_slow(a[i], b[i]) ? F()(a[i], b[i]) : F::fast(a[i], b[i]);
    }
  }
}

/// For functors whose fast part tells by its result where it does not suffice.
template <class F, class T>
void loop2_rechecked(char* const* p, std::int64_t n) {
  auto* out = reinterpret_cast<T*>(p[0]);
  const auto* a = reinterpret_cast<const T*>(p[1]);
  const auto* b = reinterpret_cast<const T*>(p[2]);
  constexpr std::int64_t kBlock = 1024;
  alignas(64) T block[kBlock];  // out may be a or b, which are needed again
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t m = first + kBlock < n ? kBlock : n - first;
    fn::unsigned_t<T> slow = 0;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < m; ++i) {
      block[i] = F::attempt(a[first + i], b[first + i]);
      slow |= F::suffices(block[i]) ? 0 : 1;
    }
    for (std::int64_t i = 0; slow != 0 && i < m; ++i) {
      if (!F::suffices(block[i])) block[i] = F()(a[first + i], b[first + i]);
    }
    __builtin_memcpy(out + first, block, static_cast<std::size_t>(m) * sizeof(T));
  }
}

/// A is the first input's type: bool for conditions.
template <class F, class A, class T>
void loop3(char* const* p, std::int64_t n) {
  auto* out = reinterpret_cast<Element<T>*>(p[0]);
  const auto* a = reinterpret_cast<const Element<A>*>(p[1]);
  const auto* b = reinterpret_cast<const Element<T>*>(p[2]);
  const auto* c = reinterpret_cast<const Element<T>*>(p[3]);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = F()(value_of<A>(a[i]), value_of<T>(b[i]), value_of<T>(c[i]));
  }
}

template <class F, class T>
void loop4(char* const* p, std::int64_t n) {
  using R = decltype(F()(T(), T(), T(), T()));
  auto* out = reinterpret_cast<Element<R>*>(p[0]);
  const auto* a = reinterpret_cast<const Element<T>*>(p[1]);
  const auto* b = reinterpret_cast<const Element<T>*>(p[2]);
  const auto* c = reinterpret_cast<const Element<T>*>(p[3]);
  const auto* d = reinterpret_cast<const Element<T>*>(p[4]);
#pragma GCC ivdep
  for (std::int64_t i = 0; i < n; ++i) {
    out[i] = F()(value_of<T>(a[i]), value_of<T>(b[i]), value_of<T>(c[i]), value_of<T>(d[i]));
  }
}

template <class F, class T>
concept TwoSpeed = fn::is_real_float_v<T> && requires(T x) {
  F::fast(x);
};

template <class F, class T>
concept TwoSpeedOfTwo = fn::is_real_float_v<T> && requires(T x) {
  F::fast(x, x);
};

template <class F, class T>
concept Rechecked = requires(T x) {
  F::attempt(x, x);
};

/// The loop of a functor over element type T.
template <class F, int Arity, bool Condition, class T>
constexpr Loop loop_of() {
  if constexpr (Arity == 1 && TwoSpeed<F, T>)
    return &loop1_two_speed<F, T>;
  else if constexpr (Arity == 1)
    return &loop1<F, T>;
  else if constexpr (Arity == 2 && TwoSpeedOfTwo<F, T>)
    return &loop2_two_speed<F, T>;
  else if constexpr (Arity == 2 && Rechecked<F, T>)
    return &loop2_rechecked<F, T>;
  else if constexpr (Arity == 2)
    return &loop2<F, T>;
  else if constexpr (Arity == 3 && Condition)
    return &loop3<F, bool, T>;
  else if constexpr (Arity == 3)
    return &loop3<F, T, T>;
  else
    return &loop4<F, T>;
}

/// Registers the functor's loops for every dtype of the set that is its own compute type; the half
/// types run float32's loop on widened blocks, or that of a functor of their own.
template <class F, int Arity, DTypeSet Set, std::uint32_t Flags>
void add_loops(HostRegistry& r, const char* op) {
#define TANDEM_DTYPE(id, ctype, ...)                                                     \
  if constexpr (Set.has(DType::id) && !fn::same_v<fn::on_storage_t<F, ctype>, F>) {      \
    using Own = fn::on_storage_t<F, ctype>;                                              \
    r.elementwise(op, DType::id,                                                         \
                  loop_of<Own, Arity, (Flags & kFirstIsBool) != 0, compute_t<ctype>>()); \
  }
#include "tandem/dtypes.def"
#define TANDEM_DTYPE(id, ctype, ...)                                                       \
  if constexpr (Set.has(DType::id) && !fn::is_half_v<ctype>) {                             \
    r.elementwise(op, DType::id, loop_of<F, Arity, (Flags & kFirstIsBool) != 0, ctype>()); \
  }
#include "tandem/dtypes.def"
}

}  // namespace TANDEM_ISA_NAMESPACE
