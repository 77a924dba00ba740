// Products by PyTorch's and the Array API's other names: forms of matmul, of einsum and of a sum of
// products.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/contract.h"
#include "runtime/ops/movement.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

void expects_rank(const char* op, const char* argument, const Tensor& t, std::int64_t rank) {
  TANDEM_EXPECTS(t.dim() == rank, ShapeError,
                 fmt::format("[{}] argument '{}': expected {} dimension{}, got {}", op, argument,
                             rank, rank == 1 ? "" : "s", t.dim()));
}

void expects_vectors(const char* op, const Tensor& x, const Tensor& y) {
  TANDEM_EXPECTS(
      x.dim() == 1 && y.dim() == 1, ShapeError,
      fmt::format("[{}] 1D tensors expected, but got {}D and {}D tensors", op, x.dim(), y.dim()));
  TANDEM_EXPECTS(x.numel() == y.numel(), ShapeError,
                 fmt::format("[{}] inconsistent tensor size, expected tensor [{}] and src [{}] to "
                             "have the same number of elements",
                             op, x.numel(), y.numel()));
}

/// beta * x + alpha * product, each product and the sum rounded; x is not read where beta is 0.
Tensor blend(const char* op, const Tensor& x, Tensor product, const Scalar& beta,
             const Scalar& alpha) {
  TANDEM_EXPECTS(x.dtype() == product.dtype(), TypeError,
                 fmt::format("[{}] expected scalar type {} but found {}", op,
                             info(product.dtype()).title, info(x.dtype()).title));
  TANDEM_EXPECTS(
      category(product.dtype()) > Category::Integer || (alpha.is_integral() && beta.is_integral()),
      TypeError,
      fmt::format("[{}] For integral input tensors, alpha and beta must not be floating "
                  "point numbers.",
                  op));
  const Tensor* both[] = {&x, &product};
  const Dims shape = detail::broadcast_shape(both, op);
  TANDEM_EXPECTS(std::ranges::equal(product.shape(), std::span<const std::int64_t>(shape)),
                 ShapeError,
                 fmt::format("[{}] The expanded size of the tensor must match the product's: got "
                             "shapes [{}] and [{}]",
                             op, fmt::join(x.shape(), ", "), fmt::join(product.shape(), ", ")));
  const auto is_one = [](const Scalar& s) { return s.to_complex() == std::complex<double>(1); };
  // The product is nobody else's: what comes next is written over it.
  if (!is_one(alpha)) product.mul_(alpha);
  if (beta.is_zero()) return product;
  const Tensor scaled = is_one(beta) ? x : mul(x, beta);
  if (x.has_names() || product.has_names()) return add(scaled, product);
  return product.add_(scaled);
}

Tensor unnamed(const Tensor& t) { return t.has_names() ? t.rename(std::nullopt) : t; }

/// The letters of einsum, in its order.
char letter(std::size_t i) {
  return static_cast<char>(i < 26 ? 'A' + static_cast<int>(i) : 'a' + static_cast<int>(i) - 26);
}

struct Pairs {
  SmallVector<Axis, 6> first, second;
};

Tensor contract(const Tensor& x, const Tensor& y, const Pairs& pairs) {
  TANDEM_EXPECTS(pairs.first.size() == pairs.second.size(), ValueError,
                 fmt::format("[tensordot] both dimension lists should have same length, got {} and "
                             "{}",
                             pairs.first.size(), pairs.second.size()));
  const std::size_t free =
      x.shape().size() + y.shape().size() - 2 * std::min(pairs.first.size(), x.shape().size());
  TANDEM_EXPECTS(free + pairs.first.size() <= 52, ShapeError,
                 "[tensordot] expected fewer dimensions than 52 in all");
  std::string left(x.shape().size(), ' ');
  std::string right(y.shape().size(), ' ');
  std::size_t next = 0;
  for (std::size_t k = 0; k < pairs.first.size(); ++k) {
    const auto i = static_cast<std::size_t>(detail::resolve_axis(pairs.first[k], x, "tensordot"));
    const auto j = static_cast<std::size_t>(detail::resolve_axis(pairs.second[k], y, "tensordot"));
    TANDEM_EXPECTS(x.dim() > 0 && y.dim() > 0 && left[i] == ' ' && right[j] == ' ', ShapeError,
                   fmt::format("[tensordot] dim {} or {} appears multiple times in the lists of "
                               "dims, or a tensor has none",
                               i, j));
    TANDEM_EXPECTS(x.shape()[i] == y.shape()[j], ShapeError,
                   fmt::format("[tensordot] contracted dimensions need to match, but first has "
                               "size {} in dim {} and second has size {} in dim {}",
                               x.shape()[i], i, y.shape()[j], j));
    left[i] = right[j] = letter(next++);
  }
  std::string out;
  for (std::string* side : {&left, &right}) {
    for (char& c : *side) {
      if (c != ' ') continue;
      c = letter(next++);
      out += c;
    }
  }
  const DType dtype = promote_types(x.dtype(), y.dtype());
  return einsum(left + "," + right + "->" + out, {x.to(dtype), y.to(dtype)});
}

}  // namespace

Tensor mm(const Tensor& x, const Tensor& y) {
  expects_rank("mm", "x", x, 2);
  expects_rank("mm", "mat2", y, 2);
  return matmul(x, y);
}

Tensor mv(const Tensor& x, const Tensor& vec) {
  expects_rank("mv", "x", x, 2);
  expects_rank("mv", "vec", vec, 1);
  return matmul(x, vec);
}

Tensor bmm(const Tensor& x, const Tensor& y) {
  expects_rank("bmm", "x", x, 3);
  expects_rank("bmm", "mat2", y, 3);
  TANDEM_EXPECTS(x.shape()[0] == y.shape()[0], ShapeError,
                 fmt::format("[bmm] Expected size for first two dimensions of batch2 tensor to be: "
                             "[{}, {}] but got: [{}, {}].",
                             x.shape()[0], x.shape()[2], y.shape()[0], y.shape()[1]));
  return matmul(x, y);
}

Tensor dot(const Tensor& x, const Tensor& y) {
  expects_vectors("dot", x, y);
  return matmul(x, y);
}

Tensor vdot(const Tensor& x, const Tensor& y) {
  expects_vectors("vdot", x, y);
  return matmul(detail::conjugate(x), y);
}

Tensor vecdot(const Tensor& x, const Tensor& y, Axis axis) {
  const Tensor* both[] = {&x, &y};
  (void)detail::common_device(op::vecdot, both);
  const Names names = detail::unify_names(x.body_ptr()->names, x.shape().size(),
                                          y.body_ptr()->names, y.shape().size(), "vecdot");
  Dims shape = detail::broadcast_shape(both, "vecdot");
  TANDEM_EXPECTS(!shape.empty(), ShapeError, "[vecdot] expected tensors with dimensions, got 0-d");
  const DType dtype = promote_types(x.dtype(), y.dtype());
  TANDEM_EXPECTS(dtype != DType::bool_, NotImplemented,
                 "[vecdot] not implemented for 'Bool'; cast to an integer or float dtype");
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t d =
      detail::resolve_axis(axis, rank, names.empty() ? Names(shape.size()) : names, "vecdot");
  const auto side = [&](const Tensor& t) {
    const std::size_t lead = shape.size() - t.shape().size();
    const auto own = static_cast<std::size_t>(d);
    TANDEM_EXPECTS(own >= lead && t.shape()[own - lead] == shape[own], ShapeError,
                   fmt::format("[vecdot] expected both tensors to have the same size along "
                               "dimension {}, got shapes [{}] and [{}]",
                               d, fmt::join(x.shape(), ", "), fmt::join(y.shape(), ", ")));
    return unnamed(t.to(dtype)).expand(shape).movedim(d, rank - 1);
  };
  Tensor out = detail::product_sum(op::vecdot, side(detail::conjugate(x)), side(y), rank - 1);
  out.body_ptr()->names = detail::names_without(names, std::uint64_t(1) << d, false);
  return out;
}

Tensor outer(const Tensor& x, const Tensor& y) {
  expects_rank("outer", "x", x, 1);
  expects_rank("outer", "vec2", y, 1);
  return mul(x.unsqueeze(1), y);
}

Tensor inner(const Tensor& x, const Tensor& y) {
  if (x.dim() == 0 || y.dim() == 0) return mul(x, y);
  TANDEM_EXPECTS(x.shape().back() == y.shape().back(), ShapeError,
                 fmt::format("[inner] the last dimension must match on both input tensors but got "
                             "shapes [{}] and [{}]",
                             fmt::join(x.shape(), ", "), fmt::join(y.shape(), ", ")));
  return contract(x, y, {{Axis(-1)}, {Axis(-1)}});
}

Tensor kron(const Tensor& x, const Tensor& y) {
  const std::size_t rank = std::max(x.shape().size(), y.shape().size());
  detail::check_rank(2 * rank, "kron");
  Dims own;
  Dims other;
  Dims shape;
  const auto size = [&](const Tensor& t, std::size_t d) {
    const std::size_t lead = rank - t.shape().size();
    return d < lead ? 1 : t.shape()[d - lead];
  };
  for (std::size_t d = 0; d < rank; ++d) {
    own.push_back(size(x, d));
    own.push_back(1);
    other.push_back(1);
    other.push_back(size(y, d));
    std::int64_t n = 0;
    TANDEM_EXPECTS(!__builtin_mul_overflow(size(x, d), size(y, d), &n), ValueError,
                   "[kron] the result has more elements than 64 bits count");
    shape.push_back(n);
  }
  return mul(unnamed(x).reshape(own), unnamed(y).reshape(other)).reshape(shape);
}

Tensor tensordot(const Tensor& x, const Tensor& y, std::int64_t n) {
  TANDEM_EXPECTS(n >= 0 && n <= x.dim() && n <= y.dim(), ValueError,
                 fmt::format("[tensordot] argument 'dims': expected a number of dimensions of both "
                             "tensors, got {}",
                             n));
  Pairs pairs;
  for (std::int64_t k = 0; k < n; ++k) {
    pairs.first.push_back(Axis(x.dim() - n + k));
    pairs.second.push_back(Axis(k));
  }
  return contract(x, y, pairs);
}

Tensor tensordot(const Tensor& x, const Tensor& y, const Axes& first, const Axes& second) {
  return contract(x, y, {first.list(), second.list()});
}

Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta,
             const Scalar& alpha) {
  expects_rank("addmm", "mat1", a, 2);
  expects_rank("addmm", "mat2", b, 2);
  const bool plain = beta.to_complex() == 1.0 && alpha.to_complex() == 1.0;
  const Tensor* all[] = {&x, &a, &b};
  if (plain && a.dtype() == b.dtype() && a.shape()[1] == b.shape()[0] &&
      detail::takes_bias(a, b, x)) {
    (void)detail::common_device(*find_op("addmm"), all);
    return detail::matmul_as(a, b, {.bias = &x});
  }
  return blend("addmm", x, matmul(a, b), beta, alpha);
}

Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& v, const Scalar& beta,
             const Scalar& alpha) {
  expects_rank("addmv", "mat", a, 2);
  expects_rank("addmv", "vec", v, 1);
  return blend("addmv", x, matmul(a, v), beta, alpha);
}

Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta,
               const Scalar& alpha) {
  return blend("baddbmm", x, bmm(a, b), beta, alpha);
}

Tensor addbmm(const Tensor& x, const Tensor& a, const Tensor& b, const Scalar& beta,
              const Scalar& alpha) {
  expects_rank("addbmm", "batch1", a, 3);
  expects_rank("addbmm", "batch2", b, 3);
  const IntSpan s = a.shape();
  const IntSpan t = b.shape();
  TANDEM_EXPECTS(s[0] == t[0] && s[2] == t[1], ShapeError,
                 fmt::format("[addbmm] batch1 and batch2 must fit, got shapes [{}] and [{}]",
                             fmt::join(s, ", "), fmt::join(t, ", ")));
  // One product over the batch and the inner dimension together.
  const Tensor wide = unnamed(a).permute({1, 0, 2}).reshape({s[1], s[0] * s[2]});
  const Tensor tall = unnamed(b).reshape({t[0] * t[1], t[2]});
  return blend("addbmm", x, matmul(wide, tall), beta, alpha);
}

Tensor addr(const Tensor& x, const Tensor& u, const Tensor& v, const Scalar& beta,
            const Scalar& alpha) {
  expects_rank("addr", "vec1", u, 1);
  expects_rank("addr", "vec2", v, 1);
  return blend("addr", x, outer(u, v), beta, alpha);
}

namespace ops {

Tensor tensordot(const Tensor& x, const Tensor& other, const Value& dims) {
  if (dims.is<Scalar>()) {
    TANDEM_EXPECTS(dims.as<Scalar>().is_integral(), TypeError,
                   "[tensordot] argument 'dims': expected an int or two lists of axes");
    return tandem::tensordot(x, other, dims.as<Scalar>().to_int());
  }
  SmallVector<Axis, 6> list;
  if (dims.is<Dims>()) {
    for (const std::int64_t i : dims.as<Dims>()) list.push_back(Axis(i));
  } else {
    TANDEM_EXPECTS((dims.is<SmallVector<Axis, 6>>()), TypeError,
                   "[tensordot] argument 'dims': expected an int or two lists of axes");
    list = dims.as<SmallVector<Axis, 6>>();
  }
  TANDEM_EXPECTS(list.size() % 2 == 0, ValueError,
                 "[tensordot] both dimension lists should have same length");
  Pairs pairs;
  for (std::size_t k = 0; k < list.size(); ++k) {
    (k < list.size() / 2 ? pairs.first : pairs.second).push_back(list[k]);
  }
  return contract(x, other, pairs);
}

}  // namespace ops

}  // namespace tandem
