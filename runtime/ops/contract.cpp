// Launches of sums of products.
#include "runtime/ops/contract.h"

#include <fmt/format.h>

#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "runtime/dispatch/promote.h"
#include "tandem/backend/product.h"
#include "tandem/exact.h"
#include "tandem/op_table.h"
#include "tandem/tf32.h"

namespace tandem::detail {

namespace {

/// Products of bool are not summed, as in PyTorch.
void check_summable(const OpRow& row, DType dtype) {
  TANDEM_EXPECTS(dtype != DType::bool_, NotImplemented,
                 std::string("[") + row.name +
                     "] not implemented for 'Bool'; cast to an integer or float dtype");
}

/// All but the batch.
ProductLaunch launch_of(const Tensor& a, const Tensor& b, const Tensor& out,
                        const ProductForm& form) {
  const IntSpan rows = a.strides().last(2);
  const IntSpan columns = b.strides().last(2);
  ProductLaunch g{};
  g.exact = is_exact();
  g.tf32 = allow_tf32();
  g.m = out.shape()[1];
  g.k = a.shape().back();
  g.n = out.shape()[2];
  g.a = a.data_ptr();
  g.b = b.data_ptr();
  g.c = out.data_ptr();
  g.a_row = rows[0];
  g.a_col = rows[1];
  g.b_row = columns[0];
  g.b_col = columns[1];
  g.c_batch = out.strides()[0];
  g.c_row = out.strides()[1];
  g.c_col = out.strides()[2];
  g.dtype = a.dtype();
  g.device = out.device();
  g.wide = form.wide;
  if (form.bias != nullptr) g.bias = form.bias->data_ptr();
  g.stream = form.bias != nullptr ? launch_stream(g.device, {&out}, {&a, &b, form.bias})
                                  : launch_stream(g.device, {&out}, {&a, &b});
  return g;
}

/// The batch dimensions of both, those merged that lie one after the other in both.
struct Places {
  SmallVector<std::int64_t, 6> size, a, b;

  Places(const Tensor& x, const Tensor& y) {
    for (std::size_t d = 0; d + 2 < x.shape().size(); ++d) {
      if (x.shape()[d] == 1) continue;
      const std::int64_t n = x.shape()[d];
      const std::int64_t s = x.strides()[d];
      const std::int64_t t = y.strides()[d];
      if (!size.empty() && a.back() == s * n && b.back() == t * n) {
        size.back() *= n;
        a.back() = s;
        b.back() = t;
        continue;
      }
      size.push_back(n);
      a.push_back(s);
      b.push_back(t);
    }
  }
};

}  // namespace

std::int64_t strided_batches(const Tensor& a, const Tensor& b) {
  const Places p(a, b);
  std::int64_t n = 1;
  for (std::size_t d = 0; d + 1 < p.size.size(); ++d) n *= p.size[d];
  return n;
}

Tensor product_of_places(const OpRow& row, const Tensor& a, const Tensor& b,
                         const ProductForm& form) {
  const Places p(a, b);
  std::int64_t places = 1;
  for (const std::int64_t n : p.size) places *= n;
  const auto infer = [&] {
    check_summable(row, a.dtype());
    const Tensor* both[] = {&a, &b};
    const std::size_t rank = a.shape().size();
    return OutSpec{Dims{places, a.shape()[rank - 2], b.shape().back()},
                   form.wide ? DType::int32 : a.dtype(),
                   common_device(row, both),
                   {}};
  };
  const auto go = [&](const Tensor& out) {
    if (out.numel() == 0) return;
    ProductLaunch g = launch_of(a, b, out, form);
    const std::size_t last = p.size.size() - 1;
    g.batch = p.size[last];
    g.a_batch = p.a[last];
    g.b_batch = p.b[last];
    g.outer = static_cast<int>(last);
    for (std::size_t d = 0; d < last; ++d) {
      g.outer_shape[d] = p.size[d];
      g.outer_a[d] = p.a[d];
      g.outer_b[d] = p.b[d];
    }
    detail::launch(op::matmul, g.device, &g);
  };
  return run_one(row, nullptr, infer, go);
}

Tensor product_sum(const OpRow& row, const Tensor& a, const Tensor& b, std::int64_t outer_rank) {
  const IntSpan shape = a.shape();
  const auto outer = static_cast<std::size_t>(outer_rank);
  const DType dtype = a.dtype();
  const auto infer = [&] {
    check_summable(row, dtype);
    const Tensor* both[] = {&a, &b};
    return OutSpec{Dims(shape.first(outer)), dtype, common_device(row, both), {}};
  };
  const auto go = [&](const Tensor& out) {
    if (out.numel() == 0) return;
    std::int64_t strides[3][kMaxRank];
    byte_strides(out, strides[0]);
    byte_strides(a, strides[1]);
    byte_strides(b, strides[2]);
    ReduceLaunch launch{};
    launch.row = &op::sum;
    launch.numel = out.numel();
    launch.n = 1;
    for (const std::int64_t s : shape.subspan(outer)) launch.n *= s;
    launch.shape = shape.data();
    launch.rank_outer = static_cast<int>(outer);
    launch.rank_reduced = static_cast<int>(shape.size() - outer);
    launch.n_out = 1;
    launch.n_in = 2;
    launch.dtype = dtype;
    launch.device = out.device();
    launch.stream = launch_stream(launch.device, {&out}, {&a, &b});
    launch.operands[0] = OperandDesc{out.data_ptr(), strides[0], {}, dtype, dtype};
    launch.operands[1] = OperandDesc{a.data_ptr(), strides[1], {}, dtype, dtype};
    launch.operands[2] = OperandDesc{b.data_ptr(), strides[2], {}, dtype, dtype};
    detail::launch(op::sum, launch.device, &launch);
  };
  return run_one(row, nullptr, infer, go);
}

Tensor batched_product(const OpRow& row, const Tensor& a, const Tensor& b, Tensor* given,
                       const ProductForm& form) {
  const IntSpan sa = a.shape();
  const IntSpan sb = b.shape();
  const DType dtype = a.dtype();
  const DType result = form.wide ? DType::int32 : dtype;
  const auto infer = [&] {
    check_summable(row, dtype);
    const Tensor* both[] = {&a, &b};
    return OutSpec{
        Dims{std::max(sa[0], sb[0]), sa[1], sb[2]}, result, common_device(row, both), {}};
  };
  const auto go = [&](const Tensor& out) {
    if (out.numel() == 0) return;
    const auto step = [](const Tensor& t) { return t.shape()[0] == 1 ? 0 : t.strides()[0]; };
    ProductLaunch g = launch_of(a, b, out, form);
    g.batch = out.shape()[0];
    g.a_batch = step(a);
    g.b_batch = step(b);
    detail::launch(op::matmul, g.device, &g);
  };
  return run_one(row, given, infer, go);
}

}  // namespace tandem::detail
