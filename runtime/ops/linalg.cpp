// What the front-ends of linear algebra share: batches of matrices, their names, copies by columns,
// errors of single matrices.
#include "runtime/ops/linalg.h"
#include "runtime/base/trace.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tandem/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem::detail {

namespace {

void check_dtype(const OpRow& row, DType t, const char* argument) {
  const bool ok =
      t == DType::float32 || t == DType::float64 || t == DType::complex64 || t == DType::complex128;
  TANDEM_EXPECTS(
      ok, TypeError,
      fmt::format("[{}] argument '{}': expected float32, float64, complex64 or "
                  "complex128, got {}; cast it with to({})",
                  row.name, argument, name(t), is_half(t) ? "float32" : "float32 or float64"));
}

}  // namespace

std::int64_t Matrices::count() const {
  std::int64_t all = 1;
  for (const std::int64_t s : batch) all *= s;
  return all;
}

Dims Matrices::shape(IntSpan matrix) const {
  Dims all = batch;
  for (const std::int64_t s : matrix) all.push_back(s);
  return all;
}

Names Matrices::names(std::initializer_list<Name> last, const char* op) const {
  Names all = batch_names;
  for (const Name& name : last) all.push_back(name);
  check_unique(all, op);
  return simplified(all);
}

Matrices matrices_of(const OpRow& row, const Tensor& x, const char* argument) {
  check_dtype(row, x.dtype(), argument);
  TANDEM_EXPECTS(x.dim() >= 2, ShapeError,
                 fmt::format("[{}] argument '{}': expected a matrix or a batch of them, got {} "
                             "dimensions",
                             row.name, argument, x.dim()));
  const std::size_t rank = x.shape().size();
  Matrices a{x.rename(std::nullopt),
             Dims(x.shape().first(rank - 2)),
             x.shape()[rank - 2],
             x.shape()[rank - 1],
             {},
             {},
             {}};
  Names names = x.body_ptr()->names;
  names.resize(rank);
  for (std::size_t i = 0; i + 2 < rank; ++i) a.batch_names.push_back(names[i]);
  a.rows = names[rank - 2];
  a.columns = names[rank - 1];
  return a;
}

Matrices squares_of(const OpRow& row, const Tensor& x, const char* argument) {
  Matrices a = matrices_of(row, x, argument);
  TANDEM_EXPECTS(a.m == a.n, ShapeError,
                 fmt::format("[{}] argument '{}': expected square matrices, got {} x {}", row.name,
                             argument, a.m, a.n));
  return a;
}

Tensor named(Tensor t, const Names& names) {
  if (!names.empty()) t.rename_(names);
  return t;
}

Tensor fresh_columns(const Tensor& like, const Dims& batch, std::int64_t m, std::int64_t n,
                     std::optional<DType> dtype) {
  Dims shape = batch;
  shape.push_back(n);
  shape.push_back(m);
  return empty(shape, {.dtype = dtype.value_or(like.dtype()), .device = like.device()})
      .transpose(-1, -2);
}

Tensor by_columns(const Tensor& x) {
  const std::size_t rank = x.shape().size();
  Tensor t =
      fresh_columns(x, Dims(x.shape().first(rank - 2)), x.shape()[rank - 2], x.shape()[rank - 1]);
  t.copy_(x);
  return t;
}

Copied nearest_copy(const Tensor& x) {
  const std::size_t rank = x.shape().size();
  const bool columns = x.strides()[rank - 2] == 1 && x.strides()[rank - 1] != 1;
  if (columns) return {by_columns(x), false};
  Tensor t = empty(x.shape(), {.dtype = x.dtype(), .device = x.device()});
  t.copy_(x);
  return {t, true};
}

MatrixBatch batch_of(const Tensor& t, bool transposed) {
  const std::size_t rank = t.shape().size();
  const std::int64_t m = t.shape()[rank - 2];
  const std::int64_t n = t.shape()[rank - 1];
  bool shared = rank > 2;  // an expanded matrix
  for (std::size_t i = 0; i + 2 < rank; ++i)
    shared = shared && (t.strides()[i] == 0 || t.shape()[i] == 1);
  return {t.data_ptr(), std::max<std::int64_t>(transposed ? n : m, 1), shared ? 0 : m * n};
}

FactorLaunch factor_launch(const OpRow& row, FactorLaunch::Step step, const Matrices& a) {
  FactorLaunch l{};
  l.row = &row;
  l.step = step;
  l.batch = a.count();
  l.m = a.m;
  l.n = a.n;
  l.dtype = a.x.dtype();
  l.pivots_stride = std::min(a.m, a.n);
  l.device = a.x.device();
  return l;
}

void check_pivots(const OpRow& row, const char* argument, const Tensor& pivots, std::int64_t n) {
  if (!pivots.device().is_cpu()) return;
  const auto* p = pivots.numel() == 0 ? nullptr : pivots.data<std::int32_t>();
  for (std::int64_t i = 0; i < pivots.numel(); ++i) {
    TANDEM_EXPECTS(p[i] >= 1 && p[i] <= n, ValueError,
                   fmt::format("[{}] argument '{}': expected rows from 1 to {}, got {}", row.name,
                               argument, n, p[i]));
  }
}

bool is_small(const Matrices& a, std::int64_t k) {
  return a.m == a.n && std::max(a.n, k) <= SmallLaunch::kMost;
}

SmallMatrices small_matrices(const Tensor& t, bool turned) {
  const std::size_t rank = t.shape().size();
  std::int64_t stride = 0;
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (t.shape()[i] != 1) stride = t.strides()[i];  // the last one's: the batch is dense
  }
  SmallMatrices m{t.data_ptr(), stride, t.strides()[rank - 2], t.strides()[rank - 1]};
  if (turned) std::swap(m.row, m.column);
  return m;
}

Tensor small_operand(const Tensor& x) {
  const std::size_t rank = x.shape().size();
  std::int64_t step = 0;  // from one matrix of the batch to the next: one for all of its dimensions
  bool first = true, dense = true;
  for (std::size_t i = rank - 2; i-- > 0;) {
    if (x.shape()[i] == 1) continue;
    dense = dense && (first || x.strides()[i] == step);
    step = x.strides()[i] * x.shape()[i];
    first = false;
  }
  return dense ? x : x.contiguous();
}

bool is_small_qr(const Matrices& a, std::int64_t columns) {
  return !is_complex(a.x.dtype()) && std::min(a.m, a.n) > 0 &&
         std::max({a.m, a.n, columns}) <= SmallQrLaunch::kMost;
}

void check_info(const OpRow& row, const Tensor& info, const char* expected, const char* got) {
  if (info.device().is_meta()) return;
  // pinv's error, not that of the svd within.
  const char* op = trace::t_current_op == nullptr ? row.name : trace::t_current_op;
  const Tensor host = info.cpu().contiguous();
  const std::int64_t count = host.numel();
  const auto* codes = count == 0 ? nullptr : host.data<std::int32_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t code = codes[i];
    if (code == 0) continue;
    std::string where;
    std::int64_t rest = i;
    for (std::size_t d = host.shape().size(); d-- > 0;) {
      where.insert(0, std::to_string(rest % host.shape()[d]) + (where.empty() ? "" : ", "));
      rest /= host.shape()[d];
    }
    const bool finite = code != FactorLaunch::kNotFinite;
    fail<linalg::LinAlgError>(fmt::format(
        "[{}] argument 'A': expected {} matrices, got {}{}", op, finite ? expected : "finite",
        finite ? got : "one with an infinite or NaN element",
        where.empty() ? "" : fmt::format(" at batch index ({})", where)));
  }
}

Dims joint_batch(const OpRow& row, const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  for (std::size_t k = 1; k <= out.size(); ++k) {
    const std::int64_t x = k <= a.size() ? a[a.size() - k] : 1;
    const std::int64_t y = k <= b.size() ? b[b.size() - k] : 1;
    TANDEM_EXPECTS(x == y || x == 1 || y == 1, ShapeError,
                   fmt::format("[{}] argument 'B': expected a batch that broadcasts with ({}), got "
                               "({})",
                               row.name, fmt::join(a, ", "), fmt::join(b, ", ")));
    out[out.size() - k] = x == 1 ? y : x;
  }
  return out;
}

Tensor expand_batch(const Tensor& t, const Dims& batch, std::size_t matrix_rank) {
  const std::size_t rank = t.shape().size();
  const Dims own(t.shape().first(rank - matrix_rank));
  if (own == batch) return t;
  Dims shape = batch;
  for (std::size_t i = rank - matrix_rank; i < rank; ++i) shape.push_back(t.shape()[i]);
  Tensor wide = t.expand(shape);
  std::int64_t count = 1;
  for (const std::int64_t s : own) count *= s;
  if (count == 1) return wide;
  if (matrix_rank == 1) return wide.contiguous();
  const bool rows = t.strides()[rank - 1] == 1 && t.strides()[rank - 2] != 1;
  return rows ? wide.contiguous() : by_columns(wide);
}

void check_same_name(const OpRow& row, const char* which, Name a, Name b, const char* of) {
  TANDEM_EXPECTS(a == b || a.is_none() || b.is_none(), ShapeError,
                 fmt::format("[{}] argument 'B': expected {} with the name '{}' of {}'s, got '{}'",
                             row.name, which, a.str(), of, b.str()));
}

RightSide right_side(const OpRow& row, const Tensor& a, const Tensor& b, bool left, bool batches,
                     const char* of) {
  TANDEM_EXPECTS(a.dtype() == b.dtype(), TypeError,
                 fmt::format("[{}] argument 'B': expected {} as {} has, got {}", row.name,
                             name(a.dtype()), of, name(b.dtype())));
  const auto vectors = a.shape().first(a.shape().size() - 1);
  const bool vector =
      b.dim() == 1 || (batches && b.dim() + 1 == a.dim() && std::ranges::equal(b.shape(), vectors));
  TANDEM_EXPECTS(!vector || left, ShapeError,
                 fmt::format("[{}] argument 'left': expected True with a right-hand side of "
                             "vectors, got False",
                             row.name));
  Matrices m = matrices_of(row, vector ? b.unsqueeze(-1) : b, "B");
  const std::int64_t n = a.shape().back();
  TANDEM_EXPECTS((left ? m.m : m.n) == n, ShapeError,
                 fmt::format("[{}] argument 'B': expected {} {}, got {}", row.name, n,
                             left ? "rows" : "columns", left ? m.m : m.n));
  (void)common_device(row, std::array<const Tensor*, 2>{&a, &b});
  return {std::move(m), vector};
}

}  // namespace tandem::detail
