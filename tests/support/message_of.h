// What a call raises, for tests of messages.
#pragma once

#include <string>

#include "tandem/error.h"

namespace tandem::test {

/// The message of the Error that f raises; empty where it raises none.
std::string message_of(auto&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace tandem::test
