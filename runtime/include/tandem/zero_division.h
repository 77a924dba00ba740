// The error of dividing integers by a zero.
#pragma once

#include "tandem/error.h"

namespace tandem {

/// An integer divided by a 0 that is known before the call's work: a number, no element of a tensor
/// (a quotient by one of those is 0). Python: ZeroDivisionError, which is a RuntimeError too.
class TANDEM_API ZeroDivisionError : public Error {
 public:
  using Error::Error;
};

}  // namespace tandem
