// What is measured: one Case a printed row. The elementwise ones are made from the op table.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

#include "perf/device.h"
#include "perf/inputs.h"

namespace tandem::perf {

struct Case {
  std::string op;     // the row's name in the op table, or the C++ function's
  std::string form;   // "fresh" and "out": output allocated or given; else what is special
  DType dtype;        // of the inputs
  Dims shape;         // of the (first) input
  int inputs = 1;     // tensors that an elementwise op takes
  double bytes = 0;   // read and written at least; 0 where nothing is moved
  double flops = 0;   // operations, for products
  Domain domain{};    // of the inputs' values
  std::string extra;  // what the form needs besides: the dtype cast to, the equation
  std::function<void(benchmark::State&)> run;

  std::string name() const {
    return op + '/' + std::string(tandem::name(dtype)) + '/' + size_name(shape) + '/' + form;
  }
};

/// Every elementwise row for the dtypes; a row that supports none of them is measured in the first
/// dtype it has of int32 and bool.
std::vector<Case> elementwise_cases(const std::vector<DType>& dtypes);
/// Generators, reductions, joins, products, copies, casts, views, allocation.
std::vector<Case> other_cases(const std::vector<DType>& dtypes);
/// Reads and writes at places that indices and masks tell.
std::vector<Case> indexing_cases();
/// Fourier transforms, short-time ones, convolution by them.
std::vector<Case> fft_cases();
/// Factorisations of one matrix, and of batches of small ones.
std::vector<Case> factorisation_cases();
/// Memory without tensors: from the host's pool and from malloc. None on a device.
std::vector<Case> allocator_cases();

/// Times f(); a result is kept alive up to the end of its call only, as in a program's statement.
template <class F>
void timed(benchmark::State& state, F&& f) {
  if (place().on_device()) return timed_batches(state, f);
  for ([[maybe_unused]] auto _ : state) {
    keep_result(f);
  }
}

}  // namespace tandem::perf
