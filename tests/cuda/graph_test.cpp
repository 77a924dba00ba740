// lint: oracle table. Graphs: what they compute beside the same ops run at once, what they hold and
// give back, what a capture refuses. On the simulated runtime nodes run in any order that the edges
// of the graph allow.
#include "tandem/graph.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tandem/testing.h"
#include "tandem/value.h"
#include "tests/support/device_calls.h"
#include "tests/support/message_of.h"
#include "tests/support/needs.h"

using namespace tandem;
using test::message_of;

namespace {

const Device kDevice(DeviceKind::CUDA, 0);

Tensor numbers(std::int64_t n, double first = 0) {
  return arange(first, first + static_cast<double>(n), 1, {.dtype = DType::float32}).to(kDevice);
}

std::size_t live() { return memory_stats(kDevice).allocated.current; }

TEST(Graph, ReplaysRunOnTheInputsOfTheTime) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor x = numbers(1000);
  Tensor y, total;
  synchronize(kDevice);
  const Graph graph = Graph::capture(stream, [&] {
    const Tensor t = x * 2;
    y = (t + x).sqrt();
    total = y.sum();
  });
  EXPECT_TRUE(graph.defined());
  EXPECT_EQ(graph.device(), kDevice);
  EXPECT_GE(graph.nodes(), 4u);
  for (const double first : {0.0, 50.0, 7.0}) {
    const StreamGuard guard(stream);
    x.copy_(numbers(1000, first));
    graph.replay();
    const Tensor expected = (numbers(1000, first) * 3).sqrt();
    EXPECT_TRUE(equal(y, expected)) << first;
    EXPECT_TRUE(equal(total, expected.sum())) << first;
  }
}

TEST(Graph, NothingRunsWhileItIsRecorded) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor x = zeros({64}, {.device = kDevice});
  synchronize(kDevice);
  const Graph graph = Graph::capture(stream, [&] { x.add_(1); });
  EXPECT_EQ(x.cpu().sum().item<float>(), 0);
  for (int i = 0; i < 3; ++i) graph.replay(stream);
  stream.synchronize();
  EXPECT_EQ(x.cpu().sum().item<float>(), 3 * 64);
}

TEST(Graph, StreamsThatWaitForItsEventsTakePart) {
  TANDEM_NEEDS_GPU();
  const Stream first = Stream::create(kDevice), second = Stream::create(kDevice);
  Tensor x = numbers(500);
  Tensor a, b, sum;
  synchronize(kDevice);
  const Graph graph = Graph::capture(first, [&] {
    const Tensor base = x + 1;
    Event fork;
    fork.record(first);
    fork.wait(second);
    a = base * 3;
    {
      const StreamGuard guard(second);
      b = base * 5;
    }
    Event join;
    join.record(second);
    join.wait(first);
    sum = a + b;
  });
  for (int turn = 0; turn < 8; ++turn) {  // in other orders each
    const StreamGuard guard(first);
    x.copy_(numbers(500, turn));
    graph.replay();
    EXPECT_TRUE(equal(sum, (numbers(500, turn) + 1) * 8)) << turn;
  }
}

TEST(Graph, AStreamThatIsNotJoinedAgainIsJoinedAtTheEnd) {
  TANDEM_NEEDS_GPU();
  const Stream first = Stream::create(kDevice), second = Stream::create(kDevice);
  Tensor x = numbers(500);
  Tensor b;
  synchronize(kDevice);
  const Graph graph = Graph::capture(first, [&] {
    Event fork;
    fork.record(first);
    fork.wait(second);
    const StreamGuard guard(second);
    b = x * 5;
  });
  graph.replay(first);
  first.synchronize();
  EXPECT_TRUE(equal(b, x * 5));
}

TEST(Graph, MemoryFreedInACaptureServesAgainInItAlone) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  const std::size_t before = live();
  Tensor x = numbers(1 << 20);
  Tensor y = x;
  synchronize(kDevice);
  reset_peak_memory(kDevice);
  const Graph graph = Graph::capture(stream, [&] {
    for (int i = 0; i < 20; ++i) y = y + 1;  // two at a time are enough
  });
  EXPECT_LE(memory_stats(kDevice).allocated.peak, before + (std::size_t{4} << 20) * 4);
  // What the capture gave back is not for others: replays write there.
  std::vector<Tensor> others;
  for (int i = 0; i < 8; ++i) others.push_back(zeros({1 << 20}, {.device = kDevice}));
  synchronize(kDevice);
  graph.replay(stream);
  stream.synchronize();
  EXPECT_TRUE(equal(y, x + 20));
  for (const Tensor& t : others) EXPECT_EQ(t.sum().item<float>(), 0);
}

TEST(Graph, TensorsFromOutsideLiveAsLongAsIt) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  const std::size_t before = live();
  Tensor y;
  {
    Tensor x = numbers(1000);
    Tensor gone = numbers(1000, 3);
    synchronize(kDevice);
    const Graph graph = Graph::capture(stream, [&] { y = x + gone; });
    gone = Tensor();
    const Tensor taker = full({1000}, -1, {.device = kDevice});  // might take its memory
    synchronize(kDevice);
    graph.replay(stream);
    stream.synchronize();
    EXPECT_TRUE(equal(y, numbers(1000) * 2 + 3));
  }
  // A tensor that the capture made outlives the graph.
  EXPECT_TRUE(equal(y, numbers(1000) * 2 + 3));
  y = Tensor();
  synchronize(kDevice);
  empty_cache(kDevice);
  EXPECT_EQ(live(), before);
}

TEST(Graph, AGraphThatGoesWhileItRunsKeepsItsMemoryUntilTheReplayIsDone) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice), other = Stream::create(kDevice);
  Tensor x = numbers(100000);
  synchronize(kDevice);
  for (int i = 0; i < 50; ++i) {
    Tensor y;
    {
      const Graph graph = Graph::capture(stream, [&] { y = ((x + 1) * 2).sqrt(); });
      graph.replay(i % 2 == 0 ? stream : other);
    }
    const StreamGuard guard(i % 2 == 0 ? stream : other);
    EXPECT_TRUE(equal(y, ((x + 1) * 2).sqrt()));
  }
}

TEST(Graph, GivenUpItLeavesNothingBehind) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice), second = Stream::create(kDevice);
  Tensor x = numbers(300000);
  synchronize(kDevice);
  empty_cache(kDevice);
  const MemoryStats before = memory_stats(kDevice);
  EXPECT_THROW(Graph::capture(stream,
                              [&] {
                                const Tensor y = x + 1;
                                throw std::runtime_error("the user's");
                              }),
               std::runtime_error);
  {
    GraphCapture abandoned(stream);
    Event fork;  // a stream that is not joined
    const Tensor y = x * 2;
    fork.record(stream);
    fork.wait(second);
  }
  Tensor survivor;
  {
    GraphCapture abandoned(stream);
    survivor = x * 2;
  }
  survivor = Tensor();
  empty_cache(kDevice);
  const MemoryStats after = memory_stats(kDevice);
  EXPECT_EQ(after.allocated.current, before.allocated.current);
  EXPECT_EQ(after.reserved.current, before.reserved.current);
  EXPECT_EQ(current_stream(kDevice), Stream::wrap(kDevice, nullptr));
  const StreamGuard guard(stream);  // both work as before
  EXPECT_TRUE(equal(x + 1, numbers(300000, 1)));
  const StreamGuard on_second(second);
  EXPECT_TRUE(equal(x + 1, numbers(300000, 1)));
}

TEST(Graph, AWaitInACaptureIsAnErrorThatNamesTheOp) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice), second = Stream::create(kDevice);
  Tensor x = numbers(100);
  Event outside, inside;
  outside.record(second);
  synchronize(kDevice);
  const auto refused = [&](const std::string& op, auto&& f) {
    GraphCapture capture(stream);
    inside.record(stream);
    const std::string text = message_of(f);
    EXPECT_EQ(text.find("[" + op + "]"), 0u) << text;
    EXPECT_NE(text.find("captured"), std::string::npos) << text;
    const std::string ended = message_of([&] { capture.end(); });
    EXPECT_EQ(ended, text);
  };
  refused("item", [&] { x.select(0, 0).item<float>(); });
  refused("nonzero", [&] { nonzero(x); });
  refused("unique", [&] { unique(x); });
  refused("synchronize", [&] { stream.synchronize(); });
  refused("synchronize", [&] { synchronize(kDevice); });
  refused("query", [&] { (void)stream.query(); });
  const auto wrong_event = [&](const std::string& op, auto&& f) {
    GraphCapture capture(stream);
    inside.record(stream);
    const std::string text = message_of(f);
    EXPECT_EQ(text.find("[" + op + "]"), 0u) << text;
    const Tensor y = x + 1;
    EXPECT_NO_THROW(capture.end());  // nothing was recorded by it
  };
  wrong_event("synchronize", [&] { inside.synchronize(); });
  wrong_event("query", [&] { (void)inside.query(); });
  wrong_event("wait", [&] { outside.wait(stream); });
  EXPECT_NE(message_of([&] { inside.wait(second); }).find("a capture that is over"),
            std::string::npos);
  EXPECT_TRUE(equal(x + 1, numbers(100, 1)));
}

TEST(Graph, CopiesWithTheHostNeedPinnedMemoryAndMayNotWait) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor x = numbers(100);
  Tensor host = zeros({100});
  synchronize(kDevice);
  const auto refused = [&](const std::string& what, auto&& f) {
    GraphCapture capture(stream);
    const std::string text = message_of(f);
    EXPECT_NE(text.find(what), std::string::npos) << text;
  };
  refused("non_blocking", [&] { x.copy_(host); });
  refused("non_blocking", [&] { (void)x.cpu(); });
  refused("pageable", [&] { host.copy_(x, true); });
  refused("pageable", [&] { x.copy_(host, true); });
}

TEST(Graph, WhatCannotBeCaptured) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  EXPECT_NE(message_of([] { GraphCapture c(current_stream(kCPU)); }).find("cpu"),
            std::string::npos);
  EXPECT_NE(message_of([] { GraphCapture c(current_stream(kDevice)); }).find("default"),
            std::string::npos);
  {
    GraphCapture c(stream);
    EXPECT_NE(message_of([&] { GraphCapture d(stream); }).find("not being captured"),
              std::string::npos);
    EXPECT_NO_THROW(c.end());
    EXPECT_THROW(c.end(), ValueError);
  }
  Graph empty;
  EXPECT_FALSE(empty.defined());
  EXPECT_THROW(empty.replay(), ValueError);
  EXPECT_THROW(empty.nodes(), ValueError);
  const Graph nothing = Graph::capture(stream, [] {});
  EXPECT_EQ(nothing.nodes(), 0u);
  nothing.replay(stream);
  {
    GraphCapture c(stream);
    EXPECT_THROW(nothing.replay(stream), DeviceError);
  }
  if (device_count(DeviceKind::CUDA) > 1) {
    EXPECT_THROW(nothing.replay(Stream::create(Device(DeviceKind::CUDA, 1))), DeviceError);
  }
}

TEST(Graph, ALimitOfItsOwnIsOutOfMemoryThatLeavesNothing) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor x = numbers(1 << 22);  // 16 MiB
  Tensor y;
  synchronize(kDevice);
  empty_cache(kDevice);
  const MemoryStats before = memory_stats(kDevice);
  const GraphOptions little{.memory_limit = std::size_t{8} << 20};
  EXPECT_THROW(Graph::capture(
                   stream, [&] { y = x + 1; }, little),
               OutOfMemory);
  y = Tensor();
  empty_cache(kDevice);
  EXPECT_EQ(memory_stats(kDevice).reserved.current, before.reserved.current);
  EXPECT_EQ(memory_pools(kDevice).size(), 1u);
  const GraphOptions enough{.memory_limit = std::size_t{64} << 20};
  const Graph graph = Graph::capture(
      stream, [&] { y = x + 1; }, enough);
  ASSERT_EQ(memory_pools(kDevice).size(), 2u);
  EXPECT_EQ(memory_pools(kDevice)[1].limit, std::size_t{64} << 20);
  EXPECT_TRUE(memory_pools(kDevice)[1].kept);
  graph.replay(stream);
  stream.synchronize();
  EXPECT_TRUE(equal(y, x + 1));
}

TEST(Graph, UpdatesKeepTheExecutableWhereTheShapeIsTheSame) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor x = numbers(1000), other = numbers(1000, 100);
  Tensor y;
  synchronize(kDevice);
  Graph graph = Graph::capture(stream, [&] { y = x * 2; });
  graph.replay(stream);
  EXPECT_TRUE(graph.update(stream, [&] { y = other * 3; }));
  graph.replay(stream);
  stream.synchronize();
  EXPECT_TRUE(equal(y, other * 3));
  EXPECT_FALSE(graph.update(stream, [&] { y = (other * 3).sum(); }));
  graph.replay(stream);
  stream.synchronize();
  EXPECT_TRUE(equal(y, (other * 3).sum()));
  EXPECT_THROW(graph.update(stream, [&] { y = nonzero(x); }), DeviceError);
  EXPECT_THROW(graph.update(stream, [&] { throw std::runtime_error("the user's"); }),
               std::runtime_error);
  other.zero_();
  synchronize(kDevice);
  graph.replay(stream);  // as before
  stream.synchronize();
  Graph fresh;
  EXPECT_FALSE(fresh.update(stream, [&] { x.add_(1); }));
  fresh.replay(stream);
  stream.synchronize();
  EXPECT_TRUE(equal(x, numbers(1000, 1)));
}

TEST(Graph, OneUsesTheOutputsOfAnother) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  Tensor x = numbers(1000);
  Tensor y, z;
  synchronize(kDevice);
  auto first = std::make_unique<Graph>(Graph::capture(stream, [&] { y = x + 1; }));
  const Graph second = Graph::capture(stream, [&] { z = y * 2; });
  first->replay(stream);
  first.reset();
  y = Tensor();
  const Tensor taker = full({1000}, -1, {.device = kDevice});
  second.replay(stream);
  stream.synchronize();
  EXPECT_TRUE(equal(z, (numbers(1000) + 1) * 2));
}

TEST(Graph, KeptMemoryIsBehindAReplayOnAStreamThatIsCapturedAgain) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  auto x = std::make_unique<Tensor>(numbers(1 << 20));
  Tensor y;
  synchronize(kDevice);
  auto graph = std::make_unique<Graph>(Graph::capture(stream, [&] { y = *x + 1; }));
  const std::size_t before = live();
  x.reset();
  EXPECT_EQ(live(), before);  // the graph keeps it
  graph->replay(stream);
  {
    GraphCapture other(stream);
    graph.reset();  // its replay may still run
    // What it kept is not the new capture's.
    EXPECT_LT(live(), before);
    const Tensor z = y * 2;
  }
}

TEST(Graph, ForeignMemoryGoesBackWhenTheCaptureIsOver) {
  TANDEM_NEEDS_GPU();
  const Stream home = Stream::create(kDevice), stream = Stream::create(kDevice);
  Tensor memory = numbers(1000);
  synchronize(kDevice);
  int returned = 0;
  const auto wrapped = [&] {
    return from_blob(memory.data_ptr(), {1000}, DType::float32, {}, home,
                     [&](void*, const Stream&) { ++returned; });
  };
  Tensor used = wrapped();
  {
    Event ready;
    ready.record(home);
    ready.wait(stream);
    const StreamGuard guard(stream);
    const Tensor z = used + 1;
  }
  Tensor y;
  {
    GraphCapture capture(stream);
    used = Tensor();
    EXPECT_EQ(returned, 0);  // the stream's own work cannot be waited for now
    y = memory + 1;
    const Graph graph = capture.end();
    EXPECT_EQ(returned, 1);
    graph.replay(stream);
    const StreamGuard guard(home);  // has not become a part of the capture
    EXPECT_EQ((memory + 1).sum().item<float>(), (numbers(1000) + 1).sum().item<float>());
  }
  used = wrapped();
  {
    GraphCapture given_up(stream);
    used = Tensor();
  }
  EXPECT_EQ(returned, 2);
}

TEST(Graph, AStreamThatHasEndedCannotReplayOrBeCaptured) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice), own = Stream::create_owned(kDevice);
  Tensor x = numbers(10);
  synchronize(kDevice);
  const Graph graph = Graph::capture(stream, [&] { x.add_(1); });
  own.destroy();
  EXPECT_NE(message_of([&] { graph.replay(own); }).find("[replay] expected a stream that lives"),
            std::string::npos);
  EXPECT_NE(message_of([&] { GraphCapture c(own); }).find("expected a stream that lives"),
            std::string::npos);
}

TEST(Graph, ErrorsThatTheDeviceFindsAreRaisedWhereTheReplayIsWaitedFor) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice), other = Stream::create(kDevice);
  Tensor x = numbers(10);
  Tensor i = full({3}, 1, {.dtype = DType::int64}).to(kDevice);
  Tensor y;
  synchronize(kDevice);
  const Graph graph = Graph::capture(stream, [&] { y = x(i); });
  graph.replay(other);
  EXPECT_NO_THROW(other.synchronize());
  i.fill_(10);
  synchronize(kDevice);
  graph.replay(other);
  EXPECT_THROW(other.synchronize(), IndexError);
  EXPECT_NO_THROW(other.synchronize());
}

/// All tensors among the results of a call.
std::vector<Tensor> tensors_of(const std::vector<Value>& values) {
  std::vector<Tensor> all;
  for (const Value& v : values) {
    if (v.is<Tensor>()) all.push_back(v.as<Tensor>());
    if (!v.is<std::vector<Tensor>>()) continue;
    for (const Tensor& t : v.as<std::vector<Tensor>>()) all.push_back(t);
  }
  return all;
}

/// Every row that can be captured gives in a replay what it gives at once; the others say why not.
TEST(Graph, EveryRowIsReplayedOrRefused) {
  TANDEM_NEEDS_GPU();
  const Stream stream = Stream::create(kDevice);
  const StreamGuard guard(stream);
  int replayed = 0, refused = 0, left_out = 0;
  for (const OpRow* row : op_rows()) {
    if (test::needs_absent_library(*row, kDevice)) {
      ++left_out;
      continue;
    }
    const auto fresh_call = [&] {  // rows in place change their inputs
      manual_seed(5);
      const test::Args args = test::device_call(*row, kDevice);
      manual_seed(5);
      return args;
    };
    const std::vector<Tensor> expected = tensors_of(call_boxed(*row, fresh_call()));
    const test::Args args = fresh_call();
    stream.synchronize();
    std::vector<Tensor> got;
    Graph graph;
    const std::string text = message_of(
        [&] { graph = Graph::capture(stream, [&] { got = tensors_of(call_boxed(*row, args)); }); });
    if (!text.empty()) {
      EXPECT_NE(row->flags & kSyncs, 0u) << row->name << ": " << text;
      EXPECT_EQ(
          text.find("[" + std::string(row->name) + "] expected a call that waits for nothing"), 0u)
          << text;
      if (!test::is_factorisation(*row)) ++refused;  // most of those wait, by their nature
      continue;
    }
    graph.replay();
    stream.synchronize();
    ASSERT_EQ(got.size(), expected.size()) << row->name;
    const bool uninitialised = std::string(row->name).starts_with("empty");
    for (std::size_t k = 0; k < got.size() && !uninitialised; ++k) {
      EXPECT_EQ(
          tandem::testing::mismatch(got[k], expected[k], {.rtol = 0, .atol = 0, .equal_nan = true}),
          "")
          << row->name;
    }
    ++replayed;
  }
  std::printf("%d rows replayed, %d refused, %d left out: they need cuSOLVER\n", replayed, refused,
              left_out);
  EXPECT_GT(replayed, 9 * refused);
}

}  // namespace
