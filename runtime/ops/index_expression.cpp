// t[...]: integers, slices, None, ... and bools make a view; what arrays and masks are left read or
// write at its places.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/ops/indexing.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

namespace {

/// A tensor among the indices that counts as an array or a mask.
bool is_mask(const Tensor& t) { return t.dtype() == DType::bool_ || t.dtype() == DType::uint8; }

/// What a 0-d tensor stands for: an integer, or as a mask a bool.
Index plain_index(const Tensor& t) {
  TANDEM_EXPECTS(is_mask(t) || is_integer(t.dtype()), IndexError,
                 fmt::format("tensors used as indices must be long, int, byte or bool tensors, "
                             "got {}",
                             name(t.dtype())));
  const Scalar s = t.item();
  return is_mask(t) ? Index(s.to_bool()) : Index(s.to_int());
}

/// Dimensions of the indexed tensor that an index takes.
std::int64_t consumes(const Index& i) {
  switch (i.kind()) {
    case Index::Kind::Int:
    case Index::Kind::Slice:
      return 1;
    case Index::Kind::Tensor:
      return is_mask(i.tensor()) ? i.tensor().dim() : 1;
    default:
      return 0;
  }
}

/// One walk over an index expression.
class Reader {
 public:
  Reader(const Tensor& x, std::span<const Index> list) : x_(x), from_(&x) {
    for (const Index& i : list) {
      consumed_ += consumes(i);
      arrays_ = arrays_ || i.kind() == Index::Kind::Tensor;
    }
    if (x.dim() == 0 && consumed_ > 0) {
      detail::fail<IndexError>(
          "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` "
          "in C++ to "
          "convert a 0-dim tensor to a number");
    }
    TANDEM_EXPECTS(consumed_ <= x.dim(), IndexError,
                   fmt::format("too many indices for tensor of dimension {}", x.dim()));
    for (const Index& i : list) take(i);
  }

  detail::Expression result() && {
    return {from_ == &x_ ? x_.alias() : std::move(view_), std::move(of_dim_)};
  }

 private:
  void take(const Index& i) {
    // As in PyTorch, each '...' skips as many dimensions as the first, which may be too many.
    TANDEM_EXPECTS(d_ < from_->dim() || consumes(i) == 0, IndexError,
                   "[index] expected a single ellipsis ('...'), got several and too many indices");
    switch (i.kind()) {
      case Index::Kind::Int: {
        const std::int64_t size = from_->shape()[static_cast<std::size_t>(d_)];
        TANDEM_EXPECTS(i.integer() >= -size && i.integer() < size, IndexError,
                       fmt::format("index {} is out of bounds for dimension {} with size {}",
                                   i.integer(), d_, size));
        return step(from_->select(d_, i.integer()));
      }
      case Index::Kind::Slice:
        return step(from_->slice(d_++, i.slice().start, i.slice().stop, i.slice().step));
      case Index::Kind::Ellipsis:
        d_ = std::min(d_ + x_.dim() - consumed_, from_->dim());
        return;
      case Index::Kind::None:
        return step(from_->unsqueeze(d_++));
      case Index::Kind::Bool:
        return take_bool(i.integer() != 0);
      case Index::Kind::Tensor:
        place(detail::on_device_of(i.tensor(), x_));
        return;
    }
  }

  /// True adds a dimension of 1, False one of 0; beside arrays it is one itself.
  void take_bool(bool value) {
    step(from_->unsqueeze(d_));
    if (arrays_) {
      const Tensor zero = zeros({value ? 1 : 0}, {.dtype = DType::int64, .device = x_.device()});
      return place(zero);
    }
    if (!value) step(from_->narrow(d_, 0, 0));
    ++d_;
  }

  void place(const Tensor& array) {
    of_dim_.resize(static_cast<std::size_t>(d_ + 1) - covered_);
    of_dim_.back() = array;
    const std::int64_t covers = is_mask(array) ? array.dim() : 1;
    // A mask stands for as many dimensions as it has, and is one entry of the list.
    covered_ += static_cast<std::size_t>(covers - 1);
    d_ += covers;
  }

  void step(Tensor&& next) {
    view_ = std::move(next);
    from_ = &view_;
  }

  const Tensor& x_;
  const Tensor* from_;  // a view of x_, or still x_ itself
  Tensor view_;
  std::vector<Tensor> of_dim_;
  std::int64_t consumed_ = 0;
  std::int64_t d_ = 0;
  std::size_t covered_ = 0;  // dimensions that masks take beyond their entries
  bool arrays_ = false;
};

/// Whether the list has tensors; 0-d ones are no arrays.
bool has_tensors(std::span<const Index> list) {
  return std::any_of(list.begin(), list.end(),
                     [](const Index& i) { return i.kind() == Index::Kind::Tensor; });
}

}  // namespace

namespace detail {

Expression read_expression(const Tensor& x, const Index* list, std::size_t n) {
  const std::span<const Index> given(list, n);
  if (!has_tensors(given)) return Reader(x, given).result();
  std::vector<Index> plain;
  for (const Index& i : given) {
    const bool zero_d = i.kind() == Index::Kind::Tensor && i.tensor().dim() == 0;
    plain.push_back(zero_d ? plain_index(i.tensor()) : i);
  }
  return Reader(x, plain).result();
}

}  // namespace detail

Tensor Tensor::index_by(const Index* list, std::size_t n) const {
  detail::Expression e = detail::read_expression(*this, list, n);
  return e.arrays.empty() ? std::move(e.view) : tandem::index(e.view, e.arrays);
}

namespace {

/// x[mask] = one value needs no coordinates, and waits for nothing.
bool is_fill(const detail::Expression& e, const Arg& value) {
  const bool one = !value.is_tensor() || value.tensor().numel() == 1;
  if (!one || e.arrays.size() != 1 || e.arrays[0].dtype() != DType::bool_) return false;
  const IntSpan mask = e.arrays[0].shape();
  return mask.size() <= e.view.shape().size() &&
         std::equal(mask.begin(), mask.end(), e.view.shape().begin());
}

void fill_masked(const detail::Expression& e, const Arg& value) {
  Tensor mask = e.arrays[0];
  // The mask covers the leading dimensions.
  Dims shape(mask.shape());
  shape.resize(e.view.shape().size(), 1);
  mask = mask.rename(std::nullopt).reshape(shape);
  if (value.is_tensor()) {
    const Tensor& t = value.tensor();
    TANDEM_EXPECTS(t.dtype() == e.view.dtype(), TypeError,
                   fmt::format("[index_put_] Index put requires the source and destination dtypes "
                               "match, got {} for the destination and {} for the source.",
                               info(e.view.dtype()).title, info(t.dtype()).title));
    masked_fill_(e.view, mask, t.rename(std::nullopt).reshape({}));
  } else {
    masked_fill_(e.view, mask, value);
  }
}

}  // namespace

void set_index(const Tensor& x, const std::vector<Index>& index, const Arg& value) {
  detail::Expression e = detail::read_expression(x, index.data(), index.size());
  if (is_fill(e, value)) return fill_masked(e, value);
  if (!e.arrays.empty()) {
    Tensor values;
    if (value.is_tensor()) {
      values = value.tensor();
    } else {
      TANDEM_EXPECTS(x.dtype() == DType::bool_ || value.scalar().fits(x.dtype()), ValueError,
                     fmt::format("[index_put_] value {} cannot be converted to type {} without "
                                 "overflow",
                                 value.scalar().str(), name(x.dtype())));
      values = full({}, value.scalar(), {.dtype = x.dtype()});
    }
    index_put_(e.view, e.arrays, values);
    return;
  }
  if (!value.is_tensor()) {
    e.view.fill_(value.scalar());
    return;
  }
  Tensor source = value.tensor();
  while (source.dim() > e.view.dim() && source.shape()[0] == 1) source = source.select(0, 0);
  e.view.copy_(source);
}

}  // namespace tandem
