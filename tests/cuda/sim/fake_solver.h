// What the stand-ins of cuSOLVER and cuBLAS share with each other and tell a test: calls by name,
// and what was wrong with any of them. Each library has its own notes, which a test reads by
// dlsym().
#pragma once

namespace fake {

/// How often a function was called, by the vendor's name of it, and what the last call of it had.
struct Call {
  int times = 0;
  long long m = 0, n = 0, k = 0, batch = 0;
  void* stream = nullptr;
};

inline constexpr const char* kCallOf = "fake_call_of";  // Call of a name
inline constexpr const char* kFault = "fake_fault";    // the first fault, empty where there is none
inline constexpr const char* kForget = "fake_forget";  // calls and faults
using CallOf = void (*)(const char* name, Call* out);
using Fault = const char* (*)();
using Forget = void (*)();

}  // namespace fake
