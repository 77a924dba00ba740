// The simulation finds mistakes with address space: pages, their addresses, what is left behind.
#include "tests/memory/sim/sim_fixture.h"

namespace tandem::test {
namespace {

/// Two pages mapped in a reservation of four.
class Mapped : public SimDriverTest {
 protected:
  Mapped() {
    driver().reserve(4 * kPage, &at_);
    for (int i = 0; i < 2; ++i) {
      driver().create(kPage, &handle_[i]);
      driver().map(at_ + i * kPage, kPage, handle_[i]);
    }
  }
  std::byte* data() { return reinterpret_cast<std::byte*>(at_); }
  DriverAddress at_ = 0;
  PhysicalHandle handle_[2] = {};
};

TEST_F(Mapped, AcceptsTheWholeLife) {
  use(streams_[0], data() + 1000, 1, kPage);  // across both
  EXPECT_EQ(machine_.held(1), 2 * kPage);
  driver().synchronize();
  EXPECT_EQ(driver().unmap(at_, 2 * kPage), DriverStatus::Ok);
  EXPECT_EQ(machine_.held(1), 0u);
  EXPECT_EQ(driver().map(at_ + 3 * kPage, kPage, handle_[0]), DriverStatus::Ok);
  use(streams_[0], data() + 3 * kPage, 1);
  driver().stream_synchronize(streams_[0]);
  EXPECT_EQ(driver().unmap(at_ + 3 * kPage, kPage), DriverStatus::Ok);
  for (const PhysicalHandle h : handle_) EXPECT_EQ(driver().destroy(h, kPage), DriverStatus::Ok);
  EXPECT_EQ(driver().release(at_, 4 * kPage), DriverStatus::Ok);
  EXPECT_EQ(machine_.leaks(), "");
}

TEST_F(Mapped, FindsOverlap) {
  PhysicalHandle h = 0;
  driver().create(2 * kPage, &h);
  EXPECT_EQ(driver().map(at_ + 2 * kPage, 2 * kPage, h), DriverStatus::Ok);
  EXPECT_EQ(machine_.broken(), "");
  driver().unmap(at_ + 2 * kPage, 2 * kPage);
  driver().map(at_ + kPage, 2 * kPage, h);
  expect_broken("map: something is mapped");
}

TEST_F(Mapped, FindsUnmapOfWhatIsNotMapped) {
  driver().unmap(at_ + kPage, 2 * kPage);
  expect_broken("is not what was mapped");
}

TEST_F(Mapped, FindsPartialUnmap) {
  PhysicalHandle h = 0;
  driver().create(2 * kPage, &h);
  driver().map(at_ + 2 * kPage, 2 * kPage, h);
  driver().unmap(at_ + kPage, 2 * kPage);  // half of the last
  expect_broken("is not what was mapped");
}

TEST_F(Mapped, FindsDestroyOfAMappedHandle) {
  driver().destroy(handle_[0], kPage);
  expect_broken("destroy: the handle is mapped");
}

/// The first page has a second address, behind the two.
class MappedTwice : public Mapped {
 protected:
  MappedTwice() { driver().map(at_ + 2 * kPage, kPage, handle_[0]); }
  std::byte* again() { return data() + 2 * kPage; }
};

TEST_F(MappedTwice, AcceptsTheWholeLife) {
  EXPECT_EQ(machine_.held(1), 2 * kPage);  // counted once
  EXPECT_EQ(machine_.aliases(), 1u);
  EXPECT_EQ(machine_.pieces(1).size(), 2u);
  use(streams_[0], data(), 1);
  use(streams_[0], again(), 2);
  driver().synchronize();
  EXPECT_EQ(driver().unmap(at_, kPage), DriverStatus::Ok);
  EXPECT_EQ(machine_.held(1), 2 * kPage);
  use(streams_[0], again(), 2);  // the page goes on at the other address
  EXPECT_EQ(driver().unmap(at_ + kPage, kPage), DriverStatus::Ok);
  driver().synchronize();
  EXPECT_EQ(driver().unmap(at_ + 2 * kPage, kPage), DriverStatus::Ok);
  EXPECT_EQ(machine_.held(1), 0u);
  for (const PhysicalHandle h : handle_) EXPECT_EQ(driver().destroy(h, kPage), DriverStatus::Ok);
  EXPECT_EQ(driver().release(at_, 4 * kPage), DriverStatus::Ok);
  EXPECT_EQ(machine_.leaks(), "");
}

TEST_F(MappedTwice, FindsAUseAtTheOtherAddressThatIsNotOrdered) {
  use(streams_[0], data(), 1);
  use(streams_[1], again() + 100, 2);
  expect_broken("use before ordered");
}

TEST_F(MappedTwice, WorkAtOneAddressDoesNotKeepTheOther) {
  use(streams_[0], data(), 1);
  driver().stream_synchronize(streams_[0]);
  use(streams_[0], again(), 2);  // pending
  EXPECT_EQ(driver().unmap(at_, kPage), DriverStatus::Ok);
  EXPECT_EQ(machine_.broken(), "");
  driver().synchronize();
}

TEST_F(MappedTwice, FindsUnmapUnderWork) {
  use(streams_[0], data(), 1);
  driver().unmap(at_, kPage);
  expect_broken("unmap: nobody has waited");
}

TEST_F(MappedTwice, FindsDestroyWhileOneIsLeft) {
  driver().unmap(at_, kPage);
  driver().destroy(handle_[0], kPage);
  expect_broken("destroy: the handle is mapped");
}

TEST_F(Mapped, FindsMappingOutsideOfReservations) {
  PhysicalHandle h = 0;
  driver().create(kPage, &h);
  driver().map(at_ + 4 * kPage, kPage, h);
  expect_broken("map: nothing is reserved");
}

TEST_F(Mapped, FindsReleaseUnderMappings) {
  driver().release(at_, 4 * kPage);
  expect_broken("release: something is mapped");
}

TEST_F(Mapped, FindsEarlyUnmap) {
  use(streams_[0], data(), 1);
  EXPECT_EQ(driver().unmap(at_ + kPage, kPage), DriverStatus::Ok);  // the other page
  EXPECT_EQ(machine_.broken(), "");
  driver().unmap(at_, kPage);
  expect_broken("unmap: nobody has waited");
}

TEST_F(Mapped, FindsUseOfUnmappedPages) {
  driver().unmap(at_ + kPage, kPage);
  use(streams_[0], data() + kPage - 1, 1, 1);
  EXPECT_EQ(machine_.broken(), "");
  use(streams_[0], data() + kPage - 1, 1, 2);
  expect_broken("use of memory that is not there");
}

TEST_F(Mapped, FindsLeaks) {
  EventHandle e = 0;
  driver().event_create(&e);
  machine_.user_event_create(1);  // the test's own
  driver().unmap(at_ + kPage, kPage);
  allocate(3 * kPage);
  EXPECT_EQ(machine_.leaks(),
            "not given back: 6291456 bytes allocated, 2097152 mapped, 2 physical handles, 1 "
            "reservations, 1 events");
}

}  // namespace
}  // namespace tandem::test
