// lint: oracle table. The conversions of PTX (cvt): integers wrap and extend, floats round and
// saturate.
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <unordered_map>

#include "tests/cuda/ptx/ops.h"

namespace tandem::ptx {

namespace {

using Table = std::unordered_map<std::string, Conversion>;
using Word = std::uint64_t;

enum class Rounding : std::uint8_t { None, Nearest, Zero, Down, Up };

template <class T>
T value_of(Word w) {
  if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<float>(static_cast<std::uint32_t>(w));
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<double>(w);
  else
    return static_cast<T>(w);
}

template <class T>
Word word_of(T v) {
  if constexpr (std::is_same_v<T, float>)
    return v != v ? 0x7fffffffu : std::bit_cast<std::uint32_t>(v);
  else if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<Word>(v);
  else if constexpr (std::is_signed_v<T>)
    return static_cast<Word>(static_cast<std::int64_t>(v));
  else
    return v;
}

template <Rounding R, class T>
T to_whole(T x) {
  if constexpr (R == Rounding::Nearest) return std::rint(x);
  if constexpr (R == Rounding::Zero) return std::trunc(x);
  if constexpr (R == Rounding::Down) return std::floor(x);
  if constexpr (R == Rounding::Up) return std::ceil(x);
  return x;
}

/// A whole float as an integer: saturates; NaN gives 0, or the top bit where a 64-bit type is in
/// it.
template <class D, class S>
D saturated(S x) {
  using L = std::numeric_limits<D>;
  constexpr int kDigits = L::digits;
  const S upper = static_cast<S>(std::ldexp(1.0, kDigits));  // max + 1
  if (x != x) {
    const bool wide = sizeof(D) == 8 || sizeof(S) == 8;
    return wide ? static_cast<D>(Word(1) << (8 * sizeof(D) - 1)) : D(0);
  }
  if (x >= upper) return L::max();
  if (x < static_cast<S>(L::min())) return L::min();
  return static_cast<D>(x);
}

template <class D, class S, Rounding R>
D converted(S x) {
  if constexpr (std::is_floating_point_v<S> && std::is_floating_point_v<D>) {
    return static_cast<D>(to_whole<(std::is_same_v<D, S> ? R : Rounding::None)>(x));
  } else if constexpr (std::is_floating_point_v<S>) {
    return saturated<D>(to_whole<R>(x));
  } else {
    return static_cast<D>(x);
  }
}

template <class D, class S, Rounding R>
void loop(int n, void* d, const void* a, const void*, const void*) {
  auto* out = static_cast<Word*>(d);
  const auto* x = static_cast<const Word*>(a);
#pragma GCC ivdep
  for (int i = 0; i < n; ++i) out[i] = word_of(converted<D, S, R>(value_of<S>(x[i])));
}

template <class T>
Type type_of() {
  if (std::is_floating_point_v<T>) return {'f', 8 * sizeof(T)};
  return {std::is_signed_v<T> ? 's' : 'u', 8 * sizeof(T)};
}

template <class T>
std::string suffix() {
  const Type t = type_of<T>();
  return std::string(".") + t.kind + std::to_string(t.bits);
}

template <class D, class S, Rounding R>
void add(Table& t, const char* rounding) {
  t["cvt" + std::string(rounding) + suffix<D>() + suffix<S>()] = {&loop<D, S, R>, type_of<D>(),
                                                                  type_of<S>()};
}

template <class D, class S>
void add_pair(Table& t) {
  constexpr bool kFrom = std::is_floating_point_v<S>;
  constexpr bool kTo = std::is_floating_point_v<D>;
  if constexpr (!kFrom && !kTo) {
    add<D, S, Rounding::None>(t, "");
  } else if constexpr (!kFrom || (kTo && sizeof(D) < sizeof(S))) {
    add<D, S, Rounding::Nearest>(t, ".rn");
  } else if constexpr (kTo && sizeof(D) > sizeof(S)) {
    add<D, S, Rounding::None>(t, "");
  } else {
    add<D, S, Rounding::Nearest>(t, ".rni");
    add<D, S, Rounding::Zero>(t, ".rzi");
    add<D, S, Rounding::Down>(t, ".rmi");
    add<D, S, Rounding::Up>(t, ".rpi");
  }
}

template <class D, class... S>
void add_from(Table& t) {
  (add_pair<D, S>(t), ...);
}

template <class D>
void add_to(Table& t) {
  add_from<D, std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t,
           std::uint64_t, std::int64_t, float, double>(t);
}

Table make_table() {
  Table t;
  add_to<std::uint8_t>(t);
  add_to<std::int8_t>(t);
  add_to<std::uint16_t>(t);
  add_to<std::int16_t>(t);
  add_to<std::uint32_t>(t);
  add_to<std::int32_t>(t);
  add_to<std::uint64_t>(t);
  add_to<std::int64_t>(t);
  add_to<float>(t);
  add_to<double>(t);
  return t;
}

}  // namespace

const Conversion* find_conversion(const std::string& opcode) {
  static const Table table = make_table();
  const auto found = table.find(opcode);
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace tandem::ptx
