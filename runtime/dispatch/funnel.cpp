// The funnel's parts that every op shares: devices, outputs, overlap, launch.
#include "runtime/dispatch/funnel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "runtime/dispatch/backend_loader.h"
#include "runtime/tensor/foreign_memory.h"
#include "runtime/tensor/transfer.h"
#include "tandem/op_table.h"
#include "tandem/out.h"

namespace tandem::detail {

void launch(const OpRow& row, Device device, const void* desc) {
  const Kernel& k = kernel_of(row, device.kind);
  k.launch(desc, k.self);
  check_launch();
}

void* launch_stream(Device device, debug::Tensors written, debug::Tensors read) {
  if (debug::on(debug::kAny)) [[unlikely]]
    debug::launching(current_stream(device), written, read);
  if (device.is_cpu()) return nullptr;
  const Stream stream = current_stream(device);
  for (const debug::Tensors& tensors : {written, read}) {
    for (const Tensor* t : tensors) {
      if (t != nullptr && t->defined()) record_use(t->body_ptr()->storage, stream);
    }
  }
  return stream.native();
}

Device common_device(const OpRow& row, std::span<const Tensor* const> tensors) {
  const Tensor* first = nullptr;
  for (const Tensor* t : tensors) {
    if (t == nullptr) continue;
    if (first == nullptr) {
      first = t;
      continue;
    }
    if (t->device() == first->device()) continue;
    if (t->dim() == 0 && t->device().is_cpu()) continue;
    if (first->dim() == 0 && first->device().is_cpu()) {
      first = t;
      continue;
    }
    // The op that was called, where this one is a part of it.
    const char* op = trace::t_current_op == nullptr ? row.name : trace::t_current_op;
    fail<DeviceError>(
        fmt::format("[{}] Expected all tensors to be on the same device, but found at least "
                    "two devices, {} and {}!",
                    op, first->device().str(), t->device().str()));
  }
  return first == nullptr ? kCPU : first->device();
}

namespace {

void check_given(const OpRow& row, const OutSpec& spec, const Tensor& out) {
  TANDEM_EXPECTS(out.defined(), ValueError,
                 fmt::format("[{}] argument 'out': expected a tensor", row.name));
  check_writable(out, trace::t_current_op == nullptr ? row.name : trace::t_current_op);
  TANDEM_EXPECTS(can_cast(spec.dtype, out.dtype()), TypeError,
                 fmt::format("[{}] result type {} can't be cast to the desired output type {}",
                             row.name, info(spec.dtype).title, info(out.dtype()).title));
  TANDEM_EXPECTS(out.device() == spec.device, DeviceError,
                 fmt::format("[{}] argument 'out': expected device {}, got {}", row.name,
                             spec.device.str(), out.device().str()));
  if (!std::ranges::equal(std::span(out.shape()), std::span<const std::int64_t>(spec.shape))) {
    TANDEM_EXPECTS(
        out.numel() == 0 && !out.is_view(), ShapeError,
        fmt::format("[{}] output with shape [{}] doesn't match the broadcast shape [{}]", row.name,
                    fmt::join(out.shape(), ", "), fmt::join(spec.shape, ", ")));
  }
  TANDEM_EXPECTS(
      !may_overlap_itself(out.shape(), out.strides()), ShapeError,
      fmt::format("[{}] unsupported operation: more than one element of the written-to tensor "
                  "refers to a single memory location. Please clone() the tensor before "
                  "performing the operation.",
                  row.name));
  // An unnamed out takes the result's names; a named one must agree.
  (void)unify_names(out.body_ptr()->names, out.shape().size(), spec.names, spec.shape.size(),
                    row.name);
}

/// Gives an empty tensor a new shape. Its storage stays the same object with other memory: views of
/// the tensor have no elements, but they know the storage.
void resize_empty(Tensor& out, const OutSpec& spec) {
  Tensor fresh = make_empty(spec.shape, out.dtype(), out.device());
  TensorBody* a = out.body_ptr();
  TensorBody* b = fresh.body_ptr();
  std::swap(a->storage->data, b->storage->data);
  std::swap(a->storage->bytes, b->storage->bytes);
  std::swap(a->storage->block, b->storage->block);
  std::swap(a->storage->deleter, b->storage->deleter);
  std::swap(a->storage->foreign, b->storage->foreign);
  std::swap(a->shape, b->shape);
  std::swap(a->strides, b->strides);
  std::swap(a->numel, b->numel);
  std::swap(a->offset, b->offset);
}

/// First and last byte address of a tensor's elements.
std::pair<std::intptr_t, std::intptr_t> byte_range(const Tensor& t) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const IntSpan shape = t.shape();
  const IntSpan strides = t.strides();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t reach = (shape[i] - 1) * strides[i];
    (reach < 0 ? low : high) += reach;
  }
  const auto size = static_cast<std::int64_t>(t.element_size());
  const auto base = reinterpret_cast<std::intptr_t>(t.data_ptr());
  return {base + low * size, base + (high + 1) * size - 1};
}

}  // namespace

Tensor bind_output(const OpRow& row, const OutSpec& spec, Tensor* out) {
  if (out != nullptr) {
    check_given(row, spec, *out);
    if (out->numel() == 0 &&
        !std::ranges::equal(std::span(out->shape()), std::span<const std::int64_t>(spec.shape))) {
      resize_empty(*out, spec);
    }
    return *out;
  }
  Tensor t = make_empty(spec.shape, spec.dtype, spec.device);
  if (!spec.strides.empty()) t.body_ptr()->strides = spec.strides;
  return t;
}

Tensor guard_overlap(const OpRow& row, const Tensor& in, const Tensor& out) {
  if (!in.shares_storage(out) || in.numel() == 0 || out.numel() == 0) return in;
  const TensorBody* a = in.body_ptr();
  const TensorBody* b = out.body_ptr();
  if (a->offset == b->offset && a->dtype == b->dtype && a->shape == b->shape &&
      a->strides == b->strides) {
    return in;
  }
  const auto [a0, a1] = byte_range(in);
  const auto [b0, b1] = byte_range(out);
  if (a1 < b0 || b1 < a0) return in;
  TANDEM_EXPECTS(
      !is_dense(a->shape, a->strides) || !is_dense(b->shape, b->strides) || (a0 == b0 && a1 == b1),
      ShapeError,
      fmt::format("[{}] unsupported operation: some elements of the input tensor and the "
                  "written-to tensor refer to a single memory location. Please clone() the "
                  "tensor before performing the operation.",
                  row.name));
  return in.clone();
}

namespace {

/// Raises ShapeError where two results would be written to the same memory.
void check_apart(const OpRow& row, const Tensor& a, const Tensor& b) {
  if (!a.shares_storage(b)) return;
  const bool empty = a.numel() == 0 || b.numel() == 0;
  const auto [a0, a1] = empty ? std::pair<std::intptr_t, std::intptr_t>() : byte_range(a);
  const auto [b0, b1] = empty ? std::pair<std::intptr_t, std::intptr_t>() : byte_range(b);
  TANDEM_EXPECTS(empty ? a.body_ptr() != b.body_ptr() : a1 < b0 || b1 < a0, ShapeError,
                 fmt::format("[{}] argument 'out': expected tensors with memory of their own, got "
                             "two that share some",
                             row.name));
}

}  // namespace

void write_results(const OpRow& row, std::span<const Tensor> made, std::span<Tensor* const> given,
                   bool in_place) {
  TANDEM_EXPECTS(made.size() == given.size(), ValueError,
                 fmt::format("[{}] argument 'out': expected {} tensor{}, got {}", row.name,
                             made.size(), made.size() == 1 ? "" : "s", given.size()));
  std::vector<OutSpec> specs;
  std::vector<Tensor> sources;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const Tensor& t = made[i];
    specs.push_back({Dims(t.shape()), t.dtype(), t.device(), t.body_ptr()->names});
    check_given(row, specs[i], *given[i]);
    TANDEM_EXPECTS(
        !in_place || std::ranges::equal(t.shape(), given[i]->shape()), ShapeError,
        fmt::format("[{}] output with shape [{}] doesn't match the broadcast shape [{}]", row.name,
                    fmt::join(given[i]->shape(), ", "), fmt::join(t.shape(), ", ")));
    if (std::ranges::equal(t.shape(), given[i]->shape()))
      specs[i].names = unify_names(given[i]->body_ptr()->names, t.shape().size(), specs[i].names,
                                   t.shape().size(), row.name);
    for (std::size_t k = 0; k < i; ++k) check_apart(row, *given[k], *given[i]);
    sources.push_back(guard_overlap(row, t, *given[i]));
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    if (given[i]->body_ptr() == made[i].body_ptr()) continue;
    (void)run_one(
        row, given[i], [&] { return specs[i]; },
        [&](const Tensor& out) { copy_elements(out, sources[i]); });
  }
}

void write_results(const char* op, const std::tuple<Tensor, Tensor>& made, Tensor& first,
                   Tensor& second) {
  const Tensor list[] = {std::get<0>(made), std::get<1>(made)};
  Tensor* const given[] = {&first, &second};
  write_results(*find_op(op), list, given);
}

}  // namespace tandem::detail
