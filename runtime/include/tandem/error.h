// The error hierarchy. A failed call leaves every tensor as it was; messages read "[op] expected
// ..., got ...".
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "tandem/export.h"

namespace tandem {

/// Base of all errors of Tandem; Python sees it as tandem.Error, a RuntimeError.
class TANDEM_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An index or axis out of range. Python: IndexError.
class TANDEM_API IndexError : public Error {
 public:
  using Error::Error;
};
/// A value that is not allowed. Python: ValueError.
class TANDEM_API ValueError : public Error {
 public:
  using Error::Error;
};
/// A dtype or argument type that is not allowed. Python: TypeError.
class TANDEM_API TypeError : public Error {
 public:
  using Error::Error;
};
/// Shapes, names or layouts that do not fit. Python: RuntimeError, as in PyTorch.
class TANDEM_API ShapeError : public Error {
 public:
  using Error::Error;
};
/// Memory could not be had; carries the pool's report. Python: MemoryError.
class TANDEM_API OutOfMemory : public Error {
 public:
  using Error::Error;
};
/// A device is missing, unusable or reported an error. Python: RuntimeError.
class TANDEM_API DeviceError : public Error {
 public:
  using Error::Error;
};
/// A file is missing, malformed or could not be written. Python: OSError.
class TANDEM_API FileError : public Error {
 public:
  using Error::Error;
};
/// The op exists but not for these arguments. Python: NotImplementedError.
class TANDEM_API NotImplemented : public Error {
 public:
  using Error::Error;
};

namespace detail {
template <class E = ValueError>
[[noreturn]] __attribute__((cold, noinline)) void fail(std::string message) {
  throw E(std::move(message));
}
}  // namespace detail

}  // namespace tandem

/// Raises `Type` with the message (evaluated only on failure) unless the condition holds.
#define TANDEM_EXPECTS(cond, Type, ...)                    \
  do {                                                     \
    if (!(cond)) [[unlikely]]                              \
      ::tandem::detail::fail<::tandem::Type>(__VA_ARGS__); \
  } while (false)
