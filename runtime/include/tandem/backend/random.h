// Launch structs of the random rows whose parameters are tensors, of randperm and of multinomial.
#pragma once

#include <cstdint>

#include "tandem/device.h"
#include "tandem/dtype.h"
#include "tandem/op_row.h"

namespace tandem {

/// out[i] from in[0][i], in[1][i] and the words of element i. Everything is dense and of `dtype`,
/// float32 or float64.
struct SampleLaunch {
  const OpRow* row;
  std::int64_t numel;
  DType dtype;
  int n_in;
  const void* in[2];
  bool single[2];  // the input is one number for all elements
  void* out;
  std::uint64_t seed, offset;
  Device device;
  void* stream;
};

/// The places 0 to n - 1 in the order of the 64-bit numbers that their elements draw, equal ones by
/// place.
struct PermutationLaunch {
  const OpRow* row;
  std::int64_t n;
  std::int64_t* out;
  std::uint64_t seed, offset;
  Device device;
  void* stream;
};

/// `samples` categories a row, by weights: rows x categories, dense, of `dtype` (float32 or
/// float64). Weights below 0 and NaN count as 0.
struct MultinomialLaunch {
  const OpRow* row;
  std::int64_t rows, categories, samples;
  bool replacement;
  DType dtype;
  const void* weights;
  std::int64_t* out;  // rows x samples, dense
  std::uint64_t seed, offset;
  Device device;
  void* stream;
};

}  // namespace tandem
