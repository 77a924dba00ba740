// What sorting, searching and counting compare: keys, unsigned integers in the order of the
// elements. -inf < ... < -0 = +0 < ... < inf < NaN, and all NaNs have one key.
#pragma once

#include "generator.h"
#include "ternary.h"

namespace tandem::fn {

/// How the bits of an element become its key.
struct KeyRule {
  std::uint64_t mask;  // all bits of an element
  std::uint64_t sign;  // the sign bit; 0 where there is none
  std::uint64_t inf;   // of a float: the greatest magnitude that is no NaN; 0 for the others
  bool truth = false;  // of bool: any byte but 0 is 1, see Note [Bytes of bool]
};

/// The rule of an element type.
template <class T>
TANDEM_FN KeyRule key_rule() {
  constexpr int width = 8 * static_cast<int>(sizeof(T));
  constexpr std::uint64_t mask = ~std::uint64_t(0) >> (64 - width);
  constexpr std::uint64_t sign = std::uint64_t(1) << (width - 1);
  if constexpr (is_half_v<T> || is_real_float_v<T>) {
    constexpr std::uint64_t fraction = (std::uint64_t(1) << (bits_v<T> - 1)) - 1;
    constexpr std::uint64_t exponent = (mask >> 1) & ~fraction;
    if constexpr (is_half_v<T>) {  // some have no infinity: all ones alone is NaN
      const float top = widen(T{static_cast<unsigned_t<T>>(exponent)});
      if (top * 0 == 0) return {mask, sign, (mask >> 1) - 1};
    }
    return {mask, sign, exponent};
  } else {
    return {mask, is_signed_int_v<T> ? sign : 0, 0, is_bool_v<T>};
  }
}

TANDEM_FN std::uint64_t sort_key(std::uint64_t bits, KeyRule r) {
  if (r.truth) return bits != 0 ? 1 : 0;
  if (r.inf == 0) return bits ^ r.sign;
  const std::uint64_t magnitude = bits & ~r.sign;
  const std::uint64_t key = (bits & r.sign) != 0 ? ~bits & r.mask : bits | r.sign;
  return magnitude > r.inf ? r.mask : (magnitude == 0 ? r.sign : key);
}

/// The element of a key; for a float's zero and NaN keys one of the elements that have it.
TANDEM_FN std::uint64_t key_bits(std::uint64_t key, KeyRule r) {
  if (r.inf == 0) return key ^ r.sign;
  return (key & r.sign) != 0 ? key ^ r.sign : ~key & r.mask;
}

/// Whether a key is that of NaN.
TANDEM_FN bool is_nan_key(std::uint64_t key, KeyRule r) { return r.inf != 0 && key == r.mask; }

/// The first of n elements in ascending order whose key is not below `key` (Right: is above it).
/// key_at(i) is the key of element i.
template <class F>
TANDEM_FN std::int64_t search_keys(std::int64_t n, std::uint64_t key, bool right, const F& key_at) {
  std::int64_t first = 0;
  std::int64_t last = n;
  while (first < last) {
    const std::int64_t middle = first + (last - first) / 2;
    const std::uint64_t k = key_at(middle);
    const bool below = right ? k <= key : k < key;
    first = below ? middle + 1 : first;
    last = below ? last : middle;
  }
  return first;
}

// ---- quantiles

/// Where a quantile lies between the elements of a sorted row.
enum class Interpolation : std::uint8_t { Linear, Lower, Higher, Midpoint, Nearest };

struct QuantilePlace {
  std::int64_t low, high;
  double weight;  // of high
};

/// Of `count` elements; q in [0, 1]. In double whatever the dtype: q * (count - 1) is rounded once.
TANDEM_FN QuantilePlace quantile_place(double q, std::int64_t count, Interpolation how) {
  const double rank = q * static_cast<double>(count - 1);
  const double low = floor_(rank);
  double at = rank;
  if (how == Interpolation::Lower) at = low;
  if (how == Interpolation::Higher) at = ceil_(rank);
  if (how == Interpolation::Nearest) at = rint_(rank);
  const auto first = static_cast<std::int64_t>(floor_(at));
  const std::int64_t last = count - 1;
  const double part = at - floor_(at);
  return {first < last ? first : last, part > 0 && first < last ? first + 1 : first,
          how == Interpolation::Midpoint && part > 0 ? 0.5 : part};
}

/// low + weight * (high - low) from the nearer end; the element itself where nothing lies between.
template <class C>
TANDEM_FN C quantile_between(C low, C high, double weight) {
  if (weight == 0 || low == high) return low;
  return Lerp()(low, high, static_cast<C>(weight));
}

// ---- bins

/// The range of a histogram: one without width is widened on both sides.
TANDEM_FN void widen_range(double& low, double& high, double by) {
  if (low != high) return;
  low -= by;
  high += by;
}

/// Edge i of `bins` equal bins, as linspace has it.
template <class T>
TANDEM_FN compute_t<T> bin_edge(std::int64_t i, std::int64_t bins, double low, double high) {
  return cast<compute_t<T>>(spaced(static_cast<std::uint64_t>(i), bins + 1, low, high));
}

/// The bin of x among `bins` equal ones over [low, high], -1 outside (and for NaN): each operation
/// is rounded.
template <class C>
TANDEM_FN std::int64_t linear_bin(C x, std::int64_t bins, double low, double high) {
  const C a = static_cast<C>(low);
  const C b = static_cast<C>(high);
  const bool inside = x >= a && x <= b && (b - a) * C(0) == C(0);
  const C place = (x - a) * static_cast<C>(bins) / (b - a);
  const auto bin = float_to_int<std::int64_t>(place);
  return inside ? (bin < bins ? bin : bins - 1) : -1;
}

}  // namespace tandem::fn
