// What the tests of the simulation share: a machine, and what its user does.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/memory/sim/sim_driver.h"

namespace tandem::test {

inline constexpr std::size_t kPage = std::size_t{2} << 20;

class SimDriverTest : public ::testing::Test {
 protected:
  explicit SimDriverTest(SimOptions options = {.devices = 3, .capacity = 64 * kPage})
      : machine_(options) {
    for (unsigned d = 1; d <= options.devices; ++d) drivers_.push_back(machine_.driver(d));
    for (StreamId& s : streams_) EXPECT_TRUE(machine_.create_stream(1, &s));
  }
  Driver& driver(unsigned device = 1) { return *drivers_[device - 1]; }
  std::byte* allocate(std::size_t bytes, unsigned device = 1) {
    void* p = nullptr;
    EXPECT_EQ(driver(device).allocate(bytes, &p), DriverStatus::Ok);
    return static_cast<std::byte*>(p);
  }
  void use(StreamId s, const void* p, std::uint64_t owner, std::size_t bytes = 1000) {
    machine_.kernel(s, {p, bytes, owner, true});
  }
  EventHandle record(StreamId s) {
    const EventHandle e = machine_.user_event_create(s.device());
    machine_.user_event_record(e, s);
    return e;
  }
  void order(StreamId earlier, StreamId later) {
    const EventHandle e = record(earlier);
    machine_.user_stream_wait_event(later, e);
    machine_.user_event_destroy(e);
  }
  void expect_broken(const std::string& part) {
    EXPECT_NE(machine_.broken().find(part), std::string::npos) << "found: " << machine_.broken();
    expected_ = true;
  }
  void TearDown() override {
    if (!expected_) {
      EXPECT_EQ(machine_.broken(), "");
    }
  }

  SimMachine machine_;
  std::vector<std::unique_ptr<Driver>> drivers_;
  StreamId streams_[3];
  bool expected_ = false;
};

}  // namespace tandem::test
