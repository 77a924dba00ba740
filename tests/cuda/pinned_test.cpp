// Pinned host memory: where it comes from, that it is given out again only after the copies that
// used it, that ops on the host wait for these and for nothing else.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tandem/graph.h"
#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tests/support/needs.h"
#include "tests/support/sim_counts.h"

using namespace tandem;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

TEST(Pinned, WithoutADeviceItIsAnErrorThatSaysWhy) {
  if (is_available(DeviceKind::CUDA)) GTEST_SKIP() << "there is a device";
  try {
    ones({3}).pin_memory();
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& e) {
    EXPECT_NE(std::string(e.what()).find("[pin_memory]"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find(device_status(DeviceKind::CUDA)), std::string::npos);
  }
  EXPECT_EQ(memory_stats(kPinned).reserved.current, 0u);
  EXPECT_FALSE(ones({3}).is_pinned());
}

TEST(Pinned, IsHostMemoryOfItsOwnPool) {
  TANDEM_NEEDS_GPU();
  const Tensor host = arange(1000).refine_names({"n"});
  EXPECT_FALSE(host.is_pinned());
  const MemoryStats before = memory_stats(kPinned);
  const std::size_t pageable = memory_stats(kCPU).allocated.current;
  const Tensor pinned = host.pin_memory();
  EXPECT_TRUE(pinned.is_pinned());
  EXPECT_TRUE(pinned.slice(0, 10, 20).is_pinned());
  EXPECT_EQ(pinned.device(), kCPU);
  EXPECT_TRUE(equal(pinned, host));
  EXPECT_EQ(pinned.names(), host.names());
  EXPECT_TRUE(pinned.pin_memory().shares_storage(pinned));
  EXPECT_GE(memory_stats(kPinned).allocated.current, before.allocated.current + 8000);
  EXPECT_EQ(memory_stats(kCPU).allocated.current, pageable);
  EXPECT_FALSE((pinned + 1).is_pinned());
  EXPECT_THROW(host.to(kDevice).pin_memory(), ValueError);
  EXPECT_TRUE(empty_pinned({2, 0}, DType::float32).numel() == 0);
}

TEST(Pinned, CopiesWithItDoNotWait) {
  TANDEM_NEEDS_GPU();
  const Tensor pinned = arange(100000).pin_memory();
  Tensor back = empty_pinned({100000}, pinned.dtype());
  Tensor there = empty({100000}, {.dtype = pinned.dtype(), .device = kDevice});
  synchronize(kDevice);
  if (const auto counts = test::sim_counters()) {
    const long before = test::read(counts).waits;
    there.copy_(pinned, true);
    back.copy_(there, true);
    EXPECT_EQ(test::read(counts).waits, before);
  } else {
    there.copy_(pinned, true);
    back.copy_(there, true);
  }
  EXPECT_TRUE(equal(back, pinned));  // the host waits by itself
}

TEST(Pinned, OpsOnTheHostWaitForTheCopiesAndForNothingElse) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor other = ones({1000});
  for (int round = 0; round < 3; ++round) {
    Tensor there = full({1000}, round, {.device = kDevice});
    synchronize(kDevice);
    Tensor back = empty_pinned({1000}, DType::float32);
    {
      const StreamGuard guard(stream);
      back.copy_(there, true);
    }
    // Each way to touch it, of which the first has to wait.
    EXPECT_EQ((other * 1).sum().item<float>(), 1000);
    switch (round) {
      case 0:
        EXPECT_EQ(back.select(0, 999).item<float>(), 0);
        break;
      case 1:
        EXPECT_EQ((back + other).sum().item<float>(), 2000);
        break;
      default:
        EXPECT_NE(back.str().find("2., 2., 2."), std::string::npos);
        break;
    }
  }
}

TEST(Pinned, AWriteOfTheHostWaitsForReadsOfTheDevice) {
  TANDEM_NEEDS_GPU();
  Tensor pinned = full({1 << 20}, 1.0F).pin_memory();
  Tensor there = empty({1 << 20}, {.dtype = pinned.dtype(), .device = kDevice});
  for (int round = 1; round < 6; ++round) {
    there.copy_(pinned, true);
    pinned.add_(1);
    EXPECT_EQ(there.sum().item<double>(), static_cast<double>(round) * (1 << 20));
  }
}

TEST(Pinned, IsGivenOutAgainAfterTheCopies) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor there = empty({1 << 18}, {.device = kDevice});
  synchronize(kDevice);
  std::vector<Tensor> arrived;
  for (int i = 0; i < 20; ++i) {
    const StreamGuard guard(stream);
    Tensor staged = full({1 << 18}, i).to(DType::float32).pin_memory();
    arrived.push_back(staged.to(kDevice, {}, true));
    staged = Tensor();  // the copy may not have read it yet
  }
  stream.synchronize();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(arrived[static_cast<std::size_t>(i)].sum().item<double>(), double(i) * (1 << 18));
  empty_cache(kPinned);  // asks
  EXPECT_EQ(memory_stats(kPinned).pending, 0u);
}

TEST(Pinned, LimitTrimAndEmptyCache) {
  TANDEM_NEEDS_GPU();
  { const Tensor cached = empty_pinned({4 << 20}, DType::uint8); }
  EXPECT_GT(memory_stats(kPinned).reserved.current, 0u);
  synchronize(kDevice);
  empty_cache(kPinned);
  const std::size_t held = memory_stats(kPinned).reserved.current;
  set_memory_limit(kPinned, held + (std::size_t{8} << 20));
  EXPECT_THROW(empty_pinned({64 << 20}, DType::uint8), OutOfMemory);
  EXPECT_NO_THROW(empty_pinned({1 << 20}, DType::uint8));
  set_memory_limit(kPinned, SIZE_MAX);
  EXPECT_NO_THROW(empty_pinned({64 << 20}, DType::uint8));
  trim_memory(kPinned);
  EXPECT_EQ(memory_stats(kPinned).reserved.current, held);
}

TEST(Pinned, ItsPoolLeavesCapturesAlone) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor x = ones({1000}, {.device = kDevice});
  Tensor y;
  { const Tensor cached = empty_pinned({8 << 20}, DType::uint8); }
  synchronize(kDevice);
  const Graph graph = Graph::capture(stream, [&] {
    y = x + 1;
    empty_cache(kPinned);
    trim_memory(kPinned);
    set_memory_limit(kPinned, memory_stats(kPinned).reserved.current);
    EXPECT_THROW(empty_pinned({64 << 20}, DType::uint8), Error);
    set_memory_limit(kPinned, SIZE_MAX);
    y = y * 2;
  });
  graph.replay(stream);
  stream.synchronize();
  EXPECT_EQ(y.sum().item<float>(), 4000);
}

TEST(Pinned, GraphsCopyWithIt) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor in = empty_pinned({1000}, DType::float32);
  Tensor out = empty_pinned({1000}, DType::float32);
  in.fill_(1);
  Graph graph = Graph::capture(stream, [&] {
    const Tensor x = in.to(kDevice, {}, true);
    out.copy_(x * 2 + 1, true);
  });
  EXPECT_GE(graph.nodes(), 3u);
  for (const float value : {3.0F, 5.0F}) {
    in.fill_(value);
    graph.replay(stream);
    stream.synchronize();  // what a graph writes the program waits for
    EXPECT_EQ(out.sum().item<float>(), 1000 * (2 * value + 1));
  }
  in = Tensor();  // the graph keeps it
  graph.replay(stream);
  stream.synchronize();
  EXPECT_EQ(out.sum().item<float>(), 11000);
}

}  // namespace
