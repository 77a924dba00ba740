// matmul: vectors, matrices and broadcast batches.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/ops/contract.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

void check(const Tensor& a, const Tensor& b) {
  TANDEM_EXPECTS(
      a.dim() > 0 && b.dim() > 0, ShapeError,
      fmt::format(
          "[matmul] both arguments to matmul need to be at least 1D, but they are {}D and {}D",
          a.dim(), b.dim()));
  TANDEM_EXPECTS(a.dtype() == b.dtype(), TypeError,
                 fmt::format("[matmul] expected scalar type {} but found {}", info(a.dtype()).title,
                             info(b.dtype()).title));
  TANDEM_EXPECTS(a.dtype() != DType::bool_, NotImplemented,
                 "[matmul] not implemented for 'Bool'; cast to an integer or float dtype");
  const std::int64_t ka = a.shape().back();
  const std::int64_t kb = b.dim() == 1 ? b.shape()[0] : b.shape()[b.shape().size() - 2];
  TANDEM_EXPECTS(ka == kb, ShapeError,
                 fmt::format("[matmul] mat1 and mat2 shapes cannot be multiplied ([{}] and [{}])",
                             fmt::join(a.shape(), ", "), fmt::join(b.shape(), ", ")));
}

Name name_at(const Names& n, std::int64_t from_right) {
  const auto i = static_cast<std::int64_t>(n.size()) - from_right;
  return n.empty() || i < 0 ? Name() : n[static_cast<std::size_t>(i)];
}

Names lead(const Names& n, std::size_t rank, std::size_t dropped) {
  Names out;
  if (n.empty()) return out;
  for (std::size_t i = 0; i + dropped < rank; ++i) out.push_back(n[i]);
  return out;
}

/// Batch names unify, the contracted names must agree, m and n keep theirs.
Names result_names(const Tensor& a, const Tensor& b) {
  const Names& na = a.body_ptr()->names;
  const Names& nb = b.body_ptr()->names;
  if (na.empty() && nb.empty()) return {};
  const bool va = a.dim() == 1;
  const bool vb = b.dim() == 1;
  const Name ka = name_at(na, 1);
  const Name kb = vb ? name_at(nb, 1) : name_at(nb, 2);
  TANDEM_EXPECTS(ka == kb || ka.is_none() || kb.is_none(), ShapeError,
                 fmt::format("[matmul] the contracted dims have different names: '{}' and '{}'",
                             ka.str(), kb.str()));
  const std::size_t drop_a = va ? 1 : 2;
  const std::size_t drop_b = vb ? 1 : 2;
  const std::size_t ra = a.shape().size() - drop_a;
  const std::size_t rb = b.shape().size() - drop_b;
  Names names = detail::unify_names(lead(na, ra + drop_a, drop_a), ra,
                                    lead(nb, rb + drop_b, drop_b), rb, "matmul");
  names.resize(std::max(ra, rb));
  if (!va) names.push_back(name_at(na, 2));
  if (!vb) names.push_back(name_at(nb, 1));
  detail::check_unique(names, "matmul");
  return detail::simplified(names);
}

Dims batch_shape(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  for (std::size_t k = 1; k <= out.size(); ++k) {
    const std::int64_t x = k <= a.size() ? a[a.size() - k] : 1;
    const std::int64_t y = k <= b.size() ? b[b.size() - k] : 1;
    TANDEM_EXPECTS(x == y || x == 1 || y == 1, ShapeError,
                   fmt::format("[matmul] batch sizes [{}] and [{}] do not broadcast",
                               fmt::join(a, ", "), fmt::join(b, ", ")));
    out[out.size() - k] = x == 1 ? y : x;
  }
  return out;
}

/// Batch dimensions expanded and flattened to one: [batch, r, c]; batch 1 where nothing varies.
Tensor flatten_batch(const Tensor& t, const Dims& batch) {
  const std::size_t rank = t.shape().size();
  const std::int64_t r = t.shape()[rank - 2];
  const std::int64_t c = t.shape()[rank - 1];
  bool varies = false;
  for (std::size_t i = 0; i + 2 < rank; ++i) varies = varies || t.shape()[i] != 1;
  if (!varies) return t.reshape({1, r, c});
  Dims full = batch;
  std::int64_t count = 1;
  for (const std::int64_t s : batch) count *= s;
  full.push_back(r);
  full.push_back(c);
  return t.expand(full).reshape({count, r, c});
}

/// A matrix times a vector: one sum of products a row, with equal bits on every backend.
Tensor matrix_vector(const Tensor& a, const Tensor& v) {
  return detail::product_sum(op::matmul, a, v.expand(a.shape()), a.dim() - 1);
}

/// Batches that would have to be copied to have one stride: where they lie, if that is one launch
/// (as on a device) or a few of much work each. Else undefined.
Tensor in_place(const Tensor& a, const Tensor& b, const Dims& batch,
                const detail::ProductForm& form) {
  constexpr std::int64_t kMostCalls = 256, kOwnCall = std::int64_t(1) << 20;
  const auto whole = [&](const Tensor& t) {
    Dims full = batch;
    for (const std::int64_t s : t.shape().last(2)) full.push_back(s);
    return t.expand(full);
  };
  const Tensor x = whole(a);
  const Tensor y = whole(b);
  const std::int64_t calls = x.numel() == 0 || y.numel() == 0 ? 1 : detail::strided_batches(x, y);
  if (calls == 1) return {};
  const std::int64_t work = x.numel() / calls * y.shape().back();
  if (!a.device().is_cuda() && (calls > kMostCalls || work < kOwnCall)) return {};
  return detail::product_of_places(op::matmul, x, y, form);
}

Tensor matmul_unnamed(const Tensor& a, const Tensor& b, const detail::ProductForm& form) {
  if (b.dim() == 1) return matrix_vector(a, b);
  if (a.dim() == 1) return matrix_vector(b.transpose(-1, -2), a);
  const Dims batch = batch_shape(Dims(a.shape().first(a.shape().size() - 2)),
                                 Dims(b.shape().first(b.shape().size() - 2)));
  const std::int64_t m = a.shape()[a.shape().size() - 2];
  const std::int64_t n = b.shape().back();
  Dims shape = batch;
  shape.push_back(m);
  shape.push_back(n);
  std::int64_t count = 1;
  for (const std::int64_t s : batch) count *= s;
  // A batch of matrices times one matrix is one tall product.
  if (b.dim() == 2 && a.dim() > 2 && count > 0) {
    const Tensor tall = a.reshape({1, count * m, a.shape().back()});
    return detail::batched_product(op::matmul, tall, b.unsqueeze(0), nullptr, form).view(shape);
  }
  if (const Tensor out = in_place(a, b, batch, form); out.defined()) return out.view(shape);
  if (count == 0) return zeros(shape, {.dtype = a.dtype(), .device = a.device()});
  return detail::batched_product(op::matmul, flatten_batch(a, batch), flatten_batch(b, batch),
                                 nullptr, form)
      .view(shape);
}

}  // namespace

namespace detail {

bool takes_bias(const Tensor& a, const Tensor& b, const Tensor& bias) {
  return a.device().kind == DeviceKind::CUDA && dtypes::Floats.has(a.dtype()) && a.dim() >= 2 &&
         b.dim() == 2 && bias.dim() == 1 && bias.shape()[0] == b.shape()[1] &&
         bias.is_contiguous() && bias.dtype() == a.dtype() && a.numel() > 0 &&
         !(a.has_names() || b.has_names() || bias.has_names());
}

Tensor matmul_as(const Tensor& a, const Tensor& b, const ProductForm& form) {
  check(a, b);
  Names names = result_names(a, b);
  const bool named = a.has_names() || b.has_names();
  Tensor out = named ? matmul_unnamed(a.rename(std::nullopt), b.rename(std::nullopt), form)
                     : matmul_unnamed(a, b, form);
  if (names.empty()) return out;
  return out.rename_(names);
}

}  // namespace detail

Tensor matmul(const Tensor& a, const Tensor& b) { return detail::matmul_as(a, b, {}); }

Tensor Tensor::matmul(const Tensor& other) const { return tandem::matmul(*this, other); }

}  // namespace tandem
