// Debug mode on the host: freed memory is poisoned, held back and looked at; what the order of
// streams learns where the host waits.
#include "tandem/check.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <cstdlib>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "runtime/memory/order.h"
#include "runtime/memory/pools.h"
#include "tandem/memory.h"
#include "tandem/tandem.h"
#include "tests/support/message_of.h"

using namespace tandem;

namespace {

constexpr std::size_t kQuarantine = std::size_t{8} << 20;
// Before there is memory.
[[maybe_unused]] const bool g_on = (set_checks({.memory = true, .quarantine = kQuarantine}), true);

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kAsan = true;  // finds the planted accesses by itself
#else
constexpr bool kAsan = false;
#endif

std::string mistake_in(const std::function<void()>& f) { return test::message_of<CheckError>(f); }

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(CheckMemory, FreedMemoryIsHeldBackAndPoisoned) {
  if (kAsan) GTEST_SKIP() << "the sanitizer finds the planted access by itself";
  Tensor x = ones({1000}), y = ones({1 << 18});
  const auto* p = static_cast<const unsigned char*>(x.data_ptr());
  const auto* q = static_cast<const unsigned char*>(y.data_ptr());
  x = {};
  y = {};
  for (int i = 0; i < 4000; ++i) ASSERT_EQ(p[i], 0xff) << i;
  for (int i = 0; i < 1 << 20; ++i) ASSERT_EQ(q[i], 0xff) << i;
  for (int i = 0; i < 100; ++i) {  // other memory
    const Tensor again = empty({1000}), large = empty({1 << 18});
    if (i == 0) {
      EXPECT_NE(again.data_ptr(), p);
      EXPECT_NE(large.data_ptr(), q);
    }
  }
  EXPECT_TRUE(isnan(empty({1 << 18})).any().item<bool>());  // given out at last, as it was left
}

TEST(CheckMemory, AWriteAfterFreeNamesWhoUsedFreedAndGotIt) {
  if (kAsan) GTEST_SKIP() << "the sanitizer finds the planted access by itself";
  Tensor x = ones({50000});
  float* p = x.data<float>();
  (void)sin(x);
  x = {};
  p[1234] = 1;
  std::string text;
  std::vector<Tensor> kept;
  for (int i = 0; i < 2000 && text.empty(); ++i) {  // pushes it out, and gets it
    text = mistake_in([&] { kept.push_back(full({50000}, 2)); });
    if (i % 2 == 1) kept.erase(kept.begin());
  }
  EXPECT_SAYS(text, "[fill] expected freed memory as it was left, got byte 4936 of it written");
  EXPECT_SAYS(text, "allocated in 'fill', last used in 'sin', freed after 'sin'");
  EXPECT_SAYS(text, "it is given out again in 'fill'");
  EXPECT_EQ(host_pool().verify(), "");
  EXPECT_EQ(mistake_in([&] { full({50000}, 2); }), "");  // found once
}

TEST(CheckMemory, AWriteAfterFreeIsFoundByEmptyCache) {
  if (kAsan) GTEST_SKIP() << "the sanitizer finds the planted access by itself";
  empty_cache(kCPU);
  Tensor x = ones({300});
  float* p = x.data<float>();
  x = {};
  p[299] = 0;
  const std::string text = mistake_in([&] { empty_cache(kCPU); });
  EXPECT_SAYS(text, "got byte 1196 of it written");
  EXPECT_EQ(mistake_in([&] { empty_cache(kCPU); }), "");
}

TEST(CheckMemory, StaleMemoryThatIsWrappedIsNamed) {
  void* p = nullptr;
  {
    const Tensor x = ones({77});
    p = mul(x, 2).data_ptr();
  }
  const Tensor stale = from_blob(p, {77}, DType::float32);
  const std::string text = mistake_in([&] { exp(stale); });
  EXPECT_SAYS(text, "[exp] expected memory that is alive, got a tensor of float32 [77] at ");
  EXPECT_SAYS(text, "allocated in 'mul'");
  EXPECT_NE(mistake_in([&] { (void)stale.select(0, 3).item(); }), "");
  EXPECT_NE(mistake_in([&] { ones({77}).copy_(stale); }), "");
  float own[4] = {1, 2, 3, 4};  // of someone else
  EXPECT_EQ(mistake_in([&] { exp(from_blob(own, {4}, DType::float32)); }), "");
  const Tensor alive = ones({9});
  EXPECT_EQ(mistake_in([&] { exp(from_blob(alive.data_ptr(), {9}, DType::float32)); }), "");
}

TEST(CheckMemory, WhatIsHeldBackIsBoundedAndGivenUpBeforeMemoryIsOut) {
  empty_cache(kCPU);
  const std::size_t live = memory_stats(kCPU).allocated.current;
  for (int i = 0; i < 40; ++i) (void)ones({1 << 18});  // 1 MiB each
  MemoryStats s = memory_stats(kCPU);
  EXPECT_EQ(s.allocated.current, live);
  EXPECT_LE(s.pending, kQuarantine);
  EXPECT_GE(s.pending, kQuarantine - (std::size_t{2} << 20));
  EXPECT_EQ(host_pool().verify(), "");
  // A request that the limit leaves no room for but in what is held back.
  trim_memory(kCPU);
  EXPECT_EQ(memory_stats(kCPU).pending, 0u);
  for (int i = 0; i < 7; ++i) (void)ones({1 << 18});
  set_memory_limit(kCPU, memory_stats(kCPU).reserved.current);
  EXPECT_NO_THROW(empty({5 << 18}));
  set_memory_limit(kCPU, ~std::size_t{0});
  EXPECT_EQ(host_pool().verify(), "");
}

TEST(CheckMemory, ItCannotBeSwitchedWhileThereAreBlocks) {
  const Tensor x = ones({3});
  EXPECT_THROW(set_checks({}), ValueError);
  EXPECT_THROW(set_checks({.memory = true}), ValueError);  // another bound
  EXPECT_TRUE(checks().memory);
  set_checks({.streams = true, .memory = true, .quarantine = kQuarantine});
  EXPECT_TRUE(checks().streams);
  set_checks({.memory = true, .quarantine = kQuarantine});
}

TEST(CheckMemory, TheEnvironmentIsAList) {
  const auto asked = [](const char* list) {
    const std::string self = "TANDEM_CHECK=" + std::string(list) + " /proc/" +
                             std::to_string(getpid()) + "/exe --gtest_list_tests 2>&1";
    FILE* f = popen(self.c_str(), "r");
    std::string text(4096, '\0');
    text.resize(fread(text.data(), 1, text.size(), f));
    pclose(f);
    return text;
  };
  EXPECT_SAYS(asked("streams,wrong"),
              "expected a list of streams, order, memory, report, got 'wrong'");
  const std::string silent = asked("memory,report,streams,order");
  EXPECT_SAYS(silent, "CheckMemory.");  // it ran
  EXPECT_EQ(silent.find("TANDEM_CHECK:"), std::string::npos);
}

TEST(CheckOrder, AWaitForAStreamIsOneForWhatThatWaitedFor) {
  memory::Order order;
  const StreamId a{1, 1}, b{2, 2}, c{3, 3};
  for (const StreamId s : {a, b, c}) order.know(s);
  const std::uint64_t fence = order.fence(a);
  order.waited(b, order.recording(a));
  EXPECT_FALSE(order.told(c, a, fence));
  EXPECT_TRUE(order.told(b, a, fence));
  const memory::Mark wait = order.recording(b);  // as Stream::synchronize does
  order.seen(wait);
  EXPECT_TRUE(order.passed(a, fence));
  EXPECT_TRUE(order.told(kHostStream, a, fence));
  EXPECT_FALSE(order.passed(a, order.fence(a)));
}

TEST(CheckOrder, AWaitForADeviceIsOneForWhatItsStreamsWaitedFor) {
  memory::Order order;
  const StreamId here{std::uint64_t{1} << StreamId::kDeviceShift, 0};
  const StreamId there{std::uint64_t{2} << StreamId::kDeviceShift, 0};
  order.know(here);
  order.know(there);
  const std::uint64_t fence = order.fence(there);
  order.waited(here, order.recording(there));
  const std::uint64_t later = order.fence(there);
  const std::vector<memory::Point> points = order.waiting_for_device(1);
  EXPECT_FALSE(order.passed(there, fence));
  order.waited_for(points);
  EXPECT_TRUE(order.passed(there, fence));
  EXPECT_FALSE(order.passed(there, later));
}

}  // namespace
