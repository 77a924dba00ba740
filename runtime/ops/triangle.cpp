// tril and triu, the indices of their elements.
#include <fmt/format.h>

#include <cmath>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/plan.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/ops/generator.h"
#include "runtime/ops/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

Tensor triangle(const OpRow& row, const Tensor& x, std::int64_t diagonal, bool upper) {
  TANDEM_EXPECTS(
      x.dim() >= 2, ShapeError,
      fmt::format("[{}] input tensor must have at least 2 dimensions, got {}", row.name, x.dim()));
  return detail::moved(row, x, Dims(x.shape()), x.body_ptr()->names, [&](const Tensor& out) {
    if (out.numel() == 0) return;
    const Tensor dense = x.contiguous();
    TriangleLaunch l{};
    l.row = &row;
    l.numel = out.numel();
    l.rows = x.shape()[x.shape().size() - 2];
    l.columns = x.shape().back();
    l.diagonal = std::clamp(diagonal, -l.rows, l.columns);
    l.upper = upper;
    l.width = static_cast<int>(x.element_size());
    l.out = out.data_ptr();
    l.in = dense.data_ptr();
    l.device = out.device();
    l.stream = detail::launch_stream(l.device, {&out}, {&dense});
    detail::launch(op::tril, l.device, &l);
  });
}

/// Elements of the lower triangle.
std::int64_t count_lower(const OpRow& row, std::int64_t rows, std::int64_t columns,
                         std::int64_t offset) {
  // Rows before `first` are empty; then one element more a row until a row is full.
  const std::int64_t first = std::min(rows, std::max<std::int64_t>(0, -offset));
  if (columns == 0 || first == rows) return 0;
  const std::int64_t least = std::min(columns, first + 1 + offset);
  const std::int64_t growing = std::min(rows - first, columns - least + 1);
  const __int128 count = static_cast<__int128>(growing) * least +
                         static_cast<__int128>(growing) * (growing - 1) / 2 +
                         static_cast<__int128>(rows - first - growing) * columns;
  TANDEM_EXPECTS(count < INT64_MAX / 32, ValueError,
                 fmt::format("[{}] expected a smaller matrix, got {} rows and {} columns", row.name,
                             rows, columns));
  return static_cast<std::int64_t>(count);
}

Tensor triangle_indices(const OpRow& row, std::int64_t rows, std::int64_t columns,
                        std::int64_t offset, bool upper, const Options& options) {
  constexpr std::int64_t kMost = std::int64_t(1) << 53;
  TANDEM_EXPECTS(rows >= 0 && columns >= 0 && rows < kMost && columns < kMost, ValueError,
                 fmt::format("[{}] expected rows and columns from 0 to 2^53, got {} and {}",
                             row.name, rows, columns));
  // The upper triangle is the lower one turned by half a turn.
  const std::int64_t limited = std::clamp(offset, -rows, columns);
  const std::int64_t lower = upper ? columns - rows - limited : limited;
  const std::int64_t count = count_lower(row, rows, columns, std::clamp(lower, -rows, columns));
  GeneratorLaunch l{};
  l.i[0] = columns;
  l.i[1] = std::clamp(lower, -rows, columns);
  l.f[0] = static_cast<double>(rows);
  return detail::generate(row, {2, count}, options.dtype.value_or(DType::int64), options, l);
}

}  // namespace

Tensor tril(const Tensor& x, std::int64_t diagonal) {
  return triangle(op::tril, x, diagonal, false);
}

Tensor triu(const Tensor& x, std::int64_t diagonal) {
  return triangle(op::triu, x, diagonal, true);
}

Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset,
                    const Options& options) {
  return triangle_indices(op::tril_indices, rows, columns, offset, false, options);
}

Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset,
                    const Options& options) {
  return triangle_indices(op::triu_indices, rows, columns, offset, true, options);
}

namespace ops {

Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset,
                    std::optional<DType> dtype, std::optional<Device> device) {
  return tandem::tril_indices(rows, columns, offset, options_of(dtype, device, {}));
}

Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset,
                    std::optional<DType> dtype, std::optional<Device> device) {
  return tandem::triu_indices(rows, columns, offset, options_of(dtype, device, {}));
}

}  // namespace ops

}  // namespace tandem
