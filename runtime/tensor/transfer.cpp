// Copies between the host and devices, and between devices.
#include "runtime/tensor/transfer.h"

#include <fmt/format.h>

#include "runtime/base/trace.h"
#include "runtime/dispatch/backend_loader.h"
#include "runtime/dispatch/check.h"
#include "runtime/dispatch/funnel.h"
#include "runtime/memory/pools.h"
#include "runtime/stream/capture.h"
#include "runtime/stream/stream_id.h"
#include "runtime/tensor/foreign_memory.h"

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
    // The copy goes to the destination's stream: after what the source's has to do, and before what
    // it gets from now on, so that the source's memory may be written or freed in its own order.
    const Stream origin = current_stream(source.device());
    if (debug::on(debug::kAny)) debug::copying(out, source, stream, origin);
    record_use(source.body_ptr()->storage, origin);
    record_use(out.body_ptr()->storage, stream);
    Event ready, read;
    ready.record(origin);
    ready.wait(stream);
    check_driver(
        *backend,
        backend->driver.peer_copy(out.device().index, out.data_ptr(), source.device().index,
                                  source.data_ptr(), bytes, stream.native()),
        "copy_");
    try {
      read.record(stream);
      read.wait(origin);
    } catch (...) {  // the source's memory is in no order with the copy: it has to be over
      (void)backend->driver.stream_synchronize(device.index, stream.native());
      throw;
    }
    return;
  }
  const Tensor& on_host = to_host ? out : source;
  if (may_capture()) {
    refuse_copy(stream, !non_blocking, read_at_once(*backend, device, on_host.data_ptr()));
    captured_use(on_host.body_ptr()->storage, stream);
  }
  if (debug::on(debug::kAny)) {
    debug::copying(out, source, stream, stream,
                   from_host && read_at_once(*backend, device, source.data_ptr()));
  }
  record_use((to_host ? source : out).body_ptr()->storage, stream);
  check_driver(*backend,
               backend->driver.copy(device.index, out.data_ptr(), source.data_ptr(), bytes,
                                    to_host ? kDeviceToHost : kHostToDevice, stream.native()),
               "copy_");
  if (non_blocking) return;
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
  if (storage->device.is_cpu()) return;
  if (may_capture() && captured_use(storage, stream)) return;
  if (storage->foreign != nullptr) return storage->foreign->record_use(stream);
  if (storage->block == nullptr) return;
  pool_for(storage->device).record_use(static_cast<Block*>(storage->block), stream_id(stream));
}

}  // namespace tandem::detail
