// Whether this machine can run what was built: a driver, new enough, a device, of an architecture
// in the library. Every "no" is told in words, for `tandem info`.
#include <cuda_runtime.h>
#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>

#include "kernels/cuda/context.h"

namespace tandem::cuda {

namespace {

// Occupancy: 1 block of 1 thread; it is never run.
__global__ void probe_kernel() {}

struct Report {
  char* text;
  std::size_t size;

  __attribute__((format(printf, 2, 3))) bool no(const char* format, ...) {
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, size, format, args);
    va_end(args);
    static_cast<void>(cudaGetLastError());
    return false;
  }
};

/// The driver is looked up by hand, so that its absence is no more than a sentence. It stays
/// loaded: the runtime uses it.
bool driver_usable(Report report) {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) {
    return report.no(
        "no NVIDIA driver: libcuda.so.1 was not found (in a container: start it with "
        "the NVIDIA runtime, as with `--gpus all`)");
  }
  auto version_of = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDriverGetVersion"));
  int version = 0;
  if (version_of == nullptr || version_of(&version) != 0) {
    return report.no("libcuda.so.1 is no NVIDIA driver that answers: cuDriverGetVersion failed");
  }
  // Minor versions of a CUDA release run on every driver of the same major version.
  if (version / 1000 < CUDART_VERSION / 1000) {
    return report.no(
        "the NVIDIA driver is too old: it serves CUDA %d.%d, this library was built with "
        "CUDA %d.%d; update the driver",
        version / 1000, version % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
  }
  return true;
}

/// Whether a kernel of this library can be loaded on the device.
cudaError_t has_code(int device) {
  int previous = 0;
  cudaError_t e = cudaGetDevice(&previous);
  if (e == cudaSuccess) e = cudaSetDevice(device);
  cudaFuncAttributes attributes;
  if (e == cudaSuccess) {
    e = cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(&probe_kernel));
  }
  static_cast<void>(cudaSetDevice(previous));
  static_cast<void>(cudaGetLastError());
  return e;
}

}  // namespace

bool probe(char* status, std::size_t size, int* devices) {
  Report report{status, size};
  *devices = 0;
  if (!driver_usable(report)) return false;
  int found = 0;
  const cudaError_t e = cudaGetDeviceCount(&found);
  if (e == cudaErrorNoDevice || (e == cudaSuccess && found == 0)) {
    return report.no("the NVIDIA driver sees no device (CUDA_VISIBLE_DEVICES may hide it)");
  }
  if (e != cudaSuccess) return report.no("the NVIDIA driver does not start: %s", error_text(e));
  // Devices are usable up to the first one that is not, so that their numbers stay the driver's.
  for (int i = 0; i < found; ++i) {
    const cudaError_t loads = has_code(i);
    if (loads == cudaSuccess) {
      *devices = i + 1;
      continue;
    }
    char name[128] = "unknown";
    static_cast<void>(device_name(i, name, sizeof(name)));
    int major = 0;
    int minor = 0;
    static_cast<void>(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, i));
    static_cast<void>(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, i));
    if (loads == cudaErrorNoKernelImageForDevice) {
      report.no(
          "device %d (%s, sm_%d%d) is of an architecture this library was not built for: %s; "
          "choose another device with CUDA_VISIBLE_DEVICES, or rebuild",
          i, name, major, minor, TANDEM_CUDA_ARCHITECTURES);
    } else {
      report.no("device %d (%s) cannot be used: %s", i, name, error_text(loads));
    }
    return *devices > 0;
  }
  std::snprintf(status, size, "usable: %d device%s", found, found == 1 ? "" : "s");
  return true;
}

}  // namespace tandem::cuda
