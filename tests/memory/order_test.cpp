// What the order knows of streams: what a wait of the host teaches, and what is kept of the dead.
#include "runtime/memory/order.h"

#include <gtest/gtest.h>

#include "tests/memory/pool_fixture.h"

namespace tandem {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)

class OrderTest : public ::testing::Test {
 protected:
  OrderTest() : driver_(device_) {
    device_.asynchronous = true;
    order_.attach(kDevice, &driver_);
  }
  ~OrderTest() override { order_.detach(kDevice); }
  /// Makes one stream wait for the other; the fence that it has waited for.
  std::uint64_t wait(std::uint64_t later, std::uint64_t earlier) {
    const std::uint64_t fence = order_.fence(stream(earlier));
    order_.waited(stream(later), order_.recording(stream(earlier)));
    return fence;
  }

  FakeDevice device_;
  FakeDriver driver_;
  memory::Order order_;
};

TEST_F(OrderTest, AWaitForAStreamIsOneForWhatItHadWaitedFor) {
  for (const std::uint64_t s : {1, 2, 3}) order_.know(stream(s));
  const std::uint64_t third = wait(2, 3), second = wait(1, 2);
  const memory::Point point = order_.waiting(stream(1));
  EXPECT_FALSE(order_.passed(stream(2), second));
  order_.waited_for(point);
  EXPECT_TRUE(order_.passed(stream(2), second));
  EXPECT_TRUE(order_.passed(stream(3), third));  // and so on
  EXPECT_FALSE(order_.passed(stream(2), order_.fence(stream(2))));
}

TEST_F(OrderTest, AStreamWithoutWorkIsDoneWithWhatItHadWaitedFor) {
  for (const std::uint64_t s : {1, 2}) order_.know(stream(s));
  const std::uint64_t fence = wait(1, 2);
  ++device_.queued[1];
  EXPECT_TRUE(order_.mark(stream(1), order_.fence(stream(1))));  // an event: it has work
  EXPECT_FALSE(order_.passed(stream(2), fence));
  device_.finish(1);
  EXPECT_TRUE(order_.mark(stream(1), order_.fence(stream(1))));  // none is needed
  EXPECT_TRUE(order_.passed(stream(2), fence));
}

TEST_F(OrderTest, NotForWhatItWaitsForSince) {
  for (const std::uint64_t s : {1, 2}) order_.know(stream(s));
  const memory::Point point = order_.waiting(stream(1));
  const std::uint64_t later = wait(1, 2);  // another thread, while this one waits
  order_.waited_for(point);
  EXPECT_FALSE(order_.passed(stream(2), later));
  const memory::Point again = order_.waiting(stream(1));
  order_.waited_for(again);
  EXPECT_TRUE(order_.passed(stream(2), later));
}

TEST_F(OrderTest, AWaitThatFailedTeachesNothing) {
  for (const std::uint64_t s : {1, 2}) order_.know(stream(s));
  const std::uint64_t fence = wait(1, 2);
  for (int i = 0; i < 100; ++i) (void)order_.waiting(stream(1));  // none came back
  EXPECT_FALSE(order_.passed(stream(2), fence));
  order_.waited_for(order_.waiting(stream(1)));
  EXPECT_TRUE(order_.passed(stream(2), fence));
}

TEST_F(OrderTest, AWaitForADeviceIsOneForWhatItsStreamsHadWaitedFor) {
  const StreamId other{std::uint64_t{kDevice + 1} << StreamId::kDeviceShift | 1, 5};
  order_.know(other);
  order_.know(stream(1));
  const std::uint64_t fence = order_.fence(other);
  order_.waited(stream(1), order_.recording(other));
  order_.waited_for(order_.waiting_for_device(kDevice));
  EXPECT_TRUE(order_.passed(other, fence));
}

TEST_F(OrderTest, DeadStreamsAreForgottenOnceDone) {
  order_.know(stream(1));
  for (std::uint64_t s = 100; s < 1100; ++s) {
    order_.know(stream(s));
    const std::uint64_t fence = order_.fence(stream(s));
    order_.destroyed(stream(s));  // it has no work
    EXPECT_TRUE(order_.passed(stream(s), fence));
    EXPECT_TRUE(order_.ordered(stream(1), stream(s), fence));
  }
  EXPECT_EQ(order_.streams(), 1u);
  EXPECT_FALSE(order_.passed(stream(5), 1));  // never known
  // Nothing brings one back.
  order_.know(stream(100));
  EXPECT_TRUE(order_.mark(stream(100), 7));
  EXPECT_TRUE(order_.wait(stream(1), stream(100), 7));
  order_.waited_for(order_.waiting(stream(100)));
  order_.waited(stream(1), order_.recording(stream(100)));
  EXPECT_EQ(order_.streams(), 1u);
}

TEST_F(OrderTest, DeadStreamsStayWhileTheyHaveWork) {
  order_.know(stream(1));
  order_.know(stream(2));
  ++device_.queued[2];
  const std::uint64_t fence = order_.fence(stream(2));
  order_.destroyed(stream(2));
  EXPECT_EQ(order_.streams(), 2u);
  EXPECT_FALSE(order_.passed(stream(2), fence));
  order_.poll(stream(1));
  EXPECT_EQ(order_.streams(), 2u);
  device_.finish(2);
  order_.poll(stream(1));  // whoever asks
  EXPECT_EQ(order_.streams(), 1u);
  EXPECT_TRUE(order_.passed(stream(2), fence));
}

TEST_F(OrderTest, CapturesAreForgottenOnceTheirReplaysAreDone) {
  order_.know(stream(1));
  for (int i = 0; i < 500; ++i) order_.finish(order_.captured_stream(kDevice), {});
  EXPECT_EQ(order_.streams(), 1u);
  const StreamId replayed = order_.captured_stream(kDevice);
  const memory::Point point = order_.waiting(stream(1));
  const std::uint64_t fence = order_.fence(replayed);
  order_.finish(replayed, std::make_shared<const std::vector<memory::Point>>(1, point));
  EXPECT_EQ(order_.streams(), 2u);
  EXPECT_FALSE(order_.passed(replayed, fence));
  order_.waited_for(point);
  EXPECT_EQ(order_.streams(), 1u);
  EXPECT_TRUE(order_.passed(replayed, fence));
}

}  // namespace
}  // namespace tandem
