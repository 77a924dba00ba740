// lint: oracle table. What calls of the rows are made of: arguments and tensors of varied data.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tandem/tandem.h"
#include "tandem/value.h"

namespace tandem::test {

using Args = std::vector<Value>;
using Strings = std::vector<std::string>;
/// Calls by the row's name.
using Calls = std::map<std::string, std::vector<Args>>;
/// Numbers of kernels by the row's name.
using Launches = std::map<std::string, long>;

inline Tensor ones_of(IntSpan shape, DType t, const Names& names = {}) {
  return ones(shape, {.dtype = t, .names = names});
}

/// Multiples of 1/8 in [-16, 16) in no order, with equal ones among them; with `edges` every
/// eleventh element of a float is a zero of either sign, an infinity or NaN. The same elements for
/// the same seed.
inline Tensor varied(IntSpan shape, DType t, std::uint64_t seed = 1, bool edges = false) {
  Tensor x = empty(shape, {.dtype = DType::float64});
  const double special[] = {-0.0, INFINITY, 0.0, -INFINITY, NAN};
  double* p = x.data<double>();
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    p[i] = static_cast<double>(state >> 56) / 8 - 16;
    if (edges && i % 11 == 7) p[i] = special[static_cast<std::size_t>(i / 11) % std::size(special)];
  }
  if (t == DType::bool_) return lt(x, 0);
  return x.to(t);
}

/// Complex numbers with varied parts.
inline Tensor varied_complex(IntSpan shape, DType t, std::uint64_t seed = 1, bool edges = false) {
  const DType part = t == DType::complex128 ? DType::float64 : DType::float32;
  return complex(varied(shape, part, seed, edges), varied(shape, part, seed + 1, edges));
}

/// Indices in [low, high) in no order, some of them several times.
inline Tensor varied_indices(IntSpan shape, std::int64_t low, std::int64_t high,
                             std::uint64_t seed = 1) {
  Tensor x = empty(shape, {.dtype = DType::int64});
  auto* p = x.data<std::int64_t>();
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 7;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    p[i] = low + static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(high - low));
  }
  return x;
}

}  // namespace tandem::test
