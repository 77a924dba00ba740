// The simulated device as stand-ins of libraries see it: its memory and its streams.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdlib>
#include <functional>

#include "cuda_runtime_api.h"

namespace fake {

template <class F>
F of_backend(const char* name) {
  void* library = dlopen(std::getenv("TANDEM_CUDA_LIBRARY"), RTLD_NOW | RTLD_NOLOAD);
  return reinterpret_cast<F>(dlsym(library, name));
}
/// Whether memory is one piece of the stream's device's.
inline bool holds(cudaStream_t stream, const void* p, std::size_t bytes) {
  static const auto f =
      of_backend<int (*)(cudaStream_t, const void*, std::size_t)>("tandem_sim_holds");
  return bytes == 0 || (p != nullptr && f(stream, p, bytes) != 0);
}
inline int current_device() {
  static const auto f = of_backend<int (*)()>("tandem_sim_device");
  return f();
}
inline bool on_host(const void* p) {
  static const auto f = of_backend<int (*)(const void*)>("tandem_sim_owner");
  return p != nullptr && f(p) == -1;
}
/// Work on a stream: at once, or whenever the graph is launched that records it.
inline bool queued(cudaStream_t stream, const std::function<void()>& work) {
  static const auto f =
      of_backend<int (*)(cudaStream_t, const std::function<void()>&)>("tandem_sim_queue");
  return f(stream, work) == 0;
}

}  // namespace fake
