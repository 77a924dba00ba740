// Elements of any dtype as numbers of one kind, and tensors with given elements in any layout:
// written without Tandem's own casts, copies and views.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tandem/tensor.h"

namespace tandem::test {

using Int = __int128;
using Real = long double;

/// The value of an element: `i` of bools and integers, `re` and `im` of the others.
struct Element {
  Int i = 0;
  Real re = 0, im = 0;
};

/// A float format by its significand bits (hidden one included), the exponent of the least normal,
/// the greatest number, and whether there is an infinity above it.
struct FloatFormat {
  int digits, min_exponent;
  Real max;
  bool infinity;
};

inline FloatFormat format_of(DType t) {
  const int highest = 1 << (exponent_bits(t) - 1);  // exponent of infinity, where there is one
  const Real max = info(t).max;
  return {info(t).bits, 2 - highest, max, max < std::ldexp(Real(1), highest)};
}

/// Distance between neighbours of the format about x.
inline Real ulp(Real x, DType t) {
  const FloatFormat f = format_of(t);
  const Real a = std::fabs(x);
  const int e = a == 0 || a < std::ldexp(Real(1), f.min_exponent) ? f.min_exponent : std::ilogb(a);
  return std::ldexp(Real(1), e - f.digits + 1);
}

/// x rounded to the format, ties to even; NaN beyond it where it has no infinity.
inline Real rounded(Real x, DType t) {
  if (std::isnan(x) || x == 0) return x;
  const FloatFormat f = format_of(t);
  const Real beyond = f.infinity ? std::copysign(HUGE_VALL, x) : NAN;
  if (std::isinf(x)) return beyond;
  const Real step = ulp(x, t);
  const Real r = std::nearbyint(x / step) * step;
  return std::fabs(r) > f.max ? beyond : r;
}

/// Bits of a format of at most 16 bits to a number and back (of numbers that the format holds).
inline Real from_few_bits(std::uint32_t u, DType t) {
  const FloatFormat f = format_of(t);
  const int fraction = f.digits - 1;
  const std::uint32_t sign = 1u << (8 * info(t).size - 1);
  const std::uint32_t magnitude = u & (sign - 1);
  const auto exponent = static_cast<int>(magnitude >> fraction);
  const auto mantissa = static_cast<int>(magnitude & ((1u << fraction) - 1));
  Real v = exponent == 0 ? std::ldexp(Real(mantissa), f.min_exponent - fraction)
                         : std::ldexp(Real(mantissa + (1 << fraction)),
                                      exponent - 1 + f.min_exponent - fraction);
  if (v > f.max) v = f.infinity && mantissa == 0 ? HUGE_VALL : NAN;
  return (u & sign) != 0 ? -v : v;
}

inline std::uint32_t to_few_bits(Real v, DType t) {
  const FloatFormat f = format_of(t);
  const int fraction = f.digits - 1;
  const std::uint32_t ones = (1u << (8 * info(t).size - 1)) - 1;
  const std::uint32_t top = ones >> fraction << fraction;
  const std::uint32_t sign = std::signbit(v) ? ones + 1 : 0;
  if (std::isnan(v)) return sign | (f.infinity ? top | 1u << (fraction - 1) : ones);
  if (std::isinf(v)) return sign | top;
  const auto steps = static_cast<std::uint32_t>(std::fabs(v) / ulp(v, t));  // exact
  if (steps < (1u << fraction)) return sign | steps;
  const auto exponent = static_cast<std::uint32_t>(std::ilogb(v) - f.min_exponent + 1);
  return sign | (exponent << fraction) | (steps - (1u << fraction));
}

inline Element read_element(const void* p, DType t) {
  return visit(t, [p, t]<class T>() {
    T v;
    std::memcpy(&v, p, sizeof v);
    Element e;
    if constexpr (fn::is_complex_v<T>) {
      e.re = v.re;
      e.im = v.im;
    } else if constexpr (fn::is_half_v<T>) {
      e.re = from_few_bits(v.bits, t);
    } else if constexpr (fn::is_real_float_v<T>) {
      e.re = v;
    } else {
      e.i = v;
    }
    return e;
  });
}

/// Rounds floats to the dtype and wraps integers.
inline void write_element(void* p, DType t, const Element& e) {
  visit(t, [p, t, &e]<class T>() {
    T v;
    if constexpr (fn::is_complex_v<T>) {
      v = {static_cast<fn::real_t<T>>(e.re), static_cast<fn::real_t<T>>(e.im)};
    } else if constexpr (fn::is_half_v<T>) {
      v.bits = static_cast<decltype(v.bits)>(to_few_bits(rounded(e.re, t), t));
    } else if constexpr (fn::is_real_float_v<T>) {
      v = static_cast<T>(e.re);
    } else if constexpr (fn::is_bool_v<T>) {
      v = e.i != 0;
    } else {
      v = static_cast<T>(static_cast<std::uint64_t>(static_cast<unsigned __int128>(e.i)));
    }
    std::memcpy(p, &v, sizeof v);
  });
}

inline std::string text(const Element& e, DType t) {
  char s[120];
  if (category(t) < Category::Float) return std::to_string(static_cast<std::int64_t>(e.i));
  std::snprintf(s, sizeof s, is_complex(t) ? "%.20Lg%+.20Lgi" : "%.20Lg", e.re, e.im);
  return s;
}

/// Address of the element at a row-major position, by the tensor's own strides.
inline char* address(const Tensor& t, std::int64_t position) {
  std::int64_t at = 0;
  for (std::int64_t d = t.dim() - 1; d >= 0; --d) {
    const auto k = static_cast<std::size_t>(d);
    at += position % t.shape()[k] * t.strides()[k];
    position /= t.shape()[k];
  }
  return static_cast<char*>(t.data_ptr()) + at * static_cast<std::int64_t>(t.element_size());
}

/// Elements in row-major order.
inline std::vector<Element> elements(const Tensor& t) {
  std::vector<Element> v;
  for (std::int64_t i = 0; i < t.numel(); ++i) v.push_back(read_element(address(t, i), t.dtype()));
  return v;
}

/// How a tensor of a shape lies in its storage.
enum class Layout { Dense, Gaps, Reversed, Transposed, Offset };
inline constexpr Layout kLayouts[] = {Layout::Dense, Layout::Gaps, Layout::Reversed,
                                      Layout::Transposed, Layout::Offset};
inline const char* text(Layout l) {
  static constexpr const char* kTexts[] = {"dense", "gaps", "reversed", "transposed", "offset"};
  return kTexts[static_cast<int>(l)];
}

inline constexpr unsigned char kSentinel = 0xA5;

/// A tensor over memory filled with sentinels, which `untouched` finds again.
inline Tensor in_layout(IntSpan shape, DType dtype, Layout layout) {
  const auto rank = shape.size();
  std::vector<std::int64_t> strides(rank);
  std::int64_t step = layout == Layout::Gaps ? 3 : 1;
  std::int64_t first = layout == Layout::Offset ? 5 : 0;
  std::int64_t numel = 1;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::size_t d = layout == Layout::Transposed ? k : rank - 1 - k;
    strides[d] = layout == Layout::Reversed ? -step : step;
    if (layout == Layout::Reversed && shape[d] > 0) first += (shape[d] - 1) * step;
    step *= std::max<std::int64_t>(shape[d], 1) + (layout == Layout::Gaps ? 1 : 0);
    numel *= shape[d];
  }
  const auto size = element_size(dtype);
  const std::size_t bytes = static_cast<std::size_t>(step + 16) * size;
  auto* memory = static_cast<unsigned char*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
  std::memset(memory, kSentinel, (bytes + 63) / 64 * 64);
  // The whole of the memory is the storage, so that `untouched` sees all of it.
  const auto total = static_cast<std::int64_t>(bytes / size);
  const Tensor all = from_blob(memory, {total}, dtype, {}, [memory](void*) { std::free(memory); });
  return all.as_strided(shape, strides, first);
}

inline Tensor tensor_of(const std::vector<Element>& values, IntSpan shape, DType dtype,
                        Layout layout = Layout::Dense) {
  Tensor t = in_layout(shape, dtype, layout);
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    write_element(address(t, i), dtype, values[static_cast<std::size_t>(i)]);
  }
  return t;
}

/// Whether every byte of the storage outside the tensor's elements is still a sentinel.
inline bool untouched(const Tensor& t) {
  const Storage s = t.storage();
  const auto* data = static_cast<const unsigned char*>(s.data());
  std::vector<bool> own(s.bytes());
  for (std::int64_t i = 0; i < t.numel(); ++i) {
    const auto at = static_cast<std::size_t>(address(t, i) - static_cast<const char*>(s.data()));
    for (std::size_t b = 0; b < t.element_size(); ++b) own[at + b] = true;
  }
  for (std::size_t b = 0; b < s.bytes(); ++b) {
    if (!own[b] && data[b] != kSentinel) return false;
  }
  return true;
}

}  // namespace tandem::test
