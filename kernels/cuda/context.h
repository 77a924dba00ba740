// What every launcher of the backend shares: the host's table, reporting of errors, workspaces.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "tandem/backend.h"

namespace tandem::cuda {

/// The table that tandem_backend_open was given.
const HostTable& host();
void set_host(const HostTable& table);

/// Reports a failed launch of an op to the host: "[add] the CUDA launch failed: ...".
void raise(const char* op, const char* what);
/// Does nothing for cudaSuccess. Clears the runtime's last error.
void check(cudaError_t e, const char* op);

/// Multiprocessors of a device; read once.
int multiprocessors(int device);

/// Memory from the device's pool for the work queued on a stream while the object lives; null, and
/// reported, where there is none.
class Workspace {
 public:
  Workspace(Device device, std::size_t bytes, void* stream, const char* op);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  void* data() const { return data_; }

 private:
  int device_;
  void* stream_;
  void* data_;
};

/// The calls of BackendDriver, from kernels/cuda/driver.cpp, virtual_memory.cpp and graph.cpp.
BackendDriver make_driver();
void add_virtual_memory(BackendDriver& driver);
void add_graphs(BackendDriver& driver);
const char* error_text(int code);
int device_name(int device, char* out, std::size_t size);

/// Whether the machine can run what was built: fills status (in words) and the number of usable
/// devices. From kernels/cuda/probe.cu.
bool probe(char* status, std::size_t size, int* devices);

// Bind the kernels of a family; each returns the number of rows that the host does not know.
int bind_elementwise();
int bind_copy();
int bind_generators();
int bind_random();
int bind_samples();
int bind_gemm();
int bind_reductions();
int bind_rows();
int bind_indexing();  // with bind_masks
int bind_masks();
int bind_sorting();
int bind_counting();
int bind_movement();
int bind_repeat();
int bind_scan();
int bind_fft();

}  // namespace tandem::cuda
