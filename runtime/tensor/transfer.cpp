// Copies between the host and devices, and between devices.
#include "runtime/tensor/transfer.h"

#include <fmt/format.h>

#include "runtime/base/trace.h"
#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/check.h"
#include "runtime/dispatch/funnel.h"
#include "runtime/memory/pinned.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "runtime/stream/stream_id.h"
#include "runtime/tensor/device_copies.h"
#include "runtime/tensor/foreign_memory.h"
#include "runtime/tensor/host_copies.h"

namespace tandem::detail {

namespace {

/// Whether a copy from memory of the host has read it by the time that the driver's call returns.
bool read_at_once(const BackendTable& backend, Device device, const void* host) {
  int yes = 0;
  return backend.driver.read_at_once != nullptr &&
         backend.driver.read_at_once(device.index, host, &yes) == 0 && yes != 0;
}

/// Bytes of two dense tensors of one dtype and layout, one of them on the host or both on devices.
void copy_bytes(const Tensor& out, const Tensor& source, bool non_blocking) {
  const bool to_host = out.device().is_cpu();
  const bool from_host = source.device().is_cpu();
  const Device device = to_host ? source.device() : out.device();
  const BackendTable* backend = backend_for(device.kind);
  TANDEM_EXPECTS(backend != nullptr, DeviceError, device_status(device.kind));
  const Stream stream = current_stream(device);
  const std::size_t bytes = out.nbytes();
  if (trace::on(trace::kCopy)) {
    trace::write(trace::kCopy, fmt::format("{} bytes from {} to {}", bytes, source.device().str(),
                                           out.device().str()));
  }
  if (!to_host && !from_host) {
    if (debug::on(debug::kChecks))
      debug::copying(out, source, stream, current_stream(source.device()));
    return copy_between_devices(out, source);
  }
  const Tensor& on_host = to_host ? out : source;
  if (may_capture()) {
    refuse_copy(stream, !non_blocking, read_at_once(*backend, device, on_host.data_ptr()));
    captured_use(on_host.body_ptr()->storage, stream);
  }
  if (debug::on(debug::kChecks)) {
    debug::copying(out, source, stream, stream,
                   from_host && read_at_once(*backend, device, source.data_ptr()));
  }
  record_use((to_host ? source : out).body_ptr()->storage, stream);
  const bool pinned = is_pinned(*on_host.body_ptr()->storage);
  if (pinned) note_use(on_host.body_ptr()->storage, stream);
  check_driver(*backend,
               backend->driver.copy(device.index, out.data_ptr(), source.data_ptr(), bytes,
                                    to_host ? kDeviceToHost : kHostToDevice, stream.native()),
               "copy_");
  if (non_blocking) {
    if (pinned && !(may_capture() && recording_of(stream)))
      note_host_copy(*on_host.body_ptr()->storage, stream, to_host);
    return;
  }
  if (to_host || !read_at_once(*backend, device, source.data_ptr())) stream.synchronize();
}

bool same_layout(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.body_ptr()->strides == b.body_ptr()->strides &&
         is_dense(a.shape(), a.strides());
}

}  // namespace

void transfer(const Tensor& out, const Tensor& source, bool non_blocking) {
  if (out.numel() == 0) return;
  if (same_layout(out, source)) {
    copy_bytes(out, source, non_blocking);
    return;
  }
  // Bring both sides to dense tensors of the smaller dtype, where the copy is one of bytes.
  const bool narrow = element_size(out.dtype()) < source.element_size();
  const DType wire = narrow ? out.dtype() : source.dtype();
  Tensor dense = make_empty(source.shape(), wire, source.device());
  copy_elements(dense, source);
  if (out.dtype() == wire && out.is_contiguous()) {
    copy_bytes(out, dense, false);
    return;
  }
  const Tensor landed = make_empty(out.shape(), wire, out.device());
  copy_bytes(landed, dense, false);
  copy_elements(out, landed);
}

void record_use(StorageBody* storage, const Stream& stream) {
  if (may_capture() && !storage->device.is_cpu() && captured_use(storage, stream)) return;
  note_use(storage, stream);
}

void note_use(StorageBody* storage, const Stream& stream) {
  if (storage->device.is_cpu() && !is_pinned(*storage)) return;
  if (storage->foreign != nullptr) return storage->foreign->record_use(stream);
  auto* block = static_cast<Block*>(storage->block);
  if (block != nullptr) block->pool->record_use(block, stream_id(stream));
}

}  // namespace tandem::detail
