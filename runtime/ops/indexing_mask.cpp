// Front-ends of the rows that take masks or find elements that are not 0.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "runtime/dispatch/plan.h"
#include "runtime/ops/indexing.h"
#include "runtime/tensor/names.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"

namespace tandem {

using detail::OutSpec;

namespace detail {

Tensor as_mask(const OpRow& row, const Tensor& mask) {
  TANDEM_EXPECTS(mask.dtype() == DType::bool_ || mask.dtype() == DType::uint8, TypeError,
                 fmt::format("[{}] argument 'mask': expected a bool tensor, got {}", row.name,
                             name(mask.dtype())));
  return mask.rename(std::nullopt).contiguous();
}

void launch_mask(MaskLaunch& l, const OpRow& row, MaskStage stage, const Tensor& mask,
                 const Tensor& offsets, const Tensor* out, const Tensor* from) {
  l.row = &row;
  l.stage = stage;
  l.mask = static_cast<const std::uint8_t*>(mask.data_ptr());
  l.n = mask.numel();
  l.offsets = static_cast<std::int64_t*>(offsets.data_ptr());
  l.device = mask.device();
  const bool counts = stage == MaskStage::Count;
  l.stream = launch_stream(l.device, {counts ? &offsets : out},
                           {&mask, counts ? nullptr : &offsets, from});
  launch(op::nonzero, l.device, &l);
}

Tensor count_set(const OpRow& row, const Tensor& mask) {
  TANDEM_EXPECTS(!mask.is_meta(), NotImplemented,
                 fmt::format("[{}] the result's shape depends on the elements; a meta tensor has "
                             "none",
                             row.name));
  MaskLaunch l{};
  l.n = mask.numel();
  const Tensor offsets = make_empty(IntSpan{l.tiles() + 1}, DType::int64, mask.device());
  launch_mask(l, row, MaskStage::Count, mask, offsets, nullptr, nullptr);
  return offsets;
}

std::int64_t total_set(const Tensor& offsets) { return offsets.select(0, -1).item().to_int(); }

namespace {

/// Rows of coordinates into `out`, [limit][rank].
void write_coordinates(const OpRow& row, const Tensor& mask, IntSpan shape, const Tensor& offsets,
                       const Tensor& out) {
  if (out.numel() == 0) return;
  MaskLaunch l{};
  l.out = out.data_ptr();
  l.limit = out.shape()[0];
  l.shape = shape.data();
  l.rank = static_cast<int>(shape.size());
  launch_mask(l, row, MaskStage::Coordinates, mask, offsets, &out, nullptr);
}

/// Whether each element is not 0, as dense bytes; itself where it is that already.
Tensor nonzero_mask(const Tensor& x) {
  const Tensor plain = x.rename(std::nullopt);
  if (x.element_size() == 1) return plain.contiguous();
  return ne(plain, 0).contiguous();
}

}  // namespace

Tensor coordinates(const OpRow& row, const Tensor& any) {
  const Tensor mask = as_mask(row, any);
  const Tensor offsets = count_set(row, mask);
  Tensor out = make_empty(IntSpan{total_set(offsets), any.dim()}, DType::int64, any.device());
  write_coordinates(row, mask, any.shape(), offsets, out);
  return out;
}

Arg filling(const OpRow& row, const Tensor& x, const Arg& value, Tensor& held) {
  if (!value.is_tensor()) {
    const Scalar& s = value.scalar();
    TANDEM_EXPECTS(x.dtype() == DType::bool_ || s.fits(x.dtype()), ValueError,
                   fmt::format("[{}] value {} cannot be converted to type {} without overflow",
                               row.name, s.str(), name(x.dtype())));
    return visit(x.dtype(), [&]<class T>() { return Arg(Scalar::from_element(s.to<T>())); });
  }
  const Tensor& t = value.tensor();
  TANDEM_EXPECTS(t.dim() == 0, ShapeError,
                 fmt::format("[{}] only supports a 0-dimensional value tensor, but got tensor "
                             "with {} dimension(s)",
                             row.name, t.dim()));
  TANDEM_EXPECTS(can_cast(t.dtype(), x.dtype()), TypeError,
                 fmt::format("[{}] value cannot be converted to type {}, got {}", row.name,
                             name(x.dtype()), name(t.dtype())));
  if (t.device().is_cpu() && !x.device().is_cpu()) {  // read here, so that nothing waits
    return visit(x.dtype(), [&]<class T>() { return Arg(Scalar::from_element(t.item<T>())); });
  }
  check_same_device(row, x, t);
  held = t.to(x.dtype());
  return held;
}

}  // namespace detail

namespace {

/// The coordinates of what is not 0, over a shape of at least no dimension.
Tensor find_nonzero(const OpRow& row, const Tensor& x) {
  const trace::OpScope scope(row.name);
  TANDEM_EXPECTS(!x.is_meta(), NotImplemented,
                 fmt::format("[{}] the result's shape depends on the elements; a meta tensor has "
                             "none",
                             row.name));
  const Tensor mask = detail::nonzero_mask(x);
  const Tensor offsets = detail::count_set(row, mask);
  const std::int64_t found = detail::total_set(offsets);
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{{found, x.dim()}, DType::int64, x.device(), {}};
      },
      [&](const Tensor& out) { detail::write_coordinates(row, mask, x.shape(), offsets, out); });
}

/// x and mask as they broadcast, and the names of that.
struct Masked {
  Tensor x, mask;
  Names names;
};

Masked broadcast_mask(const OpRow& row, const Tensor& x, const Tensor& mask) {
  TANDEM_EXPECTS(mask.dtype() == DType::bool_ || mask.dtype() == DType::uint8, TypeError,
                 fmt::format("[{}] argument 'mask': expected a bool tensor, got {}", row.name,
                             name(mask.dtype())));
  TANDEM_EXPECTS(x.device() == mask.device(), DeviceError,
                 fmt::format("[{}] Expected all tensors to be on the same device, but found at "
                             "least two devices, {} and {}!",
                             row.name, x.device().str(), mask.device().str()));
  const Tensor* both[] = {&x, &mask};
  const Dims shape = detail::broadcast_shape(both, row.name);
  return {x.rename(std::nullopt).expand(shape), mask.rename(std::nullopt).expand(shape),
          detail::unify_names(x.body_ptr()->names, x.shape().size(), mask.body_ptr()->names,
                              mask.shape().size(), row.name)};
}

/// A mask that broadcasts to x, whose shape stays.
Tensor mask_for(const OpRow& row, const Tensor& x, const Tensor& mask) {
  Masked m = broadcast_mask(row, x, mask);
  TANDEM_EXPECTS(
      std::ranges::equal(m.mask.shape(), x.shape()), ShapeError,
      fmt::format("[{}] output with shape [{}] doesn't match the broadcast shape [{}]", row.name,
                  fmt::join(x.shape(), ", "), fmt::join(m.mask.shape(), ", ")));
  return m.mask;
}

Tensor bools(const Tensor& mask) {
  return mask.dtype() == DType::bool_ ? mask : mask.to(DType::bool_);
}

}  // namespace

Tensor nonzero(const Tensor& x) { return find_nonzero(op::nonzero, x); }

Tensor argwhere(const Tensor& x) { return find_nonzero(op::argwhere, x); }

Tensor nonzero_static(const Tensor& x, std::int64_t size, std::int64_t fill_value) {
  const OpRow& row = op::nonzero_static;
  TANDEM_EXPECTS(size >= 0, ValueError,
                 fmt::format("[{}] argument 'size': expected >= 0, got {}", row.name, size));
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{{size, x.dim()}, DType::int64, x.device(), {}};
      },
      [&](Tensor out) {
        out.fill_(fill_value);
        const Tensor mask = detail::nonzero_mask(x);
        detail::write_coordinates(row, mask, x.shape(), detail::count_set(row, mask), out);
      });
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  const OpRow& row = op::masked_select;
  const trace::OpScope scope(row.name);
  const Masked m = broadcast_mask(row, x, mask);
  const Tensor dense_mask = m.mask.contiguous();
  const Tensor offsets = detail::count_set(row, dense_mask);
  const std::int64_t found = detail::total_set(offsets);
  return detail::run_one(
      row, nullptr,
      [&] {
        return OutSpec{{found}, x.dtype(), x.device(), {}};
      },
      [&](const Tensor& out) {
        if (found == 0) return;
        const Tensor from = m.x.contiguous();
        MaskLaunch l{};
        l.out = out.data_ptr();
        l.in = from.data_ptr();
        l.width = static_cast<int>(x.element_size());
        detail::launch_mask(l, row, MaskStage::Select, dense_mask, offsets, &out, &from);
      });
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Arg& value) {
  const OpRow& row = op::masked_fill;
  const Masked m = broadcast_mask(row, x, mask);
  Tensor held;
  const Arg fill = detail::filling(row, x, value, held);
  // A number beside an integer tensor would be int64.
  Tensor out = where(bools(m.mask), fill, m.x);
  return m.names.empty() ? out : out.rename_(m.names);
}

Tensor masked_fill_(const Tensor& x, const Tensor& mask, const Arg& value) {
  const OpRow& row = op::masked_fill_;
  const Tensor over = mask_for(row, x, mask);
  Tensor held;
  const Arg fill = detail::filling(row, x, value, held);
  return detail::write_to(row, x, true, [&](const Tensor& self) {
    Tensor out = self.rename(std::nullopt);
    where_out(out, bools(detail::apart_from(over, self)), fill, out);
  });
}

namespace {

Tensor scatter_masked(const OpRow& row, const Tensor& x, const Tensor& mask, const Tensor& source,
                      bool in_place) {
  TANDEM_EXPECTS(x.dtype() == source.dtype(), TypeError,
                 fmt::format("[{}] expected self and source to have same dtypes but got {} and {}",
                             row.name, name(x.dtype()), name(source.dtype())));
  TANDEM_EXPECTS(x.device() == source.device(), DeviceError,
                 fmt::format("[{}] Expected all tensors to be on the same device, but found at "
                             "least two devices, {} and {}!",
                             row.name, x.device().str(), source.device().str()));
  const Tensor over = in_place ? mask_for(row, x, mask) : broadcast_mask(row, x, mask).mask;
  const Tensor target = in_place ? x : x.rename(std::nullopt).expand(over.shape());
  return detail::write_to(row, target, in_place, [&](const Tensor& self) {
    const Tensor dense_mask = detail::apart_from(over, self).contiguous();
    const Tensor from = detail::apart_from(source, self).rename(std::nullopt).contiguous();
    const Tensor offsets = detail::count_set(row, dense_mask);
    Tensor dense = self.rename(std::nullopt).contiguous();
    if (dense.numel() == 0) return;
    MaskLaunch l{};
    l.out = dense.data_ptr();
    l.in = from.data_ptr();
    l.limit = from.numel();
    l.width = static_cast<int>(x.element_size());
    detail::launch_mask(l, row, MaskStage::Scatter, dense_mask, offsets, &dense, &from);
    if (!dense.shares_storage(self)) detail::copy_elements(self, dense);
  });
}

}  // namespace

Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source) {
  return scatter_masked(op::masked_scatter, x, mask, source, false);
}
Tensor masked_scatter_(const Tensor& x, const Tensor& mask, const Tensor& source) {
  return scatter_masked(op::masked_scatter_, x, mask, source, true);
}

}  // namespace tandem
