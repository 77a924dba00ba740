// For programs that run on the recording backend: its controls. A program's own variable of the
// kind `const bool kChosen = choose();` has to be there before a device is asked for.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tandem/device.h"

namespace tandem::test::recording {

inline bool choose() { return ::setenv("TANDEM_CUDA_LIBRARY", TANDEM_RECORDING_BACKEND, 1) == 0; }

template <class F>
F* function(const char* name) {
  static void* library = dlopen(TANDEM_RECORDING_BACKEND, RTLD_NOW | RTLD_LOCAL);
  return reinterpret_cast<F*>(dlsym(library, name));
}
/// The calls since the last time.
inline std::string calls() { return function<const char*()>("recorded_calls")(); }
inline void refuse_memory(bool refuse, bool lost) {
  function<void(bool, bool)>("refuse_memory")(refuse, lost);
}
inline void set_current_device(int device) { function<void(int)>("set_current_device")(device); }
inline void set_staged(bool yes) { function<void(bool)>("set_staged")(yes); }
/// Makes a driver's call fail, once, after some that do not.
inline void fail_next(const char* call, int after = 0) {
  function<void(const char*, int)>("fail_next")(call, after);
}

inline Device device(int i) { return Device(DeviceKind::CUDA, i); }
inline std::string number(const void* p) {
  return std::to_string(reinterpret_cast<std::uintptr_t>(p));
}

}  // namespace tandem::test::recording
