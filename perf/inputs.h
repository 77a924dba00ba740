// Input tensors of the benchmark: values, sizes and their names.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tandem/tandem.h"

namespace tandem::perf {

/// Values are drawn evenly from [lo, hi].
struct Domain {
  double lo, hi;
};

/// The row's test domain cut to [-10, 10]: values as programs have them, so that neither side gains
/// from what a slow path for huge arguments costs. Rows without a domain take small integers.
Domain domain_of(const OpRow& row);

/// A tensor of such values, filled by a repeated block: the same ones for the same arguments. Made
/// on the CPU and moved to where the cases run.
Tensor filled(IntSpan shape, DType dtype, Domain domain, std::uint64_t seed);

/// Parameters of an elementwise row that take a tensor; the rest of its arity are numbers.
int tensors_of(const OpRow& row);

/// The inputs of an elementwise row. The last ones asked for are kept, since one benchmark asks
/// several times.
const std::vector<Tensor>& inputs_of(const OpRow& row, DType dtype, std::int64_t n);
/// One kept tensor for the rows that are no elementwise ops.
const Tensor& input(IntSpan shape, DType dtype, Domain domain);
/// Lets go of the kept tensors.
void forget_inputs();

/// "16", "1M", "16M", "4096x4096"
std::string size_name(IntSpan shape);

}  // namespace tandem::perf
