// What the front-ends of generators share. Internal.
#pragma once

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "tandem/backend.h"

namespace tandem::detail {

/// Says of a launch that it fills t, computing in `kernel`. `strides`: room for kMaxRank of them.
inline void set_output(GeneratorLaunch& l, const OpRow& row, const Tensor& t, DType kernel,
                       std::int64_t* strides) {
  byte_strides(t, strides);
  l.row = &row;
  l.numel = t.numel();
  l.shape = t.shape().data();
  l.rank = static_cast<int>(t.dim());
  l.contiguous = t.is_contiguous();
  l.device = t.device();
  l.stream = launch_stream(l.device, {&t}, {});
  l.out = OperandDesc{t.data_ptr(), strides, {}, t.dtype(), kernel};
}

/// Runs a generator row into a fresh tensor or into `out`. `op` is what errors name, the row unless
/// given.
Tensor generate(const OpRow& row, IntSpan shape, DType dtype, const Options& options,
                GeneratorLaunch& launch, Tensor* out = nullptr, const char* op = nullptr);

}  // namespace tandem::detail
