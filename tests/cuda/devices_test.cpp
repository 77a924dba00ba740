// lint: oracle table. Several devices: the current one, copies between them directly and through
// the host, ops that meet tensors of two. The simulated machine has three, of which 0 and 1 reach
// each other's memory; elsewhere as many tests run as there are devices for.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tandem/graph.h"
#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tandem/testing.h"
#include "tandem/value.h"
#include "tests/support/device_calls.h"
#include "tests/support/message_of.h"
#include "tests/support/needs.h"
#include "tests/support/sim_counts.h"

using namespace tandem;
using test::message_of;

namespace {

Device cuda(int i) { return Device(DeviceKind::CUDA, i); }

#define NEEDS_DEVICES(n) \
  TANDEM_NEEDS_GPU();    \
  if (device_count(DeviceKind::CUDA) < (n)) GTEST_SKIP() << "needs " << (n) << " devices"

TEST(Devices, TheCurrentOneStandsForAKindWithoutAnIndex) {
  NEEDS_DEVICES(2);
  EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(0));
  {
    const DeviceGuard guard(cuda(1));
    EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(1));
    const Tensor host = arange(6);
    EXPECT_EQ(empty({3}, {.device = kCUDA}).device(), cuda(1));
    EXPECT_EQ(ones({3}, {.device = kCUDA}).device(), cuda(1));
    EXPECT_EQ(rand({3}, {.device = kCUDA}).device(), cuda(1));
    EXPECT_EQ(host.to(kCUDA).device(), cuda(1));
    EXPECT_EQ(host.cuda().device(), cuda(1));
    EXPECT_EQ(host.to(cuda(0)).cuda().device(), cuda(1));
    EXPECT_EQ(Stream::create(kCUDA).device(), cuda(1));
    EXPECT_EQ(Stream::wrap(kCUDA, nullptr).device(), cuda(1));
    EXPECT_EQ(current_stream(kCUDA).device(), cuda(1));
    const std::size_t before = memory_stats(cuda(1)).allocated.current;
    const Tensor more = ones({1000}, {.device = kCUDA});
    EXPECT_GT(memory_stats(kCUDA).allocated.current, before);
    synchronize(kCUDA);
    empty_cache(kCUDA);
    // On tensors of another device than the current one ops go to theirs.
    const Tensor there = ones({5}, {.device = cuda(0)});
    EXPECT_EQ((there + 1).device(), cuda(0));
    EXPECT_EQ(there.sum().item<float>(), 5);
    EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(1));
  }
  EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(0));
  EXPECT_EQ(ones({3}, {.device = kCUDA}).device(), cuda(0));
}

TEST(Devices, GuardsNestAreAThreadsOwnAndUndoneByExceptions) {
  NEEDS_DEVICES(2);
  try {
    const DeviceGuard outer(cuda(1));
    {
      const DeviceGuard inner(cuda(0));
      EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(0));
      const DeviceGuard of_the_host(kCPU);
      EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(0));
    }
    EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(1));
    std::thread([] { EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(0)); }).join();
    throw std::runtime_error("the user's");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(0));
  const int n = device_count(DeviceKind::CUDA);
  const std::string text = message_of([&] { DeviceGuard guard(cuda(n)); });
  EXPECT_NE(text.find("cuda:" + std::to_string(n)), std::string::npos) << text;
  EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(0));
  set_current_device(cuda(1));
  EXPECT_EQ(current_device(DeviceKind::CUDA), cuda(1));
  set_current_device(cuda(0));
  EXPECT_EQ(current_device(DeviceKind::CPU), kCPU);
}

TEST(Devices, CopiesBetweenEveryTwo) {
  NEEDS_DEVICES(2);
  const int n = device_count(DeviceKind::CUDA);
  // Around the size of what goes through the host at a time, in bytes of float32.
  for (const std::int64_t size : {1LL, 1000LL, 1LL << 20, (1LL << 20) + 1, 5LL << 19, 3LL << 20}) {
    const Tensor host = arange(0, static_cast<double>(size), 1, {.dtype = DType::float32});
    for (int from = 0; from < n; ++from) {
      const Tensor source = host.to(cuda(from));
      for (int to = 0; to < n; ++to) {
        const Tensor there = source.to(cuda(to));
        EXPECT_EQ(there.device(), cuda(to));
        EXPECT_TRUE(equal(there.cpu(), host)) << from << " to " << to << ", " << size;
        const Tensor cast = source.to(cuda(to), DType::float64);
        EXPECT_TRUE(equal(cast.cpu(), host.to(DType::float64)));
        Tensor turned = zeros({2, size}, {.device = cuda(to)});
        turned.select(0, 1).copy_(source);
        EXPECT_TRUE(equal(turned.select(0, 1).cpu(), host));
      }
    }
  }
}

TEST(Devices, CopiesWaitForNothingAndComeInTheOrderOfBothStreams) {
  NEEDS_DEVICES(2);
  const int n = device_count(DeviceKind::CUDA);
  for (int from = 0; from < n; ++from) {
    for (int to = 0; to < n; ++to) {
      if (from == to) continue;
      const Stream origin = Stream::create(cuda(from)), stream = Stream::create(cuda(to));
      const StreamGuard on_origin(origin), on_stream(stream);
      Tensor source = zeros({3 << 20}, {.device = cuda(from)});
      Tensor out = zeros({3 << 20}, {.device = cuda(to)});
      for (int round = 1; round < 5; ++round) {
        source.add_(1);  // before the copy
        out.copy_(source);
        source.add_(1);  // after it
        out.mul_(2);
        source.sub_(1);
      }
      stream.synchronize();
      EXPECT_EQ(out.select(0, (3 << 20) - 1).item<float>(), 8);
      EXPECT_EQ(out.sum().item<double>(), 8.0 * (3 << 20));
      // The source's memory goes back while the copy may be under way.
      Tensor late = full({3 << 20}, 5, {.device = cuda(from)});
      out.copy_(late);
      late = Tensor();
      const Tensor taker = full({3 << 20}, 6, {.device = cuda(from)});
      EXPECT_EQ(out.sum().item<double>(), 5.0 * (3 << 20));
    }
  }
}

/// Every row that takes two tensors refuses tensors of two devices, and says which.
TEST(Devices, OpsOnTensorsOfTwoNameBoth) {
  NEEDS_DEVICES(2);
  int rows = 0;
  for (const OpRow* row : op_rows()) {
    if (std::string(row->name) == "copy_") continue;  // what it is for
    test::Args args = test::device_call(*row, cuda(0));
    std::vector<std::size_t> tensors;
    for (std::size_t i = 0; i < args.size(); ++i) {
      const bool one = args[i].is<Tensor>() && args[i].as<Tensor>().defined();
      if (one && args[i].as<Tensor>().dim() > 0) tensors.push_back(i);
    }
    if (tensors.size() < 2) continue;
    args[tensors[1]] = test::to_device(args[tensors[1]], cuda(1));
    bool refused = false;
    const std::string text = message_of([&] { call_boxed(*row, args); });
    refused = text.find("cuda:0") != std::string::npos && text.find("cuda:1") != std::string::npos;
    EXPECT_TRUE(refused) << row->name << ": " << text;
    EXPECT_EQ(text.find("[" + std::string(row->name) + "]"), 0u) << text;
    ++rows;
  }
  std::printf("%d rows\n", rows);
  EXPECT_GT(rows, 60);
}

TEST(Devices, AListOfTensorsOfTwoNamesBoth) {
  NEEDS_DEVICES(2);
  const std::vector<Tensor> list{ones({2, 3}, {.device = cuda(0)}),
                                 ones({2, 3}, {.device = cuda(1)})};
  for (const char* op : {"cat", "stack"}) {
    const std::string text =
        message_of([&] { std::string(op) == "cat" ? (void)cat(list) : (void)stack(list); });
    EXPECT_NE(text.find("cuda:0"), std::string::npos) << text;
    EXPECT_NE(text.find("cuda:1"), std::string::npos) << text;
  }
  const Tensor x = ones({4}, {.device = cuda(0)});
  Tensor out = ones({4}, {.device = cuda(1)});
  const std::string text = message_of([&] { add_out(out, x, x); });
  EXPECT_NE(text.find("cuda:0"), std::string::npos) << text;
  EXPECT_NE(text.find("cuda:1"), std::string::npos) << text;
}

/// On the simulated machine: which way a copy takes, by how many copies it is, and that none waits.
TEST(Devices, DirectlyWhereTheyReachEachOtherAndThroughTheHostElsewhere) {
  NEEDS_DEVICES(3);
  const auto counts = test::sim_counters();
  if (counts == nullptr) GTEST_SKIP() << "the backend is not the simulated one";
  for (int from = 0; from < 3; ++from) {
    for (int to = 0; to < 3; ++to) {
      if (from == to) continue;
      const Tensor source = ones({3 << 20}, {.device = cuda(from)});
      Tensor out = empty({3 << 20}, {.device = cuda(to)});
      out.copy_(source);  // fills the pools
      const test::SimCounts before = test::read(counts);
      out.copy_(source);
      const test::SimCounts after = test::read(counts);
      const bool direct = from < 2 && to < 2;
      EXPECT_EQ(after.copies - before.copies, direct ? 1 : 6) << from << " to " << to;
      EXPECT_EQ(after.waits, before.waits);
    }
  }
}

TEST(Devices, EachHasAPoolOfItsOwn) {
  NEEDS_DEVICES(2);
  const std::size_t first = memory_stats(cuda(0)).allocated.current;
  const std::size_t second = memory_stats(cuda(1)).allocated.current;
  const Tensor x = ones({100000}, {.device = cuda(1)});
  EXPECT_EQ(memory_stats(cuda(0)).allocated.current, first);
  EXPECT_GE(memory_stats(cuda(1)).allocated.current, second + 400000);
}

TEST(Devices, GraphsOfTwo) {
  NEEDS_DEVICES(2);
  const Stream a = Stream::create(cuda(0)), b = Stream::create(cuda(1));
  Tensor x = ones({100}, {.device = cuda(0)}), y = ones({100}, {.device = cuda(1)});
  synchronize(cuda(0));
  synchronize(cuda(1));
  Tensor p, q;
  const Graph first = Graph::capture(a, [&] { p = x + 1; });
  const Graph second = Graph::capture(b, [&] { q = y + 2; });
  EXPECT_THROW(first.replay(b), DeviceError);
  first.replay(a);
  second.replay(b);
  a.synchronize();
  b.synchronize();
  EXPECT_EQ(p.sum().item<float>(), 200);
  EXPECT_EQ(q.sum().item<float>(), 300);
  // A stream of another device is no part of a capture.
  {
    GraphCapture capture(a);
    Event fork;
    fork.record(a);
    const std::string refused = message_of([&] { fork.wait(b); });
    EXPECT_NE(refused.find("cuda:0"), std::string::npos) << refused;
    EXPECT_NE(refused.find("cuda:1"), std::string::npos) << refused;
    p = x + 1;
    EXPECT_NO_THROW(capture.end());
  }
  // A copy from a stream that is no part of the capture has no place in it.
  const std::string text = message_of([&] { Graph::capture(b, [&] { q = x.to(cuda(1)); }); });
  EXPECT_NE(text.find("capture"), std::string::npos) << text;
}

}  // namespace
