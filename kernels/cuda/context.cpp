// The host's table, reporting of errors, workspaces and the entry point of the backend library.
#include "kernels/cuda/context.h"

#include "kernels/cuda/fft.h"

#include <array>
#include <atomic>
#include <cstdio>

#include "kernels/cuda/bind_sorting.h"
#include "kernels/cuda/solver.h"
#include "tandem/export.h"
#include "tandem/ops/hash.h"

namespace tandem::cuda {

namespace {

HostTable host_table{};

void say(BackendTable* table, const char* text) {
  std::snprintf(table->status, sizeof(table->status), "%s", text);
}

}  // namespace

const HostTable& host() { return host_table; }
void set_host(const HostTable& table) { host_table = table; }

void raise(const char* op, const char* what) {
  char message[512];
  std::snprintf(message, sizeof(message), "[%s] the CUDA launch failed: %s", op, what);
  host_table.raise(message);
}

void check(cudaError_t e, const char* op) {
  if (e == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  raise(op, error_text(e));
}

int multiprocessors(int device) {
  static std::array<std::atomic<int>, 64> known{};
  std::atomic<int>& slot = known[static_cast<std::size_t>(device < 0 ? 0 : device) % known.size()];
  int n = slot.load(std::memory_order_relaxed);
  if (n == 0) {
    if (cudaDeviceGetAttribute(&n, cudaDevAttrMultiProcessorCount, device < 0 ? 0 : device) !=
        cudaSuccess) {
      static_cast<void>(cudaGetLastError());
      return 1;
    }
    slot.store(n, std::memory_order_relaxed);
  }
  return n;
}

Workspace::Workspace(Device device, std::size_t bytes, void* stream, const char* op)
    : device_(device.index), stream_(stream), data_(nullptr) {
  data_ = host_table.workspace_allocate(device_, bytes, stream_);
  // The host knows why there is none, and its word comes first.
  if (data_ == nullptr) raise(op, "no memory for the workspace");
}

Workspace::~Workspace() {
  if (data_ != nullptr) host_table.workspace_free(device_, data_, stream_);
}

namespace {

// One a family of kernels.
constexpr int (*kBinders[])() = {
    &bind_elementwise, &bind_copy,       &bind_generators, &bind_random,
    &bind_gemm,        &bind_reductions, &bind_rows,       &bind_movement,
    &bind_repeat,      &bind_scan,       &bind_linalg,     &bind_samples,
    &bind_indexing,    &bind_sorting,    &bind_counting,   &bind_fft,
};

}  // namespace

}  // namespace tandem::cuda

using tandem::BackendTable;
using tandem::HostTable;

/// The entry point that libtandem looks up: see BackendOpen in tandem/backend.h.
extern "C" TANDEM_API int tandem_backend_open(const HostTable* host, BackendTable* table) {
  namespace cuda = tandem::cuda;
  table->abi = tandem::kBackendAbi;
  table->kind = tandem::DeviceKind::CUDA;
  table->device_count = 0;
  if (host->abi != tandem::kBackendAbi) {
    std::snprintf(
        table->status, sizeof(table->status),
        "libtandem_cuda speaks version %u of the backend interface, libtandem version %u: "
        "install both from the same release",
        tandem::kBackendAbi, host->abi);
    return 1;
  }
  if (host->op_table_hash != tandem::detail::compiled_op_table_hash()) {
    cuda::say(table,
              "libtandem_cuda was built for another op table than libtandem: install both "
              "from the same release");
    return 1;
  }
  std::snprintf(table->versions, sizeof(table->versions), "CUDA runtime %d.%d, built for sm %s",
                CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10, TANDEM_CUDA_ARCHITECTURES);
  cuda::set_host(*host);
  if (!cuda::probe(table->status, sizeof(table->status), &table->device_count)) return 1;
  table->driver = cuda::make_driver();
  table->error_text = &cuda::error_text;
  table->device_name = &cuda::device_name;
  int unknown = 0;
  for (int (*bind)() : cuda::kBinders) unknown += bind();
  if (unknown != 0) {
    cuda::say(table,
              "libtandem knows fewer ops than libtandem_cuda binds: install both from the "
              "same release");
    return 1;
  }
  return 0;
}
