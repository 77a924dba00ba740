// The simulation finds each planted mistake, and accepts what differs from it by being right.
#include "tests/memory/sim/sim_fixture.h"

#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace tandem::test {
namespace {

class Backed : public SimDriverTest {
 protected:
  Backed() : SimDriverTest({.capacity = 64 * kPage, .backed = true}) {}
};

// ---- The order of uses. ----

TEST_F(SimDriverTest, AcceptsOrderedUses) {
  std::byte* p = allocate(kPage);
  const auto [a, b, c] = streams_;
  use(a, p, 1);
  use(a, p, 2);  // one stream
  order(a, b);
  use(b, p, 3);  // an event
  order(b, c);
  use(c, p, 4);
  order(a, b);
  use(b, p + 1000, 5);  // somewhere else
  machine_.user_synchronize(1);
  use(a, p, 6, 4000);  // the host has waited
  machine_.user_stream_synchronize(a);
  use(b, p, 7);
  const EventHandle e = record(b);
  machine_.user_event_wait(e);
  use(c, p, 8);
}

TEST_F(SimDriverTest, AcceptsAnOwnersUsesOnSeveralStreams) {
  std::byte* p = allocate(kPage);
  use(streams_[0], p, 1);
  use(streams_[1], p, 1);
  use(streams_[2], p, 1);
}

TEST_F(SimDriverTest, FindsUseBeforeOrdered) {
  std::byte* p = allocate(kPage);
  use(streams_[0], p, 1);
  use(streams_[1], p + 999, 2);
  expect_broken("use before ordered");
  EXPECT_NE(machine_.broken().find("owner 2"), std::string::npos);
  EXPECT_NE(machine_.broken().find("owner 1"), std::string::npos);
}

TEST_F(SimDriverTest, FindsTheOneOfSeveralStreamsThatWasForgotten) {
  std::byte* p = allocate(kPage);
  for (const StreamId s : streams_) use(s, p, 1);
  order(streams_[1], streams_[0]);
  use(streams_[0], p, 2);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, AWaitIsForWhatWasRecordedBeforeIt) {
  std::byte* p = allocate(kPage);
  const EventHandle e = record(streams_[0]);
  use(streams_[0], p, 1);
  machine_.user_stream_wait_event(streams_[1], e);
  machine_.user_event_record(e, streams_[0]);  // too late for the wait
  use(streams_[1], p, 2);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, RecordingAgainMovesTheEvent) {
  std::byte* p = allocate(kPage);
  const EventHandle e = record(streams_[0]);
  use(streams_[0], p, 1);
  machine_.user_event_record(e, streams_[0]);
  machine_.user_stream_wait_event(streams_[1], e);
  use(streams_[1], p, 2);
}

TEST_F(SimDriverTest, OrderIsTransitive) {
  std::byte* p = allocate(kPage);
  use(streams_[0], p, 1);
  order(streams_[0], streams_[1]);
  order(streams_[1], streams_[2]);
  use(streams_[2], p, 2);
  EXPECT_EQ(machine_.broken(), "");
  // The second event is older than the wait for the first.
  std::byte* q = allocate(kPage);
  use(streams_[0], q, 3);
  const EventHandle e = record(streams_[1]);
  order(streams_[0], streams_[1]);
  machine_.user_stream_wait_event(streams_[2], e);
  use(streams_[2], q, 4);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, OrderCrossesDevices) {
  StreamId other;
  ASSERT_TRUE(machine_.create_stream(2, &other));
  std::byte* p = allocate(kPage);
  use(streams_[0], p, 1);
  order(streams_[0], other);
  use(other, p, 2);
  order(other, SimMachine::default_stream(3));
  order(SimMachine::default_stream(3), streams_[2]);
  use(streams_[2], p, 3);
  EXPECT_EQ(machine_.broken(), "");
  use(other, p, 4);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, SynchronisingADeviceIsNotForOthers) {
  StreamId other;
  ASSERT_TRUE(machine_.create_stream(2, &other));
  std::byte* p = allocate(kPage);
  use(other, p, 1);
  machine_.user_synchronize(1);
  use(streams_[0], p, 2);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, DefaultStreamsOfDevicesAreSeveral) {
  std::byte* p = allocate(kPage);
  use(SimMachine::default_stream(1), p, 1);
  use(SimMachine::default_stream(2), p, 2);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, AQueryOrdersOnceItSaysYes) {
  std::byte* p = allocate(kPage);
  use(streams_[0], p, 1);
  const EventHandle e = record(streams_[0]);
  EXPECT_FALSE(machine_.user_event_query(e));
  machine_.run_until(e);
  EXPECT_TRUE(machine_.user_event_query(e));
  use(streams_[1], p, 2);
  EXPECT_EQ(machine_.broken(), "");
  // It ran, but the host has not seen it: nothing says that it had.
  use(streams_[1], p, 2);
  machine_.run_until(streams_[1]);
  use(streams_[2], p, 3);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, DestroyedStreamsStillWork) {
  std::byte* p = allocate(kPage);
  use(streams_[0], p, 1);
  machine_.destroy_stream(streams_[0]);
  StreamId next;
  ASSERT_TRUE(machine_.create_stream(1, &next));
  EXPECT_EQ(next.handle, streams_[0].handle);
  EXPECT_NE(next.id, streams_[0].id);
  use(next, p, 2);  // the same handle, another stream
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, FindsCallsOnDestroyedStreams) {
  const EventHandle e = [&] {
    EventHandle made = 0;
    driver().event_create(&made);
    return made;
  }();
  EXPECT_EQ(driver().event_record(e, streams_[0]), DriverStatus::Ok);
  machine_.destroy_stream(streams_[0]);
  EXPECT_EQ(driver().event_wait(e), DriverStatus::Ok);  // the event lives on
  EXPECT_EQ(machine_.broken(), "");
  EXPECT_EQ(driver().event_record(e, streams_[0]), DriverStatus::Failed);
  expect_broken("does not exist, or was destroyed");
}

TEST_F(SimDriverTest, FindsEventsOfOtherDevices) {
  EventHandle e = 0;
  driver(2).event_create(&e);
  EXPECT_EQ(driver(1).stream_wait_event(streams_[0], e), DriverStatus::Ok);  // legal
  EXPECT_EQ(machine_.broken(), "");
  driver(1).event_record(e, streams_[0]);
  expect_broken("event_record: device 1 records an event of device 2");
}

TEST_F(SimDriverTest, FindsDeadEvents) {
  EventHandle e = 0, next = 0;
  driver().event_create(&e);
  driver().event_destroy(e);
  driver().event_create(&next);
  EXPECT_NE(e, next);
  EXPECT_EQ(driver().event_query(next), DriverStatus::Ok);  // never recorded
  EXPECT_EQ(machine_.broken(), "");
  driver().event_query(e);
  expect_broken("event_query: the event does not exist");
}

// ---- The scheduler. ----

TEST_F(SimDriverTest, RunsStreamsInAnyLegalOrder) {
  std::set<std::string> orders;
  for (unsigned seed = 0; seed < 200; ++seed) {
    SimMachine m({});
    StreamId a, b;
    ASSERT_TRUE(m.create_stream(1, &a) && m.create_stream(1, &b));
    EventHandle e[4];
    for (EventHandle& x : e) x = m.user_event_create(1);
    m.user_event_record(e[0], a);
    m.user_event_record(e[1], a);
    m.user_event_record(e[2], b);
    m.user_stream_wait_event(b, e[1]);
    m.user_event_record(e[3], b);
    std::mt19937_64 rng(seed);
    std::string order;
    do {
      for (int i = 0; i < 4; ++i) {
        const char name = static_cast<char>('0' + i);
        if (order.find(name) == std::string::npos && m.user_event_query(e[i])) order += name;
      }
    } while (m.step(rng));
    orders.insert(order);
  }
  EXPECT_EQ(orders, (std::set<std::string>{"0123", "0213", "2013"}));
}

TEST_F(SimDriverTest, WaitingRunsWhatIsNeededOnly) {
  const EventHandle needed = record(streams_[0]), other = record(streams_[2]);
  order(streams_[0], streams_[1]);
  machine_.user_stream_synchronize(streams_[1]);
  EXPECT_TRUE(machine_.user_event_query(needed));
  EXPECT_FALSE(machine_.user_event_query(other));
  EXPECT_EQ(driver().synchronize(), DriverStatus::Ok);
  EXPECT_TRUE(machine_.user_event_query(other));
}

// ---- Memory. ----

TEST_F(SimDriverTest, FindsUseOfMemoryThatIsNotThere) {
  std::byte* p = allocate(kPage);
  use(streams_[0], p, 1, kPage);
  EXPECT_EQ(machine_.broken(), "");
  use(streams_[0], p + 1, 1, kPage);
  expect_broken("use of memory that is not there");
}

TEST_F(SimDriverTest, FindsEarlyFree) {
  std::byte *p = allocate(kPage), *q = allocate(kPage);
  use(streams_[0], p, 1);
  machine_.user_synchronize(1);
  EXPECT_EQ(driver().free(p, kPage), DriverStatus::Ok);
  use(streams_[0], q, 1);
  machine_.run_until(streams_[0]);  // luck is not enough
  EXPECT_EQ(driver().free(q, kPage), DriverStatus::Failed);
  expect_broken("free: nobody has waited");
}

TEST_F(SimDriverTest, FindsUnknownMemory) {
  std::byte* p = allocate(2 * kPage);
  EXPECT_EQ(driver().free(p, 2 * kPage), DriverStatus::Ok);
  EXPECT_EQ(machine_.broken(), "");
  driver().free(p, 2 * kPage);
  expect_broken("free: of unknown memory");
}

TEST_F(SimDriverTest, FindsUnalignedSizes) {
  void* p = nullptr;
  driver().allocate(kPage + 1, &p);
  expect_broken("allocate: not a multiple");
}

TEST_F(SimDriverTest, MemoryIsFinite) {
  MemoryInfo info;
  std::byte* p = allocate(60 * kPage);
  PhysicalHandle h = 0;
  EXPECT_EQ(driver().create(4 * kPage, &h), DriverStatus::Ok);
  void* none = nullptr;
  EXPECT_EQ(driver().allocate(kPage, &none), DriverStatus::OutOfMemory);
  EXPECT_EQ(driver(2).allocate(kPage, &none), DriverStatus::Ok);
  driver().memory_info(&info);
  EXPECT_EQ(info.free, 0u);
  EXPECT_EQ(info.total, 64 * kPage);
  driver().free(p, 60 * kPage);
  driver().memory_info(&info);
  EXPECT_EQ(info.free, 60 * kPage);
}

TEST_F(Backed, AddressesAreMemory) {
  std::byte* p = allocate(kPage);
  std::memset(p, 7, kPage);
  driver().free(p, kPage);
  DriverAddress at = 0;
  PhysicalHandle h = 0;
  driver().reserve(4 * kPage, &at);
  driver().create(2 * kPage, &h);
  driver().map(at + kPage, 2 * kPage, h);
  EXPECT_EQ(at % kPage, 0u);
  std::memset(reinterpret_cast<void*>(at + kPage), 7, 2 * kPage);
  driver().unmap(at + kPage, 2 * kPage);
  driver().map(at, 2 * kPage, h);
  std::memset(reinterpret_cast<void*>(at), 7, 2 * kPage);
}

// ---- Captures. ----

TEST_F(SimDriverTest, CapturedWorkRunsWhenReplayed) {
  std::byte* p = allocate(kPage);
  machine_.begin_capture(streams_[0]);
  EXPECT_TRUE(driver().capturing(streams_[0]));
  EXPECT_FALSE(driver().capturing(streams_[1]));
  use(streams_[0], p, 1);
  order(streams_[0], streams_[1]);  // joins
  EXPECT_TRUE(driver().capturing(streams_[1]));
  use(streams_[1], p, 2);
  order(streams_[1], streams_[0]);
  const GraphId g = machine_.end_capture(streams_[0]);
  ASSERT_NE(g, 0u);
  EXPECT_FALSE(driver().capturing(streams_[0]));
  use(streams_[2], p, 3);  // nothing has run yet
  machine_.user_stream_synchronize(streams_[2]);
  machine_.replay(g, streams_[0]);
  machine_.replay(g, streams_[1]);  // one after the other
  EXPECT_EQ(machine_.broken(), "");
  use(streams_[2], p, 4);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, FindsReplayBeforeOrdered) {
  std::byte* p = allocate(kPage);
  machine_.begin_capture(streams_[0]);
  use(streams_[0], p, 1);
  const GraphId g = machine_.end_capture(streams_[0]);
  use(streams_[1], p, 2);
  order(streams_[1], streams_[2]);
  machine_.replay(g, streams_[2]);
  EXPECT_EQ(machine_.broken(), "");
  machine_.user_graph_wait(g);
  use(streams_[1], p, 2);
  EXPECT_EQ(machine_.broken(), "");
  machine_.replay(g, streams_[0]);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, FindsUseBeforeOrderedInsideACapture) {
  std::byte* p = allocate(kPage);
  machine_.begin_capture(streams_[0]);
  order(streams_[0], streams_[1]);
  use(streams_[0], p, 1);
  use(streams_[1], p, 2);
  expect_broken("use before ordered");
}

TEST_F(SimDriverTest, CapturesMustBeJoined) {
  machine_.begin_capture(streams_[0]);
  order(streams_[0], streams_[1]);
  EXPECT_EQ(machine_.end_capture(streams_[0]), 0u);
  EXPECT_FALSE(driver().capturing(streams_[1]));
  machine_.begin_capture(streams_[0]);
  machine_.abort_capture(streams_[0]);
  EXPECT_FALSE(driver().capturing(streams_[0]));
}

TEST_F(SimDriverTest, AcceptsOtherDevicesAndStreamsDuringACapture) {
  std::byte *p = allocate(kPage, 2), *q = nullptr;
  machine_.begin_capture(streams_[0]);
  q = allocate(kPage);
  use(streams_[0], q, 1);
  EventHandle e = 0;
  driver().event_create(&e);
  driver().event_record(e, streams_[1]);
  driver().event_query(e);
  driver(2).synchronize();
  driver(2).free(p, kPage);
  EXPECT_NE(machine_.end_capture(streams_[0]), 0u);
  driver().synchronize();
  driver().free(q, kPage);
}

/// Each call that a pool must not make while a stream of its device is being captured.
TEST(SimCapture, FindsIllegalCalls) {
  for (int which = 0; which < 8; ++which) {
    SimMachine m({});
    const auto d = m.driver(1);
    StreamId s, joined;
    ASSERT_TRUE(m.create_stream(1, &s) && m.create_stream(1, &joined));
    void* p = nullptr;
    DriverAddress at = 0;
    PhysicalHandle h = 0;
    EventHandle mine = 0;
    d->allocate(kPage, &p);
    d->reserve(kPage, &at);
    d->create(kPage, &h);
    d->map(at, kPage, h);
    d->event_create(&mine);
    const EventHandle captured = m.user_event_create(1);
    m.begin_capture(s);
    m.user_event_record(captured, s);
    m.user_stream_wait_event(joined, captured);
    ASSERT_EQ(m.broken(), "");
    switch (which) {
      case 0:
        d->event_record(mine, s);
        break;
      case 1:
        d->event_record(mine, joined);
        break;
      case 2:
        d->stream_wait_event(joined, mine);
        break;
      case 3:
        d->event_query(captured);
        break;
      case 4:
        d->stream_synchronize(s);
        break;
      case 5:
        d->synchronize();
        break;
      case 6:
        d->free(p, kPage);
        break;
      case 7:
        d->unmap(at, kPage);
        break;
    }
    EXPECT_NE(m.broken().find("call illegal during capture"), std::string::npos)
        << which << ": " << m.broken();
  }
}

// ---- Faults. ----

TEST_F(SimDriverTest, FailsTheCallThatItIsToldTo) {
  void* p = nullptr;
  machine_.set_faults({2, 0, DriverStatus::OutOfMemory});
  EXPECT_EQ(driver().allocate(kPage, &p), DriverStatus::Ok);
  EXPECT_EQ(driver().synchronize(), DriverStatus::Ok);
  const std::size_t held = machine_.held(1);
  EXPECT_EQ(driver().allocate(kPage, &p), DriverStatus::OutOfMemory);
  EXPECT_EQ(machine_.held(1), held);
  EXPECT_EQ(driver().allocate(kPage, &p), DriverStatus::Ok);
  EXPECT_EQ(machine_.faults(), 1u);
  EXPECT_EQ(machine_.calls(Call::Allocate), 3u);
}

}  // namespace
}  // namespace tandem::test
