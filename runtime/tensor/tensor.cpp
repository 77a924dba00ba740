// Tensor: properties, and what copies: contiguous, clone, copy_, to, item.
#include "tandem/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/funnel.h"
#include "runtime/dispatch/plan.h"
#include "runtime/memory/pinned.h"
#include "runtime/ops/boxed_ops.h"
#include "runtime/tensor/foreign_memory.h"
#include "runtime/tensor/transfer.h"
#include "tandem/op_table.h"
#include "tandem/ops.h"
#include "tandem/stored.h"

namespace tandem {

void Tensor::fail_undefined() { throw ValueError("the tensor is undefined"); }

void Tensor::check_dtype(DType expected) const {
  TANDEM_EXPECTS(dtype() == expected, TypeError,
                 fmt::format("[data] expected a tensor of {}, got {}", tandem::name(expected),
                             tandem::name(dtype())));
}

std::int64_t Tensor::size(Axis axis) const {
  TANDEM_EXPECTS(dim() > 0, IndexError, "[size] a 0-d tensor has no dimensions");
  return body().shape[static_cast<std::size_t>(detail::resolve_axis(axis, *this, "size"))];
}

std::int64_t Tensor::stride(Axis axis) const {
  TANDEM_EXPECTS(dim() > 0, IndexError, "[stride] a 0-d tensor has no dimensions");
  return body().strides[static_cast<std::size_t>(detail::resolve_axis(axis, *this, "stride"))];
}

bool Tensor::is_contiguous() const {
  const auto& b = body();
  if (b.numel == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = b.shape.size(); i-- > 0;) {
    if (b.shape[i] == 1) continue;
    if (b.strides[i] != expected) return false;
    expected *= b.shape[i];
  }
  return true;
}

Tensor Tensor::base() const {
  detail::TensorBody* b = body().base;
  if (b == nullptr) return {};
  b->refs.fetch_add(1, std::memory_order_relaxed);
  return adopt(b);
}

Storage Tensor::storage() const {
  detail::retain(body().storage);
  return Storage::adopt(body().storage);
}

void* Tensor::data(const Stream& stream) const {
  if (debug::on(debug::kAny)) [[unlikely]]
    debug::handing_out(*this, stream);
  detail::record_use(body().storage, stream);
  return data_ptr();
}

namespace {
/// The log of copies between places in one device's memory.
void log_copy(const Tensor& from) {
  if (!trace::on(trace::kCopy) || from.numel() == 0 || from.is_meta()) return;
  trace::write(trace::kCopy, fmt::format("{} bytes on {}", from.nbytes(), from.device().str()));
}
}  // namespace

Tensor Tensor::contiguous() const {
  if (is_contiguous()) return *this;
  const trace::OpScope scope("contiguous");
  log_copy(*this);
  Tensor out = detail::make_empty(shape(), dtype(), device());
  out.body_->names = body().names;
  detail::copy_elements(out, *this);
  return out;
}

bool Tensor::is_pinned() const { return detail::is_pinned(*body().storage); }

Tensor Tensor::pin_memory() const {
  TANDEM_EXPECTS(device().is_cpu(), ValueError,
                 "[pin_memory] expected a tensor of the CPU, got one of " + device().str());
  if (is_pinned()) return *this;
  const trace::OpScope scope("pin_memory");
  Tensor out = empty_pinned(shape(), dtype());
  out.body_->names = body().names;
  detail::copy_elements(out, *this);
  return out;
}

Tensor empty_pinned(IntSpan shape, DType dtype) {
  const std::int64_t n = detail::checked_numel(shape, tandem::element_size(dtype), "empty_pinned");
  Dims strides;
  detail::contiguous_strides(shape, strides);
  const Storage storage = detail::pinned_storage(
      static_cast<std::size_t>(n) * tandem::element_size(dtype), "pin_memory");
  return detail::make_tensor(storage, dtype, 0, Dims(shape), std::move(strides));
}

Tensor Tensor::clone() const {
  const auto& b = body();
  const trace::OpScope scope("clone");
  log_copy(*this);
  Tensor out = detail::make_empty(b.shape, b.dtype, device());
  out.body_->names = b.names;
  if (detail::is_dense(b.shape, b.strides)) out.body_->strides = b.strides;
  detail::copy_elements(out, *this);
  return out;
}

Tensor& Tensor::copy_(const Tensor& source, bool non_blocking) {
  const trace::OpScope scope("copy_");
  const auto& b = body();
  detail::check_writable(*this, "copy_");
  const Tensor src =
      source.shape().size() > b.shape.size() || !std::ranges::equal(source.shape(), shape())
          ? source.rename(std::nullopt).expand(shape())
          : source;
  Names names = detail::unify_names(b.names, b.shape.size(), source.body_->names,
                                    source.shape().size(), "copy_");
  TANDEM_EXPECTS(
      !detail::may_overlap_itself(b.shape, b.strides), ShapeError,
      "[copy_] unsupported operation: more than one element of the written-to tensor refers to a "
      "single memory location. Please clone() the tensor before performing the operation.");
  if (is_meta() || src.is_meta()) {
    TANDEM_EXPECTS(is_meta(), NotImplemented, "[copy_] Cannot copy out of meta tensor; no data!");
  } else if (device() == src.device()) {
    detail::copy_elements(*this, detail::guard_overlap(op::copy_, src, *this));
  } else {
    detail::transfer(*this, src, non_blocking);
  }
  body_->names = std::move(names);
  detail::bump_version(*this);
  return *this;
}

Tensor Tensor::to(std::optional<Device> device_option, std::optional<DType> dtype_option,
                  bool non_blocking, bool copy) const {
  const Device target = device_option ? resolve_device(*device_option, "to") : device();
  const DType type = dtype_option.value_or(dtype());
  if (target == device() && type == dtype()) return copy ? clone() : *this;
  const trace::OpScope scope("to");
  TANDEM_EXPECTS(!is_meta() || target.is_meta(), NotImplemented,
                 "[to] Cannot copy out of meta tensor; no data!");
  // Convert before the transfer where that makes it smaller, after it otherwise.
  if (target != device() && type != dtype()) {
    const bool shrinks = tandem::element_size(type) < element_size();
    return shrinks ? to(std::nullopt, type).to(target, std::nullopt, non_blocking)
                   : to(target, std::nullopt, non_blocking).to(std::nullopt, type);
  }
  const auto& b = body();
  Tensor out = detail::make_empty(b.shape, type, target);
  out.body_->names = b.names;
  if (detail::is_dense(b.shape, b.strides)) out.body_->strides = b.strides;
  if (target.is_meta()) return out;
  if (target == device()) log_copy(*this);
  return out.copy_(*this, non_blocking);
}

Scalar Tensor::item() const {
  TANDEM_EXPECTS(numel() == 1, ValueError,
                 fmt::format("a Tensor with {} elements cannot be converted to Scalar", numel()));
  TANDEM_EXPECTS(!is_meta(), NotImplemented,
                 "[item] Tensor.item() cannot be called on meta tensors");
  const trace::OpScope scope("item");
  const Tensor host = device().is_cpu() ? *this : cpu();
  if (debug::on(debug::kAny)) [[unlikely]]
    debug::on_host(host);
  return visit(dtype(), [&]<class T>() {
    fn::stored_t<T> v;
    __builtin_memcpy(&v, host.data_ptr(), sizeof v);
    return Scalar::from_element(fn::value_of<T>(v));
  });
}

namespace detail {

void copy_elements(const Tensor& out, const Tensor& source) {
  if (out.numel() == 0 || out.is_meta()) return;
  ElementwiseLaunch launch;
  PlanStorage storage;
  launch.row = &op::copy_;
  launch.n_out = 1;
  launch.n_in = 1;
  launch.dtype = source.dtype();
  launch.device = out.device();
  const Tensor* tensors[] = {&out, &source};
  launch.stream = launch_stream(launch.device, {&out}, {&source});
  // The cast is the kernel's whole work: load the source's dtype, store the output's.
  launch.operands[0].dtype = launch.operands[0].kernel = out.dtype();
  launch.operands[1].dtype = launch.operands[1].kernel = source.dtype();
  plan_elementwise(launch, storage, out.shape(), tensors);
  detail::launch(op::copy_, launch.device, &launch);
}

}  // namespace detail

namespace ops {
Tensor copy_(const Tensor& x, const Tensor& source, bool non_blocking) {
  Tensor t = x;
  return t.copy_(source, non_blocking);
}
}  // namespace ops

}  // namespace tandem
