// Opening vendors' libraries.
#include "kernels/cuda/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

namespace tandem::cuda {

void* open_library(const char* name, int major) {
  const std::string file = std::string("lib") + name + ".so." + std::to_string(major);
  const char* folder = std::getenv("TANDEM_VENDOR_LIBRARIES");
  if (folder != nullptr && *folder != '\0') {
    void* library = dlopen((std::string(folder) + "/" + file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) return library;
  }
#if defined(TANDEM_CUDA_SIMULATED)  // a real one would take host memory for a device's
  if (file.rfind("libnvrtc.", 0) != 0) return nullptr;
#endif
  return dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
}

void* library_function(void* library, const char* name) { return dlsym(library, name); }

}  // namespace tandem::cuda
