// The backend's driver calls, on the CUDA runtime: memory, copies, streams, events. None changes
// the caller's current device.
#include <cuda_runtime_api.h>
#include <nvtx3/nvToolsExt.h>

#include <cstdio>

#include "kernels/cuda/context.h"
#include "kernels/cuda/flag.h"
#include "kernels/cuda/runtime_calls.h"
#include "kernels/cuda/virtual_memory.h"

namespace tandem::cuda {

namespace {

cudaEvent_t as_event(void* e) { return static_cast<cudaEvent_t>(e); }

/// 0 done, 1 pending, else an error, which is never cudaErrorNotReady.
int busy(cudaError_t e) {
  if (e == cudaSuccess) return 0;
  static_cast<void>(cudaGetLastError());
  return e == cudaErrorNotReady ? 1 : static_cast<int>(e);
}

int allocate(int device, std::size_t bytes, void** out) {
  return on_device(device, [&] { return cudaMalloc(out, bytes); });
}
int release(int device, void* p) {
  return on_device(device, [&] { return cudaFree(p); });
}
int memory_info(int device, std::size_t* free_bytes, std::size_t* total_bytes) {
  return on_device(device, [&] { return cudaMemGetInfo(free_bytes, total_bytes); });
}
int copy(int device, void* dst, const void* src, std::size_t bytes, int kind, void* stream) {
  constexpr cudaMemcpyKind kinds[] = {cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost,
                                      cudaMemcpyDeviceToDevice};
  if (kind < 0 || kind > 2) return cudaErrorInvalidValue;
  return on_device(
      device, [&] { return cudaMemcpyAsync(dst, src, bytes, kinds[kind], as_stream(stream)); });
}
int zero(int device, void* dst, std::size_t bytes, void* stream) {
  return on_device(device, [&] { return cudaMemsetAsync(dst, 0, bytes, as_stream(stream)); });
}
int pinned_allocate(std::size_t bytes, void** out) {
  return checked(cudaHostAlloc(out, bytes, cudaHostAllocPortable));
}
int pinned_free(void* p) { return checked(cudaFreeHost(p)); }
int current_device(int* out) { return checked(cudaGetDevice(out)); }
int stream_create(int device, void** out) {
  return on_device(device, [&] {
    cudaStream_t s = nullptr;
    const cudaError_t e = cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking);
    *out = s;
    return e;
  });
}
int stream_id(int device, void* stream, std::uint64_t* out) {
  return on_device(device, [&] {
    unsigned long long id = 0;
    const cudaError_t e = cudaStreamGetId(as_stream(stream), &id);
    *out = id;
    return e;
  });
}
int stream_query(int device, void* stream) {
  DeviceGuard guard(device);
  return guard.error != cudaSuccess ? checked(guard.error)
                                    : busy(cudaStreamQuery(as_stream(stream)));
}
int stream_synchronize(int device, void* stream) {
  return on_device(device, [&] { return cudaStreamSynchronize(as_stream(stream)); });
}
int device_synchronize(int device) {
  return on_device(device, [] { return cudaDeviceSynchronize(); });
}
int event_create(int device, void** out) {
  return on_device(device, [&] {
    cudaEvent_t event = nullptr;
    const cudaError_t e = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    *out = event;
    return e;
  });
}
int event_destroy(void* event) { return checked(cudaEventDestroy(as_event(event))); }
// The device is needed for its default stream, whose handle is null.
int event_record(int device, void* event, void* stream) {
  return on_device(device, [&] { return cudaEventRecord(as_event(event), as_stream(stream)); });
}
int event_query(void* event) { return busy(cudaEventQuery(as_event(event))); }
int event_synchronize(void* event) { return checked(cudaEventSynchronize(as_event(event))); }
int stream_wait_event(int device, void* stream, void* event) {
  return on_device(device,
                   [&] { return cudaStreamWaitEvent(as_stream(stream), as_event(event), 0); });
}
int peer_copy(int dst_device, void* dst, int src_device, const void* src, std::size_t bytes,
              void* stream) {
  return on_device(dst_device, [&] {
    return cudaMemcpyPeerAsync(dst, dst_device, src, src_device, bytes, as_stream(stream));
  });
}
int stream_create_with_priority(int device, int priority, void** out) {
  return on_device(device, [&] {
    cudaStream_t s = nullptr;
    const cudaError_t e = cudaStreamCreateWithPriority(&s, cudaStreamNonBlocking, priority);
    *out = s;
    return e;
  });
}
int stream_priority_range(int device, int* least, int* greatest) {
  return on_device(device, [&] { return cudaDeviceGetStreamPriorityRange(least, greatest); });
}
int stream_device(void* stream, int* out) {
  *out = -1;
  // The names of default streams belong to whatever device is current.
  if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread) return 0;
#if CUDART_VERSION >= 12080
  const cudaError_t e = cudaStreamGetDevice(as_stream(stream), out);
  if (e == cudaSuccess) return 0;
  *out = -1;
  static_cast<void>(cudaGetLastError());
  return e == cudaErrorCallRequiresNewerDriver || e == cudaErrorNotSupported ? 0 : e;
#else
  return 0;
#endif
}
int capturing(int device, void* stream, int* out) {
  return on_device(device, [&] {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    const cudaError_t e = cudaStreamIsCapturing(as_stream(stream), &status);
    *out = e == cudaSuccess && status != cudaStreamCaptureStatusNone ? 1 : 0;
    // The default stream, while one is captured that waits for it by itself (cudaStreamDefault):
    // any use of the default one would end the capture.
    if (e != cudaErrorStreamCaptureImplicit) return e;
    *out = 1;
    static_cast<void>(cudaGetLastError());
    return cudaSuccess;
  });
}
int can_access_peer(int device, int peer, int* out) {
  return checked(cudaDeviceCanAccessPeer(out, device, peer));
}
// Pageable memory is staged before cudaMemcpyAsync returns, but where the device reads it through
// page tables: there it may be read later, as pinned memory is.
int read_at_once(int device, const void* host, int* out) {
  *out = 0;
  int reads_pageable = 0;
  cudaError_t e = cudaDeviceGetAttribute(&reads_pageable, cudaDevAttrPageableMemoryAccess, device);
  cudaPointerAttributes attributes{};
  if (e == cudaSuccess) e = cudaPointerGetAttributes(&attributes, host);
  *out = e == cudaSuccess && reads_pageable == 0 && attributes.type == cudaMemoryTypeUnregistered;
  return checked(e);
}
// cudaDeviceEnablePeerAccess covers what cudaMalloc gave; the pools' pages are mapped one by one.
int enable_peer(int device, int peer) {
  return on_device(device, [&] {
    cudaError_t e = cudaDeviceEnablePeerAccess(peer, 0);
    if (e == cudaErrorPeerAccessAlreadyEnabled) {
      static_cast<void>(cudaGetLastError());
      e = cudaSuccess;
    }
    return e == cudaSuccess ? static_cast<cudaError_t>(share_virtual_memory(peer, device)) : e;
  });
}
int set_device(int device) { return checked(cudaSetDevice(device)); }
int stream_destroy(int device, void* stream) {
  return on_device(device, [&] { return cudaStreamDestroy(as_stream(stream)); });
}
int fill(int device, void* dst, int byte, std::size_t bytes, void* stream) {
  return on_device(device, [&] { return cudaMemsetAsync(dst, byte, bytes, as_stream(stream)); });
}
void range_push(const char* name) { static_cast<void>(nvtxRangePushA(name)); }
void range_pop() { static_cast<void>(nvtxRangePop()); }

}  // namespace

BackendDriver make_driver() {
  BackendDriver d{};
  d.allocate = allocate;
  d.free = release;
  d.memory_info = memory_info;
  d.copy = copy;
  d.zero = zero;
  d.pinned_allocate = pinned_allocate;
  d.pinned_free = pinned_free;
  d.current_device = current_device;
  d.stream_create = stream_create;
  d.stream_id = stream_id;
  d.stream_query = stream_query;
  d.stream_synchronize = stream_synchronize;
  d.device_synchronize = device_synchronize;
  d.event_create = event_create;
  d.event_destroy = event_destroy;
  d.event_record = event_record;
  d.event_query = event_query;
  d.event_synchronize = event_synchronize;
  d.stream_wait_event = stream_wait_event;
  d.peer_copy = peer_copy;
  d.take_error = take_error;
  d.range_push = range_push;
  d.range_pop = range_pop;
  d.stream_create_with_priority = stream_create_with_priority;
  d.stream_priority_range = stream_priority_range;
  d.stream_device = stream_device;
  d.capturing = capturing;
  d.can_access_peer = can_access_peer;
  d.read_at_once = read_at_once;
  d.drop_caches = nullptr;  // cuBLASLt is given the pools' workspaces and keeps none
  d.default_stream_alias = cudaStreamLegacy;
  d.per_thread_stream = cudaStreamPerThread;
  d.enable_peer = enable_peer;
  d.set_device = set_device;
  d.stream_destroy = stream_destroy;
  d.fill = fill;
  add_virtual_memory(d);
  add_graphs(d);
  return d;
}

const char* error_text(int code) {
  thread_local char text[256];
  const cudaError_t e = static_cast<cudaError_t>(code);
  std::snprintf(text, sizeof(text), "%s (%s)", cudaGetErrorString(e), cudaGetErrorName(e));
  return text;
}

int device_name(int device, char* out, std::size_t size) {
  cudaDeviceProp properties;
  const cudaError_t e = cudaGetDeviceProperties(&properties, device);
  if (e != cudaSuccess) return checked(e);
  std::snprintf(out, size, "%s", properties.name);
  return 0;
}

}  // namespace tandem::cuda
