// Products of several matrices in the cheapest order, powers, with a bias, and of 8-bit integers.
#include "tandem/products.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/contract.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/value.h"

namespace tandem {

namespace {

/// The product of matrices that fit, by the recurrence over ranges of them.
Tensor in_cheapest_order(const std::vector<Tensor>& matrices) {
  const std::size_t n = matrices.size();
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<std::size_t>> cut(n, std::vector<std::size_t>(n, 0));
  for (std::size_t length = 2; length <= n; ++length) {
    for (std::size_t i = 0; i + length <= n; ++i) {
      const std::size_t j = i + length - 1;
      cost[i][j] = HUGE_VAL;
      for (std::size_t k = i; k < j; ++k) {
        const double c = cost[i][k] + cost[k + 1][j] +
                         static_cast<double>(matrices[i].shape()[0]) *
                             static_cast<double>(matrices[k].shape()[1]) *
                             static_cast<double>(matrices[j].shape()[1]);
        if (c < cost[i][j]) cut[i][j] = k;
        cost[i][j] = std::min(c, cost[i][j]);
      }
    }
  }
  const auto multiply = [&](const auto& self, std::size_t i, std::size_t j) -> Tensor {
    if (i == j) return matrices[i];
    return matmul(self(self, i, cut[i][j]), self(self, cut[i][j] + 1, j));
  };
  return multiply(multiply, 0, n - 1);
}

/// What the later products would find too late: errors come before work.
void check_chain(const char* op, const std::vector<Tensor>& matrices) {
  std::vector<const Tensor*> all;
  for (const Tensor& m : matrices) all.push_back(&m);
  (void)detail::common_device(*find_op(op), all);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    TANDEM_EXPECTS(matrices[i].dtype() == matrices[0].dtype(), TypeError,
                   fmt::format("[{}] tensors must all have the same dtype: expected {}, got {} at "
                               "{}",
                               op, name(matrices[0].dtype()), name(matrices[i].dtype()), i));
    if (i == 0) continue;
    TANDEM_EXPECTS(matrices[i - 1].shape()[1] == matrices[i].shape()[0], ShapeError,
                   fmt::format("[{}] tensors {} and {} with shapes [{}] and [{}] cannot be "
                               "multiplied",
                               op, i - 1, i, fmt::join(matrices[i - 1].shape(), ", "),
                               fmt::join(matrices[i].shape(), ", ")));
  }
}

void expects_matrix(const char* op, const char* argument, const Tensor& t) {
  TANDEM_EXPECTS(
      t.dim() == 2, ShapeError,
      fmt::format("[{}] argument '{}': expected 2 dimensions, got {}", op, argument, t.dim()));
}

Tensor identities(const Tensor& a) {
  const std::int64_t n = a.shape().back();
  return eye(n, n, {.dtype = a.dtype(), .device = a.device()}).expand(a.shape()).clone();
}

}  // namespace

Tensor chain_matmul(const std::vector<Tensor>& matrices) {
  TANDEM_EXPECTS(!matrices.empty(), ValueError,
                 "[chain_matmul] argument 'matrices': expected one or more matrices");
  for (const Tensor& m : matrices) expects_matrix("chain_matmul", "matrices", m);
  check_chain("chain_matmul", matrices);
  return in_cheapest_order(matrices);
}

Tensor linear(const Tensor& input, const Tensor& weight, const std::optional<Tensor>& bias) {
  TANDEM_EXPECTS(
      weight.dim() == 1 || weight.dim() == 2, ShapeError,
      fmt::format("[linear] argument 'weight': expected 1 or 2 dimensions, got {}", weight.dim()));
  const bool biased = bias.has_value() && bias->defined();
  TANDEM_EXPECTS(!biased || bias->dtype() == input.dtype(), TypeError,
                 fmt::format("[linear] argument 'bias': expected {}, got {}", name(input.dtype()),
                             biased ? name(bias->dtype()) : ""));
  if (biased) {  // before the product
    TANDEM_EXPECTS(input.dim() > 0, ShapeError,
                   "[linear] argument 'input': expected 1 or more dimensions, got 0");
    Dims shape(input.shape().first(input.shape().size() - 1));
    if (weight.dim() == 2) shape.push_back(weight.shape()[0]);
    const auto lead = static_cast<std::int64_t>(shape.size()) - bias->dim();
    bool fits = lead >= 0;
    for (std::int64_t d = 0; fits && d < bias->dim(); ++d) {
      const std::int64_t size = bias->shape()[static_cast<std::size_t>(d)];
      fits = size == 1 || size == shape[static_cast<std::size_t>(lead + d)];
    }
    TANDEM_EXPECTS(fits, ShapeError,
                   fmt::format("[linear] argument 'bias': expected a shape that broadcasts to "
                               "[{}], got [{}]",
                               fmt::join(shape, ", "), fmt::join(bias->shape(), ", ")));
    const Tensor* all[] = {&input, &weight, &*bias};
    (void)detail::common_device(*find_op("linear"), all);
  }
  const Tensor turned = weight.dim() == 2 ? weight.t() : weight;
  if (biased && detail::takes_bias(input, turned, *bias)) {
    return detail::matmul_as(input, turned, {.bias = &*bias});
  }
  Tensor out = matmul(input, turned);
  if (!biased) return out;
  if (out.has_names() || bias->has_names()) return add(out, *bias);
  return out.add_(*bias);
}

Tensor int_mm(const Tensor& x, const Tensor& y) {
  expects_matrix("int_mm", "x", x);
  expects_matrix("int_mm", "mat2", y);
  TANDEM_EXPECTS(
      x.dtype() == y.dtype() && is_integer(x.dtype()) && element_size(x.dtype()) == 1, TypeError,
      fmt::format("[int_mm] expected two matrices of int8 or two of uint8, got {} and {}",
                  name(x.dtype()), name(y.dtype())));
  TANDEM_EXPECTS(x.shape()[1] == y.shape()[0], ShapeError,
                 fmt::format("[int_mm] mat1 and mat2 shapes cannot be multiplied ([{}] and [{}])",
                             fmt::join(x.shape(), ", "), fmt::join(y.shape(), ", ")));
  // What a device's library asks of the layouts, where it takes the sizes: both sides dense along
  // the inner dimension. A copy costs less than it saves.
  const bool fours = x.shape()[1] % 4 == 0 && y.shape()[1] % 4 == 0;
  if (x.device().kind == DeviceKind::CUDA && x.dtype() == DType::int8 && fours && x.numel() > 0 &&
      y.numel() > 0) {
    return detail::matmul_as(x.contiguous(), y.t().contiguous().t(), {.wide = true});
  }
  return detail::matmul_as(x, y, {.wide = true});
}

namespace linalg {

Tensor multi_dot(const std::vector<Tensor>& tensors) {
  constexpr const char* kOp = "linalg_multi_dot";
  const std::size_t n = tensors.size();
  TANDEM_EXPECTS(n >= 2, ValueError,
                 fmt::format("[{}] argument 'tensors': expected two or more, got {}", kOp, n));
  std::vector<Tensor> matrices = tensors;
  for (std::size_t i = 0; i < n; ++i) {
    const bool end = i == 0 || i + 1 == n;
    TANDEM_EXPECTS(tensors[i].dim() == 2 || (end && tensors[i].dim() == 1), ShapeError,
                   fmt::format("[{}] argument 'tensors': expected {} dimensions of tensor {}, got "
                               "{}",
                               kOp, end ? "1 or 2" : "2", i, tensors[i].dim()));
  }
  const bool row = tensors.front().dim() == 1;
  const bool column = tensors.back().dim() == 1;
  if (row) matrices.front() = matrices.front().unsqueeze(0);
  if (column) matrices.back() = matrices.back().unsqueeze(1);
  check_chain(kOp, matrices);
  Tensor out = in_cheapest_order(matrices);
  if (column) out = out.squeeze(-1);
  if (row) out = out.squeeze(0);
  return out;
}

Tensor matrix_power(const Tensor& a, std::int64_t n) {
  constexpr const char* kOp = "linalg_matrix_power";
  TANDEM_EXPECTS(a.dim() >= 2 && a.shape().back() == a.shape()[a.shape().size() - 2], ShapeError,
                 fmt::format("[{}] argument 'A': expected square matrices, got shape [{}]", kOp,
                             fmt::join(a.shape(), ", ")));
  TANDEM_EXPECTS(a.dtype() != DType::bool_, NotImplemented,
                 fmt::format("[{}] not implemented for 'Bool'", kOp));
  if (n == 0) return identities(a);
  Tensor square = a;
  std::uint64_t left = n < 0 ? -static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
  if (n < 0) {
    const OpRow* inverse = find_op("linalg_inv");
    TANDEM_EXPECTS(inverse != nullptr, NotImplemented,
                   fmt::format("[{}] argument 'n': expected a power >= 0, got {}", kOp, n));
    square = call_boxed(*inverse, std::vector<Value>{a})[0].as<Tensor>();
  }
  Tensor out;
  for (;; square = matmul(square, square)) {
    if (left % 2 == 1) out = out.defined() ? matmul(out, square) : square;
    left /= 2;
    if (left == 0) break;
  }
  return n == 1 ? out.clone() : out;
}

}  // namespace linalg

}  // namespace tandem
