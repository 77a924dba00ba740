// The expectation that a call raises one kind of error, with a part of its message.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace tandem::testing {

template <class E>
void expect_error(const std::function<void()>& f, const std::string& part) {
  try {
    f();
    ADD_FAILURE() << "no error; expected " << part;
  } catch (const E& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

}  // namespace tandem::testing
