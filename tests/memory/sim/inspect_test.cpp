// What a snapshot and a report say of address space with pages, of ops, and of blocks that wait.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/base/trace.h"
#include "runtime/memory/pool.h"
#include "runtime/memory/snapshot.h"
#include "tandem/error.h"
#include "tests/memory/sim/sim_driver.h"

namespace tandem::test {
namespace {

using nlohmann::json;
constexpr std::size_t kKiB = 1024, kMiB = 1024 * kKiB;

class Inspect : public ::testing::Test {
 protected:
  void start(SimOptions options) {
    machine_ = std::make_unique<SimMachine>(options);
    order_ = std::make_unique<memory::Order>();
    pool_ = std::make_unique<Pool>(machine_->driver(1), Device(DeviceKind::CUDA, 0), 1, *order_);
  }
  void TearDown() override {
    pool_.reset();
    EXPECT_EQ(machine_->broken(), "");
    EXPECT_EQ(machine_->leaks(), "");
  }
  StreamId stream() {
    StreamId s;
    EXPECT_TRUE(machine_->create_stream(1, &s));
    return s;
  }
  json taken() { return json::parse(memory::to_json(pool_->snapshot())); }

  std::unique_ptr<SimMachine> machine_;
  std::unique_ptr<memory::Order> order_;
  std::unique_ptr<Pool> pool_;
};

TEST_F(Inspect, PagesAndHoles) {
  start({});
  const StreamId s = stream();
  std::vector<Block*> blocks;
  for (int i = 0; i < 6; ++i) blocks.push_back(pool_->allocate(8 * kMiB, s));
  for (std::size_t i = 0; i < 6; i += 2) pool_->free(blocks[i]);
  EXPECT_EQ(pool_->trim(), 24 * kMiB);
  const json snapshot = taken();
  EXPECT_EQ(snapshot.at("mode"), "virtual");
  EXPECT_EQ(snapshot.at("page"), 2 * kMiB);
  std::size_t live = 0, mapped = 0;
  for (const json& segment : snapshot.at("segments")) {
    EXPECT_TRUE(segment.at("virtual").get<bool>());
    for (const json& r : segment.at("ranges")) {
      if (r.at("state") != "hole") mapped += r.at("bytes").get<std::size_t>();
      if (r.at("state") == "live") live += r.at("bytes").get<std::size_t>();
    }
  }
  EXPECT_EQ(live, 24 * kMiB);
  EXPECT_EQ(mapped, machine_->held(1));
  for (std::size_t i = 1; i < 6; i += 2) pool_->free(blocks[i]);
}

TEST_F(Inspect, OpsOfRanges) {
  start({});
  const StreamId s = stream();
  Block *a = nullptr, *b = nullptr;
  {
    const MemoryTag tag("encoder");
    const trace::OpScope op("matmul");
    a = pool_->allocate(2 * kMiB, s);
  }
  {
    const trace::OpScope op("add");
    b = pool_->allocate(4 * kMiB, s);
  }
  const json expected = {
      {{"tag", ""}, {"op", "add"}, {"blocks", 1}, {"requested", 4 * kMiB}, {"bytes", 4 * kMiB}},
      {{"tag", "encoder"},
       {"op", "matmul"},
       {"blocks", 1},
       {"requested", 2 * kMiB},
       {"bytes", 2 * kMiB}}};
  EXPECT_EQ(taken().at("live"), expected);
  pool_->free(a);
  pool_->free(b);
}

/// Small live blocks hold their pages, and the report says whose they are.
TEST_F(Inspect, ScatteredSmallBlocks) {
  start({.capacity = 32 * kMiB});
  const StreamId s = stream();
  std::vector<Block*> blocks;
  const MemoryTag tag("indices");
  for (int i = 0; i < 32; ++i) blocks.push_back(pool_->allocate(kMiB, s));
  std::vector<Block*> left;
  for (std::size_t i = 0; i < 32; ++i) {
    if (i % 2 == 0)
      left.push_back(blocks[i]);
    else
      pool_->free(blocks[i]);
  }
  try {
    pool_->allocate(8 * kMiB, s);
    FAIL() << "expected OutOfMemory";
  } catch (const OutOfMemory& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("16.00 MiB of what is free lie in pages with live memory, most often of "
                        "indices"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("stream 1"), std::string::npos) << text;
  }
  for (Block* b : left) pool_->free(b);
}

TEST_F(Inspect, EventsAndWaitsAreOfTheDevice) {
  start({.devices = 2, .capacity = 32 * kMiB});
  Pool other(machine_->driver(2), Device(DeviceKind::CUDA, 1), 2, *order_);
  const StreamId one = stream(), two = stream();
  Block* a = pool_->allocate(20 * kMiB, one);
  machine_->kernel(one, {a->data, a->requested, 1, true});
  pool_->free(a);
  Block* b = pool_->allocate(20 * kMiB, two);  // waits for the first stream
  pool_->free(b);
  EXPECT_EQ(pool_->stats().waits, 1u);
  EXPECT_GE(pool_->stats().events, 1u);
  EXPECT_EQ(other.stats().waits + other.stats().events, 0u);
  other.free(other.allocate(kMiB, SimMachine::default_stream(2)));
}

}  // namespace
}  // namespace tandem::test
