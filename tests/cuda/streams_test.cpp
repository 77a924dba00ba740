// Streams of a CUDA device: identities, CUDA's special handles, devices, priorities, memory that is
// given back in stream order. Without a GPU the backend is the simulated one.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "runtime/dispatch/backend_loader.h"
#include "tandem/backend.h"
#include "tandem/graph.h"
#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tests/support/message_of.h"
#include "tests/support/needs.h"

using namespace tandem;
using test::message_of;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);
void* const kLegacy = reinterpret_cast<void*>(std::uintptr_t{1});     // cudaStreamLegacy
void* const kPerThread = reinterpret_cast<void*>(std::uintptr_t{2});  // cudaStreamPerThread

TEST(Streams, IdentitiesAreOfOneDevice) {
  TANDEM_NEEDS_GPU();
  EXPECT_EQ(current_stream(kCPU).id(), 0u);
  EXPECT_NE(current_stream(kDevice).id(), 0u);
  EXPECT_EQ(current_stream(kDevice), Stream::wrap(kDevice, nullptr));
  EXPECT_EQ(current_stream(kDevice).id() >> 48, Stream::create(kDevice).id() >> 48);
  EXPECT_EQ(current_stream(kDevice).id() << 16, 0u);
  if (device_count(DeviceKind::CUDA) < 2) GTEST_SKIP() << "one device";
  const Device other(DeviceKind::CUDA, 1);
  EXPECT_NE(current_stream(kDevice).id(), current_stream(other).id());
  EXPECT_NE(Stream::create(kDevice).id(), Stream::create(other).id());
}

TEST(Streams, TheLegacyHandleIsTheDefaultStream) {
  TANDEM_NEEDS_GPU();
  const Stream s = Stream::wrap(kDevice, kLegacy);
  EXPECT_EQ(s, current_stream(kDevice));
  EXPECT_EQ(s.native(), nullptr);
}

TEST(Streams, ThePerThreadHandleIsAnotherStreamOnEachThread) {
  TANDEM_NEEDS_GPU();
  const Stream mine = Stream::wrap(kDevice, kPerThread);
  EXPECT_EQ(Stream::wrap(kDevice, kPerThread), mine);
  const Tensor x = ones({1000}, {.device = kDevice});
  synchronize(kDevice);
  {
    const StreamGuard guard(mine);
    EXPECT_EQ(current_stream(kDevice), mine);
    EXPECT_EQ((x + 1).cpu().sum().item<float>(), 2000.0f);
  }
  mine.synchronize();
  EXPECT_TRUE(mine.query());
  Event of_mine;
  of_mine.record(mine);
  std::thread([&] {
    const Stream theirs = Stream::wrap(kDevice, kPerThread);
    EXPECT_FALSE(theirs == mine);
    EXPECT_THROW(StreamGuard guard(mine), DeviceError);
    EXPECT_EQ(current_stream(kDevice), Stream::wrap(kDevice, nullptr));
    EXPECT_THROW(mine.synchronize(), DeviceError);
    EXPECT_THROW(mine.query(), DeviceError);
    Event e;
    EXPECT_THROW(e.record(mine), DeviceError);
    EXPECT_THROW(of_mine.wait(mine), DeviceError);
    of_mine.wait(theirs);  // an event is no thread's
    theirs.synchronize();
  }).join();
}

TEST(Streams, MemoryUsedOnAPerThreadStreamIsFreedOnAnyThread) {
  TANDEM_NEEDS_GPU();
  Tensor x = ones({100000}, {.device = kDevice});
  synchronize(kDevice);
  std::thread([&] {
    const StreamGuard guard(Stream::wrap(kDevice, kPerThread));
    x.add_(1);
    Tensor own = full({100000}, 3.0, {.device = kDevice});
    x = own;  // of a thread that has ended by the time it is freed
  }).join();
  synchronize(kDevice);  // that stream is out of reach
  EXPECT_EQ(x.cpu().sum().item<float>(), 300000.0f);
  x = {};
  EXPECT_EQ(full({100000}, 2.0, {.device = kDevice}).cpu().sum().item<float>(), 200000.0f);
  synchronize(kDevice);
}

TEST(Streams, AStreamOfAnotherDeviceIsRefused) {
  TANDEM_NEEDS_GPU();
  if (device_count(DeviceKind::CUDA) < 2) GTEST_SKIP() << "one device";
  const Stream there = Stream::create(Device(DeviceKind::CUDA, 1));
  try {
    Stream::wrap(kDevice, there.native());
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("cuda:0"), std::string::npos) << text;
    EXPECT_NE(text.find("cuda:1"), std::string::npos) << text;
  }
}

TEST(Streams, Priorities) {
  TANDEM_NEEDS_GPU();
  const StreamPriorities range = stream_priority_range(kDevice);
  EXPECT_GE(range.least, 0);
  EXPECT_LE(range.greatest, 0);
  const Stream first = Stream::create(kDevice, range.greatest);
  const StreamGuard guard(first);
  EXPECT_EQ(ones({100}, {.device = kDevice}).cpu().sum().item<float>(), 100.0f);
  EXPECT_THROW(Stream::create(kDevice, range.least + 1), ValueError);
  EXPECT_THROW(Stream::create(kDevice, range.greatest - 1), ValueError);
}

TEST(Streams, CopiesFromTheHostHaveReadIt) {
  TANDEM_NEEDS_GPU();
  std::vector<float> source(1 << 20);
  for (float round = 1; round < 4; ++round) {
    for (float& x : source) x = round;
    const Tensor d = from_blob(source.data(), {1 << 20}, DType::float32).to(kDevice);
    for (float& x : source) x = -1;
    EXPECT_EQ(d.cpu().max().item<float>(), round);
    EXPECT_EQ(d.cpu().min().item<float>(), round);
  }
}

TEST(Streams, OwnedOnesEndWhileMemoryIsCached) {
  TANDEM_NEEDS_GPU();
  Tensor kept;
  for (int i = 0; i < 100; ++i) {
    const Stream own = Stream::create_owned(kDevice);
    {
      const StreamGuard guard(own);
      const Tensor cached = ones({300000}, {.device = kDevice}) + i;
      kept = ones({1000}, {.device = kDevice}) * i;
    }
    own.destroy();
    EXPECT_NE(
        message_of([&] { own.synchronize(); }).find("[synchronize] expected a stream that lives"),
        std::string::npos);
    EXPECT_NE(message_of([&] { StreamGuard guard(own); }).find("that lives"), std::string::npos);
    EXPECT_NE(message_of([&] { own.destroy(); }).find("[destroy]"), std::string::npos);
    synchronize(kDevice);  // for the streams' order
    EXPECT_EQ(kept.sum().item<float>(), 1000.0F * static_cast<float>(i));
  }
  // Later streams took the memory of those that are gone.
  EXPECT_LT(memory_stats(kDevice).reserved.current, std::size_t{64} << 20);
}

TEST(Streams, AGuardDoesNotBringBackAStreamThatHasEnded) {
  TANDEM_NEEDS_GPU();
  const Stream own = Stream::create_owned(kDevice), inner = Stream::create(kDevice);
  {
    const StreamGuard outside(own);
    {
      const StreamGuard inside(inner);
      own.destroy();
    }
    EXPECT_EQ(current_stream(kDevice), Stream::wrap(kDevice, nullptr));
  }
  EXPECT_EQ(current_stream(kDevice), Stream::wrap(kDevice, nullptr));
}

TEST(Streams, OfManyThreadsOneDestroys) {
  TANDEM_NEEDS_GPU();
  for (int round = 0; round < 50; ++round) {
    const Stream own = Stream::create_owned(kDevice);
    std::atomic<int> destroyed{0}, refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        try {
          own.destroy();
          ++destroyed;
        } catch (const Error&) {
          ++refused;
        }
      });
    }
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(refused, 3);
  }
}

TEST(Streams, WhatCannotBeDestroyed) {
  TANDEM_NEEDS_GPU();
  const Stream pooled = Stream::create(kDevice);
  EXPECT_THROW(pooled.destroy(), ValueError);
  EXPECT_THROW(pooled.retire(), ValueError);
  EXPECT_THROW(current_stream(kDevice).destroy(), ValueError);
  EXPECT_THROW(current_stream(kDevice).retire(), ValueError);
  const Stream own = Stream::create_owned(kDevice);
  EXPECT_THROW(own.retire(), ValueError);
  {
    const StreamGuard guard(own);
    EXPECT_NE(message_of([&] { own.destroy(); }).find("that is not current"), std::string::npos);
  }
  {
    const Graph nothing = Graph::capture(own, [&] {
      const StreamGuard guard(pooled);
      EXPECT_NE(message_of([&] { own.destroy(); }).find("not being captured"), std::string::npos);
    });
  }
  own.destroy();
  Stream::create_owned(kCPU).destroy();  // nothing to do
}

TEST(Streams, AWrappedStreamIsRetiredBeforeItsOwnerDestroysIt) {
  TANDEM_NEEDS_GPU();
  const BackendDriver& driver = backend_for(DeviceKind::CUDA)->driver;
  void* native = nullptr;
  ASSERT_EQ(driver.stream_create(0, &native), 0);
  const Stream stream = Stream::wrap(kDevice, native);
  Tensor x;
  {
    const StreamGuard guard(stream);
    x = ones({300000}, {.device = kDevice}) + 1;
  }
  stream.retire();
  ASSERT_EQ(driver.stream_destroy(0, native), 0);
  EXPECT_THROW(stream.query(), DeviceError);
  synchronize(kDevice);
  EXPECT_EQ(x.sum().item<float>(), 600000.0F);
  x = {};
  empty_cache(kDevice);
  EXPECT_EQ(ones({300000}, {.device = kDevice}).sum().item<float>(), 300000.0F);
}

}  // namespace
