// What a test needs of the machine: a GPU, and the files of the source tree.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tandem/device.h"

namespace tandem::test {

/// Set on machines that have a GPU, so that a test which does not find it fails
/// (TANDEM_REQUIRE_GPU=1).
inline bool gpu_required() {
  const char* asked = std::getenv("TANDEM_REQUIRE_GPU");
  return asked != nullptr && std::string(asked) == "1";
}

/// A file of the source tree; TANDEM_SOURCE_DIR in the environment says where programs find it that
/// were built elsewhere.
inline std::string source_file(const std::string& path) {
  const char* moved = std::getenv("TANDEM_SOURCE_DIR");
  return std::string(moved != nullptr ? moved : TANDEM_SOURCE_DIR) + "/" + path;
}

}  // namespace tandem::test

/// Leaves the test where there is no usable GPU: skipped, or failed where one is required.
#define TANDEM_NEEDS_GPU()                                                   \
  if (!tandem::is_available(tandem::DeviceKind::CUDA)) {                     \
    const std::string why = tandem::device_status(tandem::DeviceKind::CUDA); \
    if (tandem::test::gpu_required()) FAIL() << "needs a GPU: " << why;      \
    GTEST_SKIP() << why;                                                     \
  }                                                                          \
  static_assert(true)
