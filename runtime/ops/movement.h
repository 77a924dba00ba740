// The boxed forms of movement.def and view.def, where they are not the public functions, and what
// the front-ends of movement share. Internal.
#pragma once

#include "runtime/dispatch/boxed.h"
#include "runtime/dispatch/funnel.h"
#include "tandem/backend/movement.h"
#include "tandem/movement.h"

namespace tandem::detail {

/// One output of x's dtype and device, dense in row-major order, that `go` fills.
template <class Go>
Tensor moved(const OpRow& row, const Tensor& x, const Dims& shape, const Names& names, Go&& go) {
  return run_one(
      row, nullptr,
      [&] {
        (void)checked_numel(shape, x.element_size(), row.name);
        check_rank(shape.size(), row.name);
        return OutSpec{shape, x.dtype(), x.device(), names};
      },
      std::forward<Go>(go));
}

/// The complex conjugate; the tensor itself where it is real.
Tensor conjugate(const Tensor& x);

/// Whether tensors are all vectors: of one dimension, or of none where `scalars`.
void check_vectors(const OpRow& row, const std::vector<Tensor>& tensors, bool scalars);

/// out[i] = in[f(i - before)], or the value: one pass over a dense output. `before` may be
/// negative.
void launch_border(const OpRow& row, const Tensor& out, const Tensor& in, const Dims& before,
                   BorderMode mode, const Scalar& value);

}  // namespace tandem::detail

namespace tandem::ops {

std::vector<Tensor> tensor_split(const Tensor& x, const Value& where, Axis axis);
std::vector<Tensor> hsplit(const Tensor& x, const Value& where);
std::vector<Tensor> vsplit(const Tensor& x, const Value& where);
std::vector<Tensor> dsplit(const Tensor& x, const Value& where);
std::vector<Tensor> split_with_sizes(const Tensor& x, IntSpan sizes, Axis axis);
/// One tensor where one was given, a list otherwise.
std::vector<Value> atleast_1d(const std::vector<Tensor>& tensors);
std::vector<Value> atleast_2d(const std::vector<Tensor>& tensors);
std::vector<Value> atleast_3d(const std::vector<Tensor>& tensors);

Tensor repeat_interleave(const Tensor& x, const Value& repeats, std::optional<Axis> axis,
                         std::optional<std::int64_t> output_size);
Tensor pad(const Tensor& x, IntSpan pad, const std::string& mode, std::optional<Scalar> value);

Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps, double base,
                std::optional<DType> dtype, std::optional<Device> device,
                std::optional<std::vector<std::string>> names);
Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset,
                    std::optional<DType> dtype, std::optional<Device> device);
Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset,
                    std::optional<DType> dtype, std::optional<Device> device);

Tensor diff(const Tensor& x, std::int64_t n, Axis axis, std::optional<Tensor> prepend,
            std::optional<Tensor> append);
/// spacing: a number, ints, or tensors (numbers as 0-d ones).
std::vector<Tensor> gradient(const Tensor& x, const Value& spacing, const Axes& axes,
                             std::int64_t edge_order);
Tensor trapezoid(const Tensor& y, std::optional<Tensor> x, std::optional<Scalar> dx, Axis axis);
Tensor cumulative_trapezoid(const Tensor& y, std::optional<Tensor> x, std::optional<Scalar> dx,
                            Axis axis);
Tensor cov(const Tensor& x, double correction, std::optional<Tensor> fweights,
           std::optional<Tensor> aweights);
/// dims: a number, or the axes of x and then as many of the other.
Tensor tensordot(const Tensor& x, const Tensor& other, const Value& dims);

}  // namespace tandem::ops
