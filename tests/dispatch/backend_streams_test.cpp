// Streams, memory and copies on the recording backend: identities, the current device, memory of
// the caller that several streams use, what is ordered when a call fails, workspaces, waits.
#include <gtest/gtest.h>
#include <link.h>

#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tests/support/recording.h"

namespace {

using namespace tandem;
using namespace test::recording;  // NOLINT(google-build-using-namespace)

const bool kChosen = choose();  // before anything asks for a device

class BackendStreams : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(kChosen);
    ASSERT_EQ(device_count(DeviceKind::CUDA), 2) << device_status(DeviceKind::CUDA);
    calls();
  }
  void TearDown() override {
    set_current_device(0);
    set_staged(false);
    refuse_memory(false, false);
    fail_next("nothing");
  }
};

Tensor blob(float* memory, std::int64_t n, const Stream& stream,
            std::function<void(void*, Stream)> deleter) {
  return from_blob(memory, {n}, DType::float32, {}, stream, std::move(deleter));
}

/// Where a part stands in the calls; a failure where it does not.
std::size_t place(const std::string& seen, const std::string& part) {
  EXPECT_NE(seen.find(part), std::string::npos) << part << " is not in " << seen;
  return seen.find(part);
}

TEST_F(BackendStreams, IdentitiesHaveTheirDevice) {
  const Stream a = current_stream(device(0));
  const Stream b = current_stream(device(1));
  EXPECT_NE(a.id(), 0u);
  EXPECT_NE(a.id(), b.id());
  EXPECT_EQ(a.id() << 16, 0u);
  EXPECT_EQ(current_stream(kCPU).id(), 0u);
  EXPECT_EQ(current_stream(Device(DeviceKind::CPU, 0)), current_stream(kCPU));
  EXPECT_EQ(Stream::wrap(device(0), nullptr), a);
  const Stream c = Stream::create(device(1));
  EXPECT_EQ(c.id() >> 48, b.id() >> 48);
  EXPECT_NE(c.id() << 16, 0u);
  EXPECT_EQ(Stream::wrap(device(1), c.native()), c);
  {
    const StreamGuard guard(c);
    EXPECT_EQ(current_stream(device(1)).id(), c.id());
    EXPECT_EQ(current_stream(device(0)).id(), a.id());
    const StreamGuard inner(b);
    EXPECT_EQ(current_stream(device(1)), b);
    std::thread([&] { EXPECT_EQ(current_stream(device(1)), b); }).join();
  }
  EXPECT_EQ(current_stream(device(1)), b);
  EXPECT_THROW(current_stream(device(2)), DeviceError);
  EXPECT_THROW(current_stream(Device(DeviceKind::Private, 0)), DeviceError);
}

TEST_F(BackendStreams, AStreamOfAnotherDeviceIsRefused) {
  const Stream there = Stream::create(device(1));
  try {
    Stream::wrap(device(0), there.native());
    FAIL() << "expected a DeviceError";
  } catch (const DeviceError& e) {
    EXPECT_STREQ(e.what(), "[stream] expected a stream of cuda:0, got one of cuda:1");
  }
}

TEST_F(BackendStreams, Priorities) {
  EXPECT_EQ(stream_priority_range(device(1)).greatest, -2);
  EXPECT_EQ(stream_priority_range(kCPU).greatest, 0);
  const Stream s = Stream::create(device(1), -2);
  EXPECT_EQ(s.device(), device(1));
  place(calls(), "stream " + number(s.native()) + " of priority -2;");
  EXPECT_THROW(Stream::create(device(1), -3), ValueError);
  EXPECT_THROW(Stream::create(device(1), 1), ValueError);
  EXPECT_THROW(Stream::create(kCPU, -1), ValueError);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(Stream::create(device(1)) == s);
}

TEST_F(BackendStreams, NoIndexIsTheCurrentDevice) {
  set_current_device(1);
  const Device other = device(1);
  const auto held = [](int i) { return memory_stats(device(i)).allocated.current; };
  const std::size_t before[] = {held(0), held(1)};
  const Storage s(5 << 20, kCUDA);
  EXPECT_EQ(s.device(), other);
  EXPECT_EQ(held(0), before[0]);
  EXPECT_GT(held(1), before[1]);
  EXPECT_EQ(memory_stats(kCUDA).allocated.current, held(1));

  float memory[6] = {};
  EXPECT_EQ(Storage(memory, sizeof memory, kCUDA, {}).device(), other);
  EXPECT_EQ(from_blob(memory, {6}, DType::float32, {.device = kCUDA}).device(), other);
  EXPECT_EQ(
      from_blob(memory, {6}, DType::float32, {.device = kCUDA}, current_stream(kCUDA), {}).device(),
      other);
  EXPECT_THROW(
      from_blob(memory, {6}, DType::float32, {.device = kCUDA}, current_stream(device(0)), {}),
      DeviceError);
  const Options there{.dtype = DType::float32, .device = kCUDA};
  EXPECT_EQ(empty({3}, there).device(), other);
  EXPECT_EQ(empty_strided({2, 2}, {1, 2}, there).device(), other);
  EXPECT_EQ(zeros({3}, there).device(), other);
  EXPECT_EQ(full({3}, 2, there).device(), other);
  const Tensor x = ones({3});
  EXPECT_EQ(x.to(kCUDA).device(), other);
  EXPECT_EQ(neg(x.to(kCUDA)).storage().device(), other);
  EXPECT_EQ(x.to(device(0)).to(kCUDA).device(), other);
  EXPECT_EQ(held(0), before[0]);

  EXPECT_EQ(current_stream(kCUDA), current_stream(other));
  EXPECT_EQ(Stream::create(kCUDA).device(), other);
  EXPECT_EQ(Stream::wrap(kCUDA, nullptr), current_stream(other));
  EXPECT_EQ(stream_priority_range(kCUDA).greatest, -2);
  calls();
  synchronize(kCUDA);
  EXPECT_NE(calls().find("synchronize device 1;"), std::string::npos);
  empty_cache(kCUDA);
  EXPECT_NE(calls().find("drop caches of 1;"), std::string::npos);
  set_memory_limit(kCUDA, std::size_t{1} << 40);
  EXPECT_EQ(memory_stats(other).limit, std::size_t{1} << 40);
  EXPECT_EQ(memory_stats(device(0)).limit, std::numeric_limits<std::size_t>::max());
  set_memory_limit(kCUDA, std::numeric_limits<std::size_t>::max());
  reset_peak_memory(kCUDA);
  EXPECT_EQ(memory_stats(other).allocated.peak, held(1));

  EXPECT_EQ(Storage(4, Device(DeviceKind::CPU, 0)).device(), kCPU);
  EXPECT_THROW(Storage(4, device(2)), DeviceError);
  EXPECT_THROW(Storage(memory, 4, device(2), {}), DeviceError);
}

// ---- memory of the caller

TEST_F(BackendStreams, MemoryIsGivenBackBehindAllItsUses) {
  alignas(64) static float memory[4] = {1, 2, 3, 4};
  const Stream home = Stream::create(device(0));
  const Stream first = Stream::create(device(0));
  const Stream second = Stream::create(device(0));
  std::vector<Stream> given;
  {
    const Tensor t = blob(memory, 4, home, [&](void* p, Stream s) {
      EXPECT_EQ(p, memory);
      given.push_back(s);
      (void)full({1}, 0.0, {.device = device(0)});  // a mark among the calls
    });
    EXPECT_EQ(t.device(), device(0));
    for (const Stream& s : {home, first, first}) {
      const StreamGuard guard(s);
      neg(t);
    }
    EXPECT_EQ(t.data(second), memory);
    calls();
  }
  ASSERT_EQ(given.size(), 1u);
  EXPECT_EQ(given[0], home);
  const std::string seen = calls();
  const std::size_t deleted = place(seen, "push fill");
  for (const Stream& s : {first, second}) {
    const std::size_t recorded = place(seen, " on " + number(s.native()) + ";");
    const std::string event = seen.substr(0, recorded).substr(seen.rfind("records", recorded) + 8);
    const std::size_t waited =
        place(seen, "makes " + number(home.native()) + " wait for " + event + ";");
    EXPECT_LT(recorded, waited);
    EXPECT_LT(waited, deleted);
  }
  EXPECT_EQ(seen.find("synchronize"), std::string::npos) << seen;
  EXPECT_EQ(seen.find(" on " + number(home.native()) + ";"), std::string::npos) << seen;
}

TEST_F(BackendStreams, MemoryUsedOnItsOwnStreamAsksForNothing) {
  static float memory[4] = {};
  int freed = 0;
  {
    const Tensor t = blob(memory, 4, current_stream(device(0)), [&](void*, Stream) { ++freed; });
    neg(t);
    calls();
  }
  EXPECT_EQ(freed, 1);
  EXPECT_EQ(calls(), "");
}

TEST_F(BackendStreams, MemoryIsGivenBackWhereStreamsCannotBeOrdered) {
  static float memory[4] = {};
  for (const char* call : {"event_record", "stream_wait_event"}) {
    int freed = 0;
    {
      const Tensor t = blob(memory, 4, Stream::create(device(0)), [&](void*, Stream) { ++freed; });
      neg(t);
      calls();
      fail_next(call);
    }
    EXPECT_EQ(freed, 1);
    EXPECT_NE(calls().find("synchronize device 0;"), std::string::npos);
  }
}

TEST_F(BackendStreams, UsesOfMemoryMoveWithIt) {
  static float memory[4] = {};
  int freed = 0;
  {
    Tensor t = blob(memory, 0, Stream::create(device(0)), [&](void*, Stream) { ++freed; });
    neg_out(t, full({3}, 1.0, {.device = device(0)}));  // takes other memory
    EXPECT_EQ(freed, 1);
    EXPECT_EQ(t.numel(), 3);
  }
  EXPECT_EQ(freed, 1);
  // On the host nothing is queued.
  {
    const Tensor t = blob(memory, 4, current_stream(kCPU), [&](void*, Stream) { ++freed; });
  }
  EXPECT_EQ(freed, 2);
  { const Tensor t = blob(memory, 4, current_stream(device(1)), {}); }
}

TEST_F(BackendStreams, AStoragesElementsAreItsOwn) {
  const Stream other = Stream::create(device(0));
  const void* own = empty({100000}, {.device = device(0)}).data_ptr();
  {
    const Tensor x = full({100, 1000}, 1.0, {.device = device(0)});
    ASSERT_EQ(x.data_ptr(), own);
    const auto version = x.storage().version();
    Tensor all = detail::elements_of(x.storage(), DType::float32);
    EXPECT_TRUE(all.shares_storage(x));
    EXPECT_EQ(all.numel(), 100000);
    const StreamGuard guard(other);
    all.fill_(2);  // behind the stream of x's memory
    EXPECT_EQ(x.storage().version(), version + 1);
  }
  EXPECT_NE(empty({100000}, {.device = device(0)}).data_ptr(), own);
  synchronize(device(0));
}

// ---- failures

TEST_F(BackendStreams, ACopyThatFailedHalfwayIsOver) {
  const Tensor x = full({3}, 7.0, {.device = device(0)});
  const Stream to = Stream::create(device(1));
  const StreamGuard guard(to);
  calls();
  fail_next("event_record", 1);  // the copy is queued, and nothing tells when it is done
  EXPECT_THROW(x.to(device(1)), DeviceError);
  const std::string seen = calls();
  EXPECT_LT(place(seen, "peer copy on " + number(to.native())),
            place(seen, "synchronize " + number(to.native())));
  EXPECT_EQ(x.to(device(1)).cpu().sum().item<float>(), 21.0f);
}

TEST_F(BackendStreams, UsesAreKnownBeforeACallFails) {
  static float memory[4] = {};
  const Stream user = Stream::create(device(1));
  bool freed = false;
  {
    Tensor t = blob(memory, 4, current_stream(device(1)), [&](void*, Stream) { freed = true; });
    const Tensor x = full({4}, 7.0, {.device = device(0)});
    const StreamGuard guard(user);
    fail_next("peer_copy");
    EXPECT_THROW(t.copy_(x), DeviceError);
    calls();
  }
  EXPECT_TRUE(freed);
  place(calls(), " on " + number(user.native()) + ";");
}

TEST_F(BackendStreams, AWorkspaceWithoutMemoryIsOutOfMemory) {
  constexpr std::int64_t kMany = 1 << 24;
  const Tensor x = full({kMany}, 1.0, {.device = device(1)});
  { const Tensor cached = empty({kMany}, {.device = device(1)}); }
  const std::uint64_t before = memory_stats(device(1)).out_of_memory;
  refuse_memory(true, false);
  try {
    abs(x);
    FAIL() << "expected OutOfMemory";
  } catch (const OutOfMemory& e) {
    EXPECT_NE(std::string(e.what()).find("cuda:1"), std::string::npos) << e.what();
  }
  EXPECT_EQ(memory_stats(device(1)).out_of_memory, before + 1);
  // Whatever the user's callback throws comes through, past the backend.
  refuse_memory(false, false);
  { const Tensor cached = empty({kMany}, {.device = device(1)}); }
  refuse_memory(true, false);
  set_out_of_memory_callback([](Device, std::size_t) -> bool { throw 7; });
  EXPECT_THROW(abs(x), int);
  set_out_of_memory_callback({});
  refuse_memory(false, false);
  EXPECT_EQ(neg(x).cpu()[0].item<float>(), -1.0f);  // and the next call is no failure
  EXPECT_EQ(abs(x).cpu()[0].item<float>(), 1.0f);
}

TEST_F(BackendStreams, AWorkspaceIsInTheOrderOfItsStream) {
  const Tensor x = full({1000}, 1.0, {.device = device(0)});
  abs(x);
  calls();
  abs(x);
  EXPECT_EQ(calls(), "push abs;pop;");  // nothing is asked for the default stream's identity
  const StreamGuard guard(Stream::create(device(0)));
  calls();
  abs(x);
  EXPECT_EQ(calls(), "push abs;pop;");  // nor for the current one's
  const auto live = memory_stats(device(0)).allocated.current;
  for (int i = 0; i < 100; ++i) abs(x);
  EXPECT_EQ(memory_stats(device(0)).allocated.current, live);
}

// ---- waits

TEST_F(BackendStreams, CopiesWaitWhereTheHostCouldTell) {
  const Tensor host = ones({4});
  calls();
  set_staged(true);
  const Tensor there = host.to(device(0));
  std::string seen = calls();
  place(seen, "copy on 0;");
  EXPECT_EQ(seen.find("synchronize"), std::string::npos) << seen;
  set_staged(false);  // such as pinned memory
  (void)host.to(device(0));
  seen = calls();
  EXPECT_LT(place(seen, "copy on 0;"), place(seen, "synchronize 0;"));
  (void)host.to(device(0), {}, true);
  EXPECT_EQ(calls().find("synchronize"), std::string::npos);
  set_staged(true);
  (void)there.cpu();
  seen = calls();
  EXPECT_LT(place(seen, "copy on 0;"), place(seen, "synchronize 0;"));
  Tensor back = empty({4});
  back.copy_(there, true);
  EXPECT_EQ(calls().find("synchronize"), std::string::npos);
}

TEST(Libtandem, HasLittleStaticThreadLocalStorage) {
  std::size_t bytes = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        if (std::strstr(info->dlpi_name, "libtandem.so") == nullptr) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type == PT_TLS) {
            *static_cast<std::size_t*>(out) = info->dlpi_phdr[i].p_memsz;
          }
        }
        return 0;
      },
      &bytes);
  EXPECT_GT(bytes, 0u);
  // What glibc keeps for libraries that are opened at run time is 1664 bytes for all of them.
  EXPECT_LT(bytes, 512u);
}

}  // namespace
