// Users' elementwise kernels, compiled by NVRTC. The library (a hundred megabytes) is opened at the
// first such kernel; nothing links it.
#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/cuda/context.h"
#include "kernels/cuda/library.h"
#include "kernels/functors/source_kernel.h"
#include "tandem/backend/source.h"
#include "tandem/cuda/launch.h"
#include "tandem/export.h"

// What of NVRTC's interface is called. Declared here, since a toolkit without its header builds the
// rest of the backend.
extern "C" {
struct _nvrtcProgram;  // NOLINT(bugprone-reserved-identifier)
int nvrtcVersion(int* major, int* minor);
int nvrtcCreateProgram(_nvrtcProgram** out, const char* text, const char* name, int n_headers,
                       const char* const* headers, const char* const* names);
int nvrtcDestroyProgram(_nvrtcProgram** program);
int nvrtcCompileProgram(_nvrtcProgram* program, int n, const char* const* options);
int nvrtcGetProgramLogSize(_nvrtcProgram* program, std::size_t* out);
int nvrtcGetProgramLog(_nvrtcProgram* program, char* out);
int nvrtcGetPTXSize(_nvrtcProgram* program, std::size_t* out);
int nvrtcGetPTX(_nvrtcProgram* program, char* out);
int nvrtcGetCUBINSize(_nvrtcProgram* program, std::size_t* out);
int nvrtcGetCUBIN(_nvrtcProgram* program, char* out);
int nvrtcGetNumSupportedArchs(int* out);
int nvrtcGetSupportedArchs(int* out);
}

namespace tandem::cuda {

namespace {

#define TANDEM_NVRTC_CALLS(X)  \
  X(nvrtcVersion)              \
  X(nvrtcCreateProgram)        \
  X(nvrtcDestroyProgram)       \
  X(nvrtcCompileProgram)       \
  X(nvrtcGetProgramLogSize)    \
  X(nvrtcGetProgramLog)        \
  X(nvrtcGetPTXSize)           \
  X(nvrtcGetPTX)               \
  X(nvrtcGetCUBINSize)         \
  X(nvrtcGetCUBIN)             \
  X(nvrtcGetNumSupportedArchs) \
  X(nvrtcGetSupportedArchs)

TANDEM_VENDOR_TABLE(Nvrtc, "nvrtc", CUDART_VERSION / 1000, TANDEM_NVRTC_CALLS)

const Nvrtc& nvrtc() {
  static const Nvrtc& n = *new Nvrtc();
  return n;
}

/// What a program is compiled for.
struct Target {
  int architecture;  // 90
  bool cubin;        // or PTX, for a device that is newer than the compiler
};

/// Of a device; architecture 0 where it is older than all that the compiler knows.
Target target_of(int device) {
  Target target{0, false};
#ifdef TANDEM_CUDA_SIM
  static_cast<void>(device);
  target.architecture = 90;
#else
  int major = 0, minor = 0, count = 0;
  if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) != cudaSuccess ||
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) != cudaSuccess ||
      nvrtc().nvrtcGetNumSupportedArchs(&count) != 0) {
    return target;
  }
  std::vector<int> known(static_cast<std::size_t>(count));
  if (count == 0 || nvrtc().nvrtcGetSupportedArchs(known.data()) != 0) return target;
  const int own = 10 * major + minor;
  for (const int a : known) {
    if (a <= own) target.architecture = std::max(target.architecture, a);
  }
  target.cubin = target.architecture == own;
#endif
  return target;
}

/// The compiled program, or what is wrong with it.
struct Compiled {
  std::string image, wrong;
};

Compiled compile(const SourceLaunch& l, const Target& target) {
  const Nvrtc& n = nvrtc();
  Compiled out;
  _nvrtcProgram* program = nullptr;
  if (n.nvrtcCreateProgram(&program, l.program, l.op, 0, nullptr, nullptr) != 0) {
    out.wrong = "NVRTC made no program of it";
    return out;
  }
  const std::string architecture = std::string("--gpu-architecture=") +
                                   (target.cubin ? "sm_" : "compute_") +
                                   std::to_string(target.architecture);
  const std::string headers = std::string("-I") + l.headers;
  const std::string standard = headers + "/nvrtc";
  // The flags on which bits depend are those of tools/cmake/TandemCompiler.cmake.
  const std::array<const char*, 9> options = {
      architecture.c_str(), headers.c_str(), standard.c_str(),
      "--std=c++20",        "--fmad=false",  "--prec-div=true",
      "--prec-sqrt=true",   "--ftz=false",   "--device-as-default-execution-space"};
  const int failed =
      n.nvrtcCompileProgram(program, static_cast<int>(options.size()), options.data());
  std::size_t size = 0;
  if (failed != 0) {
    n.nvrtcGetProgramLogSize(program, &size);
    out.wrong.resize(size);
    n.nvrtcGetProgramLog(program, out.wrong.data());
    if (out.wrong.empty()) out.wrong = "NVRTC could not compile it";
  } else {
    (target.cubin ? n.nvrtcGetCUBINSize : n.nvrtcGetPTXSize)(program, &size);
    out.image.resize(size);
    (target.cubin ? n.nvrtcGetCUBIN : n.nvrtcGetPTX)(program, out.image.data());
  }
  n.nvrtcDestroyProgram(&program);
  return out;
}

/// From the store, or compiled. What is stored is the program and then its compiled form.
Compiled find_or_compile(const SourceLaunch& l, const Target& target) {
  int major = 0, minor = 0;
  nvrtc().nvrtcVersion(&major, &minor);
  const std::string name = std::string(l.key) + "." + std::to_string(target.architecture) +
                           (target.cubin ? ".cubin" : ".ptx") + std::to_string(major) + "." +
                           std::to_string(minor);
  Compiled out;
  l.store->read(
      l.store->context, name.c_str(),
      [](void* to, const char* bytes, std::size_t size) {
        static_cast<std::string*>(to)->assign(bytes, size);
      },
      &out.image);
  const std::size_t length = std::strlen(l.program) + 1;
  if (out.image.size() > length && out.image.compare(0, length, l.program, length) == 0) {
    out.image.erase(0, length);
    return out;
  }
  out = compile(l, target);
  if (out.wrong.empty()) {
    const std::string kept = std::string(l.program, length) + out.image;
    l.store->write(l.store->context, name.c_str(), kept.data(), kept.size());
  }
  return out;
}

/// Kernels that were loaded, for as long as the process lives: an op may be queued on any stream.
struct Loaded {
  std::mutex mutex;
  std::map<std::pair<std::string, int>, cudaKernel_t> kernels;  // by program and architecture

  cudaKernel_t find(const std::pair<std::string, int>& key) {
    const std::lock_guard lock(mutex);
    const auto it = kernels.find(key);
    return it == kernels.end() ? nullptr : it->second;
  }
  void add(const std::pair<std::string, int>& key, cudaKernel_t kernel) {
    const std::lock_guard lock(mutex);
    kernels.emplace(key, kernel);
  }
};

Loaded& loaded() {
  static Loaded& l = *new Loaded();
  return l;
}

cudaError_t load(const std::string& image, cudaKernel_t* out) {
  cudaLibrary_t library = nullptr;
  const cudaError_t e =
      cudaLibraryLoadData(&library, image.data(), nullptr, nullptr, 0, nullptr, nullptr, 0);
  if (e != cudaSuccess) return e;
  return cudaLibraryGetKernel(out, library, "tandem_source_kernel");
}

cudaError_t queue(cudaKernel_t kernel, const SourceLaunch& l) {
  constexpr unsigned kThreads = 256;
  const unsigned blocks = grid_for((l.args->numel + kThreads - 1) / kThreads);
  DeviceGuard guard(l.device.index);
  if (guard.error != cudaSuccess) return guard.error;
  auto* const stream = static_cast<cudaStream_t>(l.stream);
#ifdef TANDEM_CUDA_SIM
  return sim::launch_loaded(kernel, blocks, kThreads, *l.args, stream);
#else
  void* arguments[] = {const_cast<SourceArgs*>(l.args)};
  const cudaError_t e = cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(blocks),
                                         dim3(kThreads), arguments, 0, stream);
  const cudaError_t last = cudaGetLastError();  // clears what the launch left behind
  return e != cudaSuccess ? e : last;
#endif
}

const char* run(const SourceLaunch& l) {
  if (!nvrtc().usable) {
    char text[120];
    std::snprintf(text, sizeof text, "libnvrtc.so.%d was not found or lacks functions",
                  CUDART_VERSION / 1000);
    raise(l.op, text);
    return nullptr;
  }
  const Target target = target_of(l.device.index);
  if (target.architecture == 0) {
    raise(l.op, "the device is older than what NVRTC compiles for");
    return nullptr;
  }
  const auto key = std::make_pair(std::string(l.program), target.architecture);
  cudaKernel_t kernel = loaded().find(key);
  if (kernel == nullptr) {
    const Compiled c = find_or_compile(l, target);
    if (!c.wrong.empty()) {
      thread_local std::string wrong;
      wrong = c.wrong;
      return wrong.c_str();
    }
    const cudaError_t e = load(c.image, &kernel);
    check(e, l.op);
    if (e != cudaSuccess) return nullptr;
    loaded().add(key, kernel);
  }
  check(queue(kernel, l), l.op);
  return nullptr;
}

}  // namespace

}  // namespace tandem::cuda

extern "C" TANDEM_API const char* tandem_backend_source_kernel(const tandem::SourceLaunch* launch) {
  try {
    return tandem::cuda::run(*launch);
  } catch (const std::exception& e) {
    tandem::cuda::raise(launch->op, e.what());
    return nullptr;
  }
}
