// What a call raises, for tests of messages.
#pragma once

#include <string>

#include "tandem/error.h"

namespace tandem::test {

/// The message of the error of this kind that f raises; empty where it raises none.
template <class E = Error>
std::string message_of(auto&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "";
}

}  // namespace tandem::test
