// Between the functions of tandem/c.h and C++: exceptions to statuses, checked pointers, handles.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <utility>

#include "tandem/c.h"
#include "tandem/c_handles.h"
#include "tandem/device.h"
#include "tandem/dtype.h"
#include "tandem/error.h"
#include "tandem/generator.h"
#include "tandem/small_vector.h"
#include "tandem/stream.h"
#include "tandem/tensor.h"

// A stream or a generator is a handle in C++ already; a C handle holds one.
struct tandem_stream {
  tandem::Stream stream;
};
struct tandem_generator {
  tandem::Generator generator;
};

namespace tandem::c {

/// Keeps the text of the exception in flight for tandem_last_error; its status.
int status_of_exception() noexcept;

/// Runs the body of a function of the interface. Nothing thrown leaves it.
template <class F>
int guarded(F&& body) noexcept {
  try {
    std::forward<F>(body)();
    return TANDEM_OK;
  } catch (...) {
    return status_of_exception();
  }
}

/// A function's argument that may not be null.
struct Argument {
  const char* function;
  const char* name;
};
[[noreturn]] void fail_null(const Argument& a);

template <class T>
T& given(T* p, const Argument& a) {
  if (p == nullptr) fail_null(a);
  return *p;
}

inline Tensor tensor(const tandem_tensor* t, const char* function) {
  return from_c(&given(t, {function, "t"}));
}
inline const Stream& stream(const tandem_stream* s, const char* function) {
  return given(s, {function, "stream"}).stream;
}

/// Raise ValueError, naming the function, for null and for names of nothing.
DType dtype(const char* name, const char* function);
Device device(const char* name, const char* function);
IntSpan dims(const std::int64_t* p, std::size_t n, const Argument& a);

/// Texts that end with a zero and live as long as the library.
const char* text_of(DType t);
const char* text_of(Device d);
const char* text_of(Name n);  // null for no name

}  // namespace tandem::c
